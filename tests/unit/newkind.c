// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kind of its own, outside lib/: a protocol's packets to any port go to hosts
 * in turn. It takes a row in the table of kinds, which is this file's here, and
 * no other change: command lines, help, messages, tables and save know it.
 */
#include <errno.h>

#include "help.h"
#include "request.h"
#include "savefile.h"
#include "tap.h"

#define RELAY ((enum masq_kind)(MASQ_REACH + 1))

/* ---- the kind ---- */

enum { OPT_PROTO, OPT_TO, OPT_COUNT };

static const struct option_spec options[] = {
	[OPT_PROTO] = {'x', "PROTO", "tcp or udp"},
	[OPT_TO] = {'t', "HOST", "host to forward to"},
};

static const struct command_spec commands[] = {
	{'J', ACT_DO, MASQ_ADD, "xt", "", "join a host"},
	{'K', ACT_DO, MASQ_DELETE, "x", "t", "remove hosts"},
	{'Z', ACT_DO, MASQ_FLUSH, "", "", "delete all"},
};

static const struct syntax syntax = {
	.kind = "relay",
	.options = options,
	.option_count = OPT_COUNT,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(*commands),
};

static int relay_read(struct masq_command *c, const struct given *g, const struct lookup *l,
		      struct error *e)
{
	struct masq_address host = {0};
	int err = value_protocol(e, &c->protocol, g->operand[OPT_PROTO][0]);

	if (!err && g->option[OPT_TO])
		err = value_address(e, l, &host, g->operand[OPT_TO][0], AF_UNSPEC);
	c->has |= MASQ_HAS_PROTOCOL;
	command_set_target(c, &host, 0);
	return err;
}

static void relay_print(struct text *t, const struct masq_command *c)
{
	text_option(t, 'x');
	text_word(t, masq_protocol_name(c->protocol));
	if (c->has & MASQ_HAS_TARGET) {
		text_option(t, 't');
		text_address(t, &c->target);
	}
}

static void relay_describe(struct text *t, const struct masq_command *c)
{
	text_word(t, masq_protocol_name(c->protocol));
	command_describe_target(t, c);
}

static int relay_validate(struct error *e, const struct masq_command *c)
{
	int err = command_check_protocol(e, c->protocol);

	return !err && c->verb == MASQ_ADD ? command_check_target(e, c) : err;
}

static bool relay_matches(const struct masq_command *c, const struct masq_command *forward)
{
	return c->protocol == forward->protocol && command_matches_target(c, &forward->target, 0);
}

static enum scope relay_scope(const struct masq_command *c, struct key *key)
{
	key->protocol = c->protocol;
	return SCOPE_ONE;
}

static int relay_apply(struct table *t, const struct masq_command *c)
{
	const struct masq_address *target = c->has & MASQ_HAS_TARGET ? &c->target : NULL;
	struct key key = {.kind = RELAY, .protocol = c->protocol};
	struct service *s = c->verb == MASQ_ADD ? table_put(t, &key) : table_get(t, &key);

	if (c->verb == MASQ_ADD)
		return s ? table_add_target(t, s, false, c) : -ENOMEM;
	return s && s->n ? service_delete(s, target, 0) : -ESRCH;
}

static void relay_forward_of(struct masq_command *out, const struct service *s,
			     const struct target *target)
{
	*out = (struct masq_command){.size = sizeof(*out),
				     .kind = RELAY,
				     .verb = MASQ_ADD,
				     .has = MASQ_HAS_PROTOCOL,
				     .protocol = s->key.protocol};
	command_set_target(out, &target->addr, 0);
}

static struct order relay_save_order(const struct masq_command *c)
{
	return (struct order){.first = {.major = c->protocol}};
}

static const struct kind kind_relay = {
	.id = RELAY,
	.name = "relay",
	.may_have = MASQ_HAS_PROTOCOL | MASQ_HAS_TARGET,
	.syntax = &syntax,
	.flush = 'Z',
	.add = 'J',
	.save_order = relay_save_order,
	.read = relay_read,
	.print = relay_print,
	.describe = relay_describe,
	.noun = "relay",
	.target_option = "-t HOST",
	.validate = relay_validate,
	.matches = relay_matches,
	.scope = relay_scope,
	.apply = relay_apply,
	.forward_of = relay_forward_of,
};

const struct kind *const kinds[KINDS_MAX + 1] = {
	[MASQ_PORTFW] = &kind_portfw, [MASQ_MFW] = &kind_mfw, [MASQ_AUTOFW] = &kind_autofw,
	[MASQ_REACH] = &kind_reach,   [RELAY] = &kind_relay,
};

/* ---- a library that lists what this test says ---- */

static const char *const *listed;
static bool atomic;

struct masq {
	int unused;
};

bool masq_atomic(const struct masq *m)
{
	return !m->unused && atomic;
}

static struct masq_command read_line(const char *line, struct error *e)
{
	char copy[256], *argv[24];
	struct request req = {.action = ACT_NONE};
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word && argc < 23; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	if (request_read(&req, kind_find(argv[0]), argc, argv))
		req.command.size = 0;
	*e = req.error;
	return req.command;
}

int masq_list(struct masq *m, unsigned int wanted, masq_record_fn *fn, void *arg)
{
	int err = m->unused;

	/* this kernel has no module for mfw */
	if (!atomic && wanted & MASQ_KIND(MASQ_MFW))
		return -ENOENT;
	for (const char *const *line = listed; *line && !err; line++) {
		struct error e;
		struct masq_command c = read_line(*line, &e);
		struct masq_record r = {.size = sizeof(r), .forward = &c};

		if (wanted & MASQ_KIND(c.kind))
			err = fn(&r, arg);
	}
	return err;
}

/* ---- */

static void reading(void)
{
	struct error e;
	struct masq_command c = read_line("relay -x udp -J -n -t 10.0.0.2", &e);
	char words[KIND_WORDS_MAX];
	struct text t;

	ok(c.size && c.kind == RELAY && c.verb == MASQ_ADD && c.protocol == IPPROTO_UDP,
	   "a command line is read");
	is_int(kind_validate(&e, &c), 0, "... and valid");
	is_str(kind_describe(words, &c), "udp to 10.0.0.2", "... and described");
	text_start(&t, words, sizeof(words));
	kind_relay.print(&t, &c);
	is_str(words, "-x udp -t 10.0.0.2", "... and printed");
	ok(kind_read_text(&kind_relay, &c, words, strlen(words)), "... and read back");
	c.verb = MASQ_EDIT;
	is_int(kind_validate(&e, &c), -EINVAL, "a command that it has not is refused");
	is_str(e.text, "relay has no command 4", "... and why");
	read_line("relay -J", &e);
	is_str(e.text, "-J needs -x PROTO", "what a command needs");
	read_line("relay -K -x tcp -q", &e);
	is_str(e.text, "unknown option -q (see \"ipmasqadm relay --help\")", "what there is not");
	is_int(kind_count(), 5, "there are five kinds");
}

static void applying(void)
{
	static const char *const lines[] = {
		"relay -J -x tcp -t 10.0.0.2", "relay -J -x tcp -t 10.0.0.3",
		"mfw -A -m 1 -r 10.0.0.2", "relay -K -x tcp -t 10.0.0.2"};
	struct key key = {.kind = RELAY, .protocol = IPPROTO_TCP};
	struct masq_command c, forward;
	struct table table = {0};
	struct service *s;
	struct error e;
	char words[KIND_WORDS_MAX];
	int err = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		c = read_line(lines[i], &e);
		err |= kind_apply(&table, &c);
	}
	is_int(err, 0, "commands are applied");
	s = table_get(&table, &key);
	ok(s && s->n == 1, "... to a service of its own");
	kind_relay.forward_of(&forward, s, service_target(s, 0));
	is_str(kind_describe(words, &forward), "tcp to 10.0.0.3", "... which lists its target");
	ok(kind_relay.matches(&c, &forward) == false, "... that the last delete does not match");
	err = kind_apply(&table, &c);
	is_int(kind_fail(&e, &c, err), -ESRCH, "deleted again");
	is_str(e.text, "no relay tcp to 10.0.0.2", "... says so");
	c = read_line("relay -Z", &e);
	is_int(kind_apply(&table, &c), 0, "a flush");
	ok(!s->n && table.flushed[RELAY] && !table.flushed[MASQ_MFW], "... is of its kind");
	table_free(&table);
}

static const char *saved(void)
{
	static char out[2048];
	FILE *f = fmemopen(out, sizeof(out), "w");
	struct savefile s = {0};
	struct masq m = {0};
	const char *kind;

	out[0] = '\0';
	if (savefile_load(&s, &m, &kind))
		return "not read";
	savefile_print(&s, f);
	fclose(f);
	savefile_free(&s);
	return out;
}

static void saving(void)
{
	static const char *const lines[] = {"relay -J -x udp -t 10.0.0.3",
					    "autofw -A -d tcp 1 2",
					    "relay -J -x tcp -t 10.0.0.3",
					    "mfw -A -m 2 -r 10.0.0.2 -p 3",
					    "relay -J -x tcp -t 10.0.0.2",
					    "relay -K -x tcp",
					    "portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80 -p 7",
					    "portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.3 80 -p 7",
					    "autofw -A -d tcp 1 3",
					    "mfw -A -m 2 -r 10.0.0.1 -p 3",
					    "mfw -A -m 1 -r 10.0.0.1 -p 0",
					    NULL};
	static const char *const ranges[] = {
		"portfw -a -P tcp -L 10.0.0.1 83 -R 10.0.0.2 93 -p 7",
		"portfw -a -P tcp -L 10.0.0.1 81 -R 10.0.0.2 91 -p 7",
		"portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 90 -p 7",
		"portfw -a -P tcp -L 10.0.0.1 82 -R 10.0.0.2 92 -p 7",
		/* a target, a target port, a pref, a second target, a gap */
		"portfw -a -P tcp -L 10.0.0.1 84 -R 10.0.0.3 94 -p 7",
		"portfw -a -P tcp -L 10.0.0.1 85 -R 10.0.0.3 94 -p 7",
		"portfw -a -P tcp -L 10.0.0.1 86 -R 10.0.0.3 95 -p 0",
		"portfw -a -P tcp -L 10.0.0.1 87 -R 10.0.0.3 96 -p 0",
		"portfw -a -P tcp -L 10.0.0.1 88 -R 10.0.0.3 97 -p 0",
		"portfw -a -P tcp -L 10.0.0.1 88 -R 10.0.0.3 98 -p 0",
		"portfw -a -P tcp -L 10.0.0.1 89 -R 10.0.0.3 99 -p 0",
		"portfw -a -P tcp -L 10.0.0.1 91 -R 10.0.0.3 101 -p 0",
		/* another protocol and address; up to the last ports */
		"portfw -a -P udp -L 10.0.0.1 92 -R 10.0.0.3 102 -p 0",
		"portfw -a -P udp -L 10.0.0.2 93 -R 10.0.0.3 103 -p 0",
		"portfw -a -P udp -L 10.0.0.9 65534 -R 10.0.0.3 1 -p 1",
		"portfw -a -P udp -L 10.0.0.9 65535 -R 10.0.0.3 2 -p 1",
		"portfw -a -P udp -L 10.0.0.10 1 -R 10.0.0.3 3 -p 1",
		"portfw -a -P udp -L 10.0.0.10 2 -R 10.0.0.3 4", NULL};
	static const char *const nothing[] = {NULL};

	listed = lines;
	atomic = true;
	is_str(saved(),
	       "ipmasqadm portfw -f\n"
	       "ipmasqadm mfw -F\n"
	       "ipmasqadm autofw -F\n"
	       "ipmasqadm reach -f\n"
	       "ipmasqadm relay -Z\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.3 80 -p 7\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80 -p 7\n"
	       "ipmasqadm mfw -A -m 1 -r 10.0.0.1 -p 0 # drained\n"
	       "ipmasqadm mfw -A -m 2 -r 10.0.0.2 -p 3\n"
	       "ipmasqadm mfw -A -m 2 -r 10.0.0.1 -p 3\n"
	       "ipmasqadm autofw -A -d tcp 1 3\n"
	       "ipmasqadm autofw -A -d tcp 1 2\n"
	       "ipmasqadm relay -J -x tcp -t 10.0.0.3\n"
	       "ipmasqadm relay -J -x tcp -t 10.0.0.2\n"
	       "# leads nowhere: ipmasqadm relay -J -x tcp\n"
	       "ipmasqadm relay -J -x udp -t 10.0.0.3\n",
	       "saved in order");
	listed = ranges;
	is_str(saved(),
	       "ipmasqadm portfw -f\n"
	       "ipmasqadm mfw -F\n"
	       "ipmasqadm autofw -F\n"
	       "ipmasqadm reach -f\n"
	       "ipmasqadm relay -Z\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 80-83 -R 10.0.0.2 90-93 -p 7\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 84 -R 10.0.0.3 94 -p 7\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 85 -R 10.0.0.3 94 -p 7\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 86-87 -R 10.0.0.3 95-96 -p 0 # drained\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 88 -R 10.0.0.3 98 -p 0 # drained\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 88 -R 10.0.0.3 97 -p 0 # drained\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 89 -R 10.0.0.3 99 -p 0 # drained\n"
	       "ipmasqadm portfw -a -P tcp -L 10.0.0.1 91 -R 10.0.0.3 101 -p 0 # drained\n"
	       "ipmasqadm portfw -a -P udp -L 10.0.0.1 92 -R 10.0.0.3 102 -p 0 # drained\n"
	       "ipmasqadm portfw -a -P udp -L 10.0.0.2 93 -R 10.0.0.3 103 -p 0 # drained\n"
	       "ipmasqadm portfw -a -P udp -L 10.0.0.9 65534-65535 -R 10.0.0.3 1-2 -p 1\n"
	       "ipmasqadm portfw -a -P udp -L 10.0.0.10 1 -R 10.0.0.3 3 -p 1\n"
	       "ipmasqadm portfw -a -P udp -L 10.0.0.10 2 -R 10.0.0.3 4\n",
	       "ranges are saved where they are whole");
	atomic = false;
	listed = nothing;
	is_str(saved(),
	       "ipmasqadm portfw -f\nipmasqadm autofw -F\nipmasqadm reach -f\nipmasqadm relay -Z\n",
	       "kind by kind, and none is flushed that there is not");
}

static void helping(void)
{
	char out[1024];
	FILE *f = fmemopen(out, sizeof(out), "w");

	help_usage(f, &syntax);
	fclose(f);
	is_str(out,
	       "usage: ipmasqadm relay -J -x PROTO -t HOST [-n] [--dry-run]\n"
	       "       ipmasqadm relay -K -x PROTO [-t HOST] [-n] [--dry-run]\n"
	       "       ipmasqadm relay -Z [-n] [--dry-run]\n",
	       "usage");

	f = fmemopen(out, sizeof(out), "w");
	help_usage(f, kind_autofw.syntax);
	fclose(f);
	for (const char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
		ok(strlen(line) <= 100, "in 100 columns: %s", line);
}

int main(void)
{
	reading();
	applying();
	saving();
	helping();
	return done_testing();
}
