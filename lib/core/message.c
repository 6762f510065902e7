// SPDX-License-Identifier: GPL-2.0-or-later
/* Control messages in words: what one names, whether it can be carried out, what it matches. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "handle.h"

struct dotted {
	char text[INET_ADDRSTRLEN];
};

static struct dotted dotted(uint32_t addr)
{
	struct dotted d;

	inet_ntop(AF_INET, &addr, d.text, sizeof(d.text));
	return d;
}

/* " to HOST:PORT" without what is not given */
static void describe_target(char *buf, size_t size, uint32_t raddr, uint16_t rport)
{
	if (raddr && rport)
		snprintf(buf, size, " to %s:%u", dotted(raddr).text, ntohs(rport));
	else if (raddr)
		snprintf(buf, size, " to %s", dotted(raddr).text);
	else if (rport)
		snprintf(buf, size, " to port %u of any host", ntohs(rport));
	else
		*buf = '\0';
}

static void describe_portfw(char *buf, const struct ip_portfw_edits *u)
{
	char target[64];

	describe_target(target, sizeof(target), u->raddr, u->rport);
	snprintf(buf, DESCRIBE_MAX, "%s %s:%u%s", masq_protocol_name((uint8_t)u->protocol),
		 dotted(u->laddr).text, ntohs(u->lport), target);
}

static void describe_mfw(char *buf, const struct ip_mfw_user *u)
{
	char target[64];

	describe_target(target, sizeof(target), u->raddr, u->rport);
	snprintf(buf, DESCRIBE_MAX, "mark %u%s", u->fwmark, target);
}

static void describe_autofw(char *buf, const struct ip_autofw_user *u)
{
	const char *protocol = masq_protocol_name((uint8_t)u->protocol);
	char where[64], control[32] = "";

	describe_target(where, sizeof(where), u->where,
			u->type == IP_FWD_PORT ? htons(u->hidden) : 0);
	if (u->ctlport)
		snprintf(control, sizeof(control), " control %s %u",
			 masq_protocol_name((uint8_t)u->ctlproto), u->ctlport);
	if (u->type == IP_FWD_PORT)
		snprintf(buf, DESCRIBE_MAX, "port %s %u%s%s", protocol, u->visible, where, control);
	else
		snprintf(buf, DESCRIBE_MAX, "%s %s %u-%u%s%s",
			 u->type == IP_FWD_DIRECT ? "direct" : "range", protocol, u->low, u->high,
			 where, control);
}

const char *describe(char buf[DESCRIBE_MAX], enum module mod, const struct ip_masq_ctl *ctl)
{
	if (ctl->m_cmd == IP_MASQ_CMD_FLUSH)
		return strcpy(buf, "everything");
	switch (mod) {
	case MOD_PORTFW:
		describe_portfw(buf, &ctl->u.portfw_user);
		break;
	case MOD_MFW:
		describe_mfw(buf, &ctl->u.mfw_user);
		break;
	default:
		describe_autofw(buf, &ctl->u.autofw_user);
	}
	return buf;
}

int fail_not_there(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl)
{
	char buf[DESCRIBE_MAX];

	describe(buf, mod, ctl);
	/* a target without address or port can only change what is there */
	if (mod == MOD_PORTFW && ctl->m_cmd == IP_MASQ_CMD_ADD)
		return masq_fail(m, ESRCH, "no forward on %s to change, and no target to add", buf);
	return masq_fail(m, ESRCH, "no %s %s", mod == MOD_AUTOFW ? "entry" : "forward on", buf);
}

static bool is_protocol(unsigned int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static int validate_portfw(struct masq *m, int cmd, const struct ip_portfw_edits *u)
{
	if (!is_protocol(u->protocol))
		return masq_fail(m, EINVAL, "protocol %u is neither tcp (6) nor udp (17)",
				 u->protocol);
	if (!u->lport)
		return masq_fail(m, EINVAL, "local port 0: give one from 1 to 65535");
	if (cmd == IP_MASQ_CMD_ADD && u->pref < 1)
		return masq_fail(m, EINVAL, "pref %d: give one from 1 to 2147483647", u->pref);
	return 0;
}

static int validate_mfw(struct masq *m, int cmd, const struct ip_mfw_user *u)
{
	if (!u->fwmark)
		return masq_fail(m, EINVAL, "mark 0 is no mark: give one from 1 to 4294967295");
	if (cmd != IP_MASQ_CMD_DEL && u->pref < 0)
		return masq_fail(m, EINVAL, "pref %d: give one from 0 to 2147483647", u->pref);
	if ((cmd == IP_MASQ_CMD_ADD || cmd == IP_MASQ_CMD_INSERT) && !u->raddr)
		return masq_fail(m, EINVAL, "0.0.0.0 is no host to forward to");
	return 0;
}

static int validate_autofw(struct masq *m, int cmd, const struct ip_autofw_user *u)
{
	bool range = u->type == IP_FWD_RANGE, port = u->type == IP_FWD_PORT;

	if (!range && !port && u->type != IP_FWD_DIRECT)
		return masq_fail(m, EINVAL, "type %u is neither range (1), port (2) nor direct (3)",
				 u->type);
	if (!is_protocol(u->protocol) || ((u->ctlproto || u->ctlport) && !is_protocol(u->ctlproto)))
		return masq_fail(m, EINVAL, "protocol %u is neither tcp (6) nor udp (17)",
				 is_protocol(u->protocol) ? u->ctlproto : u->protocol);
	if (cmd != IP_MASQ_CMD_ADD)
		return 0;
	if (u->ctlproto && !u->ctlport)
		return masq_fail(m, EINVAL, "control port 0: give one from 1 to 65535");
	if (port ? !u->visible || !u->hidden : !u->low || !u->high)
		return masq_fail(m, EINVAL, "port 0: give one from 1 to 65535");
	if (u->low > u->high)
		return masq_fail(m, EINVAL, "ports %u-%u: the lower one comes first", u->low,
				 u->high);
	if (port && !u->where)
		return masq_fail(m, EINVAL, "0.0.0.0 is no host to forward to");
	if (range && !u->where == !u->ctlport)
		return masq_fail(m, EINVAL, "a range needs either a host or a control port");
	return 0;
}

int validate(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl)
{
#define CMD(name) (1u << IP_MASQ_CMD_##name)
	static const unsigned int commands[MOD_COUNT] = {
		[MOD_PORTFW] = CMD(NONE) | CMD(FLUSH) | CMD(ADD) | CMD(DEL),
		[MOD_MFW] = CMD(NONE) | CMD(FLUSH) | CMD(ADD) | CMD(DEL) | CMD(INSERT) | CMD(SET),
		[MOD_AUTOFW] = CMD(NONE) | CMD(FLUSH) | CMD(ADD) | CMD(DEL),
	};
#undef CMD
	int cmd = ctl->m_cmd;

	if (cmd < 0 || cmd > IP_MASQ_CMD_DISABLE || !(commands[mod] & 1u << cmd))
		return masq_fail(m, EINVAL, "%.*s has no command %d", IP_MASQ_TNAME_MAX,
				 ctl->m_tname, cmd);
	if (cmd == IP_MASQ_CMD_NONE || cmd == IP_MASQ_CMD_FLUSH)
		return 0;
	switch (mod) {
	case MOD_PORTFW:
		return validate_portfw(m, cmd, &ctl->u.portfw_user);
	case MOD_MFW:
		return validate_mfw(m, cmd, &ctl->u.mfw_user);
	default:
		return validate_autofw(m, cmd, &ctl->u.autofw_user);
	}
}

static bool match_target(uint32_t raddr, uint16_t rport, const struct masq_record *r)
{
	return (!raddr || raddr == r->raddr.s_addr) && (!rport || rport == r->rport);
}

bool matches(enum module mod, const struct ip_masq_ctl *ctl, const struct masq_record *r)
{
	const struct ip_portfw_edits *p = &ctl->u.portfw_user;
	const struct ip_mfw_user *w = &ctl->u.mfw_user;
	const struct ip_autofw_user *a = &ctl->u.autofw_user, *b = &r->autofw;

	switch (mod) {
	case MOD_PORTFW:
		return r->kind == MASQ_PORTFW && p->protocol == r->protocol &&
		       p->lport == r->lport && (!p->laddr || p->laddr == r->laddr.s_addr) &&
		       match_target(p->raddr, p->rport, r);
	case MOD_MFW:
		return r->kind == MASQ_MFW && w->fwmark == r->mark &&
		       match_target(w->raddr, w->rport, r);
	default: /* all but flags and contact; an entry has no wildcards */
		return r->kind == MASQ_AUTOFW && a->type == b->type && a->low == b->low &&
		       a->high == b->high && a->visible == b->visible && a->hidden == b->hidden &&
		       a->protocol == b->protocol && a->where == b->where &&
		       a->ctlproto == b->ctlproto && a->ctlport == b->ctlport;
	}
}

int fail_no_target(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl)
{
	char what[DESCRIBE_MAX];

	return masq_fail(m, EINVAL,
			 "no forward on %s to edit, and none to add: give it a target with %s",
			 describe(what, mod, ctl),
			 mod == MOD_PORTFW ? "-R ADDRESS PORT" : "-r ADDRESS [PORT]");
}
