// SPDX-License-Identifier: GPL-2.0-or-later
/* check: why does a forward not work? */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "masq_check.h"
#include "masqmod.h"
#include "operand.h"
#include "printable.h"
#include "report.h"

#define SUMMARY "find out why a forward does not work"

enum { LIVE_DEFAULT = 30, LIVE_MAX = 86400, PROGRESS_MS = 1000 };

static const char help[] =
	"ipmasqadm check: " SUMMARY "\n"
	"\n"
	"usage: ipmasqadm check [-n] [--json] [--no-probe] [--live[=SECONDS]] [--from ADDR]\n"
	"                       [-P PROTO -L LADDR LPORT] [-m MARK]\n"
	"\n"
	"Looks, sends a packet of its own as if it had come from outside, follows it and the\n"
	"server's answer, and says: OK, or the cause, the evidence and the cure. Without\n"
	"-L and -m every forward is checked.\n"
	"\n"
	"  -P PROTO        tcp, udp or tcp,udp\n"
	"  -L LADDR LPORT  only that forward, or those of a range of ports, 80-90; with -m the\n"
	"                  address and port to try\n"
	"  -m MARK         only the forward of that mark\n"
	"  --from ADDR     the client to play (default: an address for documentation)\n"
	"  --live          wait for a real connection, 30 seconds or --live=SECONDS\n"
	"  --no-probe      read only, send nothing\n"
	"  -j, --json      print JSON\n"
	"  -n              no look-ups: hosts and ports are given as numbers\n"
	"  -h, --help      print this\n"
	"\n"
	"Exit status: 0 all work, 1 something is broken, 2 the command line is wrong, or it\n"
	"could not look.\n";

struct wish {
	struct masq_check_options options;
	bool numeric, json, help;
	const char *protocol, *laddr, *lport, *mark, *from;
};

__attribute__((format(printf, 1, 2))) static int wrong(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report("check", "%s", text);
	return 2;
}

/* The word behind the option at *i, or NULL. */
static const char *operand(int argc, char *argv[], int *i)
{
	return *i + 1 < argc ? argv[++*i] : NULL;
}

/* Any, loopback, multicast and broadcast: the kernel refuses packets from
 * there, whatever is forwarded. */
static int read_client(struct wish *w)
{
	struct masq_address *a = &w->options.from;
	uint32_t net;

	if (!operand_address("check", a, w->from, w->numeric))
		return 2;
	net = ntohl(a->in.s_addr) >> 24;
	if (a->family == AF_INET6
		    ? IN6_IS_ADDR_UNSPECIFIED(&a->in6) || IN6_IS_ADDR_LOOPBACK(&a->in6) ||
			      IN6_IS_ADDR_MULTICAST(&a->in6)
		    : !net || net == IN_LOOPBACKNET || net >= 224)
		return wrong("--from %s: no client has that address", w->from);
	return 0;
}

static int read_live(struct wish *w, const char *word)
{
	uint32_t seconds = LIVE_DEFAULT;

	if (*word == '=' && !masq_parse_number(&seconds, word + 1, 1, LIVE_MAX))
		return wrong("--live%s: from 1 to 86400 seconds", word);
	w->options.live_seconds = seconds;
	return 0;
}

static int read_option(struct wish *w, int argc, char *argv[], int *i)
{
	const char *word = argv[*i], *value;

	if (!strcmp(word, "-n"))
		w->numeric = true;
	else if (!strcmp(word, "-j") || !strcmp(word, "--json"))
		w->json = true;
	else if (!strcmp(word, "-h") || !strcmp(word, "--help"))
		w->help = true;
	else if (!strcmp(word, "--no-probe"))
		w->options.flags |= MASQ_CHECK_NO_PROBE;
	else if (!strncmp(word, "--live", 6) && (!word[6] || word[6] == '='))
		return read_live(w, word + 6);
	else if (!strcmp(word, "--from") || !strcmp(word, "-P") || !strcmp(word, "-m")) {
		value = operand(argc, argv, i);
		if (!value)
			return wrong("%s needs a value", word);
		if (!strcmp(word, "--from"))
			w->from = value;
		else if (!strcmp(word, "-P"))
			w->protocol = value;
		else
			w->mark = value;
	} else if (!strcmp(word, "-L")) {
		w->laddr = operand(argc, argv, i);
		w->lport = operand(argc, argv, i);
		if (!w->lport)
			return wrong("%s needs an address and a port", word);
	} else if (*word == '-') {
		return wrong("unknown option %s (see \"ipmasqadm check --help\")", word);
	} else {
		return wrong("\"%s\": unexpected argument", word);
	}
	return 0;
}

static int read_values(struct wish *w)
{
	struct masq_check_options *o = &w->options;

	if (w->mark) {
		if (!operand_mark("check", &o->mark, w->mark))
			return 2;
		o->flags |= MASQ_CHECK_MARK;
	}
	if (w->from && read_client(w))
		return 2;
	if (w->protocol && !operand_protocols("check", &o->protocol, w->protocol))
		return 2;
	if (!w->laddr != !w->protocol)
		return wrong("-P and -L go together: -P tcp -L %s %s",
			     w->laddr ? w->laddr : "LADDR", w->laddr ? w->lport : "LPORT");
	if (o->live_seconds && o->flags & MASQ_CHECK_NO_PROBE)
		return wrong("--live and --no-probe are mutually exclusive");
	if (!w->laddr)
		return 0;
	if (!operand_local("check", &o->local, o->interface, w->laddr, w->numeric) ||
	    !operand_ports("check", &o->ports, w->lport, o->protocol, w->numeric))
		return 2;
	if (!w->mark)
		o->flags |= MASQ_CHECK_SERVICE;
	else if (o->interface[0])
		return wrong("with -m, -L names an address and a port to try");
	else if (o->protocol == MASQ_TCP_UDP || o->ports.first != o->ports.last)
		return wrong("with -m, -P and -L name one protocol and one port to try");
	return 0;
}

struct output {
	bool json, broken, any;
	bool progress; /* a line of it is on the terminal */
	long begun;    /* in milliseconds */
};

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000L;
}

static void wipe(struct output *out)
{
	if (out->progress)
		fputs("\r\033[K", stderr);
	out->progress = false;
}

/* Rules have comments and names of anybody's. */
static void line(const char *name, const char *text)
{
	char *copy = *text ? strdup(text) : NULL;

	if (copy)
		printf("  %-9s %s\n", name, printable(copy));
	free(copy);
}

static void print_text(const struct masq_check_result *r)
{
	static const char *const states[] = {
		[MASQ_CHECK_OK] = "OK", [MASQ_CHECK_WARN] = "WARN", [MASQ_CHECK_BROKEN] = "BROKEN"};

	printf("%-7s %s%s%s\n", states[r->state], r->service, *r->target ? " -> " : "", r->target);
	line("cause", r->cause);
	line("evidence", r->evidence);
	line("cure", r->cure);
	line("note", r->note);
	for (unsigned int i = 0; i < r->warning_count; i++)
		line("warning", r->warnings[i]);
}

static int print_json(struct output *out, const struct masq_check_result *r)
{
	static const char *const states[] = {
		[MASQ_CHECK_OK] = "ok", [MASQ_CHECK_WARN] = "warn", [MASQ_CHECK_BROKEN] = "broken"};
	struct object o;

	fputs(out->any ? ",\n " : "[\n ", stdout);
	out->any = true;
	object_begin(&o, stdout);
	object_text(&o, "service", r->service);
	object_text(&o, "target", r->target);
	object_text(&o, "state", states[r->state]);
	object_text(&o, "code", r->code);
	object_text(&o, "cause", r->cause);
	object_text(&o, "evidence", r->evidence);
	object_text(&o, "cure", r->cure);
	object_text(&o, "note", r->note);
	object_text(&o, "client", r->client);
	object_texts(&o, "warnings", r->warnings, r->warning_count);
	return object_end(&o);
}

static int print_result(const struct masq_check_result *r, void *arg)
{
	struct output *out = arg;

	wipe(out);
	out->broken |= r->state == MASQ_CHECK_BROKEN;
	if (out->json)
		return print_json(out, r);
	print_text(r);
	return 0;
}

static void show_progress(unsigned int done, unsigned int all, void *arg)
{
	struct output *out = arg;

	if (!isatty(STDERR_FILENO) || done == all || now_ms() - out->begun <= PROGRESS_MS)
		return;
	fprintf(stderr, "\rchecking %u of %u forwards ...", done, all);
	out->progress = true;
}

static int finish(struct output *out)
{
	if (out->json)
		puts(out->any ? "\n]" : "[]");
	if (fflush(stdout) || ferror(stdout)) {
		report("check", "cannot write: %s", strerror(errno));
		return 2;
	}
	return out->broken ? 1 : 0;
}

static int check(struct wish *w)
{
	struct output out = {.json = w->json, .begun = now_ms()};
	struct masq *m;
	int err = masq_open(&m, "portfw");

	w->options.progress = show_progress;
	if (w->options.live_seconds && !w->json)
		fprintf(stderr,
			"Connect from outside now; waiting %u seconds for a connection to %s ...\n",
			w->options.live_seconds,
			w->options.flags ? "the forward" : "any of the forwards");
	if (!err)
		err = masq_check(m, &w->options, print_result, &out);
	wipe(&out);
	if (err)
		report("check", "%s", masq_error(m));
	masq_close(m);
	return err ? 2 : finish(&out);
}

static int check_main(int argc, char *argv[])
{
	struct wish w = {.options = {.size = sizeof(w.options)}};
	const char *why;
	int err = 0;

	for (int i = 1; !err && i < argc; i++)
		err = read_option(&w, argc, argv, &i);
	if (!err && w.help) {
		fputs(help, stdout);
		return fflush(stdout) ? 1 : 0;
	}
	if (!err)
		err = read_values(&w);
	if (!err && w.json && !object_available(&why)) {
		report("check", "--json needs jansson: %s", why);
		return 2;
	}
	return err ? err : check(&w);
}

MASQMOD(check) = {
	.abi = MASQMOD_ABI,
	.name = "check",
	.summary = SUMMARY,
	.main = check_main,
};
