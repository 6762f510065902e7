// SPDX-License-Identifier: GPL-2.0-or-later
/* What went wrong, in words. */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "nftfail.h"
#include "nftlayout.h"

int nft_fail(struct masq *m, int err)
{
	switch (-err) {
	case 0:
		return 0;
	case ENOMEM:
		return masq_fail(m, ENOMEM, "out of memory");
	case EPERM:
		return masq_fail(m, EPERM,
				 "no permission to use nf_tables: it needs root, or CAP_NET_ADMIN");
	case EINTR:
	case ERESTART:
		return masq_fail(m, EAGAIN,
				 "other programs kept changing the ruleset for %d tries; try again",
				 NFT_TRIES);
	case EBADMSG:
		return masq_fail(m, EBADMSG,
				 "table ip " NFT_TABLE " holds something that is not ours; look at "
				 "it with: nft list table ip " NFT_TABLE);
	default:
		return masq_fail(m, -err, "cannot read nf_tables: %s", strerror(-err));
	}
}

int nft_fail_refused(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl, int err)
{
	char what[DESCRIBE_MAX];

	switch (-err) {
	case ESRCH:
		return fail_not_there(m, mod, ctl);
	case EDESTADDRREQ:
		return fail_no_target(m, mod, ctl);
	case EOVERFLOW:
		return masq_fail(m, EOVERFLOW,
				 "%s: the prefs of all targets together must stay below 4294967296",
				 describe(what, mod, ctl));
	default:
		return nft_fail(m, err);
	}
}

/* The name of the expression that an error points at, or NULL. */
static const char *blamed_expression(const struct nfterror *error)
{
	struct nlattr *attr, *list = NULL;
	const char *last = NULL;

	mnl_attr_for_each (attr, error->msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_RULE_EXPRESSIONS)
			list = attr;
	if (!list)
		return NULL;
	mnl_attr_for_each_nested (attr, list) {
		const struct nlattr *name = mnl_attr_get_payload(attr);

		if (error->offset && (const char *)attr > (const char *)error->msg + error->offset)
			break;
		last = mnl_attr_get_str(name);
	}
	return error->offset ? last : NULL;
}

static const char *config_of(const char *expression)
{
	static const char *const configs[][2] = {
		{"fib", "CONFIG_NFT_FIB_IPV4"},    {"nat", "CONFIG_NFT_NAT"},
		{"numgen", "CONFIG_NFT_NUMGEN"},   {"ct", "CONFIG_NFT_CT"},
		{"counter", "CONFIG_NFT_COUNTER"},
	};

	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		if (!strcmp(expression, configs[i][0]))
			return configs[i][1];
	return "CONFIG_NF_TABLES";
}

/* What an error is about: " to chain tcp-198.51.100.1-80", or "". */
static void blamed_object(char out[NFT_NAME_MAXLEN + 16], const struct nfterror *error)
{
	static const struct {
		int type;
		uint16_t attr;
		const char *kind;
	} objects[] = {
		{NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME, "chain"},
		{NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "chain"},
		{NFT_MSG_NEWRULE, NFTA_RULE_CHAIN, "chain"},
		{NFT_MSG_DELRULE, NFTA_RULE_CHAIN, "chain"},
		{NFT_MSG_NEWSET, NFTA_SET_NAME, "map"},
		{NFT_MSG_DELSET, NFTA_SET_NAME, "map"},
		{NFT_MSG_NEWSETELEM, NFTA_SET_ELEM_LIST_SET, "map"},
		{NFT_MSG_DELSETELEM, NFTA_SET_ELEM_LIST_SET, "map"},
	};
	struct nlattr *attr;

	*out = '\0';
	for (size_t i = 0; error->msg && i < sizeof(objects) / sizeof(objects[0]); i++) {
		if ((error->msg->nlmsg_type & 0xff) != objects[i].type)
			continue;
		mnl_attr_for_each (attr, error->msg, sizeof(struct nfgenmsg))
			if (mnl_attr_get_type(attr) == objects[i].attr)
				snprintf(out, NFT_NAME_MAXLEN + 16, " to %s %s", objects[i].kind,
					 mnl_attr_get_str(attr));
	}
}

int nft_fail_commit(struct masq *m, const struct nfterror *error)
{
	int type = error->msg ? error->msg->nlmsg_type & 0xff : -1;
	const char *expression = type == NFT_MSG_NEWRULE ? blamed_expression(error) : NULL;
	bool missing = error->err == ENOENT || error->err == EOPNOTSUPP;
	char object[NFT_NAME_MAXLEN + 16];

	if (error->err == EPERM || error->err == ENOMEM)
		return nft_fail(m, -error->err);
	if (type == NFT_MSG_NEWSET && error->err == ENOENT)
		expression = "counter"; /* all that a map of ours needs; a module on 5.10 */
	if (missing && expression)
		return masq_fail(m, error->err, "this kernel's nf_tables has no %s expression (%s)",
				 expression, config_of(expression));
	if (missing && type == NFT_MSG_NEWCHAIN)
		return masq_fail(m, error->err,
				 "this kernel's nf_tables has no nat chains (CONFIG_NFT_NAT)");
	if (type == NFT_MSG_NEWTABLE)
		return masq_fail(
			m, error->err,
			"this kernel's nf_tables has no ip family (CONFIG_NF_TABLES_IPV4): %s",
			strerror(error->err));
	if (error->err == EMSGSIZE || error->err == ENOBUFS)
		return masq_fail(m, error->err,
				 "the change is too large for the socket buffer; raise "
				 "net.core.wmem_max");
	blamed_object(object, error);
	if (error->err == EBUSY)
		return masq_fail(
			m, EBUSY,
			"the kernel refused the change%s: something that is not ours refers "
			"to it; look for it with: nft list table ip " NFT_TABLE,
			object);
	return masq_fail(m, error->err, "the kernel refused the change%s: %s%s%s", object,
			 strerror(error->err), *error->text ? ": " : "", error->text);
}
