// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <string.h>

#include "skeleton.h"

/* As nft(8) names them. */
enum { PRIORITY_DSTNAT = -100, PRIORITY_SRCNAT = 100 };

#define CHAIN_FIRST "prerouting"
#define CHAIN_AGAIN "prerouting_again"
#define CHAIN_OUT "output"
#define CHAIN_OUT_AGAIN "output_again"
#define CHAIN_POST "postrouting"
#define CHAIN_MFW "lookup_mfw"

/* Before those that others hang in at dstnat. */
static const struct hook first_hook = {"nat", NF_INET_PRE_ROUTING, PRIORITY_DSTNAT - 2,
				       "prerouting priority dstnat - 2"};
static const struct hook second_hook = {"nat", NF_INET_PRE_ROUTING, PRIORITY_DSTNAT - 1,
					"prerouting priority dstnat - 1"};
/* nft(8) has no names for these. */
static const struct hook first_out_hook = {"nat", NF_INET_LOCAL_OUT, PRIORITY_DSTNAT - 2,
					   "output priority -102"};
static const struct hook second_out_hook = {"nat", NF_INET_LOCAL_OUT, PRIORITY_DSTNAT - 1,
					    "output priority -101"};
/* After those that others hang in at srcnat: an administrator's own snat
 * wins. */
static const struct hook post_hook = {"nat", NF_INET_POST_ROUTING, PRIORITY_SRCNAT + 1,
				      "postrouting priority srcnat + 1"};
const struct hook trigger_hook = {"filter", NF_INET_POST_ROUTING, PRIORITY_SRCNAT + 1,
				  "postrouting priority srcnat + 1"};

/* As many rules in either family. */
#define BOTH(n)                                                                                    \
	{                                                                                          \
		(n), (n)                                                                           \
	}

/* In an order in which each is there before a rule jumps to it. */
const struct skeleton_chain skeleton_chains[SKELETON_CHAINS] = {
	{CHAIN_RANGE, NULL, BOTH(0), 1},
	{CHAIN_PORT, NULL, BOTH(0), 1},
	{CHAIN_DIRECT, NULL, BOTH(0), 0},
	{CHAIN_AT, NULL, BOTH(0), 1},
	{CHAIN_LEARN, NULL, BOTH(0), 1},
	{CHAIN_OWN, NULL, BOTH(0), 2},
	{CHAIN_INSIDE, NULL, BOTH(0), 1},
	{CHAIN_MFW, NULL, BOTH(5), 1},
	{CHAIN_LOOKUP, NULL, {8, 9}, 4},
	{CHAIN_FIRST, &first_hook, BOTH(4), 0},
	{CHAIN_AGAIN, &second_hook, BOTH(3), 0},
	{CHAIN_OUT, &first_out_hook, BOTH(5), 0},
	{CHAIN_OUT_AGAIN, &second_out_hook, BOTH(5), 0},
	{CHAIN_POST, &post_hook, BOTH(7), 0},
};

#define SET_LINKS "reach_links"
#define LINK_SECONDS 3600

static const struct parts in_in = {{FIELD_IN_NAME, FIELD_IN_NAME}},
			  in_out = {{FIELD_IN_NAME, FIELD_OUT_NAME}},
			  in_source = {{FIELD_IN_NAME, FIELD_SOURCE}};

const struct map_spec skeleton_sets[SKELETON_SETS] = {
	{
		.name = SET_LINKS,
		.comment = "interfaces that packets came in by, and the same again",
		.key = &in_in,
		.size = 65535,
		.seconds = LINK_SECONDS,
		.dynamic = true,
	},
	{
		.name = SET_FAR,
		.comment = "who is not in a network of the interface: behind a router there",
		.key = &in_source,
		.ranges = true,
	},
};

const char *skeleton_word(const char *name)
{
	for (size_t i = 0; i < SKELETON_SETS; i++)
		if (!strcmp(name, skeleton_sets[i].name))
			return "set";
	if (!strncmp(name, "addresses-", 10))
		return "set";
	return "map";
}

const char *const old_chains[OLD_CHAINS] = {"portfw", "mfw", "autofw"};

#define TEST(t)                                                                                    \
	{                                                                                          \
		.type = STATEMENT_TEST, .test = (t)                                                \
	}
#define JUMP(chain)                                                                                \
	{                                                                                          \
		.type = STATEMENT_JUMP, .name = (chain)                                            \
	}
#define LABEL(n)                                                                                   \
	{                                                                                          \
		.type = STATEMENT_LABEL, .label = (n)                                              \
	}
#define MASQUERADE                                                                                 \
	{                                                                                          \
		.type = STATEMENT_MASQUERADE                                                       \
	}
#define SET(t, set, parts)                                                                         \
	{                                                                                          \
		.type = (t), .name = (set), .key = &(parts)                                        \
	}
#define RETURN                                                                                     \
	{                                                                                          \
		.type = STATEMENT_RETURN                                                           \
	}

#define RULE_STATEMENTS 6

/* A rule of the skeleton: statements, of which one may be a look-up in a
 * map. */
struct skeleton_rule {
	const char *chain;
	struct statement statement[RULE_STATEMENTS];
	enum map map;
};

/* Most packets have no mark: they pass one test. */
static const struct skeleton_rule rules[] = {
	{CHAIN_MFW, {TEST(TEST_NO_SYN), RETURN}, MAP_NONE},
	{CHAIN_MFW, {TEST(TEST_OTHER), RETURN}, MAP_NONE},
	{CHAIN_MFW, {TEST(TEST_EITHER)}, MAP_MFW},
	{CHAIN_MFW, {{0}}, MAP_MFW_KEEP},
	{CHAIN_MFW, {{0}}, MAP_MFW_POOLS},
	{CHAIN_LOOKUP, {TEST(TEST_MARKED), JUMP(CHAIN_MFW)}, MAP_NONE},
	{CHAIN_LOOKUP, {{0}}, MAP_PORTFW},
	{CHAIN_LOOKUP, {{0}}, MAP_PORTFW_POOLS},
	{CHAIN_LOOKUP, {TEST(TEST_LINK_LOCAL), RETURN}, MAP_NONE},
	{CHAIN_LOOKUP, {JUMP(CHAIN_AT)}, MAP_NONE},
	{CHAIN_LOOKUP, {{0}}, MAP_PORTFW_ANY},
	{CHAIN_LOOKUP, {{0}}, MAP_PORTFW_ANY_POOLS},
	{CHAIN_LOOKUP, {JUMP(CHAIN_RANGE)}, MAP_NONE},
	{CHAIN_LOOKUP, {JUMP(CHAIN_PORT)}, MAP_NONE},
	{CHAIN_FIRST, {TEST(TEST_NOT_LOCAL), RETURN}, MAP_NONE},
	{CHAIN_FIRST, {LABEL(LABEL_SOUGHT)}, MAP_NONE},
	{CHAIN_FIRST, {JUMP(CHAIN_LEARN)}, MAP_NONE},
	{CHAIN_FIRST, {JUMP(CHAIN_LOOKUP)}, MAP_NONE},
	{CHAIN_AGAIN, {TEST(TEST_NOT_LOCAL), RETURN}, MAP_NONE},
	{CHAIN_AGAIN, {JUMP(CHAIN_LOOKUP)}, MAP_NONE},
	{CHAIN_AGAIN, {LABEL(LABEL_MISSED)}, MAP_NONE},
	{CHAIN_OUT, {TEST(TEST_NOT_LOCAL), RETURN}, MAP_NONE},
	{CHAIN_OUT, {TEST(TEST_LOOPBACK), RETURN}, MAP_NONE},
	{CHAIN_OUT, {JUMP(CHAIN_OWN)}, MAP_NONE},
	{CHAIN_OUT, {LABEL(LABEL_SOUGHT)}, MAP_NONE},
	{CHAIN_OUT, {JUMP(CHAIN_LOOKUP)}, MAP_NONE},
	{CHAIN_OUT_AGAIN, {TEST(TEST_NOT_LOCAL), RETURN}, MAP_NONE},
	{CHAIN_OUT_AGAIN, {TEST(TEST_LOOPBACK), RETURN}, MAP_NONE},
	{CHAIN_OUT_AGAIN, {JUMP(CHAIN_OWN)}, MAP_NONE},
	{CHAIN_OUT_AGAIN, {JUMP(CHAIN_LOOKUP)}, MAP_NONE},
	{CHAIN_OUT_AGAIN, {LABEL(LABEL_MISSED)}, MAP_NONE},
	{CHAIN_POST, {TEST(TEST_NO_DNAT), RETURN}, MAP_NONE},
	{CHAIN_POST,
	 {TEST(TEST_BORN_HERE), TEST(TEST_LEAVES), TEST(TEST_FROM_HERE), TEST(TEST_FROM_OTHER),
	  TEST(TEST_OURS), MASQUERADE},
	 MAP_NONE},
	{CHAIN_POST, {TEST(TEST_BORN_HERE), RETURN}, MAP_NONE}, /* nft(8) reads no empty name */
	{CHAIN_POST, {SET(STATEMENT_UPDATE, SET_LINKS, in_in)}, MAP_NONE},
	{CHAIN_POST, {SET(STATEMENT_NOT_IN_SET, SET_LINKS, in_out), RETURN}, MAP_NONE},
	{CHAIN_POST, {JUMP(CHAIN_INSIDE)}, MAP_NONE},
	{CHAIN_POST,
	 {SET(STATEMENT_NOT_IN_SET, SET_FAR, in_source), TEST(TEST_OURS), MASQUERADE},
	 MAP_NONE},
};

/* A map has the buckets of a hash of fixed size: dumps of it are three times as
 * fast as of one that the kernel resizes (measured on 6.18, 50,000 elements: 60
 * ms against 155), and no resizing makes them tell an element twice or not at
 * all. A full map is made anew, this much larger. */
#define MAP_SIZE_MIN 1024u
#define MAP_SIZE_STEP 4u

void skeleton_map(struct batch *b, enum map map, uint32_t n)
{
	uint64_t want = n + n / 4u, size = MAP_SIZE_MIN;
	const struct map_def *def = &map_defs[map];

	while (size < want)
		size *= MAP_SIZE_STEP;
	b->ops->map_add(b, &(struct map_spec){
				   .name = def->name,
				   .comment = def->comment,
				   .key = &def->key,
				   .data = &def->data,
				   .size = (uint32_t)size,
			   });
}

void skeleton_make_chains(struct batch *b)
{
	for (size_t i = 0; i < SKELETON_CHAINS; i++)
		b->ops->chain_add(b, skeleton_chains[i].name, skeleton_chains[i].hook);
}

void skeleton_unhook(struct batch *b)
{
	for (size_t i = SKELETON_CHAINS; i--;)
		if (skeleton_chains[i].rules[b->family])
			b->ops->chain_flush(b, skeleton_chains[i].name);
}

bool skeleton_leads(const char *chain, const char *to)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const struct skeleton_rule *r = &rules[i];

		if (strcmp(r->chain, chain) != 0)
			continue;
		if (r->map != MAP_NONE && !strcmp(to, map_defs[r->map].name))
			return true;
		for (size_t k = 0; k < RULE_STATEMENTS; k++) {
			const struct statement *s = &r->statement[k];

			if ((s->type == STATEMENT_RETURN && !strcmp(to, TO_RETURN)) ||
			    (s->type == STATEMENT_LABEL && !strcmp(to, TO_LABEL)) ||
			    (s->type == STATEMENT_UPDATE && !strcmp(to, TO_UPDATE)) ||
			    (s->type == STATEMENT_MASQUERADE && !strcmp(to, TO_MASQUERADE)) ||
			    (s->type == STATEMENT_JUMP && !strcmp(to, s->name)))
				return true;
		}
	}
	return false;
}

static bool needs_label(const struct skeleton_rule *r)
{
	for (size_t k = 0; k < RULE_STATEMENTS; k++)
		if (r->statement[k].type == STATEMENT_LABEL ||
		    (r->statement[k].type == STATEMENT_TEST && r->statement[k].test == TEST_OURS))
			return true;
	return false;
}

/* A rule that begins with a test is there in the families that have it. */
static bool has_test(const struct skeleton_rule *r, enum family f)
{
	return r->statement->type != STATEMENT_TEST || test_def(f, r->statement->test);
}

void skeleton_hook(struct batch *b)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const struct map_def *def = &map_defs[rules[i].map];
		struct rule r = {.chain = rules[i].chain};

		if (!has_test(&rules[i], b->family))
			continue;
		if (b->unlabelled && needs_label(&rules[i])) {
			rule_add(&r, (struct statement){.type = STATEMENT_COUNTER});
			b->ops->rule_add(b, &r);
			continue;
		}
		for (size_t k = 0;
		     k < RULE_STATEMENTS && rules[i].statement[k].type != STATEMENT_NONE; k++)
			rule_add(&r, rules[i].statement[k]);
		if (rules[i].map != MAP_NONE)
			rule_add(&r, (struct statement){
					     .type = def->pool ? STATEMENT_VERDICT_MAP
							       : STATEMENT_DNAT_MAP,
					     .name = def->name,
					     .key = &def->key,
					     .data = &def->data,
				     });
		b->ops->rule_add(b, &r);
	}
}
