// SPDX-License-Identifier: GPL-2.0-or-later
#include "look.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "route.h"
#include "ruleset.h"
#include "state.h"

enum { WEB = 80, PORTS_TRIED = 64 };

/* What is the same for all forwards of a family. */
struct surroundings {
	const struct family *family;
	struct nl nl;
	struct route_addresses addresses;
	struct state_listeners listeners;
	bool marks_route;
	struct ruleset_ours ours;
	int ip_forward, forward_all, rp_all, localnet_all;
	unsigned int conntrack_count, conntrack_max;
	struct masq_address client;
	bool client_given;
	unsigned int outward; /* the interface of the route to the client */
	struct masq_address outward_address;
	struct state_flow *flows;
	size_t flow_count, flow_cap;
};

/* Nothing that is forwarded comes to such an address, or goes there. */
static bool is_confined(const struct masq_address *a)
{
	return family_is_loopback(a) || (a->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->in6));
}

static struct route_answer ask(struct surroundings *s, const struct masq_address *dst,
			       const struct masq_address *src, const char *iif)
{
	struct route_question q = {.dst = *dst, .iif = iif && *iif ? if_nametoindex(iif) : 0};
	struct route_answer a;

	if (src)
		q.src = *src;
	if (route_ask(&s->nl, &q, &a) < 0)
		a.error = ENETUNREACH;
	return a;
}

/* Another host of the network that an address of ours is in; false if there is
 * none. */
static bool take_neighbour(struct masq_address *out, const struct route_address *r)
{
	unsigned int bits = (unsigned int)address_size(&r->address) * 8;
	uint8_t *bytes = out->in6.s6_addr;

	if (!r->prefix || r->prefix > bits - 2 || is_confined(&r->address))
		return false;
	*out = r->address;
	for (unsigned int i = r->prefix; i < bits - 1; i++)
		bytes[i / 8] |= (uint8_t)(0x80u >> i % 8);
	bytes[(bits - 1) / 8] &= 0xfe;
	if (address_equal(out, &r->address))
		bytes[(bits - 1) / 8] ^= 2;
	return true;
}

/* An address for documentation that is outside: by the default route if there
 * is one. */
static int choose_client(struct surroundings *s, const struct masq_address *wish)
{
	static const char *const tests[][3] = {
		{"203.0.113.5", "198.51.100.5", "192.0.2.5"},
		{"2001:db8::5", "2001:db8:ffff::5", "3fff::5"},
	};
	const bool six = s->family->af == AF_INET6;
	struct route_answer a;

	s->client_given = wish->family == s->family->af;
	if (s->client_given) {
		if (ask(s, wish, NULL, NULL).type == RTN_LOCAL)
			return -EADDRNOTAVAIL;
		s->client = *wish;
	}
	for (int pass = 0; !s->client.family && pass < 2; pass++)
		for (size_t i = 0; !s->client.family && i < 3; i++) {
			struct masq_address test = {.family = s->family->af};

			inet_pton(test.family, tests[six][i], &test.in6);
			a = ask(s, &test, NULL, NULL);
			if (!a.error && a.type == RTN_UNICAST && (pass || !a.prefix))
				s->client = test;
		}
	/* no route beyond our networks: somebody on the first of them */
	for (size_t i = 0; !s->client.family && i < s->addresses.n; i++)
		take_neighbour(&s->client, &s->addresses.v[i]);
	if (!s->client.family)
		return -ENETUNREACH;
	a = ask(s, &s->client, NULL, NULL);
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

/* Of the addresses, those of the family. */
static void keep_family(struct surroundings *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->addresses.n; i++)
		if (s->addresses.v[i].address.family == s->family->af)
			s->addresses.v[n++] = s->addresses.v[i];
	s->addresses.n = n;
}

/* net.ipvN.conf.INTERFACE.NAME; -1: there is none */
static int conf(const struct surroundings *s, const char *interface, const char *name)
{
	return (int)state_sysctl("net/%s/conf/%s/%s", s->family->sysctl, interface, name);
}

static int look_around(struct surroundings *s, const struct look_wish *wish, bool udp)
{
	struct ruleset rules;
	long count, max;
	int err = nl_open(&s->nl, NETLINK_ROUTE);

	if (!err)
		err = route_addresses(&s->nl, &s->addresses);
	if (!err)
		route_by_mark(&s->nl, s->family, &s->marks_route);
	if (err)
		return err;
	keep_family(s);
	s->ip_forward = (int)state_sysctl("net/ipv4/ip_forward");
	s->forward_all = conf(s, "all", "forwarding");
	s->rp_all = conf(s, "all", "rp_filter");
	s->localnet_all = conf(s, "all", "route_localnet");
	count = state_sysctl("net/netfilter/nf_conntrack_count");
	max = state_sysctl("net/netfilter/nf_conntrack_max");
	if (count >= 0 && max > 0) {
		s->conntrack_count = (unsigned int)count;
		s->conntrack_max = (unsigned int)max;
	}
	if (!ruleset_read(&rules))
		s->ours = ruleset_ours(&rules, s->family);
	ruleset_free(&rules);
	/* without sock_diag a warning is missing */
	state_listeners(&s->listeners);
	if (udp)
		state_udp_flows(s->family, keep_flow, s);
	return choose_client(s, &wish->from);
}

static void leave(struct surroundings *s)
{
	nl_close(&s->nl);
	route_addresses_free(&s->addresses);
	state_listeners_free(&s->listeners);
	free(s->flows);
}

/* How exact a forward is: of those on one address and port, the most exact
 * takes the packets. */
enum exactness { ON_ANY, ON_INTERFACE, ON_ADDRESS };

static enum exactness exactness_of(const struct check_forward *f)
{
	if (f->interface[0])
		return ON_INTERFACE;
	return address_is_any(&f->laddr) ? ON_ANY : ON_ADDRESS;
}

/* Whether a portfw service takes packets to this address and port, that is at
 * least so exact. */
static bool has_portfw(const struct surroundings *s, const struct check_forward *all, size_t n,
		       const struct check_observed *o, enum exactness at_least)
{
	for (size_t i = 0; i < n; i++) {
		const struct check_forward *f = &all[i];

		if (f->kind != CHECK_PORTFW || f->protocol != o->forward.protocol ||
		    f->lport != o->dport || f->raddr.family != s->family->af ||
		    exactness_of(f) < at_least)
			continue;
		switch (exactness_of(f)) {
		case ON_ANY:
			return true;
		case ON_INTERFACE:
			if (route_is_of(&s->addresses, &o->dest, f->interface))
				return true;
			break;
		case ON_ADDRESS:
			if (address_equal(&f->laddr, &o->dest))
				return true;
			break;
		}
	}
	return false;
}

static const struct route_address *owner(const struct surroundings *s, const struct masq_address *a)
{
	for (size_t i = 0; i < s->addresses.n; i++)
		if (address_equal(&s->addresses.v[i].address, a))
			return &s->addresses.v[i];
	return NULL;
}

/* The address for a service on several: the one wished for, or one of ours:
 * that of the way out, or another that no more exact service has. Of an
 * interface: one of its own. */
static void choose_address(struct check_observed *o, const struct surroundings *s,
			   const struct check_forward *all, size_t n,
			   const struct masq_address *wish)
{
	const struct check_forward *f = &o->forward;
	const bool of_interface = f->interface[0];
	const enum exactness above = of_interface ? ON_ADDRESS : ON_INTERFACE;

	o->dest = wish ? *wish : s->outward_address;
	if (of_interface && !route_is_of(&s->addresses, &o->dest, f->interface))
		o->dest = (struct masq_address){0};
	if (f->kind == CHECK_MFW)
		return;
	for (size_t i = 0; i < s->addresses.n; i++) {
		const struct masq_address *a = &s->addresses.v[i].address;

		if (o->dest.family && !has_portfw(s, all, n, o, above))
			return;
		if (!is_confined(a) &&
		    (!of_interface || route_is_of(&s->addresses, a, f->interface)))
			o->dest = *a;
	}
	if (o->dest.family && has_portfw(s, all, n, o, above))
		o->shadow = SHADOW_EXACT;
}

/* A port of a range that portfw leaves to it. */
static void choose_port(struct check_observed *o, const struct surroundings *s,
			const struct check_forward *all, size_t n)
{
	const struct check_forward *f = &o->forward;

	for (int i = 0; i < PORTS_TRIED && o->dport < f->last; i++) {
		if (!has_portfw(s, all, n, o, ON_ANY))
			return;
		o->dport++;
	}
	if (has_portfw(s, all, n, o, ON_ANY))
		o->shadow = SHADOW_PORTFW;
}

static void choose_service(struct check_observed *o, const struct surroundings *s,
			   const struct check_forward *all, size_t n, const struct look_wish *wish)
{
	const struct masq_address *named = &wish->address;
	struct check_forward *f = &o->forward;

	if (named->family != s->family->af || address_is_any(named))
		named = NULL;
	switch (f->kind) {
	case CHECK_PORTFW:
		o->dest = f->laddr;
		o->dport = f->lport;
		if (exactness_of(f) != ON_ADDRESS)
			choose_address(o, s, all, n, named);
		return;
	case CHECK_MFW:
		o->dport = wish->port ? wish->port : f->rport ? f->rport : WEB;
		choose_address(o, s, all, n, named);
		return;
	case CHECK_AUTOFW:
		o->dport = f->lport;
		o->dest = named ? *named : s->outward_address;
		choose_port(o, s, all, n);
		return;
	}
}

/* Whether clients from afar come in there: a gateway is behind the interface,
 * or rules may route its answers there. */
static bool is_uplink(struct surroundings *s, const struct route_address *a)
{
	struct route_question q = {.dst = s->client, .oif = a->ifindex};
	struct route_answer by, from;

	if (s->marks_route || a->prefix + 3u > s->family->size * 8 ||
	    route_ask(&s->nl, &q, &by) < 0)
		return true;
	from = ask(s, &s->client, &a->address, NULL);
	return by.gateway.family || (!from.error && from.oif == a->ifindex);
}

/* The interface that has the address clients use, or the one towards the
 * client. An address of an inside network is for clients there. */
static void choose_outside(struct check_observed *o, struct surroundings *s)
{
	const struct route_address *a = owner(s, &o->dest);
	char name[IF_NAMESIZE];
	unsigned int index = s->outward;
	struct masq_address near;

	o->client = s->client;
	if (a && !s->client_given && if_indextoname(a->ifindex, name) && strcmp(name, "lo"))
		index = a->ifindex;
	if (index != s->outward && !is_uplink(s, a) && take_neighbour(&near, a) &&
	    !address_equal(&near, &o->forward.raddr))
		o->client = near;
	if (!index || !if_indextoname(index, o->outside))
		o->outside[0] = '\0';
}

static void look_at_ways(struct check_observed *o, struct surroundings *s)
{
	struct route_answer there = ask(s, &o->forward.raddr, NULL, NULL), back, in;
	struct route_question outward = {0};
	const struct route_address *a;

	o->target_error = there.error;
	o->target_here = !there.error && there.type == RTN_LOCAL;
	if (!there.error && if_indextoname(there.oif, o->inside)) {
		o->gateway = there.gateway;
		o->inside_address = there.source;
		a = owner(s, &there.source);
		o->inside_prefix = a ? a->prefix : 0;
	}
	in = ask(s, &o->dest, &o->client, o->outside);
	o->client_error = in.error;
	if (o->target_here || there.error)
		return;
	back = ask(s, &o->client, &o->forward.raddr, o->inside);
	o->back_error = back.error;
	if (back.error || !if_indextoname(back.oif, o->back_oif))
		o->back_oif[0] = '\0';
	outward.dst = o->client;
	outward.oif = if_nametoindex(o->outside);
	if (!route_ask(&s->nl, &outward, &in) && !in.error)
		o->outside_gateway = in.gateway;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* In IPv6 one switch is for all, but where an interface has a forced one of its
 * own (Linux 6.17). */
static void look_at_forwarding(struct check_observed *o, const struct surroundings *s)
{
	if (s->family->af == AF_INET) {
		o->ip_forward = s->ip_forward;
		o->outside_forward = conf(s, o->outside, "forwarding");
		o->inside_forward = conf(s, o->inside, "forwarding");
		return;
	}
	o->ip_forward = s->forward_all;
	o->outside_forward = o->inside_forward = -1;
	if (s->forward_all)
		return;
	o->outside_forward = conf(s, o->outside, "force_forwarding");
	o->inside_forward = conf(s, o->inside, "force_forwarding");
	if (o->outside_forward > 0 || o->inside_forward > 0)
		o->ip_forward = -1;
}

static void look_at_sysctls(struct check_observed *o, const struct surroundings *s)
{
	look_at_forwarding(o, s);
	/* IPv6 has no reverse path filter but by rules */
	o->rp_outside = larger(0, larger(conf(s, o->outside, "rp_filter"), s->rp_all));
	o->rp_inside = larger(0, larger(conf(s, o->inside, "rp_filter"), s->rp_all));
	o->route_localnet = larger(conf(s, o->outside, "route_localnet"), s->localnet_all) > 0;
	o->accept_ra = conf(s, o->outside, "accept_ra");
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
		if (w->dport != f->lport || !address_equal(&w->dest, &o->dest) ||
		    (!s->client_given && address_equal(&w->client, &s->client)))
			continue;
		/* nor has this machine itself a forward where it is switched
		 * off */
		if (o->own_off && owner(s, &w->client))
			continue;
		for (size_t j = 0; j < n; j++)
			target |= service[j].forward.kind == f->kind &&
				  service[j].forward.protocol == f->protocol &&
				  service[j].forward.lport == f->lport &&
				  address_equal(&service[j].forward.laddr, &f->laddr) &&
				  !strcmp(service[j].forward.interface, f->interface) &&
				  address_equal(&service[j].forward.raddr, &w->server);
		if (target)
			continue;
		/* one that another server answers goes on there: so it is
		 * promised */
		if (w->replied && !address_equal(&w->server, &w->dest)) {
			o->running++;
			continue;
		}
		o->stale = true;
		o->stale_client = w->client;
		o->stale_port = w->client_port;
		o->stale_server = w->server;
	}
}

int look(const struct family *family, struct check_observed *o, size_t n,
	 const struct check_forward *all, size_t all_count, const struct look_wish *wish)
{
	struct surroundings s = {.family = family};
	bool any = false, udp = false;
	int err;

	for (size_t i = 0; i < n; i++)
		if (family_of(&o[i].forward) == family) {
			any = true;
			udp |= o[i].forward.protocol == IPPROTO_UDP;
		}
	if (!any)
		return 0;
	err = look_around(&s, wish, udp);
	for (size_t i = 0; !err && i < n; i++) {
		struct check_observed *x = &o[i];
		uint16_t rport;

		if (family_of(&x->forward) != family)
			continue;
		choose_service(x, &s, all, all_count, wish);
		rport = x->forward.rport ? x->forward.rport : x->dport;
		choose_outside(x, &s);
		x->no_interface = x->forward.interface[0] && !if_nametoindex(x->forward.interface);
		x->local = x->dest.family && ask(&s, &x->dest, NULL, NULL).type == RTN_LOCAL;
		look_at_ways(x, &s);
		look_at_sysctls(x, &s);
		x->near = !strcmp(x->outside, x->inside) &&
			  family_in_network(&x->client, &x->inside_address, x->inside_prefix);
		x->marks_route = s.marks_route;
		x->driver_xdp = route_has_xdp(&s.nl, x->outside);
		x->emptied = s.ours.state == RULESET_EMPTIED;
		x->dormant = s.ours.state == RULESET_DORMANT;
		if (s.ours.state == RULESET_BARRED) {
			x->bar_handle = s.ours.handle;
			snprintf(x->bar_chain, sizeof(x->bar_chain), "%s", s.ours.chain);
		}
		x->listener = x->forward.kind == CHECK_PORTFW &&
			      state_listens(&s.listeners, x->forward.protocol, &x->dest, x->dport);
		x->target_listens =
			x->target_here &&
			state_listens(&s.listeners, x->forward.protocol, &x->forward.raddr, rport);
		if (x->forward.protocol == IPPROTO_UDP)
			look_for_stale(x, &s, o, n);
		x->looked = true;
	}
	leave(&s);
	return err;
}
