// SPDX-License-Identifier: GPL-2.0-or-later
/* Plugins as shared objects in a directory. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elffile.h"
#include "libraries.h"
#include "plugin.h"
#include "printable.h"
#include "trust.h"

#define ERROR_SIZE TRUST_ERROR

/* Where plugins are, and what is asked of them. */
struct place {
	const char *directory;
	bool privileged; /* they are examined */
	struct trust trust;
};

/* Leaves in path the directory that the running program lies in, and in program
 * what it is. */
static int program_directory(char path[PATH_MAX], struct stat *program)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (n <= 0 || *path != '/' || stat("/proc/self/exe", program) < 0)
		return -1;
	path[n] = '\0';
	slash = strrchr(path, '/');
	slash[slash == path] = '\0';
	return 0;
}

/*
 * Returns NULL if directory lies beside the running program or is its
 * directory, as in a tree that was built and not installed. Who can write there
 * could have changed the program as well, so its owner is trusted with the
 * plugins too. Otherwise returns the reason, and trusts nobody but root.
 */
static const char *beside_program(const char *directory, struct trust *t)
{
	struct stat tree, program;
	char path[PATH_MAX], *slash;

	if (!realpath(directory, path))
		return strerror(errno);
	if (program_directory(t->tree, &program) < 0 || stat(t->tree, &tree) < 0) {
		*t->tree = '\0';
		return "cannot read /proc/self/exe, which says where the program is";
	}
	slash = strrchr(path, '/');
	if (strcmp(path, t->tree))
		slash[slash == path] = '\0';
	if (strcmp(path, t->tree)) {
		*t->tree = '\0';
		return "root uses only a directory beside the running program";
	}
	t->owner = tree.st_uid ? tree.st_uid : program.st_uid;
	return NULL;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void choose(struct place *p)
{
	const char *wanted = secure_getenv("IPMASQADM_MODDIR"), *why = NULL;
	char name[256];

	*p = (struct place){.directory = MODDIR};
	p->privileged = geteuid() == 0 || getauxval(AT_SECURE);
	if (!wanted || !*wanted)
		return;
	if (p->privileged)
		why = beside_program(wanted, &p->trust);
	if (!why) {
		p->directory = wanted;
	} else if (!same_file(wanted, MODDIR)) {
		snprintf(name, sizeof(name), "%s", wanted);
		fprintf(stderr, "ipmasqadm: IPMASQADM_MODDIR=%s is ignored: %s; using %s\n",
			printable(name), why, MODDIR);
	}
}

static const struct place *place(void)
{
	static struct place chosen;

	if (!chosen.directory)
		choose(&chosen);
	return &chosen;
}

static int filter(const struct dirent *entry)
{
	const char *dot = strchr(entry->d_name, '.');
	char name[NAME_SIZE] = "";

	if (!dot || strcmp(dot, ".so") || dot - entry->d_name >= NAME_SIZE)
		return 0;
	memcpy(name, entry->d_name, (size_t)(dot - entry->d_name));
	return plugin_is_name(name);
}

int plugin_list(void (*fn)(const char *name, void *arg), void *arg, char error[ERROR_SIZE])
{
	struct dirent **entries;
	int n = scandir(place()->directory, &entries, filter, alphasort);

	if (n < 0) {
		snprintf(error, ERROR_SIZE, "cannot read %.256s: %s", place()->directory,
			 strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++) {
		*strchr(entries[i]->d_name, '.') = '\0';
		fn(entries[i]->d_name, arg);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

struct list {
	char text[256];
	size_t used;
};

static void add_name(const char *name, void *arg)
{
	struct list *l = arg;

	if (l->used < sizeof(l->text))
		l->used +=
			(size_t)snprintf(l->text + l->used, sizeof(l->text) - l->used, " %s", name);
}

static int fail_not_there(const char *name, char error[ERROR_SIZE])
{
	char reason[ERROR_SIZE] = "none is installed";
	struct list list = {.used = 0};

	plugin_list(add_name, &list, reason);
	if (list.used)
		snprintf(error, ERROR_SIZE, "unknown module %s (available:%s)", name, list.text);
	else
		snprintf(error, ERROR_SIZE, "unknown module %s: %.400s", name, reason);
	return -1;
}

/* Leaves in path where link leads to. 1: there is no such file. */
static int follow(char path[PATH_MAX], const char *link, char error[ERROR_SIZE])
{
	const struct place *p = place();
	int r;

	if (p->privileged)
		r = trust_file(link, &p->trust, path, error);
	else
		r = realpath(link, path) ? 0 : 1;
	if (r <= 0 || !access(link, F_OK) || errno == ENOENT)
		return r;
	snprintf(error, ERROR_SIZE, "%.256s: %s", link, strerror(errno));
	return -1;
}

static int examine(const struct elf *file, const char *path, const char *name,
		   char error[ERROR_SIZE])
{
	const struct place *p = place();

	if (p->privileged && libraries_check(file, path, &p->trust, error) < 0)
		return -1;
	if (elf_is_whole(file))
		return 0;
	snprintf(error, ERROR_SIZE, "module %s: %.300s: the file is truncated: install it again",
		 name, path);
	return -1;
}

/* Finds the file, and examines it and the libraries beside it. */
static int resolve(char path[PATH_MAX], const char *name, char error[ERROR_SIZE])
{
	char link[PATH_MAX + NAME_SIZE + 8];
	struct elf file;
	int r;

	snprintf(link, sizeof(link), "%s/%s.so", place()->directory, name);
	r = follow(path, link, error);
	if (r > 0)
		return fail_not_there(name, error);
	/* what cannot be read is dlopen()'s to report */
	if (r < 0 || !elf_open(&file, path))
		return r;
	r = examine(&file, path, name, error);
	elf_close(&file);
	return r;
}

int plugin_open(struct plugin *out, const char *name, char error[ERROR_SIZE])
{
	char path[PATH_MAX], symbol[NAME_SIZE + 8];
	void *library;

	if (resolve(path, name, error) < 0)
		return -1;
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		snprintf(error, ERROR_SIZE, "module %s: %.400s", name, dlerror());
		return -1;
	}
	/* POSIX's way to make a function of what dlsym() returns */
	*(void **)&out->historical = dlsym(library, "masqmod_main");
	snprintf(symbol, sizeof(symbol), "%s_masqmod", name);
	out->mod = dlsym(library, symbol);
	if (!out->mod && !out->historical) {
		snprintf(error, ERROR_SIZE, "module %s: %.380s, nor masqmod_main", name, dlerror());
		return -1;
	}
	if (out->mod && out->mod->abi != MASQMOD_ABI) {
		snprintf(error, ERROR_SIZE,
			 "module %s (%.256s) was built for plugin interface %u, this program has "
			 "%u: rebuild it",
			 name, path, out->mod->abi, MASQMOD_ABI);
		return -1;
	}
	return 0;
}
