/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking turns with whoever else changes the ruleset. The generation keeps
 * everybody's changes safe: a batch is taken only if its ruleset is still of
 * the generation that was read. The lock only makes our own transactions take
 * turns, so that a file of 50,000 lines is not overtaken for ever by quick
 * commands.
 */
#ifndef TURN_H
#define TURN_H

#include "link.h"

struct turn {
	struct link *link;
	uint32_t genid; /* what is read is of this generation */
	bool fresh;     /* it was asked for just now, and nothing has been read since */
	bool watching;  /* link_monitor() */
	int lock;       /* file descriptor, or -1 */
};

/* Results: 0 or -errno. */
int turn_open(struct turn *t, struct link *link);
/* Begins with the present generation; with the lock, or without. */
int turn_begin(struct turn *t, bool lock);
void turn_end(struct turn *t);
/* Begins again, after a pause that grows with the number of the try, from 1. */
void turn_pause(struct turn *t, int try);
int turn_again(struct turn *t);

/* 1 if our table has not changed since the generation was read, else 0; or
 * -errno. Under a monitor, changes to other tables do not count, and the
 * generation moves on. */
int turn_up_to_date(struct turn *t);

#endif
