// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An allocator that fails, as a preloaded library (glibc's). Allocations are
 * counted from before main() on:
 * OOM_AT=N the Nth fails OOM_FROM=N the Nth and all after it fail
 * OOM_COUNT=FILE how many there were is written to FILE at the end
 *
 * What the played kernel (tests/fake.c) allocates does not count: preload this
 * one before it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

static bool armed, kernel;
static unsigned long count, at, from;
static int elsewhere; /* in the played kernel, how deep */

static unsigned long number(const char *name)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 10) : 0;
}

__attribute__((constructor)) static void arm(void)
{
	at = number("OOM_AT");
	from = number("OOM_FROM");
	kernel = getenv("FAKE_PROC");
	armed = true;
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("OOM_COUNT");
	char buf[32];
	int fd, n;

	armed = false;
	if (!path)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	n = snprintf(buf, sizeof(buf), "%lu\n", count);
	if (fd < 0 || write(fd, buf, (size_t)n) != n)
		abort();
	close(fd);
}

static bool fails(void)
{
	if (!armed || elsewhere)
		return false;
	count++;
	if (count != at && (!from || count < from))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, total);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	if (fails())
		return ENOMEM;
	*p = __libc_memalign(align, size);
	return *p ? 0 : ENOMEM;
}

void *aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : __libc_memalign(align, size);
}

/* The way into the played kernel, and out again. */
static int enter(int result)
{
	elsewhere += result;
	return result;
}

#define NEXT(name)                                                                                 \
	static __typeof__(name) *next;                                                             \
	int inside = enter(kernel);                                                                \
	if (!next)                                                                                 \
	*(void **)&next = dlsym(RTLD_NEXT, #name)

#define BACK(type, value)                                                                          \
	do {                                                                                       \
		type result = (value);                                                             \
		elsewhere -= inside;                                                               \
		return result;                                                                     \
	} while (0)

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	NEXT(setsockopt);
	BACK(int, next(fd, level, option, value, size));
}

int socket(int domain, int type, int protocol)
{
	NEXT(socket);
	BACK(int, next(domain, type, protocol));
}

static mode_t mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	NEXT(open);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	BACK(int, next(path, flags, mode));
}

int openat(int dir, const char *path, int flags, ...)
{
	NEXT(openat);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	BACK(int, next(dir, path, flags, mode));
}
