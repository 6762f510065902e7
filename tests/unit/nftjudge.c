// SPDX-License-Identifier: GPL-2.0-or-later
/* From observations to verdicts: a line for every code, and for what hides
 * what. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"
#include "tap.h"

static struct masq_address address(const char *text)
{
	struct masq_address a = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	inet_pton(a.family, text, &a.in6);
	return a;
}

static struct check_flight passed(const char *iif, const char *oif)
{
	struct check_flight x = {.sent = true,
				 .seen = true,
				 .done = true,
				 .hook = MASQ_HOOK_POSTROUTING,
				 .priority = 1000};

	snprintf(x.iif, sizeof(x.iif), "%s", iif);
	snprintf(x.oif, sizeof(x.oif), "%s", oif);
	return x;
}

/* tcp 198.51.100.1:80 -> 10.0.0.2:8080, where all is well */
static struct check_observed healthy(void)
{
	struct check_observed o = {
		.forward = {.kind = CHECK_PORTFW,
			    .protocol = IPPROTO_TCP,
			    .lport = 80,
			    .last = 80,
			    .rport = 8080},
		.looked = true,
		.local = true,
		.dport = 80,
		.outside = "wan",
		.inside = "lan",
		.inside_prefix = 24,
		.ip_forward = 1,
		.outside_forward = 1,
		.inside_forward = 1,
		.conntrack_count = 5,
		.conntrack_max = 1000,
		.back_oif = "wan",
		.out = passed("wan", "lan"),
		.back = passed("lan", "wan"),
		.icmp = passed("wan", "lan"),
		.answer = MASQ_ANSWER_YES,
	};

	o.forward.laddr = o.dest = address("198.51.100.1");
	o.forward.raddr = o.out.nat_daddr = address("10.0.0.2");
	o.out.nat_dport = 8080;
	o.out.past_nat = true;
	o.client = address("203.0.113.5");
	o.inside_address = address("10.0.0.1");
	return o;
}

/* The packet got as far as this tap. */
static void lost(struct check_flight *x, enum masq_check_hook hook, int priority)
{
	x->done = false;
	x->hook = hook;
	x->priority = priority;
}

static struct check_place place(enum masq_check_place_kind kind, enum masq_check_hook hook,
				const char *table, const char *chain)
{
	struct check_place p = {
		.kind = kind, .hook = hook, .family = "ip", .handle = 7, .number = 2};

	snprintf(p.table, sizeof(p.table), "%s", table);
	snprintf(p.chain, sizeof(p.chain), "%s", chain);
	snprintf(p.base, sizeof(p.base), "%s", chain);
	return p;
}

/* Dropped by a rule there. */
static void dropped(struct check_flight *x, enum masq_check_place_kind kind,
		    enum masq_check_hook hook)
{
	lost(x, hook, -1000);
	x->drop = place(kind, hook, "t", "c");
}

/* It went out, and nothing came back. */
static void silent(struct check_observed *o)
{
	o->back = o->icmp = (struct check_flight){0};
	o->answer = MASQ_ANSWER_NONE;
	o->probed = true;
}

/* The same in IPv6: tcp [2001:db8::1]:80 -> [fd00::2]:8080 */
static void six(struct check_observed *o)
{
	o->forward.laddr = o->dest = address("2001:db8::1");
	o->forward.raddr = o->out.nat_daddr = address("fd00::2");
	o->client = address("2001:db8::5");
	o->inside_address = address("fd00::1");
	o->inside_prefix = 64;
	o->outside_forward = o->inside_forward = -1;
	o->accept_ra = 1;
}

static void udp(struct check_observed *o)
{
	o->forward.protocol = IPPROTO_UDP;
}

static void unsent(struct check_observed *o)
{
	o->out = o->back = o->icmp = (struct check_flight){0};
	snprintf(o->unable, sizeof(o->unable), "no permission");
}

static void live(struct check_observed *o)
{
	o->live = o->live_seen = true;
	o->live_seconds = 30;
	o->icmp = (struct check_flight){0};
	o->client = address("203.0.113.9");
}

/* Of this machine itself, and not forwarded. */
static void own(struct check_observed *o)
{
	o->out.own = true;
	snprintf(o->out.oif, sizeof(o->out.oif), "lo");
	o->out.nat_daddr = o->dest;
	o->out.nat_dport = o->dport;
}

/* A client on the server's own link. */
static void near(struct check_observed *o)
{
	o->near = true;
	o->client = o->out.saddr = address("10.0.0.9");
	snprintf(o->outside, sizeof(o->outside), "lan");
	snprintf(o->back.oif, sizeof(o->back.oif), "lan");
}

#define JUDGED(...)                                                                                \
	struct check_observed o = healthy();                                                       \
	struct verdict v;                                                                          \
	__VA_ARGS__;                                                                               \
	judge(&v, &o);
/* A cure is a command, and has no name in it that a shell reads as another
 * one. */
#define NO_CURE(want, ...)                                                                         \
	do {                                                                                       \
		JUDGED(__VA_ARGS__)                                                                \
		is_str(v.code, want, "%s: an odd interface", want);                                \
		is_str(v.cure, "", "no cure");                                                     \
		is_str(v.note, "", "and no note on it");                                           \
	} while (0)
/* code, and something of cause, evidence and cure; NULL: does not matter */
#define LINE(what, want, in_cause, in_evidence, in_cure, ...)                                      \
	do {                                                                                       \
		JUDGED(__VA_ARGS__)                                                                \
		is_str(v.code, want, "%s: %s", want, what);                                        \
		expect(&v, in_cause, in_evidence, in_cure);                                        \
	} while (0)
#define STATE(what, want, warnings_wanted, ...)                                                    \
	do {                                                                                       \
		JUDGED(__VA_ARGS__)                                                                \
		is_str(v.code, "ok", "ok: %s", what);                                              \
		is_int(v.state, want, "its state");                                                \
		is_int(v.warnings, warnings_wanted, "its warnings");                               \
	} while (0)

static void contains(const char *text, const char *part, const char *what)
{
	if (part && !ok(strstr(text, part) != NULL, "the %s says \"%s\"", what, part))
		fprintf(stderr, "# %s\n", text);
}

static void expect(const struct verdict *v, const char *cause, const char *evidence,
		   const char *cure)
{
	is_int(v->state, VERDICT_BROKEN, "is broken");
	ok(v->cause[0] && v->evidence[0], "has cause and evidence");
	contains(v->cause, cause, "cause");
	contains(v->evidence, evidence, "evidence");
	contains(v->cure, cure, "cure");
}

static void test_well(void)
{
	STATE("all is well", VERDICT_OK, 0, (void)0);
	STATE("a datagram is answered", VERDICT_OK, 0, udp(&o));
	STATE("a silent UDP service", VERDICT_WARN, 1, udp(&o), silent(&o));
	STATE("a silent UDP service whose host answers both", VERDICT_WARN, 1, udp(&o), silent(&o),
	      o.near_answer = MASQ_ANSWER_YES, o.far_answer = MASQ_ANSWER_YES);
	STATE("flows that go on elsewhere", VERDICT_WARN, 1, udp(&o), o.running = 2);
	STATE("a program in the driver", VERDICT_WARN, 1, o.driver_xdp = true);
	STATE("a local listener", VERDICT_WARN, 1, o.listener = true);
	STATE("an idle port of a range", VERDICT_WARN, 1, o.forward.kind = CHECK_AUTOFW,
	      o.answer = MASQ_ANSWER_REFUSED);
	STATE("only looked", VERDICT_WARN, 1, unsent(&o));
	STATE("look-ups that marks overrule", VERDICT_OK, 0, o.marks_route = true,
	      snprintf(o.back_oif, sizeof(o.back_oif), "wan2"));
	STATE("the packet passed, whatever the look-up said", VERDICT_OK, 0, o.rp_outside = 1,
	      o.client_error = EXDEV, o.back_error = ENETUNREACH);
	STATE("this machine itself, and somebody listens", VERDICT_OK, 0, o.target_here = true,
	      o.target_listens = true, lost(&o.out, MASQ_HOOK_INPUT, 1000), o.out.local = true);
	STATE("live", VERDICT_OK, 0, live(&o));
	STATE("live, an inside client that is reached", VERDICT_OK, 0, live(&o),
	      o.near = o.masqueraded = true);
	STATE("this machine itself", VERDICT_OK, 0, live(&o), o.out.own = true);
	STATE("retransmitted, untouched by the mark", VERDICT_OK, 0, o.out.mark = 7);
}

static void test_reading(void)
{
	LINE("nothing at all", "none", "no forward", "flush", "restore",
	     o.none = o.everything = true);
	LINE("not this one", "none", "no such", "3 others", NULL, o.none = true, o.others = 3);
	LINE("all", "forward-off", "forwarding is off", "ip_forward is 0",
	     "sysctl -w net.ipv4.ip_forward=1", o.ip_forward = 0);
	LINE("outside", "forward-off-if", "interface wan", NULL, "conf.wan.forwarding=1",
	     o.outside_forward = 0);
	LINE("inside", "forward-off-if", "interface lan", "answers", "conf.lan.forwarding=1",
	     o.inside_forward = 0);
	LINE("a dot in a name", "forward-off-if", "interface lan.100",
	     "conf.lan/100.forwarding is 0", "sysctl -w net.ipv4.conf.lan/100.forwarding=1",
	     o.inside_forward = 0, snprintf(o.inside, sizeof(o.inside), "lan.100"));
	LINE("another's address", "not-local", "198.51.100.1", NULL,
	     "ip address add 198.51.100.1/32 dev wan", o.local = false);
	LINE("an interface without address", "not-local", "interface ppp0 has no address",
	     "no IPv4 address", "bring ppp0 up", o.local = false,
	     strcpy(o.forward.interface, "ppp0"));
	LINE("no interface", "not-local", "there is no interface ppp0", NULL, "bring ppp0 up",
	     o.local = false, o.no_interface = true, strcpy(o.forward.interface, "ppp0"));
	LINE("all addresses of the interface taken", "not-matched", NULL,
	     "every address of the interface", NULL, o.shadow = SHADOW_EXACT,
	     strcpy(o.forward.interface, "ppp0"));
	LINE("full", "conntrack-full", NULL, "count is 1000", "nf_conntrack_max=2000",
	     o.conntrack_count = 1000);
	LINE("an old flow", "stale", NULL, "203.0.113.9 port 5000", "conntrack -D -p udp", udp(&o),
	     o.stale = true, o.stale_port = 5000, o.stale_client = address("203.0.113.9"));
	LINE("loopback", "target-here", "loopback", "route_localnet", "-R 198.51.100.1 8080",
	     o.target_here = true, o.forward.raddr = address("127.0.0.1"));
	LINE("nobody listens", "target-here", NULL, "nothing listens", NULL, o.target_here = true);
	LINE("flushed", "not-matched", "emptied", NULL, "ipmasqadm restore", o.emptied = true);
	LINE("dormant", "not-matched", "dormant", "flag dormant", "nft add table ip ipmasqadm",
	     o.dormant = true);
	LINE("barred", "not-matched", "not ours", "handle 12 in chain lookup",
	     "nft delete rule ip ipmasqadm lookup handle 12", strcpy(o.bar_chain, "lookup"),
	     o.bar_handle = 12);
	LINE("all addresses taken", "not-matched", "more exact", NULL, NULL,
	     o.shadow = SHADOW_EXACT);
	LINE("all ports taken", "not-matched", "more exact", NULL, NULL, o.shadow = SHADOW_PORTFW);
}

static void test_way_in(void)
{
	LINE("at ingress", "early-drop", "rule in ingress", "chain ip t c", "ip daddr 198.51.100.1",
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_INGRESS));
	LINE("barred", "not-matched", NULL, "table ip6 ipmasqadm",
	     "nft delete rule ip6 ipmasqadm prerouting handle 3", six(&o),
	     strcpy(o.bar_chain, "prerouting"), o.bar_handle = 3);
	LINE("in raw", "early-drop", "rule in prerouting", "handle 7", "tcp dport 80 accept",
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_PREROUTING));
	LINE("before all", "early-drop", "before the first hook", NULL, "tc filter",
	     o.out = (struct check_flight){.sent = true});
	LINE("by a rule", "filter", "packet from 203.0.113.5 is dropped by another rule in forward",
	     NULL, "nft insert rule ip t c ct status dnat",
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD));
	LINE("by a policy", "filter", "policy in forward", "policy drop", NULL,
	     dropped(&o.out, MASQ_PLACE_POLICY, MASQ_HOOK_FORWARD));
	LINE("of somebody's own table", "filter", NULL, NULL, "",
	     dropped(&o.out, MASQ_PLACE_POLICY, MASQ_HOOK_FORWARD), o.out.drop.owned = true);
	LINE("iptables-nft", "filter", NULL, "chain ip t c: -A c -j DROP",
	     "iptables-nft -t t -I c -m conntrack --ctstate DNAT -j ACCEPT",
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD), o.out.drop.iptables = true,
	     strcpy(o.out.drop.text, "-A c -j DROP"), strcpy(o.out.drop.program, "iptables-nft"));
	LINE("Docker", "filter", NULL, NULL, "-I DOCKER-USER",
	     dropped(&o.out, MASQ_PLACE_POLICY, MASQ_HOOK_FORWARD), o.out.drop.iptables = true,
	     strcpy(o.out.drop.user_chain, "DOCKER-USER"));
	LINE("at postrouting", "filter", "rule in postrouting", NULL, NULL,
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_POSTROUTING));
	LINE("a rule", "legacy", NULL, "rule 2", "ctstate DNAT",
	     dropped(&o.out, MASQ_PLACE_LEGACY_RULE, MASQ_HOOK_FORWARD));
	LINE("the chain alone", "legacy", NULL, "table t: a rule or the policy of chain c", "-I c",
	     dropped(&o.out, MASQ_PLACE_LEGACY_RULE, MASQ_HOOK_FORWARD), o.out.drop.number = 0);
	LINE("a policy", "legacy", "policy", "policy drop", NULL,
	     dropped(&o.out, MASQ_PLACE_LEGACY_POLICY, MASQ_HOOK_FORWARD));
	LINE("something else", "hook-drop", "neither", "priority -1", "nft list hooks",
	     lost(&o.out, MASQ_HOOK_FORWARD, -1));
	LINE("something else before routing", "hook-drop", "neither", "priority -1", NULL,
	     lost(&o.out, MASQ_HOOK_PREROUTING, -1));
	LINE("something else behind all taps", "hook-drop", "neither", "priority 1000", NULL,
	     lost(&o.out, MASQ_HOOK_FORWARD, 1000));
	LINE("no reason known", "routing", NULL, NULL, "ip route get",
	     lost(&o.out, MASQ_HOOK_PREROUTING, 1000));
	LINE("the kernel's reason", "routing", NULL, "IP_INHDR", NULL,
	     lost(&o.out, MASQ_HOOK_PREROUTING, 1000), strcpy(o.out.reason, "IP_INHDR"));
	LINE("strict", "rp-filter", NULL, "come in by wan", "conf.wan.rp_filter=2",
	     lost(&o.out, MASQ_HOOK_PREROUTING, 1000), o.rp_outside = 1, o.client_error = EXDEV);
	LINE("to the server", "no-route", "10.0.0.2", "unreachable", "ip route add 10.0.0.2",
	     lost(&o.out, MASQ_HOOK_PREROUTING, 1000), o.target_error = ENETUNREACH);
	LINE("untracked", "notrack", NULL, "untracked", NULL, o.out.untracked = true);
	LINE("another nat", "other-nat", "10.0.0.3:81", NULL, NULL, o.out.nat_dport = 81,
	     o.out.nat_daddr = address("10.0.0.3"));
	LINE("untouched", "not-matched", "does not take", NULL, NULL, o.out.nat_dport = 80,
	     o.out.nat_daddr = address("198.51.100.1"));
	LINE("a mark", "not-matched", "mark 7", NULL, "ipmasqadm mfw -D -m 7", o.out.mark = 7,
	     o.shadow_mark = true);
}

static void test_way_back(void)
{
	LINE("by a rule", "filter-back", "answer", "chain ip t c", "ct status dnat accept",
	     dropped(&o.back, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD));
	LINE("in raw", "filter-back", NULL, NULL, "ip saddr 10.0.0.2 tcp sport 8080 accept",
	     dropped(&o.back, MASQ_PLACE_RULE, MASQ_HOOK_PREROUTING));
	LINE("by iptables-legacy", "filter-back", NULL, "iptables-legacy", NULL,
	     dropped(&o.back, MASQ_PLACE_LEGACY_RULE, MASQ_HOOK_FORWARD));
	LINE("untracked", "notrack", "the answer", NULL, NULL, o.back.untracked = true);
	LINE("no route", "no-route", "for the answers", NULL, "default",
	     lost(&o.back, MASQ_HOOK_PREROUTING, 1000), o.back_error = ENETUNREACH);
	LINE("routed away", "routing", "the answer", NULL, NULL,
	     lost(&o.back, MASQ_HOOK_PREROUTING, 1000));
	LINE("another uplink", "asymmetric", "leave by wan2", NULL, "via GATEWAY dev wan table 102",
	     o.back = passed("lan", "wan2"));
	LINE("a reset", "refused", "tcp port 8080", "reset", "on 10.0.0.2: start",
	     o.answer = MASQ_ANSWER_REFUSED);
	LINE("port unreachable", "refused", "udp port", "port unreachable", NULL, udp(&o),
	     o.answer = MASQ_ANSWER_REFUSED);
	LINE("another port answers", "refused", NULL, "local port", "-R 10.0.0.2 80 && ",
	     o.answer = MASQ_ANSWER_REFUSED, o.other_port = MASQ_ANSWER_YES);
	LINE("host unreachable", "host-down", NULL, "router", NULL,
	     o.answer = MASQ_ANSWER_UNREACHABLE);
	LINE("host unreachable, says this machine", "host-down", NULL, "ARP for 10.0.0.2", NULL,
	     o.answer = MASQ_ANSWER_UNREACHABLE, o.back.own = true);
	LINE("and routes that to another uplink", "host-down", NULL, "ARP for 10.0.0.2", NULL,
	     o.answer = MASQ_ANSWER_UNREACHABLE, o.back = passed("lan", "wan2"), o.back.own = true);
	LINE("or drops it", "host-down", NULL, "ARP for 10.0.0.2", NULL,
	     dropped(&o.back, MASQ_PLACE_RULE, MASQ_HOOK_OUTPUT),
	     o.answer = MASQ_ANSWER_UNREACHABLE, o.back.own = true);
	LINE("prohibited", "no-answer", "rejects", NULL, NULL, o.answer = MASQ_ANSWER_PROHIBITED);
	LINE("ICMP dropped", "pmtu", "fragmentation needed", "chain ip t c", "accept",
	     dropped(&o.icmp, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD));
	LINE("ICMP that this machine takes for its own", "pmtu", NULL, NULL, NULL,
	     dropped(&o.icmp, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD), o.icmp.local = true);
}

static void test_silence(void)
{
	LINE("no ARP", "host-down", NULL, "ARP for 10.0.0.2", NULL, silent(&o),
	     o.neighbour_failed = true);
	LINE("no ARP of the router", "host-down", NULL, "ARP for 10.0.0.7", NULL, silent(&o),
	     o.neighbour_failed = true, o.gateway = address("10.0.0.7"));
	LINE("nothing listens", "refused", NULL, "from this machine", NULL, silent(&o),
	     o.near_answer = MASQ_ANSWER_REFUSED);
	LINE("another router", "default-route", "10.0.0.254", "ARP", "masquerade", silent(&o),
	     o.near_answer = MASQ_ANSWER_YES, o.other_gateway = address("10.0.0.254"));
	LINE("near only", "no-answer-far", "own firewall", "but not 198.51.100.1", "masquerade",
	     silent(&o), o.near_answer = MASQ_ANSWER_YES);
	LINE("not the client", "no-answer-far", NULL, "10.0.0.1 and 198.51.100.1, but not 203",
	     "masquerade", silent(&o), o.near_answer = o.far_answer = MASQ_ANSWER_YES);
	LINE("its own firewall", "no-answer", NULL, "neither", "let tcp port 8080 in", silent(&o));
	LINE("UDP, the host is silent from afar", "no-answer-far", NULL, NULL, NULL, udp(&o),
	     silent(&o), o.near_answer = MASQ_ANSWER_YES);
	LINE("UDP, refused here", "refused", NULL, NULL, NULL, udp(&o), silent(&o),
	     o.near_answer = MASQ_ANSWER_REFUSED);
}

static void test_unsent(void)
{
	LINE("read", "rp-filter", NULL, NULL, NULL, unsent(&o), o.rp_outside = 1,
	     o.client_error = EXDEV);
	LINE("read", "no-route", NULL, NULL, NULL, unsent(&o), o.target_error = ENETUNREACH);
	LINE("read", "no-route", NULL, NULL, NULL, unsent(&o), o.back_error = ENETUNREACH);
	LINE("read", "asymmetric", NULL, NULL, NULL, unsent(&o), strcpy(o.back_oif, "wan2"));
	LINE("probed", "host-down", NULL, NULL, NULL, unsent(&o),
	     o.probed = o.neighbour_failed = true);
	LINE("probed", "no-answer", NULL, NULL, NULL, unsent(&o), o.probed = true);
}

static void test_live(void)
{
	LINE("none came", "no-packet", "30 seconds", NULL, "provider", live(&o),
	     o.live_seen = false);
	LINE("this machine itself", "from-here", "something keeps", "203.0.113.9",
	     "nft delete table ip ipmasqadm", live(&o), own(&o));
	LINE("this machine itself, switched off", "from-here", "switched off", NULL,
	     "ipmasqadm reach -e own", live(&o), own(&o), o.own_off = true);
	LINE("this machine itself, loopback", "from-here", "loopback", NULL, "another address",
	     live(&o), own(&o), o.dest = o.out.nat_daddr = address("127.0.0.1"));
	LINE("this machine itself, dropped", "filter", "rule in output", NULL, NULL, live(&o),
	     o.out.own = true, dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_OUTPUT));
	LINE("one network", "hairpin", "something keeps", "left with its own address",
	     "nft delete table ip ipmasqadm", near(&o), silent(&o));
	LINE("one network, live", "hairpin", NULL, NULL, NULL, live(&o), near(&o), silent(&o));
	LINE("one network, switched off", "hairpin", "switched off", NULL,
	     "ipmasqadm reach -e inside", near(&o), silent(&o), o.inside_off = true);
	LINE("one network, no labels", "hairpin", "CONFIG_NF_CONNTRACK_LABELS", NULL,
	     "ip saddr 10.0.0.0/24 ip daddr 10.0.0.0/24 ct status dnat masquerade", near(&o),
	     silent(&o), o.no_labels = true);
	LINE("one network, another source", "hairpin", "198.18.0.1", "chain ip t c",
	     "nft insert rule ip t c ip saddr 10.0.0.0/24 ip daddr 10.0.0.0/24 ct status dnat "
	     "accept",
	     near(&o), silent(&o), o.masqueraded = o.source_elsewhere = true,
	     o.out.saddr = address("198.18.0.1"),
	     o.out.snat = place(MASQ_PLACE_RULE, MASQ_HOOK_POSTROUTING, "t", "c"));
	LINE("one network, and the server is silent", "no-answer", NULL, NULL, NULL, near(&o),
	     silent(&o), o.masqueraded = true);
	LINE("dropped", "filter", NULL, NULL, NULL, live(&o),
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD));
}

/* What is said otherwise in IPv6. */
static void test_six(void)
{
	STATE("all is well", VERDICT_OK, 0, six(&o));
	LINE("off", "forward-off", NULL, "net.ipv6.conf.all.forwarding is 0",
	     "sysctl -w net.ipv6.conf.wan.accept_ra=2 net.ipv6.conf.all.forwarding=1", six(&o),
	     o.ip_forward = 0);
	LINE("off, no advertisements", "forward-off", NULL, NULL,
	     "sysctl -w net.ipv6.conf.all.forwarding=1", six(&o), o.ip_forward = o.accept_ra = 0);
	LINE("forced on one", "forward-off-if", "interface lan", "answers",
	     "sysctl -w net.ipv6.conf.lan.force_forwarding=1", six(&o), o.ip_forward = -1,
	     o.outside_forward = 1, o.inside_forward = 0);
	LINE("another's address", "not-local", NULL, NULL, "ip address add 2001:db8::1/128 dev wan",
	     six(&o), o.local = false);
	LINE("an old flow", "stale", NULL, NULL, "conntrack -D -f ipv6 -p udp", six(&o), udp(&o),
	     o.stale = true, o.stale_client = address("2001:db8::9"));
	LINE("emptied", "not-matched", NULL, "table ip6 ipmasqadm",
	     "nft delete table ip6 ipmasqadm", six(&o), o.emptied = true);
	LINE("in raw", "early-drop", NULL, NULL, "ip6 daddr 2001:db8::1 tcp dport 80 accept",
	     six(&o), dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_PREROUTING));
	LINE("legacy", "legacy", NULL, NULL, "ip6tables -t t -I c", six(&o),
	     dropped(&o.out, MASQ_PLACE_LEGACY_RULE, MASQ_HOOK_FORWARD));
	LINE("legacy, early", "legacy", NULL, NULL, "-d 2001:db8::1 -p tcp --dport 80", six(&o),
	     dropped(&o.out, MASQ_PLACE_LEGACY_RULE, MASQ_HOOK_PREROUTING));
	LINE("another nat", "other-nat", "to [fd00::3]:81", NULL, NULL, six(&o),
	     o.out.nat_dport = 81, o.out.nat_daddr = address("fd00::3"));
	LINE("to the server", "no-route", NULL, NULL, "ip -6 route add fd00::2", six(&o),
	     lost(&o.out, MASQ_HOOK_PREROUTING, 1000), o.target_error = ENETUNREACH);
	LINE("routed away", "routing", NULL, NULL, "ip -6 route get", six(&o),
	     lost(&o.out, MASQ_HOOK_PREROUTING, 1000));
	LINE("another uplink", "asymmetric", NULL, NULL,
	     "ip -6 rule add fwmark 102 table 102 && ip -6 route add default via fe80::1 dev wan",
	     six(&o), o.outside_gateway = address("fe80::1"), o.back = passed("lan", "wan2"));
	LINE("nobody there", "host-down", NULL, "Neighbour Discovery for fd00::2", NULL, six(&o),
	     silent(&o), o.neighbour_failed = true);
	LINE("another router", "default-route", "fd00::254", "Neighbour Discovery",
	     "ip6 daddr fd00::2 ct status dnat masquerade", six(&o), silent(&o),
	     o.near_answer = MASQ_ANSWER_YES, o.other_gateway = address("fd00::254"));
	LINE("too big, in raw", "pmtu", "ICMPv6 \"packet too big\"", NULL,
	     "icmpv6 type packet-too-big accept", six(&o),
	     dropped(&o.icmp, MASQ_PLACE_RULE, MASQ_HOOK_PREROUTING));
}

/* The first cause wins. */
static void test_together(void)
{
	LINE("before a drop", "forward-off", NULL, NULL, NULL, o.ip_forward = 0,
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD));
	LINE("before forwarding off", "not-local", NULL, NULL, NULL, o.local = false,
	     o.ip_forward = 0);
	LINE("before one interface's", "forward-off", NULL, NULL, NULL, o.ip_forward = 0,
	     o.outside_forward = 0);
	LINE("before a stale flow", "conntrack-full", NULL, NULL, NULL, o.conntrack_count = 1000,
	     o.stale = true);
	LINE("before the drop it leads to", "notrack", NULL, NULL, NULL, o.out.untracked = true,
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD));
	LINE("before the drop it leads to", "other-nat", NULL, NULL, NULL, o.out.nat_dport = 81,
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD));
	LINE("before the answer's", "filter", NULL, NULL, NULL,
	     dropped(&o.out, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD),
	     dropped(&o.back, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD));
	LINE("before refusal", "filter-back", NULL, NULL, NULL,
	     dropped(&o.back, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD), o.answer = MASQ_ANSWER_REFUSED);
	LINE("before ICMP", "refused", NULL, NULL, NULL, o.answer = MASQ_ANSWER_REFUSED,
	     dropped(&o.icmp, MASQ_PLACE_RULE, MASQ_HOOK_FORWARD));
	LINE("before the default route", "host-down", NULL, NULL, NULL, silent(&o),
	     o.neighbour_failed = true, o.other_gateway = address("10.0.0.254"));
	LINE("before the default route", "refused", NULL, NULL, NULL, silent(&o),
	     o.near_answer = MASQ_ANSWER_REFUSED, o.other_gateway = address("10.0.0.254"));
	LINE("a warning beside it is left out", "refused", NULL, NULL, NULL,
	     o.answer = MASQ_ANSWER_REFUSED, o.listener = true);
}

static void test_odd_interfaces(void)
{
	NO_CURE("forward-off-if", o.inside_forward = 0,
		snprintf(o.inside, sizeof(o.inside), "l.;$(id)"));
	NO_CURE("asymmetric", snprintf(o.outside, sizeof(o.outside), "x';id;'"), unsent(&o),
		snprintf(o.back_oif, sizeof(o.back_oif), "wan2"));
	LINE("a cure without it", "forward-off", NULL, NULL, "sysctl -w net.ipv4.ip_forward=1",
	     o.ip_forward = 0, snprintf(o.inside, sizeof(o.inside), "l;id"));
}

int main(void)
{
	test_well();
	test_reading();
	test_way_in();
	test_way_back();
	test_silence();
	test_unsent();
	test_live();
	test_six();
	test_together();
	test_odd_interfaces();
	return done_testing();
}
