// SPDX-License-Identifier: GPL-2.0-or-later
/* What is written into the kernel's table can be read back, and what is no such thing is none. */
#include <arpa/inet.h>

#include "nftlayout.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static uint64_t seed = 88172645463325252u;

static uint32_t any(void)
{
	seed ^= seed << 13; /* xorshift64, Marsaglia 2003 */
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32);
}

/* ---- facts ---- */

static bool same_facts(const struct facts *a, const struct facts *b)
{
	return a->position == b->position && a->pref == b->pref && a->left == b->left &&
	       a->served == b->served && a->seq == b->seq;
}

static void facts(void)
{
	static const struct {
		struct facts facts;
		const char *text;
	} cases[] = {
		{{.pref = 10, .left = 10}, ""},
		{{.pref = 7, .left = 7, .has_pref = true}, "pref 7"},
		{{.pref = 10, .left = 7, .has_pref = true}, "pref 10 left 7"},
		{{.pref = 0, .left = 0, .has_pref = true}, "pref 0"},
		{{.position = 3, .pref = 1, .left = 1, .has_pref = true}, "target 3 pref 1"},
		{{.pref = 10, .left = 10, .seq = 17ull << 32}, "seq 17.0"},
		{{.pref = 10, .left = 10, .seq = 5}, "seq 0.5"},
		{{.position = 1,
		  .pref = 10,
		  .left = 7,
		  .has_pref = true,
		  .served = 12,
		  .seq = (17ull << 32) + 3},
		 "target 1 pref 10 left 7 served 12 seq 17.3"},
		{{.position = UINT32_MAX,
		  .pref = INT32_MAX,
		  .left = INT32_MAX - 1,
		  .has_pref = true,
		  .served = UINT64_MAX,
		  .seq = UINT64_MAX},
		 "target 4294967295 pref 2147483647 left 2147483646 served 18446744073709551615 "
		 "seq 4294967295.4294967295"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *want = cases[i].text;
		char text[COMMENT_MAX];
		struct facts back;

		memset(text, 'x', sizeof(text));
		facts_text(text, &cases[i].facts);
		is_str(text, want, "facts \"%s\"", want);
		facts_parse(&back, text, sizeof(text));
		ok(same_facts(&back, &cases[i].facts), "... and back");
		/* netlink tells a length, and whether a NUL is in it depends on who wrote it */
		facts_parse(&back, want, strlen(want));
		ok(same_facts(&back, &cases[i].facts), "... without its NUL");
	}
}

static void facts_at_random(void)
{
	size_t wrong = 0, longest = 0, tried = 20000;

	for (size_t i = 0; i < tried; i++) {
		struct facts f = {.position = any() >> any() % 32,
				  .pref = (any() & INT32_MAX) >> any() % 32,
				  .has_pref = true,
				  .served = (uint64_t)any() << any() % 32,
				  .seq = (uint64_t)any() << 32 | any() >> any() % 32},
			     back;
		char text[COMMENT_MAX];

		f.left = f.pref ? 1 + any() % f.pref : 0;
		facts_text(text, &f);
		facts_parse(&back, text, sizeof(text));
		wrong += !same_facts(&f, &back);
		if (strlen(text) > longest)
			longest = strlen(text);
	}
	is_int((long long)wrong, 0, "%zu facts at random come back", tried);
	ok(longest < COMMENT_MAX - 1, "... in %zu characters at most", longest);
}

/* What people make of comments. */
static void foreign_facts(void)
{
	static const struct {
		const char *text;
		struct facts want;
	} cases[] = {
		{"", {.pref = 10, .left = 10}},
		{" ", {.pref = 10, .left = 10}},
		{"pref", {.pref = 10, .left = 10}},
		{"pref x", {.pref = 10, .left = 10}},
		{"pref ", {.pref = 10, .left = 10}},
		{"pref -7 left - served x target x seq x", {.pref = 10, .left = 10}},
		{"pref left 3", {.pref = 10, .left = 3}},
		{"prefer 7", {.pref = 10, .left = 10}},
		{"xpref 7", {.pref = 10, .left = 10}},
		{"the web server", {.pref = 10, .left = 10}},
		{"the web server pref 7", {.pref = 7, .left = 7}},
		{"pref 7 the web server seq 3.4", {.pref = 7, .left = 7, .seq = 3ull << 32 | 4}},
		{"left 3", {.pref = 10, .left = 3}},
		{"left 3 pref 7", {.pref = 7, .left = 3}},
		{"pref 7 left 8", {.pref = 7, .left = 7}},
		{"pref 7 left 0", {.pref = 7, .left = 7}},
		{"pref 0 left 5", {.pref = 0, .left = 0}},
		{"pref 2147483648", {.pref = INT32_MAX, .left = INT32_MAX}},
		{"pref 99999999999999999999999", {.pref = INT32_MAX, .left = INT32_MAX}},
		{"served 99999999999999999999999", {.pref = 10, .left = 10, .served = UINT64_MAX}},
		{"target 4294967296", {.pref = 10, .left = 10, .position = UINT32_MAX}},
		{"seq 5", {.pref = 10, .left = 10, .seq = 5ull << 32}},
		{"seq 5.", {.pref = 10, .left = 10, .seq = 5ull << 32}},
		{"seq .5", {.pref = 10, .left = 10, .seq = 5}},
		{"pref 7,left 3", {.pref = 7, .left = 7}},
		{"\xff\xfe\n\t", {.pref = 10, .left = 10}},
	};
	static const char words[][8] = {"target", "pref", "left", "served", "seq", " ",
					" ",      ".",    "0",    "9",      "-",   "\xff"};
	size_t wrong = 0, tried = 20000;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct facts f;

		facts_parse(&f, cases[i].text, strlen(cases[i].text));
		ok(same_facts(&f, &cases[i].want), "facts of \"%s\"",
		   strchr(cases[i].text, '\n') ? "no text" : cases[i].text);
	}
	for (size_t i = 0; i < tried; i++) {
		char *text = malloc(64);
		struct facts f;
		size_t n = 0;

		/* exactly as long as it is, so that valgrind and ASan see what is read beyond */
		while (any() % 16 && n < 50)
			n += (size_t)sprintf(text + n, "%s", words[any() % COUNT(words)]);
		text = realloc(text, n + 1);
		text[n] = 'x';
		facts_parse(&f, text, n);
		wrong += f.pref > INT32_MAX || f.left > f.pref || (f.pref && !f.left);
		free(text);
	}
	is_int((long long)wrong, 0, "%zu times junk gives a count within its pref", tried);
}

/* ---- keys ---- */

static struct key portfw_key(uint8_t protocol, uint32_t laddr, uint16_t lport)
{
	return (struct key){.module = MOD_PORTFW,
			    .protocol = protocol,
			    .laddr = htonl(laddr),
			    .lport = htons(lport)};
}

static struct key mfw_key(uint32_t mark)
{
	return (struct key){.module = MOD_MFW, .mark = mark};
}

static bool same_key(const struct key *a, const struct key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static void names(void)
{
	static const char *const junk[] = {
		"",
		"portfw",
		"mfw",
		"autofw",
		"autofw_range",
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
	struct key back;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char name[CHAIN_NAME_MAX];

		chain_name(name, &cases[i].key);
		is_str(name, cases[i].name, "the chain %s", cases[i].name);
		ok(chain_name_parse(&back, name) && same_key(&back, &cases[i].key), "... and back");
	}
	for (size_t i = 0; i < COUNT(junk); i++)
		ok(!chain_name_parse(&back, junk[i]), "no chain of ours: \"%s\"", junk[i]);
	for (size_t i = 0; i < tried; i++) {
		struct key key = any() % 2 ? mfw_key(any())
					   : portfw_key(any() % 2 ? 6 : 17, any() % 4 ? any() : 0,
							(uint16_t)any());
		char name[CHAIN_NAME_MAX];

		chain_name(name, &key);
		wrong += !chain_name_parse(&back, name) || !same_key(&back, &key);
	}
	is_int((long long)wrong, 0, "%zu names at random come back", tried);
}

/* Which maps may hold a key, whether it comes back from their elements, and how nft writes it. */
static void maps(void)
{
	static const struct {
		uint8_t module, protocol;
		uint32_t laddr, mark;
		uint16_t lport;
		unsigned int maps;
		const char *text;
	} cases[] = {
		{MOD_PORTFW, 6, 0xc6336401, 0, 80, 1u << MAP_PORTFW | 1u << MAP_PORTFW_POOLS,
		 "tcp . 198.51.100.1 . 80"},
		{MOD_PORTFW, 17, 0xffffffff, 0, 65535, 1u << MAP_PORTFW | 1u << MAP_PORTFW_POOLS,
		 "udp . 255.255.255.255 . 65535"},
		{MOD_PORTFW, 17, 0, 0, 53, 1u << MAP_PORTFW_ANY | 1u << MAP_PORTFW_ANY_POOLS,
		 "udp . 53"},
		{MOD_MFW, 0, 0, 1, 0, 1u << MAP_MFW | 1u << MAP_MFW_KEEP | 1u << MAP_MFW_POOLS,
		 "0x00000001"},
		{MOD_MFW, 0, 0, UINT32_MAX, 0,
		 1u << MAP_MFW | 1u << MAP_MFW_KEEP | 1u << MAP_MFW_POOLS, "0xffffffff"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct key key = {.module = cases[i].module,
				  .protocol = cases[i].protocol,
				  .laddr = htonl(cases[i].laddr),
				  .lport = htons(cases[i].lport),
				  .mark = cases[i].mark};
		unsigned int takes = 0;

		for (int map = 0; map < MAP_COUNT; map++) {
			uint8_t bytes[MAP_KEY_MAX];
			char text[MAP_KEY_TEXT_MAX];
			struct key back;

			if (!map_takes((enum map)map, &key))
				continue;
			takes |= 1u << map;
			memset(bytes, 0xa5, sizeof(bytes));
			map_key(bytes, (enum map)map, &key);
			map_key_parse(&back, (enum map)map, bytes);
			ok(same_key(&back, &key), "%s in map %s and back", cases[i].text,
			   map_defs[map].name);
			map_key_text(text, (enum map)map, &key);
			is_str(text, cases[i].text, "... for nft");
		}
		is_int(takes, cases[i].maps, "... in these maps and no other");
	}
}

/* What the kernel compares: parts padded to four bytes each. */
static void key_bytes(void)
{
	static const uint8_t exact[MAP_KEY_MAX] = {6, 0, 0, 0, 198, 51, 100, 1, 0x1f, 0x90};
	static const uint8_t any_address[MAP_KEY_MAX] = {17, 0, 0, 0, 0x1f, 0x90};
	struct key e = portfw_key(6, 0xc6336401, 8080), a = portfw_key(17, 0, 8080);
	uint8_t bytes[MAP_KEY_MAX];

	map_key(bytes, MAP_PORTFW, &e);
	ok(!memcmp(bytes, exact, sizeof(exact)), "protocol . address . port");
	map_key(bytes, MAP_PORTFW_ANY, &a);
	ok(!memcmp(bytes, any_address, sizeof(any_address)), "protocol . port");
}

static void places(void)
{
	struct target with[2] = {{.port = htons(80), .pref = 1}, {.pref = 1}};
	struct target without[1] = {{.pref = 1}};
	struct service exact = {.key = portfw_key(6, 1, 80), .targets = with};
	struct service all = {.key = portfw_key(6, 0, 80), .targets = with};
	struct service mark = {.key = mfw_key(1), .targets = with};

	is_int(service_map(&exact), MAP_NONE, "without targets, a service is nowhere");
	exact.n = all.n = mark.n = 1;
	is_int(service_map(&exact), MAP_PORTFW, "an address");
	is_int(service_map(&all), MAP_PORTFW_ANY, "any address");
	is_int(service_map(&mark), MAP_MFW, "a mark");
	mark.targets = without;
	is_int(service_map(&mark), MAP_MFW_KEEP, "... to the port the packet has");
	mark.targets = with;
	exact.n = all.n = mark.n = 2;
	is_int(service_map(&exact), MAP_PORTFW_POOLS, "an address, balanced");
	is_int(service_map(&all), MAP_PORTFW_ANY_POOLS, "any address, balanced");
	is_int(service_map(&mark), MAP_MFW_POOLS, "a mark, balanced");
}

/* ---- autofw's entries ---- */

static bool same_entry(const struct ip_autofw_user *a, const struct ip_autofw_user *b)
{
	return autofw_same(a, b) && a->flags == b->flags;
}

static void entries(void)
{
	static const struct {
		struct ip_autofw_user user;
		const char *text;
	} cases[] = {
		{{.type = IP_FWD_RANGE,
		  .protocol = 17,
		  .low = 6970,
		  .high = 7170,
		  .ctlproto = 6,
		  .ctlport = 7070,
		  .flags = IP_AUTOFW_USETIME | IP_AUTOFW_SECURE},
		 "-r udp 6970 7170 -c tcp 7070"},
		{{.type = IP_FWD_RANGE,
		  .protocol = 6,
		  .low = 6000,
		  .high = 6100,
		  .ctlproto = 17,
		  .ctlport = 177},
		 "-r tcp 6000 6100 -c udp 177 -u -i"},
		{{.type = IP_FWD_RANGE,
		  .protocol = 6,
		  .low = 1,
		  .high = 65535,
		  .where = 1,
		  .flags = IP_AUTOFW_USETIME},
		 "-r tcp 1 65535 -h 10.0.0.2"},
		{{.type = IP_FWD_PORT,
		  .protocol = 6,
		  .visible = 8080,
		  .hidden = 80,
		  .where = 1,
		  .flags = IP_AUTOFW_USETIME},
		 "-p tcp 8080 10.0.0.2:80"},
		{{.type = IP_FWD_DIRECT, .protocol = 17, .low = 5, .high = 5}, "-d udp 5 5 -u"},
	};
	size_t wrong = 0, longest = 0, name = 0, n = 0;
	struct ip_autofw_user back;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ip_autofw_user user = cases[i].user;
		char text[COMMENT_MAX];

		if (user.where)
			user.where = inet_addr("10.0.0.2");
		entry_text(text, &user);
		is_str(text, cases[i].text, "the entry %s", cases[i].text);
		ok(entry_parse(&back, text, sizeof(text)) && same_entry(&back, &user),
		   "... and back");
		ok(entry_parse(&back, text, strlen(text)) && same_entry(&back, &user),
		   "... without its NUL");
	}

	/* every kind, with and without everything that an option adds, at its longest */
	for (unsigned int bits = 0; bits < 3u << 5; bits++) {
		bool control = bits & 1, untimed = bits & 2, insecure = bits & 4;
		struct ip_autofw_user user = {.type = (uint16_t)(1 + (bits >> 5)),
					      .protocol = bits & 8 ? 6 : 17};
		char text[COMMENT_MAX], contacts[CHAIN_NAME_MAX];

		if (user.type == IP_FWD_PORT)
			user.visible = user.hidden = 65535;
		else
			user.low = user.high = 65535;
		if (bits & 16 || user.type == IP_FWD_PORT)
			user.where = INADDR_BROADCAST;
		if (control) {
			user.ctlproto = 17;
			user.ctlport = 65535;
		}
		if (!untimed)
			user.flags |= IP_AUTOFW_USETIME;
		if (control && !insecure)
			user.flags |= IP_AUTOFW_SECURE;
		entry_text(text, &user);
		wrong += !entry_parse(&back, text, sizeof(text)) || !same_entry(&back, &user);
		wrong += entry_triggered(&user) != (user.type == IP_FWD_RANGE && control);
		longest = strlen(text) > longest ? strlen(text) : longest;
		contact_name(contacts, &user);
		name = strlen(contacts) > name ? strlen(contacts) : name;
		n++;
	}
	is_int((long long)wrong, 0, "%zu kinds of entries come back", n);
	ok(longest < COMMENT_MAX - 1, "... in %zu characters at most", longest);
	ok(name < CHAIN_NAME_MAX - 1, "... with names of %zu characters at most", name);
}

static void no_entries(void)
{
	static const char *const junk[] = {
		"",
		" ",
		"-",
		"r tcp 1 2",
		"-r",
		"-r tcp",
		"-r tcp 1",
		"-r tcp 1 2 3",
		"-r tcp 1 2 3 4 5 6 7 8 9",
		"-r tcp 0 2",
		"-r tcp 1 65536",
		"-r tcp -1 2",
		"-r icmp 1 2",
		"-rr tcp 1 2",
		"-r tcp 1 2 -h",
		"-r tcp 1 2 -h host",
		"-r tcp 1 2 -h 10.0.0.2 10.0.0.3",
		"-r tcp 1 2 -c tcp",
		"-r tcp 1 2 -c 80",
		"-r tcp 1 2 -c tcp 0",
		"-r tcp 1 2 -u 5",
		"-r tcp 1 2 -i now",
		"-r tcp 1 2 -x",
		"-p tcp 80",
		"-p tcp 80 10.0.0.2",
		"-p tcp 80 10.0.0.2:",
		"-p tcp 80 :80",
		"-p tcp 80 10.0.0.2:0",
		"-p tcp 80 host:80",
		"-h 10.0.0.2",
		"-c tcp 7070",
		"-u",
		"turns that had begun, once",
		"target 1 pref 10",
		"\xff\xfe",
	};
	static const char *const words[] = {"-r",  "-p", "-d",    "-h",       "-c",         "-u",
					    "-i",  "-",  "tcp",   "udp",      "1",          "65535",
					    "0",   "x",  ":",     "10.0.0.2", "10.0.0.2:1", "-x",
					    "tcp", "1",  "65535", "80"};
	size_t wrong = 0, good = 0, tried = 200000;
	struct ip_autofw_user user;
	char text[300];

	for (size_t i = 0; i < COUNT(junk); i++)
		ok(!entry_parse(&user, junk[i], strlen(junk[i])), "no entry: \"%s\"", junk[i]);
	memset(text, ' ', sizeof(text));
	memcpy(text, "-d tcp 1 2", 10);
	ok(entry_parse(&user, text, 20), "blanks at the end are nothing");
	ok(!entry_parse(&user, text, sizeof(text)), "but no comment is that long");

	/* whatever is taken for one has ports and protocols of one */
	for (size_t i = 0; i < tried; i++) {
		char *exact;
		size_t n = 0;

		while (any() % 8 && n < sizeof(text) - 12)
			n += (size_t)snprintf(text + n, 12, "%s ", words[any() % COUNT(words)]);
		exact = malloc(n + 1);
		memcpy(exact, text, n);
		exact[n] = 'x';
		if (entry_parse(&user, exact, n)) {
			good++;
			wrong += !user.type || user.type > IP_FWD_DIRECT || !user.protocol;
			wrong += user.ctlport && !user.ctlproto;
		}
		free(exact);
	}
	is_int((long long)wrong, 0, "%zu times junk", tried);
	ok(good > 0, "... of which %zu happen to be entries", good);
}

int main(void)
{
	facts();
	facts_at_random();
	foreign_facts();
	names();
	maps();
	key_bytes();
	places();
	entries();
	no_entries();
	return done_testing();
}
