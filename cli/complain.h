/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMPLAIN_H
#define COMPLAIN_H

/*
 * Prints "ipmasqadm: WHO: " and the text, as one line, to stderr; returns 1, which is an exit
 * status. What a message quotes may come from anybody: control characters show as '?'.
 */
int complain(const char *who, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
