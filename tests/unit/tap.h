/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Just enough of the Test Anything Protocol for tests written in C. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_run, tap_failed;

__attribute__((format(printf, 2, 0))) static inline bool tap_result(bool pass, const char *fmt,
								    va_list ap)
{
	printf("%sok %d - ", pass ? "" : "not ", ++tap_run);
	vprintf(fmt, ap);
	putchar('\n');
	/* what comes before a crash is to be seen */
	fflush(stdout);
	tap_failed += !pass;
	return pass;
}

__attribute__((format(printf, 2, 3))) static inline bool ok(bool pass, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_result(pass, fmt, ap);
	va_end(ap);
	return pass;
}

/* Either may be NULL. */
__attribute__((format(printf, 3, 4))) static inline bool is_str(const char *got, const char *want,
								const char *fmt, ...)
{
	bool pass = got && want ? !strcmp(got, want) : got == want;
	va_list ap;

	va_start(ap, fmt);
	tap_result(pass, fmt, ap);
	va_end(ap);
	if (!pass)
		fprintf(stderr, "#      got: %s\n# expected: %s\n", got ? got : "(null)",
			want ? want : "(null)");
	return pass;
}

__attribute__((format(printf, 3, 4))) static inline bool is_int(long long got, long long want,
								const char *fmt, ...)
{
	bool pass = got == want;
	va_list ap;

	va_start(ap, fmt);
	tap_result(pass, fmt, ap);
	va_end(ap);
	if (!pass)
		fprintf(stderr, "#      got: %lld\n# expected: %lld\n", got, want);
	return pass;
}

/* What main() returns. A test that ran nothing has failed. */
static inline int done_testing(void)
{
	printf("1..%d\n", tap_run);
	return tap_run && !tap_failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
