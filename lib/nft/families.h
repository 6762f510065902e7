/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address families, each of which has a table of our name. What differs
 * between them is data: here, and the fields of schema.c.
 */
#ifndef FAMILIES_H
#define FAMILIES_H

#include "address.h"

enum family { FAMILY_IPV4, FAMILY_IPV6, FAMILY_COUNT };

struct family_def {
	uint8_t number;    /* AF_ and NFPROTO_, which are the same */
	const char *text;  /* as nft(8) names it: "ip" */
	const char *name;  /* "IPv4" */
	const char *table; /* as messages name it: "table ip ipmasqadm" */
	/* what a kernel without it lacks */
	const char *config, *fib_config;
	bool old; /* version 0.5.0 had a table of it */
};

extern const struct family_def family_defs[FAMILY_COUNT];

/* Of an address; where there is none, IPv4. */
static inline enum family family_by_address(const struct masq_address *a)
{
	return a->family == AF_INET6 ? FAMILY_IPV6 : FAMILY_IPV4;
}
/* Whether the kernel has the family at all: a module that is not there, or is
 * disabled, takes its rules all the same (ipv6.disable=1). */
bool family_is_there(enum family f);
/* By its number; FAMILY_COUNT: none that we have a table of. */
enum family family_numbered(uint8_t number);

#endif
