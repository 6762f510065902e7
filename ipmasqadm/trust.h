/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRUST_H
#define TRUST_H

#include <limits.h>
#include <sys/types.h>

#define TRUST_ERROR 512

/* Whose files may become code. */
struct trust {
	uid_t owner; /* accepted besides root; 0 if there is nobody */
	/* A directory whose own path is not examined, without symbolic links in
	 * it; "" examines everything up to the root directory. */
	char tree[PATH_MAX];
};

/*
 * Examine all that decides what path leads to: the file itself, each directory
 * on the way, each symbolic link and what it leads through. Nobody but root and
 * t->owner may own or write any of it. Directories above may be writable if
 * they are sticky; the directory that holds the file may not.
 *
 * Return 0 and, if real is not NULL, the path without links; 1 if there is no
 * such file and nobody else can make one; -1 with the reason in error.
 */
int trust_file(const char *path, const struct trust *t, char real[PATH_MAX],
	       char error[TRUST_ERROR]);
int trust_directory(const char *path, const struct trust *t, char error[TRUST_ERROR]);

#endif
