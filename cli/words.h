/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splits a text into commands, as a shell does: words, quotes, backslashes,
 * comments, continuation lines. What needs a shell (variables, pipes, loops,
 * file name patterns) is refused by name, not taken literally.
 *
 * Pure and bounded: it allocates nothing.
 */
#ifndef WORDS_H
#define WORDS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 64    /* words in a command */
#define WORDS_SIZE 4096 /* their characters, with one NUL each */

/* Characters that stand for themselves in a word, and that stand between
 * words. */
enum { WORDS_PLAIN = 1, WORDS_BLANK };

struct words {
	/* after 1: the command. argv[argc] is NULL; argv may be permuted. */
	int argc;
	char *argv[WORDS_MAX + 1];

	/* the line where the command begins, or of what was refused: its
	 * number, from 1, and its first character */
	unsigned long line;
	const char *start;

	/* after -1: why */
	char error[160];

	/* the position of the reader */
	const char *at, *end;
	unsigned long at_line;
	const char *at_start;
	size_t used;
	/* of each character: one of these, or 0, it may have another meaning */
	unsigned char plain[UCHAR_MAX + 1];
	char store[WORDS_SIZE];
};

/* Begins to read a text. A byte order mark at its start is skipped. */
void words_start(struct words *w, const char *text, size_t len);

/* Reads the next command. 1: there is one; 0: end of the text; -1: refused. */
int words_next(struct words *w);

/* How many characters at p end a line: 1 for LF or CR, 2 for CR LF, else 0. */
size_t words_line_end(const char *p, const char *end);

#endif
