// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge.h"

#include <string.h>

#include "judge_packet.h"
#include "judge_reach.h"
#include "judge_reading.h"
#include "judge_server.h"

/* Without packets of our own: what the look-ups and probes show. */
static bool judge_unsent(struct verdict *v, const struct check_observed *o)
{
	if (judge_rp_filter(v, o) || judge_no_route(v, o))
		return true;
	if (!o->marks_route && o->back_oif[0] && strcmp(o->back_oif, o->outside) && !o->target_here)
		return judge_asymmetric(v, o, o->back_oif);
	/* the probes were answered, so there is nothing to explain */
	if (o->near_answer == MASQ_ANSWER_YES && o->far_answer == MASQ_ANSWER_YES)
		return false;
	return o->probed && !o->target_here && judge_silence(v, o);
}

static bool judge_live(struct verdict *v, const struct check_observed *o)
{
	if (o->live_seen)
		return false;
	verdict_broken(v, "no-packet");
	CAUSE(v, "no connection to it arrived within %u seconds", o->live_seconds);
	EVIDENCE(v, "no packet for the service was seen on any interface");
	CURE(v, "connect from outside meanwhile; if you did, a provider or a router before "
		"this machine drops it");
	return true;
}

static void judge_well(struct verdict *v, const struct check_observed *o)
{
	const struct check_forward *f = &o->forward;

	if (o->unable[0] || !o->out.sent) {
		EVIDENCE(v,
			 "routes, sysctls%s show nothing wrong; the way through the firewall was "
			 "not tried: %s",
			 o->probed ? ", and a connection from here," : "",
			 o->unable[0] ? o->unable : "no packet was sent");
		verdict_warn(v, "only looked, no packet was sent: %s",
			     o->unable[0] ? o->unable : "not asked to");
		return;
	}
	if (o->target_here) {
		EVIDENCE(v, "a %s from %s to %s was delivered to this machine for %s",
			 verdict_packet(f), IP(o->client), IP_PORT(o->dest, o->dport),
			 IP_PORT(f->raddr, verdict_port(o)));
		return;
	}
	if (o->back.seen) {
		EVIDENCE(v, "a %s from %s to %s came out at %s for %s, its answer at %s",
			 verdict_packet(f), IP(o->client), IP_PORT(o->dest, o->dport), o->out.oif,
			 IP_PORT(f->raddr, verdict_port(o)),
			 o->out.own ? "this machine" : o->back.oif);
		return;
	}
	EVIDENCE(v, "a %s from %s to %s came out at %s for %s", verdict_packet(f), IP(o->client),
		 IP_PORT(o->dest, o->dport), o->out.oif, IP_PORT(f->raddr, verdict_port(o)));
	verdict_warn(
		v,
		"%s gave no answer to an empty datagram, as many UDP services do: its side was not "
		"tested",
		IP(f->raddr));
}

bool judge_is_about_reach(const struct check_observed *o)
{
	struct verdict v = {.state = VERDICT_OK, .code = "ok"};

	return judge_own(&v, o) || judge_hairpin(&v, o);
}

bool judge_is_final(const struct check_observed *o)
{
	struct verdict v = {.state = VERDICT_OK, .code = "ok"};

	return judge_reading(&v, o);
}

static void judge_all(struct verdict *v, const struct check_observed *o)
{
	const struct check_forward *f = &o->forward;

	if (o->none) {
		judge_none(v, o);
		return;
	}
	if (judge_reading(v, o))
		return;
	if (o->live && judge_live(v, o))
		return;
	if (o->out.sent || o->live ? judge_own(v, o) || judge_out(v, o) || judge_hairpin(v, o) ||
					     judge_back(v, o) || judge_icmp(v, o)
				   : judge_unsent(v, o))
		return;
	judge_well(v, o);
	if (o->running)
		verdict_warn(v, "%u running flow%s on with a server that is no target any more",
			     o->running, o->running == 1 ? " goes" : "s go");
	if (o->driver_xdp && o->out.sent && !o->live)
		verdict_warn(v,
			     "an XDP program runs in the driver of %s, in front of what was tried: "
			     "what it drops, --live shows",
			     o->outside);
	if (o->listener && !o->target_here)
		verdict_warn(v,
			     "a program on this machine listens on %s port %u, too; the forward "
			     "hides it",
			     verdict_protocol(f), o->dport);
}

/* The kernel takes any word for an interface's name; no command of ours has one
 * in it that a shell would read otherwise. */
static void drop_cure_with(struct verdict *v, const char *interface)
{
	char setting[64];

	verdict_conf(setting, "", interface, "");
	if (*interface && !check_is_plain(interface) &&
	    (strstr(v->cure, interface) || strstr(v->cure, setting + strlen("net..conf."))))
		v->cure[0] = v->note[0] = '\0';
}

void judge(struct verdict *v, const struct check_observed *o)
{
	*v = (struct verdict){.state = VERDICT_OK, .code = "ok"};
	judge_all(v, o);
	drop_cure_with(v, o->outside);
	drop_cure_with(v, o->inside);
}
