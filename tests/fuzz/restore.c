// SPDX-License-Identifier: GPL-2.0-or-later
/* A file for restore, read as --check does: split, parsed, and complained about. */
#include "../../modules/restore.c"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct restore r = {.name = "file", .size = size};
	int status;

	/* exactly as long as it is, so that reading beyond is seen */
	r.text = malloc(size ? size : 1);
	HOLDS(r.text);
	memcpy(r.text, data, size);
	status = each_command(&r, NULL);
	HOLDS(status == 0 || status == 2);
	HOLDS(r.words.argc <= WORDS_MAX);
	HOLDS(r.words.line >= 1 && r.words.start >= r.text && r.words.start <= r.text + size);
	free(r.text);
	return 0;
}
