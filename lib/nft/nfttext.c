// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps as lines that nft(8) reads: what an administrator would have typed. */
#include <arpa/inet.h>
#include <stdarg.h>

#include "nftemit.h"

#define TABLE "ip " NFT_TABLE

__attribute__((format(printf, 2, 3))) static void say(struct emit *emit, const char *fmt, ...)
{
	FILE *out = ((struct emit_text *)(void *)emit)->out;
	va_list ap;

	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
}

static const char *addr_text(char buf[INET_ADDRSTRLEN], uint32_t addr)
{
	return inet_ntop(AF_INET, &addr, buf, INET_ADDRSTRLEN);
}

static void say_comment(struct emit *e, const char *text)
{
	if (*text)
		say(e, " comment \"%s\"", text);
}

static void say_target(struct emit *e, const struct target *t)
{
	char addr[INET_ADDRSTRLEN];

	say(e, "%s", addr_text(addr, t->addr));
	if (t->port)
		say(e, " . %u", ntohs(t->port));
}

static void say_map(struct emit *e, enum map map, uint32_t size)
{
	const struct map_def *def = &map_defs[map];

	say(e, "add map " TABLE " %s { type %s : %s; size %u;%s comment \"%s\"; }\n", def->name,
	    def->key_text, def->data_text, size, def->pool ? "" : " counter;", def->comment);
}

static void say_base(struct emit *e, const char *chain, int order)
{
	say(e,
	    "add chain " TABLE " %s { type nat hook prerouting priority dstnat - %d; policy "
	    "accept; }\n",
	    chain, order);
	if (order == MFW_ORDER)
		say(e, "add rule " TABLE " %s meta mark 0 return\n", chain);
	say(e, "add rule " TABLE " %s fib daddr type != local return\n", chain);
}

static void portfw_rule(struct emit *e, enum map map)
{
	const struct map_def *def = &map_defs[map];
	const char *key = def->key_len == 12 ? "meta l4proto . ip daddr . th dport"
					     : "meta l4proto . th dport";

	if (def->pool)
		say(e, "add rule " TABLE " portfw %s vmap @%s\n", key, def->name);
	else
		say(e, "add rule " TABLE " portfw dnat ip to %s map @%s\n", key, def->name);
}

static void module_add(struct emit *e, enum module mod, const uint32_t sizes[MAP_COUNT])
{
	say(e, "add table " TABLE "\n");
	for (int map = 1; map < MAP_COUNT; map++)
		if (map_defs[map].module == mod)
			say_map(e, (enum map)map, sizes[map]);
	switch (mod) {
	case MOD_MFW:
		say_base(e, "mfw", MFW_ORDER);
		say(e, "add rule " TABLE " mfw tcp flags & (syn | ack) != syn return\n");
		say(e, "add rule " TABLE " mfw meta l4proto != { tcp, udp } return\n");
		say(e,
		    "add rule " TABLE
		    " mfw meta l4proto { tcp, udp } dnat ip to meta mark map @%s\n",
		    map_defs[MAP_MFW].name);
		say(e, "add rule " TABLE " mfw dnat to meta mark map @%s\n",
		    map_defs[MAP_MFW_KEEP].name);
		say(e, "add rule " TABLE " mfw meta mark vmap @%s\n", map_defs[MAP_MFW_POOLS].name);
		break;
	case MOD_PORTFW:
		say_base(e, "portfw", PORTFW_ORDER);
		for (int map = 1; map < MAP_COUNT; map++)
			if (map_defs[map].module == MOD_PORTFW)
				portfw_rule(e, (enum map)map);
		break;
	default:
		say(e, "add chain " TABLE " " CHAIN_RANGE "\n");
		say(e, "add chain " TABLE " " CHAIN_PORT "\n");
		say(e, "add chain " TABLE " " CHAIN_DIRECT "\n");
		say(e, "add chain " TABLE " " CHAIN_TRIGGER
		       " { type filter hook postrouting priority srcnat + 1; policy accept; }\n");
		say(e, "add rule " TABLE " " CHAIN_TRIGGER " ct status ! snat return\n");
		say_base(e, "autofw", AUTOFW_ORDER);
		say(e, "add rule " TABLE " autofw jump " CHAIN_RANGE "\n");
		say(e, "add rule " TABLE " autofw jump " CHAIN_PORT "\n");
	}
}

static void del_chain(struct emit *e, const char *chain)
{
	say(e, "flush chain " TABLE " %s\n", chain);
	say(e, "delete chain " TABLE " %s\n", chain);
}

static void module_unhook(struct emit *e, enum module mod)
{
	del_chain(e, mod == MOD_MFW ? "mfw" : "portfw");
	for (int map = 1; map < MAP_COUNT; map++)
		if (map_defs[map].module == mod && map_defs[map].pool)
			say(e, "flush map " TABLE " %s\n", map_defs[map].name);
}

static void pool_del(struct emit *e, const struct key *key)
{
	char chain[CHAIN_NAME_MAX];

	chain_name(chain, key);
	del_chain(e, chain);
}

static void module_del(struct emit *e, enum module mod)
{
	for (int map = 1; map < MAP_COUNT; map++)
		if (map_defs[map].module == mod)
			say(e, "delete map " TABLE " %s\n", map_defs[map].name);
}

static void element(struct emit *e, bool add, enum map map, const struct service *s)
{
	struct facts facts = facts_of_service(s);
	char key[MAP_KEY_TEXT_MAX], comment[COMMENT_MAX], chain[CHAIN_NAME_MAX];

	map_key_text(key, map, &s->key);
	if (!add) {
		say(e, "delete element " TABLE " %s { %s }\n", map_defs[map].name, key);
		return;
	}
	say(e, "add element " TABLE " %s { %s", map_defs[map].name, key);
	facts_text(comment, &facts);
	say_comment(e, comment);
	say(e, " : ");
	chain_name(chain, &s->key);
	if (map_defs[map].pool)
		say(e, "goto %s", chain);
	else
		say_target(e, &s->targets[0]);
	say(e, " }\n");
}

/* What a rule with a port needs in front. */
static void say_protocol(struct emit *e, const struct service *s, bool keep_port)
{
	if (keep_port)
		return;
	if (s->key.module == MOD_MFW)
		say(e, " meta l4proto { tcp, udp }");
	else
		say(e, " meta l4proto %s", masq_protocol_name(s->key.protocol));
}

static void schedule_rule(struct emit *e, const struct service *s, const char *chain,
			  const struct pool_rule *rule)
{
	struct pool_cursor cursor = {0};
	const struct run *run;
	uint32_t from, to;
	const char *comma = "";

	say(e, "add rule " TABLE " %s", chain);
	say_protocol(e, s, rule->keep_port);
	say(e, "%s dnat %sto numgen inc mod %u map {", rule->counts ? " counter" : "",
	    rule->keep_port ? "" : "ip ", rule->modulus);
	while (pool_next(&cursor, rule, s, &run, &from, &to)) {
		struct facts facts = facts_of_target(s, run->target);
		char comment[COMMENT_MAX];

		say(e, "%s %u", comma, from);
		if (to - from > 1)
			say(e, "-%u", to - 1);
		facts_text(comment, &facts);
		if (pool_tells(rule, run))
			say_comment(e, comment);
		say(e, " : ");
		say_target(e, &s->targets[run->target]);
		comma = ",";
	}
	say(e, " }%s\n", rule->prologue ? " comment \"turns that had begun, once\"" : "");
}

static void drained_rule(struct emit *e, const struct service *s, const char *chain, size_t i,
			 bool counts)
{
	const struct target *t = &s->targets[i];
	struct facts facts = facts_of_target(s, i);
	char addr[INET_ADDRSTRLEN], comment[COMMENT_MAX];

	say(e, "add rule " TABLE " %s", chain);
	say_protocol(e, s, !t->port);
	say(e, "%s dnat to %s", counts ? " counter" : "", addr_text(addr, t->addr));
	if (t->port)
		say(e, ":%u", ntohs(t->port));
	facts_text(comment, &facts);
	say_comment(e, comment);
	say(e, "\n");
}

static void pool_set(struct emit *e, const struct service *s, const struct schedule *sch)
{
	struct pool_rule rules[POOL_RULES_MAX];
	size_t n = pool_rules(rules, s, sch);
	char chain[CHAIN_NAME_MAX];

	chain_name(chain, &s->key);
	say(e, "add chain " TABLE " %s\n", chain);
	say(e, "flush chain " TABLE " %s\n", chain);
	for (size_t i = 0; i < n; i++)
		schedule_rule(e, s, chain, &rules[i]);
	for (size_t i = 0; i < s->n; i++)
		if (!s->targets[i].pref)
			drained_rule(e, s, chain, i, !n && !i);
}

static void trigger_add(struct emit *e, const struct ip_autofw_user *user, const char *contacts,
			const char *comment)
{
	bool secure = user->flags & IP_AUTOFW_SECURE;
	bool timed = user->flags & IP_AUTOFW_USETIME;
	const char *key = secure ? "ct reply ip saddr" : "meta protocol";

	say(e, "add map " TABLE " %s { type %s : ipv4_addr; size %d; flags dynamic%s;", contacts,
	    secure ? "ipv4_addr" : "ether_type", CONTACT_MAX, timed ? ",timeout" : "");
	if (timed)
		say(e, " timeout %ds;", CONTACT_SECONDS);
	say(e, " comment \"%s\"; }\n", comment);
	say(e, "add chain " TABLE " %s\n", contacts);
	for (int first = 1; first >= 0; first--)
		say(e, "add rule " TABLE " %s %s @%s { %s : ct original ip saddr }\n", contacts,
		    first ? "ct status ! confirmed delete" : "update", contacts, key);
	say(e,
	    "add rule " TABLE " " CHAIN_TRIGGER
	    " meta l4proto %s ct reply proto-src %u jump %s comment \"%s\"\n",
	    masq_protocol_name((uint8_t)user->ctlproto), user->ctlport, contacts, comment);
}

static void entry_add(struct emit *e, const struct entry *entry)
{
	const struct ip_autofw_user *user = &entry->user;
	const char *protocol = masq_protocol_name((uint8_t)user->protocol);
	char comment[COMMENT_MAX], contacts[CHAIN_NAME_MAX], addr[INET_ADDRSTRLEN];

	entry_text(comment, user);
	contact_name(contacts, user);
	addr_text(addr, user->where);
	if (entry_triggered(user))
		trigger_add(e, user, contacts, comment);
	switch (user->type) {
	case IP_FWD_PORT:
		say(e, "insert rule " TABLE " " CHAIN_PORT " %s dport %u counter dnat to %s:%u",
		    protocol, user->visible, addr, user->hidden);
		break;
	case IP_FWD_RANGE:
		say(e, "insert rule " TABLE " " CHAIN_RANGE " %s dport %u-%u counter dnat to ",
		    protocol, user->low, user->high);
		if (entry_triggered(user))
			say(e, "%s map @%s",
			    user->flags & IP_AUTOFW_SECURE ? "ip saddr" : "meta protocol",
			    contacts);
		else
			say(e, "%s", addr);
		break;
	default:
		say(e, "insert rule " TABLE " " CHAIN_DIRECT " %s dport %u-%u counter", protocol,
		    user->low, user->high);
	}
	say_comment(e, comment);
	say(e, "\n");
}

static void entry_del(struct emit *e, const struct entry *entry)
{
	const struct ip_autofw_user *user = &entry->user;
	char contacts[CHAIN_NAME_MAX];

	if (entry->handle)
		say(e, "delete rule " TABLE " %s handle %llu\n",
		    user->type == IP_FWD_RANGE  ? CHAIN_RANGE
		    : user->type == IP_FWD_PORT ? CHAIN_PORT
						: CHAIN_DIRECT,
		    (unsigned long long)entry->handle);
	if (!entry_triggered(user))
		return;
	if (entry->trigger_handle)
		say(e, "delete rule " TABLE " " CHAIN_TRIGGER " handle %llu\n",
		    (unsigned long long)entry->trigger_handle);
	contact_name(contacts, user);
	say(e, "flush chain " TABLE " %s\n", contacts);
	say(e, "delete chain " TABLE " %s\n", contacts);
	say(e, "delete map " TABLE " %s\n", contacts);
}

static void table_del(struct emit *e)
{
	say(e, "delete table " TABLE "\n");
}

static const struct emit_ops text_ops = {
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

void emit_text_init(struct emit_text *e, FILE *out)
{
	*e = (struct emit_text){.emit.ops = &text_ops, .out = out};
}
