// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "service.h"

struct masq_address key_local(const struct key *key)
{
	return key->at ? (struct masq_address){.family = key->local.family} : key->local;
}

void key_set_interface(struct key *key, const char *name)
{
	if (!*name)
		return;
	key->at = true;
	key->local = (struct masq_address){.family = key->local.family};
	memcpy(key->local.in6.s6_addr, name, strnlen(name, MASQ_INTERFACE_MAX - 1));
}

/* That orders texts as they are ordered. */
static uint64_t number_of(const char *text, size_t len)
{
	uint64_t n = 0;

	while (len--)
		n = n << 8 | (uint8_t)*text++;
	return n;
}

struct order key_order(const struct key *key)
{
	const bool six = key->local.family == AF_INET6;
	struct order o = {{0}, {0}};
	uint64_t first, last;

	if (key->mark) {
		o.first.minor = (uint64_t)key->mark << 1 | six;
		return o;
	}
	o.first.major = (uint32_t)key->protocol << 2 | (uint32_t)six << 1 | key->at;
	if (key->at) {
		const char *name = key_interface(key);

		o.first.minor = number_of(name, 8);
		o.second.major = (uint32_t)number_of(name + 8, 4);
		o.second.minor = number_of(name + 12, 4) << 16 | key->port;
		return o;
	}
	address_numbers(&key->local, &first, &last);
	if (six) {
		o.first.minor = first;
		o.second.major = (uint32_t)(last >> 32);
		o.second.minor = last << 32 >> 16 | key->port;
	} else {
		o.first.minor = last << 16 | key->port;
	}
	return o;
}

void service_free(struct service *s)
{
	free(s->more);
}

struct target *service_targets(struct service *s)
{
	return s->more ? s->more : &s->single;
}

/* Moves the first n targets behind the others, in order. */
static void rotate(struct service *s, size_t n)
{
	struct target *v = service_targets(s);

	for (size_t part = 0; n && part < 3; part++) {
		size_t from = part == 1 ? n : 0;
		size_t to = part == 0 ? n : s->n;

		while (from + 1 < to) {
			struct target t = v[from];

			v[from++] = v[--to];
			v[to] = t;
		}
	}
}

/* A drained target never heads a list that has another. */
static void skip_drained(struct service *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (service_target(s, i)->pref) {
			rotate(s, i);
			return;
		}
	}
}

static int make_room(struct service *s)
{
	uint32_t cap = s->cap ? s->cap * 2 : 2;
	struct target *v;

	if (s->n < (s->more ? s->cap : 1))
		return 0;
	v = reallocarray(s->more, cap, sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (!s->more)
		v[0] = s->single;
	s->more = v;
	s->cap = cap;
	return 0;
}

int service_append(struct service *s, const struct target *t)
{
	if (make_room(s) < 0)
		return -ENOMEM;
	service_targets(s)[s->n++] = *t;
	return 0;
}

/* Schedules count in 32 bits. */
static bool fits(uint64_t period)
{
	return period <= UINT32_MAX;
}

int service_insert(struct service *s, bool head, const struct masq_address *addr, uint16_t port,
		   uint32_t pref)
{
	struct target t = {.addr = *addr, .port = port, .pref = pref, .left = pref};

	if (!fits(service_period(s) + pref))
		return -EOVERFLOW;
	if (service_append(s, &t) < 0)
		return -ENOMEM;
	if (head)
		rotate(s, s->n - 1);
	skip_drained(s);
	return 0;
}

static bool target_matches(const struct target *t, const struct masq_address *addr, uint16_t port)
{
	return (!addr || address_equal(addr, &t->addr)) && (!port || port == t->port);
}

int service_edit(struct service *s, const struct masq_address *addr, uint16_t port, uint32_t pref)
{
	struct target *v = service_targets(s);
	uint64_t period = service_period(s);
	size_t found = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (target_matches(&v[i], addr, port)) {
			period = period - v[i].pref + pref;
			found++;
		}
	}
	if (!found)
		return -ESRCH;
	if (!fits(period))
		return -EOVERFLOW;
	for (size_t i = 0; i < s->n; i++)
		if (target_matches(&v[i], addr, port))
			v[i].pref = v[i].left = pref;
	skip_drained(s);
	return 0;
}

int service_delete(struct service *s, const struct masq_address *addr, uint16_t port)
{
	struct target *v = service_targets(s);
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!target_matches(&v[i], addr, port))
			v[kept++] = v[i];
	if (kept == s->n)
		return -ESRCH;
	s->n = kept;
	skip_drained(s);
	return 0;
}

void service_end_turn(struct service *s)
{
	struct target *head = service_targets(s);

	if (s->n < 2)
		return;
	head->left = head->pref;
	rotate(s, 1);
	skip_drained(s);
}

bool service_counts(const struct service *s)
{
	return s->n && service_target(s, 0)->pref && (s->n > 1 || s->counts_alone);
}

uint64_t service_period(const struct service *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += service_target(s, i)->pref;
	return sum;
}

/* Serves n connections by turns over at most one round more than the list is
 * long; what is left of n after that finds every count full again. */
static uint64_t play(struct service *s, uint64_t n, size_t turns)
{
	struct target *v = service_targets(s);
	size_t cur = 0;

	while (n && turns) {
		struct target *t = &v[cur];
		uint64_t take = n < t->left ? n : t->left;

		t->left -= (uint32_t)take;
		t->served += take;
		n -= take;
		if (!t->left) {
			t->left = t->pref;
			cur = (cur + 1) % s->n;
			turns--;
		}
	}
	rotate(s, cur);
	skip_drained(s);
	return n;
}

void service_advance(struct service *s, uint64_t n)
{
	struct target *v = service_targets(s);

	if (!s->n)
		return;
	if (!service_counts(s)) {
		v[0].served += n;
		return;
	}
	n = play(s, n, s->n);
	if (n) {
		uint64_t period = service_period(s), rounds = n / period;

		for (size_t i = 0; i < s->n; i++)
			v[i].served += rounds * v[i].pref;
		play(s, n % period, s->n);
	}
}
