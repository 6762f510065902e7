/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules of the kernel. */
#ifndef MODULES_H
#define MODULES_H

#include <stdbool.h>

/* Whether a module is loaded; one that is built in is not. */
bool module_is_loaded(const char *name);

/*
 * Asks the kernel to load one, of at most 15 letters. It does that for whoever
 * looks for a network interface of that name and may load modules, with its own
 * modprobe (net/core/dev_ioctl.c, dev_load()): no program is started here.
 */
void module_request(const char *name);

#endif
