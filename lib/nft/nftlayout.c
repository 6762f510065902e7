// SPDX-License-Identifier: GPL-2.0-or-later
/* Names, keys and comments: the translation between the model and what stands in the table. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "nftlayout.h"

/* nft's numbers for data types, six bits each in a concatenation (nftables, datatype.h). */
enum {
	TYPE_ADDR = 7,
	TYPE_PROTO = 12,
	TYPE_PORT = 13,
	TYPE_MARK = 19,
	TYPE_ADDR_PORT = TYPE_ADDR << 6 | TYPE_PORT,
	TYPE_PROTO_PORT = TYPE_PROTO << 6 | TYPE_PORT,
	TYPE_PROTO_ADDR_PORT = (TYPE_PROTO << 6 | TYPE_ADDR) << 6 | TYPE_PORT,
};
#define TYPE_VERDICT 0xffffff00u /* NFT_DATA_VERDICT */

#define KEY_EXACT                                                                                  \
	.key_text = "inet_proto . ipv4_addr . inet_service", .key_type = TYPE_PROTO_ADDR_PORT,     \
	.key_len = 12
#define KEY_ANY .key_text = "inet_proto . inet_service", .key_type = TYPE_PROTO_PORT, .key_len = 8
#define KEY_MARK .key_text = "mark", .key_type = TYPE_MARK, .key_len = 4, .key_order = 1
#define TO_ADDR_PORT                                                                               \
	.data_text = "ipv4_addr . inet_service", .data_type = TYPE_ADDR_PORT, .data_len = 8
#define TO_ADDR .data_text = "ipv4_addr", .data_type = TYPE_ADDR, .data_len = 4
#define TO_POOL .data_text = "verdict", .data_type = TYPE_VERDICT, .pool = true

const struct map_def map_defs[MAP_COUNT] = {
	[MAP_PORTFW] = {.name = "portfw",
			.comment = "forwards to one target",
			.module = MOD_PORTFW,
			KEY_EXACT,
			TO_ADDR_PORT},
	[MAP_PORTFW_POOLS] = {.name = "portfw_pools",
			      .comment = "forwards balanced over several targets",
			      .module = MOD_PORTFW,
			      KEY_EXACT,
			      TO_POOL},
	[MAP_PORTFW_ANY] = {.name = "portfw_any",
			    .comment = "forwards from any address of this machine",
			    .module = MOD_PORTFW,
			    KEY_ANY,
			    TO_ADDR_PORT},
	[MAP_PORTFW_ANY_POOLS] = {.name = "portfw_any_pools",
				  .comment = "the same, balanced over several targets",
				  .module = MOD_PORTFW,
				  KEY_ANY,
				  TO_POOL},
	[MAP_MFW] = {.name = "mfw",
		     .comment = "marks with one target",
		     .module = MOD_MFW,
		     KEY_MARK,
		     TO_ADDR_PORT},
	[MAP_MFW_KEEP] = {.name = "mfw_keep_port",
			  .comment = "the same, to the port the packet has",
			  .module = MOD_MFW,
			  KEY_MARK,
			  TO_ADDR},
	[MAP_MFW_POOLS] = {.name = "mfw_pools",
			   .comment = "marks balanced over several targets",
			   .module = MOD_MFW,
			   KEY_MARK,
			   TO_POOL},
};

enum map service_map(const struct service *s)
{
	bool one = s->n == 1;

	if (!s->n)
		return MAP_NONE;
	if (s->key.module == MOD_PORTFW && s->key.laddr)
		return one ? MAP_PORTFW : MAP_PORTFW_POOLS;
	if (s->key.module == MOD_PORTFW)
		return one ? MAP_PORTFW_ANY : MAP_PORTFW_ANY_POOLS;
	if (!one)
		return MAP_MFW_POOLS;
	return s->targets[0].port ? MAP_MFW : MAP_MFW_KEEP;
}

bool map_takes(enum map map, const struct key *key)
{
	if (map == MAP_NONE || map_defs[map].module != key->module)
		return false;
	if (key->module == MOD_MFW)
		return true;
	return (map_defs[map].key_len == 12) == (key->laddr != 0);
}

void map_key(uint8_t out[MAP_KEY_MAX], enum map map, const struct key *key)
{
	size_t at = map_defs[map].key_len - 4u;

	memset(out, 0, MAP_KEY_MAX);
	if (map_defs[map].module == MOD_MFW) {
		memcpy(out, &key->mark, 4);
		return;
	}
	out[0] = key->protocol;
	if (at == 8)
		memcpy(out + 4, &key->laddr, 4);
	memcpy(out + at, &key->lport, 2);
}

void map_key_parse(struct key *out, enum map map, const uint8_t in[MAP_KEY_MAX])
{
	size_t at = map_defs[map].key_len - 4u;

	*out = (struct key){.module = (uint8_t)map_defs[map].module};
	if (out->module == MOD_MFW) {
		memcpy(&out->mark, in, 4);
		return;
	}
	out->protocol = in[0];
	if (at == 8)
		memcpy(&out->laddr, in + 4, 4);
	memcpy(&out->lport, in + at, 2);
}

void map_key_text(char out[MAP_KEY_TEXT_MAX], enum map map, const struct key *key)
{
	char addr[INET_ADDRSTRLEN];
	const char *protocol = masq_protocol_name(key->protocol);

	inet_ntop(AF_INET, &key->laddr, addr, sizeof(addr));
	if (map_defs[map].module == MOD_MFW)
		snprintf(out, MAP_KEY_TEXT_MAX, "0x%08x", key->mark);
	else if (map_defs[map].key_len == 12)
		snprintf(out, MAP_KEY_TEXT_MAX, "%s . %s . %u", protocol, addr, ntohs(key->lport));
	else
		snprintf(out, MAP_KEY_TEXT_MAX, "%s . %u", protocol, ntohs(key->lport));
}

void chain_name(char out[CHAIN_NAME_MAX], const struct key *key)
{
	char addr[INET_ADDRSTRLEN] = "any";

	if (key->laddr)
		inet_ntop(AF_INET, &key->laddr, addr, sizeof(addr));
	if (key->module == MOD_MFW)
		snprintf(out, CHAIN_NAME_MAX, "mark-%u", key->mark);
	else
		snprintf(out, CHAIN_NAME_MAX, "%s-%s-%u", masq_protocol_name(key->protocol), addr,
			 ntohs(key->lport));
}

bool chain_name_parse(struct key *out, const char *name)
{
	char addr[INET_ADDRSTRLEN] = "", again[CHAIN_NAME_MAX];
	unsigned int port = 0;

	*out = (struct key){.module = MOD_PORTFW};
	if (sscanf(name, "mark-%u", &out->mark) == 1)
		out->module = MOD_MFW;
	else if (sscanf(name, "tcp-%15[^-]-%u", addr, &port) == 2)
		out->protocol = IPPROTO_TCP;
	else if (sscanf(name, "udp-%15[^-]-%u", addr, &port) == 2)
		out->protocol = IPPROTO_UDP;
	else
		return false;
	out->lport = htons((uint16_t)port);
	if (out->module == MOD_PORTFW && strcmp(addr, "any") != 0 &&
	    inet_pton(AF_INET, addr, &out->laddr) != 1)
		return false;
	chain_name(again, out);
	return !strcmp(again, name);
}

void facts_text(char out[COMMENT_MAX], const struct facts *f)
{
	size_t n = 0;

#define PUT(...) (n += (size_t)snprintf(out + n, COMMENT_MAX - n, __VA_ARGS__))
	out[0] = 0;
	if (f->position)
		PUT("target %u ", f->position);
	if (f->has_pref && (f->pref != PREF_DEFAULT || f->left != f->pref))
		PUT("pref %u ", f->pref);
	if (f->has_pref && f->left != f->pref)
		PUT("left %u ", f->left);
	if (f->served)
		PUT("served %llu ", (unsigned long long)f->served);
	if (f->seq)
		PUT("seq %u.%u ", (uint32_t)(f->seq >> 32), (uint32_t)f->seq);
#undef PUT
	if (n)
		out[n - 1] = 0;
}

/* A decimal number at *p, which moves behind it; saturates. */
static uint64_t number(const char **p, const char *end)
{
	uint64_t n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; ++*p)
		n = n > UINT64_MAX / 10 - 1 ? UINT64_MAX : n * 10 + (uint64_t)(**p - '0');
	return n;
}

static uint32_t number32(const char **p, const char *end)
{
	uint64_t n = number(p, end);

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* Whether the text at *p is this word and a blank; if so *p moves behind them. A macro, so that
 * lengths are constants: a listing asks some hundred thousand times. */
#define WORD(p, end, w)                                                                            \
	((size_t)((end) - *(p)) >= sizeof(w " ") - 1 && !memcmp(*(p), w " ", sizeof(w " ") - 1) && \
	 (*(p) += sizeof(w " ") - 1))

static bool at_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

void facts_parse(struct facts *out, const char *text, size_t len)
{
	const char *p = text, *end = text + strnlen(text, len);
	bool has_left = false;

	*out = (struct facts){.pref = PREF_DEFAULT};
	while (p < end) {
		if (WORD(&p, end, "target") && at_digit(p, end)) {
			out->position = number32(&p, end);
		} else if (WORD(&p, end, "pref") && at_digit(p, end)) {
			out->pref = number32(&p, end);
			out->has_pref = true;
		} else if (WORD(&p, end, "left") && at_digit(p, end)) {
			out->left = number32(&p, end);
			has_left = true;
		} else if (WORD(&p, end, "served") && at_digit(p, end)) {
			out->served = number(&p, end);
		} else if (WORD(&p, end, "seq")) {
			out->seq = (uint64_t)number32(&p, end) << 32;
			if (p < end && *p == '.') {
				p++;
				out->seq |= number32(&p, end);
			}
		}
		while (p < end && *p++ != ' ')
			;
	}
	if (out->pref > INT32_MAX)
		out->pref = INT32_MAX;
	if (!has_left || out->left > out->pref || !out->left)
		out->left = out->pref;
}

struct facts facts_of_target(const struct service *s, size_t i)
{
	const struct target *t = &s->targets[i];

	return (struct facts){
		.position = (uint32_t)i + 1,
		.pref = t->pref,
		.has_pref = true,
		.left = t->left,
		.served = t->served,
	};
}

struct facts facts_of_service(const struct service *s)
{
	struct facts f = {0};

	if (s->n == 1) {
		f = facts_of_target(s, 0);
		f.position = 0;
	}
	if (s->key.module == MOD_PORTFW) /* marks have an order of their own */
		f.seq = s->born;
	return f;
}
