/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everybody's base chains, and the text of single rules. */
#ifndef CHECK_RULESET_H
#define CHECK_RULESET_H

#include "family.h"

struct ruleset_chain {
	uint8_t family;
	char table[CHECK_NAME], name[CHECK_NAME];
	enum masq_check_hook hook; /* MASQ_HOOK_NONE: a regular chain */
	int priority;
	bool nat;
	bool owned;   /* the table belongs to a program */
	bool dormant; /* the table takes no packets */
};

struct ruleset {
	struct ruleset_chain *chains;
	size_t n, cap;
	bool legacy, legacy6; /* iptables-legacy has tables, too; ip6tables-legacy */
};

/* 0 or negative errno; ruleset_free() after either. */
int ruleset_read(struct ruleset *r);
void ruleset_free(struct ruleset *r);
const struct ruleset_chain *ruleset_find(const struct ruleset *r, uint8_t family, const char *table,
					 const char *chain);

/* Completes a place that has family, table, chain and handle (or a legacy
 * table, chain and number): number, text, who made it. What cannot be found out
 * stays empty. */
void ruleset_describe(const struct ruleset *r, struct check_place *place);

/* Whether our own table of that family takes packets: not if it is dormant, or
 * has no rule in its nat chains at prerouting, or none in the chain where they
 * look up, or if a rule of others is the first of a chain of ours and lets none
 * through. It does where that cannot be seen. */
enum ruleset_state { RULESET_TAKES, RULESET_DORMANT, RULESET_EMPTIED, RULESET_BARRED };
struct ruleset_ours {
	enum ruleset_state state;
	/* barred: the rule */
	char chain[CHECK_NAME];
	uint64_t handle;
};
struct ruleset_ours ruleset_ours(const struct ruleset *r, const struct family *family);
bool ruleset_has_legacy(const struct ruleset *r, int family);

/* NFPROTO_ value of "ip", "inet", "netdev", ... and back */
uint8_t ruleset_family(const char *name);
const char *ruleset_family_name(uint8_t family);

#endif
