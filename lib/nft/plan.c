// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "entries.h"
#include "kind.h"
#include "plan.h"
#include "pool.h"

static bool flushed(const struct table *t)
{
	for (size_t kind = 0; kind < KINDS_MAX; kind++)
		if (t->flushed[kind])
			return true;
	return false;
}

/* Whether the kernel has a rule of an entry. */
static bool is_stored(const struct state *st, const struct entry *e)
{
	const struct stored_entry *stored = state_of_entry(st, e);

	return stored->handle || stored->trigger_handle;
}

/* Whether the kernel has all rules of an entry. */
static bool is_whole(const struct state *st, const struct entry *e)
{
	const struct stored_entry *stored = state_of_entry(st, e);

	return stored->handle && (stored->trigger_handle || !entry_is_triggered(&e->forward));
}

/* New, or added once more and somebody has deleted a rule of it. */
static bool is_missing(const struct state *st, const struct entry *e)
{
	return !e->gone && (!is_stored(st, e) || (e->again && !is_whole(st, e)));
}

bool plan_adds(const struct state *st, enum family f)
{
	const struct table *t = &st->table;

	for (size_t i = 0; i < t->n; i++)
		if (t->services[i].dirty && t->services[i].n &&
		    key_family(&t->services[i].key) == f)
			return true;
	for (size_t i = 0; i < t->n_entries; i++)
		if (is_missing(st, &t->entries[i]) && entry_family(&t->entries[i].forward) == f)
			return true;
	return false;
}

/* A flush counts even of nothing: chains may have been kept for connections
 * that are over now. */
bool plan_removes(const struct state *st, enum family f)
{
	const struct table *t = &st->table;

	for (size_t i = 0; i < t->n; i++)
		if (t->services[i].dirty && !t->services[i].n &&
		    key_family(&t->services[i].key) == f)
			return true;
	for (size_t i = 0; i < t->n_entries; i++)
		if (t->entries[i].gone && entry_family(&t->entries[i].forward) == f)
			return true;
	return flushed(t);
}

bool plan_changes(const struct state *st)
{
	for (enum family f = 0; f < FAMILY_COUNT; f++)
		if (plan_adds(st, f) || plan_removes(st, f))
			return true;
	return false;
}

bool plan_remains(const struct state *st, enum family f)
{
	const struct table *t = &st->table;

	for (size_t i = 0; i < t->n; i++)
		if (t->services[i].n && key_family(&t->services[i].key) == f)
			return true;
	for (size_t i = 0; i < t->n_entries; i++)
		if (!t->entries[i].gone && entry_family(&t->entries[i].forward) == f)
			return true;
	return false;
}

bool plan_converts(const struct state *st, enum family f)
{
	return st->standing[f].old;
}

bool plan_mends(const struct state *st, enum family f)
{
	return !st->standing[f].whole && (plan_adds(st, f) || st->standing[f].old);
}

void plan_sizes(uint32_t out[MAP_COUNT], const struct state *st, enum family f)
{
	memset(out, 0, MAP_COUNT * sizeof(*out));
	for (size_t i = 0; i < st->table.n; i++)
		if (key_family(&st->table.services[i].key) == f)
			out[map_of(&st->table.services[i])]++;
}

/* Whether a kind has nothing but what this transaction made. */
static bool all_new(const struct state *st, enum family f, enum masq_kind kind)
{
	return st->table.flushed[kind] || !st->standing[f].table;
}

static bool is_there(const struct service *s, enum family f, enum masq_kind kind)
{
	return s->key.kind == kind && s->n && key_family(&s->key) == f;
}

/* The services of a kind, oldest first. */
static struct rank *rank_births(struct rank *ranks, const struct table *t, enum family f,
				enum masq_kind kind, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < t->n; i++)
		if (is_there(&t->services[i], f, kind))
			ranks[(*n)++] =
				(struct rank){.minor = t->services[i].born, .index = (uint32_t)i};
	return rank_sort(ranks, ranks + t->n, *n);
}

/* Whether the table has them so, too: nearly always. */
static bool are_in_turn(const struct table *t, enum family f, enum masq_kind kind)
{
	uint64_t last = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (!is_there(&t->services[i], f, kind))
			continue;
		if (t->services[i].born < last)
			return false;
		last = t->services[i].born;
	}
	return true;
}

/*
 * A file that save wrote names the services in the order of their keys, and
 * then there is nothing to tell of it: those without a birth are in that order.
 * Only the first ones of a kind may go without, up to one that comes out of
 * order. (50,000 elements are listed a tenth faster, and the same file restored
 * again changes nothing.)
 */
static int drop_births(struct state *st, enum family f, enum masq_kind kind)
{
	struct table *t = &st->table;
	struct rank *ranks = NULL, *v = NULL;
	struct order last = {{0}, {0}};
	size_t n = t->n;

	if (!are_in_turn(t, f, kind)) {
		ranks = calloc(2 * t->n, sizeof(*ranks));
		if (!ranks)
			return -ENOMEM;
		v = rank_births(ranks, t, f, kind, &n);
	}
	for (size_t i = 0; i < n; i++) {
		struct service *s = &t->services[v ? v[i].index : i];
		struct order order;

		if (!is_there(s, f, kind))
			continue;
		order = key_order(&s->key);
		if (order_compare(&order, &last) <= 0)
			break;
		last = order;
		s->born = 0;
	}
	free(ranks);
	return 0;
}

static int drop_all_births(struct state *st, enum family f)
{
	int err = 0;

	for (const struct kind *const *k = kinds; !err && *k; k++)
		if (kind_has_maps((*k)->id) && all_new(st, f, (*k)->id))
			err = drop_births(st, f, (*k)->id);
	return err;
}

/* One service's way from where it stands to where it belongs. */
struct change {
	uint8_t to;   /* enum map */
	bool rules;   /* its chain is written */
	bool element; /* its elements are deleted, and the new one added */
};

static struct change change_of(const struct state *st, const struct plan *plan,
			       const struct service *s)
{
	const struct stored *old = state_seen(st, s);
	struct change c = {.to = (uint8_t)map_of(s)};
	bool right = old->maps == (c.to == MAP_NONE ? 0 : 1u << c.to);
	bool pool = map_defs[c.to].pool;
	bool same = right && old->digest && old->digest == state_digest(s);

	if (s->dirty && !same)
		c.rules = c.element = true;
	if (pool && old->chain && !old->cascade)
		c.rules = true;
	/* a pool that stays one keeps its element */
	if (right && pool && old->chain && old->born == s->born)
		c.element = false;
	c.rules &= pool;
	c.element |= plan->grow[c.to];
	return c;
}

static void delete_elements(struct batch *b, const struct state *st, const struct plan *plan,
			    const struct service *s)
{
	for (int map = 1; map < MAP_COUNT; map++)
		if (state_seen(st, s)->maps & 1u << map && !plan->grow[map])
			b->ops->element_del(b, (enum map)map, &s->key);
}

/* In passes, so that elements of one map come together and share messages, and
 * chains are made before and deleted after what refers to them. */
enum pass { PASS_DELETE_ELEMENTS, PASS_REMOVE_POOLS, PASS_WRITE_POOLS, PASS_ADD_ELEMENTS, PASSES };

static int pass_service(struct batch *b, struct state *st, const struct plan *plan,
			const struct service *s, const struct change *c, enum pass pass)
{
	int err = 0;

	switch (pass) {
	case PASS_DELETE_ELEMENTS:
		if (c->element)
			delete_elements(b, st, plan, s);
		break;
	case PASS_REMOVE_POOLS:
		if (c->element && state_seen(st, s)->chain && !map_defs[c->to].pool)
			pool_remove(b, st, s);
		break;
	case PASS_WRITE_POOLS:
		if (c->rules)
			err = pool_write(b, st, s);
		if (c->rules)
			pool_write_end(b, st, s);
		break;
	case PASS_ADD_ELEMENTS:
		if (c->element && c->to != MAP_NONE)
			b->ops->element_add(b, (enum map)c->to, s);
		break;
	case PASSES:
		break;
	}
	return err;
}

static int write_services(struct batch *b, struct state *st, const struct plan *plan,
			  const struct change *changes)
{
	int err = 0;

	for (enum pass pass = 0; pass < PASSES; pass++)
		for (size_t i = 0; !err && i < st->table.n; i++)
			if (changes[i].rules || changes[i].element)
				err = pass_service(b, st, plan, &st->table.services[i], &changes[i],
						   pass);
	return err;
}

/* Of all services, none for those of the other family; NULL: out of memory. */
static struct change *changes_of(const struct state *st, const struct plan *plan, enum family f)
{
	struct change *v = calloc(st->table.n + 1, sizeof(*v)); /* calloc(0) may return NULL */

	for (size_t i = 0; v && i < st->table.n; i++)
		if (key_family(&st->table.services[i].key) == f)
			v[i] = change_of(st, plan, &st->table.services[i]);
	return v;
}

/* Before the rules that name them. */
static void make_helpers(struct batch *b, const struct state *st, const struct change *changes)
{
	bool made[HELPER_OBJECTS] = {false};

	for (size_t i = 0; i < st->table.n; i++) {
		const struct service *s = &st->table.services[i];
		const struct helper_object *o = changes[i].rules && s->n ? helper_of(s) : NULL;

		if (!o || made[o - helper_objects])
			continue;
		b->ops->helper_add(b, o);
		made[o - helper_objects] = true;
	}
}

static void drop_helpers(struct batch *b, const struct plan *plan)
{
	for (size_t i = 0; i < HELPER_OBJECTS; i++)
		if (plan->unused[i])
			b->ops->helper_del(b, &helper_objects[i]);
}

static bool is_of(const struct entry *e, enum family f, enum masq_kind kind)
{
	return e->forward.kind == kind && entry_family(&e->forward) == f;
}

/* Whether what goes and what comes is the same, and has not counted
 * anything. */
static bool entries_stay(const struct state *st, enum family f, enum masq_kind kind)
{
	const struct table *t = &st->table;
	size_t old = 0, new = 0;

	if (!t->flushed[kind] || st->n_duplicates)
		return false;
	for (;;) {
		while (new < t->n_entries &&
		       (!is_of(&t->entries[new], f, kind) || !is_missing(st, &t->entries[new])))
			new ++;
		while (old < t->n_entries &&
		       (!is_of(&t->entries[old], f, kind) || !t->entries[old].gone ||
			!is_stored(st, &t->entries[old])))
			old++;
		if (new == t->n_entries || old == t->n_entries)
			return new == old;
		if (t->entries[old].served || !is_whole(st, &t->entries[old]) ||
		    t->entries[old].forward.has != t->entries[new].forward.has ||
		    !kinds[kind]->matches(&t->entries[old].forward, &t->entries[new].forward))
			return false;
		new ++;
		old++;
	}
}

/* Of an entry, those that somebody copied. */
static void remove_duplicates(struct batch *b, const struct state *st, const struct entry *e)
{
	for (size_t i = 0; i < st->n_duplicates; i++)
		if (st->duplicates[i].id == e->id)
			b->ops->rule_del(b, st->duplicates[i].chain, st->duplicates[i].handle);
}

static void remove_rules(struct batch *b, const struct state *st)
{
	for (size_t i = 0; i < st->table.n_entries; i++) {
		const struct entry *e = &st->table.entries[i];

		if (entry_family(&e->forward) != b->family)
			continue;
		remove_duplicates(b, st, e);
		entry_remove_rules(b, e, state_of_entry(st, e));
	}
}

static void write_entries(struct batch *b, const struct state *st, enum masq_kind kind)
{
	const struct table *t = &st->table;
	bool trigger = st->standing[b->family].trigger;

	if (entries_stay(st, b->family, kind))
		return;
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct entry *e = &t->entries[i];

		if (!is_of(e, b->family, kind) || !is_stored(st, e) ||
		    !(e->gone || is_missing(st, e)))
			continue;
		remove_duplicates(b, st, e);
		entry_remove(b, e, state_of_entry(st, e));
	}
	/* the newest last, since each goes before those that are there */
	for (size_t i = t->n_entries; i--;) {
		if (!is_of(&t->entries[i], b->family, kind) || !is_missing(st, &t->entries[i]))
			continue;
		if (!trigger && entry_is_triggered(&t->entries[i].forward)) {
			entry_make_trigger(b);
			trigger = true;
		}
		entry_write(b, &t->entries[i].forward, state_of_entry(st, &t->entries[i]));
	}
}

bool plan_needs_interface(const struct state *st, enum family f, const char *name)
{
	for (size_t i = 0; i < st->table.n; i++) {
		const struct service *s = &st->table.services[i];

		if (s->dirty && s->n && key_family(&s->key) == f &&
		    !strcmp(key_interface(&s->key), name))
			return true;
	}
	return false;
}

/* Those that services come to, or those that none is left on. */
static void write_interfaces(struct batch *b, const struct state *st, bool come)
{
	const struct interfaces *all = &st->interfaces[b->family];

	for (size_t i = 0; i < all->n; i++) {
		const struct interface *at = &all->v[i];

		if (!come && at->unused)
			interface_remove(b, at);
		if (come && plan_needs_interface(st, b->family, at->name))
			interface_write(b, at, &all->known, &st->present[b->family]);
	}
}

/* Ranges may touch those that they take the place of, which go first. */
static void write_fars(struct batch *b, const struct plan *plan)
{
	const struct fars *old = &plan->far_before, *new = &plan->far;

	for (size_t i = 0; i < old->n; i++)
		if (!fars_have(new, &old->v[i]))
			b->ops->far_del(b, &old->v[i]);
	for (size_t i = 0; i < new->n; i++)
		if (!fars_have(old, &new->v[i]))
			b->ops->far_add(b, &new->v[i]);
}

/* What has to be made before anything can refer to it. */
static void open_skeleton(struct batch *b, const struct state *st, const struct plan *plan,
			  bool mend)
{
	const struct standing *standing = &st->standing[b->family];
	uint32_t sizes[MAP_COUNT];

	plan_sizes(sizes, st, b->family);
	if (mend) {
		b->ops->table_add(b);
		skeleton_make_chains(b);
	}
	if (standing->table)
		skeleton_unhook(b);
	for (size_t i = 0; i < OLD_CHAINS; i++)
		if (standing->old_chain[i])
			batch_chain_remove(b, old_chains[i]);
	for (enum map map = 1; map < MAP_FIXED; map++) {
		if (plan->grow[map])
			b->ops->map_del(b, map_defs[map].name);
		if (plan->grow[map] || (mend && standing->missing[map]))
			skeleton_map(b, map, sizes[map]);
	}
	for (size_t i = 0; mend && i < SKELETON_SETS; i++)
		if (standing->missing_set[i])
			b->ops->map_add(b, &skeleton_sets[i]);
}

/* The table of the batch's family. */
static int write_table(struct batch *b, struct state *st, const struct plan *plan)
{
	bool mend = plan_mends(st, b->family), open = mend;
	struct change *changes;
	int err = 0;

	if (plan->empty && !plan->inventory.keep) {
		if (plan->inventory.foreign) /* entries may stand in chains that are not ours */
			remove_rules(b, st);
		if (st->standing[b->family].table)
			inventory_remove(b, &plan->inventory);
		return 0;
	}
	for (int map = 1; map < MAP_COUNT; map++)
		open |= plan->grow[map];
	err = drop_all_births(st, b->family);
	changes = changes_of(st, plan, b->family);
	if (!changes)
		err = -ENOMEM;
	if (!err && open) {
		open_skeleton(b, st, plan, mend);
		/* before the elements: the kernel walks those that are there
		 * when a rule is bound */
		skeleton_hook(b);
	}
	if (!err)
		write_interfaces(b, st, true);
	if (!err)
		make_helpers(b, st, changes);
	if (!err)
		err = write_services(b, st, plan, changes);
	free(changes);
	if (!err)
		write_interfaces(b, st, false);
	if (!err)
		drop_helpers(b, plan);
	for (const struct kind *const *k = kinds; !err && *k; k++)
		if (!kind_has_maps((*k)->id))
			write_entries(b, st, (*k)->id);
	if (!err && plan->switches.known)
		switches_write(b, st, &plan->switches);
	if (!err)
		write_fars(b, plan);
	return err;
}

int plan_write(struct batch *b, struct state *st, const struct plan plans[FAMILY_COUNT])
{
	int err = state_fit_entries(st);

	for (enum family f = 0; !err && f < FAMILY_COUNT; f++) {
		b->family = f;
		err = write_table(b, st, &plans[f]);
	}
	return err;
}
