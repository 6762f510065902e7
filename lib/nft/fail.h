/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nft transport's errors as texts. Each sets the text and returns negative
 * errno. */
#ifndef FAIL_H
#define FAIL_H

#include "error.h"
#include "link.h"
#include "state.h"

/* How often a command starts over when others change the ruleset under it. Each
 * time one of them has got something done; waits grow to some 20 ms. */
#define FAIL_TRIES 500

/* Reading the table of a family failed with this negative errno. 0 is no
 * failure: returned, no text is set. */
int fail_to_read(struct error *e, enum family f, int err);
/* The kernel refused a batch. */
int fail_to_commit(struct error *e, const struct link_error *error);
/* The kernel has no such family. */
int fail_by_family(struct error *e, enum family f);
/* What stands in the kernel does not let anything be added; 0: it does. */
int fail_by_standing(struct error *e, enum family f, const struct standing *s);

/* A map of our name is something else; a chain that has to be made anew has a
 * rule of others. */
int fail_by_map(struct error *e, enum family f, const char *map);
int fail_by_rule(struct error *e, enum family f, const char *chain);

/* Whether an error of a batch says that the kernel has no labels of
 * connections. */
bool fail_is_label(const struct link_error *error);
/* The map that an error of a batch is about, and its family; or MAP_NONE. */
enum map fail_map(const struct link_error *error, enum family *f);

#endif
