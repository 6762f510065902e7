// SPDX-License-Identifier: GPL-2.0-or-later
#include "live.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "follow.h"
#include "judge.h"
#include "route.h"
#include "send.h"
#include "source.h"
#include "table.h"
#include "trace.h"

/* Connections followed at once; how long their answers may take. */
enum { CONNECTIONS_MAX = 64, ANSWER_MS = 1500 };

struct session {
	struct table table;
	struct route_addresses addresses;
	struct nl trace;
	struct ruleset ruleset;
	struct follow follow;
	struct follow_flow flows[CONNECTIONS_MAX];
};

static bool interface_name(char *name, unsigned int index)
{
	return if_indextoname(index, name) != NULL;
}

static void read_events(const struct trace_event *e, void *arg)
{
	follow_event(arg, e);
}

static int read_addresses(struct session *s)
{
	struct nl nl = {0};
	int err = nl_open(&nl, NETLINK_ROUTE);

	if (!err)
		err = route_addresses(&nl, &s->addresses);
	nl_close(&nl);
	return err;
}

static int make_table(struct session *s, const struct check_observed *o, size_t n)
{
	struct table_service *v = calloc(n + 1, sizeof(*v));
	size_t services = 0;
	int err;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct check_forward *f = &o[i].forward;
		const struct table_service one = {.protocol = f->protocol,
						  .family = family_of(f),
						  .address = f->kind == CHECK_PORTFW ? f->laddr
										     : o[i].dest,
						  .first = f->kind == CHECK_MFW ? 0 : f->lport,
						  .last = f->last};

		/* targets of one service stand together */
		if (!services || memcmp(&v[services - 1], &one, sizeof(one)))
			v[services++] = one;
	}
	err = table_open_live(&s->table, v, services);
	free(v);
	return err;
}

/* How exactly a forward is what a connection asked for; 0: it is not. */
static int fit(const struct session *s, const struct check_forward *f, const struct follow_flow *w)
{
	enum { NO_FIT, ANY_ADDRESS, OF_INTERFACE, EXACT, MARKED };

	if (f->protocol != w->protocol || f->raddr.family != w->client.family)
		return NO_FIT;
	if (f->kind == CHECK_MFW)
		return w->out.mark == f->mark ? MARKED : NO_FIT;
	if (w->dport < f->lport || w->dport > f->last)
		return NO_FIT;
	if (f->interface[0])
		return route_is_of(&s->addresses, &w->dest, f->interface) ? OF_INTERFACE : NO_FIT;
	if (f->kind == CHECK_AUTOFW || address_is_any(&f->laddr))
		return ANY_ADDRESS;
	return address_equal(&f->laddr, &w->dest) ? EXACT : NO_FIT;
}

/* Of the service that a connection asked for, the target that it got, else
 * any. */
static struct check_observed *find(const struct session *s, struct check_observed *o, size_t n,
				   const struct follow_flow *w)
{
	struct check_observed *some = NULL;
	int best = 0;

	for (size_t i = 0; i < n; i++) {
		const struct check_forward *f = &o[i].forward;
		bool target = w->out.past_nat && address_equal(&w->out.nat_daddr, &f->raddr) &&
			      (!f->rport || w->out.nat_dport == f->rport);
		int now = 2 * fit(s, f, w);

		now += now && target;
		if (now <= best)
			continue;
		best = now;
		some = &o[i];
	}
	return some;
}

static bool is_settled(const struct follow_flow *w)
{
	return w->client.family &&
	       (!w->out.done || w->back.done || w->back.local || w->back.drop.kind);
}

static void wait_for_one(struct session *s, unsigned int seconds)
{
	long end = clock_ms() + (long)seconds * 1000, first = 0, now = clock_ms();

	while (now < end) {
		struct pollfd p = {.fd = mnl_socket_get_fd(s->trace.socket), .events = POLLIN};
		bool settled = true;

		poll(&p, 1, 50);
		trace_read(&s->trace, read_events, &s->follow);
		now = clock_ms();
		if (!s->flows[0].client.family)
			continue;
		if (!first) {
			first = now;
			end = now + ANSWER_MS;
		}
		for (size_t i = 0; i < CONNECTIONS_MAX && s->flows[i].client.family; i++)
			settled &= is_settled(&s->flows[i]);
		/* what is on its way to the first drop or tap needs a moment */
		if (settled && now - first > 100)
			return;
	}
}

static void adopt(struct session *s, struct check_observed *o, const struct follow_flow *w)
{
	o->live_seen = true;
	o->client = w->client;
	o->dest = w->dest;
	o->dport = w->dport;
	o->out = w->out;
	o->out.sent = true;
	o->back = w->back;
	o->answer = w->answer;
	if (w->out.iif[0])
		snprintf(o->outside, sizeof(o->outside), "%s", w->out.iif);
	/* what this machine itself asked for comes back to it */
	o->back.done |= w->out.own && w->back.local;
	o->near = !strcmp(w->out.iif, o->inside) &&
		  family_in_network(&o->client, &o->inside_address, o->inside_prefix);
	source_observe(o);
	ruleset_describe(&s->ruleset, &o->out.drop);
	ruleset_describe(&s->ruleset, &o->out.early);
	ruleset_describe(&s->ruleset, &o->out.nat);
	ruleset_describe(&s->ruleset, &o->out.snat);
	ruleset_describe(&s->ruleset, &o->back.drop);
	ruleset_describe(&s->ruleset, &o->back.early);
}

/* Why was a real connection not answered? A packet of ours, with probes behind
 * it, may tell. */
static void ask_after(struct check_observed *o)
{
	struct check_observed copy = *o, *one = &copy;

	copy.out = copy.back = (struct check_flight){0};
	send_packets(family_of(&o->forward), &one, 1, &(struct tick){0});
	if (copy.back.seen) {
		o->probed = true;
		o->near_answer = o->far_answer = MASQ_ANSWER_YES;
		return;
	}
	o->probed = copy.probed;
	o->near_answer = copy.near_answer;
	o->far_answer = copy.far_answer;
	o->neighbour_failed = copy.neighbour_failed;
	o->other_gateway = copy.other_gateway;
}

static int run(struct session *s, struct check_observed *o, size_t n, unsigned int seconds)
{
	int err = ruleset_read(&s->ruleset);

	if (!err)
		err = read_addresses(s);
	if (!err)
		err = trace_open(&s->trace);
	if (!err)
		err = make_table(s, o, n);
	if (err)
		return err;
	s->follow = (struct follow){.table = s->table.name,
				    .ruleset = &s->ruleset,
				    .flows = s->flows,
				    .flow_count = CONNECTIONS_MAX,
				    .interface = interface_name,
				    .adopt = true};
	wait_for_one(s, seconds);
	follow_end(&s->follow);
	for (size_t i = 0; i < n; i++) {
		o[i].live = true;
		o[i].live_seconds = seconds;
	}
	for (size_t i = 0; i < CONNECTIONS_MAX && s->flows[i].client.family; i++) {
		struct check_observed *x = find(s, o, n, &s->flows[i]);

		if (x && !x->live_seen)
			adopt(s, x, &s->flows[i]);
	}
	return 0;
}

void live_wait(struct check_observed *o, size_t n, unsigned int seconds)
{
	struct session *s = calloc(1, sizeof(*s));
	int err = s ? run(s, o, n, seconds) : -ENOMEM;

	for (size_t i = 0; err && i < n; i++)
		snprintf(o[i].unable, sizeof(o[i].unable), "tracing connections: %s",
			 err == -ELIBACC ? "libnftnl cannot be loaded" : strerror(-err));
	if (s) {
		follow_free(&s->follow);
		nl_close(&s->trace);
		table_close(&s->table);
		route_addresses_free(&s->addresses);
		ruleset_free(&s->ruleset);
		free(s);
	}
	for (size_t i = 0; !err && i < n; i++)
		if (o[i].live_seen && o[i].out.done && !o[i].back.seen &&
		    !judge_is_about_reach(&o[i]))
			ask_after(&o[i]);
}
