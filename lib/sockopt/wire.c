// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "wire.h"

/* What of a kind's messages is not the same for all kinds. */
struct wire {
	uint32_t known; /* bits of has that the message has room for */
	int (*encode)(struct error *e, struct ip_masq_ctl *out, const struct masq_command *c);
	/* *out holds size, kind and verb. */
	int (*decode)(struct error *e, struct masq_command *out, const struct ip_masq_ctl *ctl);
};

/* m_cmd of each verb. */
static const int commands[] = {
	[MASQ_PROBE] = IP_MASQ_CMD_NONE,    [MASQ_ADD] = IP_MASQ_CMD_ADD,
	[MASQ_INSERT] = IP_MASQ_CMD_INSERT, [MASQ_DELETE] = IP_MASQ_CMD_DEL,
	[MASQ_EDIT] = IP_MASQ_CMD_SET,      [MASQ_SCHEDULE] = IP_MASQ_CMD_SET,
	[MASQ_FLUSH] = IP_MASQ_CMD_FLUSH,
};
#define VERBS (sizeof(commands) / sizeof(*commands))

static int put_address(struct error *e, uint32_t *out, const struct masq_address *a)
{
	char buf[ADDRESS_TEXT_MAX];

	if (a->family != AF_INET && a->family != AF_UNSPEC)
		return fail(e, EOPNOTSUPP,
			    "%s: the masquerading modules of this kernel forward IPv4 only, give "
			    "an IPv4 address",
			    address_text(buf, a));
	*out = a->family == AF_INET ? a->in.s_addr : 0;
	return 0;
}

/* In host order. */
static int put_port(struct error *e, uint16_t *out, const struct masq_ports *ports)
{
	if (ports->first != ports->last)
		return fail(e, EOPNOTSUPP,
			    "ports %u-%u: the masquerading modules of this kernel take one port a "
			    "command, give a command for each port",
			    ports->first, ports->last);
	*out = ports->first;
	return 0;
}

static int get_protocol(struct error *e, uint8_t *out, uint16_t protocol)
{
	if (protocol >= MASQ_TCP_UDP)
		return fail(e, EINVAL, "protocol %u is neither tcp (6) nor udp (17)", protocol);
	*out = (uint8_t)protocol;
	return 0;
}

static int portfw_encode(struct error *e, struct ip_masq_ctl *out, const struct masq_command *c)
{
	struct ip_portfw_edits *u = &out->u.portfw_user;
	uint16_t lport = 0, rport = 0;
	int err;

	if (c->verb == MASQ_ADD && command_pref(c) < 1)
		return fail(e, EOPNOTSUPP,
			    "pref %d: this kernel refuses it, it cannot drain a portfw target; "
			    "give a pref of 1 or more, or delete the forward",
			    command_pref(c));
	err = put_address(e, &u->laddr, &c->local);
	if (!err)
		err = put_address(e, &u->raddr, &c->target);
	if (!err)
		err = put_port(e, &lport, &c->ports);
	if (!err)
		err = put_port(e, &rport, &c->target_ports);
	u->protocol = c->protocol;
	u->lport = htons(lport);
	u->rport = htons(rport);
	u->pref = command_pref(c);
	return err;
}

static int portfw_decode(struct error *e, struct masq_command *out, const struct ip_masq_ctl *ctl)
{
	const struct ip_portfw_edits *u = &ctl->u.portfw_user;
	struct masq_address target = address_v4(u->raddr);

	out->has = MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PREF;
	out->local = address_v4(u->laddr);
	out->pref = u->pref;
	command_set_port(out, ntohs(u->lport));
	command_set_target(out, &target, ntohs(u->rport));
	return get_protocol(e, &out->protocol, u->protocol);
}

static int mfw_encode(struct error *e, struct ip_masq_ctl *out, const struct masq_command *c)
{
	struct ip_mfw_user *u = &out->u.mfw_user;
	uint16_t rport = 0;
	int err = put_address(e, &u->raddr, &c->target);

	if (!err)
		err = put_port(e, &rport, &c->target_ports);
	u->fwmark = c->mark;
	u->rport = htons(rport);
	u->pref = command_pref(c);
	u->flags = c->verb == MASQ_SCHEDULE ? IP_MASQ_MFW_SCHED : 0;
	return err;
}

static int mfw_decode(struct error *e __attribute__((unused)), struct masq_command *out,
		      const struct ip_masq_ctl *ctl)
{
	const struct ip_mfw_user *u = &ctl->u.mfw_user;
	struct masq_address target = address_v4(u->raddr);

	if (out->verb == MASQ_EDIT && u->flags & IP_MASQ_MFW_SCHED)
		out->verb = MASQ_SCHEDULE;
	out->has = MASQ_HAS_MARK | MASQ_HAS_PREF;
	out->mark = u->fwmark;
	out->pref = u->pref;
	command_set_target(out, &target, ntohs(u->rport));
	return 0;
}

/* enum masq_form has the numbers of 1998. */
_Static_assert(MASQ_RANGE == IP_FWD_RANGE && MASQ_PORT == IP_FWD_PORT &&
		       MASQ_DIRECT == IP_FWD_DIRECT,
	       "a form has another number");

static int autofw_encode(struct error *e, struct ip_masq_ctl *out, const struct masq_command *c)
{
	struct ip_autofw_user *u = &out->u.autofw_user;
	bool trigger = c->has & MASQ_HAS_TRIGGER;
	int err = put_address(e, &u->where, &c->target);

	u->type = (uint16_t)c->form;
	u->protocol = c->protocol;
	if (c->form == MASQ_PORT) {
		if (!err)
			err = put_port(e, &u->visible, &c->ports);
		if (!err)
			err = put_port(e, &u->hidden, &c->target_ports);
	} else {
		u->low = c->ports.first;
		u->high = c->ports.last;
		if (!err && c->has & MASQ_HAS_TARGET_PORTS)
			err = fail(e, EOPNOTSUPP,
				   "target port %u: autofw keeps the ports of a range, give none",
				   c->target_ports.first);
	}
	if (trigger) {
		u->ctlproto = c->trigger_protocol;
		u->ctlport = c->trigger_port;
	}
	u->flags = (uint16_t)((c->has & MASQ_UNTIMED ? 0 : IP_AUTOFW_USETIME) |
			      (trigger && !(c->has & MASQ_ANYONE) ? IP_AUTOFW_SECURE : 0));
	return err;
}

static int autofw_decode(struct error *e, struct masq_command *out, const struct ip_masq_ctl *ctl)
{
	const struct ip_autofw_user *u = &ctl->u.autofw_user;
	struct masq_address target = address_v4(u->where);
	bool port = u->type == IP_FWD_PORT, trigger = u->ctlproto || u->ctlport;
	int err = get_protocol(e, &out->protocol, u->protocol);

	out->has = MASQ_HAS_PROTOCOL | MASQ_HAS_PORTS;
	out->form = (enum masq_form)u->type;
	out->ports.first = port ? u->visible : u->low;
	out->ports.last = port ? u->visible : u->high;
	command_set_target(out, &target, port ? u->hidden : 0);
	if (!(u->flags & IP_AUTOFW_USETIME))
		out->has |= MASQ_UNTIMED;
	if (!trigger)
		return err;
	out->has |= MASQ_HAS_TRIGGER;
	if (!(u->flags & IP_AUTOFW_SECURE))
		out->has |= MASQ_ANYONE;
	out->trigger_port = u->ctlport;
	return err ? err : get_protocol(e, &out->trigger_protocol, u->ctlproto);
}

static const struct wire wires[] = {
	[MASQ_PORTFW] =
		{
			.known = MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS |
				 MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS | MASQ_HAS_PREF,
			.encode = portfw_encode,
			.decode = portfw_decode,
		},
	[MASQ_MFW] =
		{
			.known = MASQ_HAS_MARK | MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS |
				 MASQ_HAS_PREF,
			.encode = mfw_encode,
			.decode = mfw_decode,
		},
	[MASQ_AUTOFW] =
		{
			.known = MASQ_HAS_PROTOCOL | MASQ_HAS_PORTS | MASQ_HAS_TARGET |
				 MASQ_HAS_TARGET_PORTS | MASQ_HAS_TRIGGER | MASQ_UNTIMED |
				 MASQ_ANYONE,
			.encode = autofw_encode,
			.decode = autofw_decode,
		},
};

static const struct wire *wire_of(enum masq_kind kind)
{
	return (size_t)kind < sizeof(wires) / sizeof(*wires) ? &wires[kind] : NULL;
}

static bool is_general(const struct masq_command *c)
{
	return c->verb == MASQ_PROBE || c->verb == MASQ_FLUSH;
}

int wire_encode(struct error *e, struct ip_masq_ctl *out, const struct masq_command *c)
{
	const struct kind *k = kind_of(c->kind);
	const struct wire *w = wire_of(c->kind);
	char what[KIND_WORDS_MAX];

	memset(out, 0, sizeof(*out)); /* an initialiser leaves padding alone */
	if (!k || !w || (size_t)c->verb >= VERBS)
		return fail(e, EOPNOTSUPP, "this kernel has no masquerading module for %s",
			    k ? k->name : "this command");
	out->m_target = IP_MASQ_TARGET_MOD;
	out->m_cmd = commands[c->verb];
	memccpy(out->m_tname, k->name, 0, sizeof(out->m_tname) - 1);
	if (is_general(c))
		return 0;
	if (c->has & MASQ_HAS_HELPER)
		return fail(e, EOPNOTSUPP,
			    "helper %s: the masquerading modules of this kernel have none for "
			    "forwards, give the command without it",
			    c->helper);
	if (c->has & ~w->known)
		return fail(e, EOPNOTSUPP,
			    "%s: the masquerading modules of this kernel cannot do all that is "
			    "asked for (0x%x)",
			    kind_describe(what, c), c->has & ~w->known);
	return w->encode(e, out, c);
}

/* The verb of m_cmd, if the kind has it; EDIT for any SET. */
static bool find_verb(enum masq_verb *out, const struct kind *k, int cmd)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (commands[i] == cmd && kind_verbs(k) & 1u << i) {
			*out = (enum masq_verb)i;
			return true;
		}
	}
	return false;
}

int wire_decode(struct error *e, struct masq_command *out, const struct ip_masq_ctl *ctl)
{
	char name[IP_MASQ_TNAME_MAX + 1] = "";
	const struct kind *k;

	*out = (struct masq_command){.size = sizeof(*out)};
	if (ctl->m_target != IP_MASQ_TARGET_MOD)
		return fail(e, EINVAL, "no masquerading target %d: give %d, a module",
			    ctl->m_target, IP_MASQ_TARGET_MOD);
	memcpy(name, ctl->m_tname, sizeof(ctl->m_tname));
	k = kind_find(name);
	if (!k || !wire_of(k->id))
		return fail(e, EINVAL, "unknown module \"%s\" (available: portfw mfw autofw)",
			    name);
	out->kind = k->id;
	if (!find_verb(&out->verb, k, ctl->m_cmd))
		return fail(e, EINVAL, "%s has no command %d", k->name, ctl->m_cmd);
	return is_general(out) ? 0 : wire_of(k->id)->decode(e, out, ctl);
}
