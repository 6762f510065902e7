// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of each kind, one word a line; the first is the kind. */
#include <errno.h>

#include "fuzz.h"
#include "request.h"

#define MOST 64

static void check(const struct kind *k, int result, const struct request *req)
{
	const struct masq_command *c = &req->command;
	char words[KIND_WORDS_MAX];
	struct masq_command back;
	struct error e;
	struct text t;

	HOLDS(result == 0 || result == -EINVAL);
	HOLDS(memchr(req->error.text, 0, sizeof(req->error.text)));
	if (result) {
		HOLDS(*req->error.text);
		return;
	}
	HOLDS(req->action > ACT_NONE && req->action <= ACT_HELP);
	if (req->action != ACT_DO)
		return;
	HOLDS(c->size == sizeof(*c) && c->kind == k->id);
	HOLDS(!kind_validate(&e, c));
	HOLDS(*kind_describe(words, c));
	if (c->verb != MASQ_ADD)
		return;
	/* what it adds can be printed and read */
	text_start(&t, words, sizeof(words));
	k->print(&t, c);
	HOLDS(kind_read_text(k, &back, words, sizeof(words)));
	HOLDS(back.has == c->has);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *word[MOST + 1], *before[MOST + 1], *text = malloc(size + 1), *p = text;
	const struct kind *k;
	struct request req;
	int n = 0;

	HOLDS(text);
	memcpy(text, data, size);
	text[size] = 0;
	while (p && n < MOST)
		word[n++] = strsep(&p, "\n");
	word[n] = NULL;
	memcpy(before, word, sizeof(before));
	k = kind_find(*word);
	if (k) {
		check(k, request_read(&req, k, n, word), &req);
		HOLDS(!memcmp(before, word, (size_t)(n + 1) * sizeof(*word)));
	}
	free(text);
	return 0;
}
