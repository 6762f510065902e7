// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "metadata.h"
#include "text.h"

static void put(struct text *t, const char *word, uint64_t number)
{
	text_word(t, word);
	text_number(t, number);
}

/* Only what has another value than the default. */
static void put_target(struct text *t, const struct target *target)
{
	bool begun = target->left != target->pref;

	if (target->pref != MASQ_PREF_DEFAULT || begun)
		put(t, "pref", target->pref);
	if (begun)
		put(t, "left", target->left);
	if (target->served)
		put(t, "served", target->served);
}

void metadata_of_service(char out[COMMENT_MAX], const struct service *s)
{
	struct text t;

	text_start(&t, out, COMMENT_MAX);
	if (s->n == 1 && !s->helper) /* which is a chain, whose rules say it */
		put_target(&t, service_target(s, 0));
	/* marks have an order of their own */
	if (s->key.kind == MASQ_PORTFW && s->born) {
		put(&t, "seq", s->born >> 32);
		text_join(&t, ".");
		text_join_number(&t, (uint32_t)s->born);
	}
}

void metadata_of_target(char out[COMMENT_MAX], const struct service *s, size_t i)
{
	struct text t;

	text_start(&t, out, COMMENT_MAX);
	put(&t, "target", i + 1);
	put_target(&t, service_target(s, i));
}

static bool at_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

/* A decimal number at *p, which moves behind it; saturates. */
static uint64_t number(const char **p, const char *end)
{
	uint64_t n = 0;

	for (; at_digit(*p, end); ++*p)
		n = n > UINT64_MAX / 10 - 1 ? UINT64_MAX : n * 10 + (uint64_t)(**p - '0');
	return n;
}

static uint32_t number32(const char **p, const char *end, uint32_t most)
{
	uint64_t n = number(p, end);

	return n > most ? most : (uint32_t)n;
}

/* Whether the text at *p is this word, a blank and a number; if so *p moves to
 * the number. A macro, so that lengths are constants: a listing asks some
 * hundred thousand times. */
#define WORD(p, end, w)                                                                            \
	((size_t)((end) - *(p)) > sizeof(w " ") - 1 && !memcmp(*(p), w " ", sizeof(w " ") - 1) &&  \
	 at_digit(*(p) + sizeof(w " ") - 1, end) && (*(p) += sizeof(w " ") - 1))

void metadata_parse(struct metadata *out, const char *text, size_t len)
{
	const char *p = text, *end = text + strnlen(text, len);
	bool has_left = false;

	*out = (struct metadata){.pref = MASQ_PREF_DEFAULT};
	while (p < end) {
		if (WORD(&p, end, "target")) {
			out->position = number32(&p, end, UINT32_MAX);
		} else if (WORD(&p, end, "pref")) {
			out->pref = number32(&p, end, INT32_MAX);
		} else if (WORD(&p, end, "left")) {
			out->left = number32(&p, end, UINT32_MAX);
			has_left = true;
		} else if (WORD(&p, end, "served")) {
			out->served = number(&p, end);
		} else if (WORD(&p, end, "seq")) {
			out->born = (uint64_t)number32(&p, end, UINT32_MAX) << 32;
			if (p < end && *p == '.') {
				p++;
				out->born |= number32(&p, end, UINT32_MAX);
			}
		}
		while (p < end && *p++ != ' ')
			;
	}
	if (!has_left || out->left > out->pref || !out->left)
		out->left = out->pref;
}
