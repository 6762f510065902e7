// SPDX-License-Identifier: GPL-2.0-or-later
/* A batch as netlink messages, in nft(8)'s own shape. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "batch.h"
#include "expressions.h"

/* The kernel takes 64 KiB in one attribute; an element has less than 512
 * bytes. */
#define ELEMENTS_MAX (65535 - 512)

static struct batch_netlink *sink(struct batch *b)
{
	return (struct batch_netlink *)(void *)b;
}

/* An object could not be made or filled: memory, or libnftnl cannot be
 * loaded. */
static void refuse(struct batch_netlink *b)
{
	b->err = errno == ELIBACC ? -ELIBACC : -ENOMEM;
}

static void close_elements(struct batch_netlink *b)
{
	if (b->open)
		mnl_attr_nest_end(b->open, b->list);
	b->open = NULL;
}

static struct nlmsghdr *message(struct batch_netlink *b, uint16_t type, uint16_t flags)
{
	close_elements(b);
	b->begun = true;
	return buf_msg(b->buf, b->batch.family, type, flags);
}

/* A message that only names something: the table, and in it what attr stands
 * for. */
static void name(struct batch *batch, uint16_t type, uint16_t table_attr, uint16_t attr,
		 const char *text)
{
	uint16_t flags = type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0;
	struct nlmsghdr *nlh = message(sink(batch), type, flags);

	mnl_attr_put_strz(nlh, table_attr, NFT_TABLE);
	if (text)
		mnl_attr_put_strz(nlh, attr, text);
}

static void table_add(struct batch *b)
{
	name(b, NFT_MSG_NEWTABLE, NFTA_TABLE_NAME, 0, NULL);
}

static void table_del(struct batch *b)
{
	name(b, NFT_MSG_DELTABLE, NFTA_TABLE_NAME, 0, NULL);
}

static void chain_flush(struct batch *b, const char *chain)
{
	name(b, NFT_MSG_DELRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, chain);
}

static void chain_del(struct batch *b, const char *chain)
{
	name(b, NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, chain);
}

static void map_flush(struct batch *b, const char *map)
{
	name(b, NFT_MSG_DELSETELEM, NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET, map);
}

static void map_del(struct batch *b, const char *map)
{
	name(b, NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME, map);
}

static struct nlmsghdr *helper(struct batch *batch, uint16_t type, uint16_t flags,
			       const struct helper_object *o)
{
	struct nlmsghdr *nlh = message(sink(batch), type, flags);

	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, o->name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_CT_HELPER));
	return nlh;
}

static void helper_add(struct batch *b, const struct helper_object *o)
{
	struct nlmsghdr *nlh = helper(b, NFT_MSG_NEWOBJ, NLM_F_CREATE, o);
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_OBJ_DATA);

	mnl_attr_put_strz(nlh, NFTA_CT_HELPER_NAME, o->type);
	mnl_attr_put_u16(nlh, NFTA_CT_HELPER_L3PROTO, htons(family_defs[b->family].number));
	mnl_attr_put_u8(nlh, NFTA_CT_HELPER_L4PROTO, o->protocol);
	mnl_attr_nest_end(nlh, data);
}

static void helper_del(struct batch *b, const struct helper_object *o)
{
	helper(b, NFT_MSG_DELOBJ, 0, o);
}

static void chain_add(struct batch *batch, const char *chain, const struct hook *hook)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct batch_netlink *b = sink(batch);
	bool failed = !c || nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, NFT_TABLE) < 0 ||
		      nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chain) < 0;

	if (!failed && hook) {
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook->number);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, hook->priority);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		failed = nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, hook->type) < 0;
	}
	if (failed)
		refuse(b);
	else
		nftnl_chain_nlmsg_build_payload(message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE), c);
	if (c)
		nftnl_chain_free(c);
}

static void rule_del(struct batch *batch, const char *chain, uint64_t handle)
{
	struct nlmsghdr *nlh = message(sink(batch), NFT_MSG_DELRULE, 0);

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	mnl_attr_put_u64(nlh, NFTA_RULE_HANDLE, htobe64(handle));
}

static size_t udata_u32(uint8_t *out, uint8_t type, uint32_t value)
{
	out[0] = type;
	out[1] = sizeof(value);
	memcpy(out + 2, &value, sizeof(value));
	return 2 + sizeof(value);
}

/* What nft(8) keeps of a set beside what the kernel needs: orders of bytes, and
 * the comment. */
static size_t set_udata(uint8_t out[2 * 6 + UDATA_COMMENT_MAX], enum family f,
			const struct parts *key, const struct map_spec *spec)
{
	size_t n = udata_u32(out, NFTNL_UDATA_SET_KEYBYTEORDER, parts_order(f, key));

	if (!spec)
		return n;
	if (spec->data)
		n += udata_u32(out + n, NFTNL_UDATA_SET_DATABYTEORDER, parts_order(f, spec->data));
	return n + udata_comment(out + n, NFTNL_UDATA_SET_COMMENT, spec->comment);
}

/* The parts of a key of ranges, each of which is one. */
static bool describe_parts(struct nftnl_set *s, enum family f, const struct parts *key)
{
	uint8_t len[PARTS_MAX];
	uint32_t n = 0;

	for (const enum field *field = key->field; *field != FIELD_NONE; field++)
		len[n++] = field_def(f, *field)->len;
	return nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, len, n) >= 0;
}

/* spec NULL: the set of protocols. */
static bool fill_set(struct nftnl_set *s, enum family f, const struct map_spec *spec, uint32_t id)
{
	static const struct parts protocol = {{FIELD_PROTOCOL}};
	const struct parts *key = spec ? spec->key : &protocol;
	uint32_t flags = !spec        ? NFT_SET_ANONYMOUS | NFT_SET_CONSTANT
			 : spec->data ? NFT_SET_MAP
				      : 0;
	uint8_t udata[2 * 6 + UDATA_COMMENT_MAX];

	if (spec && spec->dynamic)
		flags |= NFT_SET_EVAL;
	if (spec && spec->seconds)
		flags |= NFT_SET_TIMEOUT;
	if (spec && spec->ranges)
		flags |= NFT_SET_INTERVAL | NFT_SET_CONCAT;
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, family_defs[f].number);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, parts_type(f, key));
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, parts_len(f, key));
	nftnl_set_set_u32(s, NFTNL_SET_ID, id);
	if (!spec || spec->size)
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, spec ? spec->size : 2);
	if (spec && spec->ranges && !describe_parts(s, f, key))
		return false;
	if (spec && spec->data) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, parts_type(f, spec->data));
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, parts_len(f, spec->data));
	}
	if (spec && spec->seconds)
		nftnl_set_set_u64(s, NFTNL_SET_TIMEOUT, spec->seconds * 1000ull);
	return nftnl_set_set_str(s, NFTNL_SET_TABLE, NFT_TABLE) >= 0 &&
	       nftnl_set_set_str(s, NFTNL_SET_NAME, spec ? spec->name : PROTOCOLS_SET) >= 0 &&
	       nftnl_set_set_data(s, NFTNL_SET_USERDATA, udata,
				  (uint32_t)set_udata(udata, f, key, spec)) >= 0;
}

static void set_add(struct batch_netlink *b, const struct map_spec *spec, uint32_t id)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_expr *counter = NULL;
	bool failed = !s || !fill_set(s, b->batch.family, spec, id);

	if (!failed && spec && map_spec_counts(spec)) {
		counter = nftnl_expr_alloc("counter");
		failed = !counter;
		if (counter)
			nftnl_set_add_expr(s, counter);
	}
	if (failed)
		refuse(b);
	else
		nftnl_set_nlmsg_build_payload(message(b, NFT_MSG_NEWSET, NLM_F_CREATE), s);
	if (s)
		nftnl_set_free(s);
}

static void map_add(struct batch *b, const struct map_spec *spec)
{
	set_add(sink(b), spec, ++sink(b)->set_id);
}

static void begin_elements(struct batch_netlink *b, bool add, const char *set, uint32_t id)
{
	b->open = message(b, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
			  add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	mnl_attr_put_strz(b->open, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(b->open, NFTA_SET_ELEM_LIST_SET, set);
	if (id)
		mnl_attr_put_u32(b->open, NFTA_SET_ELEM_LIST_SET_ID, htonl(id));
	b->list = mnl_attr_nest_start(b->open, NFTA_SET_ELEM_LIST_ELEMENTS);
	b->open_map = MAP_NONE;
}

static void put_nest(struct nlmsghdr *nlh, uint16_t type, const void *value, uint32_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(nlh, nest);
}

/* { tcp, udp }, and the id to refer to it by. */
static uint32_t protocols_add(struct batch_netlink *b)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	uint32_t id = ++b->set_id;

	set_add(b, NULL, id);
	begin_elements(b, true, PROTOCOLS_SET, id);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct nlattr *elem = mnl_attr_nest_start(b->open, NFTA_LIST_ELEM);

		put_nest(b->open, NFTA_SET_ELEM_KEY, &protocols[i], 1);
		mnl_attr_nest_end(b->open, elem);
	}
	return id;
}

static void rule_add_message(struct batch *batch, const struct rule *r)
{
	struct batch_netlink *b = sink(batch);
	uint32_t protocols = rule_needs_protocols(r) ? protocols_add(b) : 0;
	struct nftnl_rule *rule = rule_expressions(batch->family, r, protocols);

	if (!rule) {
		refuse(b);
		return;
	}
	nftnl_rule_nlmsg_build_payload(
		message(b, NFT_MSG_NEWRULE,
			(uint16_t)(NLM_F_CREATE | (r->first ? 0 : NLM_F_APPEND))),
		rule);
	nftnl_rule_free(rule);
}

/* Elements of one map share a message until it is full. */
static void prepare_elements(struct batch_netlink *b, enum map map, const char *interface, bool add)
{
	char name[MAP_NAME_MAX];

	if (!b->open || b->open_family != b->batch.family || b->open_map != map ||
	    strcmp(b->open_interface, interface) != 0 || b->open_add != add ||
	    (const char *)mnl_nlmsg_get_payload_tail(b->open) - (const char *)b->list >
		    ELEMENTS_MAX) {
		begin_elements(b, add, map_name(name, map, interface), 0);
		snprintf(b->open_interface, sizeof(b->open_interface), "%s", interface);
		b->open_family = b->batch.family;
		b->open_map = map;
		b->open_add = add;
	}
}

static void put_goto(struct nlmsghdr *nlh, const char *chain)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(nlh, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_GOTO));
	mnl_attr_put_strz(nlh, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, nest);
}

static void put_key(struct batch_netlink *b, enum map map, const struct key *key)
{
	uint8_t bytes[VALUE_MAX];

	put_nest(b->open, NFTA_SET_ELEM_KEY, bytes, key_bytes(bytes, map, key));
}

static void element_add(struct batch *batch, enum map map, const struct service *s)
{
	struct batch_netlink *b = sink(batch);
	char comment[COMMENT_MAX], chain[CHAIN_NAME_MAX];
	uint8_t data[VALUE_MAX], udata[UDATA_COMMENT_MAX];
	struct nlattr *elem;

	prepare_elements(b, map, key_interface(&s->key), true);
	elem = mnl_attr_nest_start(b->open, NFTA_LIST_ELEM);
	put_key(b, map, &s->key);
	if (map_defs[map].pool) {
		chain_name(chain, &s->key);
		put_goto(b->open, chain);
	} else {
		put_nest(b->open, NFTA_SET_ELEM_DATA, data,
			 data_bytes(data, map, service_target(s, 0)));
	}
	metadata_of_service(comment, s);
	if (*comment)
		mnl_attr_put(b->open, NFTA_SET_ELEM_USERDATA,
			     udata_comment(udata, NFTNL_UDATA_SET_ELEM_COMMENT, comment), udata);
	mnl_attr_nest_end(b->open, elem);
}

static void element_del(struct batch *batch, enum map map, const struct key *key)
{
	struct batch_netlink *b = sink(batch);
	struct nlattr *elem;

	prepare_elements(b, map, key_interface(key), false);
	elem = mnl_attr_nest_start(b->open, NFTA_LIST_ELEM);
	put_key(b, map, key);
	mnl_attr_nest_end(b->open, elem);
}

static void address_add(struct batch *batch, const char *set, const struct masq_address *a)
{
	struct batch_netlink *b = sink(batch);
	struct nlattr *elem;

	begin_elements(b, true, set, 0);
	b->open->nlmsg_flags &= (uint16_t)~NLM_F_EXCL;
	elem = mnl_attr_nest_start(b->open, NFTA_LIST_ELEM);
	put_nest(b->open, NFTA_SET_ELEM_KEY, &a->in6, (uint32_t)address_size(a));
	mnl_attr_nest_end(b->open, elem);
}

/* One message each: they are few. */
static void put_far(struct batch *batch, bool add, const struct far *far)
{
	struct batch_netlink *b = sink(batch);
	uint8_t first[FAR_KEY_MAX], last[FAR_KEY_MAX];
	uint32_t len = (uint32_t)far_bytes(first, last, far);
	struct nlattr *elem;

	begin_elements(b, add, SET_FAR, 0);
	elem = mnl_attr_nest_start(b->open, NFTA_LIST_ELEM);
	put_nest(b->open, NFTA_SET_ELEM_KEY, first, len);
	put_nest(b->open, NFTA_SET_ELEM_KEY_END, last, len);
	mnl_attr_nest_end(b->open, elem);
}

static void far_add(struct batch *b, const struct far *far)
{
	put_far(b, true, far);
}

static void far_del(struct batch *b, const struct far *far)
{
	put_far(b, false, far);
}

static const struct batch_ops netlink_ops = {
	.table_add = table_add,
	.table_del = table_del,
	.chain_add = chain_add,
	.chain_flush = chain_flush,
	.chain_del = chain_del,
	.rule_add = rule_add_message,
	.rule_del = rule_del,
	.map_add = map_add,
	.map_flush = map_flush,
	.map_del = map_del,
	.helper_add = helper_add,
	.helper_del = helper_del,
	.element_add = element_add,
	.element_del = element_del,
	.address_add = address_add,
	.far_add = far_add,
	.far_del = far_del,
};

void batch_netlink_init(struct batch_netlink *b, struct buf *buf)
{
	*b = (struct batch_netlink){.batch.ops = &netlink_ops, .buf = buf};
}

int batch_netlink_end(struct batch_netlink *b)
{
	close_elements(b);
	return b->buf->failed ? -ENOMEM : b->err;
}
