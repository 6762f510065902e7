/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a whole text of ipmasqadm command lines: the commands, with names
 * resolved, and their lines. */
#ifndef COMMANDFILE_H
#define COMMANDFILE_H

#include "masq.h"

struct commandfile {
	const char *name; /* for messages */
	const char *text; /* stays the caller's */
	size_t size;
	struct commandfile_item {
		struct masq_command command;
		const char *start; /* its line in text */
		unsigned long line;
	} * items;
	size_t n, cap;
};

/* Reads the text. Asks the resolver, but no kernel. Returns an exit status: 0;
 * 1 (out of memory) or 2, and has reported why. */
int commandfile_read(struct commandfile *f);
/* Reports an error of item i, with file, line and command. Returns 1. */
int commandfile_report(const struct commandfile *f, size_t i, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void commandfile_free(struct commandfile *f);

#endif
