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

static uint32_t hash(const struct key *key)
{
	/* 2^64 times the fractions of the golden ratio and of the roots of 2, 3
	 * and 7, odd */
	static const uint64_t factors[] = {0x9e3779b97f4a7c15u, 0x6a09e667f3bcc909u,
					   0xbb67ae8584caa73bu, 0xa54ff53a5f1d36f1u};
	uint64_t words[] = {0, 0, 0, 0}, h = 0;

	_Static_assert(sizeof(words) >= sizeof(*key), "a key has more words");
	memcpy(words, key, sizeof(*key));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		h += (words[i] ^ words[i] >> 32) * factors[i];
	/* once more, or regular grids of addresses and ports fall together */
	return (uint32_t)(((h ^ h >> 32) * factors[0]) >> 32);
}

static uint32_t number_bits(const struct table *t)
{
	return (uint32_t)t->slots - 1;
}

/* Where a key is in the index, or would go. The index is never full. */
static uint32_t *slot(const struct table *t, const struct key *key, uint32_t hash)
{
	const uint32_t bits = number_bits(t);

	for (size_t i = hash;; i++) {
		uint32_t *at = &t->index[i & bits];

		if (!*at ||
		    (!((*at ^ hash) & ~bits) && key_equal(&t->services[(*at & bits) - 1].key, key)))
			return at;
	}
}

/* A listing looks nothing up and needs no index, which would cost it more than
 * all else that is done to a service. So it is made when it is needed. */
static void catch_up(struct table *t)
{
	if (!t->indexed)
		memset(t->index, 0, t->slots * sizeof(*t->index));
	while (t->indexed < t->n) {
		const struct key *key = &t->services[t->indexed++].key;
		uint32_t h = hash(key), *at = slot(t, key, h);

		if (*at)
			t->twice = true;
		else
			*at = (h & ~number_bits(t)) | (uint32_t)t->indexed;
	}
}

struct service *table_get(struct table *t, const struct key *key)
{
	uint32_t found;

	if (!t->n)
		return NULL;
	catch_up(t);
	found = *slot(t, key, hash(key));
	return found ? &t->services[(found & number_bits(t)) - 1] : NULL;
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
