// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kind.h"
#include "table.h"

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		service_free(&t->services[i]);
	free(t->services);
	free(t->index);
	free(t->entries);
	*t = (struct table){0};
}

static size_t hash(const struct key *key)
{
	uint64_t words[(sizeof(*key) + 7) / 8] = {0}, h = 0;

	memcpy(words, key, sizeof(*key));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		/* 2^64 over the golden ratio: Fibonacci hashing */
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return (size_t)h;
}

/* Where a key is in the index, or would go. The index is never full. */
static uint32_t *slot(const struct table *t, const struct key *key)
{
	size_t i = hash(key) & (t->slots - 1);

	while (t->index[i] != UINT32_MAX && !key_equal(&t->services[t->index[i]].key, key))
		i = (i + 1) & (t->slots - 1);
	return &t->index[i];
}

/* A listing looks nothing up and needs no index, which would cost it more than
 * all else that is done to a service. So it is made when it is needed. */
static void catch_up(struct table *t)
{
	if (!t->indexed)
		memset(t->index, 0xff, t->slots * sizeof(*t->index));
	for (; t->indexed < t->n; t->indexed++) {
		uint32_t *i = slot(t, &t->services[t->indexed].key);

		if (*i == UINT32_MAX)
			*i = (uint32_t)t->indexed;
		else
			t->twice = true;
	}
}

struct service *table_get(struct table *t, const struct key *key)
{
	uint32_t i;

	if (!t->n)
		return NULL;
	catch_up(t);
	i = *slot(t, key);
	return i == UINT32_MAX ? NULL : &t->services[i];
}

bool table_unique(struct table *t)
{
	if (t->n)
		catch_up(t);
	return !t->twice;
}

static int grow(struct table *t)
{
	size_t cap = t->cap ? t->cap * 2 : 16;
	struct service *v = reallocarray(t->services, cap, sizeof(*v));
	uint32_t *index;

	if (!v)
		return -ENOMEM;
	t->services = v;
	index = reallocarray(NULL, 2 * cap, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(t->index);
	t->index = index;
	t->indexed = 0;
	t->twice = false;
	t->cap = cap;
	t->slots = 2 * cap;
	return 0;
}

struct service *table_add(struct table *t, const struct key *key)
{
	struct service *s;

	if (t->n == t->cap && grow(t) < 0)
		return NULL;
	s = &t->services[t->n++];
	*s = (struct service){.key = *key, .counts_alone = kinds[key->kind]->counts_alone};
	return s;
}

struct service *table_put(struct table *t, const struct key *key)
{
	struct service *s = table_get(t, key);

	return s ? s : table_add(t, key);
}

int table_add_target(struct table *t, struct service *s, bool head, const struct masq_command *c)
{
	if (!s->n)
		s->born = t->next_born++;
	s->dirty = true;
	return service_insert(s, head, &c->target, c->target_ports.first,
			      (uint32_t)command_pref(c));
}

struct entry *table_insert_entry(struct table *t, bool head, const struct masq_command *forward)
{
	struct entry *v = reallocarray(t->entries, t->n_entries + 1, sizeof(*v));
	size_t at = head ? 0 : t->n_entries;

	if (!v)
		return NULL;
	t->entries = v;
	memmove(v + at + 1, v + at, (t->n_entries - at) * sizeof(*v));
	v[at] = (struct entry){.id = t->next_id++, .forward = *forward};
	t->n_entries++;
	return &v[at];
}

void table_flush(struct table *t, enum masq_kind kind)
{
	t->flushed[kind] = true;
	for (size_t i = 0; i < t->n; i++) {
		if (t->services[i].key.kind == kind) {
			t->services[i].n = 0;
			t->services[i].dirty = true;
		}
	}
	for (size_t i = 0; i < t->n_entries; i++)
		t->entries[i].gone |= t->entries[i].forward.kind == kind;
}
