/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that is in our table of a family, for the last forward's going: what is
 * ours goes, and the table stays around what is not. */
#ifndef INVENTORY_H
#define INVENTORY_H

#include "batch.h"
#include "objects.h"
#include "link.h"
#include "state.h"

struct inventory {
	bool keep;      /* leave everything where it is */
	bool foreign;   /* something is not ours: the table stays */
	bool entangled; /* others' rules or elements stand in our chains or maps */
	char (*chains)[CHAIN_NAME_MAX], (*maps)[CHAIN_NAME_MAX]; /* names of ours */
	size_t n_chains, n_maps;
	bool helpers[HELPER_OBJECTS];     /* by row of helper_objects: it is there */
	char (*verdicts)[CHAIN_NAME_MAX]; /* maps of others that lead to chains */
	size_t n_verdicts;
};

void inventory_free(struct inventory *i);
/* 0 or -errno, as in load.h. */
int inventory_load(struct link *l, struct buf *b, enum family f, const struct state *st,
		   struct inventory *i);
/* Takes the table away, or out of it all that is ours. */
void inventory_remove(struct batch *b, const struct inventory *i);

#endif
