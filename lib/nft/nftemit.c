// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps as a netlink batch: portfw and mfw, and which part is autofw's. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "nftsend.h"

static struct emit_netlink *sink(struct emit *e)
{
	return (struct emit_netlink *)(void *)e;
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
		autofw_chains(e);
		base_chain(e, "autofw", AUTOFW_ORDER);
		autofw_hook(e);
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

static void entry_add(struct emit *emit, const struct entry *entry)
{
	autofw_entry_add(sink(emit), entry);
}

static void entry_del(struct emit *emit, const struct entry *entry)
{
	autofw_entry_del(sink(emit), entry);
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
