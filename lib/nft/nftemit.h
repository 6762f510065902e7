/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps from one state of the table to another. store.c decides which are needed; what becomes
 * of them is one of two things: a netlink batch (nftemit.c), or text for nft(8) (nfttext.c).
 *
 * A step can't fail; what a sink could not take shows when it is closed.
 */
#ifndef NFTEMIT_H
#define NFTEMIT_H

#include "nftlayout.h"
#include "nftlink.h"

struct emit;

struct emit_ops {
	/* A module's chains, rules and empty maps, in the table, which is made where it is not. */
	void (*module_add)(struct emit *e, enum module mod, const uint32_t sizes[MAP_COUNT]);
	/* Takes all of that away (not of autofw), in three steps: what refers to maps and pools...
	 */
	void (*module_unhook)(struct emit *e, enum module mod);
	/* ...then every pool, by this, then the maps. */
	void (*pool_del)(struct emit *e, const struct key *key);
	void (*module_del)(struct emit *e, enum module mod);

	/* A service's element in a map. */
	void (*element)(struct emit *e, bool add, enum map map, const struct service *s);
	/* A service's own chain: made where it is not, its rules replaced. */
	void (*pool_set)(struct emit *e, const struct service *s, const struct schedule *sch);

	/* An autofw entry's rules, as the newest of its type, and its map of receivers. */
	void (*entry_add)(struct emit *e, const struct entry *entry);
	void (*entry_del)(struct emit *e, const struct entry *entry);

	void (*table_del)(struct emit *e);
};

/* A sink begins with its operations. */
struct emit {
	const struct emit_ops *ops;
};

/* Into a buffer, between nftbuf_begin() and nftbuf_end(). */
struct emit_netlink {
	struct emit emit;
	struct nftbuf *buf;
	bool failed; /* out of memory */

	/* the NEWSETELEM or DELSETELEM message that takes elements at the moment */
	struct nlmsghdr *open;
	struct nlattr *list;
	enum map open_map;
	bool open_add;
	uint32_t set_id;
};
void emit_netlink_init(struct emit_netlink *e, struct nftbuf *buf);
/* Completes the last message. 0 or -ENOMEM. */
int emit_netlink_close(struct emit_netlink *e);

/* As lines to a stream; errors of writing are the stream's. */
struct emit_text {
	struct emit emit;
	FILE *out;
};
void emit_text_init(struct emit_text *e, FILE *out);

/*
 * A schedule as the rules of a pool: for each phase one over the targets that have a port, one over
 * those that keep the packet's. The second sees only what the first passed by, so it counts nothing
 * but its own.
 */
struct pool_rule {
	const struct run *runs;
	size_t n_runs;
	uint32_t modulus;
	bool prologue;
	bool keep_port; /* of the runs, take those to targets without port; else those with */
	bool counts;    /* the first rule of the chain counts the connections */
};
#define POOL_RULES_MAX 4
/* How many; then follows one plain rule for each drained target. */
size_t pool_rules(struct pool_rule out[POOL_RULES_MAX], const struct service *s,
		  const struct schedule *sch);

/* The positions of a rule's runs, one after the other: from *run on, the next that the rule takes;
 * false at the end. [*from, *to) is what numgen gives for it. Start with all zero. */
struct pool_cursor {
	size_t next;
	uint64_t at;
};
bool pool_next(struct pool_cursor *c, const struct pool_rule *rule, const struct service *s,
	       const struct run **run, uint32_t *from, uint32_t *to);
/* Whether this run is the one that carries its target's comment: the first in the period. */
bool pool_tells(const struct pool_rule *rule, const struct run *run);

#endif
