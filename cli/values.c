// SPDX-License-Identifier: GPL-2.0-or-later
/* Operands to values, and what to say of those that are none. */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "cli.h"

bool args_is_address_port(struct request *req, const char *word, uint32_t slash_from)
{
	int host = (int)strcspn(word, ":/");
	const char *port = word + host + 1;
	uint32_t number;

	if (!host || !word[host] ||
	    !masq_parse_number(&number, port, word[host] == '/' ? slash_from : 0, UINT16_MAX))
		return false;
	args_fail(req, "%s: address and port are two words, %.*s %s", word, host, word, port);
	return true;
}

/* Whether word has most of a name's letters, as upd and tcpp have. */
static bool is_near(const char *word, const char *name)
{
	size_t len = strlen(word), common = 0;

	for (const char *p = name; *p; p++)
		common += strchr(word, *p) || strchr(word, toupper((unsigned char)*p));
	return common >= 2 && common + 1 >= len;
}

int args_protocol(struct request *req, uint8_t *out, const char *word)
{
	if (masq_parse_protocol(out, word))
		return 0;
	if (is_near(word, "udp") || is_near(word, "tcp"))
		return args_fail(req, "protocol \"%s\": did you mean %s?", word,
				 is_near(word, "udp") ? "udp" : "tcp");
	return args_fail(req, "protocol \"%s\": give tcp or udp, nothing else is forwarded", word);
}

int args_address(struct request *req, uint32_t *out, const char *word)
{
	struct in_addr addr;
	int err;

	if (masq_parse_address(&addr, word)) {
		*out = addr.s_addr;
		return 0;
	}
	if (args_is_address_port(req, word, 33))
		return 2;
	if (strchr(word, '/'))
		return args_fail(req, "%s: a single address is meant, without a netmask: %.*s",
				 word, (int)strcspn(word, "/"), word);
	if (strspn(word, "0123456789.") == strlen(word))
		return args_fail(req,
				 "\"%s\" is no address: give four numbers from 0 to 255 with dots",
				 word);
	if (req->numeric)
		return args_fail(req, "host %s: -n allows no look-ups, give its address", word);
	err = masq_host_address(&addr, word);
	if (err)
		return args_fail(req, "host %s: %s", word,
				 err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
	*out = addr.s_addr;
	return 0;
}

int args_port(struct request *req, uint16_t *out, const char *word, uint8_t protocol)
{
	if (masq_parse_port(out, word))
		return 0;
	if (strspn(word, "0123456789") == strlen(word))
		return args_fail(req, "port \"%s\": give one from 1 to 65535", word);
	if (req->numeric)
		return args_fail(
			req, "port \"%s\": -n allows no look-ups, give a number from 1 to 65535",
			word);
	if (masq_service_port(out, word, protocol))
		return 0;
	return args_fail(req, "port \"%s\": neither a number from 1 to 65535 nor a %s service",
			 word, masq_protocol_name(protocol));
}

int args_pref(struct request *req, int32_t *out, const char *word, uint32_t min)
{
	uint32_t pref;

	if (!masq_parse_number(&pref, word, min, INT32_MAX))
		return args_fail(req, "pref \"%s\": give a whole number from %u to 2147483647",
				 word, min);
	*out = (int32_t)pref;
	return 0;
}
