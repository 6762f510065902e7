// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps as a netlink batch. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdlib.h>
#include <string.h>

#include "nftemit.h"
#include "nftrule.h"

/* nft's type numbers that only the engine uses (nftables, datatype.h). */
enum { TYPE_INTEGER = 4, TYPE_IPV4_ADDR = 7, TYPE_ETHER_TYPE = 10, TYPE_INET_PROTOCOL = 12 };
enum { ORDER_NONE, ORDER_HOST, ORDER_NETWORK };
enum { ORIGINAL, REPLY }; /* enum ip_conntrack_dir, which user space headers keep to themselves */

/* The kernel takes 64 KiB in one attribute; an element has less than 512 bytes. */
#define ELEMENTS_MAX (65535 - 512)

/* Registers of four bytes: NFT_REG_1 begins with the first. */
#define REG(n) (NFT_REG32_00 + (n))

static struct emit_netlink *sink(struct emit *e)
{
	return (struct emit_netlink *)(void *)e;
}

static void close_elements(struct emit_netlink *e)
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

static void send_rule(struct emit_netlink *e, struct rule *r, bool append, const char *comment)
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

/* A set or map of any kind; what is 0 is left out. */
struct set_spec {
	const char *name, *comment;
	uint32_t flags, key_type, data_type, size, id;
	uint8_t key_len, data_len, key_order;
	uint32_t seconds;
	bool counter;
};

static void send_set(struct emit_netlink *e, const struct set_spec *spec)
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

static void send_map(struct emit_netlink *e, enum map map, uint32_t size)
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

/* A base chain if type is given. */
static void send_chain(struct emit_netlink *e, const char *name, const char *type, uint32_t hook,
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

/* Messages that only name something. */
static void send_name(struct emit_netlink *e, uint16_t type, uint16_t table_attr, uint16_t attr,
		      const char *name)
{
	struct nlmsghdr *nlh = message(e, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);

	mnl_attr_put_strz(nlh, table_attr, NFT_TABLE);
	if (name)
		mnl_attr_put_strz(nlh, attr, name);
}

static void flush_chain(struct emit_netlink *e, const char *name)
{
	send_name(e, NFT_MSG_DELRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, name);
}

static void del_chain(struct emit_netlink *e, const char *name)
{
	flush_chain(e, name);
	send_name(e, NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, name);
}

static void del_set(struct emit_netlink *e, const char *name)
{
	send_name(e, NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME, name);
}

static void begin_elements(struct emit_netlink *e, bool add, const char *set, uint32_t id)
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

static bool elements_full(const struct emit_netlink *e)
{
	return (const char *)mnl_nlmsg_get_payload_tail(e->open) - (const char *)e->list >
	       ELEMENTS_MAX;
}

/* An element's key, data and comment; lengths of 0 are left out. */
static void put_element(struct emit_netlink *e, const void *key, uint16_t key_len, const void *data,
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

static void put_goto(struct emit_netlink *e, const void *key, uint16_t key_len, const char *chain,
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

static void put_interval_end(struct emit_netlink *e, uint32_t key)
{
	struct nlattr *elem = mnl_attr_nest_start(e->open, NFTA_LIST_ELEM), *nest;

	mnl_attr_put_u32(e->open, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	nest = mnl_attr_nest_start(e->open, NFTA_SET_ELEM_KEY);
	mnl_attr_put_u32(e->open, NFTA_DATA_VALUE, htonl(key));
	mnl_attr_nest_end(e->open, nest);
	mnl_attr_nest_end(e->open, elem);
}

static void element(struct emit *emit, bool add, enum map map, const struct service *s)
{
	struct emit_netlink *e = sink(emit);
	const struct map_def *def = &map_defs[map];
	struct facts facts = facts_of_service(s);
	char comment[COMMENT_MAX], chain[CHAIN_NAME_MAX];
	uint8_t key[MAP_KEY_MAX], data[8] = {0};

	if (!e->open || e->open_map != map || e->open_add != add || elements_full(e)) {
		begin_elements(e, add, def->name, 0);
		e->open_map = map;
		e->open_add = add;
	}
	map_key(key, map, &s->key);
	if (!add) {
		put_element(e, key, def->key_len, NULL, 0, NULL);
		return;
	}
	facts_text(comment, &facts);
	if (def->pool) {
		chain_name(chain, &s->key);
		put_goto(e, key, def->key_len, chain, comment);
		return;
	}
	memcpy(data, &s->targets[0].addr, 4);
	memcpy(data + 4, &s->targets[0].port, 2);
	put_element(e, key, def->key_len, data, def->data_len, comment);
}

/* { tcp, udp }, and the id to refer to it by. */
static uint32_t both_protocols(struct emit_netlink *e)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	uint32_t id = ++e->set_id;

	send_set(e, &(struct set_spec){
			    .name = "__set%d",
			    .flags = NFT_SET_ANONYMOUS | NFT_SET_CONSTANT,
			    .key_type = TYPE_INET_PROTOCOL,
			    .key_len = 1,
			    .key_order = ORDER_HOST,
			    .size = 2,
			    .id = id,
		    });
	begin_elements(e, true, "__set%d", id);
	for (size_t i = 0; i < sizeof(protocols); i++)
		put_element(e, &protocols[i], 1, NULL, 0, NULL);
	close_elements(e);
	return id;
}

static void in_both_protocols(struct rule *r, uint32_t id, bool invert)
{
	rule_meta(r, NFT_META_L4PROTO, NFT_REG_1);
	rule_in_set(r, NFT_REG_1, "__set%d", id, invert);
}

/* The map of one schedule rule, and the id to refer to it by. */
static uint32_t schedule_map(struct emit_netlink *e, const struct service *s,
			     const struct pool_rule *rule)
{
	struct pool_cursor cursor = {0};
	const struct run *run;
	uint32_t id = ++e->set_id, from = 0, to = 0, end = 0;
	bool gap = false;

	send_set(e, &(struct set_spec){
			    .name = "__map%d",
			    .flags = NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | NFT_SET_INTERVAL |
				     NFT_SET_MAP,
			    .key_type = TYPE_INTEGER,
			    .key_len = 4,
			    .key_order = ORDER_NETWORK,
			    .data_type = rule->keep_port ? TYPE_IPV4_ADDR
							 : map_defs[MAP_PORTFW].data_type,
			    .data_len = rule->keep_port ? 4 : 8,
			    .id = id,
		    });
	begin_elements(e, true, "__map%d", id);
	while (pool_next(&cursor, rule, s, &run, &from, &to)) {
		const struct target *t = &s->targets[run->target];
		struct facts facts = facts_of_target(s, run->target);
		uint32_t key = htonl(from);
		uint8_t data[8] = {0};
		char comment[COMMENT_MAX] = "";

		if (elements_full(e))
			begin_elements(e, true, "__map%d", id);
		if (gap && end != from)
			put_interval_end(e, end);
		if (pool_tells(rule, run))
			facts_text(comment, &facts);
		memcpy(data, &t->addr, 4);
		memcpy(data + 4, &t->port, 2);
		put_element(e, &key, 4, data, rule->keep_port ? 4 : 8, comment);
		end = to;
		gap = true;
	}
	put_interval_end(e, end);
	close_elements(e);
	return id;
}

static void schedule_rule(struct emit_netlink *e, const struct service *s, const char *chain,
			  const struct pool_rule *rule)
{
	bool both = s->key.module == MOD_MFW && !rule->keep_port;
	uint32_t protocols = both ? both_protocols(e) : 0;
	uint32_t map = schedule_map(e, s, rule);
	struct rule r = rule_new(chain);

	if (both)
		in_both_protocols(&r, protocols, false);
	else if (!rule->keep_port)
		rule_protocol(&r, s->key.protocol);
	if (rule->counts)
		rule_counter(&r);
	rule_numgen(&r, rule->modulus, NFT_REG_1);
	rule_map(&r, NFT_REG_1, "__map%d", map, NFT_REG_1);
	rule_dnat(&r, NFT_REG_1, rule->keep_port ? 0 : REG(1));
	send_rule(e, &r, true, rule->prologue ? "turns that had begun, once" : NULL);
}

static void drained_rule(struct emit_netlink *e, const struct service *s, const char *chain,
			 size_t i, bool counts)
{
	const struct target *t = &s->targets[i];
	struct facts facts = facts_of_target(s, i);
	bool both = s->key.module == MOD_MFW && t->port;
	uint32_t protocols = both ? both_protocols(e) : 0;
	struct rule r = rule_new(chain);
	char comment[COMMENT_MAX];

	if (both)
		in_both_protocols(&r, protocols, false);
	else if (t->port)
		rule_protocol(&r, s->key.protocol);
	if (counts)
		rule_counter(&r);
	rule_load(&r, REG(0), &t->addr, 4);
	if (t->port)
		rule_load(&r, REG(1), &t->port, 2);
	rule_dnat(&r, REG(0), t->port ? REG(1) : 0);
	facts_text(comment, &facts);
	send_rule(e, &r, true, comment);
}

static void pool_set(struct emit *emit, const struct service *s, const struct schedule *sch)
{
	struct emit_netlink *e = sink(emit);
	struct pool_rule rules[POOL_RULES_MAX];
	size_t n = pool_rules(rules, s, sch);
	char chain[CHAIN_NAME_MAX];

	chain_name(chain, &s->key);
	send_chain(e, chain, NULL, 0, 0);
	flush_chain(e, chain);
	for (size_t i = 0; i < n; i++)
		schedule_rule(e, s, chain, &rules[i]);
	for (size_t i = 0; i < s->n; i++)
		if (!s->targets[i].pref)
			drained_rule(e, s, chain, i, !n && !i);
}

static void pool_del(struct emit *emit, const struct key *key)
{
	char chain[CHAIN_NAME_MAX];

	chain_name(chain, key);
	del_chain(sink(emit), chain);
}

static void base_chain(struct emit_netlink *e, const char *name, int order)
{
	static const uint32_t unmarked;
	struct rule r;

	send_chain(e, name, "nat", NF_INET_PRE_ROUTING, PRIORITY_DSTNAT - order);
	if (order == MFW_ORDER) { /* most packets have no mark: the cheapest question first */
		r = rule_new(name);
		rule_meta(&r, NFT_META_MARK, NFT_REG_1);
		rule_cmp(&r, NFT_CMP_EQ, NFT_REG_1, &unmarked, 4);
		rule_verdict(&r, NFT_RETURN, NULL);
		send_rule(e, &r, true, NULL);
	}
	r = rule_new(name);
	rule_fib_local(&r, NFT_CMP_NEQ);
	rule_verdict(&r, NFT_RETURN, NULL);
	send_rule(e, &r, true, NULL);
}

/* `meta l4proto . ip daddr . th dport` into the first registers, without the middle for any. */
static void load_portfw_key(struct rule *r, enum map map)
{
	uint32_t reg = REG(0);

	rule_meta(r, NFT_META_L4PROTO, reg++);
	if (map_defs[map].key_len == 12)
		rule_daddr(r, reg++);
	rule_dport(r, reg);
}

static void portfw_rule(struct emit_netlink *e, enum map map)
{
	struct rule r = rule_new("portfw");

	load_portfw_key(&r, map);
	if (map_defs[map].pool) {
		rule_vmap(&r, NFT_REG_1, map_defs[map].name);
	} else {
		rule_map(&r, NFT_REG_1, map_defs[map].name, 0, NFT_REG_1);
		rule_dnat(&r, NFT_REG_1, REG(1));
	}
	send_rule(e, &r, true, NULL);
}

static void mfw_rules(struct emit_netlink *e)
{
	static const uint8_t syn_ack = 0x12, syn = 0x02;
	uint32_t protocols;
	struct rule r = rule_new("mfw");

	rule_protocol(&r, IPPROTO_TCP);
	rule_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	rule_bitmask(&r, NFT_REG_1, &syn_ack, 1);
	rule_cmp(&r, NFT_CMP_NEQ, NFT_REG_1, &syn, 1);
	rule_verdict(&r, NFT_RETURN, NULL);
	send_rule(e, &r, true, NULL);

	protocols = both_protocols(e);
	r = rule_new("mfw");
	in_both_protocols(&r, protocols, true);
	rule_verdict(&r, NFT_RETURN, NULL);
	send_rule(e, &r, true, NULL);

	protocols = both_protocols(e);
	r = rule_new("mfw");
	in_both_protocols(&r, protocols, false);
	rule_meta(&r, NFT_META_MARK, NFT_REG_1);
	rule_map(&r, NFT_REG_1, map_defs[MAP_MFW].name, 0, NFT_REG_1);
	rule_dnat(&r, NFT_REG_1, REG(1));
	send_rule(e, &r, true, NULL);

	r = rule_new("mfw");
	rule_meta(&r, NFT_META_MARK, NFT_REG_1);
	rule_map(&r, NFT_REG_1, map_defs[MAP_MFW_KEEP].name, 0, NFT_REG_1);
	rule_dnat(&r, NFT_REG_1, 0);
	send_rule(e, &r, true, NULL);

	r = rule_new("mfw");
	rule_meta(&r, NFT_META_MARK, NFT_REG_1);
	rule_vmap(&r, NFT_REG_1, map_defs[MAP_MFW_POOLS].name);
	send_rule(e, &r, true, NULL);
}

static void autofw_jump(struct emit_netlink *e, const char *chain)
{
	struct rule r = rule_new("autofw");

	rule_verdict(&r, NFT_JUMP, chain);
	send_rule(e, &r, true, NULL);
}

/* Only masqueraded connections trigger. And the kernel follows connections only as long as some
 * rule looks at one: where all entries have gone, this one keeps what still runs running. */
static void trigger_chain(struct emit_netlink *e)
{
	static const uint32_t snat = IPS_SRC_NAT, zero;
	struct rule r = rule_new(CHAIN_TRIGGER);

	send_chain(e, CHAIN_TRIGGER, "filter", NF_INET_POST_ROUTING, PRIORITY_SRCNAT + 1);
	rule_ct(&r, NFT_CT_STATUS, NFT_REG_1);
	rule_bitmask(&r, NFT_REG_1, &snat, 4);
	rule_cmp(&r, NFT_CMP_EQ, NFT_REG_1, &zero, 4);
	rule_verdict(&r, NFT_RETURN, NULL);
	send_rule(e, &r, true, NULL);
}

static void module_add(struct emit *emit, enum module mod, const uint32_t sizes[MAP_COUNT])
{
	struct emit_netlink *e = sink(emit);

	send_name(e, NFT_MSG_NEWTABLE, NFTA_TABLE_NAME, 0, NULL);
	for (int map = 1; map < MAP_COUNT; map++)
		if (map_defs[map].module == mod)
			send_map(e, (enum map)map, sizes[map]);
	switch (mod) {
	case MOD_MFW:
		base_chain(e, "mfw", MFW_ORDER);
		mfw_rules(e);
		break;
	case MOD_PORTFW:
		base_chain(e, "portfw", PORTFW_ORDER);
		for (int map = 1; map < MAP_COUNT; map++)
			if (map_defs[map].module == MOD_PORTFW)
				portfw_rule(e, (enum map)map);
		break;
	default:
		send_chain(e, CHAIN_RANGE, NULL, 0, 0);
		send_chain(e, CHAIN_PORT, NULL, 0, 0);
		send_chain(e, CHAIN_DIRECT, NULL, 0, 0);
		trigger_chain(e);
		base_chain(e, "autofw", AUTOFW_ORDER);
		autofw_jump(e, CHAIN_RANGE);
		autofw_jump(e, CHAIN_PORT);
	}
}

static void module_unhook(struct emit *emit, enum module mod)
{
	struct emit_netlink *e = sink(emit);

	del_chain(e, mod == MOD_MFW ? "mfw" : "portfw");
	for (int map = 1; map < MAP_COUNT; map++)
		if (map_defs[map].module == mod && map_defs[map].pool)
			send_name(e, NFT_MSG_DELSETELEM, NFTA_SET_ELEM_LIST_TABLE,
				  NFTA_SET_ELEM_LIST_SET, map_defs[map].name);
}

static void module_del(struct emit *emit, enum module mod)
{
	for (int map = 1; map < MAP_COUNT; map++)
		if (map_defs[map].module == mod)
			del_set(sink(emit), map_defs[map].name);
}

/* A contacted outside host is the key; where anyone may connect, there is only one. */
static void load_contact(struct rule *r, const struct ip_autofw_user *user, uint32_t reg)
{
	if (user->flags & IP_AUTOFW_SECURE)
		rule_saddr(r, reg);
	else
		rule_meta(r, NFT_META_PROTOCOL, reg);
}

/* Says of a masqueraded connection whom it reached and who began it, whatever its direction. */
static void contact(struct emit_netlink *e, const struct ip_autofw_user *user, const char *contacts,
		    bool first)
{
	static const uint32_t confirmed = IPS_CONFIRMED, zero;
	struct rule r = rule_new(contacts);

	if (first) { /* a connection is confirmed as its first packet leaves, which is after this */
		rule_ct(&r, NFT_CT_STATUS, NFT_REG_1);
		rule_bitmask(&r, NFT_REG_1, &confirmed, 4);
		rule_cmp(&r, NFT_CMP_EQ, NFT_REG_1, &zero, 4);
	}
	if (user->flags & IP_AUTOFW_SECURE)
		rule_ct_dir(&r, NFT_CT_SRC_IP, REPLY, REG(0));
	else
		rule_meta(&r, NFT_META_PROTOCOL, REG(0));
	rule_ct_dir(&r, NFT_CT_SRC_IP, ORIGINAL, REG(1));
	rule_set_elem(&r, first ? NFT_DYNSET_OP_DELETE : NFT_DYNSET_OP_UPDATE, contacts, REG(0),
		      REG(1));
	send_rule(e, &r, true, NULL);
}

static void trigger_add(struct emit_netlink *e, const struct ip_autofw_user *user,
			const char *contacts, const char *comment)
{
	bool secure = user->flags & IP_AUTOFW_SECURE;
	bool timed = user->flags & IP_AUTOFW_USETIME;
	uint16_t port = htons(user->ctlport);
	struct rule r;

	send_set(e, &(struct set_spec){
			    .name = contacts,
			    .comment = comment,
			    .flags = NFT_SET_MAP | NFT_SET_EVAL | (timed ? NFT_SET_TIMEOUT : 0),
			    .key_type = secure ? TYPE_IPV4_ADDR : TYPE_ETHER_TYPE,
			    .key_len = secure ? 4 : 2,
			    .key_order = ORDER_NETWORK,
			    .data_type = TYPE_IPV4_ADDR,
			    .data_len = 4,
			    .size = CONTACT_MAX,
			    .id = ++e->set_id,
			    .seconds = timed ? CONTACT_SECONDS : 0,
		    });
	/* An update keeps the receiver that is there, so the first packet deletes that before. Not
	 * every packet: what is deleted counts for the map's size until the kernel has tidied up,
	 * and a busy connection would fill the map with its own remains (measured on 6.18). */
	send_chain(e, contacts, NULL, 0, 0);
	contact(e, user, contacts, true);
	contact(e, user, contacts, false);

	r = rule_new(CHAIN_TRIGGER);
	rule_protocol(&r, (uint8_t)user->ctlproto);
	rule_ct_dir(&r, NFT_CT_PROTO_SRC, REPLY, NFT_REG_1);
	rule_cmp(&r, NFT_CMP_EQ, NFT_REG_1, &port, 2);
	rule_verdict(&r, NFT_JUMP, contacts);
	send_rule(e, &r, true, comment);
}

static void entry_add(struct emit *emit, const struct entry *entry)
{
	struct emit_netlink *e = sink(emit);
	const struct ip_autofw_user *user = &entry->user;
	uint16_t hidden = htons(user->hidden), visible = htons(user->visible);
	char comment[COMMENT_MAX], contacts[CHAIN_NAME_MAX];
	struct rule r;

	entry_text(comment, user);
	contact_name(contacts, user);
	if (entry_triggered(user))
		trigger_add(e, user, contacts, comment);
	r = rule_new(user->type == IP_FWD_RANGE  ? CHAIN_RANGE
		     : user->type == IP_FWD_PORT ? CHAIN_PORT
						 : CHAIN_DIRECT);
	rule_protocol(&r, (uint8_t)user->protocol);
	if (user->type == IP_FWD_PORT) {
		rule_dport(&r, NFT_REG_1);
		rule_cmp(&r, NFT_CMP_EQ, NFT_REG_1, &visible, 2);
		rule_counter(&r);
		rule_load(&r, REG(0), &user->where, 4);
		rule_load(&r, REG(1), &hidden, 2);
		rule_dnat(&r, REG(0), REG(1));
	} else {
		rule_dport_range(&r, user->low, user->high);
		if (entry_triggered(user)) {
			load_contact(&r, user, REG(0));
			rule_map(&r, REG(0), contacts, 0, REG(0));
		} else if (user->type == IP_FWD_RANGE) {
			rule_load(&r, REG(0), &user->where, 4);
		}
		rule_counter(&r);
		if (user->type == IP_FWD_RANGE)
			rule_dnat(&r, REG(0), 0);
	}
	send_rule(e, &r, false, comment);
}

static void del_rule(struct emit_netlink *e, const char *chain, uint64_t handle)
{
	struct nlmsghdr *nlh;

	if (!handle)
		return;
	nlh = message(e, NFT_MSG_DELRULE, 0);
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	mnl_attr_put_u64(nlh, NFTA_RULE_HANDLE, htobe64(handle));
}

static void entry_del(struct emit *emit, const struct entry *entry)
{
	struct emit_netlink *e = sink(emit);
	const struct ip_autofw_user *user = &entry->user;
	char contacts[CHAIN_NAME_MAX];

	del_rule(e,
		 user->type == IP_FWD_RANGE  ? CHAIN_RANGE
		 : user->type == IP_FWD_PORT ? CHAIN_PORT
					     : CHAIN_DIRECT,
		 entry->handle);
	del_rule(e, CHAIN_TRIGGER, entry->trigger_handle);
	if (!entry_triggered(user))
		return;
	contact_name(contacts, user);
	del_chain(e, contacts);
	del_set(e, contacts);
}

static void table_del(struct emit *emit)
{
	send_name(sink(emit), NFT_MSG_DELTABLE, NFTA_TABLE_NAME, 0, NULL);
}

static const struct emit_ops netlink_ops = {
	.module_add = module_add,
	.module_unhook = module_unhook,
	.pool_del = pool_del,
	.module_del = module_del,
	.element = element,
	.pool_set = pool_set,
	.entry_add = entry_add,
	.entry_del = entry_del,
	.table_del = table_del,
};

void emit_netlink_init(struct emit_netlink *e, struct nftbuf *buf)
{
	*e = (struct emit_netlink){.emit.ops = &netlink_ops, .buf = buf};
}

int emit_netlink_close(struct emit_netlink *e)
{
	close_elements(e);
	return e->failed || e->buf->failed ? -ENOMEM : 0;
}
