// SPDX-License-Identifier: GPL-2.0-or-later
/* autofw: ports that follow a control connection, or go to a fixed host. */
#include <errno.h>
#include <string.h>

#include "kind.h"

enum {
	OPT_RANGE,
	OPT_PORT,
	OPT_DIRECT,
	OPT_HOST,
	OPT_CONTROL,
	OPT_UNTIMED,
	OPT_INSECURE,
	OPT_COUNT
};

static const struct option_spec options[] = {
	[OPT_RANGE] = {'r', "PROTO LOW HIGH", "connections to these ports"},
	[OPT_PORT] = {'p', "PROTO VISIBLE HOST:HIDDEN",
		      "connections to one port go to a host's port"},
	[OPT_DIRECT] = {'d', "PROTO LOW HIGH", "keep these source ports when masquerading"},
	[OPT_HOST] = {'h', "HOST", "they go to this host"},
	[OPT_CONTROL] = {'c', "PROTO PORT", "they go to whoever opened a connection to this port"},
	[OPT_UNTIMED] =
		{'u', "",
		 "without time limit (else 15 seconds after the control connection's last packet)"},
	[OPT_INSECURE] = {'i', "",
			  "from anyone (else only from the host at the other end of the control "
			  "connection)"},
};
_Static_assert(OPT_COUNT <= OPTIONS_MAX, "struct given has no room for them");

static const struct command_spec commands[] = {
	{'A', ACT_DO, MASQ_ADD, "r|p|d", "hcuiv", "add an entry"},
	{'D', ACT_DO, MASQ_DELETE, "r|p|d", "hcuiv", "delete an entry"},
	{'q', ACT_QUERY, MASQ_DELETE, "r|p|d", "hcuiv",
	 "exit 0 if -D would find something, else 1"},
	{'F', ACT_DO, MASQ_FLUSH, "", "v", "delete all"},
	{'L', ACT_LIST, MASQ_PROBE, "", "", "list entries and present receivers"},
};

static const struct syntax syntax = {
	.kind = "autofw",
	.summary = "forward port ranges, also to whoever opened a control connection",
	.options = options,
	.option_count = OPT_COUNT,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(*commands),
};

/* PROTO LOW HIGH of -r and -d */
static int read_range(struct masq_command *c, const char *const operand[], const struct lookup *l,
		      struct error *e)
{
	int err = value_protocol(e, &c->protocol, operand[0]);

	if (!err)
		err = value_port(e, l, &c->ports.first, operand[1], c->protocol);
	if (!err)
		err = value_port(e, l, &c->ports.last, operand[2], c->protocol);
	if (!err && c->ports.first > c->ports.last)
		err = fail(e, EINVAL, "ports %s to %s: the lower one comes first", operand[1],
			   operand[2]);
	return err;
}

/* An address of IPv6 takes brackets, since its last number would be taken for
 * the port. */
static int fail_word(struct error *e, const char *word)
{
	const char *colon = strrchr(word, ':');

	if (*word != '[' && colon && strchr(word, ':') != colon)
		return fail(e, EINVAL, "\"%s\": HOST:HIDDEN is one word, of IPv6 [%.*s]:%s", word,
			    (int)(colon - word), word, colon[1] ? colon + 1 : "80");
	return fail(e, EINVAL, "\"%s\": HOST:HIDDEN is one word, as in 192.168.1.2:80", word);
}

/* PROTO VISIBLE HOST:HIDDEN of -p */
static int read_port(struct masq_command *c, const char *const operand[], const struct lookup *l,
		     struct error *e)
{
	const char *word, *hidden;
	char host[MASQ_NAME_MAX];
	size_t len;
	int err = value_protocol(e, &c->protocol, operand[0]);

	if (!err)
		err = value_port(e, l, &c->ports.first, operand[1], c->protocol);
	if (err)
		return err;
	c->ports.last = c->ports.first;
	if (!value_split(operand[2], &word, &len, &hidden) || len >= sizeof(host))
		return fail_word(e, operand[2]);
	memcpy(host, word, len);
	host[len] = '\0';
	err = value_address(e, l, &c->target, host, AF_UNSPEC);
	if (!err)
		err = value_port(e, l, &c->target_ports.first, hidden, c->protocol);
	c->target_ports.last = c->target_ports.first;
	c->has |= MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS;
	return err;
}

static int read_form(struct masq_command *c, const struct given *g, const struct lookup *l,
		     struct error *e)
{
	if (g->option[OPT_PORT]) {
		c->form = MASQ_PORT;
		return read_port(c, g->operand[OPT_PORT], l, e);
	}
	c->form = g->option[OPT_RANGE] ? MASQ_RANGE : MASQ_DIRECT;
	return read_range(c, g->operand[g->option[OPT_RANGE] ? OPT_RANGE : OPT_DIRECT], l, e);
}

/* -h after -p names the host; before it, it only has to be one. */
static int read_host(struct masq_command *c, const struct given *g, const struct lookup *l,
		     struct error *e)
{
	struct masq_address host;
	int err = value_address(e, l, &host, g->operand[OPT_HOST][0], AF_UNSPEC);

	if (!err && g->option[OPT_HOST] > g->option[OPT_PORT]) {
		c->target = host;
		c->has |= MASQ_HAS_TARGET;
	}
	return err;
}

static int read(struct masq_command *c, const struct given *g, const struct lookup *l,
		struct error *e)
{
	bool host = g->option[OPT_HOST], control = g->option[OPT_CONTROL];
	int err;

	if (host && control)
		return fail(e, EINVAL,
			    "-h and -c are mutually exclusive: one host, or whoever asked for it");
	if (g->option[OPT_RANGE] && !host && !control)
		return fail(e, EINVAL, "-r needs -h HOST or -c PROTO PORT: where shall it go?");
	c->has |= MASQ_HAS_PROTOCOL | MASQ_HAS_PORTS;
	err = read_form(c, g, l, e);
	if (!err && host)
		err = read_host(c, g, l, e);
	if (!err && control)
		err = value_protocol(e, &c->trigger_protocol, g->operand[OPT_CONTROL][0]);
	if (!err && control)
		err = value_port(e, l, &c->trigger_port, g->operand[OPT_CONTROL][1],
				 c->trigger_protocol);
	if (!err && c->has & MASQ_HAS_TARGET)
		err = command_check_target(e, c);
	if (!err && c->verb == MASQ_ADD)
		err = command_check_addresses(e, c);
	if (control)
		c->has |= MASQ_HAS_TRIGGER;
	if (g->option[OPT_UNTIMED])
		c->has |= MASQ_UNTIMED;
	if (g->option[OPT_INSECURE] && control)
		c->has |= MASQ_ANYONE;
	return err;
}

static char form_letter(const struct masq_command *c)
{
	return c->form == MASQ_RANGE ? 'r' : c->form == MASQ_PORT ? 'p' : 'd';
}

static void print(struct text *t, const struct masq_command *c)
{
	text_option(t, form_letter(c));
	text_word(t, masq_protocol_name(c->protocol));
	text_number(t, c->ports.first);
	if (c->form == MASQ_PORT) {
		text_host_of_port(t, &c->target);
		text_join(t, ":");
		text_join_number(t, c->target_ports.first);
	} else {
		text_number(t, c->ports.last);
		if (c->has & MASQ_HAS_TARGET) {
			text_option(t, 'h');
			text_address(t, &c->target);
		}
	}
	if (c->has & MASQ_HAS_TRIGGER) {
		text_option(t, 'c');
		text_word(t, masq_protocol_name(c->trigger_protocol));
		text_number(t, c->trigger_port);
	}
	if (c->has & MASQ_ANYONE)
		text_option(t, 'i');
	if (c->has & MASQ_UNTIMED)
		text_option(t, 'u');
}

static void describe(struct text *t, const struct masq_command *c)
{
	text_word(t, c->form == MASQ_RANGE ? "range" : c->form == MASQ_PORT ? "port" : "direct");
	text_word(t, masq_protocol_name(c->protocol));
	text_number(t, c->ports.first);
	if (c->form != MASQ_PORT) {
		text_join(t, "-");
		text_join_number(t, c->ports.last);
	}
	command_describe_target(t, c);
	if (c->has & MASQ_HAS_TRIGGER) {
		text_word(t, "control");
		text_word(t, masq_protocol_name(c->trigger_protocol));
		text_number(t, c->trigger_port);
	}
}

/* Where an entry of each form leads. */
static int check_target(struct error *e, const struct masq_command *c)
{
	bool host = c->has & MASQ_HAS_TARGET, control = c->has & MASQ_HAS_TRIGGER;

	if (c->form == MASQ_PORT && c->ports.first != c->ports.last)
		return fail(e, EINVAL, "ports %u-%u: one port goes to one port", c->ports.first,
			    c->ports.last);
	if (control && c->target.family == AF_INET6)
		return fail(e, EINVAL,
			    "only IPv4 has ports that follow a control connection: leave -c out");
	if (c->form == MASQ_PORT)
		return command_check_target(e, c);
	if (c->has & MASQ_HAS_TARGET_PORTS)
		return fail(e, EINVAL, "a range keeps its ports: it has no port of the host");
	if (c->form == MASQ_RANGE && host == control)
		return fail(e, EINVAL, "a range needs either a host or a control port");
	if (host && control)
		return fail(e, EINVAL, "either a host or a control port, not both");
	return host ? command_check_target(e, c) : 0;
}

static int validate(struct error *e, const struct masq_command *c)
{
	bool range = c->form == MASQ_RANGE, port = c->form == MASQ_PORT;
	int err = command_check_protocol(e, c->protocol);

	if (!err && c->has & MASQ_HAS_TRIGGER)
		err = command_check_protocol(e, c->trigger_protocol);
	if (err)
		return err;
	if (!range && !port && c->form != MASQ_DIRECT)
		return fail(e, EINVAL, "type %d is neither range (1), port (2) nor direct (3)",
			    (int)c->form);
	if (c->verb != MASQ_ADD)
		return 0;
	if (c->has & MASQ_HAS_TRIGGER && !c->trigger_port)
		return fail(e, EINVAL, "control port 0: give one from 1 to 65535");
	if (!c->ports.first || !c->ports.last || (port && !c->target_ports.first))
		return fail(e, EINVAL, "port 0: give one from 1 to 65535");
	if (c->ports.first > c->ports.last)
		return fail(e, EINVAL, "ports %u-%u: the lower one comes first", c->ports.first,
			    c->ports.last);
	if (c->has & MASQ_ANYONE && !(c->has & MASQ_HAS_TRIGGER))
		return fail(e, EINVAL, "anyone may connect anyway where there is no control port");
	return check_target(e, c);
}

/* All but the flags; an entry has no wildcards. */
static bool matches(const struct masq_command *a, const struct masq_command *b)
{
	return a->form == b->form && a->protocol == b->protocol &&
	       a->ports.first == b->ports.first && a->ports.last == b->ports.last &&
	       address_equal(&a->target, &b->target) &&
	       a->target_ports.first == b->target_ports.first &&
	       a->trigger_protocol == b->trigger_protocol && a->trigger_port == b->trigger_port;
}

static enum scope scope(const struct masq_command *c, struct key *key)
{
	key->local.family = c->has & MASQ_HAS_TARGET ? c->target.family : AF_INET;
	return SCOPE_KIND;
}

static struct entry *find(struct table *t, const struct masq_command *c)
{
	for (size_t i = 0; i < t->n_entries; i++)
		if (!t->entries[i].gone && matches(c, &t->entries[i].forward))
			return &t->entries[i];
	return NULL;
}

static int apply(struct table *t, const struct masq_command *c)
{
	const uint32_t flags = MASQ_UNTIMED | MASQ_ANYONE;
	struct entry *e = find(t, c);

	if (c->verb == MASQ_DELETE) {
		if (!e)
			return -ESRCH;
		e->gone = true;
		return 0;
	}
	/* A line given twice is harmless; with other flags it is a newer
	 * entry. */
	if (e && !((e->forward.has ^ c->has) & flags)) {
		e->again = true;
		return 0;
	}
	if (e)
		e->gone = true;
	return table_insert_entry(t, true, c) ? 0 : -ENOMEM;
}

/* The newest entry is looked at first, and listed first. */
static struct order save_order(const struct masq_command *c __attribute__((unused)))
{
	return (struct order){{0}, {0}};
}

const struct kind kind_autofw = {
	.id = MASQ_AUTOFW,
	.name = "autofw",
	.may_have = MASQ_HAS_PROTOCOL | MASQ_HAS_PORTS | MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS |
		    MASQ_HAS_TRIGGER | MASQ_UNTIMED | MASQ_ANYONE,
	.syntax = &syntax,
	.flush = 'F',
	.add = 'A',
	.save_order = save_order,
	.save_last_first = true,
	.read = read,
	.print = print,
	.describe = describe,
	.noun = "entry",
	.target_option = "-h HOST",
	.validate = validate,
	.matches = matches,
	.scope = scope,
	.apply = apply,
};
