/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the model to the kernel: which steps lead from what stands to what the
 * table says, touching only what differs. */
#ifndef PLAN_H
#define PLAN_H

#include "batch.h"
#include "inventory.h"
#include "objects.h"
#include "switches.h"
#include "state.h"

/* What plan_write() needs to know besides the state, of each family. */
struct plan {
	bool empty;                  /* no forward remains: the table goes, too */
	struct inventory inventory;  /* if empty */
	bool unused[HELPER_OBJECTS]; /* helpers that go */
	struct switches switches;    /* of IPv6, if they are to be written */
	bool grow[MAP_COUNT];        /* make these anew, larger; their kind has to be complete */
	struct fars far_before, far; /* as the kernel has them, as they are; both empty: unknown */
};

/* Whether the state says that something changes. */
bool plan_changes(const struct state *st);
/* Of a family: whether something goes; whether a forward appears or changes. */
bool plan_removes(const struct state *st, enum family f);
bool plan_adds(const struct state *st, enum family f);
/* Whether any forward of a family stays. */
bool plan_remains(const struct state *st, enum family f);
/* Whether the skeleton is made anew, around what is there. */
bool plan_mends(const struct state *st, enum family f);
/* Whether what was not looked at has to be rewritten, too: all of every kind
 * has to be loaded. */
bool plan_converts(const struct state *st, enum family f);
/* Whether a service on an interface appears or changes. */
bool plan_needs_interface(const struct state *st, enum family f, const char *name);
/* How many elements each map of a family will have, of kinds that are
 * complete. */
void plan_sizes(uint32_t out[MAP_COUNT], const struct state *st, enum family f);

/* 0 or -ENOMEM. */
int plan_write(struct batch *b, struct state *st, const struct plan plans[FAMILY_COUNT]);

#endif
