/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin interface of ipmasqadm. See masqmod(3).
 *
 * A plugin is a shared object MODDIR/NAME.so that exports one object named
 * NAME_masqmod:
 *
 *	MASQMOD(hello) = {
 *		.abi = MASQMOD_ABI,
 *		.name = "hello",
 *		.summary = "say hello",
 *		.main = hello_main,
 *	};
 *
 * `ipmasqadm hello -x` then calls hello_main(2, {"hello", "-x", NULL}) and
 * exits with what it returns. A plugin of 1998 that exports int
 * masqmod_main(int argc, const char *argv[]) instead is run the same way; the
 * structure wins where both are there.
 */
#ifndef MASQMOD_H
#define MASQMOD_H

/* Raised whenever the layout or the meaning of struct masqmod changes. The
 * program refuses a plugin of another version, so a member never moves under a
 * plugin's feet. */
#define MASQMOD_ABI 1u

#ifdef __cplusplus
extern "C" {
#endif

struct masqmod {
	/* MASQMOD_ABI as the plugin was compiled with. Stays first in every
	 * version. */
	unsigned int abi;
	/* The module name, [a-z0-9_]{1,31}, the same as the file's. Static
	 * storage. */
	const char *name;
	/* One line for `ipmasqadm -h`, no newline. Static storage. */
	const char *summary;
	/* Runs the module. argv[0] is the module name, argv[argc] is NULL; the
	 * strings may be permuted but not freed. Returns the exit status: 0
	 * done, 1 refused by the system or not there, 2 wrong command line.
	 * Prints its own errors, as "ipmasqadm: NAME: text". */
	int (*main)(int argc, char *argv[]);
};

/* Defines the object that the program looks for. */
#define MASQMOD(NAME)                                                                              \
	extern __attribute__((visibility("default"))) const struct masqmod NAME##_masqmod;         \
	const struct masqmod NAME##_masqmod

/* The entry point of 1998, for plugin sources of the time: define it, and
 * nothing else is needed. Same arguments and result as masqmod.main. */
__attribute__((visibility("default"))) int masqmod_main(int argc, const char *argv[]);

#ifdef __cplusplus
}
#endif
#endif
