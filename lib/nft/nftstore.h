/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the model to the kernel: which steps lead from what is stored to what the table says. */
#ifndef NFTSTORE_H
#define NFTSTORE_H

#include "nftemit.h"

/* What store() needs to know besides the table. */
struct store {
	bool have[MOD_COUNT];    /* the module's chains and maps exist */
	bool rebuild[MOD_COUNT]; /* make them anew: larger; the module has to be complete */
	bool nothing_else; /* when all of the table's services are gone, so is the last forward */
	bool keep_hooks;   /* running connections need our chains, even empty ones */
};

/* Whether the table says that something changes, or that something goes. */
bool store_changes(const struct table *t);
bool store_removes(const struct table *t);
/* Whether services of a module change. */
bool store_touches(const struct table *t, enum module mod);
/* Whether any forward of the table stays. */
bool store_remains(const struct table *t);
/* How many elements a map will have, of a module that is there as a whole. */
uint32_t store_size(const struct table *t, enum map map);

/* 0 or -ENOMEM. */
int store(struct emit *e, const struct table *t, const struct store *how);

#endif
