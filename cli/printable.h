/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of the UTF-8 sequence that text begins with, and its character; 0
 * if there is none. A sequence that is longer than it must be, and one half of
 * UTF-16's two, are none. */
size_t utf8_decode(const char *text, uint32_t *c);

/*
 * Replaces, in place, what a terminal would not print as characters: control
 * characters (C0, DEL, and C1 as single bytes or as UTF-8), invisible
 * characters and those that change the direction of text, and whatever is not
 * UTF-8. Each byte of it becomes '?'. Returns text.
 */
char *printable(char *text);

#endif
