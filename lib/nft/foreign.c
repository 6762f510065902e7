// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "ask.h"
#include "foreign.h"
#include "skeleton.h"

/* What stands for a label where the kernel has none. */
static bool is_counter_alone(const struct nlattr *list)
{
	const struct nlattr *expr = mnl_attr_get_payload(list);

	return mnl_attr_get_payload_len(list) == MNL_ALIGN(mnl_attr_get_len(expr)) &&
	       attr_is(attr_in(expr, NFTA_EXPR_NAME), "counter");
}

/* Where a rule leads, as skeleton_leads() has it; NULL for anything else. */
static const char *outcome_of(const struct nlattr *list)
{
	const char *to = NULL;
	struct nlattr *expr;

	mnl_attr_for_each_nested (expr, list) {
		const struct nlattr *data = read_expr(expr, "lookup"), *verdict;

		if (data && attr_in(data, NFTA_LOOKUP_DREG))
			to = attr_text(attr_in(data, NFTA_LOOKUP_SET));
		if (attr_in(read_expr(expr, "ct"), NFTA_CT_SREG))
			to = TO_LABEL;
		if (attr_is(attr_in(expr, NFTA_EXPR_NAME), "masq"))
			to = TO_MASQUERADE;
		if (attr_is(attr_in(expr, NFTA_EXPR_NAME), "dynset"))
			to = TO_UPDATE;
		data = attr_in(read_expr(expr, "immediate"), NFTA_IMMEDIATE_DATA);
		verdict = attr_in(data, NFTA_DATA_VERDICT);
		if (!verdict)
			continue;
		switch ((int)attr_be32(attr_in(verdict, NFTA_VERDICT_CODE))) {
		case NFT_RETURN:
			to = TO_RETURN;
			break;
		case NFT_JUMP:
			to = attr_text(attr_in(verdict, NFTA_VERDICT_CHAIN));
			break;
		default:
			return NULL;
		}
	}
	return to;
}

/* Rules of ours there have no comment. */
bool foreign_rule(const char *chain, const struct nlmsghdr *rule)
{
	const struct nlattr *list = attr_of(rule, NFTA_RULE_EXPRESSIONS);
	const char *to = list ? outcome_of(list) : NULL;

	if (list && is_counter_alone(list))
		to = skeleton_leads(chain, TO_LABEL) ? TO_LABEL : TO_MASQUERADE;
	if (attr_of(rule, NFTA_RULE_USERDATA) || !to)
		return true;
	return strcmp(chain, CHAIN_TRIGGER) ? !skeleton_leads(chain, to) : *to;
}

bool foreign_map(enum family f, enum map map, const struct nlmsghdr *set)
{
	const uint32_t others = NFT_SET_CONSTANT | NFT_SET_INTERVAL | NFT_SET_TIMEOUT;
	const struct map_def *def = &map_defs[map];
	uint32_t flags = attr_be32(attr_of(set, NFTA_SET_FLAGS));

	if (!(flags & NFT_SET_MAP) || flags & others ||
	    attr_be32(attr_of(set, NFTA_SET_KEY_LEN)) != parts_len(f, &def->key) ||
	    attr_be32(attr_of(set, NFTA_SET_KEY_TYPE)) != parts_type(f, &def->key))
		return true;
	if (def->pool)
		return attr_be32(attr_of(set, NFTA_SET_DATA_TYPE)) != NFT_DATA_VERDICT;
	return attr_be32(attr_of(set, NFTA_SET_DATA_TYPE)) == NFT_DATA_VERDICT ||
	       attr_be32(attr_of(set, NFTA_SET_DATA_LEN)) != parts_len(f, &def->data);
}

bool foreign_set(enum family f, const struct map_spec *spec, const struct nlmsghdr *set)
{
	const uint32_t looked_at =
		NFT_SET_CONSTANT | NFT_SET_INTERVAL | NFT_SET_TIMEOUT | NFT_SET_MAP | NFT_SET_EVAL;
	uint32_t flags = attr_be32(attr_of(set, NFTA_SET_FLAGS)) & looked_at;
	uint32_t ours = spec->ranges ? NFT_SET_INTERVAL : NFT_SET_TIMEOUT | NFT_SET_EVAL;

	return flags != ours ||
	       attr_be32(attr_of(set, NFTA_SET_KEY_LEN)) != parts_len(f, spec->key) ||
	       attr_be32(attr_of(set, NFTA_SET_KEY_TYPE)) != parts_type(f, spec->key);
}

struct finder {
	enum family family;
	char *name; /* 64 bytes */
	const struct skeleton_chain *chain;
	uint32_t rules;
};

static int see_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct finder *f = arg;

	if (++f->rules > f->chain->rules[f->family] || foreign_rule(f->chain->name, nlh))
		snprintf(f->name, 64, "%s", f->chain->name);
	return 0;
}

int foreign_find_rule(struct link *l, struct buf *b, enum family f, char chain[64])
{
	int err = 0;

	*chain = '\0';
	for (size_t i = 0; !err && !*chain && i < SKELETON_CHAINS; i++) {
		struct finder finder = {.family = f, .name = chain, .chain = &skeleton_chains[i]};

		if (!finder.chain->rules[f])
			continue;
		ask_rules(b, f, finder.chain->name);
		err = ask_nothing_is_no_error(link_dump(l, b, see_rule, &finder));
	}
	return err;
}

struct map_finder {
	enum family family;
	char *name; /* 64 bytes */
};

static int see_map(const struct nlmsghdr *nlh, void *arg)
{
	const char *name = attr_text(attr_of(nlh, NFTA_SET_NAME));
	const struct map_finder *f = arg;

	for (enum map map = 1; map < MAP_FIXED; map++)
		if (!strcmp(name, map_defs[map].name) && foreign_map(f->family, map, nlh))
			snprintf(f->name, 64, "%s", name);
	for (size_t i = 0; i < SKELETON_SETS; i++)
		if (!strcmp(name, skeleton_sets[i].name) &&
		    foreign_set(f->family, &skeleton_sets[i], nlh))
			snprintf(f->name, 64, "%s", name);
	return 0;
}

int foreign_find_map(struct link *l, struct buf *b, enum family f, char map[64])
{
	struct map_finder finder = {f, map};

	*map = '\0';
	buf_reset(b);
	for (enum map m = 1; m < MAP_FIXED; m++)
		ask_set(b, f, map_defs[m].name);
	for (size_t i = 0; i < SKELETON_SETS; i++)
		ask_set(b, f, skeleton_sets[i].name);
	return ask_nothing_is_no_error(link_get(l, b, see_map, &finder));
}
