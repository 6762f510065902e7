/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands in the kernel beside forwards: is there a table of a family, is
 * its skeleton whole? */
#ifndef STANDING_H
#define STANDING_H

#include "link.h"
#include "state.h"

/* Appends the requests to a buffer, and takes an answer to one of them. */
void standing_ask(struct buf *b, enum family f);
int standing_read(struct standing *s, enum family f, const struct nlmsghdr *nlh);
/* When all answers are in; asks further where something is missing. 0 or
 * -errno. */
int standing_conclude(struct link *l, struct buf *b, enum family f, struct standing *s);

/* All of that, unless it is known. */
int standing_load(struct link *l, struct buf *b, enum family f, struct standing *s);

#endif
