// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "kind.h"
#include "listing.h"

void listing_free(struct listing *l)
{
	free(l->ranks);
	records_free(&l->entries);
	*l = (struct listing){0};
}

/* Marks by number; of the protocols UDP, which is 17, before TCP, which is 6;
 * of each IPv4 before IPv6, and in that the newest first. */
static struct order order_of(size_t index, const void *arg)
{
	const struct table *t = arg;
	const struct service *s = &t->services[index];
	const bool six = s->key.local.family == AF_INET6, at = s->key.at;
	struct order o = {{0}, {0}};

	if (s->key.mark)
		return key_order(&s->key);
	if (s->born) {
		o.first.minor = UINT64_MAX - s->born;
	} else {
		o = key_order(&s->key);
		o.first.minor = UINT64_MAX - o.first.minor;
		if (six || at)
			o.second = (struct rank){.minor = UINT64_MAX - o.second.minor,
						 .major = UINT32_MAX - o.second.major};
	}
	o.first.major = (uint32_t)(UINT8_MAX - s->key.protocol) << 3 | (uint32_t)six << 2 |
			(s->born ? 0u
			 : at    ? 1u
				 : 2u);
	return o;
}

/* Those with the same key have the same rank, and stand together. */
static bool same_key(const struct table *t, const struct rank *a, const struct rank *b)
{
	return a->minor == b->minor && a->major == b->major &&
	       key_equal(&t->services[a->index].key, &t->services[b->index].key);
}

int listing_rank(struct listing *l, const struct table *t)
{
	l->ranks = calloc(2 * t->n + 1, sizeof(*l->ranks)); /* calloc(0) may return NULL */
	if (!l->ranks)
		return -ENOMEM;
	l->n = t->n;
	for (size_t i = 0; i < t->n; i++)
		l->ranks[i].index = (uint32_t)i;
	l->sorted = rank_sort_by(l->ranks, l->ranks + t->n, t->n, order_of, t);
	for (size_t i = 1; i < t->n; i++)
		if (same_key(t, &l->sorted[i - 1], &l->sorted[i]))
			return -EINTR;
	return 0;
}

static int tell_service(const struct service *s, masq_record_fn *fn, void *arg)
{
	int err = 0;

	for (size_t i = 0; !err && i < s->n; i++) {
		const struct target *t = service_target(s, i);
		struct masq_command forward;

		kinds[s->key.kind]->forward_of(&forward, s, t);
		err = fn(&(struct masq_record){.size = sizeof(struct masq_record),
					       .has = MASQ_HAS_LEFT | MASQ_HAS_SERVED,
					       .forward = &forward,
					       .left = (int32_t)t->left,
					       .served = t->served},
			 arg);
	}
	return err;
}

/* How many services before its turn one is asked for. */
#define AHEAD 8

struct teller {
	enum masq_kind kind;
	masq_record_fn *fn;
	void *arg;
};

static int tell_entry(const struct masq_record *record, void *arg)
{
	const struct teller *t = arg;

	return record->forward->kind == t->kind ? t->fn(record, t->arg) : 0;
}

int listing_tell_entries(const struct listing *l, enum masq_kind kind, masq_record_fn *fn,
			 void *arg)
{
	return records_each(&l->entries, tell_entry, &(struct teller){kind, fn, arg});
}

int listing_tell(const struct listing *l, const struct table *t, enum masq_kind kind,
		 masq_record_fn *fn, void *arg)
{
	int err = 0;

	for (size_t i = 0; !err && i < l->n; i++) {
		const struct service *s = &t->services[l->sorted[i].index];

		/* they lie in the order of the kernel's hash, so that each is a
		 * miss in the cache: half of the time that is spent here */
		if (i + AHEAD < l->n)
			__builtin_prefetch(&t->services[l->sorted[i + AHEAD].index]);
		if (s->key.kind == kind)
			err = tell_service(s, fn, arg);
	}
	return err;
}
