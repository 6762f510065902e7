// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A service's chain as a kernel gets it, which is played here: numgen by numgen
 * its rules send every connection where the model does, what is read back goes
 * on where they are, and no step is one that a kernel would refuse.
 */
#include "pool.h"
#include "services.h"
#include "tap.h"

/* ---- a kernel ---- */

struct kernel_rule {
	struct rule rule;
	char to[CHAIN_NAME_MAX]; /* of its goto */
	char comment[COMMENT_MAX];
	uint64_t counter;
	uint64_t numgen; /* connections that it saw */
};

struct kernel_chain {
	char name[CHAIN_NAME_MAX];
	struct kernel_rule *rules;
	size_t n;
};

struct kernel {
	struct batch batch;
	struct kernel_chain *chains;
	size_t n;
	size_t refused; /* steps */
};

static struct kernel *kernel_of(struct batch *b)
{
	return (struct kernel *)(void *)b;
}

static struct kernel_chain *chain_find(struct kernel *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++)
		if (!strcmp(k->chains[i].name, name))
			return &k->chains[i];
	return NULL;
}

static void *grown(void *array, size_t n, size_t size)
{
	void *v = reallocarray(array, n + 1, size);

	if (!v)
		abort();
	memset((char *)v + n * size, 0, size);
	return v;
}

static void chain_add(struct batch *b, const char *name, const struct hook *hook)
{
	struct kernel *k = kernel_of(b);

	k->refused += hook != NULL || strlen(name) >= CHAIN_NAME_MAX - 1;
	if (chain_find(k, name))
		return;
	k->chains = grown(k->chains, k->n, sizeof(*k->chains));
	snprintf(k->chains[k->n++].name, CHAIN_NAME_MAX, "%s", name);
}

static void chain_flush(struct batch *b, const char *name)
{
	struct kernel_chain *c = chain_find(kernel_of(b), name);

	kernel_of(b)->refused += !c;
	if (!c)
		return;
	free(c->rules);
	c->rules = NULL;
	c->n = 0;
}

static bool referred_to(const struct kernel *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++)
		for (size_t j = 0; j < k->chains[i].n; j++)
			if (!strcmp(k->chains[i].rules[j].to, name))
				return true;
	return false;
}

static void chain_del(struct batch *b, const char *name)
{
	struct kernel *k = kernel_of(b);
	struct kernel_chain *c = chain_find(k, name);

	if (!c || c->n || referred_to(k, name)) {
		k->refused++;
		return;
	}
	*c = k->chains[--k->n];
}

static void rule_add_to(struct batch *b, const struct rule *r)
{
	struct kernel *k = kernel_of(b);
	struct kernel_chain *c = chain_find(k, r->chain);
	struct kernel_rule *rule;

	if (!c || r->first) {
		k->refused++;
		return;
	}
	c->rules = grown(c->rules, c->n, sizeof(*c->rules));
	rule = &c->rules[c->n++];
	rule->rule = *r;
	snprintf(rule->comment, sizeof(rule->comment), "%s", r->comment ? r->comment : "");
	for (struct statement *s = rule->rule.statement; s->type != STATEMENT_NONE; s++) {
		if (s->type != STATEMENT_GOTO)
			continue;
		snprintf(rule->to, sizeof(rule->to), "%s", s->name);
		k->refused += !chain_find(k, rule->to);
	}
}

/* A pool has nothing but chains and rules: any other step is a crash. */
static const struct batch_ops kernel_ops = {
	.chain_add = chain_add,
	.chain_flush = chain_flush,
	.chain_del = chain_del,
	.rule_add = rule_add_to,
};

static void kernel_free(struct kernel *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->chains[i].rules);
	free(k->chains);
	*k = (struct kernel){.batch.ops = &kernel_ops};
}

/* ---- packets ---- */

/* Whether a rule takes the next connection, and for how many the same is
 * true. */
static bool passes(const struct kernel_rule *r, const struct statement *s, uint8_t protocol,
		   uint64_t *run)
{
	uint64_t number, end;

	if (s->type == STATEMENT_TEST)
		return s->test == (protocol == IPPROTO_TCP ? TEST_TCP : TEST_UDP);
	if (s->type != STATEMENT_EVERY)
		return true;
	number = r->numgen % s->modulus;
	end = s->modulus;
	if (number < s->first)
		end = s->first;
	else if (number <= s->last && s->last < s->modulus)
		end = (uint64_t)s->last + 1;
	*run = end - number < *run ? end - number : *run;
	return number < s->first || number > s->last;
}

static bool takes(const struct kernel_rule *r, uint8_t protocol, uint64_t *run)
{
	for (const struct statement *s = r->rule.statement; s->type != STATEMENT_NONE; s++)
		if (!passes(r, s, protocol, run))
			return false;
	return true;
}

static const struct statement *statement_of(const struct kernel_rule *r, enum statement_type type)
{
	for (const struct statement *s = r->rule.statement; s->type != STATEMENT_NONE; s++)
		if (s->type == type)
			return s;
	return NULL;
}

/* The first rule of a chain that takes; NULL: none does. */
static struct kernel_rule *taker(struct kernel_chain *c, uint8_t protocol, uint64_t *run)
{
	for (size_t i = 0; c && i < c->n; i++)
		if (takes(&c->rules[i], protocol, run))
			return &c->rules[i];
	return NULL;
}

/* Where the next connections go, at most *run of them, and sends so many
 * there. */
static bool send_run(struct kernel *k, const struct key *key, uint8_t protocol, uint64_t *run,
		     struct statement *to)
{
	char name[CHAIN_NAME_MAX];
	struct kernel_chain *c;
	struct kernel_rule *r;
	const struct statement *dnat;

	chain_name(name, key);
	c = chain_find(k, name);
	r = taker(c, protocol, run);
	if (!r)
		return false;
	for (struct kernel_rule *before = c->rules; before <= r; before++)
		before->numgen += *run;
	if (statement_of(r, STATEMENT_COUNTER))
		r->counter += *run;
	if (*r->to) {
		uint64_t ever = UINT64_MAX;

		r = taker(chain_find(k, r->to), protocol, &ever);
	}
	dnat = r ? statement_of(r, STATEMENT_DNAT) : NULL;
	if (dnat)
		*to = *dnat;
	return dnat;
}

#define RUNS_MAX 3000

/* Sends connections to the kernel and to the model, at most so many at once and
 * RUNS_MAX times. Returns how many went elsewhere. */
static size_t send_all(struct kernel *k, struct service *model, uint64_t n, uint64_t most)
{
	size_t wrong = 0;

	for (size_t i = 0; n && !wrong && i < RUNS_MAX; i++) {
		uint8_t protocol = any(2) ? IPPROTO_TCP : IPPROTO_UDP;
		uint64_t run = n < most ? n : most;
		struct target head = *service_target(model, 0);
		struct statement to = {0};

		if (model->key.kind == MASQ_PORTFW)
			protocol = model->key.protocol;
		if (service_counts(model) && head.left < run)
			run = head.left;
		wrong += !send_run(k, &model->key, protocol, &run, &to) ||
			 !address_equal(&to.addr, &head.addr) || to.port != head.port;
		service_advance(model, run);
		n -= run;
	}
	return wrong;
}

/* ---- what stands ---- */

static void put_only(struct state *st, const struct service *model)
{
	struct service *s;

	state_free(st);
	s = table_put(&st->table, &model->key);
	if (!s || state_fit(st) < 0)
		abort();
	s->counts_alone = model->counts_alone;
}

/* The picture of a service as load_pools.c makes it from rules. False: there is
 * something that it could not read. */
static bool load(struct state *st, struct kernel *k, const struct service *model)
{
	struct loaded_target l = {0};
	char name[CHAIN_NAME_MAX];
	const struct kernel_chain *c;
	uint64_t arrived = 0;
	uint32_t position = 0;
	bool good = true;

	put_only(st, model);
	chain_name(name, &model->key);
	c = chain_find(k, name);
	while (c && good && ++position <= model->n) {
		size_t found = 0;

		for (size_t i = 0; i < c->n; i++) {
			const struct kernel_rule *r = &c->rules[i];
			const struct statement *dnat = statement_of(r, STATEMENT_DNAT);
			struct metadata m;

			metadata_parse(&m, r->comment, strlen(r->comment));
			arrived += position == 1 ? r->counter : 0;
			if (m.position != position)
				continue;
			found++;
			l = (struct loaded_target){.position = position, .chain = *r->to};
			l.target.addr.family = model->key.local.family;
			if (l.chain)
				good &= pool_target_parse(&l.target, &model->key, r->to);
			else
				l.target = (struct target){.addr = dnat->addr, .port = dnat->port};
			l.target.pref = m.pref;
			l.target.left = m.left;
			l.target.served = m.served;
		}
		good &= found == 1;
		if (state_add_loaded(st, &l) < 0 ||
		    service_append(&st->table.services[0], &l.target) < 0)
			abort();
	}
	if (c) {
		st->stored[0] =
			(struct stored){.chain = true, .cascade = true, .n_loaded = st->n_loaded};
		service_advance(&st->table.services[0], arrived);
	}
	return good;
}

static bool is_target_chain(struct kernel_chain *c, const struct service *s)
{
	struct target t = {.port = 0};
	bool ours = false;

	if (s->key.kind != MASQ_MFW || !pool_target_parse(&t, &s->key, c->name) || c->n != 2)
		return false;
	for (size_t i = 0; i < s->n; i++)
		ours |= service_target(s, i)->port == t.port &&
			address_equal(&service_target(s, i)->addr, &t.addr);
	for (int i = 0; i < 2; i++) {
		uint64_t run = 1;
		struct kernel_rule *r = taker(c, i ? IPPROTO_TCP : IPPROTO_UDP, &run);
		const struct statement *dnat = r ? statement_of(r, STATEMENT_DNAT) : NULL;

		ours &= dnat && dnat->port == t.port && address_equal(&dnat->addr, &t.addr);
	}
	return ours;
}

/* nft(8) takes a port only behind a test of the protocol; a listing counts by
 * counters; what is not there twice cannot be said twice. */
static bool is_pool_rule(const struct kernel_rule *r, const struct service *s)
{
	const struct statement *dnat = statement_of(r, STATEMENT_DNAT);
	const struct statement *every = statement_of(r, STATEMENT_EVERY);
	bool protocol = statement_of(r, STATEMENT_TEST);

	return statement_of(r, STATEMENT_COUNTER) && !dnat == (*r->to != '\0') &&
	       protocol == (s->key.kind == MASQ_PORTFW) && (!dnat || !dnat->port || protocol) &&
	       (!every || (every->modulus && every->first <= every->modulus));
}

/* Whether the kernel has this service's chains, as they should be, and no
 * other. */
static bool stands(struct kernel *k, const struct service *s)
{
	size_t pools = 0;

	for (size_t i = 0; i < k->n; i++) {
		struct kernel_chain *c = &k->chains[i];
		struct key key;

		if (!pool_owns(key_family(&s->key), c->name))
			return false;
		if (!chain_name_parse(&key, key_family(&s->key), c->name)) {
			if (!is_target_chain(c, s) || !referred_to(k, c->name))
				return false;
			continue;
		}
		pools++;
		if (!key_equal(&key, &s->key) || c->n < s->n || c->n > 2 * s->n)
			return false;
		for (size_t j = 0; j < c->n; j++)
			if (!is_pool_rule(&c->rules[j], s))
				return false;
	}
	return s->n > 1 ? pools == 1 : !k->n;
}

/* ---- commands ---- */

struct tally {
	size_t rounds, refused, untidy, wrong, lost;
	size_t once, drained, kept, twice, removed;
};

static void is_right(const struct tally *t)
{
	is_int((long long)t->refused, 0, "%zu pools: no step that a kernel would refuse",
	       t->rounds);
	is_int((long long)t->untidy, 0, "... with the chains they need and no other");
	is_int((long long)t->wrong, 0, "... every connection goes where the model sends it");
	is_int((long long)t->lost, 0, "... and what is read back is where the model is");
}

static struct service *only(struct state *st)
{
	return &st->table.services[0];
}

static void watch(struct tally *t, struct kernel *k, const struct state *st,
		  const struct service *s)
{
	bool once = false, drained = false, twice = false;

	for (size_t i = 0; i < k->n; i++)
		for (size_t j = 0; j < k->chains[i].n; j++)
			once |= !strncmp(k->chains[i].rules[j].comment, "turns", 5);
	for (size_t i = 0; i < s->n; i++) {
		drained |= !service_target(s, i)->pref;
		for (size_t j = 0; j < i; j++)
			twice |= address_equal(&service_target(s, i)->addr,
					       &service_target(s, j)->addr) &&
				 service_target(s, i)->port == service_target(s, j)->port;
	}
	t->once += once;
	t->drained += drained;
	t->twice += twice;
	t->kept += st->stored[0].n_loaded != 0;
	t->removed += st->stored[0].n_loaded && s->n < 2;
}

/* Writes a service as plan.c does, sends connections, and reads it back. */
static void play(struct tally *t, struct kernel *k, struct state *st, uint64_t n, uint64_t most)
{
	struct service *s = only(st), model = copy_of(s);
	size_t refused = k->refused;

	if (s->n > 1) {
		if (pool_write(&k->batch, st, s) < 0)
			abort();
		pool_write_end(&k->batch, st, s);
	} else if (st->stored[0].chain) {
		pool_remove(&k->batch, st, s);
	}
	t->rounds++;
	t->refused += k->refused != refused;
	t->untidy += !stands(k, s);
	watch(t, k, st, s);
	if (s->n > 1) {
		t->wrong += send_all(k, &model, n, most) > 0;
		t->lost += !load(st, k, &model) || !same(only(st), &model);
	} else {
		put_only(st, &model);
		for (size_t i = 0; i < model.n; i++)
			if (service_append(only(st), service_target(&model, i)) < 0)
				abort();
	}
	service_free(&model);
}

/* The nth host of a family. */
static struct masq_address host(int family, uint32_t n)
{
	struct masq_address six = {.family = AF_INET6, .in6.s6_addr = {0xfd}};

	if (family != AF_INET6)
		return address_v4(htonl(0x0a000000 + n));
	n = htonl(n);
	memcpy(&six.in6.s6_addr[12], &n, sizeof(n));
	return six;
}

/* A command that changes a service somehow. Few addresses, so that some are
 * there twice. */
static void change(struct service *s, uint32_t max_pref)
{
	struct masq_address addr = host(s->key.local.family, 1 + any(12));
	uint32_t pref = any(4) ? any(max_pref) : 0;

	if (s->n && any(3))
		addr = service_target(s, any((uint32_t)s->n))->addr;
	switch (s->n < 2 ? 0 : any(7)) {
	case 0:
	case 1:
	case 2:
		if (s->n < 8)
			service_insert(s, any(2), &addr, any(3) ? (uint16_t)(80 + any(2)) : 0,
				       pref);
		break;
	case 3:
		service_edit(s, &addr, any(2) ? 80 : 0, pref);
		break;
	case 4:
		service_delete(s, &addr, any(2) ? 80 : 0);
		break;
	case 5:
		service_end_turn(s);
		break;
	default:
		service_advance(s, any(max_pref + 2));
	}
}

static struct service any_key_service(void)
{
	struct service s = any(2) ? mfw_service() : portfw_service();

	if (s.key.kind == MASQ_MFW) {
		s.key.mark = any(4) ? 1 + any(9) : UINT32_MAX;
	} else {
		s.key.protocol = any(2) ? IPPROTO_TCP : IPPROTO_UDP;
		s.key.local = address_v4(any(2) ? any(UINT32_MAX) : 0);
	}
	if (any(2)) {
		bool none = address_is_any(&s.key.local);

		s.key.local = none ? (struct masq_address){.family = AF_INET6}
				   : host(AF_INET6, s.key.local.in.s_addr);
	}
	return s;
}

static void commands(void)
{
	const size_t services = 800, rounds = 8;
	struct tally t = {0};

	for (size_t i = 0; i < services; i++) {
		struct service first = any_key_service();
		struct kernel k = {.batch.ops = &kernel_ops};
		struct state st = {0};
		uint32_t max_pref = 1 + any(9);

		put_only(&st, &first);
		for (size_t j = 0; j < rounds; j++) {
			for (uint32_t c = 1 + any(4); c; c--)
				change(only(&st), max_pref);
			play(&t, &k, &st, any((uint32_t)service_period(only(&st)) * 3 + 10), 1);
		}
		/* and then everything goes */
		only(&st)->n = 0;
		play(&t, &k, &st, 0, 1);
		state_free(&st);
		kernel_free(&k);
	}
	is_right(&t);
	ok(t.once > t.rounds / 50, "... %zu with several turns begun", t.once);
	ok(t.drained > t.rounds / 50, "... %zu with drained targets", t.drained);
	ok(t.twice > t.rounds / 50, "... %zu with the same target twice", t.twice);
	ok(t.kept > t.rounds / 10, "... %zu that were pools before", t.kept);
	ok(t.removed > t.rounds / 100, "... and %zu that are none any more", t.removed);
}

/* One service in one state, from its first rules on. */
static void play_one(struct tally *t, const struct service *s, uint64_t n, uint64_t most)
{
	struct kernel k = {.batch.ops = &kernel_ops};
	struct state st = {0};

	put_only(&st, s);
	for (size_t i = 0; i < s->n; i++)
		if (service_append(only(&st), service_target(s, i)) < 0)
			abort();
	play(t, &k, &st, n, most);
	play(t, &k, &st, n, most); /* the same again, from where it is */
	state_free(&st);
	kernel_free(&k);
}

static void add_targets(struct service *s, size_t n, uint32_t most_pref)
{
	for (size_t i = 0; i < n; i++) {
		struct masq_address addr = host(s->key.local.family, 1 + (uint32_t)i);

		if (service_insert(s, any(2), &addr, any(3) ? 80 : 0,
				   any(9) ? 1 + any(most_pref) : 0) < 0)
			abort();
		if (!any(3))
			service_advance(s, any(2 * most_pref));
	}
}

/* As many targets as anyone may have, every connection by itself. */
static void many_targets(void)
{
	static const size_t sizes[] = {2, 3, 4, 16, 17, 64, 100, 255, 256, 257, 300};
	struct tally t = {0};

	for (size_t i = 0; i < 4 * sizeof(sizes) / sizeof(*sizes); i++) {
		struct service s = any_key_service();

		add_targets(&s, sizes[i / 4], 1 + any(4));
		play_one(&t, &s, 2 * service_period(&s) + any(50), 1);
		service_free(&s);
	}
	is_right(&t);
	ok(t.once > 5, "... of up to 300 targets, %zu with several turns begun", t.once);
}

static uint32_t any_pref(uint64_t room)
{
	static const uint32_t prefs[] = {0, 1, 2, 3, 10, 65535, 65536, INT32_MAX - 1, INT32_MAX};
	uint32_t i = any(sizeof(prefs) / sizeof(*prefs) + 2);
	uint32_t pref = i < sizeof(prefs) / sizeof(*prefs) ? prefs[i] : any(INT32_MAX);

	if (i == sizeof(prefs) / sizeof(*prefs))
		pref = INT32_MAX;
	return pref < room ? pref : (uint32_t)room;
}

/* Prefs up to where a service is full: numgen's modulus has 32 bits. What is
 * left of turns comes again after as many connections, so fewer come here. */
static void large_prefs(void)
{
	const size_t tried = 500;
	struct tally t = {0};
	size_t full = 0;

	for (size_t i = 0; i < tried; i++) {
		struct service s = any_key_service();

		for (uint32_t n = 2 + any(6); n; n--) {
			struct masq_address addr = host(s.key.local.family, n);

			if (service_insert(&s, any(2), &addr, any(2) ? 80 : 0,
					   any_pref(UINT32_MAX - service_period(&s))) < 0)
				abort();
			if (!any(3))
				service_advance(&s, any(2) ? any(INT32_MAX) : 1 + any(100));
		}
		full += service_period(&s) == UINT32_MAX;
		play_one(&t, &s, UINT32_MAX - 1, 1 + any(UINT32_MAX - 1) / (1 + any(50)));
		service_free(&s);
	}
	is_right(&t);
	ok(t.once > tried / 50, "... with prefs up to 2^32 - 1 in all, %zu with turns begun",
	   t.once);
	ok(full > tried / 100, "... %zu of them full", full);
}

/* ---- names ---- */

static void is_rule(struct kernel_rule *r, enum statement_type type, const char *to,
		    const char *comment)
{
	ok(statement_of(r, type) != NULL, "a rule of its kind");
	is_str(r->to, to, "... goes to \"%s\"", to);
	is_str(r->comment, comment, "... \"%s\"", comment);
}

/* As it stands in pool.h. */
static void example(void)
{
	struct service first = mfw_service();
	struct masq_address a = address_v4(htonl(0x0a000002)), b = address_v4(htonl(0x0a000003));
	struct kernel k = {.batch.ops = &kernel_ops};
	struct kernel_chain *c;
	struct state st = {0};

	first.key.mark = 7;
	put_only(&st, &first);
	service_insert(only(&st), false, &a, 80, 1);
	service_insert(only(&st), false, &b, 0, 10);
	is_int(pool_write(&k.batch, &st, only(&st)), 0, "a mark, to a port and the packet's own");
	is_int((long long)k.n, 2, "... its chain, and one of the target that has a port");
	c = chain_find(&k, "mark-7");
	ok(c && c->n == 2, "mark-7");
	if (c && c->n == 2) {
		is_rule(&c->rules[0], STATEMENT_EVERY, "mark-7-to-10.0.0.2-80", "target 1 pref 1");
		is_rule(&c->rules[1], STATEMENT_DNAT, "", "target 2");
	}
	ok(chain_find(&k, "mark-7-to-10.0.0.2-80"), "mark-7-to-10.0.0.2-80");
	state_free(&st);
	kernel_free(&k);
}

static void target_names(void)
{
	static const char *const junk[] = {
		"",
		"mark-7",
		"mark-7-to-",
		"mark-7-to-10.0.0.2",
		"mark-7-to-10.0.0.2-",
		"mark-7-to-10.0.0.2-0",
		"mark-7-to-10.0.0.2-080",
		"mark-7-to-10.0.0.2-65536",
		"mark-7-to-10.0.0.2-65616",
		"mark-7-to-10.0.0.2-80x",
		"mark-7-to-10.0.0.2-80-80",
		"mark-7-to-10.0.0.002-80",
		"mark-7-to-10.0.0-80",
		"mark-7-to-any-80",
		"mark-07-to-10.0.0.2-80",
		"mark-4294967303-to-10.0.0.2-80",
		"mark--1-to-10.0.0.2-80",
		"mark-8-to-10.0.0.2-80x",
		"mark- 7-to-10.0.0.2-80",
		"mark-7-to-10.0.0.2- 80",
		"mark-7-by-10.0.0.2-80",
		"tcp-any-80-to-10.0.0.2-80",
		"udp-6970-7170-by-tcp-7070",
		"\xff\xfe",
	};
	static const char *const longest = "mark-4294967295-to-255.255.255.255-65535";
	struct key key = {.kind = MASQ_MFW, .mark = UINT32_MAX, .local.family = AF_INET},
		   other = key;
	struct key portfw = {.kind = MASQ_PORTFW, .protocol = IPPROTO_TCP, .port = 80};
	struct target t = {.port = 0};

	ok(pool_target_parse(&t, &key, longest) && t.port == 65535 &&
		   t.addr.in.s_addr == UINT32_MAX && t.addr.family == AF_INET,
	   "the chain of a target, at its longest");
	ok(pool_owns(FAMILY_IPV4, longest) && pool_owns(FAMILY_IPV4, "mark-7") &&
		   pool_owns(FAMILY_IPV4, "tcp-any-80"),
	   "... is ours");
	other.mark--;
	ok(!pool_target_parse(&t, &other, longest), "... of this mark only");
	ok(!pool_target_parse(&t, &portfw, longest), "... of a mark only");
	key.mark = 7;
	for (size_t i = 0; i < sizeof(junk) / sizeof(*junk); i++) {
		ok(!pool_target_parse(&t, &key, junk[i]), "none: \"%s\"", junk[i]);
		ok(!pool_owns(FAMILY_IPV4, junk[i]) || !strcmp(junk[i], "mark-7"),
		   "... and not ours");
	}
}

int main(void)
{
	example();
	target_names();
	commands();
	many_targets();
	large_prefs();
	return done_testing();
}
