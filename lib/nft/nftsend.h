/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a netlink batch of ours is made of. Everything is in our table; all text is copied. What
 * can't be had shows when the sink is closed.
 */
#ifndef NFTSEND_H
#define NFTSEND_H

#include "nftemit.h"
#include "nftrule.h"

/* Registers of four bytes: NFT_REG_1 begins with the first. */
#define REG(n) (NFT_REG32_00 + (n))

/* nft's numbers for what type and order a set's keys have (nftables, datatype.h). */
enum { TYPE_INTEGER = 4, TYPE_IPV4_ADDR = 7, TYPE_ETHER_TYPE = 10, TYPE_INET_PROTOCOL = 12 };
enum { ORDER_NONE, ORDER_HOST, ORDER_NETWORK };

/* A set or map of any kind; what is 0 is left out. */
struct set_spec {
	const char *name, *comment;
	uint32_t flags, key_type, data_type, size, id;
	uint8_t key_len, data_len, key_order;
	uint32_t seconds;
	bool counter;
};

/* A set, made where it is not; later messages of the batch may name it by its id. */
void send_set(struct emit_netlink *e, const struct set_spec *spec);
void send_map(struct emit_netlink *e, enum map map, uint32_t size);
void del_set(struct emit_netlink *e, const char *name);

/* A chain; a base chain if type is given. To delete it, it is emptied. */
void send_chain(struct emit_netlink *e, const char *name, const char *type, uint32_t hook,
		int priority);
void del_chain(struct emit_netlink *e, const char *name);
void flush_chain(struct emit_netlink *e, const char *name);

/* A rule, last or first in its chain; frees it. No comment: NULL. */
void send_rule(struct emit_netlink *e, struct rule *r, bool append, const char *comment);
/* Handle 0: there is none. */
void del_rule(struct emit_netlink *e, const char *chain, uint64_t handle);

/* A message that only names something: the table, and in it what attr stands for. */
void send_name(struct emit_netlink *e, uint16_t type, uint16_t table_attr, uint16_t attr,
	       const char *name);

/* Elements are put into one message after begin_elements(), until it is full or something else is
 * sent. id: of a set that the same batch makes, else 0. */
void begin_elements(struct emit_netlink *e, bool add, const char *set, uint32_t id);
bool elements_full(const struct emit_netlink *e);
void close_elements(struct emit_netlink *e);
/* An element's key, data and comment; lengths of 0 are left out. */
void put_element(struct emit_netlink *e, const void *key, uint16_t key_len, const void *data,
		 uint16_t data_len, const char *comment);
void put_goto(struct emit_netlink *e, const void *key, uint16_t key_len, const char *chain,
	      const char *comment);
void put_interval_end(struct emit_netlink *e, uint32_t key);

/* nftautofw.c: autofw's part of a batch. Its chains; what its base chain does; its entries. */
void autofw_chains(struct emit_netlink *e);
void autofw_hook(struct emit_netlink *e);
void autofw_entry_add(struct emit_netlink *e, const struct entry *entry);
void autofw_entry_del(struct emit_netlink *e, const struct entry *entry);

#endif
