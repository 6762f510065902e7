/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the kernel to the model. Each function reads what it names into the table, counts brought up
 * to date with the connections that arrived since they were stored.
 *
 * 0 or -errno; -EINTR: the ruleset changed while it was read; -EBADMSG: an answer that makes no
 * sense. That nothing is there is no error.
 */
#ifndef NFTLOAD_H
#define NFTLOAD_H

#include "nftlayout.h"
#include "nftlink.h"

/* The service with this key, made in the table (without targets if it is not in the kernel). */
int load_service(struct nftlink *l, struct nftbuf *b, struct table *t, const struct key *key);

/* All of a module. */
int load_module(struct nftlink *l, struct nftbuf *b, struct table *t, enum module mod);

/* Whether a chain exists and has rules: without, it is made anew. */
int load_chain(struct nftlink *l, struct nftbuf *b, const char *chain, bool *there);

/* How many elements a map may hold; 0: as many as you like, or there is no such map. */
int load_map_size(struct nftlink *l, struct nftbuf *b, enum map map, uint32_t *size);

/* Whether a map holds an element other than those of the table's dirty services. */
int load_remains(struct nftlink *l, struct nftbuf *b, struct table *t, enum map map, bool *remains);

/* The receivers of an autofw entry, as records to append. */
int load_receivers(struct nftlink *l, struct nftbuf *b, const struct ip_autofw_user *user,
		   struct records *out);

#endif
