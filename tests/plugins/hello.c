// SPDX-License-Identifier: GPL-2.0-or-later
/* A plugin by a third party: knows the installed headers and the library, and
 * nothing else of us. */
#include <stdio.h>

#include <masq.h>
#include <masqmod.h>

static int hello_main(int argc, char *argv[])
{
	uint16_t port;

	for (int i = 0; i <= argc; i++)
		printf("%d %s\n", i, argv[i] ? argv[i] : "NULL");
	if (argc < 2)
		return 0;
	if (!masq_parse_port(&port, argv[1])) {
		fprintf(stderr, "ipmasqadm: hello: %s is no port\n", argv[1]);
		return 2;
	}
	printf("port %u, library %s\n", port, masq_version());
	return 7;
}

MASQMOD(hello) = {
	.abi = MASQMOD_ABI,
	.name = "hello",
	.summary = "say hello",
	.main = hello_main,
};
