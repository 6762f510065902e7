// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel's refusals are in words: the message it is about, the error,
 * the text. */
#include <errno.h>
#include <stdlib.h>

#include <linux/netfilter/nf_tables.h>

#include "buf.h"
#include "fail.h"
#include "tap.h"

#define LOOK "; look at it with: nft list table ip ipmasqadm"

static void refusals(void)
{
	static const struct {
		uint16_t type, attr; /* of the message, and of the name in it */
		const char *name;
		int err;
		const char *text;
	} cases[] = {
		{NFT_MSG_NEWTABLE, 0, NULL, EOPNOTSUPP,
		 "this kernel's nf_tables has no ip family (CONFIG_NF_TABLES_IPV4): Operation not "
		 "supported"},
		{NFT_MSG_NEWTABLE, 0, NULL, EPERM,
		 "table ip ipmasqadm belongs to another process (flags owner), which alone may "
		 "change it" LOOK},
		{NFT_MSG_DELTABLE, 0, NULL, EPERM,
		 "table ip ipmasqadm belongs to another process (flags owner), which alone may "
		 "change it" LOOK},
		{NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "mark-1", EPERM,
		 "table ip ipmasqadm belongs to another process (flags owner), which alone may "
		 "change it" LOOK},
		{NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME, "prerouting", EOPNOTSUPP,
		 "this kernel's nf_tables has no nat chains (CONFIG_NFT_NAT)"},
		{NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME, "mark-1", EEXIST,
		 "the kernel refused the change to chain mark-1: File exists"},
		{NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "mark-1", EBUSY,
		 "the kernel refused the change to chain mark-1: something that is not ours refers "
		 "to it" LOOK},
		{NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "mark-1", ENOENT,
		 "the kernel refused the change to chain mark-1: No such file or directory"},
		{NFT_MSG_NEWRULE, NFTA_RULE_CHAIN, "mark-1", EINVAL,
		 "the kernel refused the change to chain mark-1: Invalid argument"},
		{NFT_MSG_NEWSET, NFTA_SET_NAME, "portfw", ENOENT,
		 "this kernel's nf_tables has no counter expression (CONFIG_NFT_COUNTER)"},
		{NFT_MSG_NEWSET, NFTA_SET_NAME, "portfw", EEXIST,
		 "map portfw in table ip ipmasqadm is not as ipmasqadm makes it" LOOK},
		{NFT_MSG_NEWSETELEM, NFTA_SET_ELEM_LIST_SET, "mfw", EINVAL,
		 "map mfw in table ip ipmasqadm is not as ipmasqadm makes it" LOOK},
		{NFT_MSG_NEWSETELEM, NFTA_SET_ELEM_LIST_SET, "mfw", ENOENT,
		 "map mfw is missing in table ip ipmasqadm; have it made anew by emptying a chain, "
		 "with: nft flush chain ip ipmasqadm lookup"},
		{NFT_MSG_DELSETELEM, NFTA_SET_ELEM_LIST_SET, "theirs", ENOENT,
		 "the kernel refused the change to map theirs: No such file or directory"},
		{NFT_MSG_DELSET, NFTA_SET_NAME, "mfw", EMSGSIZE,
		 "the change is too large for the socket buffer; raise net.core.wmem_max"},
		{NFT_MSG_GETGEN, 0, NULL, EBUSY,
		 "the kernel refused the change: something that is not ours refers to it" LOOK},
		{NFT_MSG_GETGEN, 0, NULL, EEXIST, "the kernel refused the change: File exists"},
	};
	struct buf b;

	if (buf_init(&b) < 0)
		abort();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct link_error error = {.err = cases[i].err};
		struct nlmsghdr *nlh;
		struct error e = {""};

		buf_reset(&b);
		nlh = buf_msg(&b, FAMILY_IPV4, cases[i].type, 0);
		if (cases[i].name)
			mnl_attr_put_strz(nlh, cases[i].attr, cases[i].name);
		error.msg = nlh;
		is_int(fail_to_commit(&e, &error), -cases[i].err, "message %d, %s", cases[i].type,
		       strerrorname_np(cases[i].err));
		is_str(e.text, cases[i].text, "... in words");
	}
	buf_free(&b);
}

int main(void)
{
	refusals();
	return done_testing();
}
