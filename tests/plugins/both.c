// SPDX-License-Identifier: GPL-2.0-or-later
/* Both entry points: the structure wins. */
#include <stdio.h>

#include <masqmod.h>

int masqmod_main(int argc, const char *argv[])
{
	(void)argc, (void)argv;
	puts("historical");
	return 1;
}

static int both_main(int argc, char *argv[])
{
	(void)argc, (void)argv;
	puts("structure");
	return 0;
}

MASQMOD(both) = {.abi = MASQMOD_ABI, .name = "both", .summary = "both", .main = both_main};
