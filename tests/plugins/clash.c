// SPDX-License-Identifier: GPL-2.0-or-later
/* A plugin with functions of its own that have the names of ours. */
#include <stdio.h>

#include "masqmod.h"

int validate(void), fail(void), report(void), masq_begin(void);

int validate(void)
{
	return 1;
}

int fail(void)
{
	return 2;
}

int report(void)
{
	return 4;
}

int masq_begin(void)
{
	return 8;
}

static int clash_main(int argc, char *argv[])
{
	(void)argc, (void)argv;
	printf("clash %d\n", validate() + fail() + report() + masq_begin());
	return 0;
}

MASQMOD(clash) = {
	.abi = MASQMOD_ABI,
	.name = "clash",
	.summary = "be in nobody's way",
	.main = clash_main,
};
