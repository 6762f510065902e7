// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables, chains, rules, sets and elements as netlink messages, in nft(8)'s own shape. */
#include <arpa/inet.h>
#include <endian.h>
#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <string.h>

#include "nftsend.h"

/* The kernel takes 64 KiB in one attribute; an element has less than 512 bytes. */
#define ELEMENTS_MAX (65535 - 512)

void close_elements(struct emit_netlink *e)
{
	if (e->open)
		mnl_attr_nest_end(e->open, e->list);
	e->open = NULL;
}

static struct nlmsghdr *message(struct emit_netlink *e, uint16_t type, uint16_t flags)
{
	close_elements(e);
	return nftbuf_msg(e->buf, type, flags);
}

void send_rule(struct emit_netlink *e, struct rule *r, bool append, const char *comment)
{
	close_elements(e);
	if (!rule_send(r, e->buf, append, comment))
		e->failed = true;
}

/* Type, length, text with its NUL: how nft(8) keeps comments. Returns the length in all. */
static size_t comment_udata(uint8_t *out, uint8_t type, const char *text)
{
	size_t n = strlen(text) + 1;

	out[0] = type;
	out[1] = (uint8_t)n;
	memcpy(out + 2, text, n);
	return n + 2;
}

static size_t u32_udata(uint8_t *out, uint8_t type, uint32_t value)
{
	out[0] = type;
	out[1] = sizeof(value);
	memcpy(out + 2, &value, sizeof(value));
	return 2 + sizeof(value);
}

void send_set(struct emit_netlink *e, const struct set_spec *spec)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_expr *counter = NULL;
	uint8_t udata[2 * 6 + 2 + COMMENT_MAX];
	size_t n = 0;

	if (!s || nftnl_set_set_str(s, NFTNL_SET_TABLE, NFT_TABLE) < 0 ||
	    nftnl_set_set_str(s, NFTNL_SET_NAME, spec->name) < 0)
		e->failed = true;
	if (e->failed)
		goto out;
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_IPV4);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, spec->flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, spec->key_type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, spec->key_len);
	nftnl_set_set_u32(s, NFTNL_SET_ID, spec->id);
	if (spec->flags & NFT_SET_MAP) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, spec->data_type);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, spec->data_len);
	}
	if (spec->size)
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, spec->size);
	if (spec->seconds)
		nftnl_set_set_u64(s, NFTNL_SET_TIMEOUT, spec->seconds * 1000ull);
	n += u32_udata(udata + n, NFTNL_UDATA_SET_KEYBYTEORDER, spec->key_order);
	if (spec->flags & NFT_SET_MAP)
		n += u32_udata(udata + n, NFTNL_UDATA_SET_DATABYTEORDER,
			       spec->data_len == 4 ? ORDER_NETWORK : ORDER_NONE);
	if (spec->comment)
		n += comment_udata(udata + n, NFTNL_UDATA_SET_COMMENT, spec->comment);
	if (nftnl_set_set_data(s, NFTNL_SET_USERDATA, udata, (uint32_t)n) < 0)
		e->failed = true;
	if (spec->counter) {
		counter = nftnl_expr_alloc("counter");
		if (counter)
			nftnl_set_add_expr(s, counter);
		else
			e->failed = true;
	}
	if (!e->failed)
		nftnl_set_nlmsg_build_payload(message(e, NFT_MSG_NEWSET, NLM_F_CREATE), s);
out:
	if (s)
		nftnl_set_free(s);
}

void send_map(struct emit_netlink *e, enum map map, uint32_t size)
{
	const struct map_def *def = &map_defs[map];

	send_set(e, &(struct set_spec){
			    .name = def->name,
			    .comment = def->comment,
			    .flags = NFT_SET_MAP,
			    .key_type = def->key_type,
			    .key_len = def->key_len,
			    .key_order = def->key_order,
			    .data_type = def->data_type,
			    .data_len = def->data_len,
			    .size = size,
			    .id = ++e->set_id,
			    .counter = !def->pool,
		    });
}

void send_chain(struct emit_netlink *e, const char *name, const char *type, uint32_t hook,
		int priority)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c || nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, NFT_TABLE) < 0 ||
	    nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name) < 0)
		e->failed = true;
	if (!e->failed && type) {
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, priority);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		if (nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, type) < 0)
			e->failed = true;
	}
	if (!e->failed)
		nftnl_chain_nlmsg_build_payload(message(e, NFT_MSG_NEWCHAIN, NLM_F_CREATE), c);
	if (c)
		nftnl_chain_free(c);
}

void send_name(struct emit_netlink *e, uint16_t type, uint16_t table_attr, uint16_t attr,
	       const char *name)
{
	struct nlmsghdr *nlh = message(e, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);

	mnl_attr_put_strz(nlh, table_attr, NFT_TABLE);
	if (name)
		mnl_attr_put_strz(nlh, attr, name);
}

void flush_chain(struct emit_netlink *e, const char *name)
{
	send_name(e, NFT_MSG_DELRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, name);
}

void del_chain(struct emit_netlink *e, const char *name)
{
	flush_chain(e, name);
	send_name(e, NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, name);
}

void del_set(struct emit_netlink *e, const char *name)
{
	send_name(e, NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME, name);
}

void begin_elements(struct emit_netlink *e, bool add, const char *set, uint32_t id)
{
	e->open = message(e, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
			  add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	mnl_attr_put_strz(e->open, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(e->open, NFTA_SET_ELEM_LIST_SET, set);
	if (id)
		mnl_attr_put_u32(e->open, NFTA_SET_ELEM_LIST_SET_ID, htonl(id));
	e->list = mnl_attr_nest_start(e->open, NFTA_SET_ELEM_LIST_ELEMENTS);
	e->open_map = MAP_NONE;
}

bool elements_full(const struct emit_netlink *e)
{
	return (const char *)mnl_nlmsg_get_payload_tail(e->open) - (const char *)e->list >
	       ELEMENTS_MAX;
}

void put_element(struct emit_netlink *e, const void *key, uint16_t key_len, const void *data,
		 uint16_t data_len, const char *comment)
{
	struct nlattr *elem = mnl_attr_nest_start(e->open, NFTA_LIST_ELEM);
	struct nlattr *nest = mnl_attr_nest_start(e->open, NFTA_SET_ELEM_KEY);
	uint8_t udata[2 + COMMENT_MAX];

	mnl_attr_put(e->open, NFTA_DATA_VALUE, key_len, key);
	mnl_attr_nest_end(e->open, nest);
	if (data_len) {
		nest = mnl_attr_nest_start(e->open, NFTA_SET_ELEM_DATA);
		mnl_attr_put(e->open, NFTA_DATA_VALUE, data_len, data);
		mnl_attr_nest_end(e->open, nest);
	}
	if (comment && *comment)
		mnl_attr_put(e->open, NFTA_SET_ELEM_USERDATA,
			     comment_udata(udata, NFTNL_UDATA_SET_ELEM_COMMENT, comment), udata);
	mnl_attr_nest_end(e->open, elem);
}

void put_goto(struct emit_netlink *e, const void *key, uint16_t key_len, const char *chain,
	      const char *comment)
{
	struct nlattr *elem = mnl_attr_nest_start(e->open, NFTA_LIST_ELEM);
	struct nlattr *nest = mnl_attr_nest_start(e->open, NFTA_SET_ELEM_KEY), *verdict;
	uint8_t udata[2 + COMMENT_MAX];

	mnl_attr_put(e->open, NFTA_DATA_VALUE, key_len, key);
	mnl_attr_nest_end(e->open, nest);
	nest = mnl_attr_nest_start(e->open, NFTA_SET_ELEM_DATA);
	verdict = mnl_attr_nest_start(e->open, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(e->open, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_GOTO));
	mnl_attr_put_strz(e->open, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(e->open, verdict);
	mnl_attr_nest_end(e->open, nest);
	if (*comment)
		mnl_attr_put(e->open, NFTA_SET_ELEM_USERDATA,
			     comment_udata(udata, NFTNL_UDATA_SET_ELEM_COMMENT, comment), udata);
	mnl_attr_nest_end(e->open, elem);
}

void put_interval_end(struct emit_netlink *e, uint32_t key)
{
	struct nlattr *elem = mnl_attr_nest_start(e->open, NFTA_LIST_ELEM), *nest;

	mnl_attr_put_u32(e->open, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	nest = mnl_attr_nest_start(e->open, NFTA_SET_ELEM_KEY);
	mnl_attr_put_u32(e->open, NFTA_DATA_VALUE, htonl(key));
	mnl_attr_nest_end(e->open, nest);
	mnl_attr_nest_end(e->open, elem);
}

void del_rule(struct emit_netlink *e, const char *chain, uint64_t handle)
{
	struct nlmsghdr *nlh;

	if (!handle)
		return;
	nlh = message(e, NFT_MSG_DELRULE, 0);
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	mnl_attr_put_u64(nlh, NFTA_RULE_HANDLE, htobe64(handle));
}
