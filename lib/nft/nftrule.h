/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules, expression by expression, with libnftnl. A register is one of NFT_REG32_00 on; NFT_REG_1
 * begins where NFT_REG32_00 does. Out of memory shows in rule.failed, nothing else changes.
 */
#ifndef NFTRULE_H
#define NFTRULE_H

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nftlink.h"

struct rule {
	struct nftnl_rule *nftnl;
	bool failed;
};

struct rule rule_new(const char *chain);
/* Turns it into a message and frees it. append: last in its chain; else first. */
bool rule_send(struct rule *r, struct nftbuf *b, bool append, const char *comment);

/* Match: what is loaded compares as op says, in the bytes given. */
void rule_meta(struct rule *r, uint32_t key, uint32_t reg);
void rule_cmp(struct rule *r, uint32_t op, uint32_t reg, const void *data, uint32_t len);
void rule_protocol(struct rule *r, uint8_t protocol);
/* A part of the packet: offset and length from its network or transport header. */
void rule_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg);
void rule_daddr(struct rule *r, uint32_t reg);
void rule_saddr(struct rule *r, uint32_t reg);
void rule_dport(struct rule *r, uint32_t reg);
/* Of the packet's own protocol, network order; from host-order bounds. */
void rule_dport_range(struct rule *r, uint16_t low, uint16_t high);
void rule_bitmask(struct rule *r, uint32_t reg, const void *mask, uint32_t len);
/* Addressed to this machine: op NFT_CMP_EQ or NFT_CMP_NEQ. */
void rule_fib_local(struct rule *r, uint32_t op);
void rule_ct(struct rule *r, uint32_t key, uint32_t reg);
/* Of one direction: 0 original, 1 reply. */
void rule_ct_dir(struct rule *r, uint32_t key, uint8_t direction, uint32_t reg);

/* A set by name, or by id where it is an anonymous one of this batch (name "__map%d"). */
void rule_in_set(struct rule *r, uint32_t reg, const char *set, uint32_t id, bool invert);
void rule_map(struct rule *r, uint32_t reg, const char *map, uint32_t id, uint32_t dreg);
void rule_vmap(struct rule *r, uint32_t reg, const char *map);
/* 0, 1, ... modulus - 1, 0, ..., in network order as interval maps want it. */
void rule_numgen(struct rule *r, uint32_t modulus, uint32_t reg);
void rule_set_elem(struct rule *r, uint32_t op, const char *map, uint32_t key, uint32_t data);

void rule_load(struct rule *r, uint32_t reg, const void *data, uint32_t len);
void rule_counter(struct rule *r);
/* proto 0: the port stays. */
void rule_dnat(struct rule *r, uint32_t addr, uint32_t proto);
/* NFT_RETURN, or NFT_JUMP to a chain. */
void rule_verdict(struct rule *r, int verdict, const char *chain);

#endif
