// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads from a shared object where the loader will look for what it needs. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "libraries.h"

struct object {
	const char *path;
	const struct trust *trust;
	const struct elf *file;
	size_t dynamic, entries;           /* where they are, and how many */
	const char *strings, *strings_end; /* the last byte is NUL */
};

/* Where in the file an address is; the file's size if it is not there. */
static size_t offset_of(const struct object *o, ElfW(Addr) address)
{
	ElfW(Phdr) segment;

	for (size_t i = 0; elf_segment(o->file, i, &segment); i++)
		if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
		    address - segment.p_vaddr < segment.p_filesz)
			return (size_t)(address - segment.p_vaddr + segment.p_offset);
	return o->file->size;
}

static bool entry(const struct object *o, size_t i, ElfW(Dyn) * dyn)
{
	return i < o->entries &&
	       elf_get(o->file, o->dynamic + i * sizeof(*dyn), dyn, sizeof(*dyn)) &&
	       dyn->d_tag != DT_NULL;
}

/* The string that an entry names, or NULL. */
static const char *string(const struct object *o, const ElfW(Dyn) * dyn)
{
	return dyn->d_un.d_val < (size_t)(o->strings_end - o->strings)
		       ? o->strings + dyn->d_un.d_val
		       : NULL;
}

/* False for what is no shared object of this machine: dlopen() will say so. */
static bool parse(struct object *o)
{
	const struct elf *file = o->file;
	size_t at = file->size, size = 0;
	ElfW(Phdr) segment;
	ElfW(Dyn) dyn;

	if (!elf_is_native(file))
		return false;
	for (size_t i = 0; elf_segment(o->file, i, &segment); i++) {
		if (segment.p_type == PT_DYNAMIC) {
			o->dynamic = (size_t)segment.p_offset;
			o->entries = (size_t)segment.p_filesz / sizeof(dyn);
		}
	}
	for (size_t i = 0; entry(o, i, &dyn); i++) {
		if (dyn.d_tag == DT_STRTAB)
			at = offset_of(o, dyn.d_un.d_ptr);
		else if (dyn.d_tag == DT_STRSZ)
			size = (size_t)dyn.d_un.d_val;
	}
	if (!size || at >= file->size || size > file->size - at || file->map[at + size - 1])
		return false;
	o->strings = (const char *)file->map + at;
	o->strings_end = o->strings + size;
	return true;
}

/* Where there is none, none can appear: the directory has been examined. */
static int check_library(const struct object *o, const char *directory, const char *name,
			 char error[TRUST_ERROR])
{
	char path[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path)) {
		snprintf(error, TRUST_ERROR, "%.400s: path too long", directory);
		return -1;
	}
	if (lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	return trust_file(path, o->trust, NULL, error) < 0 ? -1 : 0;
}

/* A directory, and in it each library that is needed. */
static int check_libraries(const struct object *o, const char *directory, char error[TRUST_ERROR])
{
	int r = trust_directory(directory, o->trust, error);
	const char *name;
	ElfW(Dyn) dyn;

	for (size_t i = 0; !r && entry(o, i, &dyn); i++) {
		name = dyn.d_tag == DT_NEEDED ? string(o, &dyn) : NULL;
		if (name && !strchr(name, '/'))
			r = check_library(o, directory, name, error);
	}
	return r < 0 ? -1 : 0;
}

/* One directory of a RUNPATH, and below it those that glibc looks in first,
 * each for a kind of processor. */
static int check_directory(const struct object *o, const char *directory, char error[TRUST_ERROR])
{
	int r = check_libraries(o, directory, error);
	char kinds[PATH_MAX], path[PATH_MAX];
	struct dirent *kind;
	DIR *d;

	if (r ||
	    (size_t)snprintf(kinds, sizeof(kinds), "%s/glibc-hwcaps", directory) >= sizeof(kinds))
		return r;
	d = opendir(kinds);
	if (!d)
		return 0;
	r = trust_directory(kinds, o->trust, error);
	while (!r && (kind = readdir(d)))
		if (*kind->d_name != '.' && (size_t)snprintf(path, sizeof(path), "%s/%s", kinds,
							     kind->d_name) < sizeof(path))
			r = check_libraries(o, path, error);
	closedir(d);
	return r;
}

/* Puts the plugin's directory where the loader does. False if it does not
 * fit. */
static bool expand(const struct object *o, const char *from, size_t n, char to[PATH_MAX])
{
	int origin = (int)(strrchr(o->path, '/') - o->path);
	int used;

	if (n >= 7 && !strncmp(from, "$ORIGIN", 7) && (n == 7 || from[7] == '/'))
		used = snprintf(to, PATH_MAX, "%.*s/%.*s", origin, o->path, (int)n - 7, from + 7);
	else if (n >= 9 && !strncmp(from, "${ORIGIN}", 9))
		used = snprintf(to, PATH_MAX, "%.*s/%.*s", origin, o->path, (int)n - 9, from + 9);
	else
		used = snprintf(to, PATH_MAX, "%.*s", (int)n, from);
	return used < PATH_MAX;
}

static int check_runpath(const struct object *o, const char *list, char error[TRUST_ERROR])
{
	for (const char *p = list;; p++) {
		size_t n = strcspn(p, ":");
		char directory[PATH_MAX];

		if (!expand(o, p, n, directory) || *directory != '/') {
			snprintf(error, TRUST_ERROR,
				 "refusing to load %.200s: its RUNPATH \"%.200s\" is not absolute; "
				 "link it again",
				 o->path, list);
			return -1;
		}
		if (check_directory(o, directory, error) < 0)
			return -1;
		p += n;
		if (!*p)
			return 0;
	}
}

static int check(const struct object *o, char error[TRUST_ERROR])
{
	const char *text;
	ElfW(Dyn) dyn;
	int r = 0;

	for (size_t i = 0; !r && entry(o, i, &dyn); i++) {
		text = dyn.d_tag == DT_RUNPATH || dyn.d_tag == DT_RPATH || dyn.d_tag == DT_NEEDED
			       ? string(o, &dyn)
			       : NULL;
		if (!text)
			continue;
		if (dyn.d_tag != DT_NEEDED)
			r = check_runpath(o, text, error);
		else if (strchr(text, '/'))
			r = trust_file(text, o->trust, NULL, error) < 0 ? -1 : 0;
	}
	return r;
}

int libraries_check(const struct elf *file, const char *path, const struct trust *t,
		    char error[TRUST_ERROR])
{
	struct object o = {.path = path, .trust = t, .file = file};

	return parse(&o) ? check(&o, error) : 0;
}
