/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is far away: by interface, the addresses that are in none of its
 * networks. A packet from there has passed a router, and so will its answer;
 * only a client on the server's own link is masqueraded. Interfaces without a
 * network that is known have none: whoever comes by them is near.
 */
#ifndef FAR_H
#define FAR_H

#include "addresses.h"
#include "link.h"

#define SET_FAR "reach_far"

/* Without padding, so that they compare as bytes. */
struct far {
	char interface[IF_NAMESIZE];
	struct masq_address first, last;
};

/* A set of them, in order. */
struct fars {
	struct far *v;
	size_t n;
};

void fars_free(struct fars *f);
/* Those of present addresses. 0 or -ENOMEM. */
int fars_of(struct fars *out, const struct addresses *a);
/* Those that the kernel has. 0 or -errno, as in load.h. */
int fars_load(struct link *l, struct buf *b, enum family f, struct fars *out);
bool fars_have(const struct fars *f, const struct far *far);

/* The ends of an element's range, for the kernel. Returns the length of
 * each. */
#define FAR_KEY_MAX (IF_NAMESIZE + 16)
size_t far_bytes(uint8_t first[FAR_KEY_MAX], uint8_t last[FAR_KEY_MAX], const struct far *far);

#endif
