// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "nftstore.h"
#include "rank.h"

/* A map has the buckets of a hash of fixed size: dumps of it are three times as fast as of one that
 * the kernel resizes (measured on 6.18, 50,000 elements: 60 ms against 155), and no resizing makes
 * them tell an element twice or not at all. A full map is made anew, this much larger. */
#define MAP_SIZE_MIN 1024u
#define MAP_SIZE_STEP 4u

static bool live(const struct service *s, enum module mod)
{
	return s->key.module == mod && s->n;
}

/* Even of nothing: chains may have been kept for connections that are over now. */
static bool flushed(const struct table *t)
{
	return t->flushed[MOD_PORTFW] || t->flushed[MOD_MFW] || t->flushed[MOD_AUTOFW];
}

bool store_changes(const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->services[i]->dirty)
			return true;
	for (size_t i = 0; i < t->n_entries; i++)
		if (t->entries[i].gone || !t->entries[i].handle)
			return true;
	return flushed(t);
}

bool store_touches(const struct table *t, enum module mod)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->services[i]->key.module == mod && t->services[i]->dirty)
			return true;
	return false;
}

bool store_removes(const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->services[i]->dirty && !t->services[i]->n)
			return true;
	for (size_t i = 0; i < t->n_entries; i++)
		if (t->entries[i].gone)
			return true;
	return flushed(t);
}

bool store_remains(const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->services[i]->n)
			return true;
	for (size_t i = 0; i < t->n_entries; i++)
		if (!t->entries[i].gone)
			return true;
	return false;
}

/* Whether a module has nothing but what this transaction made. */
static bool all_new(const struct table *t, enum module mod)
{
	if (t->flushed[mod])
		return true;
	for (size_t i = 0; i < t->n; i++)
		if (t->services[i]->key.module == mod && t->services[i]->stored != MAP_NONE)
			return false;
	return t->complete[mod];
}

/*
 * A file that save wrote names the services in the order of their keys, and then there is nothing
 * to tell of it: those without a birth are in that order. Only the first ones of a module may go
 * without, up to one that comes out of order. (50,000 elements are listed a tenth faster.)
 */
static int drop_births(const struct table *t, enum module mod)
{
	struct rank *ranks = calloc(2 * t->n + 1, sizeof(*ranks)), *v;
	uint64_t last = 0;
	size_t n = 0;

	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		if (live(t->services[i], mod))
			ranks[n++] =
				(struct rank){.minor = t->services[i]->born, .index = (uint32_t)i};
	v = rank_sort(ranks, ranks + t->n, n);
	for (size_t i = 0; i < n; i++) {
		struct service *s = t->services[v[i].index];

		if (key_order(&s->key) <= last)
			break;
		last = key_order(&s->key);
		s->born = 0;
	}
	free(ranks);
	return 0;
}

uint32_t store_size(const struct table *t, enum map map)
{
	uint32_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += live(t->services[i], map_defs[map].module) &&
		     service_map(t->services[i]) == map;
	return n;
}

static void module_add(struct emit *e, const struct table *t, enum module mod)
{
	uint32_t sizes[MAP_COUNT] = {0};

	for (int map = 1; map < MAP_COUNT; map++) {
		uint32_t n = map_defs[map].module == mod ? store_size(t, (enum map)map) : 0;
		uint64_t want = n + n / 4u, size = MAP_SIZE_MIN;

		while (size < want)
			size *= MAP_SIZE_STEP;
		sizes[map] = (uint32_t)size;
	}
	e->ops->module_add(e, mod, sizes);
}

static void module_del(struct emit *e, const struct table *t, enum module mod)
{
	e->ops->module_unhook(e, mod);
	for (size_t i = 0; i < t->n; i++) {
		const struct service *s = t->services[i];

		if (s->key.module == mod && s->stored != MAP_NONE && map_defs[s->stored].pool)
			e->ops->pool_del(e, &s->key);
	}
	e->ops->module_del(e, mod);
}

/* One service's way from old map to new. A pool that stays one keeps its element. */
struct change {
	enum map from, to;
	bool element_stays;
};

static struct change change_of(const struct service *s, bool rebuilt)
{
	struct change c = {.to = service_map(s)};

	if (!rebuilt)
		c.from = (enum map)s->stored;
	c.element_stays = c.from != MAP_NONE && c.from == c.to && map_defs[c.to].pool &&
			  s->born == s->stored_born;
	return c;
}

static int set_pool(struct emit *e, const struct service *s)
{
	struct schedule schedule;
	int err = schedule_make(&schedule, s);

	if (!err)
		e->ops->pool_set(e, s, &schedule);
	schedule_free(&schedule);
	return err;
}

/* In passes, so that elements of one map come together and share messages. */
enum pass { PASS_DEL_ELEMENTS, PASS_DEL_POOLS, PASS_SET_POOLS, PASS_ADD_ELEMENTS, PASSES };

static int pass_service(struct emit *e, const struct service *s, bool rebuilt, enum pass pass)
{
	struct change c = change_of(s, rebuilt);
	bool from_pool = c.from != MAP_NONE && map_defs[c.from].pool;
	bool to_pool = c.to != MAP_NONE && map_defs[c.to].pool;

	switch (pass) {
	case PASS_DEL_ELEMENTS:
		if (c.from != MAP_NONE && !c.element_stays)
			e->ops->element(e, false, c.from, s);
		break;
	case PASS_DEL_POOLS:
		if (from_pool && !to_pool)
			e->ops->pool_del(e, &s->key);
		break;
	case PASS_SET_POOLS:
		return to_pool ? set_pool(e, s) : 0;
	default:
		if (c.to != MAP_NONE && !c.element_stays)
			e->ops->element(e, true, c.to, s);
	}
	return 0;
}

static int store_services(struct emit *e, const struct table *t, enum module mod,
			  const struct store *how)
{
	bool dirty = false, any = false, rebuild;
	int err = 0;

	for (size_t i = 0; i < t->n; i++) {
		any |= live(t->services[i], mod);
		dirty |= live(t->services[i], mod) && t->services[i]->dirty;
	}
	/* Chains with nothing left to do stay until the table goes: connections may need them. */
	rebuild = any && (how->rebuild[mod] || t->flushed[mod]);
	if (any && all_new(t, mod))
		err = drop_births(t, mod);
	if (rebuild && how->have[mod])
		module_del(e, t, mod);
	if (rebuild || (dirty && !how->have[mod]))
		module_add(e, t, mod);
	for (int pass = 0; pass < PASSES; pass++)
		for (size_t i = 0; !err && i < t->n; i++)
			if (t->services[i]->key.module == mod && (rebuild || t->services[i]->dirty))
				err = pass_service(e, t->services[i], rebuild, (enum pass)pass);
	return err;
}

static void store_entries(struct emit *e, const struct table *t, const struct store *how)
{
	bool have = how->have[MOD_AUTOFW];

	for (size_t i = 0; i < t->n_entries; i++)
		if (t->entries[i].gone && t->entries[i].handle)
			e->ops->entry_del(e, &t->entries[i]);
	/* the newest last, since each goes before those that are there */
	for (size_t i = t->n_entries; i--;) {
		if (t->entries[i].gone || t->entries[i].handle)
			continue;
		if (!have)
			module_add(e, t, MOD_AUTOFW);
		have = true;
		e->ops->entry_add(e, &t->entries[i]);
	}
}

static bool table_exists(const struct table *t, const struct store *how)
{
	bool exists = how->have[MOD_PORTFW] || how->have[MOD_MFW] || how->have[MOD_AUTOFW];

	for (size_t i = 0; !exists && i < t->n; i++)
		exists = t->services[i]->stored != MAP_NONE;
	return exists;
}

int store(struct emit *e, const struct table *t, const struct store *how)
{
	int err;

	if (how->nothing_else && !how->keep_hooks && !store_remains(t)) {
		if (table_exists(t, how))
			e->ops->table_del(e);
		return 0;
	}
	err = store_services(e, t, MOD_PORTFW, how);
	if (!err)
		err = store_services(e, t, MOD_MFW, how);
	if (!err)
		store_entries(e, t, how);
	return err;
}
