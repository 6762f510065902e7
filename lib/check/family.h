/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between IPv4 and IPv6: numbers, offsets and words. */
#ifndef CHECK_FAMILY_H
#define CHECK_FAMILY_H

#include "observed.h"

struct family {
	int af;
	uint8_t nfproto;
	uint8_t size;         /* bytes of an address */
	uint8_t saddr, daddr; /* where the header has them */
	uint8_t protocol;     /* where it has the protocol */
	uint8_t header;       /* its length, without options or extensions */
	uint8_t icmp;         /* IPPROTO_ICMP, IPPROTO_ICMPV6 */
	uint16_t ether_type;
	uint8_t nft_type;        /* number of the address's type in nft(8) */
	uint8_t ct_src, ct_dst;  /* NFT_CT_SRC_IP, ... */
	const char *word;        /* nft(8): family of a table, and what "daddr" stands behind */
	const char *ip;          /* "ip", "ip -6" */
	const char *iptables;    /* "iptables", "ip6tables" */
	const char *legacy;      /* the file that lists the tables of iptables-legacy */
	const char *logger;      /* the file that names what iptables-legacy logs to */
	const char *sysctl;      /* "ipv4", "ipv6" */
	const char *neighbours;  /* "ARP", "Neighbour Discovery" */
	const char *too_big;     /* what ICMP calls it when a packet is too large for a link */
	const char *nft_too_big; /* how nft(8) matches that */
	const char *iptables_too_big;
};

extern const struct family family_ipv4, family_ipv6;

/* Of the target; where there is none, of the local address, else IPv4. */
const struct family *family_of(const struct check_forward *f);

bool family_is_loopback(const struct masq_address *a);
bool family_in_network(const struct masq_address *a, const struct masq_address *of,
		       unsigned int prefix);
/* Zeroes what lies behind the prefix. */
void family_network(struct masq_address *a, unsigned int prefix);

#endif
