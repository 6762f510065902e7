/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LIBRARIES_H
#define LIBRARIES_H

#include "elffile.h"
#include "trust.h"

/*
 * Examines the libraries that the plugin at path takes from directories of its
 * own choice (RUNPATH, RPATH): those directories and what is there under the
 * names it asks for. What the system's own directories hold is the system's
 * business. path is absolute, and has no symbolic links in it; file is what it
 * leads to. Returns 0; or -1 with the reason in error.
 */
int libraries_check(const struct elf *file, const char *path, const struct trust *t,
		    char error[TRUST_ERROR]);

#endif
