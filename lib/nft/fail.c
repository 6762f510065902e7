// SPDX-License-Identifier: GPL-2.0-or-later
/* What went wrong, in words. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/nsfs.h>

#include "fail.h"
#include "read.h"

/* Of one argument, what nft(8) calls the family. */
#define LOOK_AT_IT "look at it with: nft list table %s " NFT_TABLE

/* Whether root of this user namespace is nobody here: somebody else made the
 * network namespace. */
static bool is_foreign(void)
{
	int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int owner = net < 0 ? -1 : ioctl(net, NS_GET_USERNS);
	bool foreign = net >= 0 && owner < 0 && errno == EPERM;

	if (owner >= 0)
		close(owner);
	if (net >= 0)
		close(net);
	return foreign;
}

/* Of nftnl.c; the loader's text begins with the library's name. */
static int fail_by_loader(struct error *e)
{
	const char *why = dlerror();

	return fail(e, ELIBACC, "libnftnl, which writes rules, cannot be loaded: %s",
		    why ? why : "unknown error");
}

int fail_to_read(struct error *e, enum family f, int err)
{
	const struct family_def *family = &family_defs[f];

	switch (-err) {
	case 0:
		return 0;
	case ENOMEM:
		return fail(e, ENOMEM, "out of memory");
	case ELIBACC:
		return fail_by_loader(e);
	case EPERM:
		if (is_foreign())
			return fail(
				e, EPERM,
				"no permission to use nf_tables: this network namespace belongs "
				"to another user namespace, where root of this one is nobody");
		return fail(e, EPERM,
			    "no permission to use nf_tables: it needs root, or CAP_NET_ADMIN");
	case EINTR:
	case ERESTART:
		return fail(e, EAGAIN,
			    "other programs kept changing the ruleset for %d tries; try again",
			    FAIL_TRIES);
	case EBADMSG:
		return fail(e, EBADMSG, "%s holds something that is not ours; " LOOK_AT_IT,
			    family->table, family->text);
	default:
		return fail(e, -err, "cannot read nf_tables: %s", strerror(-err));
	}
}

int fail_by_family(struct error *e, enum family f)
{
	return fail(e, EAFNOSUPPORT,
		    "this kernel has no %s: it is not built in, or disabled (ipv6.disable=1)",
		    family_defs[f].name);
}

int fail_by_standing(struct error *e, enum family f, const struct standing *s)
{
	const struct family_def *family = &family_defs[f];

	if (s->dormant)
		return fail(e, EBUSY,
			    "%s is dormant: it forwards nothing; wake it with: nft add table "
			    "%s " NFT_TABLE,
			    family->table, family->text);
	if (*s->strange)
		return fail(e, EEXIST,
			    "chain %s in %s is not as ipmasqadm makes it; rename it, or delete it "
			    "with: nft delete chain %s " NFT_TABLE " %s",
			    s->strange, family->table, family->text, s->strange);
	return *s->strange_map ? fail_by_map(e, f, s->strange_map) : 0;
}

int fail_by_map(struct error *e, enum family f, const char *map)
{
	const char *what = skeleton_word(map);

	return fail(e, EEXIST,
		    "%s %s in %s is not as ipmasqadm makes it; delete what refers to it, and then "
		    "it, with: nft delete %s %s " NFT_TABLE " %s",
		    what, map, family_defs[f].table, what, family_defs[f].text, map);
}

int fail_by_rule(struct error *e, enum family f, const char *chain)
{
	return fail(e, EEXIST,
		    "chain %s in %s has to be made anew, but has a rule that is not ours; find it "
		    "and delete it with: nft -a list chain %s " NFT_TABLE " %s",
		    chain, family_defs[f].table, family_defs[f].text, chain);
}

/* The name of the expression that an error points at, or NULL. */
static const char *blamed_expression(const struct link_error *error)
{
	const struct nlattr *list = attr_of(error->msg, NFTA_RULE_EXPRESSIONS);
	const char *last = NULL;
	struct nlattr *attr;

	if (!list || !error->offset)
		return NULL;
	mnl_attr_for_each_nested (attr, list) {
		if ((const char *)attr > (const char *)error->msg + error->offset)
			break;
		last = attr_text(attr_in(attr, NFTA_EXPR_NAME));
	}
	return last;
}

bool fail_is_label(const struct link_error *error)
{
	const char *expression;

	if (error->err != EOPNOTSUPP || !error->msg ||
	    (error->msg->nlmsg_type & 0xff) != NFT_MSG_NEWRULE)
		return false;
	expression = blamed_expression(error);
	return expression && !strcmp(expression, "ct");
}

static const char *config_of(enum family f, const char *expression)
{
	const char *const configs[][2] = {
		{"fib", family_defs[f].fib_config}, {"nat", "CONFIG_NFT_NAT"},
		{"numgen", "CONFIG_NFT_NUMGEN"},    {"ct", "CONFIG_NFT_CT"},
		{"counter", "CONFIG_NFT_COUNTER"},
	};

	for (size_t i = 0; i < sizeof(configs) / sizeof(*configs); i++)
		if (!strcmp(expression, configs[i][0]))
			return configs[i][1];
	return "CONFIG_NF_TABLES";
}

/* What a message is about: the name, and of what ("chain"); NULL: nothing that
 * has one. */
static const char *blamed_object(const struct link_error *error, const char **kind)
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

	for (size_t i = 0; error->msg && i < sizeof(objects) / sizeof(*objects); i++) {
		const struct nlattr *attr;

		if ((error->msg->nlmsg_type & 0xff) != objects[i].type)
			continue;
		attr = attr_of(error->msg, objects[i].attr);
		*kind = objects[i].kind;
		return attr ? attr_text(attr) : NULL;
	}
	return NULL;
}

/* The family of the message that an error is about; of none, IPv4. */
static enum family blamed_family(const struct link_error *error)
{
	const struct nfgenmsg *gen = error->msg ? mnl_nlmsg_get_payload(error->msg) : NULL;
	enum family f = gen ? family_numbered(gen->nfgen_family) : FAMILY_COUNT;

	return f == FAMILY_COUNT ? FAMILY_IPV4 : f;
}

enum map fail_map(const struct link_error *error, enum family *f)
{
	const char *kind = "", *name = blamed_object(error, &kind);

	*f = blamed_family(error);

	for (enum map map = 1; name && !strcmp(kind, "map") && map < MAP_FIXED; map++)
		if (!strcmp(name, map_defs[map].name))
			return map;
	return MAP_NONE;
}

/* The kernel lacks something; 0: no, or it is not known what. */
static int fail_by_kernel(struct error *e, const struct link_error *error)
{
	int type = error->msg ? error->msg->nlmsg_type & 0xff : -1;
	const char *expression = type == NFT_MSG_NEWRULE ? blamed_expression(error) : NULL;
	enum family f = blamed_family(error);

	if (type == NFT_MSG_NEWSET && error->err == ENOENT)
		expression = "counter"; /* all that a map of ours needs; a module on 5.10 */
	if (type == NFT_MSG_NEWTABLE && error->err != EPERM)
		return fail(e, error->err, "this kernel's nf_tables has no %s family (%s): %s",
			    family_defs[f].text, family_defs[f].config, strerror(error->err));
	if (error->err != ENOENT && error->err != EOPNOTSUPP)
		return 0;
	if (expression)
		return fail(e, error->err, "this kernel's nf_tables has no %s expression (%s)",
			    expression, config_of(f, expression));
	if (type == NFT_MSG_NEWCHAIN)
		return fail(e, error->err,
			    "this kernel's nf_tables has no nat chains (CONFIG_NFT_NAT)");
	return 0;
}

static bool is_about_table(const struct link_error *error)
{
	int type = error->msg ? error->msg->nlmsg_type & 0xff : -1;

	return type == NFT_MSG_NEWTABLE || type == NFT_MSG_DELTABLE;
}

int fail_to_commit(struct error *e, const struct link_error *error)
{
	const char *kind = "", *name = blamed_object(error, &kind);
	enum family f = blamed_family(error);
	const struct family_def *family = &family_defs[f];
	int err = fail_by_kernel(e, error);

	if (err)
		return err;
	switch (error->err) {
	case ENOMEM:
	case ELIBACC:
		return fail_to_read(e, f, -error->err);
	case EPERM: /* whoever may not use nf_tables at all was told so before */
		if (name || is_about_table(error))
			return fail(e, EPERM,
				    "%s belongs to another process (flags owner), which alone may "
				    "change it; " LOOK_AT_IT,
				    family->table, family->text);
		return fail_to_read(e, f, -EPERM);
	case EMSGSIZE:
	case ENOBUFS:
		return fail(e, error->err,
			    "the change is too large for the socket buffer; raise "
			    "net.core.wmem_max");
	case EBUSY:
		return fail(e, EBUSY,
			    "the kernel refused the change%s%s%s%s: something that is "
			    "not ours refers to it; " LOOK_AT_IT,
			    name ? " to " : "", kind, name ? " " : "", name ? name : "",
			    family->text);
	default:
		break;
	}
	if (name && !strcmp(kind, "map") && (error->err == EEXIST || error->err == EINVAL))
		return fail(e, error->err, "map %s in %s is not as ipmasqadm makes it; " LOOK_AT_IT,
			    name, family->table, family->text);
	if (error->err == ENOENT && fail_map(error, &f) != MAP_NONE)
		return fail(e, ENOENT,
			    "map %s is missing in %s; have it made anew by emptying a chain, with: "
			    "nft flush chain %s " NFT_TABLE " " CHAIN_LOOKUP,
			    name, family->table, family->text);
	return fail(e, error->err, "the kernel refused the change%s%s%s%s: %s%s%s",
		    name ? " to " : "", kind, name ? " " : "", name ? name : "",
		    strerror(error->err), *error->text ? ": " : "", error->text);
}
