// SPDX-License-Identifier: GPL-2.0-or-later
#include "servers.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "probe.h"
#include "route.h"
#include "send.h"

/* How long neighbours and connections may take. */
enum { NEIGHBOUR_MS = 500, PROBE_MS = 800 };

static const struct masq_address *next_hop(const struct check_observed *o)
{
	return o->gateway.family ? &o->gateway : &o->forward.raddr;
}

/* The first target that has the same next hop; its index. */
static size_t first_of_hop(struct check_observed *const *o, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (o[j] && !strcmp(o[j]->inside, o[i]->inside) &&
		    address_equal(next_hop(o[j]), next_hop(o[i])))
			return j;
	return i;
}

static size_t unanswered(struct check_observed *const *o, const bool *asked, size_t n,
			 const struct ears *ears)
{
	size_t open = 0;

	for (size_t i = 0; i < n; i++)
		open += asked[i] && !ears_answered(ears, next_hop(o[i]));
	return open;
}

void servers_find(struct check_observed *const *o, size_t n, struct ears *ears,
		  const struct tick *tick)
{
	struct nl nl = {0};
	bool asked[SEND_MAX] = {false};
	long end = clock_ms() + NEIGHBOUR_MS;

	if (nl_open(&nl, NETLINK_ROUTE) < 0) {
		nl_close(&nl);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (o[i] && !o[i]->target_here && first_of_hop(o, i) == i)
			ears_watch(ears, o[i]->inside);
	for (size_t i = 0; i < n; i++)
		if (o[i] && !o[i]->target_here && first_of_hop(o, i) == i &&
		    route_neighbour(&nl, if_nametoindex(o[i]->inside), next_hop(o[i])) !=
			    NEIGHBOUR_THERE)
			asked[i] =
				ears_ask(ears, o[i]->inside, &o[i]->inside_address, next_hop(o[i]));
	nl_close(&nl);
	while (unanswered(o, asked, n, ears) && clock_ms() < end) {
		struct pollfd p = {.fd = ears->fd, .events = POLLIN};

		poll(&p, 1, 20);
		ears_listen(ears);
		clock_tick(tick);
	}
	for (size_t i = 0; i < n; i++)
		if (o[i] && asked[first_of_hop(o, i)])
			o[i]->neighbour_failed = !ears_answered(ears, next_hop(o[i]));
}

/* Questions about each silent target: near, from afar, and at the local port.
 * Of UDP targets TCP is asked, too, as every living host refuses that. */
enum { NEAR, FAR, OTHER, NEAR_TCP, QUESTIONS };

static void put_questions(struct probe p[QUESTIONS], const struct check_observed *o)
{
	const struct probe base = {.protocol = o->forward.protocol,
				   .to = o->forward.raddr,
				   .port = o->forward.rport ? o->forward.rport : o->dport};

	for (int q = 0; q < QUESTIONS; q++)
		p[q] = base;
	p[FAR].from = o->dest;
	p[FAR].protocol = p[NEAR_TCP].protocol = IPPROTO_TCP;
	p[OTHER].port = o->dport;
}

/* A refusal is a sign of life. */
static enum masq_check_answer lives(enum masq_check_answer tcp)
{
	return tcp == MASQ_ANSWER_REFUSED ? MASQ_ANSWER_YES : tcp;
}

static bool is_ours(const struct route_addresses *list, const struct masq_address *a)
{
	for (size_t i = 0; i < list->n; i++)
		if (address_equal(&list->v[i].address, a))
			return true;
	return false;
}

static void take_answers(struct check_observed *o, const struct probe p[QUESTIONS],
			 const struct ears *ears, const struct route_addresses *ours)
{
	o->probed = true;
	o->near_answer = p[NEAR].answer;
	o->far_answer = lives(p[FAR].answer);
	if (o->near_answer == MASQ_ANSWER_NONE && o->forward.protocol == IPPROTO_UDP)
		o->near_answer = lives(p[NEAR_TCP].answer);
	if (o->dport != p[NEAR].port)
		o->other_port = p[OTHER].answer;
	for (size_t i = 0; i < ears->n; i++)
		if (!ears->heard[i].answer &&
		    address_equal(&ears->heard[i].asks, &o->forward.raddr) &&
		    !is_ours(ours, &ears->heard[i].about))
			o->other_gateway = ears->heard[i].about;
}

void servers_ask(struct check_observed *const *o, const bool *silent, size_t n, struct ears *ears,
		 const struct tick *tick)
{
	struct probe(*p)[QUESTIONS] = calloc(n + 1, sizeof(*p));
	struct route_addresses ours = {0};
	struct nl nl = {0};
	bool asked[SEND_MAX] = {false};
	size_t count = 0;

	if (!p)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!silent[i])
			continue;
		asked[i] = ears_ask(ears, o[i]->inside, &o[i]->inside_address, next_hop(o[i]));
		put_questions(p[count++], o[i]);
	}
	if (nl_open(&nl, NETLINK_ROUTE) < 0 || route_addresses(&nl, &ours) < 0)
		route_addresses_free(&ours);
	nl_close(&nl);
	probe_all(p[0], count * QUESTIONS, PROBE_MS, tick);
	ears_listen(ears);
	count = 0;
	for (size_t i = 0; i < n; i++) {
		if (!silent[i])
			continue;
		take_answers(o[i], p[count++], ears, &ours);
		o[i]->neighbour_failed = asked[i] && !ears_answered(ears, next_hop(o[i]));
	}
	route_addresses_free(&ours);
	free(p);
}
