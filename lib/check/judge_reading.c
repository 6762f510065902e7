// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge_reading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void judge_none(struct verdict *v, const struct check_observed *o)
{
	verdict_broken(v, "none");
	if (o->everything || !o->others) {
		CAUSE(v, "there is no forward");
		EVIDENCE(v,
			 "table %s ipmasqadm has none: something may have flushed the whole "
			 "ruleset, as \"flush ruleset\" in /etc/nftables.conf does",
			 family_of(&o->forward)->word);
		CURE(v, "ipmasqadm restore /etc/ipmasqadm.conf");
		NOTE(v, "if that file is there; \"systemctl enable ipmasqadm\" does it at boot");
		return;
	}
	CAUSE(v, "there is no such forward");
	EVIDENCE(v, "there %s %zu other%s", o->others == 1 ? "is" : "are", o->others,
		 o->others == 1 ? "" : "s");
	CURE(v, "look at what there is: ipmasqadm portfw -l -n; ipmasqadm mfw -L -n");
}

static bool judge_target_here(struct verdict *v, const struct check_observed *o)
{
	const struct check_forward *f = &o->forward;
	bool loopback = family_is_loopback(&f->raddr);
	char now[VERDICT_LINE];

	if (!o->target_here)
		return false;
	if (loopback && !o->route_localnet) {
		verdict_broken(v, "target-here");
		CAUSE(v, "the target is this machine's own loopback address");
		EVIDENCE(v,
			 "packets that come in by %s for %s are dropped "
			 "(net.ipv4.conf.%s.route_localnet is 0)",
			 o->outside, IP(f->raddr), o->outside);
		if (f->kind == CHECK_PORTFW && verdict_port(o) != f->lport) {
			verdict_forward(now, f, verdict_port(o));
			CURE(v,
			     "ipmasqadm portfw -a -P %s -L %s %u -R %s %u && ipmasqadm portfw -d "
			     "%s",
			     verdict_protocol(f), LOCAL(f), f->lport, IP(o->dest), verdict_port(o),
			     now);
			NOTE(v,
			     "the program has to listen on %s, too; without a forward it serves "
			     "that address by itself",
			     IP(o->dest));
		} else if (f->kind == CHECK_PORTFW) {
			verdict_forward(now, f, verdict_port(o));
			CURE(v, "ipmasqadm portfw -d %s", now);
			NOTE(v, "let the program listen on %s itself: no forward is needed",
			     IP(o->dest));
		}
		return true;
	}
	if (o->target_listens || f->protocol == IPPROTO_UDP)
		return false;
	verdict_broken(v, "target-here");
	CAUSE(v, "the target is this machine itself, and no program here listens there");
	EVIDENCE(v, "%s is an address of this machine; nothing listens on %s port %u", IP(f->raddr),
		 verdict_protocol(f), verdict_port(o));
	CURE(v, "start the program that shall listen on %s port %u", IP(f->raddr), verdict_port(o));
	return true;
}

static bool judge_not_local(struct verdict *v, const struct check_observed *o)
{
	const struct check_forward *f = &o->forward;

	verdict_broken(v, "not-local");
	if (f->interface[0]) {
		CAUSE(v,
		      o->no_interface ? "there is no interface %s" : "interface %s has no address",
		      f->interface);
		EVIDENCE(v, "the forward takes what %s has, which is no %s address at the moment",
			 f->interface, family_of(f)->af == AF_INET6 ? "IPv6" : "IPv4");
		CURE(v, "bring %s up, or correct -L: \"ip address\" shows what this machine has",
		     f->interface);
		NOTE(v,
		     "the forward need not be made anew: it learns of addresses that come later");
		return true;
	}
	CAUSE(v, "%s is not an address of this machine", IP(o->dest));
	EVIDENCE(v, "the kernel does not route packets for %s to this machine itself", IP(o->dest));
	CURE(v, "ip address add %s/%u dev %s", IP(o->dest), family_of(f)->size * 8,
	     o->outside[0] ? o->outside : "INTERFACE");
	NOTE(v, "a reboot undoes it; to last: in the network configuration; or correct "
		"-L: \"ip address\" shows what this machine has");
	return true;
}

static bool judge_forwarding(struct verdict *v, const struct check_observed *o)
{
	const bool six = family_of(&o->forward)->af == AF_INET6;
	const char *switched = six ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward";
	const char *name = o->outside_forward == 0 ? o->outside : o->inside;
	char setting[128], of_interface[64];

	if (o->ip_forward == 0) {
		/* a router that listens to no routers would lose its own
		 * default route */
		if (six && o->accept_ra == 1) {
			verdict_conf(of_interface, "ipv6", o->outside, "accept_ra");
			snprintf(setting, sizeof(setting), "%s=2 %s=1", of_interface, switched);
		} else {
			snprintf(setting, sizeof(setting), "%s=1", switched);
		}
		verdict_broken(v, "forward-off");
		CAUSE(v, "forwarding is off");
		EVIDENCE(v, "%s is 0", switched);
		CURE(v, "sysctl -w %s", setting);
		verdict_sysctl(v, setting);
		return true;
	}
	if (o->outside_forward != 0 && o->inside_forward != 0)
		return false;
	verdict_conf(of_interface, family_of(&o->forward)->sysctl, name,
		     six ? "force_forwarding" : "forwarding");
	snprintf(setting, sizeof(setting), "%s=1", of_interface);
	verdict_broken(v, "forward-off-if");
	CAUSE(v, "forwarding is off on interface %s", name);
	EVIDENCE(v, "%s is 0, so %s are not forwarded", of_interface,
		 o->outside_forward == 0 ? "clients' packets" : "the server's answers");
	CURE(v, "sysctl -w %s", setting);
	verdict_sysctl(v, setting);
	return true;
}

/* What reading alone shows. */
bool judge_reading(struct verdict *v, const struct check_observed *o)
{
	const struct check_forward *f = &o->forward;

	if (!o->local)
		return judge_not_local(v, o);
	if (judge_target_here(v, o))
		return true;
	if (o->dormant) {
		verdict_broken(v, "not-matched");
		CAUSE(v, "our own table is dormant, so no forward takes its packets");
		EVIDENCE(v, "table %s ipmasqadm has the flag dormant", family_of(f)->word);
		CURE(v, "nft add table %s ipmasqadm", family_of(f)->word);
		return true;
	}
	if (o->emptied) {
		verdict_broken(v, "not-matched");
		CAUSE(v, "our own chains have been emptied, so no forward takes its packets");
		EVIDENCE(v,
			 "the nat chains of table %s ipmasqadm at prerouting, or its chain "
			 "lookup, have no rule, as after \"nft flush table\"",
			 family_of(f)->word);
		CURE(v,
		     "ipmasqadm save /run/ipmasqadm.saved && nft delete table %s ipmasqadm && "
		     "ipmasqadm restore /run/ipmasqadm.saved",
		     family_of(f)->word);
		return true;
	}
	if (o->bar_chain[0]) {
		verdict_broken(v, "not-matched");
		CAUSE(v, "a rule that is not ours lets no packet through to our rules");
		EVIDENCE(v,
			 "the rule with handle %" PRIu64 " in chain %s of table %s ipmasqadm is in "
			 "front of ours, and no packet gets past it",
			 o->bar_handle, o->bar_chain, family_of(f)->word);
		CURE(v, "nft delete rule %s ipmasqadm %s handle %" PRIu64, family_of(f)->word,
		     o->bar_chain, o->bar_handle);
		return true;
	}
	if (o->shadow != SHADOW_NONE) {
		verdict_broken(v, "not-matched");
		CAUSE(v, "a more exact service takes its packets");
		EVIDENCE(v, "%s",
			 o->shadow == SHADOW_PORTFW ? "a portfw service has that port"
			 : f->interface[0] ? "every address of the interface has a forward of its "
					     "own on that port"
					   : "every address of this machine has a forward of its "
					     "own on that port");
		CURE(v, "delete one of the two: ipmasqadm portfw -l -n");
		return true;
	}
	if (!o->target_here && judge_forwarding(v, o))
		return true;
	if (o->conntrack_max && o->conntrack_count >= o->conntrack_max) {
		char setting[64];

		snprintf(setting, sizeof(setting), "net.netfilter.nf_conntrack_max=%u",
			 o->conntrack_max < 1u << 30 ? o->conntrack_max * 2 : o->conntrack_max);
		verdict_broken(v, "conntrack-full");
		CAUSE(v, "the connection table is full: new connections are dropped");
		EVIDENCE(v, "net.netfilter.nf_conntrack_count is %u, nf_conntrack_max is %u",
			 o->conntrack_count, o->conntrack_max);
		CURE(v, "sysctl -w %s", setting);
		verdict_sysctl(v, setting);
		return true;
	}
	if (o->stale) {
		verdict_broken(v, "stale");
		CAUSE(v, "an older connection entry holds a sender: its datagrams do not reach the "
			 "forward");
		EVIDENCE(v, "conntrack sends what %s port %u sends to %s port %u on to %s",
			 IP(o->stale_client), o->stale_port, IP(o->dest), o->dport,
			 IP(o->stale_server));
		CURE(v, "conntrack -D%s -p udp --orig-dst %s --orig-port-dst %u",
		     family_of(f)->af == AF_INET6 ? " -f ipv6" : "", IP(o->dest), o->dport);
		return true;
	}
	return false;
}

static bool is_loose(const struct check_observed *o)
{
	return o->rp_outside == 0 || (o->rp_outside == 2 && o->client_error == 0);
}

bool judge_rp_filter(struct verdict *v, const struct check_observed *o)
{
	char setting[128], of_interface[64];

	if (!o->client_error || is_loose(o))
		return false;
	verdict_broken(v, "rp-filter");
	CAUSE(v, "reverse path filtering drops what clients send");
	EVIDENCE(v,
		 "packets from %s that come in by %s are refused (rp_filter %d): the route to "
		 "that address is another interface's",
		 IP(o->client), o->outside, o->rp_outside);
	verdict_conf(of_interface, "ipv4", o->outside, "rp_filter");
	snprintf(setting, sizeof(setting), "%s=2", of_interface);
	CURE(v, "sysctl -w %s", setting);
	verdict_sysctl(v, setting);
	return true;
}

bool judge_no_route(struct verdict *v, const struct check_observed *o)
{
	const struct family *a = family_of(&o->forward);

	if (o->target_error) {
		verdict_broken(v, "no-route");
		CAUSE(v, "this machine has no route to %s", IP(o->forward.raddr));
		EVIDENCE(v, "looking up %s: %s", IP(o->forward.raddr), strerror(o->target_error));
		CURE(v, "%s route add %s via ROUTER", a->ip, IP(o->forward.raddr));
		NOTE(v, "ROUTER is the next router on the way there; or correct the target");
		return true;
	}
	if (o->back_error && !o->marks_route) {
		verdict_broken(v, "no-route");
		CAUSE(v, "this machine has no route for the answers");
		EVIDENCE(v, "looking up %s, where answers go: %s", IP(o->client),
			 strerror(o->back_error));
		CURE(v, "%s route add default via ROUTER dev %s", a->ip, o->outside);
		NOTE(v, "ROUTER is the provider's router");
		return true;
	}
	return false;
}

bool judge_asymmetric(struct verdict *v, const struct check_observed *o, const char *by)
{
	const struct family *a = family_of(&o->forward);
	char gateway[ADDRESS_TEXT_MAX] = "GATEWAY";

	verdict_broken(v, "asymmetric");
	CAUSE(v, "answers leave by %s, but clients come in by %s", by, o->outside);
	EVIDENCE(v, "the answer to %s is routed out of %s with source %s, which belongs to %s",
		 IP(o->client), by, IP(o->dest), o->outside);
	if (o->outside_gateway.family)
		address_text(gateway, &o->outside_gateway);
	CURE(v,
	     "nft 'add table %s uplinks; add chain %s uplinks prerouting { type filter hook "
	     "prerouting priority mangle; }; add rule %s uplinks prerouting iifname \"%s\" ct "
	     "state new ct mark set 102; add rule %s uplinks prerouting iifname != \"%s\" ct mark "
	     "102 meta mark set 102' && %s rule add fwmark 102 table 102 && %s route add default "
	     "via %s dev %s table 102",
	     a->word, a->word, a->word, o->outside, a->word, o->outside, a->ip, a->ip, gateway,
	     o->outside);
	NOTE(v,
	     "a reboot undoes it; to last: in /etc/nftables.conf and the network "
	     "configuration%s",
	     o->outside_gateway.family ? "" : "; GATEWAY is the router of that uplink");
	return true;
}
