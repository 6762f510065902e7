// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>

#include "nftlayout.h"
#include "nftrule.h"

/* Where things are in a packet (RFC 791, 793, 768). */
enum { SADDR_OFFSET = 12, DADDR_OFFSET = 16, DPORT_OFFSET = 2 };

struct rule rule_new(const char *chain)
{
	struct rule r = {.nftnl = nftnl_rule_alloc()};

	r.failed = !r.nftnl || nftnl_rule_set_str(r.nftnl, NFTNL_RULE_TABLE, NFT_TABLE) < 0 ||
		   nftnl_rule_set_str(r.nftnl, NFTNL_RULE_CHAIN, chain) < 0;
	return r;
}

bool rule_send(struct rule *r, struct nftbuf *b, bool append, const char *comment)
{
	uint8_t udata[2 + COMMENT_MAX];
	size_t n = comment ? strnlen(comment, COMMENT_MAX - 1) : 0;
	bool ok;

	if (n && !r->failed) {
		udata[0] = 0; /* NFTNL_UDATA_RULE_COMMENT */
		udata[1] = (uint8_t)(n + 1);
		memcpy(udata + 2, comment, n);
		udata[2 + n] = 0;
		r->failed = nftnl_rule_set_data(r->nftnl, NFTNL_RULE_USERDATA, udata,
						(uint32_t)n + 3) < 0;
	}
	ok = !r->failed;
	if (ok)
		nftnl_rule_nlmsg_build_payload(
			nftbuf_msg(b, NFT_MSG_NEWRULE,
				   (uint16_t)(NLM_F_CREATE | (append ? NLM_F_APPEND : 0))),
			r->nftnl);
	if (r->nftnl)
		nftnl_rule_free(r->nftnl);
	r->nftnl = NULL;
	return ok;
}

/* A new expression at the rule's end; NULL: out of memory. */
static struct nftnl_expr *add(struct rule *r, const char *name)
{
	struct nftnl_expr *x = r->failed ? NULL : nftnl_expr_alloc(name);

	if (x)
		nftnl_rule_add_expr(r->nftnl, x);
	else
		r->failed = true;
	return x;
}

static void put(struct nftnl_expr *x, uint16_t attr, uint32_t value)
{
	if (x)
		nftnl_expr_set_u32(x, attr, value);
}

static void put_data(struct rule *r, struct nftnl_expr *x, uint16_t attr, const void *data,
		     uint32_t len)
{
	if (x && nftnl_expr_set(x, attr, data, len) < 0)
		r->failed = true;
}

static void put_name(struct rule *r, struct nftnl_expr *x, uint16_t attr, const char *name)
{
	if (x && nftnl_expr_set_str(x, attr, name) < 0)
		r->failed = true;
}

void rule_meta(struct rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *x = add(r, "meta");

	put(x, NFTNL_EXPR_META_KEY, key);
	put(x, NFTNL_EXPR_META_DREG, reg);
}

void rule_cmp(struct rule *r, uint32_t op, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *x = add(r, "cmp");

	put(x, NFTNL_EXPR_CMP_SREG, reg);
	put(x, NFTNL_EXPR_CMP_OP, op);
	put_data(r, x, NFTNL_EXPR_CMP_DATA, data, len);
}

void rule_protocol(struct rule *r, uint8_t protocol)
{
	rule_meta(r, NFT_META_L4PROTO, NFT_REG_1);
	rule_cmp(r, NFT_CMP_EQ, NFT_REG_1, &protocol, 1);
}

void rule_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *x = add(r, "payload");

	put(x, NFTNL_EXPR_PAYLOAD_BASE, base);
	put(x, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	put(x, NFTNL_EXPR_PAYLOAD_LEN, len);
	put(x, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

void rule_daddr(struct rule *r, uint32_t reg)
{
	rule_payload(r, NFT_PAYLOAD_NETWORK_HEADER, DADDR_OFFSET, 4, reg);
}

void rule_saddr(struct rule *r, uint32_t reg)
{
	rule_payload(r, NFT_PAYLOAD_NETWORK_HEADER, SADDR_OFFSET, 4, reg);
}

void rule_dport(struct rule *r, uint32_t reg)
{
	rule_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, DPORT_OFFSET, 2, reg);
}

void rule_dport_range(struct rule *r, uint16_t low, uint16_t high)
{
	uint16_t from = htons(low), to = htons(high);

	rule_dport(r, NFT_REG_1);
	if (low == high) {
		rule_cmp(r, NFT_CMP_EQ, NFT_REG_1, &from, 2);
		return;
	}
	rule_cmp(r, NFT_CMP_GTE, NFT_REG_1, &from, 2);
	rule_cmp(r, NFT_CMP_LTE, NFT_REG_1, &to, 2);
}

void rule_bitmask(struct rule *r, uint32_t reg, const void *mask, uint32_t len)
{
	static const uint8_t zero[4];
	struct nftnl_expr *x = add(r, "bitwise");

	put(x, NFTNL_EXPR_BITWISE_SREG, reg);
	put(x, NFTNL_EXPR_BITWISE_DREG, reg);
	put(x, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	put(x, NFTNL_EXPR_BITWISE_LEN, len);
	put_data(r, x, NFTNL_EXPR_BITWISE_MASK, mask, len);
	put_data(r, x, NFTNL_EXPR_BITWISE_XOR, zero, len);
}

void rule_fib_local(struct rule *r, uint32_t op)
{
	struct nftnl_expr *x = add(r, "fib");
	uint32_t local = RTN_LOCAL;

	put(x, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	put(x, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put(x, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	rule_cmp(r, op, NFT_REG_1, &local, sizeof(local));
}

void rule_ct(struct rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *x = add(r, "ct");

	put(x, NFTNL_EXPR_CT_KEY, key);
	put(x, NFTNL_EXPR_CT_DREG, reg);
}

void rule_ct_dir(struct rule *r, uint32_t key, uint8_t direction, uint32_t reg)
{
	struct nftnl_expr *x = add(r, "ct");

	put(x, NFTNL_EXPR_CT_KEY, key);
	put(x, NFTNL_EXPR_CT_DREG, reg);
	if (x)
		nftnl_expr_set_u8(x, NFTNL_EXPR_CT_DIR, direction);
}

static struct nftnl_expr *lookup(struct rule *r, uint32_t reg, const char *set, uint32_t id)
{
	struct nftnl_expr *x = add(r, "lookup");

	put(x, NFTNL_EXPR_LOOKUP_SREG, reg);
	put_name(r, x, NFTNL_EXPR_LOOKUP_SET, set);
	if (id)
		put(x, NFTNL_EXPR_LOOKUP_SET_ID, id);
	return x;
}

void rule_in_set(struct rule *r, uint32_t reg, const char *set, uint32_t id, bool invert)
{
	struct nftnl_expr *x = lookup(r, reg, set, id);

	if (invert)
		put(x, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void rule_map(struct rule *r, uint32_t reg, const char *map, uint32_t id, uint32_t dreg)
{
	put(lookup(r, reg, map, id), NFTNL_EXPR_LOOKUP_DREG, dreg);
}

void rule_vmap(struct rule *r, uint32_t reg, const char *map)
{
	rule_map(r, reg, map, 0, NFT_REG_VERDICT);
}

void rule_numgen(struct rule *r, uint32_t modulus, uint32_t reg)
{
	struct nftnl_expr *x = add(r, "numgen");

	put(x, NFTNL_EXPR_NG_DREG, reg);
	put(x, NFTNL_EXPR_NG_MODULUS, modulus);
	put(x, NFTNL_EXPR_NG_TYPE, NFT_NG_INCREMENTAL);
	put(x, NFTNL_EXPR_NG_OFFSET, 0);
	x = add(r, "byteorder");
	put(x, NFTNL_EXPR_BYTEORDER_SREG, reg);
	put(x, NFTNL_EXPR_BYTEORDER_DREG, reg);
	put(x, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	put(x, NFTNL_EXPR_BYTEORDER_LEN, 4);
	put(x, NFTNL_EXPR_BYTEORDER_SIZE, 4);
}

void rule_set_elem(struct rule *r, uint32_t op, const char *map, uint32_t key, uint32_t data)
{
	struct nftnl_expr *x = add(r, "dynset");

	put_name(r, x, NFTNL_EXPR_DYNSET_SET_NAME, map);
	put(x, NFTNL_EXPR_DYNSET_OP, op);
	put(x, NFTNL_EXPR_DYNSET_SREG_KEY, key);
	put(x, NFTNL_EXPR_DYNSET_SREG_DATA, data);
}

void rule_load(struct rule *r, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *x = add(r, "immediate");

	put(x, NFTNL_EXPR_IMM_DREG, reg);
	put_data(r, x, NFTNL_EXPR_IMM_DATA, data, len);
}

void rule_counter(struct rule *r)
{
	add(r, "counter");
}

void rule_dnat(struct rule *r, uint32_t addr, uint32_t proto)
{
	struct nftnl_expr *x = add(r, "nat");

	put(x, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	put(x, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
	put(x, NFTNL_EXPR_NAT_REG_ADDR_MIN, addr);
	if (proto)
		put(x, NFTNL_EXPR_NAT_REG_PROTO_MIN, proto);
}

void rule_verdict(struct rule *r, int verdict, const char *chain)
{
	struct nftnl_expr *x = add(r, "immediate");

	put(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	put(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		put_name(r, x, NFTNL_EXPR_IMM_CHAIN, chain);
}
