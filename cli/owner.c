// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "owner.h"

/* Kernels without user namespaces have no such file, and no uid without a
 * user. */
static bool is_mapped(uid_t uid)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned int first, outside, count;
	bool found = !map;

	while (!found && fscanf(map, "%u %u %u", &first, &outside, &count) == 3)
		found = uid >= first && uid - first < count;
	if (map)
		fclose(map);
	return found;
}

bool owner_is_root(uid_t uid)
{
	return uid == 0 || !is_mapped(uid);
}
