// SPDX-License-Identifier: GPL-2.0-or-later
/* Services and their targets: the 2.2 scheduling, exactly. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Moves the first n targets behind the others, in order. */
static void rotate(struct service *s, size_t n)
{
	for (size_t part = 0; n && part < 3; part++) {
		size_t from = part == 1 ? n : 0;
		size_t to = part == 0 ? n : s->n;

		while (from + 1 < to) {
			struct target t = s->targets[from];

			s->targets[from++] = s->targets[--to];
			s->targets[to] = t;
		}
	}
}

/* A drained target never heads a list that has another. */
static void skip_drained(struct service *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->targets[i].pref) {
			rotate(s, i);
			return;
		}
	}
}

static int make_room(struct service *s)
{
	size_t cap = s->cap ? s->cap * 2 : 2;
	struct target *v;

	if (s->n < s->cap)
		return 0;
	v = reallocarray(s->cap > 1 ? s->targets : NULL, cap, sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (s->cap == 1)
		*v = *s->targets;
	s->targets = v;
	s->cap = cap;
	return 0;
}

int service_append(struct service *s, const struct target *t)
{
	if (make_room(s) < 0)
		return -ENOMEM;
	s->targets[s->n++] = *t;
	return 0;
}

/* The sum becomes numgen's modulus, which has 32 bits. */
static bool fits(uint64_t period)
{
	return period <= UINT32_MAX;
}

int service_insert(struct service *s, bool head, uint32_t addr, uint16_t port, uint32_t pref)
{
	struct target t = {.addr = addr, .port = port, .pref = pref, .left = pref};

	if (!fits(service_period(s) + pref))
		return -EOVERFLOW;
	if (service_append(s, &t) < 0)
		return -ENOMEM;
	if (head)
		rotate(s, s->n - 1);
	skip_drained(s);
	return 0;
}

static bool target_matches(const struct target *t, uint32_t addr, uint16_t port)
{
	return (!addr || addr == t->addr) && (!port || port == t->port);
}

int service_edit(struct service *s, uint32_t addr, uint16_t port, uint32_t pref)
{
	uint64_t period = service_period(s);
	size_t found = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (target_matches(&s->targets[i], addr, port)) {
			period = period - s->targets[i].pref + pref;
			found++;
		}
	}
	if (!found)
		return -ESRCH;
	if (!fits(period))
		return -EOVERFLOW;
	for (size_t i = 0; i < s->n; i++)
		if (target_matches(&s->targets[i], addr, port))
			s->targets[i].pref = s->targets[i].left = pref;
	skip_drained(s);
	return 0;
}

int service_delete(struct service *s, uint32_t addr, uint16_t port)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!target_matches(&s->targets[i], addr, port))
			s->targets[kept++] = s->targets[i];
	if (kept == s->n)
		return -ESRCH;
	s->n = kept;
	skip_drained(s);
	return 0;
}

void service_end_turn(struct service *s)
{
	if (s->n < 2)
		return;
	s->targets[0].left = s->targets[0].pref;
	rotate(s, 1);
	skip_drained(s);
}

bool service_counts(const struct service *s)
{
	return s->n && s->targets[0].pref && (s->n > 1 || s->key.module != MOD_MFW);
}

uint64_t service_period(const struct service *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += s->targets[i].pref;
	return sum;
}

/* Serves n connections by turns over at most one round more than the list is long; what is left of
 * n after that finds every count full again. */
static uint64_t play(struct service *s, uint64_t n, size_t turns)
{
	size_t cur = 0;

	while (n && turns) {
		struct target *t = &s->targets[cur];
		uint64_t take = n < t->left ? n : t->left;

		t->left -= (uint32_t)take;
		t->served += take;
		n -= take;
		if (!t->left) {
			t->left = t->pref;
			cur = (cur + 1) % s->n;
			turns--;
		}
	}
	rotate(s, cur);
	skip_drained(s);
	return n;
}

void service_advance(struct service *s, uint64_t n)
{
	if (!s->n)
		return;
	if (!service_counts(s)) {
		s->targets[0].served += n;
		return;
	}
	n = play(s, n, s->n);
	if (n) {
		uint64_t period = service_period(s), rounds = n / period;

		for (size_t i = 0; i < s->n; i++)
			s->targets[i].served += rounds * s->targets[i].pref;
		play(s, n % period, s->n);
	}
}

static struct run *add_run(struct run *r, const struct service *s, size_t target, uint32_t length)
{
	if (s->targets[target].pref && length)
		*r++ = (struct run){.target = target, .length = length};
	return r;
}

int schedule_make(struct schedule *out, const struct service *s)
{
	struct run *r;
	size_t started = 0; /* targets up to the last whose turn has begun */

	*out = (struct schedule){0};
	out->prologue = calloc(2 * s->n + 1, sizeof(*r));
	if (!out->prologue)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		if (s->targets[i].left != s->targets[i].pref)
			started = i + 1;

	/* Only the head is in its turn: a period that begins in the middle of it says it all. */
	r = out->prologue;
	if (started > 1)
		for (size_t i = 0; i < started; i++)
			r = add_run(r, s, i, s->targets[i].left);
	out->n_prologue = (size_t)(r - out->prologue);

	out->period = r;
	if (started == 1)
		r = add_run(r, s, 0, s->targets[0].left);
	for (size_t i = started; i < s->n; i++)
		r = add_run(r, s, i, s->targets[i].pref);
	if (started == 1)
		r = add_run(r, s, 0, s->targets[0].pref - s->targets[0].left);
	else
		for (size_t i = 0; i < started; i++)
			r = add_run(r, s, i, s->targets[i].pref);
	out->n_period = (size_t)(r - out->period);
	return 0;
}

void schedule_free(struct schedule *s)
{
	free(s->prologue); /* the period lies behind it */
	*s = (struct schedule){0};
}
