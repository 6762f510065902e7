/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds a line of a listing: cells in columns, with a blank between them.
 * Listings have tens of thousands of lines; with printf() they take twice as
 * long.
 */
#ifndef LINE_H
#define LINE_H

#include <stdint.h>
#include <stdio.h>

#include "masq.h"

/* Cells are padded to width and aligned right; to -width: aligned left. */
struct line_column {
	const char *name; /* NULL after the last */
	int width;
};

#define LINE_CELLS_MAX 16
#define LINE_WIDTH_MAX 30

struct line {
	const struct line_column *column; /* of the cell that comes next */
	char *end;
	char text[LINE_CELLS_MAX * (MASQ_NAME_MAX + 1) + LINE_WIDTH_MAX + 2];
};

/* Begins a line in these columns. */
void line_begin(struct line *l, const struct line_column *columns);
/* The cells that follow go into these columns. */
void line_continue(struct line *l, const struct line_column *columns);

/* Each appends a cell; behind the last column without padding. Cells that do
 * not fit are left out, texts are cut at MASQ_NAME_MAX. */
void line_text(struct line *l, const char *text);
void line_number(struct line *l, uint64_t number);
void line_signed(struct line *l, int64_t number);
void line_host(struct line *l, const struct masq_address *addr, bool numeric);
void line_port(struct line *l, uint16_t port, uint8_t protocol, bool numeric);
/* The names of the columns, each in its own. */
void line_names(struct line *l);

/* Writes the line and its newline. 0, or -1 as fwrite() left errno. */
int line_print(struct line *l, FILE *out);

#endif
