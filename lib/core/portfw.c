// SPDX-License-Identifier: GPL-2.0-or-later
/* portfw: a port of this machine goes to inside hosts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "helper.h"
#include "kind.h"

enum { OPT_PROTO, OPT_LOCAL, OPT_REMOTE, OPT_PREF, OPT_HELPER, OPT_COUNT };

static const struct option_spec options[] = {
	[OPT_PROTO] = {'P', "PROTO", "tcp, udp or tcp,udp"},
	[OPT_LOCAL] = {'L', "LADDR LPORT",
		       "address and port here, or ports: 8000-8100; 0.0.0.0 and :: are any "
		       "address of this machine, @ppp0 those that the interface has"},
	[OPT_REMOTE] = {'R', "RADDR RPORT", "host and port to forward to, or as many ports"},
	[OPT_PREF] = {'p', "PREF",
		      "connections before the next host's turn, 0: only as the last resort "
		      "(default 10)"},
	[OPT_HELPER] = {'H', "HELPER",
			"for protocols that agree on further connections: ftp, tftp, irc, sip, "
			"pptp or h323"},
};
_Static_assert(OPT_COUNT <= OPTIONS_MAX, "struct given has no room for them");

static const struct command_spec commands[] = {
	{'a', ACT_DO, MASQ_ADD, "PL", "RpHv+",
	 "add a forward, or give the one that is there a new pref"},
	{'d', ACT_DO, MASQ_DELETE, "PL", "RpH+", "delete all that match"},
	{'q', ACT_QUERY, MASQ_DELETE, "PL", "RpH", "exit 0 if -d would find something, else 1"},
	{'f', ACT_DO, MASQ_FLUSH, "", "+", "delete all"},
	{'l', ACT_LIST, MASQ_PROBE, "", "", "list"},
};

/* The words "ADDR PORT" of the ADDR/PORT that follows an option in the old
 * syntax; NULL: none. */
static const char *old_operand(char buf[80], int argc, char *argv[], const char *option)
{
	for (int i = 1; i + 1 < argc; i++) {
		const char *word = argv[i + 1], *port = word + strcspn(word, "/:");

		if (strcmp(argv[i], option) || !*port)
			continue;
		snprintf(buf, 80, "%.*s %s", (int)(port - word), word, port + 1);
		return buf;
	}
	return NULL;
}

static bool is_given(int argc, char *argv[], const char *option)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], option))
			return true;
	return false;
}

/* ipportfw, the tool before this one: -A or -D, -t or -u ADDR/PORT, -R
 * ADDR/PORT; -C to clear. */
static bool advise(struct error *e, char letter, int argc, char *argv[])
{
	bool udp = is_given(argc, argv, "-u"), delete = is_given(argc, argv, "-D");
	char buf[2][80];
	const char *local = old_operand(buf[0], argc, argv, udp ? "-u" : "-t");
	const char *remote = old_operand(buf[1], argc, argv, "-R");

	if (letter == 'C')
		fail(e, EINVAL, "-C is old syntax, now it is: ipmasqadm portfw -f");
	else if (letter && strchr("ADtu", letter))
		fail(e, EINVAL, "-%c is old syntax, now it is: ipmasqadm portfw %s -P %s -L %s%s%s",
		     letter, delete ? "-d" : "-a", udp ? "udp" : "tcp",
		     local ? local : "LADDR LPORT", remote || !delete ? " -R " : "",
		     remote   ? remote
		     : delete ? ""
			      : "RADDR RPORT");
	else
		return false;
	return true;
}

static const struct syntax syntax = {
	.kind = "portfw",
	.summary = "forward a port of this machine to an inside host",
	.options = options,
	.option_count = OPT_COUNT,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(*commands),
	.advise = advise,
};

static bool is_range(const struct masq_ports *p)
{
	return p->first != p->last;
}

static int fail_unequal(struct error *e, const struct masq_command *c)
{
	uint32_t more = (uint32_t)(c->ports.last - c->ports.first);
	uint32_t last = c->target_ports.first + more;
	struct masq_ports meant = {c->target_ports.first, (uint16_t)last};
	char words[100];
	struct text t;

	text_start(&t, words, sizeof(words));
	text_word(&t, is_range(&c->target_ports) ? "ports " : "port ");
	command_join_ports(&t, &c->target_ports);
	text_word(&t, is_range(&c->ports) ? "for the ports " : "for port ");
	command_join_ports(&t, &c->ports);
	if (last > UINT16_MAX)
		return fail(e, EINVAL, "%s: so many end beyond 65535, begin at %u or below", words,
			    UINT16_MAX - more);
	text_join(&t, ": give as many, ");
	command_join_ports(&t, &meant);
	return fail(e, EINVAL, "%s", words);
}

static int check_ports(struct error *e, const struct masq_command *c)
{
	if (!c->ports.first)
		return fail(e, EINVAL, "local port %u: give one from 1 to 65535", c->ports.first);
	if (c->ports.first > c->ports.last)
		return fail(e, EINVAL, "ports %u-%u: the lower one comes first", c->ports.first,
			    c->ports.last);
	if (c->has & MASQ_HAS_TARGET_PORTS &&
	    c->target_ports.last - c->target_ports.first != c->ports.last - c->ports.first)
		return fail_unequal(e, c);
	return 0;
}

static int read(struct masq_command *c, const struct given *g, const struct lookup *l,
		struct error *e)
{
	const char *const *local = g->operand[OPT_LOCAL], *const *remote = g->operand[OPT_REMOTE];
	struct masq_address target = {0};
	struct masq_ports target_ports = {0};
	int err = value_protocols(e, &c->protocol, g->operand[OPT_PROTO][0]);

	if (!err)
		err = value_local(e, l, &c->local, c->interface, local[0], remote[0]);
	if (!err)
		err = value_ports(e, l, &c->ports, local[1], c->protocol);
	if (!err && g->option[OPT_REMOTE])
		err = value_address(e, l, &target, remote[0], c->local.family);
	if (!err && c->verb == MASQ_ADD && target.family == AF_INET6 && address_is_any(&target))
		err = fail(e, EINVAL, "-R %s is no host to forward to", remote[0]);
	if (!err && g->option[OPT_REMOTE])
		err = value_ports(e, l, &target_ports, remote[1], c->protocol);
	if (!err && g->option[OPT_PREF])
		err = value_pref(e, &c->pref, g->operand[OPT_PREF][0]);
	if (err)
		return err;
	c->has |= MASQ_HAS_PROTOCOL | MASQ_HAS_PORTS;
	c->has |= *c->interface ? MASQ_HAS_INTERFACE : MASQ_HAS_LOCAL;
	if (g->option[OPT_PREF])
		c->has |= MASQ_HAS_PREF;
	command_set_target(c, &target, target_ports.first);
	c->target_ports.last = target_ports.last;
	if (g->option[OPT_HELPER]) {
		err = helper_check(e, g->operand[OPT_HELPER][0], c->protocol);
		if (err)
			return err;
		c->has |= MASQ_HAS_HELPER;
		strcpy(c->helper, g->operand[OPT_HELPER][0]);
	}
	err = check_ports(e, c);
	return err || c->verb != MASQ_ADD ? err : command_check_addresses(e, c);
}

static void put_interface(struct text *t, const struct masq_command *c)
{
	text_word(t, "@");
	text_join(t, c->interface);
}

static void print(struct text *t, const struct masq_command *c)
{
	text_option(t, 'P');
	text_word(t, masq_protocol_name(c->protocol));
	text_option(t, 'L');
	if (*c->interface)
		put_interface(t, c);
	else
		text_address(t, &c->local);
	text_word(t, "");
	command_join_ports(t, &c->ports);
	if (c->has & (MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS)) {
		text_option(t, 'R');
		text_address(t, &c->target);
		text_word(t, "");
		command_join_ports(t, &c->target_ports);
	}
	if (c->has & MASQ_HAS_PREF) {
		text_option(t, 'p');
		text_number(t, (uint32_t)c->pref);
	}
	if (c->has & MASQ_HAS_HELPER) {
		text_option(t, 'H');
		text_word(t, c->helper);
	}
}

static void describe(struct text *t, const struct masq_command *c)
{
	text_word(t, masq_protocol_name(c->protocol));
	if (*c->interface)
		put_interface(t, c);
	else
		text_host_of_port(t, &c->local);
	text_join(t, ":");
	command_join_ports(t, &c->ports);
	command_describe_target(t, c);
}

static int validate(struct error *e, const struct masq_command *c)
{
	int err = c->protocol == MASQ_TCP_UDP ? 0 : command_check_protocol(e, c->protocol);

	if (!err)
		err = check_ports(e, c);
	if (err)
		return err;
	if (c->verb == MASQ_ADD && command_pref(c) < 0)
		return fail(e, EINVAL, "pref %d: give one from 0 to 2147483647", c->pref);
	if (!(c->has & MASQ_HAS_INTERFACE) == !(c->has & MASQ_HAS_LOCAL))
		return fail(
			e, EINVAL,
			"either a local address, 0.0.0.0 for any, or an interface: one of them");
	if (c->has & MASQ_HAS_INTERFACE && value_check_interface(e, c->interface) < 0)
		return -EINVAL;
	return c->has & MASQ_HAS_HELPER ? helper_check(e, c->helper, c->protocol) : 0;
}

/* Whether it has a target to add where nothing matches. */
static bool adds(const struct masq_command *c)
{
	return c->verb == MASQ_ADD && command_has(c, MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS);
}

/* 0.0.0.0 is "any address of this machine" where a target is given to it, and
 * matches every address where forwards are only looked for. So does ::, each of
 * its family. */
static bool names_all(const struct masq_command *c)
{
	return address_is_any(&c->local) && !*c->interface && !adds(c);
}

static bool names_protocol(const struct masq_command *c, uint8_t protocol)
{
	return c->protocol == MASQ_TCP_UDP || c->protocol == protocol;
}

static bool names_port(const struct masq_command *c, uint16_t port)
{
	return c->ports.first <= port && port <= c->ports.last;
}

/* The target's port that belongs to a local one; 0: any. */
static uint16_t target_port(const struct masq_command *c, uint16_t port)
{
	return c->has & MASQ_HAS_TARGET_PORTS
		       ? (uint16_t)(c->target_ports.first + (port - c->ports.first))
		       : 0;
}

static bool names_address(const struct masq_command *c, const struct masq_address *local,
			  const char *interface)
{
	if (*c->interface)
		return !strcmp(c->interface, interface) &&
		       (c->local.family == AF_UNSPEC || c->local.family == local->family);
	if (*interface && !address_is_any(&c->local))
		return false;
	return address_is_any(&c->local) ? command_family(c, 0) == local->family
					 : address_equal(&c->local, local);
}

static bool matches(const struct masq_command *c, const struct masq_command *forward)
{
	uint16_t port = target_port(c, forward->ports.first);

	return names_protocol(c, forward->protocol) && names_port(c, forward->ports.first) &&
	       names_address(c, &forward->local, forward->interface) &&
	       (!(c->has & MASQ_HAS_TARGET) || address_equal(&c->target, &forward->target)) &&
	       (!port || port == forward->target_ports.first);
}

static bool part(struct masq_command *out, const struct masq_command *c, uint32_t n)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	uint32_t ports = (uint32_t)(c->ports.last - c->ports.first) + 1;
	bool both = c->protocol == MASQ_TCP_UDP;
	uint32_t each = both ? 2 * ports : ports;
	int family = command_family(c, n / each);

	if (family == AF_UNSPEC)
		return false;
	n %= each;
	*out = *c;
	out->local.family = family;
	if (both)
		out->protocol = protocols[n / ports];
	out->ports.first = out->ports.last = (uint16_t)(c->ports.first + n % ports);
	out->target_ports.first = target_port(c, out->ports.first);
	out->target_ports.last = out->target_ports.first;
	return true;
}

static void set_key(struct key *key, const struct masq_command *c)
{
	key->protocol = c->protocol;
	key->local = c->local;
	key->port = c->ports.first;
	key->local.family = command_family(c, 0);
	key_set_interface(key, c->interface);
}

static enum scope scope(const struct masq_command *c, struct key *key)
{
	set_key(key, c);
	return names_all(c) ? SCOPE_KIND : SCOPE_ONE;
}

/* Gives the service its helper and nothing else: prefs stay. */
static bool only_helps(const struct masq_command *c)
{
	return c->verb == MASQ_ADD && (c->has & (MASQ_HAS_HELPER | MASQ_HAS_PREF | MASQ_HAS_TARGET |
						 MASQ_HAS_TARGET_PORTS)) == MASQ_HAS_HELPER;
}

static void set_helper(struct service *s, const struct masq_command *c)
{
	if (c->has & MASQ_HAS_HELPER)
		s->helper = (uint8_t)helper_find(c->helper);
}

static int change(struct service *s, const struct masq_command *c)
{
	const struct masq_address *target = c->has & MASQ_HAS_TARGET ? &c->target : NULL;
	uint16_t port = target_port(c, s->key.port);
	int err;

	if (c->verb == MASQ_DELETE)
		err = service_delete(s, target, port);
	else if (only_helps(c))
		err = s->n ? 0 : -ESRCH;
	else
		err = service_edit(s, target, port, (uint32_t)command_pref(c));
	if (!err && c->verb == MASQ_ADD)
		set_helper(s, c);
	s->dirty |= !err;
	return err;
}

/* Of the services on all addresses. 0; -ESRCH if nothing matches;
 * -EOVERFLOW. */
static int change_all(struct table *t, const struct masq_command *c)
{
	int result = -ESRCH;

	for (size_t i = 0; i < t->n; i++) {
		struct service *s = &t->services[i];
		const struct masq_address local = key_local(&s->key);
		int err;

		if (s->key.kind != MASQ_PORTFW || !names_protocol(c, s->key.protocol) ||
		    !names_port(c, s->key.port) ||
		    !names_address(c, &local, key_interface(&s->key)) || !s->n)
			continue;
		err = change(s, c);
		if (err != -ESRCH)
			result = err;
		if (err == -EOVERFLOW)
			break;
	}
	return result;
}

/* A command of one service. -ESRCH if there is nothing to change, and no target
 * to add. */
static int apply_part(struct table *t, const struct masq_command *c)
{
	struct key key = {.kind = MASQ_PORTFW};
	struct service *s;
	int err;

	set_key(&key, c);
	s = table_get(t, &key);
	err = s ? change(s, c) : -ESRCH;
	if (err != -ESRCH || !adds(c))
		return err;
	if (s && !s->n) /* what was there is gone as a whole */
		s->helper = HELPER_NONE;
	if (!s)
		s = table_add(t, &key);
	if (!s)
		return -ENOMEM;
	err = table_add_target(t, s, true, c);
	if (!err)
		set_helper(s, c);
	return err;
}

static int apply(struct table *t, const struct masq_command *c)
{
	struct masq_command one;
	int result = -ESRCH;

	if (names_all(c))
		result = change_all(t, c);
	for (uint32_t n = 0; !names_all(c) && part(&one, c, n); n++) {
		int err = apply_part(t, &one);

		if (err && err != -ESRCH)
			return err;
		if (!err)
			result = 0;
	}
	return result == -ESRCH && c->verb == MASQ_ADD ? -EDESTADDRREQ : result;
}

static void forward_of(struct masq_command *out, const struct service *s,
		       const struct target *target)
{
	const struct key *key = &s->key;

	*out = (struct masq_command){
		.size = sizeof(*out),
		.kind = MASQ_PORTFW,
		.verb = MASQ_ADD,
		.has = MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PREF,
		.protocol = key->protocol,
		.local = key_local(key),
		.pref = (int32_t)target->pref,
	};
	if (key->at) {
		out->has ^= MASQ_HAS_LOCAL | MASQ_HAS_INTERFACE;
		memcpy(out->interface, key_interface(key), sizeof(out->interface));
	}
	command_set_port(out, key->port);
	command_set_target(out, &target->addr, target->port);
	if (s->helper) {
		out->has |= MASQ_HAS_HELPER;
		strcpy(out->helper, helper_name((enum helper)s->helper));
	}
}

/* Consecutive ports of one host, on both sides, are a range. */
static bool join(struct masq_command *c, const struct masq_command *next)
{
	const uint32_t bits = MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS | MASQ_HAS_PREF;

	if (!command_has(c, bits) || c->has != next->has || c->protocol != next->protocol ||
	    c->pref != next->pref || next->ports.first != c->ports.last + 1 ||
	    next->target_ports.first != c->target_ports.last + 1 ||
	    !address_equal(&c->local, &next->local) || !address_equal(&c->target, &next->target) ||
	    strcmp(c->interface, next->interface) != 0 || strcmp(c->helper, next->helper) != 0)
		return false;
	c->ports.last = next->ports.last;
	c->target_ports.last = next->target_ports.last;
	return true;
}

/* In the order of their names, so that a diff shows what changed. A service on
 * any address comes before those on the same port, since -L 0.0.0.0 in a
 * command also matches what is on an exact address. The target that serves last
 * comes first: -a puts a target at the head. */
static struct order save_order(const struct masq_command *c)
{
	struct key key = {.kind = MASQ_PORTFW};

	set_key(&key, c);
	return key_order(&key);
}

const struct kind kind_portfw = {
	.id = MASQ_PORTFW,
	.name = "portfw",
	.may_have = MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS | MASQ_HAS_TARGET |
		    MASQ_HAS_TARGET_PORTS | MASQ_HAS_PREF | MASQ_HAS_HELPER | MASQ_HAS_INTERFACE,
	.counts_alone = true,
	.syntax = &syntax,
	.flush = 'f',
	.add = 'a',
	.save_order = save_order,
	.save_last_first = true,
	.join = join,
	.read = read,
	.print = print,
	.describe = describe,
	.noun = "forward on",
	.target_option = "-R RADDR RPORT",
	.validate = validate,
	.matches = matches,
	.ranges = true,
	.part = part,
	.scope = scope,
	.apply = apply,
	.forward_of = forward_of,
};
