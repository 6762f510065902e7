// SPDX-License-Identifier: GPL-2.0-or-later
/* The same against our header; built with hidden symbols, as new code often
 * is. */
#include <stdio.h>

#include <masqmod.h>

int masqmod_main(int argc, const char *argv[])
{
	printf("%d words, the first is %s\n", argc, argv[0]);
	return 0;
}
