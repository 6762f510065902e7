// SPDX-License-Identifier: GPL-2.0-or-later
/* Plugins as shared objects in a directory. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin.h"

#define ERROR_SIZE 512

static const char *directory(void)
{
	const char *dir = secure_getenv("IPMASQADM_MODDIR");

	return dir && *dir ? dir : MODDIR;
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
	int n = scandir(directory(), &entries, filter, alphasort);

	if (n < 0) {
		snprintf(error, ERROR_SIZE, "cannot read %.256s: %s", directory(), strerror(errno));
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

/* Root must not run what somebody else can put there. */
static int check_writers(const char *path, char error[ERROR_SIZE])
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(path, &st) < 0) {
		snprintf(error, ERROR_SIZE, "%.256s: %s", path, strerror(errno));
		return -1;
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(error, ERROR_SIZE,
			 "refusing to load %.200s: group- or world-writable; chmod go-w %.200s",
			 path, path);
		return -1;
	}
	return 0;
}

/* Finds the file. Whatever a link leads through is checked at both ends. */
static int resolve(char path[PATH_MAX], const char *name, char error[ERROR_SIZE])
{
	char link[PATH_MAX + NAME_SIZE + 8], *slash;
	int err;

	snprintf(link, sizeof(link), "%s/%s.so", directory(), name);
	if (!realpath(link, path)) {
		if (errno == ENOENT)
			return fail_not_there(name, error);
		snprintf(error, ERROR_SIZE, "%.256s: %s", link, strerror(errno));
		return -1;
	}
	slash = strrchr(path, '/');
	*slash = '\0';
	err = check_writers(directory(), error) || check_writers(*path ? path : "/", error);
	*slash = '/';
	return err ? -1 : check_writers(path, error);
}

int plugin_open(struct plugin *out, const char *name, char error[ERROR_SIZE])
{
	char path[PATH_MAX], symbol[NAME_SIZE + 8];
	void *library;

	if (resolve(path, name, error) < 0)
		return -1;
	if (!plugin_is_whole(path)) {
		snprintf(error, ERROR_SIZE,
			 "module %s: %.300s: the file is truncated: install it again", name, path);
		return -1;
	}
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
