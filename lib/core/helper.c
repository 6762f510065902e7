// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "helper.h"
#include "text.h"

static const struct {
	const char *name;
	bool tcp, udp;
} defs[HELPER_COUNT] = {
	[HELPER_NONE] = {"", false, false},    [HELPER_FTP] = {"ftp", true, false},
	[HELPER_TFTP] = {"tftp", false, true}, [HELPER_IRC] = {"irc", true, false},
	[HELPER_SIP] = {"sip", true, true},    [HELPER_PPTP] = {"pptp", true, false},
	[HELPER_H323] = {"h323", true, true},
};

const char *helper_name(enum helper helper)
{
	return defs[helper].name;
}

enum helper helper_find(const char *name)
{
	for (enum helper h = HELPER_NONE + 1; h < HELPER_COUNT; h++)
		if (!strcmp(name, defs[h].name))
			return h;
	return HELPER_NONE;
}

static bool is_for(enum helper h, uint8_t protocol)
{
	if (protocol == MASQ_TCP_UDP)
		return defs[h].tcp && defs[h].udp;
	return protocol == IPPROTO_TCP ? defs[h].tcp : defs[h].udp;
}

/* "ftp, irc, sip": those for a protocol, or all (0). */
static const char *list(char buf[80], uint8_t protocol)
{
	struct text t;

	text_start(&t, buf, 80);
	for (enum helper h = HELPER_NONE + 1; h < HELPER_COUNT; h++) {
		if (protocol && !is_for(h, protocol))
			continue;
		text_join(&t, *buf ? ", " : "");
		text_join(&t, defs[h].name);
	}
	return buf;
}

int helper_check(struct error *e, const char *name, uint8_t protocol)
{
	enum helper h = helper_find(name);
	char buf[80];

	if (h == HELPER_NONE)
		return fail(e, EINVAL, "helper \"%.32s\": give one of %s", name, list(buf, 0));
	if (is_for(h, protocol))
		return 0;
	return fail(e, EINVAL, "helper %s is for %s; those for %s are %s", name,
		    defs[h].tcp ? "tcp" : "udp", masq_protocol_name(protocol), list(buf, protocol));
}
