/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A long list of commands, in pieces: nothing is copied when it grows, and what
 * is done with goes piece by piece, to be of use for others. A restore has two
 * such lists, one that shrinks while the other one grows.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "masq.h"

/* All zero is empty. */
struct commands {
	struct masq_command **pieces; /* NULL: forgotten */
	size_t n;
};

/* 0 or -ENOMEM. */
int commands_add(struct commands *list, const struct masq_command *c);
/* i < n, and not forgotten. Good until the list is freed. */
const struct masq_command *commands_nth(const struct commands *list, size_t i);
/* Those before the ith are not asked for again. */
void commands_forget(struct commands *list, size_t i);
/* Leaves it empty. */
void commands_free(struct commands *list);

#endif
