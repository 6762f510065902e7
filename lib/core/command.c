// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "command.h"

/* The size of the first version, below which nothing is a command. */
#define SIZE_MIN sizeof(struct masq_command)

/* The bits of has that this version knows. */
#define HAS_KNOWN                                                                                  \
	(MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS | MASQ_HAS_MARK | MASQ_HAS_TARGET |   \
	 MASQ_HAS_TARGET_PORTS | MASQ_HAS_PREF | MASQ_HAS_TRIGGER | MASQ_HAS_INTERFACE |           \
	 MASQ_HAS_HELPER | MASQ_UNTIMED | MASQ_ANYONE)

static void clear_absent(struct masq_command *c)
{
	static const struct masq_command none;

#define KEEP_IF(bit, member)                                                                       \
	do {                                                                                       \
		if (!(c->has & (bit)))                                                             \
			c->member = none.member;                                                   \
	} while (0)
	KEEP_IF(MASQ_HAS_PROTOCOL, protocol);
	KEEP_IF(MASQ_HAS_LOCAL, local);
	KEEP_IF(MASQ_HAS_PORTS, ports);
	KEEP_IF(MASQ_HAS_MARK, mark);
	KEEP_IF(MASQ_HAS_TARGET, target);
	KEEP_IF(MASQ_HAS_TARGET_PORTS, target_ports);
	KEEP_IF(MASQ_HAS_PREF, pref);
	KEEP_IF(MASQ_HAS_TRIGGER, trigger_protocol);
	KEEP_IF(MASQ_HAS_TRIGGER, trigger_port);
#undef KEEP_IF
	if (!(c->has & MASQ_HAS_HELPER))
		memset(c->helper, 0, sizeof(c->helper));
	if (!(c->has & MASQ_HAS_INTERFACE))
		memset(c->interface, 0, sizeof(c->interface));
	/* the name counts, not what is behind it */
	c->interface[sizeof(c->interface) - 1] = '\0';
	if (*c->interface)
		memset(c->interface + strlen(c->interface), 0,
		       sizeof(c->interface) - strlen(c->interface));
	c->helper[sizeof(c->helper) - 1] = '\0';
}

int command_take(struct masq_command *out, const struct masq_command *in)
{
	const unsigned char *p = (const unsigned char *)in;

	if (in->size < SIZE_MIN)
		return -EINVAL;
	for (size_t i = sizeof(*out); i < in->size; i++)
		if (p[i])
			return -E2BIG;
	if (in->has & ~HAS_KNOWN)
		return -E2BIG;
	memcpy(out, in, sizeof(*out));
	out->size = sizeof(*out);
	clear_absent(out);
	if (!address_take(&out->local, &out->local) || !address_take(&out->target, &out->target))
		return -EAFNOSUPPORT;
	/* any address, of which family the target says */
	if (out->has & MASQ_HAS_LOCAL && out->local.family == AF_UNSPEC)
		out->local.family = out->target.family == AF_INET6 ? AF_INET6 : AF_INET;
	return 0;
}

int32_t command_pref(const struct masq_command *c)
{
	return c->has & MASQ_HAS_PREF ? c->pref : MASQ_PREF_DEFAULT;
}

bool command_matches_target(const struct masq_command *c, const struct masq_address *addr,
			    uint16_t port)
{
	return (!(c->has & MASQ_HAS_TARGET) || address_equal(&c->target, addr)) &&
	       (!(c->has & MASQ_HAS_TARGET_PORTS) || c->target_ports.first == port);
}

void command_set_port(struct masq_command *c, uint16_t port)
{
	c->ports = (struct masq_ports){port, port};
	c->has |= MASQ_HAS_PORTS;
}

void command_set_target(struct masq_command *c, const struct masq_address *addr, uint16_t port)
{
	if (!address_is_any(addr)) {
		c->target = *addr;
		c->has |= MASQ_HAS_TARGET;
	}
	if (port) {
		c->target_ports = (struct masq_ports){port, port};
		c->has |= MASQ_HAS_TARGET_PORTS;
	}
}

void command_join_ports(struct text *t, const struct masq_ports *ports)
{
	text_join_number(t, ports->first);
	if (ports->last == ports->first)
		return;
	text_join(t, "-");
	text_join_number(t, ports->last);
}

void command_describe_target(struct text *t, const struct masq_command *c)
{
	bool host = c->has & MASQ_HAS_TARGET, port = c->has & MASQ_HAS_TARGET_PORTS;

	if (host) {
		text_word(t, "to");
		if (port)
			text_host_of_port(t, &c->target);
		else
			text_address(t, &c->target);
		text_join(t, port ? ":" : "");
	} else if (port) {
		text_word(t, "to port ");
	}
	if (port)
		command_join_ports(t, &c->target_ports);
	if (port && !host)
		text_word(t, "of any host");
}

int command_check_protocol(struct error *e, uint8_t protocol)
{
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		return 0;
	return fail(e, EINVAL, "protocol %u is neither tcp (6) nor udp (17)", protocol);
}

int command_check_target(struct error *e, const struct masq_command *c)
{
	if (c->has & MASQ_HAS_TARGET && !address_is_any(&c->target))
		return 0;
	return fail(e, EINVAL, "%s is no host to forward to",
		    c->target.family == AF_INET6 ? "::" : "0.0.0.0");
}

/* An address of IPv6 that no packet can be forwarded from or to, and whose it
 * ought to be instead. */
static int check_special(struct error *e, const struct masq_address *a, const char *cannot,
			 const char *whose)
{
	const struct in6_addr *in6 = &a->in6;
	char text[ADDRESS_TEXT_MAX];

	if (a->family != AF_INET6)
		return 0;
	address_text(text, a);
	if (IN6_IS_ADDR_LOOPBACK(in6))
		return fail(e, EINVAL, "%s is the loopback address, %s", text, cannot);
	if (IN6_IS_ADDR_MULTICAST(in6))
		return fail(e, EINVAL, "%s is a multicast address, %s", text, cannot);
	if (IN6_IS_ADDR_LINKLOCAL(in6))
		return fail(e, EINVAL,
			    "%s is a link-local address, which needs a scope, and a forward has "
			    "none: give a global or a unique local address of %s",
			    text, whose);
	return 0;
}

static int check_mapped(struct error *e, const struct masq_address *a)
{
	char text[ADDRESS_TEXT_MAX], four[ADDRESS_TEXT_MAX];
	struct masq_address mapped;

	if (!address_is_mapped(a, &mapped))
		return 0;
	return fail(e, EINVAL, "%s is an IPv4 address in IPv6's notation: give %s",
		    address_text(text, a), address_text(four, &mapped));
}

int command_check_addresses(struct error *e, const struct masq_command *c)
{
	const struct masq_address *local = &c->local, *target = &c->target;
	bool both = local->family != AF_UNSPEC && c->has & MASQ_HAS_TARGET;
	char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];
	struct error why;
	int err = check_mapped(e, local);

	if (!err)
		err = check_mapped(e, target);
	if (!err && c->has & MASQ_HAS_TARGET)
		err = check_special(e, target, "no host to forward to", "that host");
	if (err)
		return err;
	if (!both || local->family == target->family)
		return c->has & MASQ_HAS_LOCAL
			       ? check_special(e, local,
					       "and nothing that comes to it is forwarded",
					       "this machine")
			       : 0;
	fail(&why, EINVAL, "%s is %s and %s is %s, and neither is translated to the other",
	     address_text(from, local), address_family_name(local->family),
	     address_text(to, target), address_family_name(target->family));
	if (address_is_any(local))
		return fail(e, EINVAL, "%s: any address of this machine is %s", why.text,
			    target->family == AF_INET6 ? "::" : "0.0.0.0");
	return fail(e, EINVAL, "%s: give the host's %s address", why.text,
		    address_family_name(local->family));
}

int command_family(const struct masq_command *c, unsigned int n)
{
	static const int families[] = {AF_INET, AF_INET6};

	if (c->local.family != AF_UNSPEC)
		return n ? AF_UNSPEC : c->local.family;
	if (c->target.family != AF_UNSPEC)
		return n ? AF_UNSPEC : c->target.family;
	return n < 2 ? families[n] : AF_UNSPEC;
}
