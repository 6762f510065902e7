// SPDX-License-Identifier: GPL-2.0-or-later
/* Linked to every fuzz target: quiet, and cut off from resolver and clock. */
#include <arpa/inet.h>
#include <errno.h>

#include "fuzz.h"

/* The program's messages go nowhere; a fuzzer's own go to file descriptor 2. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	stderr = fopen("/dev/null", "w");
	HOLDS(stderr);
	return 0;
}

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **out)
{
	struct sockaddr_in *sin;

	(void)service;
	(void)hints;
	if (strcmp(node, "host") != 0)
		return EAI_NONAME;
	*out = calloc(1, sizeof(**out) + sizeof(*sin));
	if (!*out)
		return EAI_MEMORY;
	sin = (struct sockaddr_in *)(*out + 1);
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(0x0a000002);
	(*out)->ai_addr = (struct sockaddr *)sin;
	(*out)->ai_addrlen = sizeof(*sin);
	return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *found)
{
	free(found);
}

int __wrap_getservbyname_r(const char *name, const char *protocol, struct servent *entry, char *buf,
			   size_t size, struct servent **found)
{
	(void)protocol;
	(void)buf;
	(void)size;
	*found = NULL;
	if (strcmp(name, "http") != 0)
		return ENOENT;
	entry->s_port = htons(80);
	*found = entry;
	return 0;
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
	(void)t;
	(void)left;
	return 0;
}
