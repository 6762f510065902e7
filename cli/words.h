/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines in a text, read as a shell reads simple commands and no further: words, quotes,
 * backslashes, comments, continuation lines. What only a shell could carry out (variables, pipes,
 * loops, file name patterns) is refused by name instead of being taken literally.
 *
 * Pure and bounded: nothing is allocated, and no input makes it fail in another way than
 * words_next() says.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>

#define WORDS_MAX 64    /* words in a command */
#define WORDS_SIZE 4096 /* their characters, with one NUL each */

struct words {
	/* words_next() gave 1: the command. argv[argc] is NULL; the caller may permute argv. */
	int argc;
	char *argv[WORDS_MAX + 1];

	/* Where the command begins, or what was refused stands: number of the line, from 1, and
	 * the line's first character. */
	unsigned long line;
	const char *start;

	/* words_next() gave -1: why */
	char error[160];

	/* how far we are */
	const char *at, *end;
	unsigned long at_line;
	const char *at_start;
	size_t used;
	char store[WORDS_SIZE];
};

/* Begins to read a text of len characters. */
void words_start(struct words *w, const char *text, size_t len);

/* Reads the next command. 1: there is one; 0: the text has ended; -1: refused. */
int words_next(struct words *w);

#endif
