// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks a path as the kernel does, and examines each step. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner.h"
#include "trust.h"

#define MAX_LINKS 40 /* the kernel's own limit */

struct walk {
	char done[PATH_MAX]; /* without links; "" is the root directory */
	char rest[PATH_MAX]; /* still to go */
	int links;
};

/* What has been looked at: the folders on the way to a library are those on the
 * way to the next one. Kept until the program ends. */
struct seen {
	struct seen *next;
	struct stat st;
	char path[];
};

/* As lstat(), once for each path. */
static int look(const char *path, struct stat *st)
{
	static struct seen *all;
	struct seen *s;

	for (s = all; s; s = s->next) {
		if (!strcmp(s->path, path)) {
			*st = s->st;
			return 0;
		}
	}
	if (lstat(path, st) < 0)
		return -1;
	s = malloc(sizeof(*s) + strlen(path) + 1);
	if (s) {
		s->next = all;
		s->st = *st;
		strcpy(s->path, path);
		all = s;
	}
	return 0;
}

static int fail_errno(const char *path, char error[TRUST_ERROR])
{
	snprintf(error, TRUST_ERROR, "%.400s: %s", path, strerror(errno));
	return -1;
}

/* With sticky, a directory may be writable: nobody can rename what others own
 * in it. */
static int check(const char *path, const struct stat *st, const struct trust *t, bool sticky,
		 char error[TRUST_ERROR])
{
	bool writable = !S_ISLNK(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH));

	if (!*path)
		path = "/";
	if (!(t->owner && st->st_uid == t->owner) && !owner_is_root(st->st_uid)) {
		snprintf(error, TRUST_ERROR,
			 "refusing to load %.200s: owned by uid %u; chown%s root %.200s", path,
			 (unsigned int)st->st_uid, S_ISLNK(st->st_mode) ? " -h" : "", path);
		return -1;
	}
	if (writable && !(sticky && S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX))) {
		snprintf(error, TRUST_ERROR,
			 "refusing to load %.200s: group- or world-writable; chmod go-w %.200s",
			 path, path);
		return -1;
	}
	return 0;
}

static int check_path(const char *path, const struct trust *t, bool sticky, char error[TRUST_ERROR])
{
	struct stat st;

	if (look(*path ? path : "/", &st) < 0)
		return fail_errno(path, error);
	return check(path, &st, t, sticky, error);
}

static bool is_above(const char *path, const char *tree)
{
	size_t n = strlen(path);

	return !strncmp(path, tree, n) && tree[n] == '/' && tree[n + 1];
}

/* Cuts off the last name. */
static void go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/* Takes the first name from w->rest; false if there is none. */
static bool next_name(struct walk *w, char name[PATH_MAX])
{
	char *from = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(from, "/");

	memcpy(name, from, n);
	name[n] = '\0';
	memmove(w->rest, from + n, strlen(from + n) + 1);
	return n > 0;
}

/* Puts the target of the link at path in front of w->rest. */
static int follow(struct walk *w, const char *path, char error[TRUST_ERROR])
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));
	size_t left = strlen(w->rest);

	if (n < 0)
		return fail_errno(path, error);
	errno = ++w->links > MAX_LINKS ? ELOOP : ENAMETOOLONG;
	if (w->links > MAX_LINKS || (size_t)n + 1 + left >= sizeof(w->rest))
		return fail_errno(path, error);
	memmove(w->rest + n + 1, w->rest, left + 1);
	memcpy(w->rest, target, (size_t)n);
	w->rest[n] = '/';
	if (*target == '/')
		*w->done = '\0';
	return 0;
}

/* One step from w->done. 1: there is no such file. */
static int step(struct walk *w, const char *name, const struct trust *t, char error[TRUST_ERROR])
{
	size_t above = strlen(w->done), n = strlen(name);
	char path[PATH_MAX];
	struct stat st;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		go_up(w->done);
		return 0;
	}
	errno = ENAMETOOLONG;
	if (above + 1 + n >= sizeof(path))
		return fail_errno(w->done, error);
	memcpy(path, w->done, above);
	path[above] = '/';
	memcpy(path + above + 1, name, n + 1);
	if (look(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 1 : fail_errno(path, error);
	if (!is_above(path, t->tree) && check(path, &st, t, true, error) < 0)
		return -1;
	if (S_ISLNK(st.st_mode))
		return follow(w, path, error);
	strcpy(w->done, path);
	return 0;
}

/* Leaves in w->done where path leads to; on 1, how far it got. */
static int walk(struct walk *w, const char *path, const struct trust *t, char error[TRUST_ERROR])
{
	char name[PATH_MAX];
	int r = 0;

	w->links = 0;
	*w->done = *w->rest = '\0';
	errno = ENAMETOOLONG;
	if (*path != '/' && !getcwd(w->rest, sizeof(w->rest)))
		return fail_errno(path, error);
	if (strlen(w->rest) + strlen(path) + 2 > sizeof(w->rest))
		return fail_errno(path, error);
	strcat(strcat(w->rest, "/"), path);
	if (!*t->tree)
		r = check_path("", t, true, error);
	while (!r && next_name(w, name))
		r = step(w, name, t, error);
	/* whatever is not there must not appear */
	return r < 0 || check_path(w->done, t, false, error) < 0 ? -1 : r;
}

int trust_directory(const char *path, const struct trust *t, char error[TRUST_ERROR])
{
	struct walk w;

	return walk(&w, path, t, error);
}

int trust_file(const char *path, const struct trust *t, char real[PATH_MAX],
	       char error[TRUST_ERROR])
{
	char parent[PATH_MAX];
	struct walk w;
	int r;

	errno = ENAMETOOLONG;
	if ((size_t)snprintf(parent, sizeof(parent), "%s", path) >= sizeof(parent))
		return fail_errno(path, error);
	/* the directory of each name: of the link, and of what it leads to */
	strcpy(parent, strrchr(path, '/') ? path : ".");
	go_up(parent);
	r = trust_directory(*parent ? parent : "/", t, error);
	if (!r)
		r = walk(&w, path, t, error);
	if (r)
		return r;
	if (real)
		strcpy(real, w.done);
	go_up(w.done);
	return check_path(w.done, t, false, error);
}
