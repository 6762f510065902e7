/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small process that cleans up after a kill: it waits on a pipe whose other
 * end goes with the one it guards. It holds copies of all descriptors, so our
 * tables stay until it has ended what our packets began.
 */
#ifndef CHECK_GUARDIAN_H
#define CHECK_GUARDIAN_H

#include <stdbool.h>
#include <sys/types.h>

struct guardian {
	pid_t pid; /* 0: none */
	int pipe;
};

/* Called in the guardian when the process ends without guardian_dismiss(); only
 * async-signal-safe functions may be used in it. */
typedef void guardian_fn(void *arg);

bool guardian_start(struct guardian *g, guardian_fn *fn, void *arg);
/* All is cleaned up: it ends without doing anything. */
void guardian_dismiss(struct guardian *g);

#endif
