/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The services and entries that a transaction has looked at. What a command
 * does to them is its kind's (kind.h).
 */
#ifndef TABLE_H
#define TABLE_H

#include "service.h"

/* The most kinds there can be: masq_list() takes them as bits. */
#define KINDS_MAX 8

/* An entry of autofw, whose receivers live in the kernel, or of reach. */
struct entry {
	uint32_t id; /* the same as long as the table lives, from 0 on */
	struct masq_command forward;
	uint64_t served;
	bool gone;
	bool again; /* added once more: it is to be there as a whole */
};

struct table {
	struct service *services; /* in no order; the index of one never changes */
	size_t n, cap;
	/* of the first `indexed` of them, by key: open addressing. A slot has
	 * the number of one, from 1, in the bits that number the slots, and in
	 * those above it bits of its key's hash, so that others need not be
	 * looked at; or 0: free */
	uint32_t *index;
	size_t indexed, slots;
	bool twice; /* the index has met a key again */

	struct entry *entries; /* in matching order within a form: newest first */
	size_t n_entries;
	uint32_t next_id;

	bool flushed[KINDS_MAX]; /* by kind: what there was before is gone as a whole */
	uint64_t next_born;
};

void table_free(struct table *t);

/* Pointers to services and entries are good until the next one is added. */

/* The service with this key, or NULL if it has not been looked at. */
struct service *table_get(struct table *t, const struct key *key);
/* The same, made (without targets) where there is none; NULL: out of memory. */
struct service *table_put(struct table *t, const struct key *key);
/* The same for a key that is not there, without looking. */
struct service *table_add(struct table *t, const struct key *key);

/* Whether all keys are different, which table_add() took for granted. */
bool table_unique(struct table *t);

/* Adds the target of a command to a service, first or last. 0, -ENOMEM or
 * -EOVERFLOW. */
int table_add_target(struct table *t, struct service *s, bool head, const struct masq_command *c);

/* Puts an entry first or last and gives it an id. NULL: out of memory. */
struct entry *table_insert_entry(struct table *t, bool head, const struct masq_command *forward);

/* Everything of a kind goes: its services lose their targets, its entries are
 * gone. */
void table_flush(struct table *t, enum masq_kind kind);

/* What has to be in the table before a command can be applied. */
enum scope {
	SCOPE_NONE,
	SCOPE_ONE,  /* one service for each part of the command */
	SCOPE_KIND, /* all of the kind */
};

#endif
