// SPDX-License-Identifier: GPL-2.0-or-later
/* What kinds print, they read; what they describe, refuse and answer. */
#include <errno.h>

#include "request.h"
#include "services.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool same_ports(const struct masq_ports *a, const struct masq_ports *b)
{
	return a->first == b->first && a->last == b->last;
}

static bool same_command(const struct masq_command *a, const struct masq_command *b)
{
	return a->size == b->size && a->kind == b->kind && a->verb == b->verb && a->has == b->has &&
	       a->form == b->form && a->protocol == b->protocol &&
	       same_ports(&a->ports, &b->ports) && address_equal(&a->local, &b->local) &&
	       a->mark == b->mark && address_equal(&a->target, &b->target) &&
	       same_ports(&a->target_ports, &b->target_ports) && a->pref == b->pref &&
	       a->trigger_protocol == b->trigger_protocol && a->trigger_port == b->trigger_port;
}

/* ---- any command that adds ---- */

static uint32_t any_number(uint32_t min, uint32_t max)
{
	switch (any(4)) {
	case 0:
		return min;
	case 1:
		return max;
	default:
		return max - min == UINT32_MAX ? any(UINT32_MAX) : min + any(max - min + 1);
	}
}

static uint16_t any_port(void)
{
	return (uint16_t)any_number(1, UINT16_MAX);
}

static uint8_t any_protocol(void)
{
	return any(2) ? IPPROTO_TCP : IPPROTO_UDP;
}

static struct masq_address any_host(void)
{
	return address_v4(htonl(any_number(1, UINT32_MAX)));
}

static void set_pref(struct masq_command *c)
{
	if (!any(3))
		return;
	c->has |= MASQ_HAS_PREF;
	c->pref = (int32_t)any_number(0, INT32_MAX);
}

static void make_range(struct masq_command *c)
{
	uint16_t highest =
		c->ports.first > c->target_ports.first ? c->ports.first : c->target_ports.first;
	uint16_t more = (uint16_t)any_number(0, UINT16_MAX - highest);

	c->ports.last = (uint16_t)(c->ports.last + more);
	if (c->has & MASQ_HAS_TARGET_PORTS)
		c->target_ports.last = (uint16_t)(c->target_ports.last + more);
}

static void any_portfw(struct masq_command *c)
{
	struct masq_address host = any_host();

	c->has |= MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL;
	c->protocol = any(4) ? any_protocol() : MASQ_TCP_UDP;
	c->local = any(4) ? any_host() : address_v4(0);
	command_set_port(c, any_port());
	if (any(4)) /* else it edits */
		command_set_target(c, &host, any_port());
	if (any(2))
		make_range(c);
	set_pref(c);
}

static void any_mfw(struct masq_command *c)
{
	struct masq_address host = any_host();

	c->has |= MASQ_HAS_MARK;
	c->mark = any_number(1, UINT32_MAX);
	command_set_target(c, &host, any(2) ? any_port() : 0);
	set_pref(c);
}

static void set_trigger(struct masq_command *c)
{
	c->has |= MASQ_HAS_TRIGGER | (any(2) ? MASQ_ANYONE : 0);
	c->trigger_protocol = any_protocol();
	c->trigger_port = any_port();
}

static void any_autofw(struct masq_command *c)
{
	struct masq_address host = any_host();
	bool trigger = any(2);

	c->has |= MASQ_HAS_PROTOCOL | MASQ_HAS_PORTS;
	c->form = (enum masq_form)(MASQ_RANGE + any(3));
	c->protocol = any_protocol();
	c->ports.first = c->ports.last = any_port();
	if (c->form != MASQ_PORT)
		c->ports.last = (uint16_t)any_number(c->ports.first, UINT16_MAX);
	if (trigger)
		set_trigger(c);
	/* -h and -c are mutually exclusive; -p names a host and takes -c */
	if (c->form == MASQ_PORT)
		command_set_target(c, &host, any_port());
	else if (!trigger && (c->form == MASQ_RANGE || any(2)))
		command_set_target(c, &host, 0);
	if (any(2))
		c->has |= MASQ_UNTIMED;
}

static void any_reach(struct masq_command *c)
{
	c->form = any(2) ? MASQ_INSIDE : MASQ_OWN;
}

static struct masq_command any_command(const struct kind *k)
{
	static void (*const fill[])(struct masq_command *) = {
		[MASQ_PORTFW] = any_portfw,
		[MASQ_MFW] = any_mfw,
		[MASQ_AUTOFW] = any_autofw,
		[MASQ_REACH] = any_reach,
	};
	struct masq_command c = {.size = sizeof(c), .kind = k->id, .verb = MASQ_ADD};

	fill[k->id](&c);
	return c;
}

/* ---- round trips ---- */

static size_t print(const struct masq_command *c, char buf[KIND_WORDS_MAX])
{
	struct text t;

	text_start(&t, buf, KIND_WORDS_MAX);
	kinds[c->kind]->print(&t, c);
	return (size_t)(t.at - t.start);
}

/* Also what -A or -a and the printed words make of it on a command line. */
static bool read_as_line(struct masq_command *c, const struct kind *k, const char *words)
{
	char line[KIND_WORDS_MAX + 16], *argv[24], *save = NULL;
	struct request req;
	int argc = 0;

	snprintf(line, sizeof(line), "%s -%c %s", k->name, k->add, words);
	for (char *w = strtok_r(line, " ", &save); w && argc < 23; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	if (request_read(&req, k, argc, argv))
		return false;
	*c = req.command;
	return true;
}

/* Whether only k reads these words, and not with a word more or less. */
static bool only(const struct kind *k, const char *words, size_t len)
{
	char copy[KIND_WORDS_MAX + 8];
	struct masq_command c;

	for (const struct kind *const *other = kinds; *other; other++)
		if (*other != k && kind_read_text(*other, &c, words, len))
			return false;
	snprintf(copy, sizeof(copy), "%s x", words);
	return !kind_read_text(k, &c, copy, strlen(copy));
}

static void round_trips(const struct kind *k)
{
	const size_t tried = 20000;
	size_t invalid = 0, wrong = 0, line_wrong = 0, shared = 0, longest = 0;

	for (size_t i = 0; i < tried; i++) {
		struct masq_command c = any_command(k), back;
		char words[KIND_WORDS_MAX], *exact;
		size_t len = print(&c, words);
		struct error e;

		exact = malloc(len);
		memcpy(exact, words, len);
		invalid += kind_validate(&e, &c) != 0;
		wrong += !kind_read_text(k, &back, exact, len) || !same_command(&c, &back);
		line_wrong += !read_as_line(&back, k, words) || !same_command(&c, &back);
		shared += !only(k, words, len);
		longest = len > longest ? len : longest;
		free(exact);
	}
	is_int((long long)invalid, 0, "%s: %zu commands are valid", k->name, tried);
	is_int((long long)wrong, 0, "... what is printed is read as the same");
	is_int((long long)line_wrong, 0, "... on a command line, too");
	is_int((long long)shared, 0, "... by this kind alone, and nothing more");
	ok(longest < 100, "... in %zu characters", longest);
}

/* Whatever is read is no more than what it was cut down to. */
static void junk(const struct kind *k)
{
	size_t wrong = 0, taken = 0;

	for (size_t i = 0; i < 20000; i++) {
		struct masq_command c = any_command(k), back;
		char words[KIND_WORDS_MAX], again[KIND_WORDS_MAX];
		size_t len = print(&c, words), at = any((uint32_t)len);

		if (any(2))
			words[at] = (char)any(256);
		else
			len = at;
		if (!kind_read_text(k, &back, words, len))
			continue;
		taken++;
		/* what was understood is printed, and read as the same */
		wrong += !kind_read_text(k, &c, again, print(&back, again)) ||
			 !same_command(&c, &back);
	}
	ok(!wrong && taken, "%s: %zu of 20000 damaged texts are taken, for what they say", k->name,
	   taken);
}

static void no_text(void)
{
	static const struct {
		const struct kind *kind;
		const char *text;
	} cases[] = {
		{&kind_portfw, ""},
		{&kind_portfw, " "},
		{&kind_portfw, "-P tcp"},
		{&kind_portfw, "-P tcp -L localhost 80"},
		{&kind_portfw, "-P tcp -L 10.0.0.1 http"},
		{&kind_portfw, "-P tcp -L 10.0.0.1 80 -n"},
		{&kind_portfw, "-P tcp -L 10.0.0.1 80 --help"},
		{&kind_portfw, "-P tcp -L 10.0.0.1 80 -d"},
		{&kind_portfw, "-f"},
		{&kind_portfw, "-l"},
		{&kind_mfw, "-m 1"},
		{&kind_mfw, "-m 1 -r 0.0.0.0"},
		{&kind_mfw, "-m 1 -r 10.0.0.1 80 -I"},
		{&kind_autofw, "-r tcp 1 2"},
		{&kind_autofw, "-r tcp 2 1 -h 10.0.0.1"},
		{&kind_autofw, "-h"},
		{&kind_autofw, "-A"},
	};
	static char long_text[KIND_WORDS_MAX + 1];
	struct masq_command c;

	for (size_t i = 0; i < COUNT(cases); i++)
		ok(!kind_read_text(cases[i].kind, &c, cases[i].text, strlen(cases[i].text)),
		   "\"%s\" adds nothing to %s", cases[i].text, cases[i].kind->name);
	memset(long_text, '-', sizeof(long_text) - 1);
	ok(!kind_read_text(&kind_portfw, &c, long_text, sizeof(long_text)), "nor does a long text");
	memset(long_text, ' ', sizeof(long_text) - 1);
	memcpy(long_text, "-P tcp -L 10.0.0.1 80", 21);
	ok(kind_read_text(&kind_portfw, &c, long_text, KIND_WORDS_MAX - 1), "blanks at the end do");
	ok(kind_read_text(&kind_portfw, &c, "-P tcp -L 10.0.0.1 80\0-d", 25), "and a NUL ends it");
}

/* ---- words ---- */

static struct masq_command read_line(const char *line)
{
	char copy[256], *argv[24];
	struct request req;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word && argc < 23; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	if (request_read(&req, kind_find(argv[0]), argc, argv) || req.action == ACT_HELP) {
		fprintf(stderr, "# %s: %s\n", line, req.error.text);
		abort();
	}
	return req.command;
}

static void descriptions(void)
{
	static const char *const cases[][2] = {
		{"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080 -p 3",
		 "tcp 198.51.100.1:80 to 10.0.0.2:8080"},
		{"portfw -d -P udp -L 0.0.0.0 53", "udp 0.0.0.0:53"},
		{"portfw -d -P udp,tcp -L 0.0.0.0 53", "tcp,udp 0.0.0.0:53"},
		{"portfw -a -P tcp -L 198.51.100.1 8000-8100 -R 10.0.0.2 9000-9100",
		 "tcp 198.51.100.1:8000-8100 to 10.0.0.2:9000-9100"},
		{"portfw -d -P tcp -L 198.51.100.1 80-81 -R 0.0.0.0 90-91",
		 "tcp 198.51.100.1:80-81 to port 90-91 of any host"},
		{"portfw -d -P tcp -L 198.51.100.1 80 -R 0.0.0.0 81",
		 "tcp 198.51.100.1:80 to port 81 of any host"},
		{"portfw -f", "everything"},
		{"mfw -A -m 0x10 -r 10.0.0.2 80", "mark 16 to 10.0.0.2:80"},
		{"mfw -D -m 4294967295 -r 10.0.0.2", "mark 4294967295 to 10.0.0.2"},
		{"mfw -E -m 1 -r 0.0.0.0 80", "mark 1 to port 80 of any host"},
		{"mfw -S -m 1", "mark 1"},
		{"mfw -F", "everything"},
		{"autofw -A -r udp 6970 7170 -c tcp 7070", "range udp 6970-7170 control tcp 7070"},
		{"autofw -A -r udp 1 1 -h 10.0.0.2", "range udp 1-1 to 10.0.0.2"},
		{"autofw -A -p tcp 8080 10.0.0.2:80", "port tcp 8080 to 10.0.0.2:80"},
		{"autofw -A -p tcp 8080 10.0.0.2:80 -c udp 53 -u -i",
		 "port tcp 8080 to 10.0.0.2:80 control udp 53"},
		{"autofw -A -d udp 1 65535", "direct udp 1-65535"},
		{"autofw -A -d udp 1 2 -h 10.0.0.2", "direct udp 1-2 to 10.0.0.2"},
		{"autofw -F", "everything"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct masq_command c = read_line(cases[i][0]);
		char words[KIND_WORDS_MAX];

		is_str(kind_describe(words, &c), cases[i][1], "%s", cases[i][0]);
	}
}

/* The longest words fit. */
static void longest(void)
{
	static const char *const lines[] = {
		"portfw -a -P tcp,udp -L 255.255.255.255 10000-65535 -R 255.255.255.255 "
		"10000-65535 -p "
		"2147483647",
		"mfw -A -m 4294967295 -r 255.255.255.255 65535 -p 2147483647",
		"autofw -A -p udp 65535 255.255.255.255:65535 -c udp 65535 -i -u",
		"autofw -A -d udp 65535 65535 -h 255.255.255.255 -u",
	};

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct masq_command c = read_line(lines[i]);
		char words[KIND_WORDS_MAX], line[KIND_WORDS_MAX + 16];

		print(&c, words);
		snprintf(line, sizeof(line), "%s -%c %s", kinds[c.kind]->name, kinds[c.kind]->add,
			 words);
		is_str(line, lines[i], "printed as it was given");
	}
}

static void failures(void)
{
	static const struct {
		const char *line;
		int err, result;
		const char *text;
	} cases[] = {
		{"portfw -d -P tcp -L 10.0.0.1 80", -ESRCH, -ESRCH,
		 "no forward on tcp 10.0.0.1:80"},
		{"portfw -a -P tcp -L 10.0.0.1 80 -p 3", -EDESTADDRREQ, -EINVAL,
		 "no forward on tcp 10.0.0.1:80 to edit, and no target to add: give one with "
		 "-R RADDR RPORT"},
		{"mfw -D -m 7 -r 10.0.0.2", -ESRCH, -ESRCH, "no forward on mark 7 to 10.0.0.2"},
		{"autofw -D -d tcp 1 2", -ESRCH, -ESRCH, "no entry direct tcp 1-2"},
		{"mfw -A -m 7 -r 10.0.0.2", -EOVERFLOW, -EOVERFLOW,
		 "mark 7 to 10.0.0.2: the prefs of all targets must add up to less than "
		 "4294967296"},
		{"mfw -A -m 7 -r 10.0.0.2", -ENOMEM, -ENOMEM, "as it was"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct masq_command c = read_line(cases[i].line);
		struct error e = {.text = "as it was"};

		is_int(kind_fail(&e, &c, cases[i].err), cases[i].result, "%s", cases[i].line);
		is_str(e.text, cases[i].text, "... and why");
	}
}

/* What a program can ask for and a command line cannot. */
static void refusals(void)
{
	const struct masq_address none = {0}, host = address_v4(htonl(0x0a000002));
	const struct {
		const char *text;
		struct masq_command c;
	} cases[] = {
		{"no kind 4", {.kind = (enum masq_kind)4, .verb = MASQ_ADD}},
		{"no kind -1", {.kind = (enum masq_kind) - 1, .verb = MASQ_ADD}},
		{"portfw has no command 2", {.kind = MASQ_PORTFW, .verb = MASQ_INSERT}},
		{"portfw has no command 4", {.kind = MASQ_PORTFW, .verb = MASQ_EDIT}},
		{"autofw has no command 5", {.kind = MASQ_AUTOFW, .verb = MASQ_SCHEDULE}},
		{"mfw has no command 7", {.kind = MASQ_MFW, .verb = (enum masq_verb)7}},
		{"mfw has no command -1", {.kind = MASQ_MFW, .verb = (enum masq_verb) - 1}},
		{"protocol 0 is neither tcp (6) nor udp (17)",
		 {.kind = MASQ_PORTFW, .verb = MASQ_ADD, .ports = {80, 80}}},
		{"local port 0: give one from 1 to 65535",
		 {.kind = MASQ_PORTFW, .verb = MASQ_DELETE, .protocol = 6}},
		{"ports 90-80: the lower one comes first",
		 {.kind = MASQ_PORTFW, .verb = MASQ_DELETE, .protocol = 6, .ports = {90, 80}}},
		{"port 9000 for the ports 80-90: give as many, 9000-9010",
		 {.kind = MASQ_PORTFW,
		  .verb = MASQ_ADD,
		  .has = MASQ_HAS_TARGET_PORTS,
		  .protocol = 6,
		  .ports = {80, 90},
		  .target_ports = {9000, 9000}}},
		{"pref -1: give one from 0 to 2147483647",
		 {.kind = MASQ_PORTFW,
		  .verb = MASQ_ADD,
		  .has = MASQ_HAS_PREF,
		  .protocol = 6,
		  .ports = {80, 80},
		  .pref = -1}},
		{"mark 0 is no mark: give one from 1 to 4294967295",
		 {.kind = MASQ_MFW, .verb = MASQ_DELETE}},
		{"0.0.0.0 is no host to forward to",
		 {.kind = MASQ_MFW,
		  .verb = MASQ_INSERT,
		  .has = MASQ_HAS_TARGET,
		  .mark = 1,
		  .target = none}},
		{"pref -5: give one from 0 to 2147483647",
		 {.kind = MASQ_MFW,
		  .verb = MASQ_EDIT,
		  .has = MASQ_HAS_PREF,
		  .mark = 1,
		  .pref = -5}},
		{"type 0 is neither range (1), port (2) nor direct (3)",
		 {.kind = MASQ_AUTOFW, .verb = MASQ_DELETE, .protocol = 6}},
		{"type 4 is neither range (1), port (2) nor direct (3)",
		 {.kind = MASQ_AUTOFW, .verb = MASQ_ADD, .protocol = 6, .form = (enum masq_form)4}},
		{"a range needs either a host or a control port",
		 {.kind = MASQ_AUTOFW,
		  .verb = MASQ_ADD,
		  .protocol = 6,
		  .form = MASQ_RANGE,
		  .ports = {1, 2}}},
		{"a range needs either a host or a control port",
		 {.kind = MASQ_AUTOFW,
		  .verb = MASQ_ADD,
		  .has = MASQ_HAS_TARGET | MASQ_HAS_TRIGGER,
		  .protocol = 6,
		  .form = MASQ_RANGE,
		  .ports = {1, 2},
		  .target = host,
		  .trigger_protocol = 6,
		  .trigger_port = 1}},
		{"control port 0: give one from 1 to 65535",
		 {.kind = MASQ_AUTOFW,
		  .verb = MASQ_ADD,
		  .has = MASQ_HAS_TRIGGER,
		  .protocol = 6,
		  .form = MASQ_RANGE,
		  .ports = {1, 2},
		  .trigger_protocol = 6}},
		{"protocol 1 is neither tcp (6) nor udp (17)",
		 {.kind = MASQ_AUTOFW,
		  .verb = MASQ_ADD,
		  .has = MASQ_HAS_TRIGGER,
		  .protocol = 6,
		  .form = MASQ_RANGE,
		  .ports = {1, 2},
		  .trigger_protocol = 1,
		  .trigger_port = 1}},
		{"port 0: give one from 1 to 65535",
		 {.kind = MASQ_AUTOFW,
		  .verb = MASQ_ADD,
		  .protocol = 6,
		  .form = MASQ_PORT,
		  .ports = {1, 1}}},
		{"ports 2-1: the lower one comes first",
		 {.kind = MASQ_AUTOFW,
		  .verb = MASQ_ADD,
		  .protocol = 6,
		  .form = MASQ_DIRECT,
		  .ports = {2, 1}}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error e = {""};

		is_int(kind_validate(&e, &cases[i].c), -EINVAL, "%s", cases[i].text);
		is_str(e.text, cases[i].text, "... is why");
	}
}

int main(void)
{
	for (const struct kind *const *k = kinds; *k; k++) {
		round_trips(*k);
		junk(*k);
	}
	no_text();
	descriptions();
	longest();
	failures();
	refusals();
	return done_testing();
}
