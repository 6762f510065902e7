/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of the masquerading modules' state files, /proc/net/ip_masq/KIND. A
 * pure reader, which opens no file.
 *
 * An autofw row tells its entry and, once an inside host has opened the control
 * connection, its receiver. Such a row reads as two records: the entry as it
 * was added, then its receiver. The timer, 1/100 s, becomes whole seconds,
 * rounded up, for a receiver that has a time limit and is 0 otherwise.
 */
#ifndef STATEFILE_H
#define STATEFILE_H

#include "records.h"

/* A line that does not parse. text is not terminated and points into what was
 * read. */
struct bad_line {
	size_t number; /* from 1 */
	const char *text;
	size_t size;
	const char *why;
};

/* Appends what text says. The header line may be missing, as it might in 0.4.2.
 * 0; -EBADMSG with *bad filled in; -ENOMEM. After a failure out holds the
 * records before it. */
int statefile_read(enum masq_kind kind, const char *text, size_t size, struct records *out,
		   struct bad_line *bad) __attribute__((nonnull, warn_unused_result));

#endif
