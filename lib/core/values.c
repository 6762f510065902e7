// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "values.h"

bool value_split(const char *word, const char **host, size_t *len, const char **port)
{
	const char *end;

	if (*word == '[') {
		*host = word + 1;
		end = strchr(word, ']');
		if (!end || end[1] != ':')
			return false;
		*port = end + 2;
	} else {
		*host = word;
		end = strchr(word, ':');
		if (!end || strchr(end + 1, ':'))
			return false;
		*port = end + 1;
	}
	*len = (size_t)(end - *host);
	return *len && **port;
}

/* The same with a slash instead of a colon, which IPv6 has for prefixes
 * alone. */
static bool split_at_slash(const char *word, const char **host, size_t *len, const char **port)
{
	*host = word;
	*len = strcspn(word, ":/");
	*port = word + *len + 1;
	return *len && word[*len] == '/';
}

bool value_is_address_port(struct error *e, const char *word, uint32_t slash_from)
{
	const char *host, *port;
	uint32_t number, min = 0;
	size_t len;

	if (!value_split(word, &host, &len, &port)) {
		if (!split_at_slash(word, &host, &len, &port))
			return false;
		min = slash_from;
	}
	if (!masq_parse_number(&number, port, min, UINT16_MAX))
		return false;
	fail(e, EINVAL, "%s: address and port are two words, %.*s %s", word, (int)len, host, port);
	return true;
}

/* Misspellings seen in published scripts and threads. */
static const char *protocol_meant(const char *word)
{
	static const char *const seen[][2] = {
		{"upd", "udp"},  {"dup", "udp"}, {"udpp", "udp"}, {"ud", "udp"},
		{"up", "udp"},   {"dp", "udp"},  {"tpc", "tcp"},  {"ctp", "tcp"},
		{"tcpp", "tcp"}, {"tc", "tcp"},  {"tp", "tcp"},   {"tcpip", "tcp"},
	};

	for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++)
		if (!strcasecmp(word, seen[i][0]))
			return seen[i][1];
	return NULL;
}

int value_protocol(struct error *e, uint8_t *out, const char *word)
{
	const char *meant;

	if (masq_parse_protocol(out, word))
		return 0;
	meant = protocol_meant(word);
	if (meant)
		return fail(e, EINVAL, "protocol \"%s\": did you mean %s?", word, meant);
	return fail(e, EINVAL, "protocol \"%s\": give tcp or udp, nothing else is forwarded", word);
}

int value_protocols(struct error *e, uint8_t *out, const char *word)
{
	const char *comma = strchr(word, ',');
	size_t len = comma ? (size_t)(comma - word) : 0;
	uint8_t first, second;
	char name[8];

	if (!comma)
		return value_protocol(e, out, word);
	if (len < sizeof(name)) {
		memcpy(name, word, len);
		name[len] = '\0';
		if (masq_parse_protocol(&first, name) && masq_parse_protocol(&second, comma + 1) &&
		    first != second) {
			*out = MASQ_TCP_UDP;
			return 0;
		}
	}
	return fail(e, EINVAL, "protocol \"%s\": both together are tcp,udp", word);
}

/* Of an address in numbers; AF_UNSPEC: it is none, or there is no word. */
static int family_of(const char *word)
{
	struct masq_address a = {.family = AF_UNSPEC};

	if (word)
		masq_parse_address(&a, word);
	return a.family;
}

/* Whether it can only be meant as an address of IPv6. */
static bool is_six(const char *word)
{
	const char *colon = strchr(word, ':');

	return colon && strchr(colon + 1, ':');
}

/* An address that is none; says what is wrong with it. */
static int fail_address(struct error *e, const char *word)
{
	size_t len = strcspn(word, "/%");

	if (*word == '[' && word[strlen(word) - 1] == ']')
		return fail(e, EINVAL, "%s: an address stands without brackets: %.*s", word,
			    (int)strlen(word) - 2, word + 1);
	if (word[len] == '%')
		return fail(e, EINVAL,
			    "%s: a forward has no scope: give a global or a unique local address",
			    word);
	if (word[len] == '/')
		return fail(e, EINVAL, "%s: a single address is meant, without a netmask: %.*s",
			    word, (int)len, word);
	if (is_six(word))
		return fail(e, EINVAL,
			    "\"%s\" is no address: give up to eight hexadecimal numbers with "
			    "colons, such as 2001:db8::1",
			    word);
	return fail(e, EINVAL, "\"%s\" is no address: give four numbers from 0 to 255 with dots",
		    word);
}

/* Whether it is meant as a name, not as an address. */
static bool is_name(const char *word)
{
	return !strpbrk(word, "/%[") && !is_six(word) &&
	       strspn(word, "0123456789.") != strlen(word);
}

int value_address(struct error *e, const struct lookup *l, struct masq_address *out,
		  const char *word, int family)
{
	const char *why;

	if (masq_parse_address(out, word))
		return 0;
	if (value_is_address_port(e, word, 33))
		return -EINVAL;
	if (*word == '@')
		return fail(e, EINVAL, "%s: an interface is no host: give a host's address", word);
	if (!is_name(word))
		return fail_address(e, word);
	if (!l)
		return fail(e, EINVAL, "host %s: -n allows no look-ups, give its address", word);
	why = l->host(out, word, family);
	return why ? fail(e, EINVAL, "host %s: %s", word, why) : 0;
}

int value_check_interface(struct error *e, const char *name)
{
	static const char possible[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	struct masq_address address;
	const char *host, *port;
	size_t len;

	if (masq_parse_address(&address, name))
		return fail(e, EINVAL, "@%s: an address stands without @", name);
	if (value_split(name, &host, &len, &port))
		return fail(e, EINVAL,
			    "@%s: interface and port are two words, @%.*s %s, and instead of the "
			    "label of an address give that address",
			    name, (int)len, host, port);
	if (!*name)
		return fail(e, EINVAL, "\"@\": the name of an interface is missing, as in @ppp0");
	if (strlen(name) >= MASQ_INTERFACE_MAX)
		return fail(e, EINVAL, "@%s: the name of an interface has at most %d characters",
			    name, MASQ_INTERFACE_MAX - 1);
	if (strspn(name, possible) != strlen(name) || !strcmp(name, ".") || !strcmp(name, ".."))
		return fail(e, EINVAL,
			    "@%s: forwards can be on interfaces whose names have letters, digits, "
			    "'.', '_' and '-' alone",
			    name);
	return 0;
}

int value_local(struct error *e, const struct lookup *l, struct masq_address *out,
		char interface[MASQ_INTERFACE_MAX], const char *word, const char *other)
{
	bool by_sign = *word == '@';
	const char *name = by_sign ? word + 1 : word;
	struct error why, unused;
	int err;

	if (masq_parse_address(out, word))
		return 0;
	if (by_sign || (l && l->interface && l->interface(word))) {
		err = value_check_interface(e, name);
		if (!err)
			memcpy(interface, name, strlen(name) + 1);
		return err;
	}
	err = value_address(e, l, out, word, family_of(other));
	if (!err || !is_name(word) || value_check_interface(&unused, word))
		return err;
	why = *e;
	if (!l)
		return fail(e, EINVAL, "%s, or for an interface write @%s", why.text, word);
	return fail(e, EINVAL,
		    "%s; nor is %s an interface: write @%s for one that does not exist yet",
		    why.text, word, word);
}

/* A service of both protocols has one port; one that only one of them has, has
 * that. */
static int look_up_both(struct error *e, const struct lookup *l, uint16_t *out, const char *word)
{
	uint16_t tcp = 0, udp = 0;
	bool is_tcp = l->service(&tcp, word, IPPROTO_TCP);
	bool is_udp = l->service(&udp, word, IPPROTO_UDP);

	if (!is_tcp && !is_udp)
		return fail(e, EINVAL,
			    "port \"%s\": neither a number from 1 to 65535 nor a service of tcp or "
			    "udp",
			    word);
	if (is_tcp && is_udp && tcp != udp)
		return fail(e, EINVAL, "port \"%s\" is %u of tcp and %u of udp: give a number",
			    word, tcp, udp);
	*out = is_tcp ? tcp : udp;
	return 0;
}

int value_port(struct error *e, const struct lookup *l, uint16_t *out, const char *word,
	       uint8_t protocol)
{
	if (masq_parse_port(out, word))
		return 0;
	if (strspn(word, "0123456789") == strlen(word))
		return fail(e, EINVAL, "port \"%s\": give one from 1 to 65535", word);
	if (!l)
		return fail(e, EINVAL,
			    "port \"%s\": -n allows no look-ups, give a number from 1 to 65535",
			    word);
	if (protocol == MASQ_TCP_UDP)
		return look_up_both(e, l, out, word);
	if (l->service(out, word, protocol))
		return 0;
	return fail(e, EINVAL, "port \"%s\": neither a number from 1 to 65535 nor a %s service",
		    word, masq_protocol_name(protocol));
}

/* "80-90"; false: not two ports. */
static bool parse_range(struct masq_ports *out, const char *word)
{
	size_t len = strcspn(word, "-");
	char first[16];

	if (len >= sizeof(first) || !word[len])
		return false;
	memcpy(first, word, len);
	first[len] = '\0';
	return masq_parse_port(&out->first, first) && masq_parse_port(&out->last, word + len + 1);
}

int value_ports(struct error *e, const struct lookup *l, struct masq_ports *out, const char *word,
		uint8_t protocol)
{
	bool hyphen;

	if (masq_parse_port(&out->first, word)) {
		out->last = out->first;
		return 0;
	}
	hyphen = strchr(word, '-');
	if (!hyphen || strspn(word, "0123456789-") != strlen(word)) {
		int err = value_port(e, l, &out->first, word, protocol);

		out->last = out->first;
		return !err || !l || !hyphen
			       ? err
			       : fail(e, EINVAL,
				      "port \"%s\": neither a %s service nor a range of two ports "
				      "from 1 to 65535, such as 8000-8100",
				      word, masq_protocol_name(protocol));
	}
	if (!parse_range(out, word))
		return fail(e, EINVAL,
			    "ports \"%s\": a range is two ports from 1 to 65535, such as 8000-8100",
			    word);
	if (out->first > out->last)
		return fail(e, EINVAL, "ports \"%s\": the lower one comes first: %u-%u", word,
			    out->last, out->first);
	return 0;
}

int value_pref(struct error *e, int32_t *out, const char *word)
{
	uint32_t pref;

	if (!masq_parse_number(&pref, word, 0, INT32_MAX))
		return fail(e, EINVAL, "pref \"%s\": give a whole number from 0 to 2147483647",
			    word);
	*out = (int32_t)pref;
	return 0;
}

int value_mark(struct error *e, uint32_t *out, const char *word)
{
	if (masq_parse_mark(out, word))
		return 0;
	return fail(e, EINVAL, "mark \"%s\": give one from 1 to 4294967295, or 0x and hexadecimal",
		    word);
}
