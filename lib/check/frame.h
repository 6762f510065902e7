/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ethernet frames with the packets that the check sends. Pure. */
#ifndef CHECK_FRAME_H
#define CHECK_FRAME_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 128

struct frame_flow {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	struct in_addr saddr, daddr;
	uint16_t sport, dport;
	uint16_t id;  /* of the IP header: ICMP quotes it */
	uint32_t seq; /* of the SYN */
};

/* Each writes a frame for the interface with that hardware address and returns its length. */

/* A SYN, or an empty datagram. */
size_t frame_first(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f);
/* The RST that ends what the SYN began, whether it was answered or not. */
size_t frame_reset(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f);
/* ICMP "fragmentation needed" from the client, about the answer. */
size_t frame_too_big(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f,
		     uint32_t answer_seq);

#endif
