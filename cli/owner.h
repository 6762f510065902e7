/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OWNER_H
#define OWNER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * True if the owner of a file has at least root's rights: uid 0, or a user who
 * has no uid in this user namespace. All of those show as one number, and no
 * process of this namespace can be one of them.
 */
bool owner_is_root(uid_t uid);

#endif
