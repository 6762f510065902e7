/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of a transaction: the model's table, and what the engine
 * remembers of how each part of it stands in the kernel.
 */
#ifndef STATE_H
#define STATE_H

#include "interfaces.h"
#include "schema.h"
#include "skeleton.h"
#include "table.h"

/* Of the service with the same index. */
struct stored {
	uint16_t
		maps; /* bits 1 << enum map: where it has an element; one, unless others had a hand in it */
	bool loading;              /* a pool: counts are not yet up to date */
	bool chain;                /* its element goes to a chain of its own... */
	bool cascade;              /* ...whose rules are as this version writes them */
	uint8_t helper;            /* enum helper */
	uint32_t loaded, n_loaded; /* its targets in state.loaded, if it has a chain */
	uint64_t born;
	union {
		uint64_t arrived; /* connections of a pool, while loading */
		uint64_t digest;  /* then: of the service as it was loaded; 0: it has changed */
	};
};

/* Of the entry with the same id. */
struct stored_entry {
	uint64_t handle, trigger_handle; /* of its rules; 0: there is none */
	bool chain, map; /* of its receivers' name are there; set of what is to change */
};

/* A target that was read from a rule. */
struct loaded_target {
	uint32_t service; /* index */
	uint32_t position;
	bool chain; /* in a chain of its own */
	struct target target;
};

/* What stands in the kernel beside forwards, of one family (standing.h). */
struct standing {
	bool known;
	bool table;
	bool dormant;               /* it takes no packets */
	bool whole;                 /* the skeleton is complete */
	bool old;                   /* there are base chains of version 0.5.0... */
	bool old_chain[OLD_CHAINS]; /* ...these */
	bool chain[SKELETON_CHAINS], full[SKELETON_CHAINS]; /* there; with all rules */
	bool trigger;                                       /* the chain of triggers is there */
	bool missing[MAP_FIXED];                            /* maps; set if not whole */
	bool missing_set[SKELETON_SETS];                    /* the same of sets */
	char strange[CHAIN_NAME_MAX];     /* a chain of our name that is something else, or "" */
	char strange_map[CHAIN_NAME_MAX]; /* the same of a map; set if not whole */
};

/* A rule that somebody copied: of the entry with this id, and goes with it. */
struct duplicate {
	size_t id;
	const char *chain;
	uint64_t handle;
};

struct state {
	struct table table;
	bool listed;           /* nothing of it is going to change */
	struct stored *stored; /* of the first services, as far as any were read */
	size_t n_stored, cap_stored;
	struct stored_entry *entries;
	size_t n_entries, cap_entries;
	struct loaded_target *loaded;
	size_t n_loaded, cap_loaded;
	struct duplicate *duplicates;
	size_t n_duplicates;
	struct standing standing[FAMILY_COUNT];
	struct interfaces interfaces[FAMILY_COUNT];
	struct addresses present[FAMILY_COUNT]; /* of this machine's interfaces... */
	bool present_known[FAMILY_COUNT];       /* ...if they have been read */
	unsigned int complete[FAMILY_COUNT];    /* kinds of which all there are have been loaded */
	/* helper_objects, as bits 1 << index: those that commands need, those
	 * that were asked for, that are there, and that are there and something
	 * else */
	struct {
		unsigned int needed, asked, there, strange;
	} objects[FAMILY_COUNT];
};

void state_free(struct state *st);

/* Makes room for what is read of all services of the table; of all entries. 0
 * or -ENOMEM. */
int state_fit(struct state *st);
int state_fit_entries(struct state *st);
/* What is remembered of a service or entry of the table, for which there is
 * room. */
struct stored *state_of(const struct state *st, const struct service *s);
struct stored_entry *state_of_entry(const struct state *st, const struct entry *e);
/* What was read of a service; all zero where nothing was, as of one that a
 * command made. */
const struct stored *state_seen(const struct state *st, const struct service *s);

/* Reads the present addresses of a family, once. Where nobody is there to ask,
 * none are known. 0 or -ENOMEM. */
int state_read_addresses(struct state *st, enum family f);

/* 0 or -ENOMEM. */
int state_add_loaded(struct state *st, const struct loaded_target *t);

/* The chain's name is not copied. 0 or -ENOMEM. */
int state_add_duplicate(struct state *st, size_t id, const char *chain, uint64_t handle);

/* A number that two services have in common only if they would be written
 * alike; never 0. */
uint64_t state_digest(const struct service *s);

#endif
