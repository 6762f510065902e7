/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the model to the kernel: which steps lead from what stands to what the
 * table says, touching only what differs. */
#ifndef PLAN_H
#define PLAN_H

#include "batch.h"
#include "inventory.h"
#include "state.h"

/* What plan_write() needs to know besides the state. */
struct plan {
	bool empty;                 /* no forward remains: the table goes, too */
	struct inventory inventory; /* if empty */
	bool grow[MAP_COUNT];       /* make these anew, larger; their kind has to be complete */
};

/* Whether the state says that something changes; that something goes; that a
 * forward appears or changes. */
bool plan_changes(const struct state *st);
bool plan_removes(const struct state *st);
bool plan_adds(const struct state *st);
/* Whether any forward of the state stays. */
bool plan_remains(const struct state *st);
/* Whether the skeleton is made anew, around what is there. */
bool plan_mends(const struct state *st);
/* Whether what was not looked at has to be rewritten, too: all of every kind
 * has to be loaded. */
bool plan_converts(const struct state *st);
/* How many elements a map will have, of a kind that is complete. */
uint32_t plan_size(const struct state *st, enum map map);

/* 0 or -ENOMEM. */
int plan_write(struct batch *b, struct state *st, const struct plan *plan);

#endif
