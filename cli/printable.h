/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRINTABLE_H
#define PRINTABLE_H

/*
 * Replaces, in place, what a terminal would not print as characters: control
 * characters (C0, DEL, and C1 as single bytes or as UTF-8), invisible
 * characters and those that change the direction of text, and whatever is not
 * UTF-8. Each byte of it becomes '?'. Returns text.
 */
char *printable(char *text);

#endif
