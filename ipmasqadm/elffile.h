/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A shared object as a file. Nothing that it says of itself is believed. */
#ifndef ELF_FILE_H
#define ELF_FILE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

struct elf {
	const unsigned char *map;
	size_t size;
};

/* Maps the file; false if it cannot be read or is no regular file with
 * something in it. Close it with elf_close(). */
bool elf_open(struct elf *e, const char *path);
void elf_close(struct elf *e);

/* Copies size bytes from offset at; false if the file has not got them. */
bool elf_get(const struct elf *e, size_t at, void *to, size_t size);

/* Whether it has the header of a library of this machine. */
bool elf_is_native(const struct elf *e);

/* The i-th segment of a native library; false if there is none. */
bool elf_segment(const struct elf *e, size_t i, ElfW(Phdr) * segment);

/* False if it ends before what its header promises: dlopen() would map that,
 * and die of SIGBUS. True for what is no library of this machine: dlopen() says
 * so. */
bool elf_is_whole(const struct elf *e);

#endif
