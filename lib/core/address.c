// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "address.h"

struct masq_address address_v4(uint32_t addr)
{
	struct masq_address a = {.family = AF_INET};

	a.in.s_addr = addr;
	return a;
}

bool address_take(struct masq_address *out, const struct masq_address *in)
{
	struct masq_address a = {.family = in->family};

	if (a.family == AF_INET)
		a.in = in->in;
	else if (a.family == AF_INET6)
		a.in6 = in->in6;
	else if (a.family != AF_UNSPEC)
		return false;
	*out = a;
	return true;
}

bool address_is_mapped(const struct masq_address *a, struct masq_address *out)
{
	uint32_t addr;

	if (a->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6))
		return false;
	memcpy(&addr, a->in6.s6_addr + 12, sizeof(addr));
	*out = address_v4(addr);
	return true;
}

const char *address_family_name(int family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

/* Listings are long, and printf() is most of their time. */
static void put_dotted(char *p, const struct in_addr *addr)
{
	const uint8_t *octets = (const uint8_t *)addr;

	for (int i = 0; i < 4; i++) {
		unsigned int n = octets[i];

		if (n >= 100)
			*p++ = (char)('0' + n / 100);
		if (n >= 10)
			*p++ = (char)('0' + n / 10 % 10);
		*p++ = (char)('0' + n % 10);
		*p++ = i < 3 ? '.' : '\0';
	}
}

/* The longest run of groups of zero, of two at least; the first of several. */
static int zeroes(const uint16_t group[8], int *len)
{
	int at = -1;

	*len = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && !group[i + n])
			n++;
		if (n > *len) {
			*len = n;
			at = i;
		}
		i += n ? n - 1 : 0;
	}
	return at;
}

static char *put_group(char *p, unsigned int group)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 12;

	while (shift && !(group >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*p++ = digits[group >> shift & 15];
	return p;
}

/* RFC 5952. What has an address of IPv4 at its end is left to inet_ntop(3). */
static void put_colons(char *p, const struct in6_addr *addr)
{
	uint16_t group[8];
	int len, gap;

	for (int i = 0; i < 8; i++)
		group[i] = (uint16_t)(addr->s6_addr[2 * i] << 8 | addr->s6_addr[2 * i + 1]);
	gap = zeroes(group, &len);
	for (int i = 0; i < 8; i++) {
		if (i == gap) {
			*p++ = ':';
			i += len - 1;
			if (i == 7)
				*p++ = ':';
			continue;
		}
		if (i)
			*p++ = ':';
		p = put_group(p, group[i]);
	}
	*p = '\0';
}

static bool ends_with_four(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_V4MAPPED(addr) || IN6_IS_ADDR_V4COMPAT(addr);
}

const char *address_text(char buf[ADDRESS_TEXT_MAX], const struct masq_address *a)
{
	static const struct in_addr any;

	if (a->family == AF_INET6 && ends_with_four(&a->in6))
		inet_ntop(AF_INET6, &a->in6, buf, ADDRESS_TEXT_MAX);
	else if (a->family == AF_INET6)
		put_colons(buf, &a->in6);
	else
		put_dotted(buf, a->family == AF_INET ? &a->in : &any);
	return buf;
}

void address_numbers(const struct masq_address *a, uint64_t *first, uint64_t *last)
{
	*first = 0;
	*last = ntohl(a->in.s_addr);
	if (a->family != AF_INET6)
		return;
	memcpy(first, a->in6.s6_addr, sizeof(*first));
	memcpy(last, a->in6.s6_addr + sizeof(*first), sizeof(*last));
	*first = be64toh(*first);
	*last = be64toh(*last);
}
