/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nf_tables reports of packets whose nftrace is set. */
#ifndef CHECK_TRACE_H
#define CHECK_TRACE_H

#include "nl.h"
#include "observed.h"

/* The head of a packet. */
struct trace_packet {
	struct masq_address saddr, daddr;
	uint8_t protocol;
	uint16_t id; /* of IPv6: the end of the flow label */
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint32_t seq;
	uint8_t icmp_type, icmp_code;
	uint16_t quoted_id; /* of the packet that an ICMP error quotes */
};

struct trace_event {
	uint32_t id; /* of the packet, while it is in this machine */
	uint8_t family;
	char table[CHECK_NAME], chain[CHECK_NAME];
	uint32_t type;    /* NFT_TRACETYPE_... */
	uint32_t verdict; /* NF_DROP, NF_ACCEPT, NFT_JUMP, ...; of a policy, too */
	char jump[CHECK_NAME];
	uint64_t handle;
	/* in the first event of a chain only */
	bool has_packet;
	struct trace_packet packet;
	unsigned int iif, oif;
	uint32_t mark;
};

/* A socket that hears of every traced packet in this network namespace. */
int trace_open(struct nl *nl);
typedef void trace_fn(const struct trace_event *e, void *arg);
/* Hands over what is there; does not wait. 0 or negative errno; -ENOBUFS:
 * events were lost. */
int trace_read(struct nl *nl, trace_fn *fn, void *arg);

/* Reads the head of a packet, of which n bytes are there: the IP header, and
 * behind it m of the transport's. False: no IP, or a later fragment. */
bool trace_parse(struct trace_packet *p, const void *ip, size_t n, const void *transport, size_t m);
/* The length of the IP header at ip, without IPv6's extensions; 0: there is
 * none in n bytes. */
size_t trace_header(const void *ip, size_t n);

#endif
