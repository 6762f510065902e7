// SPDX-License-Identifier: GPL-2.0-or-later
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "modules.h"

/* As a sandbox may show it, which hides the list. */
static bool is_in_sysfs(const char *name)
{
	char path[100];

	/* what is built in has no state */
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	return !access(path, F_OK);
}

bool module_is_loaded(const char *name)
{
	FILE *f = fopen("/proc/modules", "re");
	size_t len = strlen(name);
	bool found = is_in_sysfs(name);
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, name, len) && line[len] == ' ';
	if (f)
		fclose(f);
	return found;
}

void module_request(const char *name)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {0};

	if (fd < 0)
		return;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ioctl(fd, SIOCGIFINDEX, &ifr);
	close(fd);
}
