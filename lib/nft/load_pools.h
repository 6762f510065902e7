/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The targets of services that have a chain of their own, whose rules are of
 * this version (pool.h) or of 0.5.0: then targets stand in anonymous maps.
 * Results as in load.h. */
#ifndef LOAD_POOLS_H
#define LOAD_POOLS_H

#include "link.h"
#include "state.h"

/* Of the service with this key, or of all that are being loaded. */
int load_pool(struct link *l, struct buf *b, struct state *st, const struct key *key);
int load_pools(struct link *l, struct buf *b, struct state *st);

#endif
