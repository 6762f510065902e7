// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <errno.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "connections.h"
#include "local.h"
#include "stale.h"

/* Neither translated nor ever answered. */
#define LEADS_SOMEWHERE (IPS_DST_NAT | IPS_SEEN_REPLY)

/* So many services are asked for one by one; more, by one look at all that
 * leads nowhere. */
#define FEW_SERVICES 16

static bool concerns(const struct service *s)
{
	return s->dirty && s->n && s->key.kind == MASQ_PORTFW && s->key.protocol == IPPROTO_UDP;
}

/* An entry of autofw that has been added, and sends what comes to its ports to
 * one host. */
static bool entry_concerns(const struct state *st, const struct entry *e)
{
	const struct masq_command *f = &e->forward;

	return f->kind == MASQ_AUTOFW && !e->gone && !state_of_entry(st, e)->handle &&
	       f->form != MASQ_DIRECT && f->protocol == IPPROTO_UDP && f->has & MASQ_HAS_TARGET;
}

/* One request for each service; the kernel finds their connections. 0 or
 * -errno. */
static int forget_each(struct link *l, struct buf *b, const struct table *t)
{
	buf_reset(b);
	for (size_t i = 0; i < t->n; i++)
		if (concerns(&t->services[i]))
			connections_ask(b, IPCTNL_MSG_CT_DELETE,
					&(struct connection_filter){.mask = LEADS_SOMEWHERE,
								    .key = t->services[i].key});
	return connections_send(l, b);
}

struct search {
	const struct state *state;
	struct table *table; /* its */
	struct link *link;   /* another than the dump's */
	struct local local;
	struct buf *requests;
};

/* Of a service on the interface that has the address. */
static bool is_ours_at(struct search *s, const struct key *any, const char *interface)
{
	struct key key = *any;
	const struct service *at;

	if (!interface)
		return false;
	key_set_interface(&key, interface);
	at = table_get(s->table, &key);
	return at && concerns(at);
}

static bool is_of_entry(struct search *s, const struct key *key)
{
	bool found = false;

	for (size_t i = 0; !found && i < s->table->n_entries; i++) {
		const struct masq_command *f = &s->table->entries[i].forward;

		found = entry_concerns(s->state, &s->table->entries[i]) &&
			f->target.family == key->local.family && key->protocol == f->protocol &&
			f->ports.first <= key->port && key->port <= f->ports.last;
	}
	return found && local_is(&s->local, &key->local);
}

static bool is_ours(struct search *s, const struct key *key)
{
	struct service *exact = table_get(s->table, key), *any;
	struct key any_key = *key;

	if (exact && concerns(exact))
		return true;
	any_key.local = (struct masq_address){.family = key->local.family};
	if (is_ours_at(s, &any_key, local_interface(&s->local, &key->local)))
		return true;
	any = table_get(s->table, &any_key);
	return (any && concerns(any) && local_is(&s->local, &key->local)) || is_of_entry(s, key);
}

static int see_connection(const struct nlmsghdr *nlh, void *arg)
{
	struct search *s = arg;
	struct connection c;

	if (!connection_read(&c, nlh) || c.status & LEADS_SOMEWHERE || !is_ours(s, &c.key))
		return 0;
	connection_forget(s->requests, &c, true);
	if (s->requests->seq - s->requests->first >= CONNECTIONS_AT_ONCE)
		connections_send(s->link, s->requests);
	return 0;
}

/* One look at all connections that lead nowhere, then a request for each of
 * ours. */
static void forget_by_look(struct link *l, struct buf *b, struct state *st)
{
	struct buf requests;
	struct search s = {.state = st, .table = &st->table, .requests = &requests};

	if (connections_none(l, b) || buf_init(&requests) < 0)
		return;
	buf_reset(&requests);
	buf_reset(b);
	connections_ask(b, IPCTNL_MSG_CT_GET, &(struct connection_filter){.mask = LEADS_SOMEWHERE});
	local_open(&s.local);
	if (link_open(&s.link) == 0) {
		link_dump(l, b, see_connection, &s);
		connections_send(s.link, &requests);
	}
	link_close(s.link);
	local_close(&s.local);
	buf_free(&requests);
}

void stale_forget(struct link *l, struct buf *b, struct state *st)
{
	struct table *t = &st->table;
	size_t n = 0;
	bool look = false; /* the kernel cannot find them by their address */

	for (size_t i = 0; i < t->n; i++) {
		const struct masq_address local = key_local(&t->services[i].key);

		if (!concerns(&t->services[i]))
			continue;
		n++;
		look |= local.family == AF_INET6 || address_is_any(&local);
	}
	for (size_t i = 0; i < t->n_entries; i++)
		look |= entry_concerns(st, &t->entries[i]);
	if (!n && !look)
		return;
	if (look || n > FEW_SERVICES || forget_each(l, b, t) == -EINVAL)
		forget_by_look(l, b, st);
}
