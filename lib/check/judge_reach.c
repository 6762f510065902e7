// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge_reach.h"

#include <string.h>

#include "cure.h"

/* Makes our table anew, with all its chains and rules. */
static void make_anew(struct verdict *v, const struct check_observed *o)
{
	CURE(v,
	     "ipmasqadm save /run/ipmasqadm.saved && nft delete table %s ipmasqadm && ipmasqadm "
	     "restore /run/ipmasqadm.saved",
	     family_of(&o->forward)->word);
	NOTE(v, "what somebody has put into that table goes with it: nft list table %s ipmasqadm",
	     family_of(&o->forward)->word);
}

bool judge_own(struct verdict *v, const struct check_observed *o)
{
	const struct check_flight *x = &o->out;
	const struct check_forward *f = &o->forward;

	if (!x->own || strcmp(x->oif, "lo") != 0 || !x->past_nat ||
	    !address_equal(&x->nat_daddr, &o->dest) || x->nat_dport != o->dport ||
	    address_equal(&o->dest, &f->raddr))
		return false;
	verdict_broken(v, "from-here");
	EVIDENCE(v, "from %s to %s, by lo: no rule has translated it", IP(o->client),
		 IP_PORT(o->dest, o->dport));
	if (family_is_loopback(&o->dest)) {
		CAUSE(v, "the connection is to a loopback address: what is for that stays here");
		CURE(v, "use another address of this machine, or %s itself",
		     IP_PORT(f->raddr, verdict_port(o)));
	} else if (o->own_off) {
		CAUSE(v, "the connection comes from this machine itself, and those are switched "
			 "off for all forwards");
		CURE(v, "ipmasqadm reach -e own");
	} else {
		CAUSE(v, "the connection comes from this machine itself, and something keeps it "
			 "from the forward");
		make_anew(v, o);
	}
	return true;
}

/* Another rule's source address leads the answer away: it shall let these
 * connections pass. */
static void judge_source(struct verdict *v, const struct check_observed *o)
{
	const struct check_place *p = &o->out.snat;
	const struct family *a = family_of(&o->forward);
	struct masq_address net = o->inside_address;
	char networks[128];

	CAUSE(v,
	      "client and server are on one network, and another rule gives the client the "
	      "address %s, which is not this machine's",
	      IP(o->out.saddr));
	cure_place(v->evidence, sizeof(v->evidence), p);
	family_network(&net, o->inside_prefix);
	if (p->kind == MASQ_PLACE_NONE || p->owned || !check_is_plain(p->table) ||
	    !check_is_plain(p->base))
		return;
	if (p->iptables) {
		CURE(v, "%s -t nat -I %s -s %s/%u -d %s/%u -m conntrack --ctstate DNAT -j ACCEPT",
		     p->program, p->base, IP(net), o->inside_prefix, IP(net), o->inside_prefix);
	} else {
		verdict_put(networks, sizeof(networks), "%s saddr %s/%u %s daddr %s/%u", a->word,
			    IP(net), o->inside_prefix, a->word, IP(net), o->inside_prefix);
		CURE(v, "nft insert rule %s %s %s %s ct status dnat accept", p->family, p->table,
		     p->base, networks);
	}
	cure_lasting(v->note, sizeof(v->note), p);
}

/* Nobody is masqueraded, so it takes a rule by hand. */
static void judge_unlabelled(struct verdict *v, const struct check_observed *o)
{
	const struct family *a = family_of(&o->forward);
	struct masq_address net = o->inside_address;

	CAUSE(v, "client and server are on one network, and this kernel has no labels of "
		 "connections (CONFIG_NF_CONNTRACK_LABELS), so our rules masquerade nobody");
	family_network(&net, o->inside_prefix);
	CURE(v,
	     "nft 'add table %s hairpin; add chain %s hairpin postrouting { type nat hook "
	     "postrouting priority srcnat; }; add rule %s hairpin postrouting %s saddr %s/%u %s "
	     "daddr %s/%u ct status dnat masquerade'",
	     a->word, a->word, a->word, a->word, IP(net), o->inside_prefix, a->word, IP(net),
	     o->inside_prefix);
	NOTE(v, "a reboot undoes it; to last: in /etc/nftables.conf");
}

bool judge_hairpin(struct verdict *v, const struct check_observed *o)
{
	const struct check_forward *f = &o->forward;

	if (!o->near || !o->out.done || o->back.seen || (o->masqueraded && !o->source_elsewhere))
		return false;
	verdict_broken(v, "hairpin");
	if (o->source_elsewhere) {
		judge_source(v, o);
		return true;
	}
	EVIDENCE(v, "%s came in by %s, where %s is, too, and left with its own address",
		 IP(o->client), o->outside, IP(f->raddr));
	if (o->no_labels) {
		judge_unlabelled(v, o);
	} else if (o->inside_off) {
		CAUSE(v, "client and server are on one network, and inside clients are switched "
			 "off for all forwards: the server answers the client directly");
		CURE(v, "ipmasqadm reach -e inside");
	} else {
		CAUSE(v, "client and server are on one network, and something keeps our rule from "
			 "masquerading: the server answers the client directly");
		make_anew(v, o);
	}
	return true;
}
