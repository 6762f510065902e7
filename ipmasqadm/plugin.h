/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where plugins come from: a directory (load.c) or the program itself
 * (static.c). */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>

#include "masqmod.h"

#define NAME_SIZE 32 /* of a module, with its NUL */

struct plugin {
	const struct masqmod *mod; /* NULL: one of 1998 */
	int (*historical)(int argc, const char *argv[]);
};

/* Finds a plugin by a name that is known to be well-formed. 0; or -1 with the
 * reason in error. */
int plugin_open(struct plugin *out, const char *name, char error[512]);

/* Calls fn with every name that is there, in order. 0; or -1 with the reason in
 * error. */
int plugin_list(void (*fn)(const char *name, void *arg), void *arg, char error[512]);

/* [a-z0-9_]{1,31}: no path can be made of it. */
bool plugin_is_name(const char *name);

#endif
