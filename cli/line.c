// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "text.h"

void line_begin(struct line *l, const struct line_column *columns)
{
	l->end = l->text;
	line_continue(l, columns);
}

void line_continue(struct line *l, const struct line_column *columns)
{
	l->column = columns;
}

static void put(struct line *l, const char *text, size_t len)
{
	int width = l->column->width;
	size_t want = (size_t)abs(width), most = len > want ? len : want;
	char *p = l->end;

	/* with a blank before it, and at the end a newline */
	if (want > LINE_WIDTH_MAX ||
	    (size_t)(l->text + sizeof(l->text) - p) < most + LINE_WIDTH_MAX + 2)
		return;
	if (p > l->text)
		*p++ = ' ';
	memset(p, ' ', LINE_WIDTH_MAX); /* of a known size: no call */
	memcpy(width > 0 && len < want ? p + want - len : p, text, len);
	l->end = p + most;
	l->column += l->column->name != NULL;
}

void line_text(struct line *l, const char *text)
{
	put(l, text, strnlen(text, MASQ_NAME_MAX));
}

static void put_number(struct line *l, bool negative, uint64_t number)
{
	char text[1 + TEXT_DIGITS_MAX] = "-", *digits = text + negative;

	put(l, text, (size_t)(text_digits(digits, number) - text));
}

void line_number(struct line *l, uint64_t number)
{
	put_number(l, false, number);
}

void line_signed(struct line *l, int64_t number)
{
	put_number(l, number < 0, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void line_host(struct line *l, const struct masq_address *addr, bool numeric)
{
	char name[MASQ_NAME_MAX];

	masq_host_name(name, addr, numeric);
	line_text(l, name);
}

void line_port(struct line *l, uint16_t port, uint8_t protocol, bool numeric)
{
	char name[MASQ_NAME_MAX];

	if (numeric) {
		line_number(l, port);
		return;
	}
	masq_port_name(name, port, protocol, false);
	line_text(l, name);
}

void line_names(struct line *l)
{
	while (l->column->name)
		line_text(l, l->column->name);
}

int line_print(struct line *l, FILE *out)
{
	size_t len = (size_t)(l->end - l->text);

	l->text[len] = '\n';
	return fwrite(l->text, 1, len + 1, out) == len + 1 ? 0 : -1;
}
