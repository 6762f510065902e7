/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ethernet frames with the packets that the check sends, of either family.
 * Pure. */
#ifndef CHECK_FRAME_H
#define CHECK_FRAME_H

#include "family.h"

#define FRAME_MAX 128
#define FRAME_LINK 14 /* of it, what is Ethernet's */

struct frame_flow {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	struct masq_address saddr, daddr;
	uint16_t sport, dport;
	uint16_t id;  /* of the IPv4 header, or the flow label of IPv6: ICMP quotes it */
	uint32_t seq; /* of the SYN */
};

/* Each writes a frame for the interface with that hardware address and returns
 * its length. */

/* A SYN, or an empty datagram. */
size_t frame_first(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f);
/* The RST that ends what the SYN began, whether it was answered or not. */
size_t frame_reset(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f);
/* ICMP "fragmentation needed" or "packet too big" from the client, about the
 * answer. */
size_t frame_too_big(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f,
		     uint32_t answer_seq);

/* A question from us, who have that hardware address, to all neighbours: who
 * has the address? By ARP or Neighbour Discovery. */
size_t frame_ask(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct masq_address *ours,
		 const struct masq_address *address);

#endif
