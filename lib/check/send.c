// SPDX-License-Identifier: GPL-2.0-or-later
#include "send.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "ears.h"
#include "follow.h"
#include "frame.h"
#include "guardian.h"
#include "inject.h"
#include "legacy.h"
#include "probe.h"
#include "reason.h"
#include "route.h"
#include "ruleset.h"
#include "servers.h"
#include "source.h"
#include "state.h"
#include "table.h"
#include "trace.h"

/* How long answers may take; when an unanswered packet is repeated; how long
 * what a kill has left unfinished is kept from leaving. */
enum { PATIENCE_MS = 900, AGAIN_MS = 400, AFTERMATH_US = 1000000 };
/* Fewer are no burst for a rate limit; after a pause others get another chance,
 * that many. */
enum { AT_ONCE = 16 };
enum { FEW = 4, PAUSE_MS = 40, SLOWLY_MAX = 50 };
enum {
	INTERFACES_MAX = 32,
	FIRST_PORT = 32768,
	PORTS_TRIED = 128,
	LAST_PORT = FIRST_PORT + PORTS_TRIED * SEND_MAX
};

struct send_flow {
	struct frame_flow frame;
	struct inject *by;
	uint8_t mac[6];
	bool sent, icmp_sent;
	bool given_up; /* no answer is waited for any more */
};

struct session {
	struct check_observed *const *o;
	size_t n;
	const struct family *family;
	const struct tick *tick;
	struct send_flow flows[SEND_MAX];
	struct follow_flow follow_flows[SEND_MAX];
	struct table_flow table_flows[SEND_MAX];
	struct inject injectors[INTERFACES_MAX];
	size_t injector_count;
	char devices[INTERFACES_MAX][IF_NAMESIZE];
	size_t device_count;
	struct table table;
	struct nl trace;
	struct ruleset ruleset;
	struct follow follow;
	struct legacy legacy;
	struct guardian guardian;
	struct reason reason;
	struct ears ears;
};

static void explain(char out[128], int err, const char *what)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		snprintf(out, 128,
			 "%s: no permission (it needs CAP_NET_ADMIN and CAP_BPF, or "
			 "/dev/net/tun)",
			 what);
		return;
	case EINVAL:
	case EOPNOTSUPP:
	case ENOSYS:
		snprintf(out, 128, "%s: this kernel cannot do it", what);
		return;
	case ELIBACC:
		snprintf(out, 128, "%s: libnftnl cannot be loaded", what);
		return;
	default:
		snprintf(out, 128, "%s: %s", what, strerror(-err));
	}
}

static bool interface_name(char *name, unsigned int index)
{
	return if_indextoname(index, name) != NULL;
}

static void add_device(struct session *s, const char *name)
{
	for (size_t i = 0; i < s->device_count; i++)
		if (!strcmp(s->devices[i], name))
			return;
	if (name[0] && s->device_count < INTERFACES_MAX)
		snprintf(s->devices[s->device_count++], IF_NAMESIZE, "%s", name);
}

/* The way in by an interface, opened once. */
static struct inject *injector(struct session *s, const char *name, int *err)
{
	unsigned int ifindex = if_nametoindex(name);
	struct inject *in;

	*err = -ENODEV;
	for (size_t i = 0; i < s->injector_count; i++)
		if (s->injectors[i].ifindex == ifindex)
			return &s->injectors[i];
	if (!ifindex || s->injector_count == INTERFACES_MAX)
		return NULL;
	in = &s->injectors[s->injector_count];
	*err = inject_open(in, ifindex);
	if (*err)
		return NULL;
	s->injector_count++;
	return in;
}

static void random_bytes(void *out, size_t n)
{
	if (getrandom(out, n, GRND_NONBLOCK) != (ssize_t)n)
		memset(out, (int)clock_ms(), n);
}

static uint16_t target_port(const struct check_observed *o)
{
	return o->forward.rport ? o->forward.rport : o->dport;
}

/* A source port for the i'th: they differ, so that the packets of all are told
 * apart, and belong to no connection that conntrack remembers, in either
 * direction: beside one to the same server from the same port, ours would get
 * another port, which may be that of another of our packets. */
static uint16_t choose_port(struct nl *nl, const struct check_observed *o, uint16_t start, size_t i)
{
	struct state_tuple there = {.protocol = o->forward.protocol,
				    .src = o->client,
				    .dst = o->dest,
				    .dport = o->dport};
	struct state_tuple back = {.protocol = o->forward.protocol,
				   .src = o->forward.raddr,
				   .dst = o->client,
				   .sport = target_port(o)};

	for (size_t try = 0; try < PORTS_TRIED; try++) {
		there.sport = back.dport =
			(uint16_t)(FIRST_PORT +
				   (start + i + try * SEND_MAX) % (LAST_PORT - FIRST_PORT));
		if (!nl->socket || (!state_is_known(nl, &there) && !state_is_known(nl, &back)))
			break;
	}
	return there.sport;
}

static void prepare(struct session *s)
{
	struct nl nl = {0};
	uint16_t start = 0;
	int err = 0;

	random_bytes(&start, sizeof(start));
	if (nl_open(&nl, NETLINK_NETFILTER) < 0)
		nl_close(&nl);
	for (size_t i = 0; i < s->n; i++) {
		struct check_observed *o = s->o[i];
		struct send_flow *w = &s->flows[i];
		const uint8_t *mac;

		if (!o)
			continue;
		w->by = injector(s, o->outside, &err);
		if (!w->by) {
			explain(o->unable, err, "sending a packet");
			continue;
		}
		mac = inject_mac(w->by);
		if (mac)
			memcpy(w->mac, mac, sizeof(w->mac));
		else
			route_hardware(o->outside, w->mac);
		w->frame = (struct frame_flow){.protocol = o->forward.protocol,
					       .saddr = o->client,
					       .daddr = o->dest,
					       .sport = choose_port(&nl, o, start, i),
					       .dport = o->dport,
					       .id = (uint16_t)(start + i)};
		random_bytes(&w->frame.seq, sizeof(w->frame.seq));
		s->follow_flows[i] = (struct follow_flow){.protocol = w->frame.protocol,
							  .client = o->client,
							  .port = w->frame.sport,
							  .id = w->frame.id};
		s->table_flows[i] = (struct table_flow){
			.protocol = w->frame.protocol,
			.client = o->client,
			.port = w->frame.sport,
			.target = o->forward.raddr,
			.target_port = target_port(o),
			.mark = o->forward.kind == CHECK_MFW ? o->forward.mark : 0,
			.near = o->near};
		add_device(s, o->outside);
		if (!o->target_here)
			add_device(s, o->inside);
	}
	nl_close(&nl);
}

/* Table flows without holes. */
static int make_table(struct session *s)
{
	struct table_flow *v = calloc(s->n + 1, sizeof(*v));
	size_t n = 0;
	int err;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		if (s->flows[i].by)
			v[n++] = s->table_flows[i];
	err = n ? table_open(&s->table, s->family, v, n, (const char(*)[IF_NAMESIZE])s->devices,
			     s->device_count)
		: -ENOENT;
	free(v);
	return err;
}

static void read_events(const struct trace_event *e, void *arg)
{
	struct session *s = arg;

	follow_event(&s->follow, e);
}

static void read_all(struct session *s)
{
	if (s->trace.socket)
		trace_read(&s->trace, read_events, s);
	legacy_read(&s->legacy, &s->follow);
	ears_listen(&s->ears);
}

static void send_one(struct session *s, size_t i)
{
	struct send_flow *w = &s->flows[i];
	struct follow_flow *f = &s->follow_flows[i];
	uint8_t frame[FRAME_MAX];
	char reason[sizeof(f->out.reason)];
	size_t n = frame_first(frame, w->mac, &w->frame);
	int err;

	reason_last(&s->reason, reason, 0);
	err = inject_send(w->by, frame, n);
	if (err) {
		explain(s->o[i]->unable, err, "sending a packet");
		return;
	}
	w->sent = f->out.sent = true;
	read_all(s);
	reason_last(&s->reason, reason, sizeof(reason));
	if (!f->out.done)
		snprintf(f->out.reason, sizeof(f->out.reason), "%s", reason);
}

static void reset(const struct send_flow *w)
{
	uint8_t frame[FRAME_MAX];

	if (w->sent && w->frame.protocol == IPPROTO_TCP)
		inject_send(w->by, frame, frame_reset(frame, w->mac, &w->frame));
}

/* After a kill: the servers forget, and what is still on its way does not
 * leave. */
static void aftermath(void *arg)
{
	struct session *s = arg;

	legacy_restore(&s->legacy);
	for (size_t i = 0; i < s->n; i++) {
		s->flows[i].sent = s->flows[i].by != NULL;
		reset(&s->flows[i]);
	}
	usleep(AFTERMATH_US);
}

/* An answer has come: asks whether "fragmentation needed" would get through,
 * then hangs up. */
static void answered(struct session *s, size_t i)
{
	struct send_flow *w = &s->flows[i];
	struct follow_flow *f = &s->follow_flows[i];
	uint8_t frame[FRAME_MAX];
	bool to_here = s->o[i]->target_here;

	if (w->icmp_sent || !f->back.done || to_here)
		return;
	w->icmp_sent = true;
	f->closed = true;
	if (f->answer != MASQ_ANSWER_YES)
		return;
	inject_send(w->by, frame, frame_too_big(frame, w->mac, &w->frame, f->answer_seq));
	f->icmp.sent = true;
	read_all(s);
	reset(w);
}

/* Whether an answer may still come. */
static bool is_open(const struct session *s, size_t i)
{
	const struct follow_flow *f = &s->follow_flows[i];

	return s->flows[i].sent && f->out.done && !f->back.seen && !s->table_flows[i].held &&
	       !s->flows[i].given_up;
}

static size_t settle(struct session *s)
{
	size_t open = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->flows[i].sent)
			answered(s, i);
		open += is_open(s, i);
	}
	return open;
}

/* Many packets at once may meet a rule with a rate limit, which one client's
 * would not: those that were dropped go once more, with pauses. */
static void again_slowly(struct session *s)
{
	size_t dropped = 0;

	for (size_t i = 0; i < s->n; i++)
		dropped += s->flows[i].sent && s->follow_flows[i].out.drop.kind != MASQ_PLACE_NONE;
	/* as many as that are no burst; all of them are no limit */
	if (s->n <= FEW || dropped == s->n)
		return;
	for (size_t i = 0, sent = 0; i < s->n && sent < SLOWLY_MAX; i++) {
		if (!s->flows[i].sent || s->follow_flows[i].out.drop.kind == MASQ_PLACE_NONE)
			continue;
		sent++;
		poll(NULL, 0, PAUSE_MS);
		send_one(s, i);
	}
}

static void wait_for_answers(struct session *s)
{
	long begin = clock_ms(), now = begin;
	bool again = false;

	while (settle(s) && now - begin < PATIENCE_MS) {
		struct pollfd p = {.fd = mnl_socket_get_fd(s->trace.socket), .events = POLLIN};

		poll(&p, 1, 20);
		read_all(s);
		clock_tick(s->tick);
		now = clock_ms();
		if (again || now - begin < AGAIN_MS)
			continue;
		again = true;
		for (size_t i = 0; i < s->n; i++)
			if (is_open(s, i))
				send_one(s, i);
	}
	/* an answer that was seen but has not come out: its last events */
	poll(NULL, 0, 2);
	read_all(s);
	settle(s);
	for (size_t i = 0; i < s->n; i++)
		if (s->flows[i].sent && !s->flows[i].icmp_sent) {
			s->follow_flows[i].closed = true;
			s->flows[i].given_up = true;
			reset(&s->flows[i]);
		}
}

/* Servers that gave no answer, or refused. */
static void ask_silent(struct session *s)
{
	bool silent[SEND_MAX];

	for (size_t i = 0; i < s->n; i++) {
		const struct check_observed *o = s->o[i];
		const struct follow_flow *f = &s->follow_flows[i];

		silent[i] = o && !o->target_here && !o->target_error && !o->neighbour_failed &&
			    (!s->flows[i].sent ||
			     (f->out.done && (!f->back.seen || f->answer == MASQ_ANSWER_REFUSED)));
	}
	servers_ask(s->o, silent, s->n, &s->ears, s->tick);
	read_all(s);
}

/* A server that answers our probes from near and far may have been too busy for
 * the packet, or its answer came late: it gets another chance. */
static void once_more(struct session *s)
{
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		const struct check_observed *o = s->o[i];
		struct follow_flow *f = &s->follow_flows[i];

		if (!s->flows[i].given_up || f->back.seen || !f->out.done || !o->probed ||
		    o->near_answer != MASQ_ANSWER_YES || o->far_answer != MASQ_ANSWER_YES ||
		    o->forward.protocol != IPPROTO_TCP)
			continue;
		s->flows[i].given_up = f->closed = false;
		send_one(s, i);
		any = true;
	}
	if (any)
		wait_for_answers(s);
}

static void store(struct session *s)
{
	follow_end(&s->follow);
	for (size_t i = 0; i < s->n; i++) {
		struct check_observed *o = s->o[i];
		const struct follow_flow *f = &s->follow_flows[i];

		if (!o || !s->flows[i].sent)
			continue;
		o->out = f->out;
		o->back = f->back;
		o->icmp = f->icmp;
		o->answer = f->answer;
		source_observe(o);
		o->no_labels = o->near && !s->table.labels;
		ruleset_describe(&s->ruleset, &o->out.drop);
		ruleset_describe(&s->ruleset, &o->out.early);
		ruleset_describe(&s->ruleset, &o->out.nat);
		ruleset_describe(&s->ruleset, &o->out.snat);
		ruleset_describe(&s->ruleset, &o->back.drop);
		ruleset_describe(&s->ruleset, &o->back.early);
		ruleset_describe(&s->ruleset, &o->icmp.drop);
	}
}

static void unable(struct session *s, int err, const char *what)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->o[i] && !s->o[i]->unable[0])
			explain(s->o[i]->unable, err, what);
}

/* Everything that has to be there before the first packet; false: unable says
 * why not. */
static bool set_up(struct session *s)
{
	int err = ruleset_read(&s->ruleset);

	if (!err)
		err = trace_open(&s->trace);
	if (err) {
		unable(s, err, "tracing packets");
		return false;
	}
	prepare(s);
	servers_find(s->o, s->n, &s->ears, s->tick);
	for (size_t i = 0; i < s->n; i++)
		s->table_flows[i].held = s->o[i] && s->o[i]->neighbour_failed;
	err = make_table(s);
	if (err) {
		unable(s, err, "making a table of our own");
		return false;
	}
	s->follow = (struct follow){.table = s->table.name,
				    .ruleset = &s->ruleset,
				    .flows = s->follow_flows,
				    .flow_count = s->n,
				    .interface = interface_name};
	if (ruleset_has_legacy(&s->ruleset, s->family->af))
		legacy_open(&s->legacy, s->family);
	/* it has to know before the logger is changed */
	s->legacy.changed = s->legacy.open && strcmp(s->legacy.before, "nfnetlink_log");
	if (!guardian_start(&s->guardian, aftermath, s)) {
		s->legacy.changed = false;
		unable(s, -EAGAIN, "starting the process that cleans up");
		return false;
	}
	if (s->legacy.open)
		legacy_start(&s->legacy);
	return true;
}

static void run(struct session *s)
{
	bool ready = set_up(s);

	for (size_t i = 0; ready && i < s->n; i++)
		if (s->flows[i].by) {
			send_one(s, i);
			/* few half-open connections at once: servers have short
			 * queues */
			if (i % AT_ONCE == AT_ONCE - 1)
				settle(s);
		}
	if (ready) {
		again_slowly(s);
		wait_for_answers(s);
	}
	ask_silent(s);
	if (ready) {
		once_more(s);
		store(s);
	}
}

static void end(struct session *s)
{
	legacy_restore(&s->legacy);
	legacy_close(&s->legacy);
	guardian_dismiss(&s->guardian);
	follow_free(&s->follow);
	nl_close(&s->trace);
	table_close(&s->table);
	ruleset_free(&s->ruleset);
	reason_close(&s->reason);
	ears_close(&s->ears);
	for (size_t i = 0; i < s->injector_count; i++)
		inject_close(&s->injectors[i]);
}

void send_packets(const struct family *family, struct check_observed *const *o, size_t n,
		  const struct tick *tick)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s) {
		for (size_t i = 0; i < n; i++)
			if (o[i])
				explain(o[i]->unable, -ENOMEM, "tracing packets");
		return;
	}
	s->o = o;
	s->family = family;
	s->tick = tick;
	s->n = n < SEND_MAX ? n : SEND_MAX;
	reason_open(&s->reason);
	ears_open(&s->ears, family);
	run(s);
	end(s);
	free(s);
}
