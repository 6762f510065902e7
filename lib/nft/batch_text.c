// SPDX-License-Identifier: GPL-2.0-or-later
/* A batch as lines that nft(8) reads: what an administrator would have
 * typed. */
#include <stdarg.h>
#include <stdio.h>

#include "batch.h"
#include "skeleton.h"

__attribute__((format(printf, 2, 3))) static void say(struct batch *b, const char *fmt, ...)
{
	FILE *out = ((struct batch_text *)(void *)b)->out;
	va_list ap;

	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
}

/* What is done to something in the table, and its name: "add chain ip ipmasqadm
 * lookup". */
static void begin(struct batch *b, const char *what, const char *name)
{
	say(b, "%s %s " NFT_TABLE "%s%s", what, family_defs[b->family].text, *name ? " " : "",
	    name);
}

static void say_comment(struct batch *b, const char *text)
{
	if (text && *text)
		say(b, " comment \"%s\"", text);
}

static void on_name(struct batch *b, const char *what, const char *name)
{
	begin(b, what, name);
	say(b, "\n");
}

static void table_add(struct batch *b)
{
	on_name(b, "add table", "");
}

static void table_del(struct batch *b)
{
	on_name(b, "delete table", "");
}

static void chain_add(struct batch *b, const char *name, const struct hook *hook)
{
	begin(b, "add chain", name);
	if (hook)
		say(b, " { type %s hook %s; policy accept; }", hook->type, hook->text);
	say(b, "\n");
}

static void chain_flush(struct batch *b, const char *name)
{
	on_name(b, "flush chain", name);
}

static void chain_del(struct batch *b, const char *name)
{
	on_name(b, "delete chain", name);
}

static void on_set(struct batch *b, const char *what, const char *name)
{
	char words[16];

	snprintf(words, sizeof(words), "%s %s", what, skeleton_word(name));
	on_name(b, words, name);
}

static void map_flush(struct batch *b, const char *name)
{
	on_set(b, "flush", name);
}

static void map_del(struct batch *b, const char *name)
{
	on_set(b, "delete", name);
}

static void rule_del(struct batch *b, const char *chain, uint64_t handle)
{
	begin(b, "delete rule", chain);
	say(b, " handle %llu\n", (unsigned long long)handle);
}

/* The parts of a key as a rule loads them, or those of types. */
static void say_parts(struct batch *b, const struct parts *p, bool types)
{
	for (const enum field *f = p->field; *f != FIELD_NONE; f++) {
		const struct field_def *def = field_def(b->family, *f);

		say(b, "%s%s", f == p->field ? "" : " . ", types ? def->type_text : def->text);
	}
}

static void map_add(struct batch *b, const struct map_spec *spec)
{
	begin(b, spec->data ? "add map" : "add set", spec->name);
	say(b, " { type ");
	say_parts(b, spec->key, true);
	if (spec->data) {
		say(b, " : ");
		say_parts(b, spec->data, true);
	}
	say(b, ";");
	if (spec->size)
		say(b, " size %u;", spec->size);
	if (spec->dynamic)
		say(b, " flags dynamic%s;", spec->seconds ? ",timeout" : "");
	if (spec->ranges)
		say(b, " flags interval;");
	if (spec->seconds)
		say(b, " timeout %us;", spec->seconds);
	if (map_spec_counts(spec))
		say(b, " counter;");
	say(b, " comment \"%s\"; }\n", spec->comment);
}

static void helper_add(struct batch *b, const struct helper_object *o)
{
	begin(b, "add ct helper", o->name);
	say(b, " { type \"%s\" protocol %s; l3proto %s; }\n", o->type,
	    masq_protocol_name(o->protocol), family_defs[b->family].text);
}

static void helper_del(struct batch *b, const struct helper_object *o)
{
	on_name(b, "delete ct helper", o->name);
}

static void element_add(struct batch *b, enum map map, const struct service *s)
{
	char key[VALUE_TEXT_MAX], data[VALUE_TEXT_MAX], chain[CHAIN_NAME_MAX];
	char comment[COMMENT_MAX], name[MAP_NAME_MAX];
	bool pool = map_defs[map].pool;

	key_text(key, map, &s->key);
	metadata_of_service(comment, s);
	begin(b, "add element", map_name(name, map, key_interface(&s->key)));
	say(b, " { %s", key);
	say_comment(b, comment);
	if (pool)
		chain_name(chain, &s->key);
	else
		data_text(data, map, service_target(s, 0));
	say(b, " : %s%s }\n", pool ? "goto " : "", pool ? chain : data);
}

static void element_del(struct batch *b, enum map map, const struct key *key)
{
	char text[VALUE_TEXT_MAX], name[MAP_NAME_MAX];

	key_text(text, map, key);
	begin(b, "delete element", map_name(name, map, key_interface(key)));
	say(b, " { %s }\n", text);
}

static void address_add(struct batch *b, const char *set, const struct masq_address *a)
{
	char addr[ADDRESS_TEXT_MAX];

	begin(b, "add element", set);
	say(b, " { %s }\n", address_text(addr, a));
}

/* nft(8) knows no escapes: a quotation mark ends a string, and an asterisk at
 * its end stands for any name. Terminals obey what is not printable. */
static bool can_be_quoted(const char *name)
{
	size_t len = 0;

	for (; name[len]; len++)
		if (name[len] == '"' || name[len] <= ' ' || name[len] > '~')
			return false;
	return len && name[len - 1] != '*';
}

static void say_far(struct batch *b, const char *what, const struct far *far)
{
	char first[ADDRESS_TEXT_MAX], last[ADDRESS_TEXT_MAX];

	if (!can_be_quoted(far->interface)) {
		say(b, "# %s in %s: the name of the interface cannot be written for nft\n", what,
		    SET_FAR);
		return;
	}
	begin(b, what, SET_FAR);
	say(b, " { \"%s\" . %s-%s }\n", far->interface, address_text(first, &far->first),
	    address_text(last, &far->last));
}

static void far_add(struct batch *b, const struct far *far)
{
	say_far(b, "add element", far);
}

static void far_del(struct batch *b, const struct far *far)
{
	say_far(b, "delete element", far);
}

static void say_ports(struct batch *b, const struct statement *s)
{
	say(b, " %s dport %u", masq_protocol_name(s->protocol), s->ports.first);
	if (s->ports.last != s->ports.first)
		say(b, "-%u", s->ports.last);
}

static void say_every(struct batch *b, const struct statement *s)
{
	say(b, " numgen inc mod %u ", s->modulus);
	if (s->last == UINT32_MAX)
		say(b, "< %u", s->first);
	else
		say(b, "!= %u-%u", s->first, s->last);
}

static void say_dnat(struct batch *b, const struct statement *s)
{
	bool brackets = s->port && s->addr.family == AF_INET6;
	char addr[ADDRESS_TEXT_MAX];

	address_text(addr, &s->addr);
	say(b, brackets ? " dnat to [%s]" : " dnat to %s", addr);
	if (s->port)
		say(b, ":%u", s->port);
}

static void say_map(struct batch *b, const struct statement *s)
{
	bool dnats = s->type == STATEMENT_DNAT_MAP;
	const char *family = s->data->field[1] == FIELD_NONE ? "" : family_defs[b->family].text;

	if (s->counted)
		say(b, " counter");
	if (dnats)
		say(b, " dnat %s%sto", family, *family ? " " : "");
	say(b, " ");
	say_parts(b, s->key, false);
	say(b, " %s @%s", dnats ? "map" : "vmap", s->name);
}

static void say_set(struct batch *b, const struct statement *s)
{
	say(b, " ");
	say_parts(b, s->key, false);
	say(b, "%s @%s", s->type == STATEMENT_NOT_IN_SET ? " !=" : "", s->name);
}

static void say_update(struct batch *b, const struct statement *s)
{
	say(b, " %s @%s { ", s->type == STATEMENT_UPDATE ? "update" : "delete", s->name);
	say_parts(b, s->key, false);
	if (s->data) {
		say(b, " : ");
		say_parts(b, s->data, false);
	}
	say(b, " }");
}

static void say_statement(struct batch *b, const struct statement *s)
{
	switch (s->type) {
	case STATEMENT_NONE:
		break;
	case STATEMENT_TEST:
		say(b, " %s", test_def(b->family, s->test)->text);
		break;
	case STATEMENT_PORTS:
		say_ports(b, s);
		break;
	case STATEMENT_SERVER_PORT:
		say(b, " %s %u", field_def(b->family, FIELD_CT_SERVER_PORT)->text, s->ports.first);
		break;
	case STATEMENT_EVERY:
		say_every(b, s);
		break;
	case STATEMENT_INTERFACE:
	case STATEMENT_NOT_INTERFACE:
		say(b, " %s %s\"%s\"", field_def(b->family, s->field)->text,
		    s->type == STATEMENT_INTERFACE ? "" : "!= ", s->interface);
		break;
	case STATEMENT_IN_SET:
	case STATEMENT_NOT_IN_SET:
		say_set(b, s);
		break;
	case STATEMENT_COUNTER:
		say(b, " counter");
		break;
	case STATEMENT_LABEL:
		say(b, " ct label set %u", s->label);
		break;
	case STATEMENT_MASQUERADE:
		say(b, " masquerade");
		break;
	case STATEMENT_HELPER:
		say(b, " ct helper set \"%s\"", s->name);
		break;
	case STATEMENT_DNAT:
		say_dnat(b, s);
		break;
	case STATEMENT_DNAT_MAP:
	case STATEMENT_VERDICT_MAP:
		say_map(b, s);
		break;
	case STATEMENT_JUMP:
		say(b, " jump %s", s->name);
		break;
	case STATEMENT_GOTO:
		say(b, " goto %s", s->name);
		break;
	case STATEMENT_RETURN:
		say(b, " return");
		break;
	case STATEMENT_ACCEPT:
		say(b, " accept");
		break;
	case STATEMENT_UPDATE:
	case STATEMENT_FORGET:
		say_update(b, s);
		break;
	}
}

static void rule_add_text(struct batch *b, const struct rule *r)
{
	begin(b, r->first ? "insert rule" : "add rule", r->chain);
	for (const struct statement *s = r->statement; s->type != STATEMENT_NONE; s++)
		say_statement(b, s);
	say_comment(b, r->comment);
	say(b, "\n");
}

static const struct batch_ops text_ops = {
	.table_add = table_add,
	.table_del = table_del,
	.chain_add = chain_add,
	.chain_flush = chain_flush,
	.chain_del = chain_del,
	.rule_add = rule_add_text,
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

void batch_text_init(struct batch_text *b, FILE *out)
{
	*b = (struct batch_text){.batch.ops = &text_ops, .out = out};
}
