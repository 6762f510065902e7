/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forwards as the command lines that add them, after those that flush. */
#ifndef SAVEFILE_H
#define SAVEFILE_H

#include "masq.h"

struct rank;

/* What is saved; all zero is nothing. */
struct savefile {
	unsigned int kinds; /* that there are: those get a line that flushes */
	struct masq_command *forwards;
	size_t n, cap;
	/* The order of writing, in one half of ranks: major says whether a
	 * forward is of the same service as the one before it. */
	struct rank *ranks, *order;
};

/* Reads every forward there is and puts them in the order of writing: on nft
 * all kinds as one state. 0 or negative errno, as masq_list(). *kind is the one
 * that could not be read, or NULL. */
int savefile_load(struct savefile *s, struct masq *m, const char **kind);
/* Errors are left in the stream, for ferror(). */
void savefile_print(const struct savefile *s, FILE *out);
void savefile_free(struct savefile *s);

#endif
