// SPDX-License-Identifier: GPL-2.0-or-later
/* What each command line does to the tables, with neither kernel nor root. */
#include <errno.h>

#include "request.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* "tcp 198.51.100.1:80 > 10.0.0.2:8080 9/10, 10.0.0.3:80 1/1; mark 1 > ...", in
 * the order in which services were first seen; entries by their options. */
static const char *shown(const struct table *t)
{
	static char out[4096];
	FILE *f = fmemopen(out, sizeof(out), "w");
	const char *between = "";

	out[0] = '\0';
	for (size_t i = 0; i < t->n; i++) {
		const struct service *s = &t->services[i];
		char addr[ADDRESS_TEXT_MAX];

		if (!s->n)
			continue;
		if (s->key.kind == MASQ_MFW)
			fprintf(f, "%smark %u >", between, s->key.mark);
		else
			fprintf(f, "%s%s %s:%u >", between, masq_protocol_name(s->key.protocol),
				address_text(addr, &s->key.local), s->key.port);
		for (size_t j = 0; j < s->n; j++)
			fprintf(f, "%s %s:%u %u/%u", j ? "," : "",
				address_text(addr, &service_target(s, j)->addr),
				service_target(s, j)->port, service_target(s, j)->left,
				service_target(s, j)->pref);
		between = "; ";
	}
	for (size_t i = 0; i < t->n_entries; i++) {
		char words[KIND_WORDS_MAX];
		struct text text;

		if (t->entries[i].gone)
			continue;
		text_start(&text, words, sizeof(words));
		kind_autofw.print(&text, &t->entries[i].forward);
		fprintf(f, "%s%s", between, words);
		between = "; ";
	}
	fclose(f);
	return out;
}

static struct masq_command read_line(const char *line)
{
	char copy[256], *argv[24];
	struct request req;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word && argc < 23; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	if (request_read(&req, kind_find(argv[0]), argc, argv) || req.action != ACT_DO) {
		fprintf(stderr, "# %s: %s\n", line, req.error.text);
		abort();
	}
	return req.command;
}

static int apply(struct table *t, const char *line)
{
	struct masq_command c = read_line(line);
	struct error e;

	return kind_validate(&e, &c) ? -EBADMSG : kind_apply(t, &c);
}

/* Lines that succeed, and what they leave. */
struct story {
	const char *what;
	const char *lines[8];
	const char *state;
};

static const struct story stories[] = {
	{"the newest is served first",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 3"},
	 "tcp 198.51.100.1:80 > 10.0.0.3:80 3/3, 10.0.0.2:80 10/10"},
	{"the same line twice is once",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80"},
	 "tcp 198.51.100.1:80 > 10.0.0.3:80 10/10, 10.0.0.2:80 10/10"},
	{"another pref is an edit",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 7"},
	 "tcp 198.51.100.1:80 > 10.0.0.3:80 10/10, 10.0.0.2:80 7/7"},
	{"protocol, address and port are a service",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.2 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80",
	  "portfw -d -P tcp -L 198.51.100.1 80"},
	 "udp 198.51.100.1:80 > 10.0.0.2:80 10/10; tcp 198.51.100.2:80 > 10.0.0.2:80 10/10; "
	 "tcp 198.51.100.1:81 > 10.0.0.2:80 10/10"},
	{"without a target, an add edits all of a service",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -p 4"},
	 "tcp 198.51.100.1:80 > 10.0.0.3:80 4/4, 10.0.0.2:80 4/4"},
	{"without a target, -d deletes all of a service",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80",
	  "portfw -a -P tcp -L 198.51.100.2 80 -R 10.0.0.2 80",
	  "portfw -d -P tcp -L 198.51.100.1 80"},
	 "tcp 198.51.100.2:80 > 10.0.0.2:80 10/10"},

	{"a target given to 0.0.0.0 is one of any address, whatever the others have",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 3",
	  "portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80 -p 5"},
	 "tcp 198.51.100.1:80 > 10.0.0.2:80 3/3; tcp 0.0.0.0:80 > 10.0.0.2:80 5/5"},
	{"... and edits that one alone",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 3",
	  "portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80 -p 5",
	  "portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80 -p 6"},
	 "tcp 198.51.100.1:80 > 10.0.0.2:80 3/3; tcp 0.0.0.0:80 > 10.0.0.2:80 6/6"},
	{"a pref given to 0.0.0.0 is one for every address",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 3",
	  "portfw -a -P tcp -L 198.51.100.2 80 -R 10.0.0.3 80 -p 3",
	  "portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.4 80 -p 5",
	  "portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 3",
	  "portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80 -p 3",
	  "portfw -a -P tcp -L 0.0.0.0 80 -p 8"},
	 "tcp 198.51.100.1:80 > 10.0.0.2:80 8/8; tcp 198.51.100.2:80 > 10.0.0.3:80 8/8; "
	 "tcp 0.0.0.0:80 > 10.0.0.4:80 8/8; udp 198.51.100.1:80 > 10.0.0.2:80 3/3; "
	 "tcp 198.51.100.1:81 > 10.0.0.2:80 3/3"},
	{"a delete on 0.0.0.0 is one on every address",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.2 80 -R 10.0.0.3 80",
	  "portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.4 80",
	  "portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80", "portfw -d -P tcp -L 0.0.0.0 80"},
	 "udp 198.51.100.1:80 > 10.0.0.2:80 10/10; tcp 198.51.100.1:81 > 10.0.0.2:80 10/10"},
	{"... of that target, if one is given",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80",
	  "portfw -a -P tcp -L 198.51.100.2 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80",
	  "portfw -d -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80"},
	 "tcp 198.51.100.1:80 > 10.0.0.3:80 10/10"},
	{"a delete on an address leaves any address alone",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80", "portfw -d -P tcp -L 198.51.100.1 80"},
	 "tcp 0.0.0.0:80 > 10.0.0.2:80 10/10"},

	{"both protocols are two forwards",
	 {"portfw -a -P tcp,udp -L 198.51.100.1 53 -R 10.0.0.2 54",
	  "portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.3 54 -p 3",
	  "portfw -a -P udp,tcp -L 198.51.100.1 53 -R 10.0.0.2 54 -p 4"},
	 "tcp 198.51.100.1:53 > 10.0.0.2:54 4/4; "
	 "udp 198.51.100.1:53 > 10.0.0.3:54 3/3, 10.0.0.2:54 4/4"},
	{"... of which -d and an edit take what is there",
	 {"portfw -a -P tcp,udp -L 198.51.100.1 53 -R 10.0.0.2 54",
	  "portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P udp -L 198.51.100.1 81 -R 10.0.0.2 81",
	  "portfw -d -P tcp -L 198.51.100.1 53", "portfw -d -P tcp,udp -L 198.51.100.1 53",
	  "portfw -d -P tcp,udp -L 0.0.0.0 80", "portfw -a -P tcp,udp -L 198.51.100.1 81 -p 7"},
	 "udp 198.51.100.1:81 > 10.0.0.2:81 7/7"},

	{"a range is a forward for each port",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 90",
	  "portfw -a -P tcp -L 198.51.100.1 80-82 -R 10.0.0.2 90-92 -p 3",
	  "portfw -a -P tcp -L 198.51.100.1 81-82 -R 10.0.0.2 91-92 -p 4"},
	 "tcp 198.51.100.1:80 > 10.0.0.2:90 3/3, 10.0.0.3:90 10/10; "
	 "tcp 198.51.100.1:81 > 10.0.0.2:91 4/4; tcp 198.51.100.1:82 > 10.0.0.2:92 4/4"},
	{"... of which -d takes what is there, with the target port that belongs to it",
	 {"portfw -a -P tcp,udp -L 198.51.100.1 80-83 -R 10.0.0.2 90-93",
	  "portfw -d -P tcp,udp -L 198.51.100.1 1-80 -R 10.0.0.2 11-90",
	  "portfw -d -P udp -L 198.51.100.1 81-65535",
	  "portfw -a -P tcp -L 198.51.100.1 83 -R 10.0.0.2 92",
	  "portfw -d -P tcp -L 198.51.100.1 82-83 -R 10.0.0.2 91-92"},
	 "tcp 198.51.100.1:81 > 10.0.0.2:91 10/10; tcp 198.51.100.1:82 > 10.0.0.2:92 10/10; "
	 "tcp 198.51.100.1:83 > 10.0.0.2:93 10/10"},
	{"... and 0.0.0.0 each address",
	 {"portfw -a -P tcp -L 198.51.100.1 80-82 -R 10.0.0.2 90-92",
	  "portfw -a -P tcp -L 198.51.100.2 81 -R 10.0.0.2 91",
	  "portfw -a -P tcp -L 198.51.100.2 82 -R 10.0.0.2 82",
	  "portfw -a -P tcp,udp -L 0.0.0.0 81-90 -p 5",
	  "portfw -d -P tcp -L 0.0.0.0 79-81 -R 0.0.0.0 89-91"},
	 "tcp 198.51.100.1:82 > 10.0.0.2:92 5/5; tcp 198.51.100.2:82 > 10.0.0.2:82 5/5"},

	{"-p 0 drains a target",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 0"},
	 "tcp 198.51.100.1:80 > 10.0.0.2:80 10/10, 10.0.0.3:80 0/0"},
	{"... and all of a service, which the head then serves",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80",
	  "portfw -a -P tcp -L 198.51.100.1 80 -p 0"},
	 "tcp 198.51.100.1:80 > 10.0.0.3:80 0/0, 10.0.0.2:80 0/0"},

	{"mfw -A goes last, -I first, the same twice is two",
	 {"mfw -A -m 1 -r 10.0.0.2 80", "mfw -A -m 1 -r 10.0.0.3 -p 2",
	  "mfw -I -m 1 -r 10.0.0.4 80 -p 1", "mfw -I -m 1 -r 10.0.0.5 80",
	  "mfw -A -m 1 -r 10.0.0.2 80"},
	 "mark 1 > 10.0.0.5:80 10/10, 10.0.0.4:80 1/1, 10.0.0.2:80 10/10, 10.0.0.3:0 2/2, "
	 "10.0.0.2:80 10/10"},
	{"mfw -E and -D take all that match",
	 {"mfw -A -m 1 -r 10.0.0.2 80", "mfw -A -m 1 -r 10.0.0.2 81", "mfw -A -m 1 -r 10.0.0.3 80",
	  "mfw -A -m 2 -r 10.0.0.2 80", "mfw -E -m 1 -r 10.0.0.2 -p 4", "mfw -D -m 1 -r 10.0.0.3",
	  "mfw -E -m 2 -p 5"},
	 "mark 1 > 10.0.0.2:80 4/4, 10.0.0.2:81 4/4; mark 2 > 10.0.0.2:80 5/5"},
	{"mfw -S",
	 {"mfw -A -m 1 -r 10.0.0.2", "mfw -A -m 1 -r 10.0.0.3", "mfw -S -m 1"},
	 "mark 1 > 10.0.0.3:0 10/10, 10.0.0.2:0 10/10"},
	{"-p 0 drains and -E restores",
	 {"mfw -A -m 1 -r 10.0.0.2", "mfw -A -m 1 -r 10.0.0.3", "mfw -E -m 1 -r 10.0.0.2 -p 0",
	  "mfw -S -m 1", "mfw -E -m 1 -r 10.0.0.2 -p 3", "mfw -S -m 1"},
	 "mark 1 > 10.0.0.2:0 3/3, 10.0.0.3:0 10/10"},

	{"a flush is of its own kind",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80", "mfw -A -m 1 -r 10.0.0.2",
	  "autofw -A -d tcp 1 2", "portfw -f"},
	 "mark 1 > 10.0.0.2:0 10/10; -d tcp 1 2"},
	{"... mfw's",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80", "mfw -A -m 1 -r 10.0.0.2",
	  "autofw -A -d tcp 1 2", "mfw -F"},
	 "tcp 198.51.100.1:80 > 10.0.0.2:80 10/10; -d tcp 1 2"},
	{"... autofw's",
	 {"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80", "autofw -A -d tcp 1 2",
	  "autofw -A -d tcp 1 3", "autofw -F"},
	 "tcp 198.51.100.1:80 > 10.0.0.2:80 10/10"},
	{"a flush of nothing, and adding after it",
	 {"portfw -f", "mfw -F", "autofw -F", "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	  "portfw -f", "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 1"},
	 "tcp 198.51.100.1:80 > 10.0.0.3:80 1/1"},

	{"autofw: the newest first",
	 {"autofw -A -d tcp 1 2", "autofw -A -d tcp 1 3", "autofw -A -r tcp 1 4 -h 10.0.0.2"},
	 "-r tcp 1 4 -h 10.0.0.2; -d tcp 1 3; -d tcp 1 2"},
	{"autofw: the same line twice is once, where it was",
	 {"autofw -A -r tcp 1 2 -c tcp 7070", "autofw -A -r tcp 1 3 -c tcp 7070",
	  "autofw -A -r tcp 1 2 -c tcp 7070"},
	 "-r tcp 1 3 -c tcp 7070; -r tcp 1 2 -c tcp 7070"},
	{"autofw: with other flags it is the newest",
	 {"autofw -A -r tcp 1 2 -c tcp 7070", "autofw -A -r tcp 1 3 -c tcp 7070",
	  "autofw -A -r tcp 1 2 -c tcp 7070 -i"},
	 "-r tcp 1 2 -c tcp 7070 -i; -r tcp 1 3 -c tcp 7070"},
	{"autofw -d takes a host",
	 {"autofw -A -d udp 1 2 -h 10.0.0.2", "autofw -A -d udp 1 2"},
	 "-d udp 1 2; -d udp 1 2 -h 10.0.0.2"},
	{"autofw -D goes by all but flags",
	 {"autofw -A -r tcp 1 2 -c tcp 7070 -iu", "autofw -A -r udp 1 2 -c tcp 7070",
	  "autofw -A -r tcp 1 2 -c udp 7070", "autofw -D -r tcp 1 2 -c tcp 7070"},
	 "-r tcp 1 2 -c udp 7070; -r udp 1 2 -c tcp 7070"},
};

static void tell(const struct story *story)
{
	struct table t = {0};
	int err = 0;

	for (size_t i = 0; i < COUNT(story->lines) && story->lines[i]; i++) {
		int this = apply(&t, story->lines[i]);

		if (this)
			fprintf(stderr, "# %s: %d\n", story->lines[i], this);
		err |= this;
	}
	is_str(err ? "a line that fails" : shown(&t), story->state, "%s", story->what);
	table_free(&t);
}

/* Lines that find nothing, or go too far, after one that succeeds. */
static void refusals(void)
{
	static const struct {
		const char *first, *then;
		int err;
	} cases[] = {
		{NULL, "portfw -d -P tcp -L 198.51.100.1 80", -ESRCH},
		{NULL, "portfw -d -P tcp -L 0.0.0.0 80", -ESRCH},
		{NULL, "portfw -d -P tcp,udp -L 198.51.100.1 80", -ESRCH},
		{"portfw -a -P tcp -L 198.51.100.1 80-90 -R 10.0.0.2 80-90",
		 "portfw -d -P tcp -L 198.51.100.1 91-65535", -ESRCH},
		{"portfw -a -P tcp -L 198.51.100.1 80-90 -R 10.0.0.2 80-90",
		 "portfw -d -P tcp -L 0.0.0.0 80-90 -R 10.0.0.2 81-91", -ESRCH},
		{NULL, "portfw -a -P tcp -L 198.51.100.1 1-65535 -p 3", -EDESTADDRREQ},
		{NULL, "portfw -d -P tcp,udp -L 0.0.0.0 80", -ESRCH},
		{NULL, "portfw -a -P tcp,udp -L 198.51.100.1 80 -p 10", -EDESTADDRREQ},
		{NULL, "portfw -a -P tcp,udp -L 0.0.0.0 80 -p 10", -EDESTADDRREQ},
		{NULL, "portfw -a -P tcp -L 198.51.100.1 80 -p 10", -EDESTADDRREQ},
		{NULL, "portfw -a -P tcp -L 0.0.0.0 80 -p 10", -EDESTADDRREQ},
		{"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
		 "portfw -d -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80", -ESRCH},
		{"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
		 "portfw -d -P tcp -L 0.0.0.0 80 -R 10.0.0.2 81", -ESRCH},
		{"portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80",
		 "portfw -d -P tcp -L 198.51.100.1 80", -ESRCH},
		{"portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80",
		 "portfw -a -P tcp -L 198.51.100.1 80 -p 3", -EDESTADDRREQ},
		{"mfw -A -m 1 -r 10.0.0.2", "mfw -D -m 2", -ESRCH},
		{"mfw -A -m 1 -r 10.0.0.2", "mfw -E -m 2 -p 1", -ESRCH},
		{"mfw -A -m 1 -r 10.0.0.2", "mfw -S -m 2", -ESRCH},
		{"mfw -A -m 1 -r 10.0.0.2", "mfw -D -m 1 -r 10.0.0.2 80", -ESRCH},
		{"mfw -A -m 1 -r 10.0.0.2", "mfw -E -m 1 -r 10.0.0.3 -p 1", -ESRCH},
		{"autofw -A -d tcp 1 2", "autofw -D -d tcp 1 3", -ESRCH},
		{"autofw -A -d tcp 1 2 -h 10.0.0.2", "autofw -D -d tcp 1 2", -ESRCH},
		{"autofw -A -d tcp 1 2", "autofw -D -d udp 1 2", -ESRCH},
		{"autofw -A -d tcp 1 2", "autofw -D -r tcp 1 2 -h 10.0.0.2", -ESRCH},
		{"autofw -A -p tcp 80 10.0.0.2:80", "autofw -D -p tcp 80 10.0.0.2:81", -ESRCH},
		{"autofw -A -r tcp 1 2 -c tcp 80", "autofw -D -r tcp 1 2 -c tcp 81", -ESRCH},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table t = {0};

		if (cases[i].first && apply(&t, cases[i].first))
			ok(false, "%s", cases[i].first);
		is_int(apply(&t, cases[i].then), cases[i].err, "%s%s%s",
		       cases[i].first ? cases[i].first : "on an empty table", ": ", cases[i].then);
		table_free(&t);
	}
}

/* What is deleted is not found again. */
static void deleted(void)
{
	static const char *const cases[][2] = {
		{"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
		 "portfw -d -P tcp -L 198.51.100.1 80"},
		{"portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
		 "portfw -d -P tcp -L 0.0.0.0 80"},
		{"mfw -A -m 1 -r 10.0.0.2", "mfw -D -m 1"},
		{"autofw -A -d tcp 1 2", "autofw -D -d tcp 1 2"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table t = {0};

		is_int(apply(&t, cases[i][0]), 0, "%s", cases[i][0]);
		is_int(apply(&t, cases[i][1]), 0, "%s", cases[i][1]);
		is_str(shown(&t), "", "... leaves nothing");
		is_int(apply(&t, cases[i][1]), -ESRCH, "... and the same again finds nothing");
		is_int(apply(&t, cases[i][0]), 0, "... and it can be added again");
		table_free(&t);
	}
}

static void prefs(void)
{
	struct table t = {0};

	is_int(apply(&t, "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 2147483647"), 0,
	       "the largest pref");
	is_int(apply(&t, "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 2147483647"), 0,
	       "twice");
	is_int(apply(&t, "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.4 80 -p 2"), -EOVERFLOW,
	       "2^32 in all is too much");
	is_int(apply(&t, "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.4 80 -p 1"), 0,
	       "one less is not");
	is_int(apply(&t, "portfw -a -P tcp -L 0.0.0.0 80 -p 2147483647"), -EOVERFLOW,
	       "an edit of every address stops at the first that would have too much");
	is_int(apply(&t, "portfw -a -P tcp -L 198.51.100.2 80 -R 10.0.0.4 80 -p 2147483647"), 0,
	       "another service has a sum of its own");
	table_free(&t);
}

/* What has to be loaded for a command: all of a kind only where it is not known
 * which. */
static void scopes(void)
{
	static const struct {
		const char *line;
		enum scope scope;
		const char *local;
		struct key key;
	} cases[] = {
		{"portfw -a -P tcp -L 1.2.3.4 80 -R 10.0.0.2 80", SCOPE_ONE, "1.2.3.4", {0}},
		{"portfw -d -P tcp -L 1.2.3.4 80", SCOPE_ONE, "1.2.3.4", {0}},
		{"portfw -a -P tcp -L 1.2.3.4 80 -p 3", SCOPE_ONE, "1.2.3.4", {0}},
		{"portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80", SCOPE_ONE, "0.0.0.0", {0}},
		{"portfw -a -P tcp -L 0.0.0.0 80 -p 3", SCOPE_KIND, NULL, {0}},
		{"portfw -d -P tcp -L 0.0.0.0 80", SCOPE_KIND, NULL, {0}},
		{"portfw -d -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80", SCOPE_KIND, NULL, {0}},
		{"portfw -f", SCOPE_KIND, NULL, {0}},
		{"mfw -A -m 4294967295 -r 10.0.0.2",
		 SCOPE_ONE,
		 NULL,
		 {.kind = MASQ_MFW, .local.family = AF_INET, .mark = UINT32_MAX}},
		{"mfw -D -m 7",
		 SCOPE_ONE,
		 NULL,
		 {.kind = MASQ_MFW, .local.family = AF_INET, .mark = 7}},
		{"mfw -S -m 7",
		 SCOPE_ONE,
		 NULL,
		 {.kind = MASQ_MFW, .local.family = AF_INET, .mark = 7}},
		{"mfw -F", SCOPE_KIND, NULL, {0}},
		{"autofw -A -d tcp 1 2", SCOPE_KIND, NULL, {0}},
		{"autofw -F", SCOPE_KIND, NULL, {0}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct key key, want = cases[i].key;
		struct masq_command c = read_line(cases[i].line);
		enum scope scope = kind_scope(&c, &key);

		if (cases[i].local) {
			want = (struct key){.protocol = IPPROTO_TCP, .port = 80};
			masq_parse_address(&want.local, cases[i].local);
		}
		ok(scope == cases[i].scope && (scope != SCOPE_ONE || key_equal(&key, &want)),
		   "what \"%s\" looks at", cases[i].line);
	}
}

/* Services that change say so, others don't; a service made anew is a newer
 * one. */
static void marks(void)
{
	struct table t = {.next_born = 5};
	struct key one = {.kind = MASQ_MFW, .local.family = AF_INET, .mark = 1}, two = one;
	struct key first = {.protocol = IPPROTO_TCP, .port = 80}, second = first;

	two.mark = 2;
	masq_parse_address(&first.local, "10.0.0.1");
	masq_parse_address(&second.local, "10.0.0.9");
	ok(!apply(&t, "mfw -A -m 1 -r 10.0.0.2") && !apply(&t, "mfw -A -m 2 -r 10.0.0.2"),
	   "two marks");
	ok(table_get(&t, &one)->born == 5 && table_get(&t, &two)->born == 6,
	   "the second is the newer one");
	ok(table_get(&t, &one)->dirty && table_get(&t, &two)->dirty, "both have changed");
	table_get(&t, &one)->dirty = table_get(&t, &two)->dirty = false;
	ok(!apply(&t, "mfw -A -m 1 -r 10.0.0.3") && table_get(&t, &one)->born == 5,
	   "another target makes it no newer");
	ok(table_get(&t, &one)->dirty && !table_get(&t, &two)->dirty, "only one has changed");
	ok(!apply(&t, "mfw -D -m 1") && !apply(&t, "mfw -A -m 1 -r 10.0.0.3") &&
		   table_get(&t, &one)->born == 7,
	   "deleted and added, it is the newest");
	ok(!apply(&t, "portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80") &&
		   !apply(&t, "portfw -a -P tcp -L 10.0.0.9 80 -R 10.0.0.3 80"),
	   "two forwards of one port");
	table_get(&t, &first)->dirty = table_get(&t, &second)->dirty = false;
	ok(!apply(&t, "portfw -d -P tcp -L 0.0.0.0 80 -R 10.0.0.3 80") &&
		   !table_get(&t, &first)->dirty && table_get(&t, &second)->dirty,
	   "0.0.0.0 changes only those that match");
	ok(!t.flushed[MASQ_MFW] && !apply(&t, "mfw -F") && t.flushed[MASQ_MFW] &&
		   !t.flushed[MASQ_PORTFW],
	   "a flush says so");
	table_free(&t);
}

/* As many services as restore may bring. */
static void many(void)
{
	const uint32_t n = 50000;
	struct table t = {0};
	uint32_t found = 0;
	bool good = true;

	for (uint32_t i = 1; i <= n; i++) {
		struct key key = {
			.kind = MASQ_PORTFW, .protocol = 6, .port = 80, .local = address_v4(i)};
		struct service *s = table_put(&t, &key);

		good &= s && !s->n && table_put(&t, &key) == s;
	}
	good &= table_unique(&t);
	for (uint32_t i = 1; i <= n + 1; i++) {
		struct key key = {
			.kind = MASQ_PORTFW, .protocol = 6, .port = 80, .local = address_v4(i)};
		const struct service *s = table_get(&t, &key);

		found += s && s->key.local.in.s_addr == i;
	}
	ok(good && t.n == n, "%u services", n);
	is_int(found, n, "... are found, and no other");
	table_free(&t);
	ok(!t.n && !table_get(&t, &(struct key){.mark = 1}), "a freed table is an empty one");
}

int main(void)
{
	for (size_t i = 0; i < COUNT(stories); i++)
		tell(&stories[i]);
	refusals();
	deleted();
	prefs();
	scopes();
	marks();
	many();
	return done_testing();
}
