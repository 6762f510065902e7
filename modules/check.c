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
#include "printable.h"
#include "report.h"

#define SUMMARY "find out why a forward does not work"

enum { LIVE_DEFAULT = 30, LIVE_MAX = 86400 };

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
	"  -P PROTO        tcp or udp\n"
	"  -L LADDR LPORT  only that forward; with -m the address and port to try\n"
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
	bool numeric, json, help, has_protocol, has_local;
	const char *protocol, *laddr, *lport;
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

static int read_address(struct masq_address *out, const char *word, bool numeric)
{
	if (!word)
		return wrong("an address is missing");
	if (masq_parse_address(out, word))
		return 0;
	if (numeric)
		return wrong("address \"%s\": -n wants it in numbers", word);
	if (masq_host_address(out, word))
		return wrong("address \"%s\": no such host", word);
	return 0;
}

/* Any, loopback, multicast and broadcast: the kernel refuses packets from there,
 * whatever is forwarded. */
static int read_client(struct masq_address *out, const char *word)
{
	int err = read_address(out, word, false);
	uint32_t net = err ? 0 : ntohl(out->in.s_addr) >> 24;

	if (!err && (!net || net == IN_LOOPBACKNET || net >= 224))
		return wrong("--from %s: no client has that address", word);
	return err;
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
			return read_client(&w->options.from, value);
		if (!strcmp(word, "-P"))
			w->protocol = value;
		else if (!masq_parse_mark(&w->options.mark, value))
			return wrong("mark \"%s\": from 1 to 4294967295", value);
		else
			w->options.flags |= MASQ_CHECK_MARK;
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
	int err = 0;

	if (w->protocol && !masq_parse_protocol(&o->protocol, w->protocol))
		return wrong("protocol \"%s\": tcp or udp", w->protocol);
	if (!w->laddr != !w->protocol)
		return wrong("-P and -L go together: -P tcp -L %s %s",
			     w->laddr ? w->laddr : "LADDR", w->laddr ? w->lport : "LPORT");
	if (w->options.live_seconds && o->flags & MASQ_CHECK_NO_PROBE)
		return wrong("--live and --no-probe are mutually exclusive");
	if (!w->laddr)
		return 0;
	err = read_address(&o->local, w->laddr, w->numeric);
	if (!err && !masq_parse_port(&o->lport, w->lport) &&
	    (w->numeric || !masq_service_port(&o->lport, w->lport, o->protocol)))
		return wrong("port \"%s\": from 1 to 65535", w->lport);
	if (!(o->flags & MASQ_CHECK_MARK))
		o->flags |= MASQ_CHECK_SERVICE;
	return err;
}

struct output {
	bool json, broken, any;
	bool progress; /* a line of it is on the terminal */
	time_t begun;
};

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
	int err = object_begin(&o);

	if (err)
		return err;
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
	fputs(out->any ? ",\n " : "[\n ", stdout);
	out->any = true;
	return object_print(&o);
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

	if (!isatty(STDERR_FILENO) || done == all || time(NULL) - out->begun <= 1)
		return;
	fprintf(stderr, "\rchecking %u of %u forwards ...", done, all);
	out->progress = true;
}

static int fail(struct masq *m, int err)
{
	switch (-err) {
	case ENETUNREACH:
		report("check", "there is no route to any client; say which to play with --from "
				"ADDRESS");
		break;
	case EOPNOTSUPP:
		report("check", "this kernel has masquerading modules; check knows nf_tables");
		break;
	case EPERM:
		report("check", "no permission: it needs root, or CAP_NET_ADMIN");
		break;
	default:
		report("check", "%s", *masq_error(m) ? masq_error(m) : strerror(-err));
	}
	return 2;
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
	struct output out = {.json = w->json, .begun = time(NULL)};
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
		fail(m, err);
	masq_close(m);
	return err ? 2 : finish(&out);
}

static int check_main(int argc, char *argv[])
{
	struct wish w = {.options = {.size = sizeof(w.options)}};
	int err = 0;

	for (int i = 1; !err && i < argc; i++)
		err = read_option(&w, argc, argv, &i);
	if (!err && w.help) {
		fputs(help, stdout);
		return fflush(stdout) ? 1 : 0;
	}
	if (!err)
		err = read_values(&w);
	return err ? err : check(&w);
}

MASQMOD(check) = {
	.abi = MASQMOD_ABI,
	.name = "check",
	.summary = SUMMARY,
	.main = check_main,
};
