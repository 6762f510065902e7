// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "connections.h"
#include "conntrack.h"
#include "read.h"

struct search {
	enum family family;
	bool found;
};

/* Of the family or of inet, and not ours. All these messages have the table's
 * name as attribute 1. */
static bool is_others(const struct search *s, const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(nlh);

	return gen->nfgen_family == NFPROTO_INET ||
	       (gen->nfgen_family == family_defs[s->family].number &&
		!attr_is(attr_of(nlh, NFTA_CHAIN_TABLE), NFT_TABLE));
}

/* What iptables-legacy has is not seen here, so beside it our chains only stay
 * longer than they had to. */
static int see_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct search *s = arg;

	if (is_others(s, nlh) && attr_of(nlh, NFTA_CHAIN_HOOK) &&
	    attr_is(attr_of(nlh, NFTA_CHAIN_TYPE), "nat"))
		s->found = true;
	return 0;
}

/* A dormant table has rules, but its chains hang nowhere. */
static int see_table(const struct nlmsghdr *nlh, void *arg)
{
	struct search *s = arg;

	if (is_others(s, nlh) && attr_be32(attr_of(nlh, NFTA_TABLE_FLAGS)) & NFT_TABLE_F_DORMANT)
		s->found = true;
	return 0;
}

static bool is_one_of(const struct nlattr *name, const char *const words[])
{
	for (; *words; words++)
		if (attr_is(name, *words))
			return true;
	return false;
}

/* Expressions that need conntrack as long as they stand in a rule (their init
 * takes it: net/netfilter/nft_nat.c and others); iptables-nft has them in a
 * target. */
static bool translates(const struct nlattr *expr)
{
	static const char *const names[] = {"nat", "masq", "redir", NULL};
	static const char *const targets[] = {"DNAT",     "SNAT",   "MASQUERADE",
					      "REDIRECT", "NETMAP", NULL};

	return is_one_of(attr_in(expr, NFTA_EXPR_NAME), names) ||
	       is_one_of(attr_in(read_expr(expr, "target"), NFTA_TARGET_NAME), targets);
}

static int see_rule(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *list = attr_of(nlh, NFTA_RULE_EXPRESSIONS);
	struct search *s = arg;
	struct nlattr *expr;

	if (!is_others(s, nlh) || !list)
		return 0;
	mnl_attr_for_each_nested (expr, list)
		if (translates(expr))
			s->found = true;
	return 0;
}

/* A destination was translated, and it is not over. Nothing else is asked:
 * one-way datagrams and open handshakes need us as well. */
static int see_connection(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tcp = attr_in(attr_of(nlh, CTA_PROTOINFO), CTA_PROTOINFO_TCP);
	const struct nlattr *state = attr_in(tcp, CTA_PROTOINFO_TCP_STATE);
	uint8_t now = TCP_CONNTRACK_NONE;
	struct search *s = arg;

	if (state)
		attr_copy(&now, 1, state);
	if (attr_be32(attr_of(nlh, CTA_STATUS)) & IPS_DST_NAT && now != TCP_CONNTRACK_TIME_WAIT &&
	    now != TCP_CONNTRACK_CLOSE)
		s->found = true;
	return 0;
}

static int dump(struct link *l, struct buf *b, uint16_t type, link_fn *fn, struct search *s)
{
	buf_reset(b);
	buf_request(b, NFNL_SUBSYS_NFTABLES, type, NLM_F_DUMP, AF_UNSPEC);
	return link_dump(l, b, fn, s);
}

int conntrack_needs_us(struct link *l, struct buf *b, enum family f, bool *need)
{
	struct search chains = {f, false}, rules = chains, dormant = chains, running = chains;
	int err = dump(l, b, NFT_MSG_GETCHAIN, see_chain, &chains);

	*need = true;
	if (!err && chains.found)
		err = dump(l, b, NFT_MSG_GETTABLE, see_table, &dormant);
	if (!err && chains.found)
		err = dump(l, b, NFT_MSG_GETRULE, see_rule, &rules);
	if (err)
		return err == -ENOMEM || err == -EINTR ? err : 0;
	/* whose chains and rules those were is not asked: where one sleeps, all
	 * may */
	if (chains.found && rules.found && !dormant.found) {
		*need = false;
		return 0;
	}
	/* before 5.17 all are told */
	buf_reset(b);
	connections_ask(b, IPCTNL_MSG_CT_GET,
			&(struct connection_filter){.status = IPS_DST_NAT,
						    .mask = IPS_DST_NAT,
						    .key.local.family = family_defs[f].number});
	err = link_dump(l, b, see_connection, &running);
	*need = err || running.found;
	return err == -ENOMEM ? err : 0;
}
