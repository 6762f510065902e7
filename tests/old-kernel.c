// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System calls as kernels of 1998 answer them, as a preloaded library before
 * tests/fake.c: EINVAL for SOCK_CLOEXEC, ENOSYS for openat(2) and its family,
 * no O_PATH (so that O_NOFOLLOW gives ELOOP), no netlink socket of netfilter.
 * With OLD_KERNEL_NO_PROC set, nothing is mounted on /proc either.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETLINK_NETFILTER 12

/* pedantic C has no cast from void * to a function */
#define REAL(function) (*(void **)&real = dlsym(RTLD_NEXT, function), real)

static bool is_hidden(const char *path)
{
	return getenv("OLD_KERNEL_NO_PROC") && !strncmp(path, "/proc", 5);
}

static int refuse(int err)
{
	errno = err;
	return -1;
}

int socket(int domain, int type, int protocol)
{
	int (*real)(int, int, int);

	if (type & (SOCK_CLOEXEC | SOCK_NONBLOCK))
		return refuse(EINVAL);
	if (domain == AF_NETLINK && protocol == NETLINK_NETFILTER)
		return refuse(EPROTONOSUPPORT);
	return REAL("socket")(domain, type, protocol);
}

static int open_as(const char *function, const char *path, int flags, mode_t mode)
{
	int (*real)(const char *, int, ...);

	return is_hidden(path) ? refuse(ENOENT)
			       : REAL(function)(path, flags & ~(O_PATH | O_CLOEXEC), mode);
}

/* The mode is there only if the flags say so. */
#define MODE(last)                                                                                 \
	({                                                                                         \
		va_list ap;                                                                        \
		mode_t m = 0;                                                                      \
		va_start(ap, last);                                                                \
		if ((last)&O_CREAT)                                                                \
			m = va_arg(ap, mode_t);                                                    \
		va_end(ap);                                                                        \
		m;                                                                                 \
	})

int open(const char *path, int flags, ...)
{
	return open_as("open", path, flags, MODE(flags));
}

FILE *fopen(const char *path, const char *mode)
{
	FILE *(*real)(const char *, const char *);

	if (is_hidden(path)) {
		errno = ENOENT;
		return NULL;
	}
	return REAL("fopen")(path, mode);
}

int access(const char *path, int mode)
{
	int (*real)(const char *, int);

	return is_hidden(path) ? refuse(ENOENT) : REAL("access")(path, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	(void)dir;
	(void)path;
	(void)flags;
	return refuse(ENOSYS);
}

#ifdef __GLIBC__ /* elsewhere these are the same */
int open64(const char *path, int flags, ...)
{
	return open_as("open64", path, flags, MODE(flags));
}

int openat64(int dir, const char *path, int flags, ...)
{
	(void)dir;
	(void)path;
	(void)flags;
	return refuse(ENOSYS);
}
#endif

int unlinkat(int dir, const char *path, int flags)
{
	(void)dir;
	(void)path;
	(void)flags;
	return refuse(ENOSYS);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	(void)from_dir;
	(void)from;
	(void)to_dir;
	(void)to;
	return refuse(ENOSYS);
}

ssize_t readlinkat(int dir, const char *path, char *buf, size_t size)
{
	(void)dir;
	(void)path;
	(void)buf;
	(void)size;
	return refuse(ENOSYS);
}

int fstatat(int dir, const char *path, struct stat *st, int flags)
{
	(void)dir;
	(void)path;
	(void)st;
	(void)flags;
	return refuse(ENOSYS);
}

int faccessat(int dir, const char *path, int mode, int flags)
{
	(void)dir;
	(void)path;
	(void)mode;
	(void)flags;
	return refuse(ENOSYS);
}

int fchmodat(int dir, const char *path, mode_t mode, int flags)
{
	(void)dir;
	(void)path;
	(void)mode;
	(void)flags;
	return refuse(ENOSYS);
}

int fchownat(int dir, const char *path, uid_t user, gid_t group, int flags)
{
	(void)dir;
	(void)path;
	(void)user;
	(void)group;
	(void)flags;
	return refuse(ENOSYS);
}
