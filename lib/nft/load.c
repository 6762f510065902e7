// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_tables.h>

#include "ask.h"
#include "helpers.h"
#include "load.h"
#include "load_pools.h"
#include "standing.h"

/* What reading one of our maps needs. */
struct map_reader {
	struct census census;
	struct state *state;
	enum family family;
	enum map map;
	char interface[MASQ_INTERFACE_MAX]; /* of a map of one */
	size_t key_len, data_len;           /* of its elements */
	bool fresh; /* no service is there that an element could belong to */
};

static void begin_map(struct map_reader *r, enum map map, const char *interface)
{
	const struct map_def *def = &map_defs[map];

	r->map = map;
	memset(r->interface, 0, sizeof(r->interface));
	memcpy(r->interface, interface, strnlen(interface, sizeof(r->interface) - 1));
	r->key_len = parts_len(r->family, &def->key);
	r->data_len = def->pool ? 0 : parts_len(r->family, &def->data);
}

/*
 * The service that an element is of, NULL: another map has it, too; and where
 * it is remembered how it stands. A listing has nothing to remember of the
 * first map that it reads, which would be a fifth of all that it needs: NULL.
 */
static int begin_service(struct map_reader *r, const struct key *key, struct service **out,
			 struct stored **stored)
{
	const bool alone = r->fresh && r->state->listed && !map_defs[r->map].pool;
	struct table *t = &r->state->table;
	struct service *s = r->fresh ? table_add(t, key) : table_put(t, key);

	*out = NULL;
	*stored = NULL;
	if (!s || (!alone && state_fit(r->state) < 0))
		return -ENOMEM;
	if (!alone)
		*stored = state_of(r->state, s);
	if (alone || (!(*stored)->maps && !s->n))
		*out = s;
	if (!alone)
		(*stored)->maps |= (uint16_t)(1u << r->map);
	return 0;
}

/* The one target of a service, with the connections that arrived since its
 * comment was written. */
static int add_target(struct service *s, struct stored *stored, const struct map_reader *r,
		      const struct element *e, const struct metadata *said)
{
	struct target t = {.pref = said->pref, .left = said->left, .served = said->served};

	data_parse(&t, r->family, r->map, e->data);
	if (service_append(s, &t) < 0)
		return -ENOMEM;
	if (stored && !e->packets)
		stored->digest = state_digest(s);
	service_advance(s, e->packets);
	return 0;
}

static int add_element(const struct element *e, void *arg)
{
	struct map_reader *r = arg;
	const struct map_def *def = &map_defs[r->map];
	char chain[CHAIN_NAME_MAX];
	struct metadata said;
	struct stored *stored;
	struct service *s;
	struct key key;
	int err;

	census_element(&r->census, e);
	if (e->key_len != r->key_len || e->data_len != r->data_len)
		return -EBADMSG;
	if (!key_parse(&key, r->family, r->map, e->key))
		return 0; /* skip elements that no command creates */
	key_set_interface(&key, r->interface);
	err = begin_service(r, &key, &s, &stored);
	if (err || !s)
		return err;
	metadata_parse(&said, e->comment.text, e->comment.len);
	s->born = said.born;
	if (stored)
		stored->born = said.born;
	if (!def->pool)
		return add_target(s, stored, r, e, &said);
	chain_name(chain, &key);
	stored->loading = true;
	stored->chain = e->chain && !strcmp(e->chain, chain);
	return 0;
}

static int read_map(const struct nlmsghdr *nlh, void *arg)
{
	struct map_reader *r = arg;

	r->census.messages++;
	return read_elements(nlh, add_element, arg);
}

/* A pool, which has all its targets now. */
static void bring_up_to_date(struct state *st, struct service *s)
{
	struct stored *stored = state_of(st, s);
	uint64_t arrived = stored->arrived;

	if (!stored->loading)
		return;
	stored->loading = false;
	stored->digest = 0;
	if (!st->listed && !arrived && !(stored->maps & (stored->maps - 1)))
		stored->digest = state_digest(s);
	service_advance(s, arrived);
}

/* An answer to one of the requests for a service: an element, or about its
 * helper or the standing. */
static int read_answer(const struct nlmsghdr *nlh, void *arg)
{
	char interface[MASQ_INTERFACE_MAX];
	struct map_reader *r = arg;
	enum map map;
	int err;

	err = interfaces_read(&r->state->interfaces[r->family], r->family, nlh);
	if (err)
		return err < 0 ? err : 0;
	if (helpers_read(r->state, r->family, nlh))
		return 0;
	if ((nlh->nlmsg_type & 0xff) != NFT_MSG_NEWSETELEM)
		return standing_read(&r->state->standing[r->family], r->family, nlh);
	map = map_named(attr_text(attr_of(nlh, NFTA_SET_ELEM_LIST_SET)), interface);
	if (map == MAP_NONE)
		return -EBADMSG;
	begin_map(r, map, interface);
	return read_map(nlh, arg);
}

/* The answers for so many services fit into any receive buffer. */
#define SERVICES_AT_ONCE 64

static int ask_interface(struct buf *b, enum family f, struct state *st, const struct key *key)
{
	struct interface *i;

	if (!key->at)
		return 0;
	i = interfaces_put(&st->interfaces[f], key_interface(key));
	if (!i || state_read_addresses(st, f) < 0)
		return -ENOMEM;
	interface_ask(b, f, &st->interfaces[f], i, &st->present[f]);
	return 0;
}

static void ask_service(struct buf *b, const struct key *key)
{
	for (int map = 1; map < MAP_COUNT; map++)
		if (map_takes((enum map)map, key))
			ask_element(b, (enum map)map, key);
}

/* Where there is no table there are no services, and nothing is asked. */
static int load_elements(struct link *l, struct buf *b, enum family f, struct state *st,
			 const struct key *keys, size_t n)
{
	struct standing *standing = &st->standing[f];
	struct map_reader r = {.state = st, .family = f};
	int err = 0;

	for (size_t i = 0; !err && i < n && !(standing->known && !standing->table);) {
		size_t end = n - i > SERVICES_AT_ONCE ? i + SERVICES_AT_ONCE : n;
		bool asked = standing->known;

		buf_reset(b);
		if (!asked)
			standing_ask(b, f);
		helpers_ask(b, f, st);
		for (; !err && i < end; i++) {
			err = ask_interface(b, f, st, &keys[i]);
			ask_service(b, &keys[i]);
		}
		if (err)
			return err;
		err = ask_nothing_is_no_error(link_get(l, b, read_answer, &r));
		if (!err && !asked)
			err = standing_conclude(l, b, f, standing);
	}
	return err == -EINVAL ? -EBADMSG : err; /* keys of another length */
}

int load_named(struct link *l, struct buf *b, enum family f, struct state *st,
	       const struct key *keys, size_t n)
{
	int err;

	for (size_t i = 0; i < n; i++)
		if (!table_put(&st->table, &keys[i]))
			return -ENOMEM;
	if (state_fit(st) < 0)
		return -ENOMEM;
	err = load_elements(l, b, f, st, keys, n);
	for (size_t i = 0; !err && i < n; i++) {
		struct service *s = table_get(&st->table, &keys[i]);

		if (state_of(st, s)->chain)
			err = load_pool(l, b, st, &keys[i]);
		if (!err)
			bring_up_to_date(st, s);
	}
	return err;
}

/* NFTA_SET_COUNT, which older headers and kernels have not (6.18 has, 6.1
 * not). */
#define SET_COUNT 20

struct capacity {
	uint32_t size; /* 0: any */
	bool counted;
	uint32_t count; /* of its elements, also of those not in force */
};

static int read_capacity(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *count = attr_of(nlh, SET_COUNT);

	*(struct capacity *)arg = (struct capacity){
		.size = attr_be32(attr_in(attr_of(nlh, NFTA_SET_DESC), NFTA_SET_DESC_SIZE)),
		.counted = count,
		.count = attr_be32(count),
	};
	return 0;
}

static int load_capacity(struct link *l, struct buf *b, enum family f, const char *map,
			 struct capacity *c)
{
	*c = (struct capacity){0};
	buf_reset(b);
	ask_set(b, f, map);
	return ask_nothing_is_no_error(link_get(l, b, read_capacity, c));
}

/* A request by name takes as long as one or two elements of a dump, and the
 * dump of a full map more than that (measured on 6.18: 4.5 us each; 2 us of
 * 10,000, 6 us of 60,000). */
int load_all_is_less(struct link *l, struct buf *b, enum family f, enum masq_kind kind, size_t n,
		     bool *less)
{
	uint64_t elements = 0;
	struct capacity c;
	int err = 0;

	*less = n > SERVICES_AT_ONCE;
	for (int map = 1; !err && *less && map < MAP_FIXED; map++) {
		if (map_defs[map].kind != kind)
			continue;
		err = load_capacity(l, b, f, map_defs[map].name, &c);
		elements += c.counted ? c.count : c.size;
		*less = (c.counted || c.size) && elements <= n;
	}
	return err;
}

int load_map_size(struct link *l, struct buf *b, enum family f, enum map map, uint32_t *size)
{
	struct capacity c;
	int err = load_capacity(l, b, f, map_defs[map].name, &c);

	*size = c.size;
	return err;
}

/* The kernel knows how many elements it has, or has to tell them again. */
static int load_map(struct link *l, struct buf *b, struct map_reader *r)
{
	char buf[MAP_NAME_MAX];
	const char *name = map_name(buf, r->map, r->interface);
	struct capacity c;
	int err;

	buf_reset(b);
	ask_elements(b, r->family, NLM_F_DUMP, name);
	err = ask_nothing_is_no_error(link_dump(l, b, read_map, r));
	if (err || r->census.messages < 2)
		return err;
	err = load_capacity(l, b, r->family, name, &c);
	if (err || (c.counted && c.count == r->census.n))
		return err;
	return census_elements_again(l, b, r->family, name, &r->census);
}

static int load_into(struct link *l, struct buf *b, enum family f, struct state *st, enum map map,
		     const char *interface)
{
	struct map_reader r = {.state = st, .family = f, .fresh = !st->table.n};

	begin_map(&r, map, interface);
	return load_map(l, b, &r);
}

/* The services on interfaces, of those that there are. */
static int load_interfaces(struct link *l, struct buf *b, enum family f, struct state *st)
{
	struct interfaces *all = &st->interfaces[f];
	int err = interfaces_load(l, b, f, all);

	for (size_t i = 0; !err && i < all->n; i++)
		for (enum map map = MAP_FIXED; !err && map < MAP_COUNT; map++)
			err = load_into(l, b, f, st, map, all->v[i].name);
	return err;
}

int load_services(struct link *l, struct buf *b, enum family f, struct state *st,
		  unsigned int kinds_wanted)
{
	const struct table *t = &st->table;
	int err = 0;

	for (enum map map = 1; !err && map < MAP_FIXED; map++)
		if (kinds_wanted & MASQ_KIND(map_defs[map].kind))
			err = load_into(l, b, f, st, map, "");
	if (!err && kinds_wanted & MASQ_KIND(MASQ_PORTFW))
		err = load_interfaces(l, b, f, st);
	if (!err)
		err = load_pools(l, b, st);
	for (size_t i = 0; !err && i < t->n && i < st->n_stored; i++)
		bring_up_to_date(st, &t->services[i]);
	return err;
}

struct remains_reader {
	struct census census;
	struct state *state;
	enum family family;
	enum map map;
	const char *interface;
	bool remains;
};

static int see_element(const struct element *e, void *arg)
{
	struct remains_reader *r = arg;
	const struct service *s = NULL;
	struct key key;

	census_element(&r->census, e);
	if (e->key_len != parts_len(r->family, &map_defs[r->map].key))
		return -EBADMSG;
	if (key_parse(&key, r->family, r->map, e->key)) {
		key_set_interface(&key, r->interface);
		s = table_get(&r->state->table, &key);
	}
	r->remains |= !s || !s->dirty;
	return 0;
}

static int read_remains(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, see_element, arg);
}

int load_remains(struct link *l, struct buf *b, enum family f, struct state *st, enum map map,
		 const char *interface, bool *remains)
{
	struct remains_reader r = {.state = st, .family = f, .map = map, .interface = interface};
	char buf[MAP_NAME_MAX];
	const char *name = map_name(buf, map, interface);
	int err;

	/* Nearly always one look at the first elements settles it; only all of
	 * them prove the contrary. */
	buf_reset(b);
	ask_elements(b, f, NLM_F_DUMP, name);
	err = ask_nothing_is_no_error(link_glance(l, b, read_remains, &r));
	if (!err && !r.remains) {
		r.census = (struct census){0};
		buf_reset(b);
		ask_elements(b, f, NLM_F_DUMP, name);
		err = ask_nothing_is_no_error(link_dump(l, b, read_remains, &r));
		if (!err && r.census.n)
			err = census_elements_again(l, b, f, name, &r.census);
	}
	*remains = r.remains;
	return err;
}
