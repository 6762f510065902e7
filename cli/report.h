/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error messages of the command line. */
#ifndef REPORT_H
#define REPORT_H

/* Prints "ipmasqadm: WHO: " and the text, as one line, to stderr. Messages
 * quote what may come from anywhere, so the text is made printable(). Returns
 * 1, which is an exit status. */
int report(const char *who, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
