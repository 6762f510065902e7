/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help, from the tables that command lines are read by. */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

struct syntax;

/* A line or two per command. */
void help_usage(FILE *out, const struct syntax *s);
/* All of it, to stdout. */
void help_print(const struct syntax *s, const char *summary);

#endif
