// SPDX-License-Identifier: GPL-2.0-or-later
#include "look.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "route.h"
#include "ruleset.h"
#include "state.h"

enum { WEB = 80, PORTS_TRIED = 64 };

/* What is the same for all forwards. */
struct surroundings {
	struct nl nl;
	struct route_addresses addresses;
	struct state_listeners listeners;
	bool marks_route, emptied;
	int ip_forward, rp_all, localnet_all;
	unsigned int conntrack_count, conntrack_max;
	struct in_addr client;
	bool client_given;
	unsigned int outward; /* the interface of the route to the client */
	struct in_addr outward_address;
	struct state_flow *flows;
	size_t flow_count, flow_cap;
};

static bool is_loopback(struct in_addr a)
{
	return ntohl(a.s_addr) >> 24 == 127;
}

static struct route_answer ask(struct surroundings *s, struct in_addr dst, struct in_addr src,
			       const char *iif)
{
	struct route_question q = {
		.dst = dst, .src = src, .iif = iif && *iif ? if_nametoindex(iif) : 0};
	struct route_answer a;

	if (route_ask(&s->nl, &q, &a) < 0)
		a.error = ENETUNREACH;
	return a;
}

/* A TEST-NET address that is outside: by the default route if there is one. */
static int choose_client(struct surroundings *s, struct in_addr wish)
{
	static const char *const tests[] = {"203.0.113.5", "198.51.100.5", "192.0.2.5"};
	static const struct in_addr none;
	struct route_answer a;

	s->client = wish;
	s->client_given = wish.s_addr != 0;
	for (int pass = 0; !s->client.s_addr && pass < 2; pass++)
		for (size_t i = 0; !s->client.s_addr && i < 3; i++) {
			struct in_addr test;

			inet_pton(AF_INET, tests[i], &test);
			a = ask(s, test, none, NULL);
			if (!a.error && a.type == RTN_UNICAST && (pass || !a.prefix))
				s->client = test;
		}
	/* no route beyond our networks: somebody on the first of them */
	for (size_t i = 0; !s->client.s_addr && i < s->addresses.n; i++) {
		const struct route_address *r = &s->addresses.v[i];
		uint32_t host = r->prefix && r->prefix < 31 ? ~0u >> r->prefix : 0;

		if (!host || is_loopback(r->address))
			continue;
		s->client.s_addr = (r->address.s_addr | htonl(host)) & htonl(~1u);
		if (s->client.s_addr == r->address.s_addr)
			s->client.s_addr ^= htonl(2);
	}
	if (!s->client.s_addr)
		return -ENETUNREACH;
	a = ask(s, s->client, none, NULL);
	s->outward = a.error ? 0 : a.oif;
	s->outward_address = a.source;
	return 0;
}

static void keep_flow(const struct state_flow *flow, void *arg)
{
	struct surroundings *s = arg;

	if (s->flow_count == s->flow_cap) {
		size_t cap = s->flow_cap ? s->flow_cap * 2 : 256;
		struct state_flow *v = reallocarray(s->flows, cap, sizeof(*v));

		if (!v)
			return; /* one more that is not looked at */
		s->flows = v;
		s->flow_cap = cap;
	}
	s->flows[s->flow_count++] = *flow;
}

static int look_around(struct surroundings *s, const struct look_wish *wish, bool udp)
{
	struct ruleset rules;
	long count, max;
	int err = nl_open(&s->nl, NETLINK_ROUTE);

	if (!err)
		err = route_addresses(&s->nl, &s->addresses);
	if (!err)
		route_by_mark(&s->nl, &s->marks_route);
	if (err)
		return err;
	s->ip_forward = (int)state_sysctl("net/ipv4/ip_forward");
	s->rp_all = (int)state_sysctl("net/ipv4/conf/all/rp_filter");
	s->localnet_all = (int)state_sysctl("net/ipv4/conf/all/route_localnet");
	count = state_sysctl("net/netfilter/nf_conntrack_count");
	max = state_sysctl("net/netfilter/nf_conntrack_max");
	if (count >= 0 && max > 0) {
		s->conntrack_count = (unsigned int)count;
		s->conntrack_max = (unsigned int)max;
	}
	if (!ruleset_read(&rules))
		s->emptied = !ruleset_has_ours(&rules);
	ruleset_free(&rules);
	/* without sock_diag a warning is missing */
	state_listeners(&s->listeners);
	if (udp)
		state_udp_flows(keep_flow, s);
	return choose_client(s, wish->from);
}

static void leave(struct surroundings *s)
{
	nl_close(&s->nl);
	route_addresses_free(&s->addresses);
	state_listeners_free(&s->listeners);
	free(s->flows);
}

static bool has_portfw(const struct check_forward *all, size_t n, uint8_t protocol,
		       struct in_addr laddr, uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].kind == CHECK_PORTFW && all[i].protocol == protocol &&
		    all[i].lport == port && all[i].laddr.s_addr == laddr.s_addr)
			return true;
	return false;
}

static const struct route_address *owner(const struct surroundings *s, struct in_addr a)
{
	for (size_t i = 0; i < s->addresses.n; i++)
		if (s->addresses.v[i].address.s_addr == a.s_addr)
			return &s->addresses.v[i];
	return NULL;
}

/* An address of ours for a service on any: that of the way out, or another that no more exact
 * service has. */
static void choose_address(struct check_observed *o, const struct surroundings *s,
			   const struct check_forward *all, size_t n, struct in_addr wish)
{
	const struct check_forward *f = &o->forward;

	o->dest = wish.s_addr ? wish : s->outward_address;
	if (f->kind == CHECK_MFW)
		return;
	for (size_t i = 0; i < s->addresses.n; i++) {
		if (o->dest.s_addr && !has_portfw(all, n, f->protocol, o->dest, o->dport))
			return;
		if (!is_loopback(s->addresses.v[i].address))
			o->dest = s->addresses.v[i].address;
	}
	if (f->kind == CHECK_PORTFW && has_portfw(all, n, f->protocol, o->dest, o->dport))
		o->shadow = SHADOW_EXACT;
}

/* A port of a range that portfw leaves to it. */
static void choose_port(struct check_observed *o, const struct check_forward *all, size_t n)
{
	static const struct in_addr any;
	const struct check_forward *f = &o->forward;

	for (int i = 0; i < PORTS_TRIED && o->dport < f->last; i++) {
		if (!has_portfw(all, n, f->protocol, o->dest, o->dport) &&
		    !has_portfw(all, n, f->protocol, any, o->dport))
			return;
		o->dport++;
	}
	if (has_portfw(all, n, f->protocol, o->dest, o->dport) ||
	    has_portfw(all, n, f->protocol, any, o->dport))
		o->shadow = SHADOW_PORTFW;
}

static void choose_service(struct check_observed *o, const struct surroundings *s,
			   const struct check_forward *all, size_t n, const struct look_wish *wish)
{
	struct check_forward *f = &o->forward;

	switch (f->kind) {
	case CHECK_PORTFW:
		o->dest = f->laddr;
		o->dport = f->lport;
		if (!f->laddr.s_addr)
			choose_address(o, s, all, n, f->laddr);
		return;
	case CHECK_MFW:
		o->dport = wish->port ? wish->port : f->rport ? f->rport : WEB;
		choose_address(o, s, all, n, wish->address);
		return;
	case CHECK_AUTOFW:
		o->dport = f->lport;
		o->dest = s->outward_address;
		choose_port(o, all, n);
		return;
	}
}

/* The interface that has the address clients use, or the one towards the client. */
static void choose_outside(struct check_observed *o, struct surroundings *s, bool client_given)
{
	const struct route_address *a = owner(s, o->dest);
	char name[IF_NAMESIZE];
	unsigned int index = s->outward;

	if (a && !client_given && if_indextoname(a->ifindex, name) && strcmp(name, "lo"))
		index = a->ifindex;
	if (!index || !if_indextoname(index, o->outside))
		o->outside[0] = '\0';
}

static int larger(long a, int b)
{
	return a > b ? (int)a : b;
}

static void look_at_ways(struct check_observed *o, struct surroundings *s)
{
	static const struct in_addr none;
	struct route_answer there = ask(s, o->forward.raddr, none, NULL), back, in;
	struct route_question outward = {0};
	const struct route_address *a;

	o->target_error = there.error;
	o->target_here = !there.error && there.type == RTN_LOCAL;
	if (!there.error && if_indextoname(there.oif, o->inside)) {
		o->gateway = there.gateway;
		o->inside_address = there.source;
		a = owner(s, there.source);
		o->inside_prefix = a ? a->prefix : 0;
	}
	in = ask(s, o->dest, s->client, o->outside);
	o->client_error = in.error;
	if (o->target_here || there.error)
		return;
	back = ask(s, s->client, o->forward.raddr, o->inside);
	o->back_error = back.error;
	if (back.error || !if_indextoname(back.oif, o->back_oif))
		o->back_oif[0] = '\0';
	outward.dst = s->client;
	outward.oif = if_nametoindex(o->outside);
	if (!route_ask(&s->nl, &outward, &in) && !in.error)
		o->outside_gateway = in.gateway;
}

static void look_at_sysctls(struct check_observed *o, const struct surroundings *s)
{
	o->ip_forward = s->ip_forward;
	o->outside_forward = (int)state_sysctl("net/ipv4/conf/%s/forwarding", o->outside);
	o->inside_forward = (int)state_sysctl("net/ipv4/conf/%s/forwarding", o->inside);
	o->rp_outside = larger(state_sysctl("net/ipv4/conf/%s/rp_filter", o->outside), s->rp_all);
	o->rp_inside = larger(state_sysctl("net/ipv4/conf/%s/rp_filter", o->inside), s->rp_all);
	o->route_localnet = larger(state_sysctl("net/ipv4/conf/%s/route_localnet", o->outside),
				   s->localnet_all) > 0;
	o->conntrack_count = s->conntrack_count;
	o->conntrack_max = s->conntrack_max;
}

/* Whether a flow goes where no target of the service is. */
static void look_for_stale(struct check_observed *o, const struct surroundings *s,
			   const struct check_observed *service, size_t n)
{
	const struct check_forward *f = &o->forward;

	for (size_t i = 0; f->kind == CHECK_PORTFW && i < s->flow_count; i++) {
		const struct state_flow *w = &s->flows[i];
		bool target = false;

		/* nobody has the address that we play */
		if (w->dport != f->lport || w->dest.s_addr != o->dest.s_addr ||
		    (!s->client_given && w->client.s_addr == s->client.s_addr))
			continue;
		for (size_t j = 0; j < n; j++)
			target |= service[j].forward.kind == f->kind &&
				  service[j].forward.protocol == f->protocol &&
				  service[j].forward.lport == f->lport &&
				  service[j].forward.laddr.s_addr == f->laddr.s_addr &&
				  service[j].forward.raddr.s_addr == w->server.s_addr;
		if (target)
			continue;
		/* one that another server answers goes on there: so it is promised */
		if (w->replied && w->server.s_addr != w->dest.s_addr) {
			o->running++;
			continue;
		}
		o->stale = true;
		o->stale_client = w->client;
		o->stale_port = w->client_port;
		o->stale_server = w->server;
	}
}

int look(struct check_observed *o, size_t n, const struct check_forward *all, size_t all_count,
	 const struct look_wish *wish)
{
	struct surroundings s = {0};
	bool udp = false;
	int err;

	for (size_t i = 0; i < n; i++)
		udp |= o[i].forward.protocol == IPPROTO_UDP;
	err = look_around(&s, wish, udp);
	for (size_t i = 0; !err && i < n; i++) {
		struct check_observed *x = &o[i];
		uint16_t rport;

		choose_service(x, &s, all, all_count, wish);
		rport = x->forward.rport ? x->forward.rport : x->dport;
		x->client = s.client;
		choose_outside(x, &s, wish->from.s_addr != 0);
		x->local = ask(&s, x->dest, (struct in_addr){0}, NULL).type == RTN_LOCAL;
		look_at_ways(x, &s);
		look_at_sysctls(x, &s);
		x->marks_route = s.marks_route;
		x->emptied = s.emptied;
		x->listener = x->forward.kind == CHECK_PORTFW &&
			      state_listens(&s.listeners, x->forward.protocol, x->dest, x->dport);
		x->target_listens =
			x->target_here &&
			state_listens(&s.listeners, x->forward.protocol, x->forward.raddr, rport);
		if (x->forward.protocol == IPPROTO_UDP)
			look_for_stale(x, &s, o, n);
		x->looked = true;
	}
	leave(&s);
	return err;
}
