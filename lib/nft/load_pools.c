// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_tables.h>

#include "ask.h"
#include "objects.h"
#include "load_pools.h"
#include "pool.h"

/* A map of 0.5.0 whose elements are a service's targets. */
struct old_map {
	uint32_t service;
	char name[NFT_SET_MAXNAMELEN];
};

struct rule_reader {
	struct census census;
	struct state *state;
	enum family family;
	struct old_map *maps;
	size_t n, cap;
	/* rules come chain by chain: the service of the last one; NULL: none */
	char chain[NFT_CHAIN_MAXNAMELEN];
	struct service *service;
};

static int add_old_map(struct rule_reader *r, const char *name)
{
	struct old_map *m;

	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 16;

		m = reallocarray(r->maps, cap, sizeof(*m));
		if (!m)
			return -ENOMEM;
		r->maps = m;
		r->cap = cap;
	}
	m = &r->maps[r->n++];
	m->service = (uint32_t)(r->service - r->state->table.services);
	snprintf(m->name, sizeof(m->name), "%s", name);
	return 0;
}

/* A target that a comment describes; one without a position is none. */
static int add_target(struct state *st, uint32_t service, struct target t, bool chain,
		      struct comment comment)
{
	struct metadata said;

	metadata_parse(&said, comment.text, comment.len);
	if (!said.position || address_is_any(&t.addr))
		return 0;
	t.pref = said.pref;
	t.left = said.left;
	t.served = said.served;
	return state_add_loaded(st, &(struct loaded_target){.service = service,
							    .position = said.position,
							    .chain = chain,
							    .target = t});
}

/* What a rule of a pool says: how many it took, and to which target. */
struct pool_rule {
	uint64_t packets;
	uint8_t constant[2][sizeof(struct in6_addr)];
	size_t len[2];
	size_t constants;
	const char *chain, *map, *helper;
};

static void read_expressions(struct pool_rule *out, const struct nlattr *list)
{
	struct nlattr *expr;

	mnl_attr_for_each_nested (expr, list) {
		const struct nlattr *data, *value;

		if (read_counter(expr, &out->packets))
			continue;
		data = read_expr(expr, "objref");
		if (data) {
			out->helper = attr_text(attr_in(data, NFTA_OBJREF_IMM_NAME));
			continue;
		}
		data = read_expr(expr, "lookup");
		if (data && attr_in(data, NFTA_LOOKUP_DREG)) {
			out->map = attr_text(attr_in(data, NFTA_LOOKUP_SET));
			continue;
		}
		data = attr_in(read_expr(expr, "immediate"), NFTA_IMMEDIATE_DATA);
		value = attr_in(data, NFTA_DATA_VALUE);
		if (value && out->constants < 2) {
			uint8_t *constant = out->constant[out->constants];

			out->len[out->constants++] =
				attr_copy(constant, sizeof(out->constant[0]), value);
		} else if (data && !value) {
			out->chain = read_goto(data);
		}
	}
}

static int read_pool_rule(struct rule_reader *r, const struct nlmsghdr *nlh)
{
	const struct nlattr *list = attr_of(nlh, NFTA_RULE_EXPRESSIONS);
	struct stored *stored = state_of(r->state, r->service);
	struct comment comment = read_comment(attr_of(nlh, NFTA_RULE_USERDATA));
	uint32_t index = (uint32_t)(r->service - r->state->table.services);
	struct target t = {.addr.family = r->service->key.local.family};
	struct pool_rule rule = {0};
	uint16_t port = 0;

	if (!list)
		return 0;
	read_expressions(&rule, list);
	stored->arrived += rule.packets;
	if (rule.helper && helper_named(rule.helper)) {
		r->service->helper = stored->helper = (uint8_t)helper_named(rule.helper)->helper;
		return 0;
	}
	if (rule.map) {
		stored->cascade = false;
		return add_old_map(r, rule.map);
	}
	if (rule.chain)
		return pool_target_parse(&t, &r->service->key, rule.chain)
			       ? add_target(r->state, index, t, true, comment)
			       : 0;
	if (!rule.constants || rule.len[0] != address_size(&t.addr))
		return 0;
	memcpy(&t.addr.in6, rule.constant[0], address_size(&t.addr));
	memcpy(&port, rule.constant[1], sizeof(port));
	t.port = ntohs(port);
	return add_target(r->state, index, t, false, comment);
}

/* The service whose chain this is, if it is being loaded. */
static struct service *service_of(struct state *st, enum family f, const char *chain)
{
	struct service *s;
	struct key key;

	if (!chain_name_parse(&key, f, chain))
		return NULL;
	s = table_get(&st->table, &key);
	return s && state_seen(st, s)->loading && state_seen(st, s)->chain ? s : NULL;
}

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	const char *chain = attr_text(attr_of(nlh, NFTA_RULE_CHAIN));
	struct rule_reader *r = arg;

	census_rule(&r->census, nlh);
	if (strcmp(chain, r->chain) != 0) {
		snprintf(r->chain, sizeof(r->chain), "%s", chain);
		r->service = service_of(r->state, r->family, chain);
		if (r->service)
			state_of(r->state, r->service)->cascade = true;
	}
	return r->service ? read_pool_rule(r, nlh) : 0;
}

struct map_reader {
	struct state *state;
	uint32_t service;
};

static int add_map_target(const struct element *e, void *arg)
{
	struct map_reader *r = arg;
	struct target t = {.addr.family = AF_INET}; /* 0.5.0 had no other */
	uint16_t port = 0;

	if (e->data_len != 4 && e->data_len != 8)
		return -EBADMSG;
	memcpy(&t.addr.in, e->data, 4);
	if (e->data_len == 8)
		memcpy(&port, e->data + 4, 2);
	t.port = ntohs(port);
	return add_target(r->state, r->service, t, false, e->comment);
}

static int read_old_map(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, add_map_target, arg);
}

static int load_old_maps(struct link *l, struct buf *b, struct rule_reader *r)
{
	int err = 0;

	for (size_t i = 0; !err && i < r->n; i++) {
		struct map_reader m = {.state = r->state, .service = r->maps[i].service};

		buf_reset(b);
		ask_elements(b, r->family, NLM_F_DUMP, r->maps[i].name);
		/* gone already: somebody changed it, and the generation will
		 * tell */
		err = ask_nothing_is_no_error(link_dump(l, b, read_old_map, &m));
	}
	return err;
}

static int by_position(const void *a, const void *b)
{
	const struct loaded_target *x = a, *y = b;

	if (x->service != y->service)
		return x->service < y->service ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* Two targets may be the same but for their places in the turn. */
static bool is_copy(const struct loaded_target *a, const struct loaded_target *b)
{
	return a->position == b->position && a->target.port == b->target.port &&
	       address_equal(&a->target.addr, &b->target.addr);
}

/* Gives services the targets from this one on. Others may have edited prefs:
 * what a schedule could not hold is drained. */
static int place_targets(struct state *st, size_t from)
{
	if (from == st->n_loaded)
		return 0;
	qsort(st->loaded + from, st->n_loaded - from, sizeof(*st->loaded), by_position);
	for (size_t i = from; i < st->n_loaded; i++) {
		struct loaded_target *l = &st->loaded[i];
		struct service *s = &st->table.services[l->service];
		struct stored *stored = &st->stored[l->service];

		/* a rule that somebody copied: one target, and written anew */
		if (stored->n_loaded && is_copy(&st->loaded[i - 1], l)) {
			stored->cascade = false;
			stored->n_loaded++;
			continue;
		}
		if (!stored->n_loaded++)
			stored->loaded = (uint32_t)i;
		if (service_period(s) + l->target.pref > UINT32_MAX)
			l->target.pref = l->target.left = 0;
		if (service_append(s, &l->target) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int load_chains(struct link *l, struct buf *b, struct state *st, enum family f,
		       const char *chain)
{
	struct rule_reader r = {.state = st, .family = f};
	size_t from = st->n_loaded;
	int err;

	ask_rules(b, f, chain);
	err = ask_nothing_is_no_error(link_dump(l, b, read_rule, &r));
	if (!err && r.census.n > CENSUS_FEW_RULES)
		err = census_rules_again(l, b, f, chain, &r.census);
	if (!err)
		err = load_old_maps(l, b, &r);
	free(r.maps);
	return err ? err : place_targets(st, from);
}

int load_pool(struct link *l, struct buf *b, struct state *st, const struct key *key)
{
	char chain[CHAIN_NAME_MAX];

	chain_name(chain, key);
	return load_chains(l, b, st, key_family(key), chain);
}

/*
 * Chain by chain: for each answer of a dump the kernel passes over all the
 * rules it has told before, so one dump of every rule takes the square of their
 * number.
 */
int load_pools(struct link *l, struct buf *b, struct state *st)
{
	int err = 0;

	for (size_t i = 0; !err && i < st->table.n && i < st->n_stored; i++)
		if (st->stored[i].loading && st->stored[i].chain)
			err = load_pool(l, b, st, &st->table.services[i].key);
	return err;
}
