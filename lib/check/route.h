/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's routing would do with a packet, and whose addresses are
 * whose. */
#ifndef CHECK_ROUTE_H
#define CHECK_ROUTE_H

#include "family.h"
#include "nl.h"

struct route_question {
	struct masq_address dst, src; /* of one family; src may be none */
	unsigned int iif;             /* 0: a packet of our own */
	unsigned int oif;             /* 0: whatever is right */
	uint32_t mark;
};

struct route_answer {
	int error; /* errno that the kernel gave, 0 */
	int type;  /* RTN_LOCAL, RTN_UNICAST, ... */
	unsigned int oif;
	struct masq_address gateway, source; /* AF_UNSPEC: none */
	unsigned char prefix;                /* the length of the destination matched */
};

/* 0 or negative errno where the question could not be put; what the kernel says
 * is in answer->error. */
int route_ask(struct nl *nl, const struct route_question *q, struct route_answer *answer);

/* Addresses of this machine. */
struct route_address {
	struct masq_address address;
	unsigned char prefix;
	unsigned int ifindex;
};
struct route_addresses {
	struct route_address *v;
	size_t n, cap;
};
/* Of both families. */
int route_addresses(struct nl *nl, struct route_addresses *list);
void route_addresses_free(struct route_addresses *list);
/* Whether the address is of the interface with this name. */
bool route_is_of(const struct route_addresses *list, const struct masq_address *address,
		 const char *interface);

/* Whether a routing rule looks at marks. */
int route_by_mark(struct nl *nl, const struct family *family, bool *marks);

enum route_neighbour { NEIGHBOUR_UNKNOWN, NEIGHBOUR_THERE, NEIGHBOUR_FAILED };
enum route_neighbour route_neighbour(struct nl *nl, unsigned int ifindex,
				     const struct masq_address *address);

/* Whether an XDP program runs in the interface's driver or hardware, in front
 * of all that packets of our own come by. */
bool route_has_xdp(struct nl *nl, const char *interface);

/* The hardware address and whether the interface has one. */
bool route_hardware(const char *interface, unsigned char mac[6]);

/* Whether the kernel asks there for neighbours, by ARP or Neighbour Discovery:
 * not on some tunnels, nor on interfaces of containers that only route, which
 * are Ethernet all the same. */
bool route_asks_neighbours(const char *interface);

#endif
