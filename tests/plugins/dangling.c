// SPDX-License-Identifier: GPL-2.0-or-later
/* Needs what nobody has. */
#include <masqmod.h>

int a_function_that_nobody_has(void);

int masqmod_main(int argc, const char *argv[])
{
	(void)argc, (void)argv;
	return a_function_that_nobody_has();
}
