// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

void state_free(struct state *st)
{
	table_free(&st->table);
	free(st->stored);
	free(st->entries);
	free(st->loaded);
	free(st->duplicates);
	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		interfaces_free(&st->interfaces[f]);
		addresses_free(&st->present[f]);
	}
	*st = (struct state){0};
}

/* Lengthens an array of n things to want at least, zeroes behind them: not to
 * all that there is room for, since memory that is never touched costs
 * nothing. */
static int fit(void **array, size_t *n, size_t *cap, size_t want, size_t size)
{
	enum { STEP = 128 };
	size_t room = *cap ? *cap : STEP;
	void *v;

	if (*n >= want)
		return 0;
	while (room < want)
		room *= 2;
	v = room > *cap ? reallocarray(*array, room, size) : *array;
	if (!v)
		return -ENOMEM;
	want = room - want > STEP ? want + STEP : room;
	memset((char *)v + *n * size, 0, (want - *n) * size);
	*array = v;
	*n = want;
	*cap = room;
	return 0;
}

int state_fit(struct state *st)
{
	void *stored = st->stored;
	int err = fit(&stored, &st->n_stored, &st->cap_stored, st->table.n, sizeof(*st->stored));

	st->stored = stored;
	return err;
}

int state_fit_entries(struct state *st)
{
	void *entries = st->entries;
	int err = fit(&entries, &st->n_entries, &st->cap_entries, st->table.next_id,
		      sizeof(*st->entries));

	st->entries = entries;
	return err;
}

int state_read_addresses(struct state *st, enum family f)
{
	int err = 0;

	if (!st->present_known[f] && !st->present[f].n) {
		err = addresses_load(&st->present[f], f);
		st->present_known[f] = !err;
	}
	return err == -ENOMEM ? err : 0;
}

struct stored *state_of(const struct state *st, const struct service *s)
{
	return &st->stored[s - st->table.services];
}

const struct stored *state_seen(const struct state *st, const struct service *s)
{
	static const struct stored nothing;
	size_t index = (size_t)(s - st->table.services);

	return index < st->n_stored ? &st->stored[index] : &nothing;
}

struct stored_entry *state_of_entry(const struct state *st, const struct entry *e)
{
	return &st->entries[e->id];
}

int state_add_loaded(struct state *st, const struct loaded_target *t)
{
	if (st->n_loaded == st->cap_loaded) {
		size_t cap = st->cap_loaded ? 2 * st->cap_loaded : 16;
		struct loaded_target *v = reallocarray(st->loaded, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		st->loaded = v;
		st->cap_loaded = cap;
	}
	st->loaded[st->n_loaded++] = *t;
	return 0;
}

int state_add_duplicate(struct state *st, size_t id, const char *chain, uint64_t handle)
{
	struct duplicate *v = reallocarray(st->duplicates, st->n_duplicates + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	st->duplicates = v;
	v[st->n_duplicates++] = (struct duplicate){id, chain, handle};
	return 0;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u; /* as in table.c */
	return h ^ h >> 29;
}

uint64_t state_digest(const struct service *s)
{
	uint64_t h = mix(mix(s->n, s->born), s->helper);

	for (size_t i = 0; i < s->n; i++) {
		const struct target *t = service_target(s, i);
		uint64_t words[2] = {0};

		memcpy(words, &t->addr.in6, address_size(&t->addr));
		h = mix(mix(h, words[0]), words[1]);
		h = mix(h, t->port);
		h = mix(h, (uint64_t)t->pref << 32 | t->left);
		h = mix(h, t->served);
	}
	return h ? h : 1;
}
