// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge_server.h"

#include <string.h>

bool judge_refused(struct verdict *v, const struct check_observed *o, bool near)
{
	const struct check_forward *f = &o->forward;
	char now[VERDICT_LINE], better[VERDICT_LINE];

	verdict_broken(v, "refused");
	CAUSE(v, "nothing listens on %s, %s port %u", IP(f->raddr), verdict_protocol(f),
	      verdict_port(o));
	EVIDENCE(v, "%s answered %s with %s%s", IP(f->raddr),
		 near ? "a connection from this machine" : "our packet",
		 f->protocol == IPPROTO_UDP ? "ICMP \"port unreachable\"" : "a reset",
		 o->other_port == MASQ_ANSWER_YES ? "; it does answer on the local port" : "");
	if (o->other_port == MASQ_ANSWER_YES && f->kind == CHECK_PORTFW) {
		verdict_forward(now, f, f->rport);
		verdict_forward(better, f, f->lport);
		CURE(v, "ipmasqadm portfw -a %s && ipmasqadm portfw -d %s", better, now);
		return true;
	}
	CURE(v, "on %s: start what shall answer on %s port %u (ss -l%sn shows what listens)",
	     IP(f->raddr), verdict_protocol(f), verdict_port(o),
	     f->protocol == IPPROTO_UDP ? "u" : "t");
	return true;
}

static void masquerade(struct verdict *v, const struct check_observed *o)
{
	const struct family *a = family_of(&o->forward);

	CURE(v,
	     "nft 'add table %s back; add chain %s back postrouting { type nat hook postrouting "
	     "priority srcnat; }; add rule %s back postrouting %s daddr %s ct status dnat "
	     "masquerade'",
	     a->word, a->word, a->word, a->word, IP(o->forward.raddr));
	NOTE(v,
	     "then the server sees this machine as the client; a reboot undoes it; to last: in "
	     "/etc/nftables.conf. Or on %s: %s route replace default via %s",
	     IP(o->forward.raddr), a->ip, IP(o->inside_address));
}

bool judge_down(struct verdict *v, const struct check_observed *o)
{
	const struct masq_address *next = o->gateway.family ? &o->gateway : &o->forward.raddr;

	verdict_broken(v, "host-down");
	CAUSE(v, "%s is not reachable", IP(o->forward.raddr));
	if (o->neighbour_failed || o->back.own)
		EVIDENCE(v, "nobody on %s answers %s for %s", o->inside,
			 family_of(&o->forward)->neighbours, IP(*next));
	else
		EVIDENCE(v, "a router answered that it is unreachable");
	CURE(v, "on %s: start it, or plug it in; else correct the target", IP(o->forward.raddr));
	return true;
}

/* The packet left, and nothing came back. */
bool judge_silence(struct verdict *v, const struct check_observed *o)
{
	const struct check_forward *f = &o->forward;
	bool near = o->near_answer == MASQ_ANSWER_YES || o->near_answer == MASQ_ANSWER_REFUSED;

	if (o->neighbour_failed || o->near_answer == MASQ_ANSWER_UNREACHABLE)
		return judge_down(v, o);
	if (o->near_answer == MASQ_ANSWER_REFUSED)
		return judge_refused(v, o, true);
	if (o->other_gateway.family) {
		verdict_broken(v, "default-route");
		CAUSE(v, "%s sends its answers to another router, %s", IP(f->raddr),
		      IP(o->other_gateway));
		EVIDENCE(v, "after our packet %s asked by %s for %s; this machine is %s there",
			 IP(f->raddr), family_of(f)->neighbours, IP(o->other_gateway),
			 IP(o->inside_address));
		masquerade(v, o);
		return true;
	}
	/* a silent UDP service is no fault; a host that is silent to the
	 * outside address is */
	if (near && (f->protocol == IPPROTO_TCP || o->far_answer == MASQ_ANSWER_NONE)) {
		verdict_broken(v, "no-answer-far");
		CAUSE(v,
		      "%s answers this machine, but not clients from afar: it has no default "
		      "route, or another, or its own firewall admits only its network",
		      IP(f->raddr));
		if (o->far_answer != MASQ_ANSWER_NONE)
			EVIDENCE(v, "it answers %s and %s, but not %s", IP(o->inside_address),
				 IP(o->dest), IP(o->client));
		else if (o->out.sent)
			EVIDENCE(v, "it answers %s, but not %s and not %s", IP(o->inside_address),
				 IP(o->dest), IP(o->client));
		else
			EVIDENCE(v, "it answers %s, but not %s", IP(o->inside_address),
				 IP(o->dest));
		masquerade(v, o);
		return true;
	}
	if (f->protocol == IPPROTO_UDP)
		return false;
	verdict_broken(v, "no-answer");
	CAUSE(v, "%s does not answer on tcp port %u", IP(f->raddr), verdict_port(o));
	EVIDENCE(v, "%s, and neither our packet nor a connection from %s got an answer",
		 o->gateway.family ? "it is behind another router" : "the host is there",
		 IP(o->inside_address));
	CURE(v, "on %s: let tcp port %u in, its own firewall drops it", IP(f->raddr),
	     verdict_port(o));
	return true;
}
