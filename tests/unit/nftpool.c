// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A service as the rules that the kernel gets: numgen by numgen they send every connection where
 * the model does, and what is read back goes on where they are.
 */
#include <arpa/inet.h>

#include "nftemit.h"
#include "tap.h"

static uint64_t seed = 88172645463325252u;

static uint32_t any(uint32_t below)
{
	seed ^= seed << 13; /* xorshift64, Marsaglia 2003 */
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

/* A service of several targets, with and without ports, somewhere in its turns. */
static struct service any_service(uint32_t max_pref)
{
	struct service s = {.key = {.module = any(2) ? MOD_MFW : MOD_PORTFW}};
	uint32_t next = 0x0a000001, ops = 1 + any(20);

	while (ops || s.n < 2) {
		ops -= ops > 0;
		switch (s.n ? any(7) : 0) {
		case 0:
		case 1:
			if (service_insert(&s, any(2), htonl(next++), any(2) ? htons(80) : 0,
					   any(4) ? any(max_pref) : 0) < 0)
				abort();
			break;
		case 2:
			service_edit(&s, s.targets[any((uint32_t)s.n)].addr, 0, any(max_pref));
			break;
		case 3:
			service_delete(&s, s.targets[any((uint32_t)s.n)].addr, 0);
			break;
		case 4:
			service_end_turn(&s);
			break;
		default:
			service_advance(&s, any(max_pref + 2));
		}
	}
	return s;
}

/* What the kernel has of a service: its rules, and for each what numgen gives next. */
struct pool {
	const struct service *service;
	struct schedule schedule;
	struct pool_rule rules[POOL_RULES_MAX];
	uint32_t next[POOL_RULES_MAX];
	size_t n;
	uint64_t counter;
};

static struct pool pool_of(const struct service *s)
{
	struct pool p = {.service = s};

	if (schedule_make(&p.schedule, s) < 0)
		abort();
	p.n = pool_rules(p.rules, s, &p.schedule);
	return p;
}

/* The target that a rule's map has for this number; SIZE_MAX: none. */
static size_t look_up(const struct pool *p, const struct pool_rule *rule, uint32_t number)
{
	struct pool_cursor c = {0};
	const struct run *run;
	uint32_t from, to;

	while (pool_next(&c, rule, p->service, &run, &from, &to))
		if (from <= number && number < to)
			return run->target;
	return SIZE_MAX;
}

/* Where a connection goes: to the first rule's target that has one. */
static size_t connection(struct pool *p)
{
	for (size_t i = 0; i < p->n; i++) {
		uint32_t number = p->next[i];
		size_t target;

		p->counter += p->rules[i].counts;
		p->next[i] = (number + 1) % p->rules[i].modulus;
		target = look_up(p, &p->rules[i], number);
		if (target != SIZE_MAX)
			return target;
	}
	/* then come the drained ones, of which the first counts if nobody did */
	p->counter += !p->n;
	return 0;
}

/* Positions that an interval map takes: ascending, apart, below the modulus. The comments of a
 * rule's targets, counted by target. */
static bool well_formed(const struct pool *p, const struct pool_rule *rule, uint8_t *told)
{
	struct pool_cursor c = {0};
	const struct run *run;
	uint32_t from, to, end = 0;
	bool good = true, some = false;

	while (pool_next(&c, rule, p->service, &run, &from, &to)) {
		const struct target *t = &p->service->targets[run->target];

		good &= from >= end && to > from && to - from == run->length &&
			to <= rule->modulus && (t->port == 0) == rule->keep_port;
		told[run->target] += pool_tells(rule, run);
		end = to;
		some = true;
	}
	return good && some;
}

/* The service as it is read back from comments and a counter. */
static struct service read_back(const struct pool *p)
{
	struct service s = {.key = p->service->key};

	for (size_t i = 0; i < p->service->n; i++) {
		const struct target *t = &p->service->targets[i];
		struct facts f = facts_of_target(p->service, i);
		char text[COMMENT_MAX];

		facts_text(text, &f);
		facts_parse(&f, text, sizeof(text));
		if (f.position != i + 1 ||
		    service_append(&s, &(struct target){.addr = t->addr,
							.port = t->port,
							.pref = f.pref,
							.left = f.left,
							.served = f.served}) < 0)
			abort();
	}
	service_advance(&s, p->counter);
	return s;
}

static bool same(const struct service *a, const struct service *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct target *x = &a->targets[i], *y = &b->targets[i];

		if (x->addr != y->addr || x->port != y->port || x->pref != y->pref ||
		    x->left != y->left || x->served != y->served)
			return false;
	}
	return true;
}

static void pools(void)
{
	size_t tried = 5000, wrong = 0, broken = 0, untold = 0, lost = 0, mixed = 0, four = 0;

	for (size_t i = 0; i < tried; i++) {
		struct service s = any_service(1 + any(9)), model = {.key = s.key}, back;
		struct pool p = pool_of(&s);
		uint64_t n = any((uint32_t)service_period(&s) * 3 + 10);
		uint8_t *told = calloc(s.n, 1);

		for (size_t j = 0; j < s.n; j++)
			if (!told || service_append(&model, &s.targets[j]) < 0)
				abort();
		for (size_t j = 0; j < p.n; j++) {
			broken += !well_formed(&p, &p.rules[j], told);
			broken += p.rules[j].counts != (j == 0);
		}
		for (size_t j = 0; j < s.n; j++)
			untold += told[j] != (s.targets[j].pref != 0);
		for (uint64_t j = 0; j < n; j++) {
			wrong += s.targets[connection(&p)].addr != model.targets[0].addr;
			service_advance(&model, 1);
		}
		back = read_back(&p);
		lost += !same(&back, &model);
		mixed += p.n >= 2 && p.rules[p.n - 2].prologue == p.rules[p.n - 1].prologue;
		four += p.n == POOL_RULES_MAX;

		free(told);
		schedule_free(&p.schedule);
		free(back.targets);
		free(model.targets);
		free(s.targets);
	}
	is_int((long long)broken, 0, "%zu pools: maps of intervals, one rule that counts", tried);
	is_int((long long)untold, 0, "... every target's comment once, unless it is drained");
	is_int((long long)wrong, 0, "... every connection goes where the model sends it");
	is_int((long long)lost, 0, "... and what is read back is where the model is");
	ok(mixed > tried / 10, "... %zu of them with and without ports", mixed);
	ok(four > 10, "... %zu with as many rules as there can be", four);
}

/* The largest sum: numgen's modulus has 32 bits. */
static void largest(void)
{
	struct service s = {.key = {.module = MOD_PORTFW}};
	struct pool_cursor c = {0};
	const struct run *run;
	struct pool p;
	uint32_t from = 0, to = 0;
	size_t n = 0;

	service_insert(&s, false, htonl(1), htons(80), INT32_MAX);
	service_insert(&s, false, htonl(2), htons(80), INT32_MAX);
	service_insert(&s, false, htonl(3), htons(80), 1);
	service_advance(&s, 5);
	p = pool_of(&s);
	is_int((long long)p.n, 1, "2^32 - 1 in all, and only the head is in its turn: one rule");
	is_int(p.rules[0].modulus, UINT32_MAX, "... the modulus");
	while (pool_next(&c, &p.rules[0], &s, &run, &from, &to))
		n++;
	is_int((long long)n, 4, "... four runs, since the head has two");
	is_int(to, UINT32_MAX, "... up to the end");
	is_int((long long)look_up(&p, &p.rules[0], INT32_MAX - 6), 0, "the head's last");
	is_int((long long)look_up(&p, &p.rules[0], INT32_MAX - 5), 1, "the next one's first");
	is_int((long long)look_up(&p, &p.rules[0], UINT32_MAX - 1), 0, "the last of all");
	schedule_free(&p.schedule);

	service_insert(&s, true, htonl(4), htons(80), 0);
	service_delete(&s, htonl(3), 0);
	service_insert(&s, true, htonl(5), 0, 1);
	p = pool_of(&s);
	is_int((long long)p.n, 4, "the same behind a new head without a port: a prologue");
	is_int((long long)(s.targets[connection(&p)].addr == htonl(5)), 1, "the new head's one");
	p.next[0] = INT32_MAX - 5;
	is_int((long long)(s.targets[connection(&p)].addr == htonl(1)), 1,
	       "the last of the turn that had begun");
	is_int((long long)(s.targets[connection(&p)].addr == htonl(2)), 1, "the one behind it");
	schedule_free(&p.schedule);
	free(s.targets);
}

int main(void)
{
	pools();
	largest();
	return done_testing();
}
