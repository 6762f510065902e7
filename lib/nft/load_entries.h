/* SPDX-License-Identifier: GPL-2.0-or-later */
/* autofw's entries and their receivers from the kernel. Results as in load.h. */
#ifndef LOAD_ENTRIES_H
#define LOAD_ENTRIES_H

#include "link.h"
#include "records.h"
#include "state.h"

/* All entries of a family, in the order in which they match. */
int load_entries(struct link *l, struct buf *b, enum family f, struct state *st);

/* The receivers of an entry, as records to append. */
int load_receivers(struct link *l, struct buf *b, const struct masq_command *forward,
		   struct records *out);

#endif
