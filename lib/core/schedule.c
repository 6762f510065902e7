// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "schedule.h"

/* The targets up to the last whose turn has begun. */
static size_t begun(const struct service *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (service_target(s, i)->left != service_target(s, i)->pref)
			n = i + 1;
	return n;
}

/*
 * What is left of the turns that had begun comes first, once. If only the head
 * is in its turn, a period that begins in the middle of it says the same.
 */
static struct step *put_prologue(struct step *step, const struct service *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t left = service_target(s, i)->left;

		if (service_target(s, i)->pref)
			*step++ = (struct step){.target = i,
						.modulus = UINT32_MAX,
						.first = left,
						.last = UINT32_MAX,
						.once = true};
	}
	return step;
}

/* The period: every target takes its pref out of what those before it leave. */
static struct step *put_period(struct step *step, const struct service *s, size_t start,
			       bool head_begun)
{
	uint64_t rest = service_period(s);

	for (size_t k = 0; k < s->n; k++) {
		size_t i = (start + k) % s->n;
		const struct target *t = service_target(s, i);

		if (!t->pref)
			continue;
		*step = (struct step){.target = i, .first = t->pref, .last = UINT32_MAX};
		if (rest > t->pref)
			step->modulus = (uint32_t)rest;
		/* the head's turn has begun: the rest of it ends the period */
		if (head_begun && !k) {
			step->first = t->left;
			step->last = (uint32_t)(rest - (t->pref - t->left) - 1);
		}
		rest -= t->pref;
		step++;
	}
	return step;
}

int schedule_make(struct schedule *out, const struct service *s)
{
	size_t n = begun(s);
	struct step *step;

	*out = (struct schedule){.steps = calloc(2 * s->n, sizeof(*step))};
	if (!out->steps)
		return -ENOMEM;
	step = out->steps;
	if (n > 1)
		step = put_prologue(step, s, n);
	step = put_period(step, s, n > 1 ? n % s->n : 0, n == 1);
	for (size_t i = 0; i < s->n; i++)
		if (!service_target(s, i)->pref)
			*step++ = (struct step){.target = i};
	out->n = (size_t)(step - out->steps);
	return 0;
}

void schedule_free(struct schedule *s)
{
	free(s->steps);
	*s = (struct schedule){0};
}
