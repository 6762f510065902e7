// SPDX-License-Identifier: GPL-2.0-or-later
/* A file for restore, read as --check does: split, parsed, and reported. */
#include "commandfile.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* exactly as long as it is, so that reading beyond is seen */
	char *text = malloc(size ? size : 1);
	struct commandfile f = {.name = "file", .text = text, .size = size};
	int status;

	HOLDS(text);
	memcpy(text, data, size);
	status = commandfile_read(&f);
	HOLDS(status == 0 || status == 2);
	for (size_t i = 0; i < f.n; i++) {
		const struct commandfile_place *place = &f.places[i];
		const struct masq_command *c = commandfile_take(&f, i);

		HOLDS(place->line >= 1 && place->start < size);
		HOLDS(c->size == sizeof(*c));
	}
	if (f.n)
		HOLDS(commandfile_report(&f, f.n - 1, "%s", "why") == 1);
	commandfile_free(&f);
	free(text);
	return 0;
}
