// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elffile.h"

bool elf_open(struct elf *e, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = MAP_FAILED;
	struct stat st;

	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	*e = (struct elf){.map = map, .size = (size_t)st.st_size};
	return true;
}

void elf_close(struct elf *e)
{
	munmap((void *)(uintptr_t)e->map, e->size);
}

bool elf_get(const struct elf *e, size_t at, void *to, size_t size)
{
	if (at > e->size || size > e->size - at)
		return false;
	memcpy(to, e->map + at, size);
	return true;
}

bool elf_is_native(const struct elf *e)
{
	ElfW(Ehdr) header;

	return elf_get(e, 0, &header, sizeof(header)) && !memcmp(header.e_ident, ELFMAG, SELFMAG) &&
	       header.e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
	       header.e_phentsize == sizeof(ElfW(Phdr));
}

static size_t segments(const struct elf *e, ElfW(Ehdr) * header)
{
	return elf_get(e, 0, header, sizeof(*header)) ? header->e_phnum : 0;
}

bool elf_segment(const struct elf *e, size_t i, ElfW(Phdr) * segment)
{
	ElfW(Ehdr) header;

	return i < segments(e, &header) &&
	       elf_get(e, (size_t)header.e_phoff + i * sizeof(*segment), segment, sizeof(*segment));
}

static bool has(const struct elf *e, const ElfW(Phdr) * segment)
{
	return segment->p_type != PT_LOAD ||
	       (segment->p_offset <= e->size && segment->p_filesz <= e->size - segment->p_offset);
}

bool elf_is_whole(const struct elf *e)
{
	ElfW(Phdr) segment;
	ElfW(Ehdr) header;
	size_t n = segments(e, &header);

	if (!elf_is_native(e))
		return true;
	for (size_t i = 0; i < n; i++)
		if (!elf_segment(e, i, &segment) || !has(e, &segment))
			return false;
	return true;
}
