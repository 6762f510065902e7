/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers that a transaction needs, or leaves to nobody (objects.h). */
#ifndef HELPERS_H
#define HELPERS_H

#include "link.h"
#include "objects.h"
#include "state.h"

/* Of a command that adds: its helper's objects are asked for with its
 * services. */
void helpers_need(struct state *st, enum family f, const struct masq_command *c);
/* Asks for those that are needed and were not asked for yet. */
void helpers_ask(struct buf *b, enum family f, struct state *st);
/* An answer: 1, or 0 if it is about something else. */
int helpers_read(struct state *st, enum family f, const struct nlmsghdr *nlh);

/* Which objects of a family nothing needs any more after the transaction. 0 or
 * -errno. */
int helpers_load(struct link *l, struct buf *b, enum family f, const struct state *st,
		 bool unused[HELPER_OBJECTS]);

/* Whether helpers of the services that change can be had: that of any family;
 * then its name, if nobody else has taken it; and if try is set its modules,
 * which are loaded if that is possible. b is a buffer to ask and to try with.
 * 0, -errno, or -ECANCELED with the error set and the service that has the
 * helper in *lacking. */
int helpers_check_families(struct error *e, const struct state *st, const struct service **lacking);
int helpers_check(struct error *e, struct link *l, struct buf *b, struct state *st, bool try,
		  const struct service **lacking);

#endif
