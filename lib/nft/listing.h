/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was loaded, as records in the order in which they are listed. */
#ifndef LISTING_H
#define LISTING_H

#include "rank.h"
#include "records.h"
#include "state.h"

struct listing {
	struct rank *ranks, *sorted; /* of the services in the table */
	size_t n;
	struct records entries; /* with receivers */
};

void listing_free(struct listing *l);

/* Ranks the services of a table. 0 or -ENOMEM; -EINTR: one was told twice, so
 * that others may have been left out. */
int listing_rank(struct listing *l, const struct table *t);

/* Hands the entries, or the services, of one kind to fn; as masq_list(). */
int listing_tell_entries(const struct listing *l, enum masq_kind kind, masq_record_fn *fn,
			 void *arg);
int listing_tell(const struct listing *l, const struct table *t, enum masq_kind kind,
		 masq_record_fn *fn, void *arg);

#endif
