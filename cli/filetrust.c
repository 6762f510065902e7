// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filetrust.h"
#include "owner.h"

bool file_is_trusted(int fd, char why[FILE_IS_TRUSTED_WHY])
{
	struct stat st;

	if (geteuid() != 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return true;
	if (!owner_is_root(st.st_uid)) {
		snprintf(why, FILE_IS_TRUSTED_WHY, "it belongs to uid %u", (unsigned int)st.st_uid);
		return false;
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(why, FILE_IS_TRUSTED_WHY, "it is %s-writable (mode %04o)",
			 st.st_mode & S_IWOTH ? "world" : "group",
			 (unsigned int)st.st_mode & 07777);
		return false;
	}
	return true;
}
