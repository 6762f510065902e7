/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks servers from here: neighbours whether they are there, connections what
 * they answer. */
#ifndef CHECK_SERVERS_H
#define CHECK_SERVERS_H

#include "clock.h"
#include "ears.h"

/* Which next hops answer, of those that the kernel does not know: sets
 * neighbour_failed. Observations may be NULL. What is sent to one that does not
 * answer would come back as an error to the client, seconds later. */
void servers_find(struct check_observed *const *o, size_t n, struct ears *ears,
		  const struct tick *tick);

/* Connects to those that are silent, from near and from afar: sets probed,
 * near_answer, far_answer, other_port, neighbour_failed and other_gateway. */
void servers_ask(struct check_observed *const *o, const bool *silent, size_t n, struct ears *ears,
		 const struct tick *tick);

#endif
