/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switches of reach are for the site, and are kept as entries of IPv4. A
 * table of IPv6 has copies of their rules, written wherever it is made or they
 * change.
 */
#ifndef SWITCHES_H
#define SWITCHES_H

#include "batch.h"
#include "link.h"
#include "state.h"

/* The copies that a table has: handles of rules, by form; others may copy them
 * again. */
#define SWITCH_COPIES 4
struct switches {
	bool known;
	uint64_t inside[SWITCH_COPIES], own[SWITCH_COPIES]; /* 0: no more */
};

/* Whether an entry of reach comes or goes. */
bool switches_change(const struct state *st);
/* Whether one may be set: a chain of theirs has rules. 0 or -errno, as in
 * load.h. */
int switches_look(struct link *l, struct buf *b, bool *any);
/* The copies in a family's table. The same. */
int switches_load(struct link *l, struct buf *b, enum family f, struct switches *out);
/* What leads from them to what the entries say. */
void switches_write(struct batch *b, const struct state *st, const struct switches *s);

#endif
