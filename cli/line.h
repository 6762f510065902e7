/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of output in the making: cells with a blank between, in columns or not. Listings and saves
 * have tens of thousands, and printf() would be half of the time they take.
 */
#ifndef LINE_H
#define LINE_H

#include <stdint.h>
#include <stdio.h>

#include "masq.h"

/* A column pads its cells with blanks: up to width, or to -width where they stand left. */
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

/* Begins a line in these columns; what comes behind the last of them (NULL: everything) stands as
 * it is. */
void line_begin(struct line *l, const struct line_column *columns);
/* The cells that follow go into these columns. */
void line_continue(struct line *l, const struct line_column *columns);

/* Each appends a cell. What does not fit any more is left out; texts end at MASQ_NAME_MAX. */
void line_text(struct line *l, const char *text);
void line_number(struct line *l, uint64_t number);
void line_signed(struct line *l, int64_t number);
void line_host(struct line *l, struct in_addr addr, bool numeric);
/* port in network order, as for masq_port_name() */
void line_port(struct line *l, uint16_t port, uint8_t protocol, bool numeric);
/* The names of the columns, each in its own. */
void line_names(struct line *l);

/* Writes the line and its newline. 0, or -1 as fwrite() left errno. */
int line_print(struct line *l, FILE *out);

#endif
