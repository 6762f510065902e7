/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about our tables, and how to know that a dump was complete. */
#ifndef ASK_H
#define ASK_H

#include <errno.h>

#include "read.h"

/* Each begins a request, after those that are in the buffer. */
struct nlmsghdr *ask_elements(struct buf *b, enum family f, uint16_t flags, const char *set);
void ask_element(struct buf *b, enum map map, const struct key *key);
void ask_key(struct buf *b, enum family f, const char *set, const void *key, uint32_t len);
void ask_chain(struct buf *b, enum family f, const char *chain);
void ask_set(struct buf *b, enum family f, const char *set);
/* The rules of a chain, or of all (NULL): a dump, alone in the buffer. */
void ask_rules(struct buf *b, enum family f, const char *chain);

static inline int ask_nothing_is_no_error(int err)
{
	return err == -ENOENT ? 0 : err;
}

/*
 * A dump that takes more than one message goes on by counting, and counts what
 * is not in force as well. So a transaction that somebody prepares and takes
 * back (nft --check; a map that was full) makes it tell things twice or not at
 * all, while the generation stays what it is (measured on 6.18). What was told
 * is counted, to be held against what there is.
 */
struct census {
	size_t messages, n;
	uint64_t sum; /* of all, in order */
};

/* Counts the elements or the rules of a message. */
void census_element(struct census *c, const struct element *e);
void census_rule(struct census *c, const struct nlmsghdr *rule);

/* The same dump once more: -EINTR if it tells something else. */
int census_elements_again(struct link *l, struct buf *b, enum family f, const char *set,
			  const struct census *c);
int census_rules_again(struct link *l, struct buf *b, enum family f, const char *chain,
		       const struct census *c);

/* So many rules of ours are told at once: none takes 700 bytes, and what comes
 * first has 3.5 KiB. */
#define CENSUS_FEW_RULES 4

#endif
