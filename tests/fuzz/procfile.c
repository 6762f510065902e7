// SPDX-License-Identifier: GPL-2.0-or-later
/* A state file of each module; what is understood must be the same after it was written and read.
 */
#include "procfile.h"
#include "fuzz.h"

static void fuzz(enum module mod, const char *text, size_t size)
{
	struct records first = {0}, second = {0};
	struct bad_line bad = {0};
	char *written = NULL;
	size_t written_size = 0;
	int err = procfile_read(mod, text, size, &first, &bad);
	FILE *f;

	if (err) {
		HOLDS(bad.number && bad.why && bad.text >= text &&
		      bad.text + bad.size <= text + size);
		records_free(&first);
		return;
	}
	f = open_memstream(&written, &written_size);
	HOLDS(f);
	err = procfile_write(mod, &first, f);
	fclose(f);
	HOLDS(!err && !procfile_read(mod, written, written_size, &second, &bad));
	HOLDS(first.n == second.n);
	for (size_t i = 0; i < first.n; i++) {
		const struct masq_record *a = &first.v[i], *b = &second.v[i];

		HOLDS(a->kind == b->kind && a->protocol == b->protocol && a->mark == b->mark);
		HOLDS(a->laddr.s_addr == b->laddr.s_addr && a->raddr.s_addr == b->raddr.s_addr);
		HOLDS(a->lport == b->lport && a->rport == b->rport);
		HOLDS(a->pref == b->pref && a->left == b->left && a->seconds == b->seconds);
	}
	free(written);
	records_free(&first);
	records_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);

	HOLDS(text);
	memcpy(text, data, size);
	for (int mod = 0; mod < MOD_COUNT; mod++)
		fuzz((enum module)mod, text, size);
	free(text);
	return 0;
}
