// SPDX-License-Identifier: GPL-2.0-or-later
/* A plugin as sources of 1998 are: one function, declared by itself. */
#include <stdio.h>

int masqmod_main(int argc, const char *argv[]);

int masqmod_main(int argc, const char *argv[])
{
	int i;

	for (i = 0; i <= argc; i++)
		printf("%d %s\n", i, argv[i] ? argv[i] : "NULL");
	return 5;
}
