// SPDX-License-Identifier: GPL-2.0-or-later
/* The services that a transaction has looked at, and what each command does to them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Nearly every service has one target. They are made many at a time: a listing makes 50,000. */
struct place {
	struct service service; /* first, so that a service's address is its place's */
	struct target target;
};
#define BLOCK 64 /* places */

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->services[i]->cap > 1)
			free(t->services[i]->targets);
	for (size_t i = 0; i < t->n; i += BLOCK)
		free(t->services[i]);
	free(t->services);
	free(t->index);
	free(t->entries);
	*t = (struct table){0};
}

uint64_t key_order(const struct key *key)
{
	if (key->module == MOD_MFW)
		return key->mark;
	return (uint64_t)key->protocol << 48 | (uint64_t)ntohl(key->laddr) << 16 |
	       ntohs(key->lport);
}

static size_t hash(const struct key *key)
{
	uint64_t h = (uint64_t)key->laddr << 32 | (uint64_t)key->lport << 16 |
		     (uint64_t)key->protocol << 8 | key->module;

	h = (h ^ key->mark) *
	    0x9e3779b97f4a7c15u; /* 2^64 over the golden ratio: Fibonacci hashing */
	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
	return (size_t)(h ^ h >> 32);
}

/* Where a key is in the index, or would go. The index is never full. */
static uint32_t *slot(const struct table *t, const struct key *key)
{
	size_t i = hash(key) & (t->slots - 1);

	while (t->index[i] != UINT32_MAX &&
	       memcmp(&t->services[t->index[i]]->key, key, sizeof(*key)) != 0)
		i = (i + 1) & (t->slots - 1);
	return &t->index[i];
}

/* Whoever only reads a list through, as a listing does, needs no index: it costs more than all else
 * that is done to a service. So it follows when somebody looks something up. */
static void catch_up(struct table *t)
{
	if (!t->indexed)
		memset(t->index, 0xff, t->slots * sizeof(*t->index));
	for (; t->indexed < t->n; t->indexed++) {
		uint32_t *i = slot(t, &t->services[t->indexed]->key);

		if (*i == UINT32_MAX)
			*i = (uint32_t)t->indexed;
		else
			t->twice = true;
	}
}

struct service *table_get(struct table *t, const struct key *key)
{
	uint32_t i;

	if (!t->n)
		return NULL;
	catch_up(t);
	i = *slot(t, key);
	return i == UINT32_MAX ? NULL : t->services[i];
}

bool table_unique(struct table *t)
{
	if (t->n)
		catch_up(t);
	return !t->twice;
}

static int grow(struct table *t)
{
	size_t cap = t->cap ? t->cap * 2 : 16;
	struct service **v = reallocarray(t->services, cap, sizeof(struct service *));
	uint32_t *index;

	if (!v)
		return -ENOMEM;
	t->services = v;
	index = reallocarray(NULL, 2 * cap, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(t->index);
	t->index = index;
	t->indexed = 0;
	t->cap = cap;
	t->slots = 2 * cap;
	return 0;
}

struct service *table_add(struct table *t, const struct key *key)
{
	struct place *place;
	struct service *s;

	if (t->n == t->cap && grow(t) < 0)
		return NULL;
	place = t->n % BLOCK ? (struct place *)t->services[t->n - 1] + 1
			     : calloc(BLOCK, sizeof(*place));
	if (!place)
		return NULL;
	s = &place->service;
	s->key = *key;
	s->targets = &place->target;
	s->cap = 1;
	t->services[t->n++] = s;
	return s;
}

struct service *table_put(struct table *t, const struct key *key)
{
	struct service *s = table_get(t, key);

	return s ? s : table_add(t, key);
}

enum scope table_scope(enum module mod, const struct ip_masq_ctl *ctl, struct key *key)
{
	const struct ip_portfw_edits *pf = &ctl->u.portfw_user;

	if (ctl->m_cmd == IP_MASQ_CMD_NONE)
		return SCOPE_NONE;
	if (ctl->m_cmd == IP_MASQ_CMD_FLUSH)
		return SCOPE_MODULE;
	*key = (struct key){.module = (uint8_t)mod};
	switch (mod) {
	case MOD_PORTFW:
		/* 0.0.0.0 is "any address of this machine" where a target is given to it, and
		 * matches every address where forwards are only looked for */
		if (!pf->laddr && !(ctl->m_cmd == IP_MASQ_CMD_ADD && pf->raddr && pf->rport))
			return SCOPE_MODULE;
		key->protocol = (uint8_t)pf->protocol;
		key->laddr = pf->laddr;
		key->lport = pf->lport;
		return SCOPE_ONE;
	case MOD_MFW:
		key->mark = ctl->u.mfw_user.fwmark;
		return SCOPE_ONE;
	default:
		return SCOPE_MODULE;
	}
}

static int add(struct table *t, const struct key *key, bool head, uint32_t addr, uint16_t port,
	       uint32_t pref)
{
	struct service *s = table_put(t, key);

	if (!s)
		return -ENOMEM;
	if (!s->n)
		s->born = t->next_born++;
	s->dirty = true;
	return service_insert(s, head, addr, port, pref);
}

static int portfw_one(struct service *s, const struct ip_masq_ctl *ctl)
{
	const struct ip_portfw_edits *pf = &ctl->u.portfw_user;
	int err = ctl->m_cmd == IP_MASQ_CMD_DEL
			  ? service_delete(s, pf->raddr, pf->rport)
			  : service_edit(s, pf->raddr, pf->rport, (uint32_t)pf->pref);

	s->dirty |= !err;
	return err;
}

/* The services that a portfw command without a local address looks at. */
static bool portfw_any(const struct service *s, const struct ip_portfw_edits *pf)
{
	return s->key.module == MOD_PORTFW && s->key.protocol == pf->protocol &&
	       s->key.lport == pf->lport;
}

static int portfw_all(struct table *t, const struct ip_masq_ctl *ctl)
{
	int result = -ESRCH;

	for (size_t i = 0; i < t->n; i++) {
		struct service *s = t->services[i];

		if (s->n && portfw_any(s, &ctl->u.portfw_user)) {
			int err = portfw_one(s, ctl);

			if (err == -EOVERFLOW)
				return err;
			if (!err)
				result = 0;
		}
	}
	return result;
}

static int portfw_apply(struct table *t, const struct ip_masq_ctl *ctl)
{
	const struct ip_portfw_edits *pf = &ctl->u.portfw_user;
	struct service *s;
	struct key key;
	int err = -ESRCH;

	if (table_scope(MOD_PORTFW, ctl, &key) == SCOPE_MODULE)
		err = portfw_all(t, ctl);
	else if ((s = table_get(t, &key)))
		err = portfw_one(s, ctl);
	if (err != -ESRCH || ctl->m_cmd == IP_MASQ_CMD_DEL)
		return err;
	if (!pf->raddr || !pf->rport)
		return -EDESTADDRREQ;
	return add(t, &key, true, pf->raddr, pf->rport, (uint32_t)pf->pref);
}

static int mfw_apply(struct table *t, const struct ip_masq_ctl *ctl)
{
	const struct ip_mfw_user *mf = &ctl->u.mfw_user;
	uint32_t pref = (uint32_t)mf->pref;
	struct service *s;
	struct key key;

	table_scope(MOD_MFW, ctl, &key);
	if (ctl->m_cmd == IP_MASQ_CMD_ADD || ctl->m_cmd == IP_MASQ_CMD_INSERT) {
		if (!mf->raddr)
			return -EDESTADDRREQ;
		return add(t, &key, ctl->m_cmd == IP_MASQ_CMD_INSERT, mf->raddr, mf->rport, pref);
	}
	s = table_get(t, &key);
	if (!s || !s->n)
		return -ESRCH;
	s->dirty = true;
	if (ctl->m_cmd == IP_MASQ_CMD_DEL)
		return service_delete(s, mf->raddr, mf->rport);
	if (!(mf->flags & IP_MASQ_MFW_SCHED))
		return service_edit(s, mf->raddr, mf->rport, pref);
	service_end_turn(s);
	return 0;
}

static void flush(struct table *t, enum module mod)
{
	t->flushed[mod] = true;
	for (size_t i = 0; i < t->n; i++) {
		if (t->services[i]->key.module == mod) {
			t->services[i]->n = 0;
			t->services[i]->dirty = true;
		}
	}
}

int table_apply(struct table *t, enum module mod, const struct ip_masq_ctl *ctl)
{
	if (ctl->m_cmd == IP_MASQ_CMD_NONE)
		return 0;
	if (mod == MOD_AUTOFW)
		return autofw_apply(t, ctl);
	if (ctl->m_cmd != IP_MASQ_CMD_FLUSH)
		return mod == MOD_PORTFW ? portfw_apply(t, ctl) : mfw_apply(t, ctl);
	flush(t, mod);
	return 0;
}
