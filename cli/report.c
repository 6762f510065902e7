// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>

#include "printable.h"
#include "report.h"

int report(const char *who, const char *fmt, ...)
{
	char text[8192]; /* room for a path */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "ipmasqadm: %s: %s\n", who, printable(text));
	return 1;
}
