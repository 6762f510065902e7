// SPDX-License-Identifier: GPL-2.0-or-later
#include "follow.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "table.h"

enum {
	CONNTRACK_PRIORITY = -200,
	FIRST_TAP = -500,
	LAST_TAP = 1000,
	BEFORE_NAT = -103,
	BEHIND_NAT = -90
};

/* More packets than ours: somebody else traces a busy network, too. */
enum { THREADS_MAX = 16384 };

/* codes of RFC 4443 that <netinet/icmp6.h> lacks */
enum { SOURCE_POLICY_FAILED = 5, ROUTE_REJECTED = 6 };

enum direction { UNKNOWN, OUT, BACK, TOO_BIG };

/* One packet on its way. */
struct follow_thread {
	uint32_t id;
	size_t flow;
	enum direction direction;
	struct check_flight flight;
	enum masq_check_answer answer;
	uint32_t seq;
	/* the base chain it is in */
	char base[CHECK_NAME];
	enum masq_check_hook hook;
	int priority;
	bool nat;
};

static struct follow_thread *find(struct follow *f, uint32_t id)
{
	for (size_t i = f->thread_count; i; i--)
		if (f->threads[i - 1].id == id)
			return &f->threads[i - 1];
	return NULL;
}

static struct follow_thread *begin(struct follow *f, uint32_t id)
{
	if (f->thread_count == THREADS_MAX)
		return NULL;
	if (f->thread_count == f->thread_cap) {
		size_t cap = f->thread_cap ? f->thread_cap * 2 : 64;
		struct follow_thread *v = reallocarray(f->threads, cap, sizeof(*v));

		if (!v)
			return NULL;
		f->threads = v;
		f->thread_cap = cap;
	}
	f->threads[f->thread_count] = (struct follow_thread){.id = id};
	return &f->threads[f->thread_count++];
}

void follow_free(struct follow *f)
{
	free(f->threads);
	f->threads = NULL;
	f->thread_count = f->thread_cap = 0;
}

static enum direction direction_of(const struct follow_flow *w, const struct trace_packet *p)
{
	bool from = address_equal(&p->saddr, &w->client), to = address_equal(&p->daddr, &w->client);

	if (p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6) {
		if (p->quoted_id != w->id)
			return UNKNOWN;
		return from ? TOO_BIG : to ? BACK : UNKNOWN;
	}
	if (p->protocol != w->protocol)
		return UNKNOWN;
	if (from && p->sport == w->port)
		return OUT;
	return to && p->dport == w->port ? BACK : UNKNOWN;
}

static enum masq_check_answer answer_of_icmp6(const struct trace_packet *p)
{
	if (p->icmp_type != ICMP6_DST_UNREACH)
		return MASQ_ANSWER_NONE;
	switch (p->icmp_code) {
	case ICMP6_DST_UNREACH_NOPORT:
		return MASQ_ANSWER_REFUSED;
	case ICMP6_DST_UNREACH_ADMIN:
	case SOURCE_POLICY_FAILED:
	case ROUTE_REJECTED:
		return MASQ_ANSWER_PROHIBITED;
	default:
		return MASQ_ANSWER_UNREACHABLE;
	}
}

static enum masq_check_answer answer_of(const struct trace_packet *p)
{
	if (p->protocol == IPPROTO_TCP)
		return p->tcp_flags & TH_RST ? MASQ_ANSWER_REFUSED : MASQ_ANSWER_YES;
	if (p->protocol == IPPROTO_UDP)
		return MASQ_ANSWER_YES;
	if (p->protocol == IPPROTO_ICMPV6)
		return answer_of_icmp6(p);
	if (p->icmp_type != ICMP_DEST_UNREACH)
		return MASQ_ANSWER_NONE;
	switch (p->icmp_code) {
	case ICMP_PORT_UNREACH:
	case ICMP_PROT_UNREACH:
		return MASQ_ANSWER_REFUSED;
	case ICMP_NET_ANO:
	case ICMP_HOST_ANO:
	case ICMP_PKT_FILTERED:
		return MASQ_ANSWER_PROHIBITED;
	default:
		return MASQ_ANSWER_UNREACHABLE;
	}
}

/* The first packet of somebody's connection, at the first tap. */
static bool begins(const struct follow_thread *t, const struct trace_packet *p)
{
	if ((t->hook != MASQ_HOOK_PREROUTING && t->hook != MASQ_HOOK_OUTPUT) ||
	    t->priority != FIRST_TAP)
		return false;
	return p->protocol == IPPROTO_UDP ||
	       (p->protocol == IPPROTO_TCP && (p->tcp_flags & (TH_SYN | TH_ACK)) == TH_SYN);
}

static void bind_flow(struct follow *f, struct follow_thread *t, const struct trace_packet *p)
{
	for (size_t i = 0; t->direction == UNKNOWN && i < f->flow_count; i++) {
		struct follow_flow *w = &f->flows[i];

		if (f->adopt && !w->client.family && begins(t, p)) {
			w->client = p->saddr;
			w->port = p->sport;
			w->dest = p->daddr;
			w->dport = p->dport;
			w->protocol = p->protocol;
			w->id = p->id;
		}
		t->direction = direction_of(w, p);
		t->flow = i;
	}
	if (t->direction == BACK) {
		t->answer = answer_of(p);
		t->seq = p->seq;
	}
}

/* Copies what is known of the packet to its flow. */
static void publish(struct follow *f, const struct follow_thread *t)
{
	struct follow_flow *w = &f->flows[t->flow];

	switch (t->direction) {
	case UNKNOWN:
		return;
	case OUT:
		/* a repeated packet counts where the first one got less far */
		if (!w->closed && (!w->out.done || t->flight.done)) {
			bool sent = w->out.sent;

			w->out = t->flight;
			w->out.sent = sent;
		}
		return;
	case BACK:
		/* the first that gets through counts: a reset may end what has
		 * worked. What comes after ours, and gets lost, is too late:
		 * conntrack takes it for invalid */
		if (!w->back.done && (!w->closed || t->flight.done)) {
			w->back = t->flight;
			w->answer = t->answer;
			w->answer_seq = t->seq;
		}
		return;
	case TOO_BIG:
		w->icmp = t->flight;
		w->icmp.sent = true;
		return;
	}
}

static void set_place(const struct follow_thread *t, struct check_place *p,
		      const struct trace_event *e, enum masq_check_place_kind kind)
{
	*p = (struct check_place){
		.kind = kind, .hook = t->hook, .priority = t->priority, .handle = e->handle};
	snprintf(p->family, sizeof(p->family), "%s", ruleset_family_name(e->family));
	snprintf(p->table, sizeof(p->table), "%s", e->table);
	snprintf(p->chain, sizeof(p->chain), "%s", e->chain);
	snprintf(p->base, sizeof(p->base), "%s", t->base);
}

/* Where destinations are translated. */
static bool is_nat_hook(enum masq_check_hook hook)
{
	return hook == MASQ_HOOK_PREROUTING || hook == MASQ_HOOK_OUTPUT;
}

static void at_tap(struct follow_thread *t, const struct trace_event *e)
{
	struct check_flight *x = &t->flight;

	x->hook = t->hook;
	x->priority = t->priority;
	x->own |= t->hook == MASQ_HOOK_OUTPUT;
	if (is_nat_hook(t->hook) && t->priority == BEFORE_NAT && e->mark)
		x->mark = e->mark;
	if (is_nat_hook(t->hook) && t->priority == BEHIND_NAT && e->has_packet) {
		x->nat_daddr = e->packet.daddr;
		x->nat_dport = e->packet.dport;
		x->past_nat = true;
	}
	if (t->hook == MASQ_HOOK_INPUT)
		x->local = true;
	if (t->hook == MASQ_HOOK_POSTROUTING && t->priority == LAST_TAP)
		x->done = true;
	if (e->verdict != (uint32_t)NFT_JUMP)
		return;
	x->untracked |= !strcmp(e->jump, TABLE_UNTRACKED);
	x->invalid |= !strcmp(e->jump, TABLE_INVALID);
	x->established |= !strcmp(e->jump, TABLE_ESTABLISHED);
}

static void elsewhere(struct follow_thread *t, const struct trace_event *e)
{
	struct check_flight *x = &t->flight;
	bool rule = e->type == NFT_TRACETYPE_RULE && e->handle;

	switch (e->verdict & NF_VERDICT_MASK) {
	case NF_DROP:
	case NF_STOLEN:
	case NF_QUEUE:
		if ((int32_t)e->verdict < 0)
			break; /* NFT_JUMP and its like */
		if (rule)
			set_place(t, &x->drop, e, MASQ_PLACE_RULE);
		else if (e->type == NFT_TRACETYPE_POLICY)
			set_place(t, &x->drop, e, MASQ_PLACE_POLICY);
		break;
	default:
		break;
	}
	if (rule && t->nat && is_nat_hook(t->hook) && e->verdict == NF_ACCEPT)
		set_place(t, &x->nat, e, MASQ_PLACE_RULE);
	if (rule && t->nat && t->hook == MASQ_HOOK_POSTROUTING && e->verdict == NF_ACCEPT)
		set_place(t, &x->snat, e, MASQ_PLACE_RULE);
	if (rule && t->hook == MASQ_HOOK_PREROUTING && t->priority < CONNTRACK_PRIORITY)
		set_place(t, &x->early, e, MASQ_PLACE_RULE);
}

/* The first event of a chain that hangs at a hook. */
static void enter(struct follow *f, struct follow_thread *t, const struct trace_event *e, bool ours)
{
	const struct ruleset_chain *c =
		ours ? NULL : ruleset_find(f->ruleset, e->family, e->table, e->chain);

	snprintf(t->base, sizeof(t->base), "%s", e->chain);
	t->nat = c && c->nat;
	t->hook = c ? c->hook : MASQ_HOOK_NONE;
	t->priority = c ? c->priority : 0;
	if (ours && !table_tap(e->chain, &t->hook, &t->priority))
		t->hook = MASQ_HOOK_NONE;
}

static void name_interface(struct follow *f, char name[IF_NAMESIZE], unsigned int index)
{
	const size_t max = sizeof(f->interfaces) / sizeof(*f->interfaces);
	struct follow_interface *i;

	for (size_t j = 0; j < f->interface_count && j < max; j++)
		if (f->interfaces[j].index == index) {
			memcpy(name, f->interfaces[j].name, IF_NAMESIZE);
			return;
		}
	i = &f->interfaces[f->interface_count++ % max];
	*i = (struct follow_interface){.index = index};
	if (!f->interface(i->name, index))
		i->name[0] = '\0';
	memcpy(name, i->name, IF_NAMESIZE);
}

void follow_event(struct follow *f, const struct trace_event *e)
{
	struct follow_thread *t = find(f, e->id);
	bool ours = !strcmp(e->table, f->table), tap = false;
	enum masq_check_hook hook = MASQ_HOOK_NONE;
	int priority = 0;

	if (ours)
		tap = table_tap(e->chain, &hook, &priority);
	/* the kernel uses memory again, and its addresses make the ids */
	if (e->has_packet && tap &&
	    (hook == MASQ_HOOK_INGRESS || (hook == MASQ_HOOK_OUTPUT && priority == FIRST_TAP) ||
	     (hook == MASQ_HOOK_PREROUTING && priority == FIRST_TAP && t &&
	      t->flight.hook != MASQ_HOOK_INGRESS && t->hook != MASQ_HOOK_INGRESS)))
		t = NULL;
	if (!t)
		t = begin(f, e->id);
	if (!t)
		return;
	t->flight.seen = true;
	if (e->has_packet) {
		enter(f, t, e, ours);
		t->flight.saddr = e->packet.saddr;
		t->flight.daddr = e->packet.daddr;
		t->flight.sport = e->packet.sport;
		t->flight.dport = e->packet.dport;
		if (e->iif)
			name_interface(f, t->flight.iif, e->iif);
		if (e->oif)
			name_interface(f, t->flight.oif, e->oif);
		if (t->direction == UNKNOWN)
			bind_flow(f, t, &e->packet);
	}
	if (ours && tap)
		at_tap(t, e);
	else if (!ours)
		elsewhere(t, e);
	publish(f, t);
}

bool follow_parse_line(struct follow_line *line, const char *prefix)
{
	char type[16];

	*line = (struct follow_line){0};
	/* CHECK_NAME and the sizes above are the widths */
	if (sscanf(prefix, "TRACE: %31[^:]:%127[^:]:%15[^:]:%u", line->table, line->chain, type,
		   &line->number) != 4)
		return false;
	line->policy = !strcmp(type, "policy");
	return true;
}

/* The chains of iptables-legacy's tables, in the order in which a packet meets
 * them. */
static const struct legacy_chain {
	const char *table, *chain;
	enum masq_check_hook hook;
	int priority;
} legacy_chains[] = {
	{"raw", "PREROUTING", MASQ_HOOK_PREROUTING, -300},
	{"mangle", "PREROUTING", MASQ_HOOK_PREROUTING, -150},
	{"nat", "PREROUTING", MASQ_HOOK_PREROUTING, -100},
	{"mangle", "INPUT", MASQ_HOOK_INPUT, -150},
	{"filter", "INPUT", MASQ_HOOK_INPUT, 0},
	{"security", "INPUT", MASQ_HOOK_INPUT, 50},
	{"mangle", "FORWARD", MASQ_HOOK_FORWARD, -150},
	{"filter", "FORWARD", MASQ_HOOK_FORWARD, 0},
	{"security", "FORWARD", MASQ_HOOK_FORWARD, 50},
	{"mangle", "POSTROUTING", MASQ_HOOK_POSTROUTING, -150},
	{"nat", "POSTROUTING", MASQ_HOOK_POSTROUTING, 100},
};
#define LEGACY_CHAINS (sizeof(legacy_chains) / sizeof(*legacy_chains))

/* Whether a packet that was lost there was lost in this chain: it hangs between
 * the last tap that it passed and the next one. */
static bool is_between(const struct legacy_chain *c, const struct check_flight *x)
{
	int next = LAST_TAP + 1;

	if (c->hook != x->hook)
		return false;
	table_next_tap(x->hook, x->priority, &next);
	return c->priority > x->priority && c->priority < next;
}

static enum masq_check_hook builtin_hook(const char *chain)
{
	for (size_t i = 0; i < LEGACY_CHAINS; i++)
		if (!strcmp(legacy_chains[i].chain, chain))
			return legacy_chains[i].hook;
	return MASQ_HOOK_NONE;
}

static struct check_place legacy_place(int family, enum masq_check_place_kind kind,
				       enum masq_check_hook hook, const char *table,
				       const char *chain)
{
	const struct family *a = family == AF_INET6 ? &family_ipv6 : &family_ipv4;
	struct check_place p = {.kind = kind, .hook = hook};

	snprintf(p.family, sizeof(p.family), "%s", a->word);
	snprintf(p.table, sizeof(p.table), "%s", table);
	snprintf(p.chain, sizeof(p.chain), "%s", chain);
	return p;
}

static void keep_line(struct check_place *p, int family, enum masq_check_hook last,
		      const struct follow_line *line)
{
	enum masq_check_hook hook = builtin_hook(line->chain);
	char base[CHECK_NAME];

	/* of a regular chain: the builtin chain before it led there */
	snprintf(base, sizeof(base), "%s", hook == MASQ_HOOK_NONE ? p->base : line->chain);
	if (hook == MASQ_HOOK_NONE)
		hook = p->hook;
	if (hook == MASQ_HOOK_NONE)
		hook = last;
	*p = legacy_place(family, line->policy ? MASQ_PLACE_LEGACY_POLICY : MASQ_PLACE_LEGACY_RULE,
			  hook, line->table, line->chain);
	p->number = line->number;
	snprintf(p->base, sizeof(p->base), "%s", base);
}

/* The rules of a chain before a jump are logged, so the hook of a chain of the
 * user's is that of the last builtin chain. */
void follow_legacy(struct follow *f, const struct trace_packet *p, const struct follow_line *line)
{
	for (size_t i = 0; i < f->flow_count; i++) {
		struct follow_flow *w = &f->flows[i];

		switch (direction_of(w, p)) {
		case OUT:
			if (!w->closed)
				keep_line(&w->out_line, w->client.family, w->out.hook, line);
			return;
		case BACK:
			keep_line(&w->back_line, w->client.family, w->back.hook, line);
			return;
		case TOO_BIG:
			keep_line(&w->icmp_line, w->client.family, w->icmp.hook, line);
			return;
		case UNKNOWN:
			break;
		}
	}
}

/* The last line of the log about a lost packet names its culprit, if it is of
 * the chain where the packet got lost; without a log the chain is all there
 * is. */
static void blame(const struct follow *f, int family, struct check_flight *x,
		  const struct check_place *line)
{
	if (x->done)
		x->drop = (struct check_place){0};
	if (x->done || !x->seen || x->drop.kind != MASQ_PLACE_NONE ||
	    !ruleset_has_legacy(f->ruleset, family))
		return;
	for (size_t i = 0; i < LEGACY_CHAINS; i++) {
		const struct legacy_chain *c = &legacy_chains[i];

		if (!is_between(c, x))
			continue;
		x->drop = legacy_place(family, MASQ_PLACE_LEGACY_RULE, c->hook, c->table, c->chain);
		snprintf(x->drop.base, sizeof(x->drop.base), "%s", c->chain);
		if (line->kind != MASQ_PLACE_NONE && line->hook == c->hook &&
		    !strcmp(line->table, c->table))
			x->drop = *line;
		return;
	}
}

void follow_end(struct follow *f)
{
	for (size_t i = 0; i < f->flow_count; i++) {
		struct follow_flow *w = &f->flows[i];

		blame(f, w->client.family, &w->out, &w->out_line);
		blame(f, w->client.family, &w->back, &w->back_line);
		blame(f, w->client.family, &w->icmp, &w->icmp_line);
	}
}
