/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of an error, on its way to masq_error(). */
#ifndef ERROR_H
#define ERROR_H

struct error {
	char text[512];
};

/* Sets the text and returns -err. */
int fail(struct error *e, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull));

#endif
