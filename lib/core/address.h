/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses with their family. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <string.h>

#include "masq.h"

#define ADDRESS_TEXT_MAX INET6_ADDRSTRLEN

/* An IPv4 address from its number in network order. */
struct masq_address address_v4(uint32_t addr);

/* Copies an address of any caller, with zeroes behind it; false if its family
 * is unknown. */
bool address_take(struct masq_address *out, const struct masq_address *in);

/* Bytes on the wire: 4 or 16; 0: no address. */
static inline size_t address_size(const struct masq_address *a)
{
	return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

/* Whether there is none, or it is the family's any address (0.0.0.0, ::). */
static inline bool address_is_any(const struct masq_address *a)
{
	if (a->family == AF_INET)
		return a->in.s_addr == INADDR_ANY;
	return a->family != AF_INET6 || IN6_IS_ADDR_UNSPECIFIED(&a->in6);
}

static inline bool address_equal(const struct masq_address *a, const struct masq_address *b)
{
	return a->family == b->family && !memcmp(&a->in6, &b->in6, address_size(a));
}

/* An IPv4 address in the notation of IPv6, ::ffff:10.0.0.2; then *out is
 * that. */
bool address_is_mapped(const struct masq_address *a, struct masq_address *out);

/* "IPv4" or "IPv6". */
const char *address_family_name(int family);

/* In numbers, of IPv6 as RFC 5952 has it; "0.0.0.0" where there is none.
 * Returns buf. */
const char *address_text(char buf[ADDRESS_TEXT_MAX], const struct masq_address *a);

/* The first and the last eight bytes of an address, as numbers that order
 * addresses of one family; of IPv4 first is 0. */
void address_numbers(const struct masq_address *a, uint64_t *first, uint64_t *last);

#endif
