// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "nftload.h"
#include "nftread.h"

static struct nlmsghdr *ask_elements(struct nftbuf *b, uint16_t flags, const char *set)
{
	struct nlmsghdr *nlh;

	nftbuf_reset(b);
	nlh = nftbuf_msg(b, NFT_MSG_GETSETELEM, flags);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	return nlh;
}

static int nothing_is_no_error(int err)
{
	return err == -ENOENT ? 0 : err;
}

/*
 * A dump that takes more than one message goes on by counting, and counts what is not in force as
 * well. So a transaction that somebody prepares and takes back (nft --check; a map that was full)
 * makes it tell things twice or not at all, while the generation stays what it is (measured on
 * 6.18). What was told is counted, to be held against what there is.
 */
struct census {
	size_t messages, n;
	uint64_t sum; /* of all, in order */
};

static void add_up(struct census *c, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--) /* FNV-1a */
		c->sum = (c->sum ^ *p++) * 0x100000001b3u;
}

static int count_element(const struct element *e, void *arg)
{
	struct census *c = arg;

	c->n++;
	add_up(c, e->key, e->key_len);
	return 0;
}

static int count_elements(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, count_element, arg);
}

/* So many rules of ours are told at once: none takes 700 bytes, and what comes first has 3.5 KiB.
 */
#define FEW_RULES 4

/* A rule's chain and handle. */
static int count_rule(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *chain = attr_of(nlh, NFTA_RULE_CHAIN);
	const struct nlattr *handle = attr_of(nlh, NFTA_RULE_HANDLE);
	struct census *c = arg;

	c->n++;
	if (chain)
		add_up(c, mnl_attr_get_payload(chain), mnl_attr_get_payload_len(chain));
	if (handle)
		add_up(c, mnl_attr_get_payload(handle), mnl_attr_get_payload_len(handle));
	return 0;
}

/* The same dump once more; -EINTR if it tells something else. */
static int count_again(struct nftlink *l, struct nftbuf *b, nftlink_fn *fn,
		       const struct census *first)
{
	struct census again = {0};
	int err = nftlink_dump(l, b, fn, &again);

	if (err)
		return err == -ENOENT ? -EINTR : err; /* gone meanwhile */
	return again.sum == first->sum && again.n == first->n ? 0 : -EINTR;
}

/* What reading one of our maps needs. */
struct map_reader {
	struct census census;
	struct table *table;
	enum map map;
	bool fresh;   /* no service is there that an element could belong to */
	size_t pools; /* services seen that have a chain */
};

/* What is not is somebody else's: no command could name it. */
static bool key_possible(const struct key *key, enum map map)
{
	if (key->module == MOD_MFW)
		return key->mark;
	return key->lport && (key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP) &&
	       map_takes(map, key);
}

static int add_element(const struct element *e, void *arg)
{
	struct map_reader *r = arg;
	const struct map_def *def = &map_defs[r->map];
	struct target t = {0};
	struct service *s;
	struct facts f;
	struct key key;

	count_element(e, &r->census);
	if (e->key_len != def->key_len || e->data_len != def->data_len)
		return -EBADMSG;
	map_key_parse(&key, r->map, e->key);
	if (!key_possible(&key, r->map))
		return 0;
	s = r->fresh ? table_add(r->table, &key) : table_put(r->table, &key);
	if (!s)
		return -ENOMEM;
	if (s->stored != MAP_NONE)
		return 0;
	facts_parse(&f, e->comment.text, e->comment.len);
	s->stored = (uint8_t)r->map;
	s->loading = true;
	s->born = s->stored_born = f.seq;
	if (def->pool) {
		r->pools++;
		return 0;
	}
	memcpy(&t.addr, e->data, 4);
	if (e->data_len == 8)
		memcpy(&t.port, e->data + 4, 2);
	t.pref = f.pref;
	t.left = f.left;
	if (!t.pref && key.module == MOD_PORTFW) /* there is no such thing; by nft(8), then */
		t.pref = t.left = 1;
	t.served = f.served;
	s->arrived = e->packets;
	return service_append(s, &t);
}

static int read_map(const struct nlmsghdr *nlh, void *arg)
{
	struct map_reader *r = arg;

	r->census.messages++;
	return read_elements(nlh, add_element, arg);
}

/* A lookup in a set whose elements are a service's targets. */
struct pool_set {
	struct service *service;
	char name[NFT_SET_MAXNAMELEN];
};

struct rule_reader {
	struct census census;
	struct table *table;
	enum module module;
	struct pool_set *sets;
	size_t n, cap;
};

static int add_pool_set(struct rule_reader *r, struct service *s, const struct nlattr *name)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 16;
		struct pool_set *v = reallocarray(r->sets, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		r->sets = v;
		r->cap = cap;
	}
	r->sets[r->n].service = s;
	snprintf(r->sets[r->n].name, sizeof(r->sets[r->n].name), "%.*s",
		 (int)mnl_attr_get_payload_len(name), mnl_attr_get_str(name));
	r->n++;
	return 0;
}

/* Appends a target that a comment describes; one without a position is no target. */
static int add_target(struct service *s, uint32_t addr, uint16_t port, struct comment comment,
		      bool drained)
{
	struct facts f;

	facts_parse(&f, comment.text, comment.len);
	if (!f.position)
		return 0;
	return service_append(s, &(struct target){
					 .addr = addr,
					 .port = port,
					 .pref = drained ? 0 : f.pref,
					 .left = drained ? 0 : f.left,
					 .served = f.served,
					 .position = f.position,
				 });
}

/* A rule of a pool is a schedule: numgen maps; or a drained target: two constants. The counter
 * stands in the first. */
static int read_pool_rule(struct rule_reader *r, struct service *s, const struct nlmsghdr *nlh)
{
	const struct nlattr *list = attr_of(nlh, NFTA_RULE_EXPRESSIONS), *data, *value;
	struct nlattr *expr;
	const struct nlattr *udata = attr_of(nlh, NFTA_RULE_USERDATA);
	uint8_t constant[2][4] = {{0}};
	size_t constants = 0;
	uint32_t addr;
	uint16_t port;

	if (!list)
		return 0;
	mnl_attr_for_each_nested (expr, list) {
		if (!s->counted)
			s->counted = read_counter(expr, &s->arrived);
		data = read_expr(expr, "lookup");
		if (data && attr_in(data, NFTA_LOOKUP_DREG) && attr_in(data, NFTA_LOOKUP_SET) &&
		    add_pool_set(r, s, attr_in(data, NFTA_LOOKUP_SET)) < 0)
			return -ENOMEM;
		data = read_expr(expr, "immediate");
		data = data ? attr_in(data, NFTA_IMMEDIATE_DATA) : NULL;
		value = data ? attr_in(data, NFTA_DATA_VALUE) : NULL;
		if (value && constants < 2)
			attr_copy(constant[constants++], 4, value);
	}
	if (!constants || !udata)
		return 0;
	memcpy(&addr, constant[0], sizeof(addr));
	memcpy(&port, constant[1], sizeof(port));
	return add_target(s, addr, port, read_comment(udata), true);
}

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *chain = attr_of(nlh, NFTA_RULE_CHAIN);
	struct rule_reader *r = arg;
	struct service *s;
	struct key key;

	if (!chain || mnl_attr_validate(chain, MNL_TYPE_NUL_STRING) < 0)
		return -EBADMSG;
	count_rule(nlh, &r->census);
	if (!chain_name_parse(&key, mnl_attr_get_str(chain)) || key.module != r->module)
		return 0;
	s = table_get(r->table, &key);
	return s && s->loading && map_defs[s->stored].pool ? read_pool_rule(r, s, nlh) : 0;
}

static int add_pool_target(const struct element *e, void *arg)
{
	struct service *s = arg;
	uint16_t port = 0;
	uint32_t addr;

	if (e->data_len != 4 && e->data_len != 8)
		return -EBADMSG;
	memcpy(&addr, e->data, 4);
	if (e->data_len == 8)
		memcpy(&port, e->data + 4, 2);
	return add_target(s, addr, port, e->comment, false);
}

static int read_pool_set(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, add_pool_target, arg);
}

static int by_position(const void *a, const void *b)
{
	uint32_t x = ((const struct target *)a)->position;
	uint32_t y = ((const struct target *)b)->position;

	return (x > y) - (x < y);
}

static void bring_up_to_date(struct service *s)
{
	if (!s->loading)
		return;
	s->loading = false;
	if (s->n > 1)
		qsort(s->targets, s->n, sizeof(*s->targets), by_position);
	service_advance(s, s->arrived);
	s->arrived = 0;
}

static void ask_rules(struct nftbuf *b, const char *chain)
{
	struct nlmsghdr *nlh;

	nftbuf_reset(b);
	nlh = nftbuf_msg(b, NFT_MSG_GETRULE, NLM_F_DUMP);
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_TABLE);
	if (chain)
		mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
}

/* Reads the chains of the pools: of one, or of a whole module (chain NULL). */
static int load_pools(struct nftlink *l, struct nftbuf *b, struct table *t, enum module mod,
		      const char *chain)
{
	struct rule_reader r = {.table = t, .module = mod};
	int err;

	ask_rules(b, chain);
	err = nothing_is_no_error(nftlink_dump(l, b, read_rule, &r));
	ask_rules(b, chain);
	if (!err && r.census.n > FEW_RULES)
		err = count_again(l, b, count_rule, &r.census);
	for (size_t i = 0; !err && i < r.n; i++) {
		ask_elements(b, NLM_F_DUMP, r.sets[i].name);
		/* gone already: somebody changed it, and the generation will tell */
		err = nothing_is_no_error(nftlink_dump(l, b, read_pool_set, r.sets[i].service));
	}
	free(r.sets);
	return err;
}

int load_service(struct nftlink *l, struct nftbuf *b, struct table *t, const struct key *key)
{
	struct service *s = table_put(t, key);
	int err = 0;

	if (!s)
		return -ENOMEM;
	for (int map = 1; !err && s->stored == MAP_NONE && map < MAP_COUNT; map++) {
		struct map_reader r = {.table = t, .map = (enum map)map};
		struct nlattr *list, *elem, *k;
		uint8_t bytes[MAP_KEY_MAX];
		struct nlmsghdr *nlh;

		if (!map_takes(r.map, key))
			continue;
		map_key(bytes, r.map, key);
		nlh = ask_elements(b, 0, map_defs[map].name);
		list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
		elem = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
		k = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
		mnl_attr_put(nlh, NFTA_DATA_VALUE, map_defs[map].key_len, bytes);
		mnl_attr_nest_end(nlh, k);
		mnl_attr_nest_end(nlh, elem);
		mnl_attr_nest_end(nlh, list);
		err = nothing_is_no_error(nftlink_get(l, b, read_map, &r));
		if (err == -EINVAL) /* keys of another length */
			err = -EBADMSG;
		if (!err && r.pools) {
			char chain[CHAIN_NAME_MAX];

			chain_name(chain, key);
			err = load_pools(l, b, t, (enum module)key->module, chain);
		}
	}
	if (!err)
		bring_up_to_date(s);
	return err;
}

/* NFTA_SET_COUNT, which older headers and kernels have not (6.18 has, 6.1 not). */
#define SET_COUNT 20

struct capacity {
	uint32_t size; /* 0: any */
	bool counted;
	uint32_t count; /* of its elements, also of those not in force */
};

static int read_capacity(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *desc = attr_of(nlh, NFTA_SET_DESC);
	const struct nlattr *size = desc ? attr_in(desc, NFTA_SET_DESC_SIZE) : NULL;
	const struct nlattr *count = attr_of(nlh, SET_COUNT);

	*(struct capacity *)arg = (struct capacity){
		.size = size ? attr_be32(size) : 0,
		.counted = count,
		.count = count ? attr_be32(count) : 0,
	};
	return 0;
}

static int load_capacity(struct nftlink *l, struct nftbuf *b, enum map map, struct capacity *c)
{
	struct nlmsghdr *nlh;

	nftbuf_reset(b);
	nlh = nftbuf_msg(b, NFT_MSG_GETSET, 0);
	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_NAME, map_defs[map].name);
	*c = (struct capacity){0};
	return nothing_is_no_error(nftlink_get(l, b, read_capacity, c));
}

int load_map_size(struct nftlink *l, struct nftbuf *b, enum map map, uint32_t *size)
{
	struct capacity c;
	int err = load_capacity(l, b, map, &c);

	*size = c.size;
	return err;
}

/* The kernel knows how many elements it has, or has to tell them again. */
static int load_map(struct nftlink *l, struct nftbuf *b, struct map_reader *r)
{
	struct capacity c;
	int err;

	ask_elements(b, NLM_F_DUMP, map_defs[r->map].name);
	err = nothing_is_no_error(nftlink_dump(l, b, read_map, r));
	if (err || r->census.messages < 2)
		return err;
	err = load_capacity(l, b, r->map, &c);
	if (err || (c.counted && c.count == r->census.n))
		return err;
	ask_elements(b, NLM_F_DUMP, map_defs[r->map].name);
	return count_again(l, b, count_elements, &r->census);
}

static int load_services(struct nftlink *l, struct nftbuf *b, struct table *t, enum module mod)
{
	size_t pools = 0;
	int err = 0;

	for (int map = 1; !err && map < MAP_COUNT; map++) {
		struct map_reader r = {.table = t, .map = (enum map)map};

		if (map_defs[map].module != mod)
			continue;
		r.fresh = !t->n;
		err = load_map(l, b, &r);
		pools += r.pools;
	}
	if (!err && pools)
		err = load_pools(l, b, t, mod, NULL);
	for (size_t i = 0; !err && i < t->n; i++)
		if (t->services[i]->key.module == mod)
			bring_up_to_date(t->services[i]);
	return err;
}

static int see_rule(const struct nlmsghdr *nlh __attribute__((unused)), void *arg)
{
	*(bool *)arg = true;
	return 0;
}

/* Not by the chain's use count, which a transaction moves before it is in force. */
int load_chain(struct nftlink *l, struct nftbuf *b, const char *chain, bool *there)
{
	*there = false;
	ask_rules(b, chain);
	return nothing_is_no_error(nftlink_dump(l, b, see_rule, there));
}

struct remains_reader {
	struct census census;
	struct table *table;
	enum map map;
	bool remains;
};

static int see_element(const struct element *e, void *arg)
{
	struct remains_reader *r = arg;
	const struct service *s;
	struct key key;

	count_element(e, &r->census);
	if (e->key_len != map_defs[r->map].key_len)
		return -EBADMSG;
	map_key_parse(&key, r->map, e->key);
	s = table_get(r->table, &key);
	r->remains |= !s || !s->dirty;
	return 0;
}

static int read_remains(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, see_element, arg);
}

int load_remains(struct nftlink *l, struct nftbuf *b, struct table *t, enum map map, bool *remains)
{
	struct remains_reader r = {.table = t, .map = map};
	int err;

	/* Nearly always one look at the first elements settles it; only all of them prove the
	 * contrary. */
	ask_elements(b, NLM_F_DUMP, map_defs[map].name);
	err = nothing_is_no_error(nftlink_glance(l, b, read_remains, &r));
	if (!err && !r.remains) {
		r.census = (struct census){0};
		ask_elements(b, NLM_F_DUMP, map_defs[map].name);
		err = nothing_is_no_error(nftlink_dump(l, b, read_remains, &r));
		ask_elements(b, NLM_F_DUMP, map_defs[map].name);
		if (!err && r.census.n)
			err = count_again(l, b, count_elements, &r.census);
	}
	*remains = r.remains;
	return err;
}

struct entry_reader {
	struct census census;
	struct table *table;
};

/* autofw: the entries are rules, in order; a triggered one has a second, in the trigger's chain. */
static int read_entry_rule(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *chain = attr_of(nlh, NFTA_RULE_CHAIN);
	const struct nlattr *udata = attr_of(nlh, NFTA_RULE_USERDATA);
	const struct nlattr *handle = attr_of(nlh, NFTA_RULE_HANDLE);
	const struct nlattr *list = attr_of(nlh, NFTA_RULE_EXPRESSIONS);
	struct entry_reader *r = arg;
	struct table *t = r->table;
	struct nlattr *expr;
	struct comment comment;
	struct entry e = {0};

	count_rule(nlh, &r->census);
	if (!chain || !udata || !handle || !list ||
	    mnl_attr_validate(chain, MNL_TYPE_NUL_STRING) < 0 ||
	    strncmp(mnl_attr_get_str(chain), "autofw", 6) != 0)
		return 0;
	comment = read_comment(udata);
	if (!entry_parse(&e.user, comment.text, comment.len))
		return 0;
	e.handle = attr_be64(handle);
	if (attr_is(chain, CHAIN_TRIGGER)) {
		e.trigger_handle = e.handle;
		e.handle = 0;
	}
	mnl_attr_for_each_nested (expr, list)
		read_counter(expr, &e.served);
	for (size_t i = 0; i < t->n_entries; i++) {
		struct entry *old = &t->entries[i];

		if (!autofw_same(&old->user, &e.user) || old->user.flags != e.user.flags)
			continue;
		old->handle += e.handle;
		old->trigger_handle += e.trigger_handle;
		old->served += e.served;
		return 0;
	}
	return autofw_insert(t, false, &e);
}

static int load_entries(struct nftlink *l, struct nftbuf *b, struct table *t)
{
	static const char *const chains[] = {CHAIN_RANGE, CHAIN_PORT, CHAIN_DIRECT, CHAIN_TRIGGER};
	int err = 0;

	/* Chain by chain: thousands of pools may have rules, too. */
	for (size_t i = 0; !err && i < sizeof(chains) / sizeof(chains[0]); i++) {
		struct entry_reader r = {.table = t};

		ask_rules(b, chains[i]);
		err = nothing_is_no_error(nftlink_dump(l, b, read_entry_rule, &r));
		ask_rules(b, chains[i]);
		if (!err && r.census.n > FEW_RULES)
			err = count_again(l, b, count_rule, &r.census);
	}
	return err;
}

int load_module(struct nftlink *l, struct nftbuf *b, struct table *t, enum module mod)
{
	int err = 0;

	if (!t->complete[mod])
		err = mod == MOD_AUTOFW ? load_entries(l, b, t) : load_services(l, b, t, mod);
	t->complete[mod] = !err;
	return err;
}

struct receiver_reader {
	struct records *out;
	const struct ip_autofw_user *user;
};

static int add_receiver(const struct element *e, void *arg)
{
	const struct receiver_reader *r = arg;
	struct masq_record record = {.kind = MASQ_RECEIVER, .autofw = *r->user};

	if (e->data_len != 4)
		return -EBADMSG;
	memcpy(&record.raddr, e->data, 4);
	if (e->key_len == 4 && (r->user->flags & IP_AUTOFW_SECURE))
		memcpy(&record.laddr, e->key, 4);
	record.seconds = (uint32_t)((e->expires + 999) / 1000);
	return records_add(r->out, &record);
}

static int read_receivers(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, add_receiver, arg);
}

int load_receivers(struct nftlink *l, struct nftbuf *b, const struct ip_autofw_user *user,
		   struct records *out)
{
	struct receiver_reader r = {.out = out, .user = user};
	char name[CHAIN_NAME_MAX];

	contact_name(name, user);
	ask_elements(b, NLM_F_DUMP, name);
	return nothing_is_no_error(nftlink_dump(l, b, read_receivers, &r));
}
