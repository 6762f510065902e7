// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge_packet.h"

#include <stdio.h>
#include <string.h>

#include "cure.h"
#include "judge_reading.h"
#include "judge_server.h"
#include "table.h"

enum { LAST_TAP = 1000 };

static const char *const hook_names[] = {
	[MASQ_HOOK_NONE] = "nowhere",
	[MASQ_HOOK_INGRESS] = "ingress",
	[MASQ_HOOK_PREROUTING] = "prerouting",
	[MASQ_HOOK_INPUT] = "input",
	[MASQ_HOOK_FORWARD] = "forward",
	[MASQ_HOOK_OUTPUT] = "output",
	[MASQ_HOOK_POSTROUTING] = "postrouting",
};

/* Whether a rule looks at the source: as its tool prints it, with sets, too. */
static bool is_about_source(const struct check_place *p)
{
	return strstr(p->text, "saddr ") || strstr(p->text, " -s ") || strstr(p->text, " src") ||
	       strstr(p->text, " --src-");
}

/* Firewalls drop what has an address for documentation, with reason. */
static void note_client(struct verdict *v, const struct check_observed *o)
{
	size_t n = strlen(v->note);

	verdict_put(v->note + n, sizeof(v->note) - n,
		    "%sif that rule is meant for addresses like %s alone, leave it and play one "
		    "of your clients: --from ADDRESS",
		    n ? "; " : "", IP(o->client));
}

/* A rule or policy that drops. */
static bool judge_drop(struct verdict *v, const struct check_observed *o,
		       const struct check_flight *x, const struct cure_packet *what, bool back)
{
	const struct check_place *p = &x->drop;
	bool early = p->hook == MASQ_HOOK_INGRESS || p->hook == MASQ_HOOK_PREROUTING;
	bool policy = p->kind == MASQ_PLACE_POLICY || p->kind == MASQ_PLACE_LEGACY_POLICY;

	if (p->kind == MASQ_PLACE_NONE)
		return false;
	if (back)
		verdict_broken(v, "filter-back");
	else if (p->kind == MASQ_PLACE_LEGACY_RULE || p->kind == MASQ_PLACE_LEGACY_POLICY)
		verdict_broken(v, "legacy");
	else
		verdict_broken(v, early ? "early-drop" : "filter");
	CAUSE(v, "%s %s is dropped by another %s in %s", back ? "the answer to" : "the packet from",
	      IP(o->client), policy ? "chain's policy" : "rule", hook_names[p->hook]);
	cure_place(v->evidence, sizeof(v->evidence), p);
	cure_pass(v->cure, sizeof(v->cure), p, what);
	cure_lasting(v->note, sizeof(v->note), p);
	if (!back && !o->live && is_about_source(p))
		note_client(v, o);
	return true;
}

/* Lost where no rule of nf_tables or iptables is. */
static bool judge_lost(struct verdict *v, const struct check_observed *o,
		       const struct check_flight *x, bool back)
{
	const char *what = back ? "the answer" : "the packet";
	char reason[80] = "";
	int next;

	if (x->reason[0])
		snprintf(reason, sizeof(reason), "; the kernel's reason: %s", x->reason);
	if (!x->seen || x->hook == MASQ_HOOK_INGRESS) {
		verdict_broken(v, back ? "filter-back" : "early-drop");
		CAUSE(v, "%s is dropped before the first hook of netfilter", what);
		EVIDENCE(v, "it came in by %s and was not seen at %s%s",
			 back ? o->inside : o->outside, x->seen ? "prerouting" : "ingress", reason);
		CURE(v,
		     "look for XDP and tc programs: ip link show dev %s; tc filter show dev %s "
		     "ingress",
		     back ? o->inside : o->outside, back ? o->inside : o->outside);
		return true;
	}
	if (x->hook == MASQ_HOOK_PREROUTING && x->priority == LAST_TAP) {
		verdict_broken(v, "routing");
		CAUSE(v, "the kernel's routing drops %s", what);
		EVIDENCE(v, "it was last seen behind all prerouting chains, for %s%s", IP(x->daddr),
			 reason);
		CURE(v, "look what the kernel says: %s route get %s from %s iif %s",
		     family_of(&o->forward)->ip, IP(x->daddr), IP(x->saddr),
		     x->iif[0] ? x->iif : o->outside);
		return true;
	}
	verdict_broken(v, back ? "filter-back" : "hook-drop");
	CAUSE(v, "%s is dropped by something that is neither nf_tables nor iptables", what);
	if (!table_next_tap(x->hook, x->priority, &next))
		next = LAST_TAP;
	EVIDENCE(v, "it was last seen at %s, priority %d, and not at %d%s", hook_names[x->hook],
		 x->priority, next, reason);
	CURE(v, "look for what hangs there: nft list hooks");
	return true;
}

static bool judge_untracked(struct verdict *v, const struct check_flight *x,
			    const struct cure_packet *what)
{
	if (!x->untracked)
		return false;
	verdict_broken(v, "notrack");
	CAUSE(v, "%s is taken out of connection tracking, so it is not forwarded",
	      what->answer ? "the answer" : "the packet");
	cure_place(v->evidence, sizeof(v->evidence), &x->early);
	if (x->early.kind == MASQ_PLACE_NONE)
		EVIDENCE(v,
			 "it is untracked behind the raw chains (notrack, or iptables -j NOTRACK "
			 "or CT --notrack)");
	cure_pass(v->cure, sizeof(v->cure), &x->early, what);
	cure_lasting(v->note, sizeof(v->note), &x->early);
	return true;
}

static bool judge_translation(struct verdict *v, const struct check_observed *o,
			      const struct cure_packet *what)
{
	const struct check_flight *x = &o->out;
	const struct check_forward *f = &o->forward;
	char place[800];

	if (o->shadow_mark) {
		verdict_broken(v, "not-matched");
		CAUSE(v, "its packets carry mark %u, which mfw forwards elsewhere", x->mark);
		EVIDENCE(v,
			 "in front of the forwards the packet has mark %u, and services by mark "
			 "come first",
			 x->mark);
		CURE(v, "ipmasqadm mfw -D -m %u", x->mark);
		NOTE(v, "or do not mark these packets");
		return true;
	}
	if (!x->past_nat ||
	    (address_equal(&x->nat_daddr, &f->raddr) && x->nat_dport == verdict_port(o)))
		return false;
	if (address_equal(&x->nat_daddr, &o->dest) && x->nat_dport == o->dport) {
		verdict_broken(v, "not-matched");
		CAUSE(v, "the forward does not take its packets");
		EVIDENCE(v, "the %s for %s came out of the nat chains unchanged%s",
			 verdict_packet(f), IP_PORT(o->dest, o->dport),
			 x->established ? ": conntrack takes it for an old connection's" : "");
		CURE(v,
		     "look at what is there: ipmasqadm portfw -l -n; nft list table %s ipmasqadm",
		     family_of(f)->word);
		return true;
	}
	verdict_broken(v, "other-nat");
	CAUSE(v, "another rule translates it first, to %s", IP_PORT(x->nat_daddr, x->nat_dport));
	cure_place(place, sizeof(place), &x->nat);
	EVIDENCE(v, "%s",
		 x->nat.kind == MASQ_PLACE_NONE
			 ? "a nat chain that does not show its rules in a trace"
			 : place);
	cure_pass(v->cure, sizeof(v->cure), &x->nat, what);
	cure_lasting(v->note, sizeof(v->note), &x->nat);
	return true;
}

/* What became of our packet on its way to the server. */
bool judge_out(struct verdict *v, const struct check_observed *o)
{
	const struct check_flight *x = &o->out;
	const struct cure_packet what = {.family = family_of(&o->forward),
					 .protocol = o->forward.protocol,
					 .address = o->dest,
					 .port = o->dport};

	if (judge_untracked(v, x, &what) || judge_translation(v, o, &what))
		return true;
	if (x->done || (o->target_here && x->local))
		return false;
	if (judge_drop(v, o, x, &what, false))
		return true;
	/* lost: the look-ups explain what routing does */
	if (x->hook == MASQ_HOOK_PREROUTING && x->priority == LAST_TAP &&
	    (judge_rp_filter(v, o) || judge_no_route(v, o)))
		return true;
	return judge_lost(v, o, x, false);
}

/* Every address is tried by more than one packet only where that matters: a
 * port of a range is free until a program wants it. */
static bool may_be_idle(const struct check_forward *f)
{
	return f->kind == CHECK_AUTOFW || (f->kind == CHECK_MFW && !f->rport);
}

bool judge_back(struct verdict *v, const struct check_observed *o)
{
	const struct check_flight *x = &o->back;
	const struct cure_packet what = {.family = family_of(&o->forward),
					 .protocol = o->forward.protocol,
					 .address = o->forward.raddr,
					 .port = verdict_port(o),
					 .answer = true};

	if (o->target_here)
		return false;
	if (!x->seen)
		return judge_silence(v, o);
	/* said by this machine itself: its way out is not the server's
	 * answer's */
	if (x->own && o->answer == MASQ_ANSWER_UNREACHABLE)
		return judge_down(v, o);
	if (judge_untracked(v, x, &what))
		return true;
	if (!x->done) {
		if (judge_drop(v, o, x, &what, true))
			return true;
		if (x->hook == MASQ_HOOK_PREROUTING && x->priority == LAST_TAP &&
		    judge_no_route(v, o))
			return true;
		return judge_lost(v, o, x, true);
	}
	if (o->outside[0] && x->oif[0] && strcmp(x->oif, o->outside))
		return judge_asymmetric(v, o, x->oif);
	if (o->answer == MASQ_ANSWER_REFUSED) {
		if (!may_be_idle(&o->forward))
			return judge_refused(v, o, false);
		verdict_warn(v, "nothing listens on %s port %u at the moment", IP(o->forward.raddr),
			     verdict_port(o));
	}
	if (o->answer == MASQ_ANSWER_UNREACHABLE)
		return judge_down(v, o);
	if (o->answer == MASQ_ANSWER_PROHIBITED) {
		verdict_broken(v, "no-answer");
		CAUSE(v, "%s or a router before it rejects the connection", IP(o->forward.raddr));
		EVIDENCE(v, "the answer is ICMP \"administratively prohibited\"");
		CURE(v, "on %s: let %s port %u in", IP(o->forward.raddr),
		     verdict_protocol(&o->forward), verdict_port(o));
		return true;
	}
	return false;
}

bool judge_icmp(struct verdict *v, const struct check_observed *o)
{
	const struct check_flight *x = &o->icmp;
	const struct cure_packet what = {.family = family_of(&o->forward), .too_big = true};

	if (!x->sent || x->done || (o->target_here && x->local))
		return false;
	if (!judge_drop(v, o, x, &what, false))
		judge_lost(v, o, x, false);
	v->code = "pmtu";
	CAUSE(v, "%s is dropped: large transfers will hang", family_of(&o->forward)->too_big);
	return true;
}
