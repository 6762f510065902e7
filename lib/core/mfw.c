// SPDX-License-Identifier: GPL-2.0-or-later
/* mfw: what the firewall has marked goes to inside hosts in turn. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kind.h"

enum { OPT_MARK, OPT_REMOTE, OPT_PREF, OPT_COUNT };

static const struct option_spec options[] = {
	[OPT_MARK] = {'m', "MARK", "1 to 4294967295, or 0x and hexadecimal"},
	[OPT_REMOTE] = {'r', "RADDR [RPORT]", "host to forward to; no port: the packet's own"},
	[OPT_PREF] = {'p', "PREF",
		      "connections before the next host's turn, 0: only as the last resort "
		      "(default 10)"},
};
_Static_assert(OPT_COUNT <= OPTIONS_MAX, "struct given has no room for them");

static const struct command_spec commands[] = {
	{'A', ACT_DO, MASQ_ADD, "mr", "p", "append a host: its turn comes last"},
	{'I', ACT_DO, MASQ_INSERT, "mr", "p", "insert a host: its turn comes now"},
	{'D', ACT_DO, MASQ_DELETE, "m", "rp", "delete all that match"},
	{'E', ACT_DO, MASQ_EDIT, "m", "rp", "give all that match a new pref"},
	{'S', ACT_DO, MASQ_SCHEDULE, "m", "rp", "end the present turn: next host"},
	{'q', ACT_QUERY, MASQ_DELETE, "m", "rp", "exit 0 if -D would find something, else 1"},
	{'F', ACT_DO, MASQ_FLUSH, "", "", "delete all"},
	{'L', ACT_LIST, MASQ_PROBE, "", "", "list"},
};

/* Published examples leave the command out. */
static bool advise(struct error *e, char letter, int argc, char *argv[])
{
	char words[160] = "";
	size_t used = 0;

	if (letter)
		return false;
	for (int i = 1; i < argc && used < sizeof(words); i++)
		used += (size_t)snprintf(words + used, sizeof(words) - used, " %s", argv[i]);
	fail(e, EINVAL,
	     "no command; to append a host: ipmasqadm mfw -A%s; to insert it before the others: "
	     "ipmasqadm mfw -I%s",
	     words, words);
	return true;
}

static const struct syntax syntax = {
	.kind = "mfw",
	.summary = "forward packets with a firewall mark to inside hosts in turn",
	.options = options,
	.option_count = OPT_COUNT,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(*commands),
	.advise = advise,
};

static bool adds(const struct masq_command *c)
{
	return c->verb == MASQ_ADD || c->verb == MASQ_INSERT;
}

static int read(struct masq_command *c, const struct given *g, const struct lookup *l,
		struct error *e)
{
	const char *const *remote = g->operand[OPT_REMOTE];
	struct masq_address target = {0};
	uint16_t port = 0;
	int err = value_mark(e, &c->mark, g->operand[OPT_MARK][0]);

	if (!err && g->option[OPT_REMOTE])
		err = value_address(e, l, &target, remote[0], AF_UNSPEC);
	/* the mark may be on either protocol; services mostly have one port for
	 * both */
	if (!err && remote[1])
		err = value_port(e, l, &port, remote[1], IPPROTO_TCP);
	if (!err && g->option[OPT_PREF])
		err = value_pref(e, &c->pref, g->operand[OPT_PREF][0]);
	if (!err && address_is_any(&target) && strchr(g->command->needs, 'r'))
		err = fail(e, EINVAL, "-r %s is no host to forward to", remote[0]);
	if (err)
		return err;
	c->has |= MASQ_HAS_MARK;
	if (g->option[OPT_PREF])
		c->has |= MASQ_HAS_PREF;
	command_set_target(c, &target, port);
	return adds(c) ? command_check_addresses(e, c) : 0;
}

static void print(struct text *t, const struct masq_command *c)
{
	text_option(t, 'm');
	text_number(t, c->mark);
	if (c->has & (MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS)) {
		text_option(t, 'r');
		text_address(t, &c->target);
	}
	if (c->has & MASQ_HAS_TARGET_PORTS)
		text_number(t, c->target_ports.first);
	if (c->has & MASQ_HAS_PREF) {
		text_option(t, 'p');
		text_number(t, (uint32_t)c->pref);
	}
}

static void describe(struct text *t, const struct masq_command *c)
{
	text_word(t, "mark");
	text_number(t, c->mark);
	command_describe_target(t, c);
}

static int validate(struct error *e, const struct masq_command *c)
{
	if (!c->mark)
		return fail(e, EINVAL, "mark 0 is no mark: give one from 1 to 4294967295");
	if (c->verb != MASQ_DELETE && command_pref(c) < 0)
		return fail(e, EINVAL, "pref %d: give one from 0 to 2147483647", c->pref);
	return adds(c) ? command_check_target(e, c) : 0;
}

static bool matches(const struct masq_command *c, const struct masq_command *forward)
{
	return c->mark == forward->mark &&
	       command_matches_target(c, &forward->target, forward->target_ports.first);
}

/* Of each family that a command means: a mark has the targets of both, and each
 * has turns of its own. */
static bool part(struct masq_command *out, const struct masq_command *c, uint32_t n)
{
	int family = command_family(c, n);

	*out = *c;
	out->local.family = family;
	return family != AF_UNSPEC;
}

/* Of a part, or of a forward. */
static void set_key(struct key *key, const struct masq_command *c)
{
	key->local.family = command_family(c, 0);
	key->mark = c->mark;
}

static enum scope scope(const struct masq_command *c, struct key *key)
{
	set_key(key, c);
	return SCOPE_ONE;
}

static int apply_part(struct table *t, const struct masq_command *c)
{
	const struct masq_address *target = c->has & MASQ_HAS_TARGET ? &c->target : NULL;
	struct key key = {.kind = MASQ_MFW};
	struct service *s;
	int err = 0;

	set_key(&key, c);
	if (adds(c)) {
		s = table_put(t, &key);
		return s ? table_add_target(t, s, c->verb == MASQ_INSERT, c) : -ENOMEM;
	}
	s = table_get(t, &key);
	if (!s || !s->n)
		return -ESRCH;
	if (c->verb == MASQ_DELETE)
		err = service_delete(s, target, c->target_ports.first);
	else if (c->verb == MASQ_EDIT)
		err = service_edit(s, target, c->target_ports.first, (uint32_t)command_pref(c));
	else
		service_end_turn(s);
	s->dirty |= !err;
	return err;
}

static int apply(struct table *t, const struct masq_command *c)
{
	struct masq_command one;
	int result = -ESRCH;

	for (uint32_t n = 0; part(&one, c, n); n++) {
		int err = apply_part(t, &one);

		if (err && err != -ESRCH)
			return err;
		if (!err)
			result = 0;
	}
	return result;
}

static void forward_of(struct masq_command *out, const struct service *s,
		       const struct target *target)
{
	const struct key *key = &s->key;

	*out = (struct masq_command){
		.size = sizeof(*out),
		.kind = MASQ_MFW,
		.verb = MASQ_ADD,
		.has = MASQ_HAS_MARK | MASQ_HAS_PREF,
		.mark = key->mark,
		.pref = (int32_t)target->pref,
	};
	command_set_target(out, &target->addr, target->port);
}

/* mfw -A appends. */
static struct order save_order(const struct masq_command *c)
{
	struct key key = {.kind = MASQ_MFW};

	set_key(&key, c);
	return key_order(&key);
}

const struct kind kind_mfw = {
	.id = MASQ_MFW,
	.name = "mfw",
	.may_have = MASQ_HAS_MARK | MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS | MASQ_HAS_PREF,
	.syntax = &syntax,
	.flush = 'F',
	.add = 'A',
	.save_order = save_order,
	.read = read,
	.print = print,
	.describe = describe,
	.noun = "forward on",
	.target_option = "-r RADDR [RPORT]",
	.validate = validate,
	.matches = matches,
	.part = part,
	.scope = scope,
	.apply = apply,
	.forward_of = forward_of,
};
