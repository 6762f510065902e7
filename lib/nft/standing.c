// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "ask.h"
#include "foreign.h"
#include "skeleton.h"
#include "standing.h"

/* Chains that are asked for: the skeleton's, the triggers', and those of
 * version 0.5.0. */
#define TRIGGER SKELETON_CHAINS
#define OLD (TRIGGER + 1)
#define CHAINS (OLD + OLD_CHAINS)

static const char *name_of(size_t i)
{
	if (i < SKELETON_CHAINS)
		return skeleton_chains[i].name;
	return i == TRIGGER ? CHAIN_TRIGGER : old_chains[i - OLD];
}

/* So many are there of a family. */
static size_t count_of(enum family f)
{
	return family_defs[f].old ? CHAINS : OLD;
}

static void ask_chains(struct buf *b, enum family f, bool with_rules)
{
	for (size_t i = 0; i < count_of(f); i++)
		if (with_rules == (i == TRIGGER || (i < TRIGGER && skeleton_chains[i].rules[f])))
			ask_chain(b, f, name_of(i));
}

/* Where the chains that have rules are complete, all is: their rules refer to
 * the others. */
void standing_ask(struct buf *b, enum family f)
{
	struct nlmsghdr *nlh = buf_msg(b, f, NFT_MSG_GETTABLE, 0);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NFT_TABLE);
	ask_chains(b, f, true);
}

/* Whether a chain hangs where it ought to; NULL: nowhere. */
static bool hangs_at(const struct nlmsghdr *nlh, const struct hook *hook)
{
	const struct nlattr *at = attr_of(nlh, NFTA_CHAIN_HOOK);

	if (!hook || !at)
		return !hook && !at;
	return attr_be32(attr_in(at, NFTA_HOOK_HOOKNUM)) == hook->number &&
	       (int)attr_be32(attr_in(at, NFTA_HOOK_PRIORITY)) == hook->priority &&
	       attr_is(attr_of(nlh, NFTA_CHAIN_TYPE), hook->type);
}

static void read_chain(struct standing *s, enum family f, const struct nlmsghdr *nlh)
{
	const char *name = attr_text(attr_of(nlh, NFTA_CHAIN_NAME));
	uint32_t use = attr_be32(attr_of(nlh, NFTA_CHAIN_USE));
	size_t i = 0;

	while (i < CHAINS && strcmp(name, name_of(i)) != 0)
		i++;
	if (i == CHAINS)
		return;
	if (i >= OLD) { /* a base chain of any hook; others have nothing to do with us */
		s->old_chain[i - OLD] = attr_is(attr_of(nlh, NFTA_CHAIN_TYPE), "nat");
		s->old |= s->old_chain[i - OLD];
		return;
	}
	if (!hangs_at(nlh, i == TRIGGER ? &trigger_hook : skeleton_chains[i].hook))
		snprintf(s->strange, sizeof(s->strange), "%s", name);
	if (i == TRIGGER)
		return;
	s->chain[i] = true;
	/* others' transactions move it before they are in force: then it is
	 * looked at closely */
	s->full[i] = use == skeleton_chains[i].rules[f] + skeleton_chains[i].references;
}

int standing_read(struct standing *s, enum family f, const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		s->table = true;
		s->dormant = attr_be32(attr_of(nlh, NFTA_TABLE_FLAGS)) & NFT_TABLE_F_DORMANT;
		return 0;
	case NFT_MSG_NEWCHAIN:
		read_chain(s, f, nlh);
		return 0;
	default:
		return -EBADMSG;
	}
}

static int count_rule(const struct nlmsghdr *nlh __attribute__((unused)), void *arg)
{
	++*(uint32_t *)arg;
	return 0;
}

/* Whose answers are read. */
struct asked {
	enum family family;
	struct standing *standing;
};

/* What the further requests are answered with. */
static int read_further(const struct nlmsghdr *nlh, void *arg)
{
	const char *name = attr_text(attr_of(nlh, NFTA_SET_NAME));
	const struct asked *further = arg;
	struct standing *s = further->standing;

	if ((nlh->nlmsg_type & 0xff) != NFT_MSG_NEWSET)
		return standing_read(s, further->family, nlh);
	for (int map = 1; map < MAP_FIXED; map++)
		if (!strcmp(name, map_defs[map].name)) {
			s->missing[map] = false;
			if (foreign_map(further->family, (enum map)map, nlh))
				snprintf(s->strange_map, sizeof(s->strange_map), "%s", name);
		}
	for (size_t i = 0; i < SKELETON_SETS; i++)
		if (!strcmp(name, skeleton_sets[i].name)) {
			s->missing_set[i] = false;
			if (foreign_set(further->family, &skeleton_sets[i], nlh))
				snprintf(s->strange_map, sizeof(s->strange_map), "%s", name);
		}
	return 0;
}

/* What there is of a skeleton that is not complete. */
static int look_further(struct link *l, struct buf *b, enum family f, struct standing *s)
{
	struct asked further = {f, s};

	for (int map = 1; map < MAP_FIXED; map++)
		s->missing[map] = true;
	for (size_t i = 0; i < SKELETON_SETS; i++)
		s->missing_set[i] = true;
	if (!s->table)
		return 0;
	buf_reset(b);
	ask_chains(b, f, false);
	for (int map = 1; map < MAP_FIXED; map++)
		ask_set(b, f, map_defs[map].name);
	for (size_t i = 0; i < SKELETON_SETS; i++)
		ask_set(b, f, skeleton_sets[i].name);
	return ask_nothing_is_no_error(link_get(l, b, read_further, &further));
}

int standing_conclude(struct link *l, struct buf *b, enum family f, struct standing *s)
{
	int err = 0;

	s->known = true;
	s->whole = s->table && !*s->strange;
	for (size_t i = 0; !err && s->whole && i < SKELETON_CHAINS; i++) {
		uint32_t rules = 0;

		if (!skeleton_chains[i].rules[f] || (s->chain[i] && s->full[i]))
			continue;
		ask_rules(b, f, skeleton_chains[i].name);
		err = ask_nothing_is_no_error(link_dump(l, b, count_rule, &rules));
		s->whole = s->chain[i] && rules >= skeleton_chains[i].rules[f];
	}
	return err || s->whole ? err : look_further(l, b, f, s);
}

static int read_answer(const struct nlmsghdr *nlh, void *arg)
{
	const struct asked *asked = arg;

	return standing_read(asked->standing, asked->family, nlh);
}

int standing_load(struct link *l, struct buf *b, enum family f, struct standing *s)
{
	struct asked asked = {f, s};
	int err;

	if (s->known)
		return 0;
	buf_reset(b);
	standing_ask(b, f);
	err = ask_nothing_is_no_error(link_get(l, b, read_answer, &asked));
	return err ? err : standing_conclude(l, b, f, s);
}
