/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a table has beside forwards: the chains that packets pass, and empty
 * maps. It is made as a whole, with the first forward.
 *
 *	chain prerouting	a base chain: what is for this machine is looked up
 *	chain prerouting_again	the same, right behind it
 *	chain output		the same for what this machine itself connects to
 *	chain output_again
 *	chain lookup		by mark, then by exact address, then by interface
 *				(interfaces.h), then by any address, then autofw's
 *				ranges and ports; what goes to an address that is
 *				the link's own, by mark and exact address alone
 *	chain postrouting	masquerades those of our connections whose answers
 *				would not come back here otherwise
 *
 * The kernel looks at a packet's chains as they were when it entered the base
 * chain, but at maps as they are at each look. What moves from one map to
 * another, or to a map of another size, while a packet is under way would be
 * found in neither. Such a packet has not been translated, and only such
 * packets come to the second base chain (net/netfilter/nf_nat_core.c), which it
 * enters with the new state.
 *
 * A connection that was looked up gets a label, and another one if nothing was
 * found. So what has the first, not the second and a translated destination was
 * translated by us: those that others translate before us are not looked up,
 * those that they translate after us were not found. (Not told apart: others'
 * chains between our two.) A rule can set a label, but clear none.
 *
 * A rule cannot compare two interfaces, so a set learns of each that packets
 * come in by that it is itself.
 */
#ifndef SKELETON_H
#define SKELETON_H

#include "batch.h"

#define CHAIN_LOOKUP "lookup"
#define CHAIN_RANGE "autofw_range"
#define CHAIN_PORT "autofw_port"
#define CHAIN_DIRECT "autofw_direct"
#define CHAIN_AT "lookup_at"
#define CHAIN_LEARN "learn"
#define CHAIN_OWN "reach_own"
#define CHAIN_INSIDE "reach_inside"
#define CHAIN_TRIGGER "autofw_trigger"

/* A chain of the skeleton. */
struct skeleton_chain {
	const char *name;
	const struct hook *hook;      /* of a base chain */
	uint32_t rules[FAMILY_COUNT]; /* so many of its own */
	uint32_t references;          /* and so many rules of ours that jump to it */
};
#define SKELETON_CHAINS 14
extern const struct skeleton_chain skeleton_chains[SKELETON_CHAINS];

/* Its sets. */
#define SKELETON_SETS 2
extern const struct map_spec skeleton_sets[SKELETON_SETS];
/* What nft(8) calls something of this name: "set" or "map". */
const char *skeleton_word(const char *name);

/* With the first entry that is triggered: it sees masqueraded packets leave. */
extern const struct hook trigger_hook;

/* The base chains of version 0.5.0, which had one for each kind and IPv4
 * alone. */
#define OLD_CHAINS 3
extern const char *const old_chains[OLD_CHAINS];

/* An empty map for at least n elements. */
void skeleton_map(struct batch *b, enum map map, uint32_t n);
/* The chains of the skeleton, made where they are not, without rules. */
void skeleton_make_chains(struct batch *b);
/* Takes the rules away that refer to maps; with others in the same chains. */
void skeleton_unhook(struct batch *b);
/* Whether a rule of the chain leads there: to a map, to a chain, or one of
 * these. */
#define TO_RETURN ""
#define TO_LABEL " label"
#define TO_MASQUERADE " masquerade"
#define TO_UPDATE " update"
bool skeleton_leads(const char *chain, const char *to);
/* Fills the chains, which have no rules. Where the kernel has no labels, ours
 * cannot be told from what others forward, and nobody is masqueraded: a rule
 * that needs a label counts instead. */
void skeleton_hook(struct batch *b);

#endif
