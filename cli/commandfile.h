/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a whole text of ipmasqadm command lines: the commands, with names
 * resolved, and their lines. */
#ifndef COMMANDFILE_H
#define COMMANDFILE_H

#include <stdint.h>

#include "masq.h"

/* The most that a text may have; enough for 800,000 forwards. */
#define COMMANDFILE_SIZE_MAX ((size_t)64 << 20)

struct commandfile {
	const char *name; /* for messages */
	const char *text; /* stays the caller's */
	size_t size;
	struct commands *commands; /* lib/core's */
	struct commandfile_place {
		uint32_t start; /* its line, in text */
		uint32_t line;
	} * places; /* of each command */
	size_t n, cap;
};

/* Reads the text. Asks the resolver, but no kernel. Returns an exit status: 0;
 * 1 (out of memory) or 2, and has reported why. */
int commandfile_read(struct commandfile *f);
/* Reports an error of item i, with file, line and command. Returns 1. */
int commandfile_report(const struct commandfile *f, size_t i, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Command i; those before it cannot be taken any more. */
const struct masq_command *commandfile_take(struct commandfile *f, size_t i);
void commandfile_free(struct commandfile *f);

#endif
