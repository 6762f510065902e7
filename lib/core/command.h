/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all kinds of commands have in common. */
#ifndef COMMAND_H
#define COMMAND_H

#include "address.h"
#include "error.h"
#include "text.h"

/* Copies what a caller of any version gave: shorter structures read as "not
 * given", what is not marked as given is zero. 0, -E2BIG (members or bits of
 * has that this version does not know), -EINVAL (size) or -EAFNOSUPPORT
 * (address). */
int command_take(struct masq_command *out, const struct masq_command *in);

static inline bool command_has(const struct masq_command *c, uint32_t bits)
{
	return (c->has & bits) == bits;
}

/* The pref, or the default where none is given. */
int32_t command_pref(const struct masq_command *c);

/* Whether the target of a forward is what c names; what c does not give matches
 * any. */
bool command_matches_target(const struct masq_command *c, const struct masq_address *addr,
			    uint16_t port);

/* Sets the local port, the target's address and the target's port, and marks
 * them as given. A target of 0.0.0.0, a port of 0: not given. */
void command_set_port(struct masq_command *c, uint16_t port);
void command_set_target(struct masq_command *c, const struct masq_address *addr, uint16_t port);

/* Appends "80" or "80-90", without a blank before it. */
void command_join_ports(struct text *t, const struct masq_ports *ports);
/* Appends " to HOST:PORT" without what is not given. */
void command_describe_target(struct text *t, const struct masq_command *c);

/* Refuses what is neither TCP nor UDP. 0 or -EINVAL. */
int command_check_protocol(struct error *e, uint8_t protocol);
/* Refuses a command that leads nowhere. 0 or -EINVAL. */
int command_check_target(struct error *e, const struct masq_command *c);
/* Refuses addresses of two families, and what a packet of IPv6 cannot be sent
 * on to. Of commands that add something. 0 or -EINVAL. */
int command_check_addresses(struct error *e, const struct masq_command *c);

/* The nth of the families that a command means; AF_UNSPEC: there are no more.
 * One that names an address means that address's; one that names none, each. In
 * a part of a command (kind.h) local has its family, whether a local address is
 * given or not. */
int command_family(const struct masq_command *c, unsigned int n);

#endif
