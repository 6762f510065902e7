/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share. Each is one file that includes the .c under
 * test, or calls it. */
#ifndef FUZZ_H
#define FUZZ_H

#include <netdb.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(2, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Nobody is asked for a name (-Wl,--wrap): one host is known, and one
 * service. */
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **out);
void __wrap_freeaddrinfo(struct addrinfo *found);
int __wrap_getservbyname_r(const char *name, const char *protocol, struct servent *entry, char *buf,
			   size_t size, struct servent **found);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left);

#endif
