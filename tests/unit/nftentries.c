// SPDX-License-Identifier: GPL-2.0-or-later
/* autofw's entries as comments: they come back from what was written, by this
 * version and by 0.5.0, and from nothing else. */
#include "entries.h"
#include "kind.h"
#include "services.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define HAS_RANGE (MASQ_HAS_PROTOCOL | MASQ_HAS_PORTS)
#define HAS_HOST (HAS_RANGE | MASQ_HAS_TARGET)
#define HAS_PORT (HAS_HOST | MASQ_HAS_TARGET_PORTS)
#define HAS_CONTROL (HAS_RANGE | MASQ_HAS_TRIGGER)

static struct masq_command entry(enum masq_form form, uint32_t has, uint8_t protocol,
				 uint16_t first, uint16_t last)
{
	return (struct masq_command){
		.size = sizeof(struct masq_command),
		.kind = MASQ_AUTOFW,
		.verb = MASQ_ADD,
		.form = form,
		.has = has,
		.protocol = protocol,
		.ports = {first, last},
	};
}

static struct masq_command with_host(struct masq_command c, uint32_t addr, uint16_t port)
{
	c.target = address_v4(htonl(addr));
	c.target_ports = (struct masq_ports){port, port};
	return c;
}

static struct masq_command with_control(struct masq_command c, uint8_t protocol, uint16_t port)
{
	c.trigger_protocol = protocol;
	c.trigger_port = port;
	return c;
}

static bool same_entry(const struct masq_command *a, const struct masq_command *b)
{
	return a->kind == b->kind && a->verb == b->verb && a->has == b->has &&
	       kind_autofw.matches(a, b);
}

static const char *print(char out[COMMENT_MAX], const struct masq_command *c)
{
	struct text t;

	memset(out, 'x', COMMENT_MAX);
	text_start(&t, out, COMMENT_MAX);
	kind_autofw.print(&t, c);
	return out;
}

/* In the chain that has such entries, and in no other one of these. */
static bool parse(struct masq_command *out, const char *text, size_t len)
{
	static const char *const chains[] = {CHAIN_RANGE, CHAIN_PORT, CHAIN_DIRECT};
	struct masq_command other;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(chains); i++) {
		if (!entry_parse(&other, FAMILY_IPV4, chains[i], text, len))
			continue;
		*out = other;
		n++;
		if (entry_parse(&other, FAMILY_IPV4, CHAIN_TRIGGER, text, len) !=
		    entry_is_triggered(out))
			return false;
	}
	return n == 1;
}

static bool is_entry(const char *text, size_t len, const struct masq_command *want)
{
	struct masq_command back;

	memset(&back, 0xa5, sizeof(back));
	return parse(&back, text, len) && same_entry(&back, want);
}

#define RANGE(has) entry(MASQ_RANGE, has, IPPROTO_UDP, 6970, 7170)
#define DIRECT(has) entry(MASQ_DIRECT, has, IPPROTO_UDP, 5, 5)
#define PORT(has) with_host(entry(MASQ_PORT, has, IPPROTO_TCP, 8080, 8080), 0x0a000002, 80)

static void there_and_back(void)
{
	const struct {
		struct masq_command c;
		const char *text;
	} cases[] = {
		{with_control(RANGE(HAS_CONTROL), 6, 7070), "-r udp 6970 7170 -c tcp 7070"},
		{with_control(RANGE(HAS_CONTROL | MASQ_UNTIMED), 6, 7070),
		 "-r udp 6970 7170 -c tcp 7070 -u"},
		{with_control(RANGE(HAS_CONTROL | MASQ_ANYONE), 6, 7070),
		 "-r udp 6970 7170 -c tcp 7070 -i"},
		/* in this order in the tables of version 0.5.0 */
		{with_control(RANGE(HAS_CONTROL | MASQ_UNTIMED | MASQ_ANYONE), 17, 177),
		 "-r udp 6970 7170 -c udp 177 -i -u"},
		{with_host(entry(MASQ_RANGE, HAS_HOST, 6, 1, 65535), 0x0a000002, 0),
		 "-r tcp 1 65535 -h 10.0.0.2"},
		{with_host(RANGE(HAS_HOST | MASQ_UNTIMED), 0x0a000002, 0),
		 "-r udp 6970 7170 -h 10.0.0.2 -u"},
		{PORT(HAS_PORT), "-p tcp 8080 10.0.0.2:80"},
		{PORT(HAS_PORT | MASQ_UNTIMED), "-p tcp 8080 10.0.0.2:80 -u"},
		{DIRECT(HAS_RANGE), "-d udp 5 5"},
		{DIRECT(HAS_RANGE | MASQ_UNTIMED), "-d udp 5 5 -u"},
		{with_host(DIRECT(HAS_HOST), 0xffffffff, 0), "-d udp 5 5 -h 255.255.255.255"},
		{with_control(DIRECT(HAS_CONTROL), 6, 7070), "-d udp 5 5 -c tcp 7070"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[COMMENT_MAX];

		is_str(print(text, &cases[i].c), cases[i].text, "%s", cases[i].text);
		ok(is_entry(cases[i].text, COMMENT_MAX, &cases[i].c), "... and back");
		ok(is_entry(cases[i].text, strlen(cases[i].text), &cases[i].c),
		   "... without its NUL");
	}
}

/* Every form, with and without everything that an option adds, at its
 * longest. */
static void longest(void)
{
	size_t wrong = 0, triggered = 0, text_most = 0, name_most = 0, n = 0;

	for (unsigned int bits = 0; bits < 3u << 5; bits++) {
		enum masq_form form = MASQ_RANGE + (bits >> 5);
		bool host = bits & 16 || form == MASQ_PORT, control = bits & 1;
		struct masq_command c = entry(form, HAS_RANGE, bits & 8 ? 6 : 17, 65535, 65535);
		char text[COMMENT_MAX], receivers[CHAIN_NAME_MAX];
		struct error e;

		if (form == MASQ_PORT && control)
			continue; /* there are none (old_ports) */
		if (host)
			c = with_host(c, UINT32_MAX, form == MASQ_PORT ? 65535 : 0);
		if (control)
			c = with_control(c, 17, 65535);
		c.has |= host ? MASQ_HAS_TARGET : 0;
		c.has |= form == MASQ_PORT ? MASQ_HAS_TARGET_PORTS : 0;
		c.has |= control ? MASQ_HAS_TRIGGER : 0;
		c.has |= bits & 2 ? MASQ_UNTIMED : 0;
		c.has |= control && bits & 4 ? MASQ_ANYONE : 0;
		/* what no command leads to need not come back */
		if (kind_validate(&e, &c) < 0)
			continue;
		print(text, &c);
		if (!is_entry(text, sizeof(text), &c)) {
			printf("# lost: %s\n", text);
			wrong++;
		}
		text_most = strlen(text) > text_most ? strlen(text) : text_most;
		triggered += entry_is_triggered(&c) != (form == MASQ_RANGE && control);
		entry_receivers_name(receivers, &c);
		if (control)
			wrong += !entry_owns(receivers);
		name_most = strlen(receivers) > name_most ? strlen(receivers) : name_most;
		n++;
	}
	is_int((long long)wrong, 0, "%zu kinds of entries come back", n);
	is_int((long long)triggered, 0, "... and are known to be triggered");
	ok(text_most < COMMENT_MAX - 1, "... in %zu characters at most", text_most);
	ok(name_most < CHAIN_NAME_MAX - 1, "... with names of %zu characters at most", name_most);
}

/* Whatever the library takes from a program, it finds again. */
static void from_programs(void)
{
	size_t wrong = 0, good = 0, tried = 20000;

	for (size_t i = 0; i < tried; i++) {
		uint16_t low = (uint16_t)any(65536), high = (uint16_t)(low + any(65536u - low));
		struct masq_command c =
			entry(MASQ_RANGE + any(3), HAS_RANGE, any(2) ? 6 : 17, low, high);
		char text[COMMENT_MAX];
		struct error e;

		c.has |= any(2) ? MASQ_UNTIMED : 0;
		c.has |= any(2) ? MASQ_ANYONE : 0;
		c.has |= any(2) ? MASQ_HAS_TARGET : 0;
		c.has |= any(2) ? MASQ_HAS_TARGET_PORTS : 0;
		c.has |= any(2) ? MASQ_HAS_TRIGGER : 0;
		if (c.has & MASQ_HAS_TARGET)
			c.target = address_v4(any(8) ? any(UINT32_MAX) : 0);
		if (c.has & MASQ_HAS_TARGET_PORTS)
			c.target_ports = (struct masq_ports){80, 80};
		if (c.has & MASQ_HAS_TRIGGER)
			c = with_control(c, any(2) ? 6 : 17, (uint16_t)any(65536));
		/* nf_tables has none of these (check_possible() in
		 * transport.c) */
		if (c.form == MASQ_PORT && c.has & MASQ_HAS_TRIGGER)
			continue;
		if (kind_validate(&e, &c) < 0)
			continue;
		good++;
		print(text, &c);
		if (is_entry(text, sizeof(text), &c))
			continue;
		if (wrong++ < 10)
			printf("# lost: form %d, has %#x: %s\n", (int)c.form, c.has, text);
	}
	is_int((long long)wrong, 0, "%zu commands that are valid come back from the table", good);
	ok(good > tried / 100, "... some of %zu", tried);
}

/* In any order of options, as people may edit them; -h after -p counts. */
static void orders(void)
{
	struct masq_command all =
		with_control(RANGE(HAS_CONTROL | MASQ_UNTIMED | MASQ_ANYONE), 6, 7070);
	struct masq_command host = with_host(RANGE(HAS_HOST), 0x0a000002, 0);
	static const char *const same_texts[] = {
		"-r udp 6970 7170 -c tcp 7070 -u -i",    "-r udp 6970 7170 -c tcp 7070 -i -u",
		"-u -i -r udp 6970 7170 -c tcp 7070",    "-c tcp 7070 -i -r udp 6970 7170 -u",
		"-r 17 6970 7170 -c 6 7070 -u -i",       " -r  udp 6970 7170 -c tcp 7070 -u  -i ",
		"-r udp 6970 7170 -c tcp 7070 -u -u -i",
	};

	for (size_t i = 0; i < COUNT(same_texts); i++)
		ok(is_entry(same_texts[i], strlen(same_texts[i]), &all), "\"%s\"", same_texts[i]);
	ok(is_entry("-h 10.0.0.2 -r udp 6970 7170", 28, &host), "the host first");
}

/* Version 0.5.0 took a control port for a single port and forwarded it for
 * everybody: its entries are those without. */
static void old_ports(void)
{
	struct masq_command plain = PORT(HAS_PORT), untimed = PORT(HAS_PORT | MASQ_UNTIMED);
	static const struct {
		const char *text;
		bool untimed;
	} cases[] = {
		{"-p tcp 8080 10.0.0.2:80 -c tcp 7070", false},
		{"-p tcp 8080 10.0.0.2:80 -c udp 65535 -i", false},
		{"-p tcp 8080 10.0.0.2:80 -c tcp 7070 -u", true},
		{"-p tcp 8080 10.0.0.2:80 -c tcp 7070 -u -i", true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct masq_command *want = cases[i].untimed ? &untimed : &plain;
		struct masq_command back;

		ok(parse(&back, cases[i].text, strlen(cases[i].text)) && same_entry(&back, want),
		   "of 0.5.0: \"%s\"", cases[i].text);
		ok(!back.trigger_port && !back.trigger_protocol && !entry_is_triggered(&back),
		   "... is not triggered");
	}
}

/* ---- what is no entry ---- */

static void no_entries(void)
{
	static const char *const junk[] = {
		"",
		" ",
		"-",
		"--",
		"r tcp 1 2",
		"-r",
		"-r tcp",
		"-r tcp 1",
		"-r tcp 1 2",
		"-r tcp 1 2 3",
		"-r tcp 1 2 3 4 5 6 7 8 9",
		"-r tcp 0 2 -h 10.0.0.2",
		"-r tcp 2 1 -h 10.0.0.2",
		"-r tcp 1 65536 -h 10.0.0.2",
		"-r tcp -1 2 -h 10.0.0.2",
		"-r tcp ftp http -h 10.0.0.2",
		"-r icmp 1 2 -h 10.0.0.2",
		"-rr tcp 1 2 -h 10.0.0.2",
		"-r tcp 1 2 -h",
		"-r tcp 1 2 -h host",
		"-r tcp 1 2 -h localhost",
		"-r tcp 1 2 -h 0.0.0.0",
		"-r tcp 1 2 -h ::1",
		"-r tcp 1 2 -h 10.0.0.2 10.0.0.3",
		"-r tcp 1 2 -h 10.0.0.2 -c tcp 7070",
		"-r tcp 1 2 -c tcp",
		"-r tcp 1 2 -c 80",
		"-r tcp 1 2 -c tcp 0",
		"-r tcp 1 2 -c tcp 80 -u 5",
		"-r tcp 1 2 -c tcp 80 -i now",
		"-r tcp 1 2 -c tcp 80 -x",
		"-r tcp 1 2 -c tcp 80 -v",
		"-r tcp 1 2 -c tcp 80 -D",
		"-r tcp 1 2 -c tcp 80 -F",
		"-r tcp 1 2 -c tcp 80 -L",
		"-r tcp 1 2 -c tcp 80 --help",
		"-r tcp 1 2 -c tcp 80 --dry-run",
		"-r tcp 1 2 -c tcp 80 -p tcp 80 10.0.0.2:80",
		"-p tcp 80",
		"-p tcp 80 10.0.0.2",
		"-p tcp 80 10.0.0.2:",
		"-p tcp 80 :80",
		"-p tcp 80 10.0.0.2:0",
		"-p tcp 80 0.0.0.0:80",
		"-p tcp 80 host:80",
		"-p tcp 0 10.0.0.2:80",
		"-d tcp 0 5",
		"-h 10.0.0.2",
		"-c tcp 7070",
		"-u",
		"-D",
		"-L",
		"-F",
		"--help",
		"turns that had begun, once",
		"target 1 pref 10",
		"\xff\xfe",
		"the ports of -d udp 5 5",
		"-d udp 5 5 for the printer",
	};
	char text[300];
	struct masq_command c;

	for (size_t i = 0; i < COUNT(junk); i++)
		ok(!parse(&c, junk[i], strlen(junk[i])), "no entry: \"%s\"", junk[i]);
	memset(text, ' ', sizeof(text));
	memcpy(text, "-d tcp 1 2", 10);
	ok(parse(&c, text, 20), "blanks at the end are nothing");
	ok(!parse(&c, text, sizeof(text)), "but no comment is that long");
	ok(!parse(&c, text, KIND_WORDS_MAX), "... nor this");
}

/* Whatever is taken for an entry is one, and is written as one. */
static void junk(void)
{
	static const char *const words[] = {
		"-r",         "-p",         "-d",         "-h",       "-c",    "-u", "-i",
		"-",          "tcp",        "udp",        "1",        "65535", "0",  "x",
		":",          "10.0.0.2",   "-x",         "tcp",      "1",     "-A", "65535 65535",
		"10.0.0.2:1", "-r tcp 1 2", "-d udp 1 2", "-c tcp 1",
	};
	size_t wrong = 0, good = 0, tried = 200000;

	for (size_t i = 0; i < tried; i++) {
		char line[200], again[COMMENT_MAX], *exact;
		struct masq_command c;
		struct error e;
		size_t n = 0;

		while (any(8) && n < sizeof(line) - 16)
			n += (size_t)snprintf(line + n, sizeof(line) - n, "%s ",
					      words[any(COUNT(words))]);
		/* exactly as long as it is, so that valgrind and ASan see what
		 * is read beyond */
		exact = malloc(n ? n : 1);
		if (!exact)
			abort();
		memcpy(exact, line, n);
		if (parse(&c, exact, n)) {
			good++;
			wrong += kind_validate(&e, &c) < 0 || c.kind != MASQ_AUTOFW ||
				 !is_entry(print(again, &c), sizeof(again), &c);
		}
		free(exact);
	}
	is_int((long long)wrong, 0, "%zu times junk", tried);
	ok(good > 0, "... of which %zu happen to be entries", good);
}

/* ---- names of receivers ---- */

static void names(void)
{
	struct masq_command c = with_control(RANGE(HAS_CONTROL), 6, 7070);
	static const char *const others[] = {
		"",
		"udp-6970-7170-by-tcp",
		"udp-6970-7170-by-tcp-",
		"udp-6970-7170-by-tcp-x",
		"udp-6970-7170",
		"udp-6970-7170-to-tcp-7070",
		"udp-x-7170-by-tcp-7070",
		"icmp-6970-7170-by-tcp-7070",
		"UDP-6970-7170-by-tcp-7070",
		"tcp-any-80",
		"tcp-198.51.100.1-80",
		"mark-7",
		"mark-7-to-10.0.0.2-80",
		"autofw_trigger",
		"portfw",
	};
	char name[CHAIN_NAME_MAX];

	entry_receivers_name(name, &c);
	is_str(name, "udp-6970-7170-by-tcp-7070", "the map of receivers");
	ok(entry_owns(name), "... is ours");
	for (size_t i = 0; i < COUNT(others); i++)
		ok(!entry_owns(others[i]), "\"%s\" is none", others[i]);
}

/* A name of ours to which somebody added something is not ours. */
static void nearly_names(void)
{
	static const char *const others[] = {
		"udp-6970-7170-by-tcp-7070-backup", "udp-6970-7170-by-tcp-7070x",
		"udp-6970-7170-by-tcp-07070",       "foo-6970-7170-by-bar-7070",
		"udp-70000-7170-by-tcp-7070",       "udp--1-7170-by-tcp-7070",
	};

	for (size_t i = 0; i < COUNT(others); i++)
		ok(!entry_owns(others[i]), "\"%s\" is somebody else's", others[i]);
}

int main(void)
{
	there_and_back();
	longest();
	from_programs();
	orders();
	old_ports();
	no_entries();
	junk();
	names();
	nearly_names();
	return done_testing();
}
