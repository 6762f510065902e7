// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * masq.h as a program that embeds the library uses it, for tests/kernel-api.t:
 *
 *	api CASE	does what the case is about, and prints what came of it
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <linux/ip_masq.h>

#include "masq_check.h"

static struct masq_command forward(enum masq_verb verb, const char *local, const char *target,
				   int pref)
{
	struct masq_command c = {
		.size = sizeof(c),
		.kind = MASQ_PORTFW,
		.verb = verb,
		.has = MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS | MASQ_HAS_PREF,
		.protocol = IPPROTO_TCP,
		.ports = {80, 80},
		.pref = pref,
	};

	if (!masq_parse_address(&c.local, local))
		errx(2, "%s", local);
	if (target && masq_parse_address(&c.target, target)) {
		c.target_ports = (struct masq_ports){80, 80};
		c.has |= MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS;
	}
	return c;
}

static struct masq *m;

static void say(const char *what, int result)
{
	printf("%s: %s%s%s\n", what,
	       result < 0 ? strerrorname_np(-result)
	       : result   ? "yes"
			  : "0",
	       result < 0 ? ": " : "", result < 0 ? masq_error(m) : "");
}

static void command(const char *what, enum masq_verb verb, const char *local, const char *target,
		    int pref)
{
	struct masq_command c = forward(verb, local, target, pref);

	say(what, masq_command(m, &c));
}

static int print(const struct masq_record *r, void *arg)
{
	char name[2][MASQ_NAME_MAX];

	(void)arg;
	masq_host_name(name[0], &r->forward->local, true);
	masq_host_name(name[1], &r->forward->target, true);
	printf("%s > %s %d/%d\n", name[0], name[1], r->left, r->forward->pref);
	return 0;
}

static void list(void)
{
	say("list", masq_list(m, MASQ_KIND(MASQ_PORTFW), print, NULL));
}

/* Deletes what it is given, asks for it, lists what is left; on the way. */
static int use_handle(const struct masq_record *r, void *arg)
{
	char local[MASQ_NAME_MAX];
	struct masq_command c;

	print(r, arg);
	masq_host_name(local, &r->forward->local, true);
	command("delete", MASQ_DELETE, local, NULL, 0);
	c = forward(MASQ_DELETE, local, NULL, 0);
	say("find", masq_find(m, &c));
	list();
	return 0;
}

static int stop(const struct masq_record *r, void *arg)
{
	print(r, arg);
	return *(int *)arg;
}

static void add_some(void)
{
	command("add", MASQ_ADD, "10.0.0.1", "10.1.0.1", 5);
	command("add", MASQ_ADD, "10.0.0.2", "10.1.0.1", 5);
	command("add", MASQ_ADD, "10.0.0.2", "10.1.0.2", 5);
	command("add", MASQ_ADD, "10.0.0.2", "10.1.0.3", 5);
}

static void nested(void)
{
	add_some();
	say("list", masq_list(m, MASQ_KIND(MASQ_PORTFW), use_handle, NULL));
}

static void stopped(void)
{
	int result = 7;

	add_some();
	say("list", masq_list(m, MASQ_KIND(MASQ_PORTFW), stop, &result));
	result = -ENOTTY;
	printf("%s\n", masq_list(m, MASQ_KIND(MASQ_PORTFW), stop, &result) == -ENOTTY ? "ENOTTY"
										      : "not that");
}

static void refused(void)
{
	int failed = 99;

	add_some();
	say("begin", masq_begin(m));
	say("begin", masq_begin(m));
	list();
	command("add", MASQ_ADD, "10.0.0.3", "10.1.0.1", 5);
	/* an edit of all, which makes one of the services too large */
	command("edit", MASQ_ADD, "0.0.0.0", NULL, INT32_MAX);
	command("add", MASQ_ADD, "10.0.0.4", "10.1.0.1", 5);
	say("commit", masq_commit(m, &failed));
	printf("failed %d\n", failed);
	list();
	say("begin", masq_begin(m));
	command("delete", MASQ_DELETE, "10.0.0.9", NULL, 0);
	command("add", MASQ_ADD, "10.0.0.3", "10.1.0.1", 5);
	masq_abort(m);
	command("add", MASQ_ADD, "10.0.0.3", "10.1.0.1", 5);
	list();
}

/* Whatever is done with a handle that could not be opened. */
static void unopened(void)
{
	struct masq_command c = forward(MASQ_ADD, "10.0.0.1", "10.1.0.1", 5);

	say("begin", masq_begin(m));
	say("command", masq_command(m, &c));
	say("commit", masq_commit(m, NULL));
	say("list", masq_list(m, MASQ_KIND(MASQ_PORTFW), print, NULL));
	say("find", masq_find(m, &c));
	say("dry run", masq_dry_run(m, stdout));
	masq_abort(m);
	printf("%s %d\n", masq_transport(m), masq_atomic(m));
}

/* A program that was compiled with another masq.h. */
static void sizes(void)
{
	struct {
		struct masq_command c;
		uint64_t later;
	} larger = {.c = forward(MASQ_ADD, "10.0.0.1", "10.1.0.1", 5)};
	struct masq_command smaller = larger.c;

	larger.c.size = sizeof(larger);
	say("larger", masq_command(m, &larger.c));
	larger.later = 1;
	say("with more", masq_command(m, &larger.c));
	say("find", masq_find(m, &larger.c));
	smaller.size = 8;
	say("smaller", masq_command(m, &smaller));
	say("no kinds", masq_list(m, 0, print, NULL));
	say("unknown kinds", masq_list(m, 1u << 7, print, NULL));
	list();
}

/* What no command line can give. */
static void members(void)
{
	const struct masq_command good = forward(MASQ_ADD, "10.0.0.1", "10.1.0.1", 5);
	struct masq_command c = good;

	say("add", masq_command(m, &c));
	memset(&c.local, 0xa5, sizeof(c.local)); /* inet_pton() leaves the rest as it is */
	c.local.family = good.local.family;
	c.local.in = good.local.in;
	c.pref = 7;
	say("edit", masq_command(m, &c));
	list();
	c.verb = MASQ_DELETE;
	say("delete", masq_command(m, &c));
	list();
	c = good;
	c.has |= 1u << 15;
	say("unknown bit", masq_command(m, &c));
	c.has = good.has | MASQ_HAS_TRIGGER;
	say("another kind's", masq_command(m, &c));
	c.has = good.has & ~MASQ_HAS_LOCAL;
	say("no local address", masq_command(m, &c));
	c = good;
	c.local.family = AF_INET6;
	say("IPv6, local", masq_command(m, &c));
	c = good;
	c.target.family = AF_INET6;
	say("IPv6, target", masq_command(m, &c));
	c.target.family = AF_UNIX;
	say("no IP, target", masq_command(m, &c));
	c.target.family = AF_UNSPEC;
	say("no target", masq_command(m, &c));
	c = good;
	c.target.in.s_addr = 0;
	say("any target", masq_command(m, &c));
	c = good;
	c.target_ports = (struct masq_ports){0, 0};
	say("no port of the target", masq_command(m, &c));
	list();
}

/* The message of 1998. */
static void message(void)
{
	struct ip_masq_ctl ctl = {
		.m_target = IP_MASQ_TARGET_MOD,
		.m_cmd = IP_MASQ_CMD_ADD,
		.m_tname = "portfw",
	};

	ctl.u.portfw_user = (struct ip_portfw_edits){
		.protocol = IPPROTO_TCP,
		.laddr = htonl(0x0a000001),
		.raddr = htonl(0x0a010001),
		.lport = htons(80),
		.rport = htons(80),
		.pref = 5,
	};
	say("add", masq_ctl(m, &ctl));
	list();
	ctl.m_cmd = IP_MASQ_CMD_DEL;
	say("delete", masq_ctl(m, &ctl));
	say("delete", masq_ctl(m, &ctl));
	ctl.m_cmd = IP_MASQ_CMD_FLUSH;
	say("flush", masq_ctl(m, &ctl));
	strcpy(ctl.m_tname, "other");
	printf("%s\n", masq_ctl(m, &ctl) == -EINVAL ? "EINVAL" : "not that");
	list();
}

static const char *address(const struct masq_address *a)
{
	static char text[2][MASQ_NAME_MAX];
	static int turn;

	turn = !turn;
	masq_host_name(text[turn], a, true);
	return text[turn];
}

static void print_flight(const char *what, const struct masq_check_flight *x)
{
	printf("%s %s %u %s, last %d %d%s", what, address(&x->daddr), x->dport, x->oif, x->hook,
	       x->priority, x->done ? ", left" : "");
}

static void print_place(const struct masq_check_place *p)
{
	if (p)
		printf("dropped by %d %s %s %s (%s %d) handle %llu number %u: %s\n", p->kind,
		       p->family, p->table, p->chain, p->base, p->priority,
		       (unsigned long long)p->handle, p->number, p->text);
}

/* What was observed, of which the verdict is made. */
static int print_check(const struct masq_check_result *r, void *arg)
{
	const struct masq_check_observed *o = r->observed;

	(void)arg;
	if (!o) {
		printf("no such: %s, nothing observed\n", r->code);
		return 0;
	}
	printf("%s %s\n", r->service, r->code);
	printf("%s %s %u > ", o->forward->kind == MASQ_PORTFW ? "portfw" : "?",
	       address(&o->forward->local), o->forward->ports.first);
	printf("%s %u\n", address(&o->forward->target), o->forward->target_ports.first);
	printf("client %s dest %s %u, ", address(&o->client), address(&o->dest), o->dport);
	printf("%s > %s %s/%u,%s forwarding %d %d %d\n", o->outside, o->inside,
	       address(&o->inside_address), o->inside_prefix, o->local ? " local" : "",
	       o->ip_forward, o->outside_forward, o->inside_forward);
	print_flight("out", o->out);
	printf("\n");
	print_place(o->out->drop);
	print_flight("back", o->back);
	if (o->back->done)
		printf(", answer %d", o->answer);
	printf("\n");
	print_place(o->back->drop);
	return 0;
}

static void check(void)
{
	struct {
		struct masq_check_options o;
		uint64_t later;
	} larger = {.o = {.size = sizeof(larger)}};
	struct masq_check_options o = {.size = sizeof(o)};

	say("check", masq_check(m, &larger.o, print_check, NULL));
	o.size = 8;
	say("too short", masq_check(m, &o, print_check, NULL));
	larger.later = 1;
	say("with more", masq_check(m, &larger.o, print_check, NULL));
	o = (struct masq_check_options){.size = sizeof(o), .flags = 1u << 31};
	say("unknown flag", masq_check(m, &o, print_check, NULL));
	o.flags = MASQ_CHECK_SERVICE;
	say("ports", masq_check(m, &o, print_check, NULL));
	o.flags = MASQ_CHECK_MARK;
	o.mark = 77;
	if (masq_check(m, &o, print_check, NULL))
		printf("%s\n", masq_error(m));
}

/* A program that starts others hands them nothing of a handle's. */
static void descriptors(void)
{
	say("begin", masq_begin(m));
	for (int fd = 3; fd < 256; fd++) {
		char link[32], what[64] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, what, sizeof(what) - 1) > 0 &&
		    (!strncmp(what, "socket:", 7) || !strncmp(what, "net:", 4)))
			printf("%.*s: %s\n", (int)strcspn(what, ":"), what,
			       fcntl(fd, F_GETFD) & FD_CLOEXEC ? "closed" : "inherited");
	}
	masq_abort(m);
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} cases[] = {{"nested", nested},   {"stopped", stopped}, {"refused", refused},
		     {"sizes", sizes},     {"message", message}, {"unopened", unopened},
		     {"members", members}, {"check", check},     {"descriptors", descriptors}};
	int opened = masq_open(&m, NULL);

	setvbuf(stdout, NULL, _IOLBF, 0);
	say("open", opened);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (argc != 2 || strcmp(argv[1], cases[i].name) != 0)
			continue;
		cases[i].fn();
		masq_close(m);
		return 0;
	}
	errx(2, "which case?");
}
