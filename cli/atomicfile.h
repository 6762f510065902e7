/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is replaced as a whole or not at all: written beside the old one,
 * synced to disk and moved over it. A symbolic link is followed and stays; the
 * file it points to is replaced. The working directory becomes the file's.
 */
#ifndef ATOMICFILE_H
#define ATOMICFILE_H

#include <signal.h>
#include <stdio.h>

struct atomicfile {
	FILE *out; /* write here */
	/* Why it failed, without the file's name; set by every failure. */
	const char *error;

	int dir;          /* the file's, and the working directory */
	char *name;       /* in it */
	char *buf;        /* of out */
	char tmp[40];     /* the new file in it, "" if there is none */
	sigset_t signals; /* the mask before: nothing interrupts us halfway */
};

/* Begins to write path. The new file has the old one's mode and owner, or 0600.
 * Returns 0, or -1 with error set and nothing left behind. */
int atomicfile_open(struct atomicfile *a, const char *path);

/* Puts the new file in place. Returns 0, or -1 with error set, the old file
 * intact and nothing left behind. Call it once after atomicfile_open(). */
int atomicfile_commit(struct atomicfile *a);

#endif
