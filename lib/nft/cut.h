/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running connections that no forward of ours would make any more:
 * masq_cut(). */
#ifndef CUT_H
#define CUT_H

#include "link.h"
#include "state.h"

/* Whether connections can be ended: 0, or -errno where nobody is there to
 * ask. */
int cut_possible(struct link *l, struct buf *b);

/* Whether a command changed a portfw service. */
bool cut_concerns(const struct table *t);

/*
 * After a commit: ends the connections that we forwarded to the address and
 * port of each portfw service that a command changed, unless they go to a
 * target of whatever serves that address and port now: the service on that
 * address; where there is none, the one on any address, if it is this
 * machine's; or a mark or an entry of autofw, which could have forwarded them,
 * too. 0 or -errno; then some may still run.
 */
int cut_connections(struct link *l, struct buf *b, struct state *st);

#endif
