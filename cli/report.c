// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "report.h"

/* Bytes of the character at p; 0: a control character, or not UTF-8. */
static size_t printable(const unsigned char *p)
{
	size_t n = *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;

	if (*p < 0x80)
		return *p >= ' ' && *p != 0x7f;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* C1, and what would be shorter in another form */
	if ((*p == 0xc2 && p[1] < 0xa0) || (*p == 0xe0 && p[1] < 0xa0) ||
	    (*p == 0xf0 && p[1] < 0x90))
		return 0;
	return n;
}

int report(const char *who, const char *fmt, ...)
{
	char text[8192]; /* room for a path */
	unsigned char *p = (unsigned char *)text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (*p) {
		size_t n = printable(p);

		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
	fprintf(stderr, "ipmasqadm: %s: %s\n", who, text);
	return 1;
}
