/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FILETRUST_H
#define FILETRUST_H

#include <stdbool.h>

#define FILE_IS_TRUSTED_WHY 128

/*
 * True if root may act on what is read from fd: only root can have written it.
 * Otherwise why says who else can. Pipes, terminals and devices are trusted, as
 * the caller has chosen them, and so is everything if we are not root.
 */
bool file_is_trusted(int fd, char why[FILE_IS_TRUSTED_WHY]);

#endif
