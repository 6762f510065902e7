// SPDX-License-Identifier: GPL-2.0-or-later
#include "expr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* No message of ours is longer; what a batch of several elements may fill. */
enum { MESSAGE_MAX = 16384, ELEMENTS_MAX = 128 };

static struct nlmsghdr *room(struct batch *b)
{
	if (!b->err && b->size - b->used < MESSAGE_MAX) {
		size_t size = b->size * 2 + MESSAGE_MAX;
		char *buf = realloc(b->buf, size);

		if (buf) {
			b->buf = buf;
			b->size = size;
		} else {
			b->err = -ENOMEM;
		}
	}
	return b->err ? NULL : (struct nlmsghdr *)(void *)(b->buf + b->used);
}

static void control(struct batch *b, uint16_t type)
{
	struct nlmsghdr *h = room(b);

	if (!h)
		return;
	nl_nf_request((char *)h, 0, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	h->nlmsg_seq = ++b->seq;
	b->used += NLMSG_ALIGN(h->nlmsg_len);
}

int batch_begin(struct batch *b)
{
	*b = (struct batch){.seq = 1};
	control(b, NFNL_MSG_BATCH_BEGIN);
	return b->err;
}

static struct nlmsghdr *message(struct batch *b, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *h = room(b);

	if (!h)
		return NULL;
	nl_nf_request((char *)h, NFNL_SUBSYS_NFTABLES, type, flags | NLM_F_ACK, family, 0);
	h->nlmsg_seq = ++b->seq;
	return h;
}

static void done(struct batch *b, const struct nlmsghdr *h)
{
	b->used += NLMSG_ALIGN(h->nlmsg_len);
}

int batch_send(struct batch *b, struct nl *nl)
{
	int fd = mnl_socket_get_fd(nl->socket), size = (int)b->size;
	uint32_t left = b->seq - 2; /* acknowledgements: all but of the begin */
	int err = b->err;

	control(b, NFNL_MSG_BATCH_END);
	if (!err) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
		size *= 4;
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	}
	if (!err && mnl_socket_sendto(nl->socket, b->buf, b->used) < 0)
		err = -errno;
	while (!err && left) {
		char buf[32768];
		ssize_t n = mnl_socket_recvfrom(nl->socket, buf, sizeof(buf));

		if (n < 0)
			err = errno == EAGAIN ? -ETIME : -errno;
		for (struct nlmsghdr *h = (void *)buf; n > 0 && mnl_nlmsg_ok(h, (int)n);) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type == NLMSG_ERROR && e->error && !err)
				err = e->error;
			if (h->nlmsg_type == NLMSG_ERROR && left)
				left--;
			int rest = (int)n;

			h = mnl_nlmsg_next(h, &rest);
			n = rest;
		}
	}
	free(b->buf);
	b->buf = NULL;
	return err;
}

void batch_table(struct batch *b, uint8_t family, const char *name, uint32_t flags)
{
	struct nlmsghdr *h = message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, family);

	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, name);
	mnl_attr_put_u32(h, NFTA_TABLE_FLAGS, htonl(flags));
	done(b, h);
}

void batch_chain(struct batch *b, uint8_t family, const char *table, const char *name,
		 const char *type, uint32_t hook, int priority, const char *device)
{
	struct nlmsghdr *h = message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, family);
	struct nlattr *nest;

	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, name);
	if (type) {
		nest = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl(hook));
		mnl_attr_put_u32(h, NFTA_HOOK_PRIORITY, htonl((uint32_t)priority));
		if (device)
			mnl_attr_put_strz(h, NFTA_HOOK_DEV, device);
		mnl_attr_nest_end(h, nest);
		mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, type);
		mnl_attr_put_u32(h, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
	}
	done(b, h);
}

void batch_set(struct batch *b, uint8_t family, const char *table, const struct set_shape *shape,
	       uint32_t elements)
{
	struct nlmsghdr *h = message(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, family);
	struct nlattr *nest;

	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_SET_TABLE, table);
	mnl_attr_put_strz(h, NFTA_SET_NAME, shape->name);
	mnl_attr_put_u32(h, NFTA_SET_ID, htonl(shape->id));
	mnl_attr_put_u32(h, NFTA_SET_FLAGS, htonl(shape->flags));
	mnl_attr_put_u32(h, NFTA_SET_KEY_TYPE, htonl(shape->key_type));
	mnl_attr_put_u32(h, NFTA_SET_KEY_LEN, htonl(shape->key_len));
	if (shape->flags & NFT_SET_MAP) {
		mnl_attr_put_u32(h, NFTA_SET_DATA_TYPE, htonl(shape->data_type));
		mnl_attr_put_u32(h, NFTA_SET_DATA_LEN, htonl(shape->data_len));
	}
	nest = mnl_attr_nest_start(h, NFTA_SET_DESC);
	mnl_attr_put_u32(h, NFTA_SET_DESC_SIZE, htonl(elements ? elements : 1));
	mnl_attr_nest_end(h, nest);
	done(b, h);
}

static void put_data(struct nlmsghdr *h, uint16_t type, const void *value, uint32_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(h, type);

	mnl_attr_put(h, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(h, nest);
}

void batch_elements(struct batch *b, uint8_t family, const char *table,
		    const struct set_shape *shape, const void *elements, uint32_t n)
{
	const char *at = elements;

	while (n) {
		struct nlmsghdr *h = message(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, family);
		struct nlattr *list, *one;

		if (!h)
			return;
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table);
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, shape->name);
		mnl_attr_put_u32(h, NFTA_SET_ELEM_LIST_SET_ID, htonl(shape->id));
		list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
		for (int i = 0; n && i < ELEMENTS_MAX; i++, n--) {
			one = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
			put_data(h, NFTA_SET_ELEM_KEY, at, shape->key_len);
			at += shape->key_len;
			if (shape->flags & NFT_SET_MAP)
				put_data(h, NFTA_SET_ELEM_DATA, at, shape->data_len);
			at += shape->data_len;
			mnl_attr_nest_end(h, one);
		}
		mnl_attr_nest_end(h, list);
		done(b, h);
	}
}

struct nftnl_rule *rule_begin(struct batch *b, uint8_t family, const char *table, const char *chain)
{
	struct nftnl_rule *r = b->err ? NULL : nftnl_rule_alloc();

	if (!r) {
		if (!b->err)
			b->err = errno == ELIBACC ? -ELIBACC : -ENOMEM;
		return NULL;
	}
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	return r;
}

void batch_rule(struct batch *b, uint8_t family, struct nftnl_rule *r)
{
	struct nlmsghdr *h = message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);

	if (h && r) {
		nftnl_rule_nlmsg_build_payload(h, r);
		done(b, h);
	}
	if (r)
		nftnl_rule_free(r);
}

static struct nftnl_expr *add(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = r ? nftnl_expr_alloc(name) : NULL;

	if (e)
		nftnl_rule_add_expr(r, e);
	return e;
}

/* libnftnl's setters take a NULL badly */
#define U32(e, attribute, value)                                                                   \
	do {                                                                                       \
		if (e)                                                                             \
			nftnl_expr_set_u32(e, attribute, value);                                   \
	} while (0)

static uint32_t reg(int word)
{
	return NFT_REG32_00 + (uint32_t)word;
}

void put_payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t len, int word)
{
	struct nftnl_expr *e = add(r, "payload");

	U32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	U32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	U32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	U32(e, NFTNL_EXPR_PAYLOAD_DREG, reg(word));
}

void put_meta(struct nftnl_rule *r, uint32_t key, int word)
{
	struct nftnl_expr *e = add(r, "meta");

	U32(e, NFTNL_EXPR_META_KEY, key);
	U32(e, NFTNL_EXPR_META_DREG, reg(word));
}

void put_meta_set(struct nftnl_rule *r, uint32_t key, int word)
{
	struct nftnl_expr *e = add(r, "meta");

	U32(e, NFTNL_EXPR_META_KEY, key);
	U32(e, NFTNL_EXPR_META_SREG, reg(word));
}

void put_value(struct nftnl_rule *r, uint32_t value, uint32_t len, int word)
{
	struct nftnl_expr *e = add(r, "immediate");
	uint8_t byte = (uint8_t)value;

	U32(e, NFTNL_EXPR_IMM_DREG, reg(word));
	if (e)
		nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA,
			       len == 1 ? (const void *)&byte : (const void *)&value, len);
}

void put_ct(struct nftnl_rule *r, uint32_t key, int direction, int word)
{
	struct nftnl_expr *e = add(r, "ct");

	U32(e, NFTNL_EXPR_CT_KEY, key);
	if (e && direction >= 0)
		nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, (uint8_t)direction);
	U32(e, NFTNL_EXPR_CT_DREG, reg(word));
}

void put_cmp(struct nftnl_rule *r, int word, uint32_t op, const void *value, uint32_t len)
{
	struct nftnl_expr *e = add(r, "cmp");

	U32(e, NFTNL_EXPR_CMP_SREG, reg(word));
	U32(e, NFTNL_EXPR_CMP_OP, op);
	if (e)
		nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, value, len);
}

void put_mask(struct nftnl_rule *r, int word, uint32_t mask)
{
	struct nftnl_expr *e = add(r, "bitwise");
	const uint32_t none = 0;

	U32(e, NFTNL_EXPR_BITWISE_SREG, reg(word));
	U32(e, NFTNL_EXPR_BITWISE_DREG, reg(word));
	U32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(mask));
	if (e) {
		nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &mask, sizeof(mask));
		nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &none, sizeof(none));
	}
}

void put_lookup(struct nftnl_rule *r, const struct set_shape *set, int word, int data_word,
		bool invert)
{
	struct nftnl_expr *e = add(r, "lookup");

	U32(e, NFTNL_EXPR_LOOKUP_SREG, reg(word));
	if (data_word >= 0)
		U32(e, NFTNL_EXPR_LOOKUP_DREG, reg(data_word));
	if (e)
		nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set->name);
	U32(e, NFTNL_EXPR_LOOKUP_SET_ID, set->id);
	if (invert)
		U32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void put_dnat(struct nftnl_rule *r, uint8_t family, int address_word, int port_word)
{
	struct nftnl_expr *e = add(r, "nat");

	U32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	U32(e, NFTNL_EXPR_NAT_FAMILY, family);
	U32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, reg(address_word));
	U32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, reg(port_word));
}

void put_type_of_destination(struct nftnl_rule *r, int word)
{
	struct nftnl_expr *e = add(r, "fib");

	U32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	U32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	U32(e, NFTNL_EXPR_FIB_DREG, reg(word));
}

void put_labels(struct nftnl_rule *r, int word)
{
	struct nftnl_expr *e = add(r, "ct");

	U32(e, NFTNL_EXPR_CT_KEY, NFT_CT_LABELS);
	U32(e, NFTNL_EXPR_CT_SREG, reg(word));
}

void put_limit(struct nftnl_rule *r, uint64_t rate)
{
	struct nftnl_expr *e = add(r, "limit");

	if (!e)
		return;
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, rate);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
	U32(e, NFTNL_EXPR_LIMIT_BURST, (uint32_t)rate);
	U32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	U32(e, NFTNL_EXPR_LIMIT_FLAGS, 0);
}

void put_verdict(struct nftnl_rule *r, int verdict, const char *chain)
{
	struct nftnl_expr *e = add(r, "immediate");

	U32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	U32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (e && chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}
