/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not ours in chains and maps that have our names. */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "batch.h"
#include "link.h"
#include "schema.h"

/* Whether a rule in a chain of the skeleton, or of the triggers, is none of
 * those that ipmasqadm writes there; entries aside. */
bool foreign_rule(const char *chain, const struct nlmsghdr *rule);
/* Whether a map or set of a name of ours is of another type. */
bool foreign_map(enum family f, enum map map, const struct nlmsghdr *set);
bool foreign_set(enum family f, const struct map_spec *spec, const struct nlmsghdr *set);

/* Of one family: the first chain of the skeleton that has a rule of others
 * among those of ours, and the first of our maps that is of another type; or
 * "". 0 or -errno. */
int foreign_find_rule(struct link *l, struct buf *b, enum family f, char chain[64]);
int foreign_find_map(struct link *l, struct buf *b, enum family f, char map[64]);

#endif
