/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries and their receivers from the kernel. Results as in load.h. */
#ifndef LOAD_ENTRIES_H
#define LOAD_ENTRIES_H

#include "link.h"
#include "records.h"
#include "state.h"

/* All entries of a family and of a set of kinds, MASQ_KIND() bits, in the order
 * in which they match. */
int load_entries(struct link *l, struct buf *b, enum family f, struct state *st,
		 unsigned int kinds_wanted);

/* Whether the chain and the map of receivers are there, of each entry that
 * goes, comes, or is added once more: others may have deleted them, or their
 * rules. */
int load_places(struct link *l, struct buf *b, enum family f, struct state *st);

/* The receivers of an entry, as records to append. */
int load_receivers(struct link *l, struct buf *b, const struct masq_command *forward,
		   struct records *out);

#endif
