/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the kernel to the model. Each function reads what it names into the
 * state, counts brought up to date with the connections that arrived since they
 * were stored.
 *
 * 0 or -errno; -EINTR: the ruleset changed while it was read; -EBADMSG: an
 * answer that makes no sense. That nothing is there is no error.
 */
#ifndef LOAD_H
#define LOAD_H

#include "link.h"
#include "state.h"

/* The services with these keys, all of one family, made in the table (without
 * targets if they are not in the kernel); and the standing, if it is not known,
 * with the first request. */
int load_named(struct link *l, struct buf *b, enum family f, struct state *st,
	       const struct key *keys, size_t n);

/* All services of a family and of a set of kinds, MASQ_KIND() bits. */
int load_services(struct link *l, struct buf *b, enum family f, struct state *st,
		  unsigned int kinds_wanted);

/* Whether it takes less to read all services of a kind than n of them by
 * name. */
int load_all_is_less(struct link *l, struct buf *b, enum family f, enum masq_kind kind, size_t n,
		     bool *less);

/* How many elements a map may hold; 0: as many as you like, or there is no such
 * map. */
int load_map_size(struct link *l, struct buf *b, enum family f, enum map map, uint32_t *size);

/* Whether a map holds an element other than those of the table's dirty
 * services. */
int load_remains(struct link *l, struct buf *b, enum family f, struct state *st, enum map map,
		 const char *interface, bool *remains);

#endif
