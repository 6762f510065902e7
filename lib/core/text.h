/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words with a blank between, put into a buffer. Saves and listings have tens
 * of thousands, and printf() would be half of their time. What does not fit is
 * left out; the text is always terminated.
 */
#ifndef TEXT_H
#define TEXT_H

#include "address.h"

struct text {
	char *start, *at, *end; /* end: the last byte, for the NUL */
};

/* Begins an empty text. */
void text_start(struct text *t, char *buf, size_t size);

/* Each appends a word. */
void text_word(struct text *t, const char *word);
void text_option(struct text *t, char letter); /* "-a" */
void text_number(struct text *t, uint64_t number);
void text_address(struct text *t, const struct masq_address *a);
/* The same before ":80": an address of IPv6 in brackets. */
void text_host_of_port(struct text *t, const struct masq_address *a);

/* Appends without a blank before it. */
void text_join(struct text *t, const char *part);
void text_join_number(struct text *t, uint64_t number);

/* The most digits of a number. */
#define TEXT_DIGITS_MAX 20
/* Writes the digits of a number at p, without a NUL, and returns where they
 * end. */
char *text_digits(char *p, uint64_t number);

#endif
