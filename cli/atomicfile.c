// SPDX-License-Identifier: GPL-2.0-or-later
/* Temporary file, fsync, rename. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "stream.h"

#define MAX_LINKS 40 /* as the kernel's own limit */

static int fail(struct atomicfile *a, const char *why)
{
	a->error = why;
	return -1;
}

static int fail_errno(struct atomicfile *a)
{
	return fail(a, strerror(errno));
}

/* Makes the directory that path is in the working directory, and keeps the rest
 * of path as the name. Linux 2.2 has no openat(2). */
static int enter(struct atomicfile *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char *parent = slash ? strndup(path, (size_t)(name - path)) : strdup(".");
	int dir = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(parent);
	if (dir < 0)
		return fail_errno(a);
	if (a->dir >= 0)
		close(a->dir);
	a->dir = dir;
	free(a->name);
	a->name = strdup(name);
	return a->name && !fchdir(dir) ? 0 : fail_errno(a);
}

/*
 * True if somebody else put this into a sticky directory where others can
 * write. The kernel follows no such link (protected_symlinks) and opens no such
 * file (protected_regular). We resolve the path ourselves, so we apply the same
 * rule: else a link planted as /tmp/forwards would choose which of root's files
 * is replaced, and a file planted there would keep its owner.
 */
static bool is_planted(int dir, const struct stat *st)
{
	struct stat d;

	if (fstat(dir, &d) < 0)
		return true;
	return (d.st_mode & S_ISVTX) && (d.st_mode & (S_IWGRP | S_IWOTH)) &&
	       st->st_uid != geteuid() && st->st_uid != d.st_uid;
}

/* Reads the link a->name. 0: target is set; 1: it is no link, and *st says what
 * it is if it exists. It is not followed from there on: rename() replaces what
 * has become a link meanwhile. */
static int read_link(struct atomicfile *a, char target[PATH_MAX], struct stat *st, bool *exists)
{
	ssize_t n;

	*exists = !lstat(a->name, st);
	if (!*exists)
		return errno == ENOENT ? 1 : fail_errno(a);
	if (is_planted(a->dir, st))
		return fail(a, S_ISLNK(st->st_mode)
				       ? "a link that somebody else put there: not followed"
				       : "a file that somebody else put there: not replaced; "
					 "remove it, or save elsewhere");
	if (!S_ISLNK(st->st_mode))
		return 1;
	n = readlink(a->name, target, PATH_MAX - 1);
	if (n < 0)
		return fail_errno(a);
	target[n] = 0;
	return 0;
}

/* Finds the directory and the name behind path and its links. */
static int resolve(struct atomicfile *a, const char *path, struct stat *st, bool *exists)
{
	char target[PATH_MAX];
	int r = enter(a, path);

	for (int i = 0; !r && i < MAX_LINKS; i++) {
		r = read_link(a, target, st, exists);
		if (r > 0)
			return 0;
		if (!r)
			r = enter(a, target);
	}
	return r ? -1 : fail(a, strerror(ELOOP));
}

/* Takes over the old file's owner and mode. If the owner cannot be kept, the
 * group gets no rights either. */
static int keep_mode(struct atomicfile *a, int fd, const struct stat *st)
{
	mode_t mode = st->st_mode & 0777;

	if (fchown(fd, st->st_uid, st->st_gid) < 0)
		mode &= 0700;
	return fchmod(fd, mode) < 0 ? fail_errno(a) : 0;
}

static int create(struct atomicfile *a, const struct stat *old)
{
	int fd = -1;

	/* a killed process may have left one behind */
	for (int i = 0; i < 100 && fd < 0; i++) {
		snprintf(a->tmp, sizeof(a->tmp), ".ipmasqadm.%ld.%d", (long)getpid(), i);
		fd = open(a->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0) {
		a->tmp[0] = 0;
		return fail_errno(a);
	}
	if (old && keep_mode(a, fd, old) < 0) {
		close(fd);
		return -1;
	}
	a->out = fdopen(fd, "w");
	if (!a->out) {
		fail_errno(a);
		close(fd);
		return -1;
	}
	stream_widen(a->out, &a->buf);
	return 0;
}

/* Releases everything and removes an unfinished file. */
static void end(struct atomicfile *a)
{
	if (a->out)
		fclose(a->out);
	if (*a->tmp)
		unlink(a->tmp);
	if (a->dir >= 0)
		close(a->dir);
	free(a->name);
	free(a->buf);
	sigprocmask(SIG_SETMASK, &a->signals, NULL);
}

int atomicfile_open(struct atomicfile *a, const char *path)
{
	struct stat st;
	bool exists = false;
	sigset_t block;
	int err;

	*a = (struct atomicfile){.dir = -1};
	sigemptyset(&block);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGQUIT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &a->signals);
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		err = fail(a, S_ISDIR(st.st_mode) ? strerror(EISDIR) : "not a regular file");
	else
		err = resolve(a, path, &st, &exists);
	if (!err && !*a->name)
		err = fail(a, strerror(EISDIR));
	if (!err)
		err = create(a, exists ? &st : NULL);
	if (err)
		end(a);
	return err;
}

static int write_through(struct atomicfile *a)
{
	int err;

	if (fflush(a->out) || ferror(a->out) || fsync(fileno(a->out)))
		return fail_errno(a);
	err = fclose(a->out);
	a->out = NULL;
	if (err || rename(a->tmp, a->name) < 0)
		return fail_errno(a);
	a->tmp[0] = 0;
	/* some file systems cannot sync a directory */
	return fsync(a->dir) < 0 && errno != EINVAL ? fail_errno(a) : 0;
}

int atomicfile_commit(struct atomicfile *a)
{
	int err = write_through(a);

	end(a);
	return err;
}
