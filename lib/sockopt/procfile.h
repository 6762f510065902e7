/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of the masquerading modules' state files, /proc/net/ip_masq/MODULE: pure readers and
 * writers, which open no file.
 *
 * An autofw row tells its entry and, once an inside host has opened the control connection, its
 * receiver: where is then the inside host and lastcontact the outside one. Such a row reads as two
 * records, the MASQ_AUTOFW as it was added (nothing in where and lastcontact, no ACTIVE flag) and
 * its MASQ_RECEIVER, with the row's members in autofw. The timer, 1/100 s, becomes whole seconds,
 * rounded up, for a receiver that has a time limit and is 0 otherwise.
 */
#ifndef PROCFILE_H
#define PROCFILE_H

#include "handle.h"

/* A line that is none of this file's. text is not terminated and points into what was read. */
struct bad_line {
	size_t number; /* from 1 */
	const char *text;
	size_t size;
	const char *why;
};

/* Appends what text says. 0; -EBADMSG with *bad filled in; -ENOMEM. After a failure out holds the
 * records before it. */
int procfile_read(enum module mod, const char *text, size_t size, struct records *out,
		  struct bad_line *bad) __attribute__((nonnull, warn_unused_result));

/* Writes header and rows as a 2.2 kernel does. A row has room for one receiver: further receivers
 * of an entry are left out. 0 or what writing gave, as negative errno. */
int procfile_write(enum module mod, const struct records *records, FILE *out)
	__attribute__((nonnull, warn_unused_result));

#endif
