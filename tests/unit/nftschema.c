// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys, data and names: what is written into the kernel's table can be read
 * back, and what is no such thing is none. */
#include <linux/netfilter/nf_tables.h>

#include "schema.h"
#include "services.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define ANYTHING UINT32_MAX

static struct key portfw_key(uint8_t protocol, uint32_t local, uint16_t port)
{
	return (struct key){.kind = MASQ_PORTFW,
			    .protocol = protocol,
			    .local = address_v4(htonl(local)),
			    .port = port};
}

static struct key mfw_key(uint32_t mark)
{
	return (struct key){.kind = MASQ_MFW, .mark = mark, .local.family = AF_INET};
}

static struct key any_key(void)
{
	if (any(2))
		return mfw_key(1 + any(ANYTHING));
	return portfw_key(any(2) ? IPPROTO_TCP : IPPROTO_UDP, any(4) ? any(ANYTHING) : 0,
			  (uint16_t)(1 + any(65535)));
}

/* ---- types ---- */

/* nft's own numbers (nftables, datatype.h), six bits each in a concatenation;
 * they are in the tables of those who use version 0.5.0. */
enum {
	TYPE_ADDR = 7,
	TYPE_PROTO = 12,
	TYPE_PORT = 13,
	TYPE_MARK = 19,
	TYPE_ADDR_PORT = TYPE_ADDR << 6 | TYPE_PORT,
	TYPE_PROTO_PORT = TYPE_PROTO << 6 | TYPE_PORT,
	TYPE_PROTO_ADDR_PORT = (TYPE_PROTO << 6 | TYPE_ADDR) << 6 | TYPE_PORT,
};
#define TYPE_VERDICT 0xffffff00u

struct parts_case {
	uint32_t type, len, order;
};
#define EXACT                                                                                      \
	{                                                                                          \
		TYPE_PROTO_ADDR_PORT, 12, 0                                                        \
	}
#define ON_ANY                                                                                     \
	{                                                                                          \
		TYPE_PROTO_PORT, 8, 0                                                              \
	}
#define MARK                                                                                       \
	{                                                                                          \
		TYPE_MARK, 4, 1                                                                    \
	}
#define ADDR_PORT                                                                                  \
	{                                                                                          \
		TYPE_ADDR_PORT, 8, 0                                                               \
	}
#define ADDR                                                                                       \
	{                                                                                          \
		TYPE_ADDR, 4, 2                                                                    \
	}

static bool right(const struct parts *p, const struct parts_case *want)
{
	return parts_type(FAMILY_IPV4, p) == want->type && parts_len(FAMILY_IPV4, p) == want->len &&
	       parts_order(FAMILY_IPV4, p) == want->order;
}

static void types(void)
{
	static const struct {
		const char *name, *comment;
		enum masq_kind kind;
		struct parts_case key, data;
	} maps[MAP_COUNT] = {
		[MAP_PORTFW] = {"portfw", "forwards to one target", MASQ_PORTFW, EXACT, ADDR_PORT},
		[MAP_PORTFW_POOLS] = {"portfw_pools",
				      "forwards balanced over several targets",
				      MASQ_PORTFW,
				      EXACT,
				      {0}},
		[MAP_PORTFW_ANY] = {"portfw_any", "forwards from any address of this machine",
				    MASQ_PORTFW, ON_ANY, ADDR_PORT},
		[MAP_PORTFW_ANY_POOLS] = {"portfw_any_pools",
					  "the same, balanced over several targets",
					  MASQ_PORTFW,
					  ON_ANY,
					  {0}},
		[MAP_MFW] = {"mfw", "marks with one target", MASQ_MFW, MARK, ADDR_PORT},
		[MAP_MFW_KEEP] = {"mfw_keep_port", "the same, to the port the packet has", MASQ_MFW,
				  MARK, ADDR},
		[MAP_MFW_POOLS] =
			{"mfw_pools", "marks balanced over several targets", MASQ_MFW, MARK, {0}},
		[MAP_PORTFW_AT] = {"portfw-", "forwards from an interface's addresses", MASQ_PORTFW,
				   ON_ANY, ADDR_PORT},
		[MAP_PORTFW_AT_POOLS] = {"portfw_pools-",
					 "the same, balanced over several targets",
					 MASQ_PORTFW,
					 ON_ANY,
					 {0}},
	};

	for (int map = 1; map < MAP_COUNT; map++) {
		const struct map_def *def = &map_defs[map];

		is_str(def->name, maps[map].name, "the map %s", maps[map].name);
		is_str(def->comment, maps[map].comment, "... its comment");
		ok(def->kind == maps[map].kind, "... its kind");
		ok(right(&def->key, &maps[map].key), "... its key for nft");
		if (def->pool)
			is_int(parts_type(FAMILY_IPV4, &def->data), TYPE_VERDICT,
			       "... and a verdict");
		else
			ok(right(&def->data, &maps[map].data), "... and its data");
		is_int(def->pool, !maps[map].data.type, "... which are told apart");
		ok(parts_len(FAMILY_IPV4, &def->key) <= VALUE_MAX &&
			   parts_len(FAMILY_IPV4, &def->data) <= VALUE_MAX,
		   "... and fit");
	}
	ok(kind_has_maps(MASQ_PORTFW) && kind_has_maps(MASQ_MFW) && !kind_has_maps(MASQ_AUTOFW),
	   "kinds of services, and of entries");
}

/* Fields of receivers' maps; the kernel has its own opinion of lengths and
 * orders. */
static void fields(void)
{
	static const struct {
		enum field field;
		struct parts_case want;
		const char *text;
	} cases[] = {
		{FIELD_PROTOCOL, {TYPE_PROTO, 1, 1}, "meta l4proto"},
		{FIELD_LOCAL, {TYPE_ADDR, 4, 2}, "ip daddr"},
		{FIELD_PORT, {TYPE_PORT, 2, 2}, "th dport"},
		{FIELD_MARK, {TYPE_MARK, 4, 1}, "meta mark"},
		{FIELD_SOURCE, {TYPE_ADDR, 4, 2}, "ip saddr"},
		{FIELD_ETHER_TYPE, {10, 2, 2}, "meta protocol"},
		{FIELD_CT_CLIENT, {TYPE_ADDR, 4, 2}, "ct original ip saddr"},
		{FIELD_CT_SERVER, {TYPE_ADDR, 4, 2}, "ct reply ip saddr"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct parts p = {{cases[i].field}};

		ok(right(&p, &cases[i].want), "%s for nft", cases[i].text);
		is_str(field_def(FAMILY_IPV4, cases[i].field)->text, cases[i].text,
		       "... as it writes it");
	}
}

/* ---- names ---- */

static void names(void)
{
	static const char *const junk[] = {
		"",
		"portfw",
		"mfw",
		"autofw",
		"autofw_range",
		"lookup",
		"prerouting",
		"mark",
		"mark-",
		"mark-x",
		"mark-1x",
		"mark-1-",
		"mark-01",
		"mark- 1",
		"mark-+1",
		"mark--1",
		"mark-4294967296",
		"mark-99999999999999999999",
		"mark-7-to-10.0.0.2-80",
		" mark-1",
		"Mark-1",
		"tcp",
		"tcp-",
		"tcp-any",
		"tcp-any-",
		"tcp-any-x",
		"tcp-any-80x",
		"tcp-any-080",
		"tcp-any--1",
		"tcp-any-65536",
		"tcp-any-65616",
		"tcp-anyone-80",
		"tcp--80",
		"tcp-0.0.0.0-80",
		"tcp-198.51.100-80",
		"tcp-198.51.100.256-80",
		"tcp-198.51.100.001-80",
		"tcp-198.51.100.1.1.1.1-80",
		"tcp-198.51.100.1-80-80",
		"icmp-any-80",
		"sctp-198.51.100.1-80",
		"udp-6970-7170-by-tcp-7070",
		"\xff\xfe",
		"tcp-any-80tcp-any-80tcp-any-80tcp-any-80tcp-any-80tcp-any-80tcp-any-80tcp-any-80",
	};
	struct {
		struct key key;
		const char *name;
	} cases[] = {
		{portfw_key(6, 0xc6336401, 80), "tcp-198.51.100.1-80"},
		{portfw_key(17, 0xffffffff, 65535), "udp-255.255.255.255-65535"},
		{portfw_key(17, 0, 53), "udp-any-53"},
		{mfw_key(1), "mark-1"},
		{mfw_key(UINT32_MAX), "mark-4294967295"},
	};
	size_t wrong = 0, tried = 20000;
	char name[CHAIN_NAME_MAX];
	struct key back;

	for (size_t i = 0; i < COUNT(cases); i++) {
		memset(name, 'x', sizeof(name));
		chain_name(name, &cases[i].key);
		is_str(name, cases[i].name, "the chain %s", cases[i].name);
		ok(chain_name_parse(&back, FAMILY_IPV4, name) && key_equal(&back, &cases[i].key),
		   "... and back");
	}
	for (size_t i = 0; i < COUNT(junk); i++)
		ok(!chain_name_parse(&back, FAMILY_IPV4, junk[i]), "no chain of ours: \"%s\"",
		   junk[i]);
	for (size_t i = 0; i < tried; i++) {
		struct key key = any_key();

		chain_name(name, &key);
		wrong += !chain_name_parse(&back, FAMILY_IPV4, name) || !key_equal(&back, &key);
	}
	is_int((long long)wrong, 0, "%zu names at random come back", tried);
}

/* Names in which something was changed: whatever is taken for one, is one. */
static void nearly_names(void)
{
	static const char letters[] = "0123456789-.tcpudmark anyx+\xff";
	size_t wrong = 0, good = 0, tried = 100000;

	for (size_t i = 0; i < tried; i++) {
		struct key key = any_key(), back;
		char name[CHAIN_NAME_MAX] = "", again[CHAIN_NAME_MAX];
		size_t n;

		chain_name(name, &key);
		n = strlen(name);
		for (uint32_t changes = 1 + any(2); changes; changes--)
			name[any((uint32_t)n + 1)] = letters[any(sizeof(letters))];
		if (!chain_name_parse(&back, FAMILY_IPV4, name))
			continue;
		chain_name(again, &back);
		good++;
		wrong += strcmp(name, again) != 0;
	}
	is_int((long long)wrong, 0, "%zu names with a mistake", tried);
	ok(good > 0 && good < tried, "... of which %zu are names again", good);
}

/* ---- keys ---- */

#define IN(map) (1u << MAP_##map)

/* Which maps may hold a key, whether it comes back from their elements, and how
 * nft writes it. */
static void keys(void)
{
	const struct {
		struct key key;
		unsigned int maps;
		const char *text;
	} cases[] = {
		{portfw_key(6, 0xc6336401, 80), IN(PORTFW) | IN(PORTFW_POOLS),
		 "tcp . 198.51.100.1 . 80"},
		{portfw_key(17, 0xffffffff, 65535), IN(PORTFW) | IN(PORTFW_POOLS),
		 "udp . 255.255.255.255 . 65535"},
		{portfw_key(17, 0, 53), IN(PORTFW_ANY) | IN(PORTFW_ANY_POOLS), "udp . 53"},
		{mfw_key(1), IN(MFW) | IN(MFW_KEEP) | IN(MFW_POOLS), "0x00000001"},
		{mfw_key(UINT32_MAX), IN(MFW) | IN(MFW_KEEP) | IN(MFW_POOLS), "0xffffffff"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned int takes = 0;

		for (enum map map = 0; map < MAP_COUNT; map++) {
			uint8_t bytes[VALUE_MAX];
			char text[VALUE_TEXT_MAX];
			struct key back;

			if (!map_takes(map, &cases[i].key))
				continue;
			takes |= 1u << map;
			memset(bytes, 0xa5, sizeof(bytes));
			is_int(key_bytes(bytes, map, &cases[i].key),
			       parts_len(FAMILY_IPV4, &map_defs[map].key), "the bytes of %s",
			       cases[i].text);
			ok(key_parse(&back, FAMILY_IPV4, map, bytes) &&
				   key_equal(&back, &cases[i].key),
			   "%s in map %s and back", cases[i].text, map_defs[map].name);
			memset(text, 'x', sizeof(text));
			key_text(text, map, &cases[i].key);
			is_str(text, cases[i].text, "... for nft");
		}
		is_int(takes, cases[i].maps, "... in these maps and no other");
	}
}

/* What the kernel compares: parts padded to four bytes each. */
static void bytes(void)
{
	static const uint8_t exact[VALUE_MAX] = {6, 0, 0, 0, 198, 51, 100, 1, 0x1f, 0x90};
	static const uint8_t any_address[VALUE_MAX] = {17, 0, 0, 0, 0x1f, 0x90};
	static const uint8_t to_port[VALUE_MAX] = {10, 0, 0, 2, 0x1f, 0x90};
	static const uint8_t to_host[VALUE_MAX] = {10, 0, 0, 2};
	struct key e = portfw_key(6, 0xc6336401, 8080), a = portfw_key(17, 0, 8080);
	struct key m = mfw_key(0x01020304);
	struct target t = {.addr = address_v4(htonl(0x0a000002)), .port = 8080};
	uint8_t out[VALUE_MAX], host[VALUE_MAX] = {0};

	memset(out, 0xa5, sizeof(out));
	key_bytes(out, MAP_PORTFW, &e);
	ok(!memcmp(out, exact, sizeof(exact)), "protocol . address . port");
	key_bytes(out, MAP_PORTFW_POOLS, &e);
	ok(!memcmp(out, exact, sizeof(exact)), "... to a pool");
	key_bytes(out, MAP_PORTFW_ANY, &a);
	ok(!memcmp(out, any_address, sizeof(any_address)), "protocol . port");
	memcpy(host, &m.mark, sizeof(m.mark));
	key_bytes(out, MAP_MFW, &m);
	ok(!memcmp(out, host, sizeof(host)), "a mark is in the byte order of the host");
	is_int(data_bytes(out, MAP_PORTFW, &t), parts_len(FAMILY_IPV4, &map_defs[MAP_PORTFW].data),
	       "the bytes of address . port");
	ok(!memcmp(out, to_port, sizeof(to_port)), "to address . port");
	is_int(data_bytes(out, MAP_MFW_KEEP, &t),
	       parts_len(FAMILY_IPV4, &map_defs[MAP_MFW_KEEP].data), "the bytes of address");
	ok(!memcmp(out, to_host, sizeof(to_host)), "to an address");
}

/* Elements that no command makes; somebody may have added them. */
static void foreign_keys(void)
{
	static const struct {
		enum map map;
		uint8_t bytes[VALUE_MAX];
		const char *why;
	} cases[] = {
		{MAP_PORTFW, {6, 0, 0, 0, 0, 0, 0, 0, 0, 80}, "0.0.0.0 among addresses"},
		{MAP_PORTFW, {6, 0, 0, 0, 10, 0, 0, 1, 0, 0}, "port 0"},
		{MAP_PORTFW, {132, 0, 0, 0, 10, 0, 0, 1, 0, 80}, "sctp"},
		{MAP_PORTFW_POOLS, {0, 0, 0, 0, 10, 0, 0, 1, 0, 80}, "no protocol"},
		{MAP_PORTFW_ANY, {6, 0, 0, 0, 0, 0}, "port 0 of any address"},
		{MAP_PORTFW_ANY_POOLS, {1, 0, 0, 0, 0, 80}, "icmp"},
		{MAP_MFW, {0}, "mark 0"},
		{MAP_MFW_KEEP, {0}, "mark 0 that keeps the port"},
		{MAP_MFW_POOLS, {0}, "mark 0, balanced"},
	};
	struct key back;

	for (size_t i = 0; i < COUNT(cases); i++)
		ok(!key_parse(&back, FAMILY_IPV4, cases[i].map, cases[i].bytes),
		   "no key of map %s: %s", map_defs[cases[i].map].name, cases[i].why);
}

static void keys_at_random(void)
{
	size_t wrong = 0, lost = 0, good = 0, tried = 50000;

	for (size_t i = 0; i < tried; i++) {
		enum map map = 1 + any(MAP_FIXED - 1);
		uint8_t in[VALUE_MAX] = {0}, again[VALUE_MAX];
		struct key key = any_key(), back;

		if (map_takes(map, &key)) {
			key_bytes(in, map, &key);
			lost += !key_parse(&back, FAMILY_IPV4, map, in) || !key_equal(&back, &key);
		}
		for (size_t k = 0; k < parts_len(FAMILY_IPV4, &map_defs[map].key); k++)
			in[k] = (uint8_t)(any(3) ? any(256) : any(2) ? 6 : 0);
		/* padding is none of it */
		memset(in + (map_defs[map].kind == MASQ_PORTFW), 0,
		       map_defs[map].kind == MASQ_PORTFW ? 3 : 0);
		if (map_defs[map].kind == MASQ_PORTFW)
			memset(in + parts_len(FAMILY_IPV4, &map_defs[map].key) - 2, 0, 2);
		if (!key_parse(&back, FAMILY_IPV4, map, in))
			continue;
		good++;
		if (map_defs[map].at) /* the map's name has it, not the key */
			key_set_interface(&back, "eth0");
		key_bytes(again, map, &back);
		wrong += !map_takes(map, &back) || memcmp(in, again, sizeof(in)) != 0 ||
			 back.kind != map_defs[map].kind;
	}
	is_int((long long)lost, 0, "%zu keys at random come back", tried);
	is_int((long long)wrong, 0, "... and from bytes at random come keys of that map");
	ok(good > tried / 20 && good < tried, "... from %zu", good);
}

/* ---- data ---- */

static void data(void)
{
	static const struct {
		enum map map;
		uint32_t addr;
		uint16_t port;
		const char *text;
	} cases[] = {
		{MAP_PORTFW, 0x0a000002, 80, "10.0.0.2 . 80"},
		{MAP_PORTFW_ANY, 0xffffffff, 65535, "255.255.255.255 . 65535"},
		{MAP_MFW, 1, 1, "0.0.0.1 . 1"},
		{MAP_MFW_KEEP, 0x0a000002, 0, "10.0.0.2"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct target t = {.addr = address_v4(htonl(cases[i].addr)), .port = cases[i].port};
		struct target back = {.pref = 7, .left = 3, .served = 5};
		uint8_t raw[VALUE_MAX];
		char text[VALUE_TEXT_MAX];

		memset(raw, 0xa5, sizeof(raw));
		data_bytes(raw, cases[i].map, &t);
		ok(data_parse(&back, FAMILY_IPV4, cases[i].map, raw) &&
			   address_equal(&back.addr, &t.addr) && back.port == t.port,
		   "%s in map %s and back", cases[i].text, map_defs[cases[i].map].name);
		ok(back.pref == 7 && back.left == 3 && back.served == 5,
		   "... and nothing else of it");
		memset(text, 'x', sizeof(text));
		data_text(text, cases[i].map, &t);
		is_str(text, cases[i].text, "... for nft");
	}
}

static void foreign_data(void)
{
	static const struct {
		enum map map;
		uint8_t bytes[VALUE_MAX];
		const char *why;
	} cases[] = {
		{MAP_PORTFW, {0, 0, 0, 0, 0, 80}, "0.0.0.0"},
		{MAP_PORTFW, {10, 0, 0, 2, 0, 0}, "port 0"},
		{MAP_PORTFW_ANY, {0}, "nothing"},
		{MAP_MFW, {10, 0, 0, 2, 0, 0}, "port 0 for a mark"},
		{MAP_MFW_KEEP, {0}, "0.0.0.0 for a mark"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct target back = {0};

		ok(!data_parse(&back, FAMILY_IPV4, cases[i].map, cases[i].bytes),
		   "no target in map %s: %s", map_defs[cases[i].map].name, cases[i].why);
	}
}

/* ---- places ---- */

static void places(void)
{
	struct target with[2] = {{.port = 80, .pref = 1}, {.pref = 1}};
	struct target without[2] = {{.pref = 1}, {.port = 80, .pref = 1}};
	struct service exact = {.key = portfw_key(6, 1, 80), .more = with};
	struct service all = {.key = portfw_key(6, 0, 80), .more = with};
	struct service mark = {.key = mfw_key(1), .more = with};

	is_int(map_of(&exact), MAP_NONE, "without targets, a service is nowhere");
	is_int(map_of(&mark), MAP_NONE, "... nor is a mark");
	exact.n = all.n = mark.n = 1;
	is_int(map_of(&exact), MAP_PORTFW, "an address");
	is_int(map_of(&all), MAP_PORTFW_ANY, "any address");
	is_int(map_of(&mark), MAP_MFW, "a mark");
	exact.helper = all.helper = 1;
	is_int(map_of(&exact), MAP_PORTFW_POOLS, "an address, with a helper");
	is_int(map_of(&all), MAP_PORTFW_ANY_POOLS, "any address, with a helper");
	mark.more = without;
	is_int(map_of(&mark), MAP_MFW_KEEP, "... to the port the packet has");
	for (int i = 0; i < 2; i++) {
		mark.more = i ? with : without;
		exact.n = all.n = mark.n = i ? 2 : 300;
		is_int(map_of(&exact), MAP_PORTFW_POOLS, "an address, balanced");
		is_int(map_of(&all), MAP_PORTFW_ANY_POOLS, "any address, balanced");
		is_int(map_of(&mark), MAP_MFW_POOLS, "a mark, balanced");
	}
}

static void places_at_random(void)
{
	size_t wrong = 0, tried = 5000;

	for (size_t i = 0; i < tried; i++) {
		struct service s = any_service(9);
		enum map map;

		s.key = any_key();
		if (s.key.kind == MASQ_PORTFW)
			service_targets(&s)[0].port = 80;
		map = map_of(&s);
		wrong += map == MAP_NONE || !map_takes(map, &s.key) ||
			 map_defs[map].pool != (s.n > 1);
		service_free(&s);
	}
	is_int((long long)wrong, 0, "%zu services have a map that takes them", tried);
}

/* ---- IPv6 ---- */

static struct masq_address six(const char *text)
{
	struct masq_address a = {0};

	if (!masq_parse_address(&a, text) || a.family != AF_INET6)
		abort();
	return a;
}

static struct key six_key(uint8_t protocol, const char *local, uint16_t port)
{
	return (struct key){
		.kind = MASQ_PORTFW, .protocol = protocol, .port = port, .local = six(local)};
}

static void types6(void)
{
	enum { ADDR6 = 8, EXACT6 = (TYPE_PROTO << 6 | ADDR6) << 6 | TYPE_PORT };
	static const struct {
		uint32_t type, len, order;
	} keys6[MAP_COUNT] = {
		[MAP_PORTFW] = {EXACT6, 24, 0},
		[MAP_PORTFW_POOLS] = {EXACT6, 24, 0},
		[MAP_PORTFW_ANY] = {TYPE_PROTO_PORT, 8, 0},
		[MAP_PORTFW_ANY_POOLS] = {TYPE_PROTO_PORT, 8, 0},
		[MAP_MFW] = {TYPE_MARK, 4, 1},
		[MAP_MFW_KEEP] = {TYPE_MARK, 4, 1},
		[MAP_MFW_POOLS] = {TYPE_MARK, 4, 1},
		[MAP_PORTFW_AT] = {TYPE_PROTO_PORT, 8, 0},
		[MAP_PORTFW_AT_POOLS] = {TYPE_PROTO_PORT, 8, 0},
	};
	const enum family f = FAMILY_IPV6;

	for (int map = 1; map < MAP_COUNT; map++) {
		const struct map_def *def = &map_defs[map];

		is_int(parts_type(f, &def->key), keys6[map].type, "map %s of ip6, type", def->name);
		is_int(parts_len(f, &def->key), keys6[map].len, "... length of a key");
		is_int(parts_order(f, &def->key), keys6[map].order, "... order of its bytes");
		ok(parts_len(f, &def->key) <= VALUE_MAX && parts_len(f, &def->data) <= VALUE_MAX,
		   "... and fit");
	}
	is_int(parts_type(f, &map_defs[MAP_PORTFW].data), ADDR6 << 6 | TYPE_PORT, "data, type");
	is_int(parts_len(f, &map_defs[MAP_PORTFW].data), 20, "... length");
	is_int(parts_len(f, &map_defs[MAP_MFW_KEEP].data), 16, "... of an address alone");
	is_int(parts_order(f, &map_defs[MAP_MFW_KEEP].data), 2, "... in the order of the network");
	is_str(field_def(f, FIELD_LOCAL)->text, "ip6 daddr", "the destination");
	is_int(field_def(f, FIELD_LOCAL)->what, 24, "... where the header has it");
	is_str(field_def(f, FIELD_SOURCE)->text, "ip6 saddr", "the source");
	is_int(field_def(f, FIELD_SOURCE)->what, 8, "... where the header has it");
	is_str(field_def(f, FIELD_PORT)->text, "th dport", "what both have");
	is_int(field_registers(f, FIELD_TARGET), 4, "registers of an address");
	is_int(field_registers(f, FIELD_PROTOCOL), 1, "... of a protocol");
}

static void keys6(void)
{
	static const uint8_t exact[VALUE_MAX] = {6, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 0,    0,
						 0, 0, 0, 0, 0,    0,    0,    0,    1, 0x1f, 0x90};
	static const uint8_t to_port[VALUE_MAX] = {0xfd, 0, 0, 0, 0, 0, 0, 0,    0,
						   0,    0, 0, 0, 0, 0, 2, 0x1f, 0x90};
	struct key key = six_key(6, "2001:db8::1", 8080), any_key6 = six_key(17, "::", 53), back;
	struct target t = {.addr = six("fd00::2"), .port = 8080}, read = {.port = 0};
	uint8_t out[VALUE_MAX];
	char text[VALUE_TEXT_MAX];

	memset(out, 0xa5, sizeof(out));
	key_bytes(out, MAP_PORTFW, &key);
	ok(!memcmp(out, exact, sizeof(exact)), "protocol . address of IPv6 . port");
	ok(key_parse(&back, FAMILY_IPV6, MAP_PORTFW, out) && key_equal(&back, &key),
	   "... and back");
	key_text(text, MAP_PORTFW, &key);
	is_str(text, "tcp . 2001:db8::1 . 8080", "... for nft");
	ok(!map_takes(MAP_PORTFW, &any_key6) && map_takes(MAP_PORTFW_ANY, &any_key6),
	   ":: is any address");
	key_text(text, MAP_PORTFW_ANY, &any_key6);
	is_str(text, "udp . 53", "... for nft");
	key_bytes(out, MAP_PORTFW_ANY, &any_key6);
	ok(key_parse(&back, FAMILY_IPV6, MAP_PORTFW_ANY, out) && key_equal(&back, &any_key6),
	   "... and back");
	ok(key_parse(&back, FAMILY_IPV4, MAP_PORTFW_ANY, out) && !key_equal(&back, &any_key6),
	   "... which that of IPv4 is not");
	data_bytes(out, MAP_PORTFW, &t);
	ok(!memcmp(out, to_port, sizeof(to_port)), "to address of IPv6 . port");
	ok(data_parse(&read, FAMILY_IPV6, MAP_PORTFW, out) && read.port == 8080 &&
		   address_equal(&read.addr, &t.addr),
	   "... and back");
	data_text(text, MAP_PORTFW, &t);
	is_str(text, "fd00::2 . 8080", "... for nft");
	memset(out, 0, 16);
	ok(!data_parse(&read, FAMILY_IPV6, MAP_PORTFW, out), ":: is no target");
}

static void names6(void)
{
	static const struct {
		uint8_t protocol;
		const char *local;
		uint16_t port;
		const char *name;
	} cases[] = {
		{6, "2001:db8::1", 80, "tcp-2001_db8__1-80"},
		{17, "::1", 53, "udp-__1-53"},
		{6, "::", 80, "tcp-any-80"},
		{6, "::5.6.7.8", 80, "tcp-__5.6.7.8-80"},
		{17, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
		 "udp-ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff-65535"},
	};
	static const char *const junk[] = {
		"tcp-2001:db8::1-80",   "tcp-198.51.100.1-80",
		"tcp-2001_DB8__1-80",   "tcp-__-80",
		"tcp-2001_db8_0__1-80", "tcp-_-80",
		"tcp-2001_db8__1-0x50",
	};
	struct key back;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct key key = six_key(cases[i].protocol, cases[i].local, cases[i].port);
		char name[CHAIN_NAME_MAX];

		chain_name(name, &key);
		is_str(name, cases[i].name, "the chain of %s", cases[i].local);
		ok(chain_name_parse(&back, FAMILY_IPV6, name) && key_equal(&back, &key),
		   "... and back");
	}
	for (size_t i = 0; i < COUNT(junk); i++)
		ok(!chain_name_parse(&back, FAMILY_IPV6, junk[i]), "no chain of ip6: \"%s\"",
		   junk[i]);
	ok(!chain_name_parse(&back, FAMILY_IPV4, "tcp-2001_db8__1-80"), "no chain of ip");
}

int main(void)
{
	types6();
	keys6();
	names6();
	types();
	fields();
	names();
	nearly_names();
	keys();
	bytes();
	foreign_keys();
	keys_at_random();
	data();
	foreign_data();
	places();
	places_at_random();
	return done_testing();
}
