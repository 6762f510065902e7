// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "objects.h"
#include "pool.h"
#include "schedule.h"

/* Whether a target of this service stands in a chain of its own. */
static bool has_chain(const struct key *key, const struct target *t)
{
	return key->kind == MASQ_MFW && t->port;
}

static void target_chain_name(char out[CHAIN_NAME_MAX], const struct key *key,
			      const struct target *t)
{
	char addr[ADDRESS_TEXT_MAX], service[CHAIN_NAME_MAX];

	chain_name(service, key);
	snprintf(out, CHAIN_NAME_MAX, "%.16s-to-%s-%u", service, name_address(addr, &t->addr),
		 t->port);
}

bool pool_target_parse(struct target *out, const struct key *key, const char *chain)
{
	char again[CHAIN_NAME_MAX], addr[ADDRESS_TEXT_MAX];
	unsigned int mark, port;

	if (sscanf(chain, "mark-%u-to-%45[^-]-%u", &mark, addr, &port) != 3 ||
	    !name_address_parse(&out->addr, key_family(key), addr))
		return false;
	out->port = (uint16_t)port;
	target_chain_name(again, key, out);
	return has_chain(key, out) && !strcmp(again, chain);
}

bool pool_owns(enum family f, const char *chain)
{
	struct key key;
	struct target t;

	if (chain_name_parse(&key, f, chain))
		return true;
	key = (struct key){.kind = MASQ_MFW, .local.family = family_defs[f].number};
	return sscanf(chain, "mark-%u-to-", &key.mark) == 1 && pool_target_parse(&t, &key, chain);
}

static void add_protocol(struct rule *r, uint8_t protocol)
{
	rule_add(r, (struct statement){.type = STATEMENT_TEST,
				       .test = protocol == IPPROTO_TCP ? TEST_TCP : TEST_UDP});
}

static void add_dnat(struct rule *r, const struct target *t)
{
	rule_add(r, (struct statement){.type = STATEMENT_DNAT, .addr = t->addr, .port = t->port});
}

/* Whether a target is among those that a service was loaded with in a chain of
 * its own. */
static bool was_loaded(const struct state *st, const struct service *s, const struct target *t)
{
	const struct stored *old = state_seen(st, s);

	for (size_t i = 0; i < old->n_loaded; i++) {
		const struct loaded_target *l = &st->loaded[old->loaded + i];

		if (l->chain && address_equal(&l->target.addr, &t->addr) &&
		    l->target.port == t->port)
			return true;
	}
	return false;
}

static bool is_target(const struct service *s, const struct target *t)
{
	for (size_t i = 0; i < s->n; i++)
		if (address_equal(&service_target(s, i)->addr, &t->addr) &&
		    service_target(s, i)->port == t->port)
			return true;
	return false;
}

/* Two targets may have the same address and port, and then the same chain. */
static void write_target_chain(struct batch *b, const struct key *key, const struct target *t)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	char name[CHAIN_NAME_MAX];

	target_chain_name(name, key, t);
	b->ops->chain_add(b, name, NULL);
	b->ops->chain_flush(b, name);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct rule r = {.chain = name};

		add_protocol(&r, protocols[i]);
		add_dnat(&r, t);
		b->ops->rule_add(b, &r);
	}
}

static void write_step(struct batch *b, const struct service *s, const char *chain,
		       const struct step *step)
{
	const struct target *t = service_target(s, step->target);
	char comment[COMMENT_MAX] = "turns that had begun, once", to[CHAIN_NAME_MAX];
	struct rule r = {.chain = chain, .comment = comment};

	if (step->modulus)
		rule_add(&r, (struct statement){.type = STATEMENT_EVERY,
						.modulus = step->modulus,
						.first = step->first,
						.last = step->last});
	if (s->key.kind == MASQ_PORTFW)
		add_protocol(&r, s->key.protocol);
	rule_add(&r, (struct statement){.type = STATEMENT_COUNTER});
	if (has_chain(&s->key, t)) {
		target_chain_name(to, &s->key, t);
		rule_add(&r, (struct statement){.type = STATEMENT_GOTO, .name = to});
	} else {
		add_dnat(&r, t);
	}
	if (!step->once)
		metadata_of_target(comment, s, step->target);
	b->ops->rule_add(b, &r);
}

int pool_write(struct batch *b, const struct state *st, const struct service *s)
{
	struct schedule schedule;
	char chain[CHAIN_NAME_MAX];
	int err = schedule_make(&schedule, s);

	if (err)
		return err;
	for (size_t i = 0; i < s->n; i++)
		if (has_chain(&s->key, service_target(s, i)) &&
		    !was_loaded(st, s, service_target(s, i)))
			write_target_chain(b, &s->key, service_target(s, i));
	chain_name(chain, &s->key);
	b->ops->chain_add(b, chain, NULL);
	b->ops->chain_flush(b, chain);
	if (helper_of(s)) {
		struct rule r = {.chain = chain};

		rule_add(&r,
			 (struct statement){.type = STATEMENT_HELPER, .name = helper_of(s)->name});
		b->ops->rule_add(b, &r);
	}
	for (size_t i = 0; i < schedule.n; i++)
		write_step(b, s, chain, &schedule.steps[i]);
	schedule_free(&schedule);
	return 0;
}

/* keep: those that the service has now */
static void remove_target_chains(struct batch *b, const struct state *st, const struct service *s,
				 bool keep)
{
	const struct stored *old = state_seen(st, s);
	char name[CHAIN_NAME_MAX];

	for (size_t i = 0; i < old->n_loaded; i++) {
		const struct loaded_target *l = &st->loaded[old->loaded + i];
		bool again = false;

		for (size_t k = 0; k < i; k++) {
			const struct target *t = &st->loaded[old->loaded + k].target;

			again |= address_equal(&t->addr, &l->target.addr) &&
				 t->port == l->target.port;
		}
		if (!l->chain || again || (keep && is_target(s, &l->target)))
			continue;
		target_chain_name(name, &s->key, &l->target);
		batch_chain_remove(b, name);
	}
}

void pool_write_end(struct batch *b, const struct state *st, const struct service *s)
{
	remove_target_chains(b, st, s, true);
}

void pool_remove(struct batch *b, const struct state *st, const struct service *s)
{
	char chain[CHAIN_NAME_MAX];

	chain_name(chain, &s->key);
	batch_chain_remove(b, chain);
	remove_target_chains(b, st, s, false);
}
