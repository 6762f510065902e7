// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "schema.h"

enum { ORIGINAL, REPLY }; /* enum ip_conntrack_dir, which user space headers keep to themselves */

#define IPV4_TYPE .type_text = "ipv4_addr", .type = 7, .len = 4, .order = ORDER_NETWORK
#define IPV6_TYPE .type_text = "ipv6_addr", .type = 8, .len = 16, .order = ORDER_NETWORK
#define PORT_TYPE .type_text = "inet_service", .type = 13, .len = 2, .order = ORDER_NETWORK
#define NAME_TYPE                                                                                  \
	.type_text = "ifname", .type = 41, .len = 16, .order = ORDER_HOST, .loader = LOAD_META
#define ANY_DIRECTION .direction = -1

/* Offsets: RFC 793, 768. */
static const struct field_def common[FIELD_COUNT] = {
	[FIELD_PROTOCOL] = {"meta l4proto", "inet_proto", 12, 1, ORDER_HOST, LOAD_META,
			    NFT_META_L4PROTO, -1},
	[FIELD_PORT] = {"th dport", PORT_TYPE, .loader = LOAD_TRANSPORT, .what = 2},
	[FIELD_MARK] = {"meta mark", "mark", 19, 4, ORDER_HOST, LOAD_META, NFT_META_MARK, -1},
	[FIELD_ETHER_TYPE] = {"meta protocol", "ether_type", 10, 2, ORDER_NETWORK, LOAD_META,
			      NFT_META_PROTOCOL, -1},
	[FIELD_CT_STATUS] = {"ct status", .len = 4, .loader = LOAD_CT, .what = NFT_CT_STATUS,
			     ANY_DIRECTION},
	[FIELD_CT_LABEL] = {"ct label", .len = 16, .loader = LOAD_CT, .what = NFT_CT_LABELS,
			    ANY_DIRECTION},
	[FIELD_CT_STATE] = {"ct state", .len = 4, .loader = LOAD_CT, .what = NFT_CT_STATE,
			    ANY_DIRECTION},
	[FIELD_CT_SERVER_PORT] = {"ct reply proto-src", PORT_TYPE, .loader = LOAD_CT,
				  .what = NFT_CT_PROTO_SRC, .direction = REPLY},
	[FIELD_ADDRESS_TYPE] = {"fib daddr type", .len = 4, .loader = LOAD_FIB,
				.what = NFTA_FIB_F_DADDR},
	[FIELD_ADDRESS_TYPE_IN] = {"fib daddr . iif type", .len = 4, .loader = LOAD_FIB,
				   .what = NFTA_FIB_F_DADDR | NFTA_FIB_F_IIF},
	[FIELD_SOURCE_TYPE] = {"fib saddr type", .len = 4, .loader = LOAD_FIB,
			       .what = NFTA_FIB_F_SADDR},
	[FIELD_SOURCE_TYPE_OUT] = {"fib saddr . oif type", .len = 4, .loader = LOAD_FIB,
				   .what = NFTA_FIB_F_SADDR | NFTA_FIB_F_OIF},
	[FIELD_IN] = {"iif", .len = 4, .loader = LOAD_META, .what = NFT_META_IIF},
	[FIELD_OUT] = {"oif", .len = 4, .loader = LOAD_META, .what = NFT_META_OIF},
	[FIELD_IN_NAME] = {"iifname", NAME_TYPE, .what = NFT_META_IIFNAME},
	[FIELD_OUT_NAME] = {"oifname", NAME_TYPE, .what = NFT_META_OIFNAME},
	[FIELD_TCP_FLAGS] = {"tcp flags", .len = 1, .loader = LOAD_TRANSPORT, .what = 13},
	[FIELD_TARGET_PORT] = {"", PORT_TYPE},
	[FIELD_VERDICT] = {"", .type_text = "verdict", .type = NFT_DATA_VERDICT},
};

/* Offsets: RFC 791, 8200. */
static const struct field_def addresses[FAMILY_COUNT][FIELD_COUNT] = {
	[FAMILY_IPV4] =
		{
			[FIELD_LOCAL] = {"ip daddr", IPV4_TYPE, .loader = LOAD_NETWORK, .what = 16},
			[FIELD_SOURCE] = {"ip saddr", IPV4_TYPE, .loader = LOAD_NETWORK,
					  .what = 12},
			[FIELD_CT_CLIENT] = {"ct original ip saddr", IPV4_TYPE, .loader = LOAD_CT,
					     .what = NFT_CT_SRC_IP, .direction = ORIGINAL},
			[FIELD_CT_SERVER] = {"ct reply ip saddr", IPV4_TYPE, .loader = LOAD_CT,
					     .what = NFT_CT_SRC_IP, .direction = REPLY},
			[FIELD_TARGET] = {"", IPV4_TYPE},
			[FIELD_NETWORK] = {"ip daddr", .len = 1, .loader = LOAD_NETWORK,
					   .what = 16},
		},
	[FAMILY_IPV6] =
		{
			[FIELD_LOCAL] = {"ip6 daddr", IPV6_TYPE, .loader = LOAD_NETWORK,
					 .what = 24},
			[FIELD_SOURCE] = {"ip6 saddr", IPV6_TYPE, .loader = LOAD_NETWORK,
					  .what = 8},
			[FIELD_CT_CLIENT] = {"ct original ip6 saddr", IPV6_TYPE, .loader = LOAD_CT,
					     .what = NFT_CT_SRC_IP6, .direction = ORIGINAL},
			[FIELD_CT_SERVER] = {"ct reply ip6 saddr", IPV6_TYPE, .loader = LOAD_CT,
					     .what = NFT_CT_SRC_IP6, .direction = REPLY},
			[FIELD_TARGET] = {"", IPV6_TYPE},
			[FIELD_NETWORK] = {"ip6 daddr", .len = 2, .order = ORDER_NETWORK,
					   .loader = LOAD_NETWORK, .what = 24},
		},
};

const struct field_def *field_def(enum family f, enum field field)
{
	const struct field_def *address = &addresses[f][field];

	return address->text ? address : &common[field];
}

uint32_t field_registers(enum family f, enum field field)
{
	return (field_def(f, field)->len + 3u) / 4;
}

static size_t count(const struct parts *p)
{
	size_t n = 0;

	while (p->field[n] != FIELD_NONE)
		n++;
	return n;
}

uint32_t parts_registers(enum family f, const struct parts *p)
{
	uint32_t n = 0;

	for (const enum field *field = p->field; *field != FIELD_NONE; field++)
		n += field_registers(f, *field);
	return n;
}

uint32_t parts_len(enum family f, const struct parts *p)
{
	return count(p) == 1 ? field_def(f, p->field[0])->len : parts_registers(f, p) * 4;
}

/* Six bits for each part of a concatenation. */
uint32_t parts_type(enum family f, const struct parts *p)
{
	uint32_t type = 0;

	for (const enum field *field = p->field; *field != FIELD_NONE; field++)
		type = type << 6 | field_def(f, *field)->type;
	return type;
}

uint32_t parts_order(enum family f, const struct parts *p)
{
	return count(p) == 1 ? field_def(f, p->field[0])->order : 0;
}

#define KEY_EXACT                                                                                  \
	{                                                                                          \
		{                                                                                  \
			FIELD_PROTOCOL, FIELD_LOCAL, FIELD_PORT                                    \
		}                                                                                  \
	}
#define KEY_ANY                                                                                    \
	{                                                                                          \
		{                                                                                  \
			FIELD_PROTOCOL, FIELD_PORT                                                 \
		}                                                                                  \
	}
#define KEY_MARK                                                                                   \
	{                                                                                          \
		{                                                                                  \
			FIELD_MARK                                                                 \
		}                                                                                  \
	}
#define TO_ADDRESS_PORT                                                                            \
	{                                                                                          \
		{                                                                                  \
			FIELD_TARGET, FIELD_TARGET_PORT                                            \
		}                                                                                  \
	}
#define TO_ADDRESS                                                                                 \
	{                                                                                          \
		{                                                                                  \
			FIELD_TARGET                                                               \
		}                                                                                  \
	}
#define TO_POOL                                                                                    \
	{                                                                                          \
		{                                                                                  \
			FIELD_VERDICT                                                              \
		}                                                                                  \
	}

const struct map_def map_defs[MAP_COUNT] = {
	[MAP_PORTFW] = {.name = "portfw",
			.comment = "forwards to one target",
			.kind = MASQ_PORTFW,
			.key = KEY_EXACT,
			.data = TO_ADDRESS_PORT},
	[MAP_PORTFW_POOLS] = {.name = "portfw_pools",
			      .comment = "forwards balanced over several targets",
			      .kind = MASQ_PORTFW,
			      .key = KEY_EXACT,
			      .data = TO_POOL,
			      .pool = true},
	[MAP_PORTFW_ANY] = {.name = "portfw_any",
			    .comment = "forwards from any address of this machine",
			    .kind = MASQ_PORTFW,
			    .key = KEY_ANY,
			    .data = TO_ADDRESS_PORT,
			    .any = true},
	[MAP_PORTFW_ANY_POOLS] = {.name = "portfw_any_pools",
				  .comment = "the same, balanced over several targets",
				  .kind = MASQ_PORTFW,
				  .key = KEY_ANY,
				  .data = TO_POOL,
				  .pool = true,
				  .any = true},
	[MAP_MFW] = {.name = "mfw",
		     .comment = "marks with one target",
		     .kind = MASQ_MFW,
		     .key = KEY_MARK,
		     .data = TO_ADDRESS_PORT},
	[MAP_MFW_KEEP] = {.name = "mfw_keep_port",
			  .comment = "the same, to the port the packet has",
			  .kind = MASQ_MFW,
			  .key = KEY_MARK,
			  .data = TO_ADDRESS},
	[MAP_MFW_POOLS] = {.name = "mfw_pools",
			   .comment = "marks balanced over several targets",
			   .kind = MASQ_MFW,
			   .key = KEY_MARK,
			   .data = TO_POOL,
			   .pool = true},
	[MAP_PORTFW_AT] = {.name = "portfw-",
			   .comment = "forwards from an interface's addresses",
			   .kind = MASQ_PORTFW,
			   .key = KEY_ANY,
			   .data = TO_ADDRESS_PORT,
			   .at = true},
	[MAP_PORTFW_AT_POOLS] = {.name = "portfw_pools-",
				 .comment = "the same, balanced over several targets",
				 .kind = MASQ_PORTFW,
				 .key = KEY_ANY,
				 .data = TO_POOL,
				 .pool = true,
				 .at = true},
};

static bool has_field(const struct parts *p, enum field field)
{
	for (const enum field *f = p->field; *f != FIELD_NONE; f++)
		if (*f == field)
			return true;
	return false;
}

bool map_takes(enum map map, const struct key *key)
{
	const struct map_def *def = &map_defs[map];

	return map != MAP_NONE && def->kind == key->kind && def->at == key->at &&
	       (key->mark || def->at || def->any == address_is_any(&key->local));
}

const char *map_name(char buf[MAP_NAME_MAX], enum map map, const char *interface)
{
	if (!*interface)
		return map_defs[map].name;
	snprintf(buf, MAP_NAME_MAX, "%s%.15s", map_defs[map].name, interface);
	return buf;
}

enum map map_named(const char *name, char interface[MASQ_INTERFACE_MAX])
{
	memset(interface, 0, MASQ_INTERFACE_MAX);
	for (enum map map = 1; map < MAP_FIXED; map++)
		if (!strcmp(name, map_defs[map].name))
			return map;
	for (enum map map = MAP_FIXED; map < MAP_COUNT; map++) {
		size_t len = strlen(map_defs[map].name), rest = strlen(name);

		if (rest <= len || rest - len >= MASQ_INTERFACE_MAX ||
		    memcmp(name, map_defs[map].name, len) != 0)
			continue;
		memcpy(interface, name + len, rest - len);
		return map;
	}
	return MAP_NONE;
}

enum map map_of(const struct service *s)
{
	if (!s->n)
		return MAP_NONE;
	for (enum map map = 1; map < MAP_COUNT; map++) {
		const struct map_def *def = &map_defs[map];
		bool keeps_port = !has_field(&def->data, FIELD_TARGET_PORT);

		if (map_takes(map, &s->key) && def->pool == (s->n > 1 || s->helper) &&
		    (def->pool || keeps_port == !service_target(s, 0)->port))
			return map;
	}
	return MAP_NONE;
}

bool kind_has_maps(enum masq_kind kind)
{
	for (int map = 1; map < MAP_COUNT; map++)
		if (map_defs[map].kind == kind)
			return true;
	return false;
}

/* What a part of an element is of a service or of a target. */
struct member {
	uint8_t *bytes;
	struct key *key;
	struct target *target;
};

/* Copies a number in network order, or of one byte. */
static void move_port(uint8_t *bytes, uint16_t *port, bool parse)
{
	uint16_t be = htons(*port);

	if (!parse) {
		memcpy(bytes, &be, sizeof(be));
		return;
	}
	memcpy(&be, bytes, sizeof(be));
	*port = ntohs(be);
}

/* An address of the family that it has. */
static void move_address(uint8_t *bytes, struct masq_address *a, bool parse)
{
	if (parse)
		memcpy(&a->in6, bytes, address_size(a));
	else
		memcpy(bytes, &a->in6, address_size(a));
}

static void move(enum field field, const struct member *m, bool parse)
{
	switch (field) {
	case FIELD_PROTOCOL:
		if (parse)
			m->key->protocol = *m->bytes;
		else
			*m->bytes = m->key->protocol;
		break;
	case FIELD_LOCAL:
		move_address(m->bytes, &m->key->local, parse);
		break;
	case FIELD_PORT:
		move_port(m->bytes, &m->key->port, parse);
		break;
	case FIELD_MARK:
		if (parse)
			memcpy(&m->key->mark, m->bytes, 4);
		else
			memcpy(m->bytes, &m->key->mark, 4);
		break;
	case FIELD_TARGET:
		move_address(m->bytes, &m->target->addr, parse);
		break;
	case FIELD_TARGET_PORT:
		move_port(m->bytes, &m->target->port, parse);
		break;
	case FIELD_NONE:
	case FIELD_SOURCE:
	case FIELD_ETHER_TYPE:
	case FIELD_CT_STATUS:
	case FIELD_CT_LABEL:
	case FIELD_CT_STATE:
	case FIELD_CT_CLIENT:
	case FIELD_CT_SERVER:
	case FIELD_CT_SERVER_PORT:
	case FIELD_ADDRESS_TYPE:
	case FIELD_ADDRESS_TYPE_IN:
	case FIELD_SOURCE_TYPE:
	case FIELD_SOURCE_TYPE_OUT:
	case FIELD_NETWORK:
	case FIELD_IN:
	case FIELD_OUT:
	case FIELD_IN_NAME:
	case FIELD_OUT_NAME:
	case FIELD_TCP_FLAGS:
	case FIELD_VERDICT:
	case FIELD_COUNT:
		break;
	}
}

/* Returns how many bytes: single fields of ours fill their register, too. */
static uint32_t move_all(enum family f, const struct parts *p, struct member m, bool parse)
{
	const uint8_t *begin = m.bytes;

	for (const enum field *field = p->field; *field != FIELD_NONE; field++) {
		move(*field, &m, parse);
		m.bytes += field_registers(f, *field) * 4;
	}
	return (uint32_t)(m.bytes - begin);
}

static struct masq_address any_address(enum family f)
{
	return (struct masq_address){.family = family_defs[f].number};
}

uint32_t key_bytes(uint8_t out[VALUE_MAX], enum map map, const struct key *key)
{
	struct key copy = *key;

	memset(out, 0, VALUE_MAX);
	return move_all(key_family(key), &map_defs[map].key,
			(struct member){.bytes = out, .key = &copy}, false);
}

bool key_parse(struct key *out, enum family f, enum map map, const uint8_t in[VALUE_MAX])
{
	uint8_t copy[VALUE_MAX];

	memcpy(copy, in, sizeof(copy));
	*out = (struct key){.kind = map_defs[map].kind & 0x7f, .local = any_address(f)};
	move_all(f, &map_defs[map].key, (struct member){.bytes = copy, .key = out}, true);
	if (out->kind == MASQ_MFW)
		return out->mark;
	return out->port && (out->protocol == IPPROTO_TCP || out->protocol == IPPROTO_UDP) &&
	       (map_defs[map].at || map_takes(map, out));
}

uint32_t data_bytes(uint8_t out[VALUE_MAX], enum map map, const struct target *t)
{
	struct target copy = *t;

	memset(out, 0, VALUE_MAX);
	return move_all(family_by_address(&t->addr), &map_defs[map].data,
			(struct member){.bytes = out, .target = &copy}, false);
}

bool data_parse(struct target *out, enum family f, enum map map, const uint8_t in[VALUE_MAX])
{
	const struct parts *data = &map_defs[map].data;
	uint8_t copy[VALUE_MAX];

	memcpy(copy, in, sizeof(copy));
	out->addr = any_address(f);
	move_all(f, data, (struct member){.bytes = copy, .target = out}, true);
	return !address_is_any(&out->addr) && (out->port || !has_field(data, FIELD_TARGET_PORT));
}

static void text_of(char out[VALUE_TEXT_MAX], const struct parts *p, const struct key *key,
		    const struct target *t)
{
	char addr[ADDRESS_TEXT_MAX];
	size_t n = 0;

	for (const enum field *f = p->field; *f != FIELD_NONE; f++) {
		const char *dot = f == p->field ? "" : " . ";

		if (*f == FIELD_MARK)
			n += (size_t)snprintf(out + n, VALUE_TEXT_MAX - n, "%s0x%08x", dot,
					      key->mark);
		else if (*f == FIELD_PROTOCOL)
			n += (size_t)snprintf(out + n, VALUE_TEXT_MAX - n, "%s%s", dot,
					      masq_protocol_name(key->protocol));
		else if (*f == FIELD_PORT || *f == FIELD_TARGET_PORT)
			n += (size_t)snprintf(out + n, VALUE_TEXT_MAX - n, "%s%u", dot,
					      *f == FIELD_PORT ? key->port : t->port);
		else
			n += (size_t)snprintf(
				out + n, VALUE_TEXT_MAX - n, "%s%s", dot,
				address_text(addr, *f == FIELD_LOCAL ? &key->local : &t->addr));
	}
}

void key_text(char out[VALUE_TEXT_MAX], enum map map, const struct key *key)
{
	text_of(out, &map_defs[map].key, key, NULL);
}

void data_text(char out[VALUE_TEXT_MAX], enum map map, const struct target *t)
{
	text_of(out, &map_defs[map].data, NULL, t);
}

const char *name_address(char buf[ADDRESS_TEXT_MAX], const struct masq_address *a)
{
	address_text(buf, a);
	for (char *p = buf; *p; p++)
		if (*p == ':')
			*p = '_';
	return buf;
}

bool name_address_parse(struct masq_address *out, enum family f, const char *text)
{
	char addr[ADDRESS_TEXT_MAX];
	size_t i = 0;

	for (; text[i] && i < sizeof(addr) - 1; i++)
		addr[i] = text[i] == '_' ? ':' : text[i];
	addr[i] = '\0';
	return !text[i] && masq_parse_address(out, addr) && out->family == family_defs[f].number;
}

void chain_name(char out[CHAIN_NAME_MAX], const struct key *key)
{
	char addr[ADDRESS_TEXT_MAX] = "any";

	if (!key->at && !address_is_any(&key->local))
		name_address(addr, &key->local);
	if (key->kind == MASQ_MFW)
		snprintf(out, CHAIN_NAME_MAX, "mark-%u", key->mark);
	else if (key->at)
		snprintf(out, CHAIN_NAME_MAX, "%s-%u-at-%.15s", masq_protocol_name(key->protocol),
			 key->port, key_interface(key));
	else
		snprintf(out, CHAIN_NAME_MAX, "%s-%s-%u", masq_protocol_name(key->protocol), addr,
			 key->port);
}

bool chain_name_parse(struct key *out, enum family f, const char *name)
{
	char addr[ADDRESS_TEXT_MAX] = "", again[CHAIN_NAME_MAX];
	char interface[MASQ_INTERFACE_MAX] = "";
	unsigned int port = 0;

	*out = (struct key){.kind = MASQ_PORTFW, .local = any_address(f)};
	if (sscanf(name, "mark-%u", &out->mark) == 1)
		out->kind = MASQ_MFW;
	else if (sscanf(name, "tcp-%u-at-%15s", &port, interface) == 2)
		out->protocol = IPPROTO_TCP;
	else if (sscanf(name, "udp-%u-at-%15s", &port, interface) == 2)
		out->protocol = IPPROTO_UDP;
	else if (sscanf(name, "tcp-%45[^-]-%u", addr, &port) == 2)
		out->protocol = IPPROTO_TCP;
	else if (sscanf(name, "udp-%45[^-]-%u", addr, &port) == 2)
		out->protocol = IPPROTO_UDP;
	else
		return false;
	out->port = (uint16_t)port;
	key_set_interface(out, interface);
	if (out->kind == MASQ_PORTFW && !out->at && strcmp(addr, "any") != 0 &&
	    !name_address_parse(&out->local, f, addr))
		return false;
	chain_name(again, out);
	return !strcmp(again, name);
}
