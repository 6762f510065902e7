/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nf_tables messages in a batch: tables, chains, sets, rules of a few
 * expressions. */
#ifndef CHECK_EXPR_H
#define CHECK_EXPR_H

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stdint.h>

#include "nl.h"

/* A batch under construction. The first error is kept, what follows it does
 * nothing. */
struct batch {
	char *buf;
	size_t used, size;
	uint32_t seq;
	int err;
};

int batch_begin(struct batch *b);
/* Sends it; every message is acknowledged. 0 or negative errno. Frees it. */
int batch_send(struct batch *b, struct nl *nl);

void batch_table(struct batch *b, uint8_t family, const char *name, uint32_t flags);
/* type NULL: a regular chain. device may be NULL. */
void batch_chain(struct batch *b, uint8_t family, const char *table, const char *name,
		 const char *type, uint32_t hook, int priority, const char *device);
struct set_shape {
	const char *name;
	uint32_t id, flags;
	uint32_t key_type, key_len, data_type, data_len;
};
void batch_set(struct batch *b, uint8_t family, const char *table, const struct set_shape *shape,
	       uint32_t elements);
/* Elements of key_len bytes each, data behind each key where the set is a
 * map. */
void batch_elements(struct batch *b, uint8_t family, const char *table,
		    const struct set_shape *shape, const void *elements, uint32_t n);

/* A rule: rule_begin(), expressions, batch_rule(), which frees it. */
struct nftnl_rule *rule_begin(struct batch *b, uint8_t family, const char *table,
			      const char *chain);
void batch_rule(struct batch *b, uint8_t family, struct nftnl_rule *r);

/* Registers are counted in words of four bytes from 0. */
void put_payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t len, int word);
void put_meta(struct nftnl_rule *r, uint32_t key, int word);
void put_meta_set(struct nftnl_rule *r, uint32_t key, int word);
void put_value(struct nftnl_rule *r, uint32_t value, uint32_t len, int word);
/* direction: IP_CT_DIR_ORIGINAL, or -1 where the key has none */
void put_ct(struct nftnl_rule *r, uint32_t key, int direction, int word);
void put_cmp(struct nftnl_rule *r, int word, uint32_t op, const void *value, uint32_t len);
void put_mask(struct nftnl_rule *r, int word, uint32_t mask);
void put_lookup(struct nftnl_rule *r, const struct set_shape *set, int word, int data_word,
		bool invert);
void put_dnat(struct nftnl_rule *r, uint8_t family, int address_word, int port_word);
/* Loads the type of the destination's address: RTN_LOCAL, ... */
void put_type_of_destination(struct nftnl_rule *r, int word);
/* Sets the connection's labels, 16 bytes, of which some may be set already. */
void put_labels(struct nftnl_rule *r, int word);
void put_limit(struct nftnl_rule *r, uint64_t rate);
void put_verdict(struct nftnl_rule *r, int verdict, const char *chain);

#endif
