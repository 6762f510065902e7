// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * masq.h as a program that embeds the library uses it, for tests/kernel-api.t:
 *
 *	api CASE	does what the case is about, and prints what came of it
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <string.h>

#include "masq.h"

static struct ip_masq_ctl forward(int cmd, const char *laddr, const char *raddr, int pref)
{
	struct ip_masq_ctl ctl = {.m_target = IP_MASQ_TARGET_MOD, .m_cmd = cmd};

	strcpy(ctl.m_tname, "portfw");
	ctl.u.portfw_user = (struct ip_portfw_edits){
		.protocol = IPPROTO_TCP,
		.laddr = inet_addr(laddr),
		.raddr = raddr ? inet_addr(raddr) : 0,
		.lport = htons(80),
		.rport = raddr ? htons(80) : 0,
		.pref = pref,
	};
	return ctl;
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

static void command(const char *what, int cmd, const char *laddr, const char *raddr, int pref)
{
	struct ip_masq_ctl ctl = forward(cmd, laddr, raddr, pref);

	say(what, masq_ctl(m, &ctl));
}

static int print(const struct masq_record *r, void *arg)
{
	char addr[2][INET_ADDRSTRLEN];

	(void)arg;
	printf("%s > %s %d/%d\n", inet_ntop(AF_INET, &r->laddr, addr[0], sizeof(addr[0])),
	       inet_ntop(AF_INET, &r->raddr, addr[1], sizeof(addr[1])), r->left, r->pref);
	return 0;
}

static void list(void)
{
	say("list", masq_list(m, "portfw", print, NULL));
}

/* Deletes what it is told of, asks for it, lists what is left; on the way. */
static int use_handle(const struct masq_record *r, void *arg)
{
	char laddr[INET_ADDRSTRLEN];
	struct ip_masq_ctl ctl;

	print(r, arg);
	inet_ntop(AF_INET, &r->laddr, laddr, sizeof(laddr));
	command("delete", IP_MASQ_CMD_DEL, laddr, NULL, 0);
	ctl = forward(IP_MASQ_CMD_DEL, laddr, NULL, 0);
	say("find", masq_find(m, &ctl));
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
	command("add", IP_MASQ_CMD_ADD, "10.0.0.1", "10.1.0.1", 5);
	command("add", IP_MASQ_CMD_ADD, "10.0.0.2", "10.1.0.1", 5);
	command("add", IP_MASQ_CMD_ADD, "10.0.0.2", "10.1.0.2", 5);
	command("add", IP_MASQ_CMD_ADD, "10.0.0.2", "10.1.0.3", 5);
}

static void nested(void)
{
	add_some();
	say("list", masq_list(m, "portfw", use_handle, NULL));
}

static void stopped(void)
{
	int result = 7;

	add_some();
	say("list", masq_list(m, "portfw", stop, &result));
	result = -ENOTTY;
	printf("%s\n", masq_list(m, "portfw", stop, &result) == -ENOTTY ? "ENOTTY" : "not that");
}

static void refused(void)
{
	int failed = 99;

	add_some();
	say("begin", masq_begin(m));
	say("begin", masq_begin(m));
	list();
	command("add", IP_MASQ_CMD_ADD, "10.0.0.3", "10.1.0.1", 5);
	/* an edit of all that one of the services can't take */
	command("edit", IP_MASQ_CMD_ADD, "0.0.0.0", NULL, INT32_MAX);
	command("add", IP_MASQ_CMD_ADD, "10.0.0.4", "10.1.0.1", 5);
	say("commit", masq_commit(m, &failed));
	printf("failed %d\n", failed);
	list();
	say("begin", masq_begin(m));
	command("delete", IP_MASQ_CMD_DEL, "10.0.0.9", NULL, 0);
	command("add", IP_MASQ_CMD_ADD, "10.0.0.3", "10.1.0.1", 5);
	masq_abort(m);
	command("add", IP_MASQ_CMD_ADD, "10.0.0.3", "10.1.0.1", 5);
	list();
}

/* Whatever is done with a handle that could not be opened. */
static void unopened(void)
{
	struct ip_masq_ctl ctl = forward(IP_MASQ_CMD_ADD, "10.0.0.1", "10.1.0.1", 5);

	say("begin", masq_begin(m));
	say("ctl", masq_ctl(m, &ctl));
	say("commit", masq_commit(m, NULL));
	say("list", masq_list(m, "portfw", print, NULL));
	say("find", masq_find(m, &ctl));
	say("dry run", masq_dry_run(m, stdout));
	masq_abort(m);
	printf("%s %d\n", masq_transport(m), masq_atomic(m));
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} cases[] = {{"nested", nested},
		     {"stopped", stopped},
		     {"refused", refused},
		     {"unopened", unopened}};
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
