// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "stream.h"

void stream_widen(FILE *f, char **buf)
{
	const size_t size = 1 << 16;

	*buf = malloc(size); /* given NULL, glibc passes over the size */
	if (*buf)
		setvbuf(f, *buf, _IOFBF, size);
}
