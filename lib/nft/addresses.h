/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses that this machine's interfaces have at the moment. */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include <net/if.h>

#include "families.h"

struct interface_address {
	char interface[IF_NAMESIZE]; /* with zeroes behind it */
	struct masq_address address;
	struct masq_address
		peer; /* of the network: the address itself, but on a link between two */
	uint8_t prefix;
};

struct addresses {
	struct interface_address *v;
	size_t n, cap;
};

/* Those of a family, but for those that a link has for itself. 0, -ENOMEM, or
 * -errno: nobody is there to ask. */
int addresses_load(struct addresses *out, enum family f);
void addresses_free(struct addresses *a);
/* One more, all zero. NULL: out of memory. */
struct interface_address *addresses_add(struct addresses *a);
/* Puts them in order, for whoever looks them up. */
void addresses_sort(struct addresses *a);
/* Whether one is among them, which are in order. */
bool addresses_have(const struct addresses *a, const struct interface_address *one);

#endif
