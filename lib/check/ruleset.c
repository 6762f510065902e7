// SPDX-License-Identifier: GPL-2.0-or-later
#include "ruleset.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nl.h"
#include "ruletext.h"

#define OURS "ipmasqadm"
/* Since 0.6.0. Every packet comes from FIRST through LEARN to LOOKUP. */
#define FIRST "prerouting"
#define LEARN "learn"
#define LOOKUP "lookup"
enum { DORMANT = 1, OWNER = 2 };

static const struct {
	const char *name;
	uint8_t family;
} families[] = {
	{"ip", NFPROTO_IPV4}, {"inet", NFPROTO_INET}, {"netdev", NFPROTO_NETDEV},
	{"arp", NFPROTO_ARP}, {"ip6", NFPROTO_IPV6},  {"bridge", NFPROTO_BRIDGE},
};
#define FAMILIES (sizeof(families) / sizeof(*families))

uint8_t ruleset_family(const char *name)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (!strcmp(families[i].name, name))
			return families[i].family;
	return NFPROTO_UNSPEC;
}

const char *ruleset_family_name(uint8_t family)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (families[i].family == family)
			return families[i].name;
	return "?";
}

static enum masq_check_hook hook_of(uint8_t family, uint32_t number)
{
	static const enum masq_check_hook inet[] = {MASQ_HOOK_PREROUTING,  MASQ_HOOK_INPUT,
						    MASQ_HOOK_FORWARD,     MASQ_HOOK_OUTPUT,
						    MASQ_HOOK_POSTROUTING, MASQ_HOOK_INGRESS};

	if (family == NFPROTO_NETDEV)
		return number == NF_NETDEV_INGRESS ? MASQ_HOOK_INGRESS : MASQ_HOOK_NONE;
	return number < sizeof(inet) / sizeof(*inet) ? inet[number] : MASQ_HOOK_NONE;
}

static const char *text_of(const struct nlattr *a)
{
	return a ? mnl_attr_get_str(a) : "";
}

static uint32_t number_of(const struct nlattr *a)
{
	return a ? ntohl(mnl_attr_get_u32(a)) : 0;
}

static int keep_chain(const struct nlmsghdr *h, void *arg)
{
	struct ruleset *r = arg;
	const struct nfgenmsg *nf = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];
	struct ruleset_chain *c;

	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 64;
		struct ruleset_chain *v = reallocarray(r->chains, cap, sizeof(*v));

		if (!v) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		r->chains = v;
		r->cap = cap;
	}
	nl_attributes(h, sizeof(*nf), a, NFTA_CHAIN_MAX);
	c = &r->chains[r->n];
	*c = (struct ruleset_chain){.family = nf->nfgen_family};
	snprintf(c->table, sizeof(c->table), "%s", text_of(a[NFTA_CHAIN_TABLE]));
	snprintf(c->name, sizeof(c->name), "%s", text_of(a[NFTA_CHAIN_NAME]));
	if (a[NFTA_CHAIN_HOOK]) {
		nl_nested(a[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_MAX);
		c->hook = hook_of(c->family, number_of(hook[NFTA_HOOK_HOOKNUM]));
		c->priority = (int)number_of(hook[NFTA_HOOK_PRIORITY]);
		c->nat = !strcmp(text_of(a[NFTA_CHAIN_TYPE]), "nat");
	}
	/* ours can have ten thousands of regular chains; two of them are asked
	 * for */
	if (c->hook != MASQ_HOOK_NONE || strcmp(c->table, OURS) || !strcmp(c->name, LEARN) ||
	    !strcmp(c->name, LOOKUP))
		r->n++;
	return MNL_CB_OK;
}

static int note_flags(const struct nlmsghdr *h, void *arg)
{
	struct ruleset *r = arg;
	const struct nfgenmsg *nf = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[NFTA_TABLE_FLAGS + 1];
	uint32_t flags;

	nl_attributes(h, sizeof(*nf), a, NFTA_TABLE_FLAGS);
	flags = number_of(a[NFTA_TABLE_FLAGS]);
	if (!(flags & (OWNER | DORMANT)))
		return MNL_CB_OK;
	for (size_t i = 0; i < r->n; i++) {
		struct ruleset_chain *c = &r->chains[i];

		if (c->family != nf->nfgen_family || strcmp(c->table, text_of(a[NFTA_TABLE_NAME])))
			continue;
		c->owned = flags & OWNER;
		c->dormant = flags & DORMANT;
	}
	return MNL_CB_OK;
}

/* Tables of iptables-legacy are listed there, those of iptables-nft are not. */
static bool has_legacy(const struct family *a)
{
	FILE *f = fopen(a->legacy, "re");
	int c = f ? getc(f) : EOF;

	if (f)
		fclose(f);
	return c != EOF;
}

int ruleset_read(struct ruleset *r)
{
	char buf[NL_REQUEST_MAX];
	struct nl nl = {0};
	int err = nl_open(&nl, NETLINK_NETFILTER);

	*r = (struct ruleset){.legacy = has_legacy(&family_ipv4),
			      .legacy6 = has_legacy(&family_ipv6)};
	if (!err)
		err = nl_ask(&nl,
			     nl_nf_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETCHAIN, NLM_F_DUMP,
					   NFPROTO_UNSPEC, 0),
			     keep_chain, r);
	if (!err)
		err = nl_ask(&nl,
			     nl_nf_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE, NLM_F_DUMP,
					   NFPROTO_UNSPEC, 0),
			     note_flags, r);
	nl_close(&nl);
	return err;
}

bool ruleset_has_legacy(const struct ruleset *r, int family)
{
	return family == AF_INET6 ? r->legacy6 : r->legacy;
}

void ruleset_free(struct ruleset *r)
{
	free(r->chains);
	*r = (struct ruleset){0};
}

const struct ruleset_chain *ruleset_find(const struct ruleset *r, uint8_t family, const char *table,
					 const char *chain)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->chains[i].family == family && !strcmp(r->chains[i].name, chain) &&
		    !strcmp(r->chains[i].table, table))
			return &r->chains[i];
	return NULL;
}

/* What a rule does to every packet. */
enum effect { EFFECT_NONE, EFFECT_SOME, EFFECT_DROPS, EFFECT_ENDS };

struct count {
	uint64_t handle;
	unsigned int seen, number;
	bool iptables;
	bool lines; /* the rule's comment has more than one */
	/* of the first rule that has any */
	enum effect effect;
	uint64_t effect_handle;
};

static bool is_xtables(const struct nlattr *name)
{
	return name && (!strcmp(mnl_attr_get_str(name), "match") ||
			!strcmp(mnl_attr_get_str(name), "target"));
}

/* iptables-nft's rules have matches and targets of xtables. */
static bool has_xtables(const struct nlattr *expressions)
{
	const char *end = (const char *)expressions + expressions->nla_len;
	const struct nlattr *parts[NFTA_EXPR_DATA + 1];

	for (const struct nlattr *e = mnl_attr_get_payload(expressions);
	     mnl_attr_ok(e, (int)(end - (const char *)e)); e = mnl_attr_next(e)) {
		nl_nested(e, parts, NFTA_EXPR_DATA);
		if (is_xtables(parts[NFTA_EXPR_NAME]))
			return true;
	}
	return false;
}

static enum effect effect_of_verdict(const struct nlattr *data)
{
	const struct nlattr *immediate[NFTA_IMMEDIATE_DATA + 1];
	const struct nlattr *value[NFTA_DATA_VERDICT + 1];
	const struct nlattr *verdict[NFTA_VERDICT_CODE + 1];

	nl_nested(data, immediate, NFTA_IMMEDIATE_DATA);
	nl_nested(immediate[NFTA_IMMEDIATE_DATA], value, NFTA_DATA_VERDICT);
	nl_nested(value[NFTA_DATA_VERDICT], verdict, NFTA_VERDICT_CODE);
	if (!verdict[NFTA_VERDICT_CODE])
		return EFFECT_SOME;
	switch ((int)number_of(verdict[NFTA_VERDICT_CODE])) {
	case NF_DROP:
		return EFFECT_DROPS;
	case NF_ACCEPT:
	case NFT_RETURN:
		return EFFECT_ENDS;
	default:
		return EFFECT_SOME;
	}
}

/* What tells packets apart has some. */
static enum effect effect_of(const struct nlattr *expressions)
{
	const char *end = (const char *)expressions + expressions->nla_len;
	const struct nlattr *parts[NFTA_EXPR_DATA + 1];

	for (const struct nlattr *e = mnl_attr_get_payload(expressions);
	     mnl_attr_ok(e, (int)(end - (const char *)e)); e = mnl_attr_next(e)) {
		const char *name;

		nl_nested(e, parts, NFTA_EXPR_DATA);
		name = text_of(parts[NFTA_EXPR_NAME]);
		if (!strcmp(name, "reject"))
			return EFFECT_DROPS;
		if (!strcmp(name, "immediate"))
			return effect_of_verdict(parts[NFTA_EXPR_DATA]);
		if (strcmp(name, "counter") != 0 && strcmp(name, "log") != 0)
			return EFFECT_SOME;
	}
	return EFFECT_NONE;
}

static int count_rule(const struct nlmsghdr *h, void *arg)
{
	struct count *c = arg;
	const struct nfgenmsg *nf = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[NFTA_RULE_USERDATA + 1];

	nl_attributes(h, sizeof(*nf), a, NFTA_RULE_USERDATA);
	c->seen++;
	if (a[NFTA_RULE_HANDLE] && be64toh(mnl_attr_get_u64(a[NFTA_RULE_HANDLE])) == c->handle) {
		c->number = c->seen;
		c->lines = a[NFTA_RULE_USERDATA] &&
			   memchr(mnl_attr_get_payload(a[NFTA_RULE_USERDATA]), '\n',
				  mnl_attr_get_payload_len(a[NFTA_RULE_USERDATA]));
	}
	if (a[NFTA_RULE_EXPRESSIONS] && has_xtables(a[NFTA_RULE_EXPRESSIONS]))
		c->iptables = true;
	if (a[NFTA_RULE_EXPRESSIONS] && a[NFTA_RULE_HANDLE] && c->effect == EFFECT_NONE) {
		c->effect = effect_of(a[NFTA_RULE_EXPRESSIONS]);
		c->effect_handle = be64toh(mnl_attr_get_u64(a[NFTA_RULE_HANDLE]));
	}
	return MNL_CB_OK;
}

static bool count_rules(struct count *count, uint8_t family, const char *table, const char *chain)
{
	char buf[NL_REQUEST_MAX] = {0};
	struct nl nl = {0};
	int err = nl_open(&nl, NETLINK_NETFILTER);

	/* a dump begins with 3.5 KiB, and ends before a rule that is longer, on
	 * a socket that nothing has been received by */
	if (!err)
		err = nl_ask(&nl,
			     nl_nf_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN, 0,
					   NFPROTO_UNSPEC, 0),
			     NULL, NULL);
	if (!err) {
		struct nlmsghdr *h = nl_nf_request(buf, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETRULE,
						   NLM_F_DUMP, family, 0);

		mnl_attr_put_strz(h, NFTA_RULE_TABLE, table);
		mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain);
		err = nl_ask(&nl, h, count_rule, count);
	}
	nl_close(&nl);
	return !err;
}

/* Whether a first rule of this effect keeps all packets from our rules. What is
 * accepted before it is looked up, the second base chain looks up. */
static bool bars(const char *chain, enum effect effect)
{
	if (!strcmp(chain, LOOKUP))
		return effect == EFFECT_DROPS || effect == EFFECT_ENDS;
	return effect == EFFECT_DROPS && (!strcmp(chain, FIRST) || !strcmp(chain, LEARN));
}

struct ruleset_ours ruleset_ours(const struct ruleset *r, const struct family *family)
{
	struct ruleset_ours ours = {.state = RULESET_TAKES};
	unsigned int base = 0, lookup = 0;
	bool looks_up = false;

	for (size_t i = 0; i < r->n; i++) {
		const struct ruleset_chain *c = &r->chains[i];
		bool is_base = c->nat && c->hook == MASQ_HOOK_PREROUTING;
		bool is_lookup = !strcmp(c->name, LOOKUP);
		struct count count = {0};

		if (c->family != family->nfproto || strcmp(c->table, OURS) ||
		    !(is_base || c->hook == MASQ_HOOK_NONE))
			continue; /* of regular ones of ours only those two are kept */
		if (c->dormant) {
			ours.state = RULESET_DORMANT;
			return ours;
		}
		if (!count_rules(&count, c->family, c->table, c->name))
			count.seen = 1; /* nobody knows */
		if (bars(c->name, count.effect)) {
			ours.state = RULESET_BARRED;
			ours.handle = count.effect_handle;
			snprintf(ours.chain, sizeof(ours.chain), "%s", c->name);
			return ours;
		}
		looks_up |= is_lookup;
		if (is_base)
			base += count.seen;
		else if (is_lookup)
			lookup += count.seen;
	}
	if (!base || (looks_up && !lookup))
		ours.state = RULESET_EMPTIED;
	return ours;
}

/* The tables and base chains of iptables-nft have fixed names. */
static bool is_iptables(const struct check_place *p)
{
	static const char *const tables[] = {"filter", "nat", "mangle", "raw", "security"};
	static const char *const bases[] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
					    "POSTROUTING"};
	bool table = false, base = false;

	for (size_t i = 0; i < 5; i++) {
		table |= !strcmp(p->table, tables[i]);
		base |= !strcmp(p->base, bases[i]);
	}
	return (!strcmp(p->family, "ip") || !strcmp(p->family, "ip6")) && table && base;
}

/* Who asks administrators to put their rules into a chain of their own. */
static void find_user_chain(const struct ruleset *r, struct check_place *p)
{
	if (p->hook == MASQ_HOOK_FORWARD &&
	    ruleset_find(r, ruleset_family(p->family), p->table, "DOCKER-USER"))
		snprintf(p->user_chain, sizeof(p->user_chain), "DOCKER-USER");
}

void ruleset_describe(const struct ruleset *r, struct check_place *p)
{
	struct count count = {.handle = p->handle};
	const struct ruleset_chain *c;

	switch (p->kind) {
	case MASQ_PLACE_NONE:
		return;
	case MASQ_PLACE_LEGACY_RULE:
	case MASQ_PLACE_LEGACY_POLICY:
		ruletext_legacy(p);
		return;
	case MASQ_PLACE_RULE:
	case MASQ_PLACE_POLICY:
		break;
	}
	c = ruleset_find(r, ruleset_family(p->family), p->table, p->base);
	p->owned = c && c->owned;
	p->iptables = is_iptables(p);
	if (count_rules(&count, ruleset_family(p->family), p->table, p->chain)) {
		p->number = p->kind == MASQ_PLACE_RULE ? count.number : 0;
		p->iptables |= count.iptables;
	}
	find_user_chain(r, p);
	if (p->iptables)
		ruletext_iptables(p);
	else if (!count.lines)
		ruletext_nft(p);
}
