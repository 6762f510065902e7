// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "batch.h"
#include "connections.h"
#include "cut.h"
#include "load.h"
#include "load_entries.h"
#include "local.h"
#include "rule.h"

/* Retries while others keep changing the ruleset. */
#define TRIES 50

struct search {
	struct table *changed; /* by the transaction */
	struct local local;
	struct connection *found;
	size_t n, cap;
	struct table marked; /* what marks have for targets */
};

static int no_answer(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	(void)arg;
	return 0;
}

int cut_possible(struct link *l, struct buf *b)
{
	buf_reset(b);
	buf_request(b, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS, 0, AF_UNSPEC);
	return link_get(l, b, no_answer, NULL);
}

static bool concerns(const struct service *s)
{
	return s && s->dirty && s->key.kind == MASQ_PORTFW;
}

bool cut_concerns(const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (concerns(&t->services[i]))
			return true;
	return false;
}

/* What all changed services have in common, for the kernel to look for. */
static void common_key(const struct table *t, struct key *common)
{
	bool any = false;

	for (size_t i = 0; i < t->n; i++) {
		struct key key = t->services[i].key;

		if (!concerns(&t->services[i]))
			continue;
		key.local = key_local(&key);
		key.at = false;
		if (!any)
			*common = key;
		any = true;
		if (!address_equal(&key.local, &common->local))
			common->local = (struct masq_address){
				.family = key.local.family == common->local.family
						  ? key.local.family
						  : AF_UNSPEC};
		if (key.protocol != common->protocol)
			common->protocol = 0;
		if (key.port != common->port)
			common->port = 0;
	}
	if (common->local.family == AF_UNSPEC) /* tuples of both families have no parts */
		*common = (struct key){.kind = MASQ_PORTFW};
}

static struct key any_of(const struct key *key)
{
	struct key any = *key;

	any.local = (struct masq_address){.family = key->local.family};
	any.at = false;
	return any;
}

/* The key of a service on the interface that has the address; false: none has
 * it. */
static bool at_of(struct key *out, struct local *local, const struct key *key)
{
	const char *interface = local_interface(local, &key->local);

	*out = any_of(key);
	if (interface)
		key_set_interface(out, interface);
	return interface;
}

static bool goes_to_target_of(const struct connection *c, const struct service *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct target *t = service_target(s, i);

		if (address_equal(&t->addr, &c->server) &&
		    (t->port ? t->port : c->key.port) == c->server_port)
			return true;
	}
	return false;
}

/* The service that new connections to the same address and port go to, of those
 * in the table; NULL: none. */
static const struct service *serving(struct table *t, struct local *local, const struct key *key)
{
	const struct service *exact = table_get(t, key), *any;
	struct key any_key = any_of(key), at_key;

	if (exact && exact->n)
		return exact;
	if (at_of(&at_key, local, key) && table_get(t, &at_key) && table_get(t, &at_key)->n)
		return table_get(t, &at_key);
	any = table_get(t, &any_key);
	return any && any->n && local_is(local, &key->local) ? any : NULL;
}

static int remember(struct search *s, const struct connection *c)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 16;
		struct connection *v = reallocarray(s->found, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->found = v;
		s->cap = cap;
	}
	s->found[s->n++] = *c;
	return 0;
}

/* By a forward of ours, whichever (skeleton.h); unless it has no label: then
 * only if the kernel has none. */
static bool may_be_ours(const struct connection *c)
{
	return c->status & IPS_DST_NAT && !(c->labels & LABEL_BIT(LABEL_MISSED));
}

static bool is_unlabelled(const struct connection *c)
{
	return !(c->labels & LABEL_BIT(LABEL_SOUGHT));
}

/* Tried with a batch that is not ended. */
static bool kernel_has_labels(struct link *l, struct buf *buf)
{
	struct rule r = {.chain = "label-probe"};
	struct batch_netlink b;

	rule_add(&r, (struct statement){.type = STATEMENT_LABEL, .label = LABEL_SOUGHT});
	buf_reset(buf);
	buf_begin_batch(buf, 0);
	batch_netlink_init(&b, buf);
	b.batch.ops->table_add(&b.batch);
	b.batch.ops->chain_add(&b.batch, r.chain, NULL);
	b.batch.ops->rule_add(&b.batch, &r);
	return batch_netlink_end(&b) || link_try(l, buf) != -EOPNOTSUPP;
}

/* Those without a label are others', made before us or by version 0.5.0. */
static void drop_unlabelled(struct link *l, struct buf *b, struct search *s)
{
	size_t n = 0, without = 0;

	for (size_t i = 0; i < s->n; i++)
		without += is_unlabelled(&s->found[i]);
	if (!without || !kernel_has_labels(l, b))
		return;
	for (size_t i = 0; i < s->n; i++)
		if (!is_unlabelled(&s->found[i]))
			s->found[n++] = s->found[i];
	s->n = n;
}

/* Keeps those of changed services that are not obviously right as they are. */
static int see_connection(const struct nlmsghdr *nlh, void *arg)
{
	const struct service *now;
	struct search *s = arg;
	struct connection c;
	struct key any, at;

	if (!connection_read(&c, nlh) || !may_be_ours(&c))
		return 0;
	any = any_of(&c.key);
	if (!concerns(table_get(s->changed, &c.key)) &&
	    !(at_of(&at, &s->local, &c.key) && concerns(table_get(s->changed, &at))) &&
	    !(concerns(table_get(s->changed, &any)) && local_is(&s->local, &c.key.local)))
		return 0;
	now = serving(s->changed, &s->local, &c.key);
	return now && goes_to_target_of(&c, now) ? 0 : remember(s, &c);
}

/* What may serve the connections of a family that were found, as it is now. */
static int load_now(struct link *l, struct buf *b, enum family f, struct search *s,
		    struct state *now)
{
	struct key *keys = reallocarray(NULL, s->n, 3 * sizeof(*keys));
	size_t n = 0;
	int err = keys ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < s->n; i++) {
		struct key each[3] = {s->found[i].key, any_of(&s->found[i].key)};

		at_of(&each[2], &s->local, &each[0]);
		if (family_by_address(&s->found[i].server) != f)
			continue;
		for (size_t k = 0; !err && k < 3; k++) {
			if (table_get(&now->table, &each[k]))
				continue;
			keys[n++] = each[k];
			err = table_put(&now->table, &each[k]) ? 0 : -ENOMEM;
		}
	}
	if (!err && n)
		err = load_named(l, b, f, now, keys, n);
	if (!err && n)
		err = load_services(l, b, f, now, MASQ_KIND(MASQ_MFW));
	if (!err && n)
		err = load_entries(l, b, f, now, MASQ_KIND(MASQ_AUTOFW));
	free(keys);
	return err;
}

static int load_all_now(struct link *l, struct buf *b, struct search *s, struct state *now)
{
	int err = -EINTR;

	for (int try = 0; err == -EINTR && try < TRIES; try++) {
		state_free(now);
		err = 0;
		for (enum family f = 0; !err && f < FAMILY_COUNT; f++)
			err = load_now(l, b, f, s, now);
	}
	return err;
}

static struct key target_key(const struct masq_address *addr, uint16_t port)
{
	return (struct key){.kind = MASQ_MFW, .port = port, .local = *addr};
}

/* The targets of marks, to be looked up by address and port. */
static int list_marked(const struct table *now, struct table *marked)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct service *s = &now->services[i];

		for (size_t k = 0; s->key.kind == MASQ_MFW && k < s->n; k++) {
			const struct target *t = service_target(s, k);
			struct key key = target_key(&t->addr, t->port);

			if (!table_put(marked, &key))
				return -ENOMEM;
		}
	}
	return 0;
}

static bool may_be_marked(const struct connection *c, struct table *marked)
{
	struct key there = target_key(&c->server, c->server_port), kept = target_key(&c->server, 0);

	return table_get(marked, &there) ||
	       (c->server_port == c->key.port && table_get(marked, &kept));
}

/* Whether an entry of autofw forwards what comes to this address and port. */
static bool entry_serves(const struct masq_command *f, const struct key *key)
{
	return f->form != MASQ_DIRECT && f->protocol == key->protocol &&
	       f->ports.first <= key->port && key->port <= f->ports.last;
}

static bool may_be_of_entry(const struct connection *c, const struct table *now)
{
	for (size_t i = 0; i < now->n_entries; i++) {
		const struct masq_command *f = &now->entries[i].forward;
		uint16_t port = f->form == MASQ_PORT ? f->target_ports.first : c->key.port;

		if (entry_serves(f, &c->key) && port == c->server_port &&
		    (!(f->has & MASQ_HAS_TARGET) || address_equal(&f->target, &c->server)))
			return true;
	}
	return false;
}

/* Whether it is of a service that was not changed, and keeps what it has:
 * nothing that comes before that one was. */
static bool is_of_unchanged(struct search *s, struct table *now, const struct connection *c)
{
	struct key keys[] = {c->key, {0}, any_of(&c->key)};

	if (!at_of(&keys[1], &s->local, &c->key))
		keys[1] = keys[0];
	for (size_t i = 0; i < 3 && !concerns(table_get(s->changed, &keys[i])); i++) {
		const struct service *service = table_get(now, &keys[i]);

		if (service && service->n)
			return true;
	}
	return false;
}

static bool is_to_end(struct search *s, struct state *now, const struct connection *c)
{
	const struct service *serves = serving(&now->table, &s->local, &c->key);

	if (serves && goes_to_target_of(c, serves))
		return false;
	return !is_of_unchanged(s, &now->table, c) && !may_be_marked(c, &s->marked) &&
	       !may_be_of_entry(c, &now->table);
}

/* Datagrams to what is, or may be, served find their new way with the next
 * one. */
static bool is_to_bar(struct search *s, struct state *now, const struct connection *c)
{
	bool served = s->marked.n || serving(&now->table, &s->local, &c->key);

	for (size_t i = 0; i < now->table.n_entries; i++)
		served |= entry_serves(&now->table.entries[i].forward, &c->key);
	return c->key.protocol == IPPROTO_TCP || !served;
}

/* Tries for a packet that comes between forgetting and barring. */
#define BAR_TRIES 5

static int end_some(struct link *l, struct buf *b, const struct connection *c, size_t n)
{
	int err = -EEXIST;

	for (int try = 0; err == -EEXIST && try < BAR_TRIES; try++) {
		buf_reset(b);
		for (size_t i = 0; i < n; i++) {
			connection_forget(b, &c[i], !try || !c[i].bar);
			if (c[i].bar)
				connection_bar(b, &c[i]);
		}
		err = connections_send(l, b);
	}
	return err;
}

static int end_all(struct link *l, struct buf *b, const struct connection *c, size_t n)
{
	const size_t most = CONNECTIONS_AT_ONCE / 2; /* two requests each */
	int err = 0;

	for (size_t i = 0; !err && i < n; i += most)
		err = end_some(l, b, &c[i], n - i < most ? n - i : most);
	return err;
}

static int by_tuple(const void *a, const void *b)
{
	const struct connection *x = a, *y = b;

	if (x->tuple_len != y->tuple_len)
		return x->tuple_len < y->tuple_len ? -1 : 1;
	return memcmp(x->tuple, y->tuple, x->tuple_len);
}

/* The connections that were agreed on in others. */
struct offspring {
	struct search masters; /* in the order of their tuples */
	struct search found;
};

static int see_offspring(const struct nlmsghdr *nlh, void *arg)
{
	struct offspring *o = arg;
	struct connection c, master;

	if (!connection_read_master(&master, nlh) || !connection_read(&c, nlh) ||
	    !bsearch(&master, o->masters.found, o->masters.n, sizeof(master), by_tuple))
		return 0;
	c.bar = true;
	return remember(&o->found, &c);
}

/* An H.323 call has a connection in which one is agreed on in which media
 * are. */
#define GENERATIONS 4

/* Ends what was agreed on in these, such as a file that FTP still sends. */
static int end_offspring(struct link *l, struct buf *b, const struct search *ended)
{
	const struct connection_filter expected = {.status = IPS_EXPECTED, .mask = IPS_EXPECTED};
	struct offspring o = {.found = {0}};
	int err = 0;

	for (size_t i = 0; !err && i < ended->n; i++)
		if (ended->found[i].helped)
			err = remember(&o.masters, &ended->found[i]);
	for (int i = 0; !err && o.masters.n && i < GENERATIONS; i++) {
		qsort(o.masters.found, o.masters.n, sizeof(*o.masters.found), by_tuple);
		buf_reset(b);
		connections_ask(b, IPCTNL_MSG_CT_GET, &expected);
		err = link_dump(l, b, see_offspring, &o);
		if (!err)
			err = end_all(l, b, o.found.found, o.found.n);
		free(o.masters.found);
		o = (struct offspring){.masters = o.found};
	}
	free(o.masters.found);
	free(o.found.found);
	return err;
}

static int end_found(struct link *l, struct buf *b, struct search *s)
{
	struct state now = {0};
	size_t n = 0;
	int err = load_all_now(l, b, s, &now);

	if (!err)
		err = list_marked(&now.table, &s->marked);
	for (size_t i = 0; !err && i < s->n; i++) {
		if (!is_to_end(s, &now, &s->found[i]))
			continue;
		s->found[n] = s->found[i];
		s->found[n].bar = is_to_bar(s, &now, &s->found[n]);
		n++;
	}
	s->n = n;
	if (!err)
		err = end_all(l, b, s->found, n);
	if (!err)
		err = end_offspring(l, b, s);
	state_free(&now);
	return err;
}

int cut_connections(struct link *l, struct buf *b, struct state *st)
{
	struct search s = {.changed = &st->table};
	struct connection_filter filter = {.status = IPS_DST_NAT, .mask = IPS_DST_NAT};
	int err;

	common_key(s.changed, &filter.key);
	local_open(&s.local);
	buf_reset(b);
	connections_ask(b, IPCTNL_MSG_CT_GET, &filter);
	err = link_dump(l, b, see_connection, &s);
	if (!err)
		drop_unlabelled(l, b, &s);
	if (!err && s.n)
		err = end_found(l, b, &s);
	local_close(&s.local);
	table_free(&s.marked);
	free(s.found);
	return err;
}
