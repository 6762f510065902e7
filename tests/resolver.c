// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The system's resolver, as a preloaded library. From the environment:
 *
 * RESOLVER_NAMES=NAME=ADDRESS[,...] the hosts there are, a name twice if it has
 *                                   both families; nothing else is asked
 * RESOLVER_RECORD=FILE every look-up is appended to FILE, as "lookup NAME"
 * RESOLVER_SECONDS=N every look-up takes N seconds
 */
#include <dlfcn.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void record(const char *name)
{
	const char *path = getenv("RESOLVER_RECORD");
	FILE *f = path ? fopen(path, "a") : NULL;

	if (!f)
		return;
	fprintf(f, "lookup %s\n", name);
	fclose(f);
}

/* One of the family, or of another one if there is none. */
static bool find(char address[64], const char *name, int family)
{
	const char *names = getenv("RESOLVER_NAMES");
	size_t len = strlen(name);
	bool found = false;

	for (const char *p = names; p && *p; p += strcspn(p, ","), p += *p == ',') {
		if (strncmp(p, name, len) || p[len] != '=')
			continue;
		p += len + 1;
		snprintf(address, 64, "%.*s", (int)strcspn(p, ","), p);
		found = true;
		if (family == AF_UNSPEC || (family == AF_INET6) == (strchr(address, ':') != NULL))
			break;
	}
	return found;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **found)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	const char *seconds = getenv("RESOLVER_SECONDS");
	char address[64];

	record(node);
	sleep(seconds ? (unsigned int)atoi(seconds) : 0);
	if (!find(address, node, hints->ai_family))
		return EAI_NONAME;
	/* POSIX's way to make a function of what dlsym() returns */
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(address, service, hints, found);
}
