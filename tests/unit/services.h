/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services for tests: any of them, and who would serve next by the manual. */
#ifndef SERVICES_H
#define SERVICES_H

#include <stdlib.h>
#include <string.h>

#include "service.h"

static uint64_t services_seed = 88172645463325252u;

static inline uint32_t any(uint32_t below)
{
	services_seed ^= services_seed << 13; /* xorshift64, Marsaglia 2003 */
	services_seed ^= services_seed >> 7;
	services_seed ^= services_seed << 17;
	return (uint32_t)(services_seed >> 32) % below;
}

static inline bool same_target(const struct target *a, const struct target *b)
{
	return address_equal(&a->addr, &b->addr) && a->port == b->port && a->pref == b->pref &&
	       a->left == b->left && a->served == b->served;
}

static inline bool same(const struct service *a, const struct service *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_target(service_target(a, i), service_target(b, i)))
			return false;
	return true;
}

static inline struct service copy_of(const struct service *s)
{
	struct service c = *s;

	c.more = NULL;
	c.n = c.cap = 0;
	for (size_t i = 0; i < s->n; i++)
		if (service_append(&c, service_target(s, i)) < 0)
			abort();
	return c;
}

static inline struct service mfw_service(void)
{
	return (struct service){.key = {.kind = MASQ_MFW, .local.family = AF_INET, .mark = 1}};
}

static inline struct service portfw_service(void)
{
	return (struct service){
		.key = {.kind = MASQ_PORTFW,
			.protocol = IPPROTO_TCP,
			.port = 80,
			.local.family = AF_INET},
		.counts_alone = true,
	};
}

/* The tables of 2.2 as the manual describes them, with pref 0 as here: who gets
 * the next connection. */
static inline struct target serve(struct service *s)
{
	struct target *v = service_targets(s), t = *v;

	v->served++;
	if (!t.pref || (s->n == 1 && !s->counts_alone) || --v->left)
		return t;
	do {
		struct target head = *v;

		head.left = head.pref;
		memmove(v, v + 1, (s->n - 1) * sizeof(head));
		v[s->n - 1] = head;
	} while (!v->pref);
	return t;
}

/* A service in any state that commands and connections lead to. Addresses tell
 * targets apart. */
static inline struct service any_service(uint32_t max_pref)
{
	struct service s = any(2) ? mfw_service() : portfw_service();
	uint32_t next = 0x0a000001, ops = 1 + any(20);

	while (ops || !s.n) {
		uint32_t op = s.n ? any(7) : 0;
		struct masq_address addr = address_v4(htonl(next++));

		ops -= ops > 0;
		if (op == 2 || op == 3)
			addr = service_target(&s, any((uint32_t)s.n))->addr;
		if (op < 2)
			service_insert(&s, any(2), &addr, any(3) ? 80 : 0,
				       any(4) ? any(max_pref) : 0);
		else if (op == 2)
			service_edit(&s, &addr, 0, any(max_pref));
		else if (op == 3)
			service_delete(&s, &addr, 0);
		else if (op == 4)
			service_end_turn(&s);
		else
			service_advance(&s, any(max_pref) + any(3));
	}
	return s;
}

#endif
