// SPDX-License-Identifier: GPL-2.0-or-later
/* Text to numbers. strtoul() takes blanks, signs and "-18446744073709551615" as
 * 1, so: by hand. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "masq.h"

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool parse_digits(uint32_t *out, const char *s, unsigned int base, uint32_t min,
			 uint32_t max)
{
	uint64_t value = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned int digit = (unsigned int)digit_value(*s);

		if (digit >= base)
			return false;
		value = value * base + digit;
		if (value > max)
			return false;
	}
	if (value < min)
		return false;
	*out = (uint32_t)value;
	return true;
}

bool masq_parse_number(uint32_t *out, const char *s, uint32_t min, uint32_t max)
{
	return parse_digits(out, s, 10, min, max);
}

bool masq_parse_port(uint16_t *out, const char *s)
{
	uint32_t port;

	if (!parse_digits(&port, s, 10, 1, UINT16_MAX))
		return false;
	*out = (uint16_t)port;
	return true;
}

bool masq_parse_mark(uint32_t *out, const char *s)
{
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return parse_digits(out, s + 2, 16, 1, UINT32_MAX);
	return parse_digits(out, s, 10, 1, UINT32_MAX);
}

bool masq_parse_protocol(uint8_t *out, const char *s)
{
	static const struct {
		const char *text;
		uint8_t protocol;
	} names[] = {
		{"tcp", IPPROTO_TCP}, {"t", IPPROTO_TCP}, {"6", IPPROTO_TCP},
		{"udp", IPPROTO_UDP}, {"u", IPPROTO_UDP}, {"17", IPPROTO_UDP},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcasecmp(s, names[i].text)) {
			*out = names[i].protocol;
			return true;
		}
	}
	return false;
}

bool masq_parse_address(struct masq_address *out, const char *s)
{
	struct masq_address four = {.family = AF_INET}, six = {.family = AF_INET6};

	if (inet_pton(AF_INET, s, &four.in) == 1)
		*out = four;
	else if (inet_pton(AF_INET6, s, &six.in6) == 1)
		*out = six;
	else
		return false;
	return true;
}

const char *masq_protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case MASQ_TCP_UDP:
		return "tcp,udp";
	default:
		return "?";
	}
}
