// SPDX-License-Identifier: GPL-2.0-or-later
/* An autofw entry as text: the comment of its rules says what it is, in the words of its options.
 */
#include <arpa/inet.h>
#include <string.h>

#include "nftlayout.h"

bool entry_triggered(const struct ip_autofw_user *user)
{
	return user->type == IP_FWD_RANGE && user->ctlport;
}

void entry_text(char out[COMMENT_MAX], const struct ip_autofw_user *user)
{
	const char *protocol = masq_protocol_name((uint8_t)user->protocol);
	char host[INET_ADDRSTRLEN];
	size_t n = 0;

#define PUT(...) (n += (size_t)snprintf(out + n, COMMENT_MAX - n, __VA_ARGS__))
	inet_ntop(AF_INET, &user->where, host, sizeof(host));
	if (user->type == IP_FWD_PORT)
		PUT("-p %s %u %s:%u", protocol, user->visible, host, user->hidden);
	else
		PUT("-%c %s %u %u", user->type == IP_FWD_RANGE ? 'r' : 'd', protocol, user->low,
		    user->high);
	if (user->type != IP_FWD_PORT && user->where)
		PUT(" -h %s", host);
	if (user->ctlport)
		PUT(" -c %s %u", masq_protocol_name((uint8_t)user->ctlproto), user->ctlport);
	if (!(user->flags & IP_AUTOFW_USETIME))
		PUT(" -u");
	if (user->ctlport && !(user->flags & IP_AUTOFW_SECURE))
		PUT(" -i");
#undef PUT
}

static bool parse_protocol(uint16_t *out, const char *s)
{
	uint8_t protocol;

	if (!masq_parse_protocol(&protocol, s))
		return false;
	*out = protocol;
	return true;
}

/* PROTO LOW HIGH, PROTO VISIBLE HOST:HIDDEN, PROTO PORT, HOST: by the option's letter. */
static bool parse_option(struct ip_autofw_user *u, char option, char *const word[3], size_t n)
{
	struct in_addr host;
	char *colon;

	switch (option) {
	case 'r':
	case 'd':
		u->type = option == 'r' ? IP_FWD_RANGE : IP_FWD_DIRECT;
		return n == 3 && parse_protocol(&u->protocol, word[0]) &&
		       masq_parse_port(&u->low, word[1]) && masq_parse_port(&u->high, word[2]);
	case 'p':
		colon = n == 3 ? strchr(word[2], ':') : NULL;
		if (!colon)
			return false;
		*colon = 0;
		u->type = IP_FWD_PORT;
		if (!masq_parse_address(&host, word[2]))
			return false;
		u->where = host.s_addr;
		return parse_protocol(&u->protocol, word[0]) &&
		       masq_parse_port(&u->visible, word[1]) &&
		       masq_parse_port(&u->hidden, colon + 1);
	case 'c':
		u->flags |= IP_AUTOFW_SECURE;
		return n == 2 && parse_protocol(&u->ctlproto, word[0]) &&
		       masq_parse_port(&u->ctlport, word[1]);
	case 'h':
		if (n != 1 || !masq_parse_address(&host, word[0]))
			return false;
		u->where = host.s_addr;
		return true;
	case 'u':
		u->flags &= (uint16_t)~IP_AUTOFW_USETIME;
		return !n;
	case 'i':
		u->flags &= (uint16_t)~IP_AUTOFW_SECURE;
		return !n;
	default:
		return false;
	}
}

bool entry_parse(struct ip_autofw_user *out, const char *text, size_t len)
{
	char copy[COMMENT_MAX], *save = NULL, *word;
	char *operand[3] = {NULL, NULL, NULL};
	char option = 0;
	size_t n = 0;

	*out = (struct ip_autofw_user){.flags = IP_AUTOFW_USETIME};
	len = strnlen(text, len);
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (word[0] == '-' && word[1] && !word[2]) {
			if (option && !parse_option(out, option, operand, n))
				return false;
			option = word[1];
			n = 0;
		} else if (!option || n == 3) {
			return false;
		} else {
			operand[n++] = word;
		}
	}
	return option && parse_option(out, option, operand, n) && out->type;
}

void contact_name(char out[CHAIN_NAME_MAX], const struct ip_autofw_user *user)
{
	snprintf(out, CHAIN_NAME_MAX, "%s-%u-%u-by-%s-%u",
		 masq_protocol_name((uint8_t)user->protocol), user->low, user->high,
		 masq_protocol_name((uint8_t)user->ctlproto), user->ctlport);
}
