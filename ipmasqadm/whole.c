// SPDX-License-Identifier: GPL-2.0-or-later
/* dlopen() maps what a library's header promises, and dies of SIGBUS if the file
 * ends before that. */
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin.h"

/* What is no library of this machine is left to dlopen(), which says so. */
static bool has_segments(int fd, const ElfW(Ehdr) * header, off_t size)
{
	ElfW(Phdr) segment;

	for (unsigned int i = 0; i < header->e_phnum; i++) {
		off_t at = (off_t)(header->e_phoff + i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), at) != (ssize_t)sizeof(segment))
			return false;
		if (segment.p_type == PT_LOAD &&
		    (segment.p_offset > (ElfW(Off))size ||
		     segment.p_filesz > (ElfW(Off))size - segment.p_offset))
			return false;
	}
	return true;
}

bool plugin_is_whole(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ElfW(Ehdr) header;
	struct stat st;
	bool whole = true;

	if (fd < 0)
		return true;
	if (!fstat(fd, &st) && pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
	    !memcmp(header.e_ident, ELFMAG, SELFMAG) &&
	    header.e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
	    header.e_phentsize == sizeof(ElfW(Phdr)))
		whole = has_segments(fd, &header, st.st_size);
	close(fd);
	return whole;
}
