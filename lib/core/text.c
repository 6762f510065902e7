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
	size_t n = 1;

	for (uint64_t limit = 10; number >= limit && n < TEXT_DIGITS_MAX; limit *= 10)
		n++;
	for (size_t i = n; i--; number /= 10)
		p[i] = (char)('0' + number % 10);
	return p + n;
}

void text_join_number(struct text *t, uint64_t number)
{
	char digits[TEXT_DIGITS_MAX];

	if (t->end - t->at < TEXT_DIGITS_MAX) {
		put(t, digits, (size_t)(text_digits(digits, number) - digits));
		return;
	}
	t->at = text_digits(t->at, number);
	*t->at = '\0';
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
	blank(t);
	if (t->end - t->at >= 2) {
		*t->at++ = '-';
		*t->at++ = letter;
	}
	*t->at = '\0';
}

void text_number(struct text *t, uint64_t number)
{
	blank(t);
	text_join_number(t, number);
}

void text_address(struct text *t, const struct masq_address *a)
{
	char buf[ADDRESS_TEXT_MAX];

	blank(t);
	if (t->end - t->at < ADDRESS_TEXT_MAX)
		text_join(t, address_text(buf, a));
	else
		t->at += strlen(address_text(t->at, a));
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
