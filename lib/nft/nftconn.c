// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "nftconn.h"
#include "nftlayout.h"

/* What iptables-legacy has is not seen here, so beside it our chains only stay longer than they
 * had to. */
static int see_chain(const struct nlmsghdr *nlh, void *arg)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(nlh);
	const char *table = "", *type = "";
	struct nlattr *attr;
	uint32_t rules = 0;
	bool *found = arg;

	mnl_attr_for_each (attr, nlh, sizeof(*gen)) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_CHAIN_TABLE:
			if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
				table = mnl_attr_get_str(attr);
			break;
		case NFTA_CHAIN_TYPE:
			if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
				type = mnl_attr_get_str(attr);
			break;
		case NFTA_CHAIN_USE:
			if (mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
				rules = ntohl(mnl_attr_get_u32(attr));
			break;
		}
	}
	*found |= !strcmp(type, "nat") && rules &&
		  (gen->nfgen_family == NFPROTO_INET ||
		   (gen->nfgen_family == NFPROTO_IPV4 && strcmp(table, NFT_TABLE) != 0));
	return 0;
}

/* A rule that translates holds conntrack, too; iptables-nft has it in a "target". */
static int see_rule(const struct nlmsghdr *nlh, void *arg)
{
	static const char *const translating[] = {"nat", "masq", "redir", "target"};
	struct nlattr *attr, *expr, *part;
	const char *table = "";
	bool holds = false, *found = arg;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_RULE_TABLE &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			table = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) != NFTA_RULE_EXPRESSIONS)
			continue;
		mnl_attr_for_each_nested (expr, attr)
			mnl_attr_for_each_nested (part, expr)
				if (mnl_attr_get_type(part) == NFTA_EXPR_NAME &&
				    mnl_attr_validate(part, MNL_TYPE_NUL_STRING) >= 0)
					for (size_t i = 0; i < 4; i++)
						holds |= !strcmp(mnl_attr_get_str(part),
								 translating[i]);
	}
	*found |= holds && strcmp(table, NFT_TABLE) != 0;
	return 0;
}

static uint8_t tcp_state(const struct nlattr *info)
{
	struct nlattr *tcp, *attr;

	mnl_attr_for_each_nested (tcp, info)
		if (mnl_attr_get_type(tcp) == CTA_PROTOINFO_TCP)
			mnl_attr_for_each_nested (attr, tcp)
				if (mnl_attr_get_type(attr) == CTA_PROTOINFO_TCP_STATE &&
				    mnl_attr_validate(attr, MNL_TYPE_U8) >= 0)
					return mnl_attr_get_u8(attr);
	return TCP_CONNTRACK_NONE;
}

/* A destination was translated, both sides have spoken, and it is not over. */
static int see_connection(const struct nlmsghdr *nlh, void *arg)
{
	uint32_t status = 0;
	uint8_t tcp = TCP_CONNTRACK_NONE;
	struct nlattr *attr;
	bool *found = arg;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == CTA_STATUS &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			status = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == CTA_PROTOINFO)
			tcp = tcp_state(attr);
	}
	*found |= (status & IPS_DST_NAT) && (status & IPS_ASSURED) &&
		  (tcp == TCP_CONNTRACK_NONE || tcp == TCP_CONNTRACK_ESTABLISHED ||
		   tcp == TCP_CONNTRACK_FIN_WAIT || tcp == TCP_CONNTRACK_CLOSE_WAIT);
	return 0;
}

int conn_need_us(struct nftlink *l, struct nftbuf *b, bool *need)
{
	bool others = false, running = false;
	int err;

	*need = false;
	nftbuf_reset(b);
	nftbuf_request(b, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETCHAIN, NLM_F_DUMP, AF_UNSPEC);
	err = nftlink_dump(l, b, see_chain, &others);
	if (!err && others) {
		others = false;
		nftbuf_reset(b);
		nftbuf_request(b, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETRULE, NLM_F_DUMP, AF_UNSPEC);
		err = nftlink_dump(l, b, see_rule, &others);
	}
	if (err || others)
		return err;
	nftbuf_reset(b);
	nftbuf_request(b, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_INET);
	err = nftlink_dump(l, b, see_connection, &running);
	*need = !err && running;
	return err == -ENOMEM ? err : 0;
}
