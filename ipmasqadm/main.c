// SPDX-License-Identifier: GPL-2.0-or-later
/* ipmasqadm MODULE OPTIONS: finds the plugin and gets out of the way. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"
#include "printable.h"

bool plugin_is_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return len > 0 && len < NAME_SIZE && !name[len];
}

static void usage(FILE *out)
{
	fputs("usage: ipmasqadm MODULE OPTIONS\n"
	      "       ipmasqadm MODULE --help\n"
	      "       ipmasqadm -h | -V\n",
	      out);
}

static int finish(void)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	fprintf(stderr, "ipmasqadm: cannot write: %s\n", strerror(errno ? errno : EIO));
	return 1;
}

static void print_module(const char *name, void *arg)
{
	const char *summary = "(written for the interface of 1998)";
	char error[512];
	struct plugin p;

	(void)arg;
	if (plugin_open(&p, name, error) < 0)
		summary = printable(error);
	else if (p.mod)
		summary = p.mod->summary;
	printf("  %-12s %s\n", name, summary);
}

static int help(void)
{
	char error[512];

	usage(stdout);
	puts("\nmodules:");
	if (plugin_list(print_module, NULL, error) < 0)
		printf("  none: %s\n", printable(error));
	return finish();
}

static int run(const struct plugin *p, int argc, char *argv[])
{
	const char **words;
	int status;

	if (p->mod)
		return p->mod->main(argc, argv);
	words = calloc((size_t)argc + 1, sizeof(*words));
	if (!words) {
		fputs("ipmasqadm: out of memory\n", stderr);
		return 1;
	}
	for (int i = 0; i < argc; i++)
		words[i] = argv[i];
	status = p->historical(argc, words);
	free(words);
	return status;
}

int main(int argc, char *argv[])
{
	struct plugin plugin;
	char error[512];

	if (argc < 2) {
		usage(stderr);
		return 1;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return help();
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		puts("ipmasqadm " VERSION);
		return finish();
	}
	if (!plugin_is_name(argv[1])) {
		fprintf(stderr,
			"ipmasqadm: \"%s\" is no module name (a-z, 0-9 and _, at most 31); "
			"\"ipmasqadm -h\" lists the modules\n",
			printable(argv[1]));
		return 2;
	}
	if (plugin_open(&plugin, argv[1], error) < 0) {
		fprintf(stderr, "ipmasqadm: %s\n", printable(error));
		return 1;
	}
	return run(&plugin, argc - 1, argv + 1);
}
