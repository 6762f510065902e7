// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "text.h"

void text_start(struct text *t, char *buf, size_t size)
{
	t->start = t->at = buf;
	t->end = buf + size - 1;
	*buf = '\0';
}

static void put(struct text *t, const char *s, size_t n)
{
	size_t room = (size_t)(t->end - t->at);

	n = n < room ? n : room;
	memcpy(t->at, s, n);
	t->at += n;
	*t->at = '\0';
}

void text_join(struct text *t, const char *part)
{
	put(t, part, strlen(part));
}

char *text_digits(char *p, uint64_t number)
{
	char digits[TEXT_DIGITS_MAX], *end = digits + sizeof(digits), *d = end;

	do
		*--d = (char)('0' + number % 10);
	while (number /= 10);
	while (d < end)
		*p++ = *d++;
	return p;
}

void text_join_number(struct text *t, uint64_t number)
{
	char digits[TEXT_DIGITS_MAX];

	put(t, digits, (size_t)(text_digits(digits, number) - digits));
}

static void blank(struct text *t)
{
	if (t->at > t->start && t->at < t->end)
		*t->at++ = ' ';
}

void text_word(struct text *t, const char *word)
{
	blank(t);
	text_join(t, word);
}

void text_option(struct text *t, char letter)
{
	const char option[] = {'-', letter};

	blank(t);
	put(t, option, sizeof(option));
}

void text_number(struct text *t, uint64_t number)
{
	blank(t);
	text_join_number(t, number);
}

void text_address(struct text *t, const struct masq_address *a)
{
	char buf[ADDRESS_TEXT_MAX];

	text_word(t, address_text(buf, a));
}

void text_host_of_port(struct text *t, const struct masq_address *a)
{
	char buf[ADDRESS_TEXT_MAX];

	if (a->family != AF_INET6) {
		text_address(t, a);
		return;
	}
	text_word(t, "[");
	text_join(t, address_text(buf, a));
	text_join(t, "]");
}
