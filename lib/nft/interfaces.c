// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "ask.h"
#include "interfaces.h"
#include "skeleton.h"
#include "values.h"

#define SET_PREFIX "addresses-"
#define CHAIN_PREFIX "at-"

/* An address that no packet shows is forgotten after a week. */
#define ADDRESS_SECONDS 604800
#define ADDRESSES_MAX 65535

/* Its chain has a rule for each of its maps, and one of lookup_at leads there. */
#define CHAIN_USE 3

const struct hook learn_leaving_hook = {"filter", NF_INET_POST_ROUTING, 300,
					"postrouting priority 300"};

static const struct parts destination = {{FIELD_LOCAL}}, source = {{FIELD_SOURCE}};

void interfaces_free(struct interfaces *i)
{
	free(i->v);
	addresses_free(&i->known);
	*i = (struct interfaces){0};
}

struct interface *interfaces_put(struct interfaces *i, const char *name)
{
	struct interface *v;

	for (size_t k = 0; k < i->n; k++)
		if (!strcmp(i->v[k].name, name))
			return &i->v[k];
	v = reallocarray(i->v, i->n + 1, sizeof(*v));
	if (!v)
		return NULL;
	i->v = v;
	v += i->n++;
	*v = (struct interface){0};
	snprintf(v->name, sizeof(v->name), "%s", name);
	return v;
}

void interface_chain(char out[INTERFACE_NAME_MAX], const char *interface)
{
	snprintf(out, INTERFACE_NAME_MAX, CHAIN_PREFIX "%.15s", interface);
}

void interface_set(char out[INTERFACE_NAME_MAX], const char *interface)
{
	snprintf(out, INTERFACE_NAME_MAX, SET_PREFIX "%.15s", interface);
}

/* The interface in a name; NULL: it is no such name. */
static const char *name_in(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);
	struct error e;

	if (strncmp(text, prefix, n) != 0 || value_check_interface(&e, text + n))
		return NULL;
	return text + n;
}

bool interface_owns_chain(const char *name)
{
	return name_in(name, CHAIN_PREFIX);
}

bool interface_owns_set(const char *name)
{
	char interface[MASQ_INTERFACE_MAX];

	return name_in(name, SET_PREFIX) || map_named_at(name, interface) != MAP_NONE;
}

/* "@eth0", not terminated. */
static bool parse_comment(char out[MASQ_INTERFACE_MAX], const char *text, size_t len)
{
	struct error e;

	len = strnlen(text, len);
	if (len < 2 || len > MASQ_INTERFACE_MAX || *text != '@')
		return false;
	memset(out, 0, MASQ_INTERFACE_MAX);
	memcpy(out, text + 1, len - 1);
	return !value_check_interface(&e, out);
}

bool interface_comment(const char *text, size_t len)
{
	char name[MASQ_INTERFACE_MAX];

	return parse_comment(name, text, len);
}

static bool is_of(const struct interface_address *a, const char *name)
{
	return !strcmp(a->interface, name);
}

void interface_ask(struct buf *b, enum family f, const char *name, const struct addresses *present)
{
	char text[INTERFACE_NAME_MAX];

	interface_chain(text, name);
	ask_chain(b, f, text);
	interface_set(text, name);
	ask_set(b, f, text);
	for (size_t i = 0; i < present->n; i++)
		if (is_of(&present->v[i], name))
			ask_key(b, f, text, &present->v[i].address.in6,
				(uint32_t)address_size(&present->v[i].address));
}

struct reader {
	struct interfaces *out;
	enum family family;
	const char *name;
};

/* One that is about to be forgotten is added again. */
static int read_address(const struct element *e, void *arg)
{
	const struct reader *r = arg;
	struct interface_address *a;

	if (e->expires && e->expires < ADDRESS_SECONDS * 500ull)
		return 0;
	a = addresses_add(&r->out->known);
	if (!a)
		return -ENOMEM;
	snprintf(a->interface, sizeof(a->interface), "%s", r->name);
	a->address.family = family_defs[r->family].number;
	if (e->key_len == address_size(&a->address))
		memcpy(&a->address.in6, e->key, e->key_len);
	return 0;
}

int interfaces_read(struct interfaces *i, enum family f, const struct nlmsghdr *nlh)
{
	const char *text, *name;
	struct interface *found;
	int err;

	switch (nlh->nlmsg_type & 0xff) {
	case NFT_MSG_NEWCHAIN:
		name = name_in(attr_text(attr_of(nlh, NFTA_CHAIN_NAME)), CHAIN_PREFIX);
		if (!name)
			return 0;
		found = interfaces_put(i, name);
		if (!found)
			return -ENOMEM;
		found->there = true;
		found->whole = attr_be32(attr_of(nlh, NFTA_CHAIN_USE)) == CHAIN_USE;
		return 1;
	case NFT_MSG_NEWSET:
		name = name_in(attr_text(attr_of(nlh, NFTA_SET_NAME)), SET_PREFIX);
		if (!name)
			return 0;
		found = interfaces_put(i, name);
		if (!found)
			return -ENOMEM;
		found->there = true;
		return 1;
	case NFT_MSG_NEWSETELEM:
		text = attr_text(attr_of(nlh, NFTA_SET_ELEM_LIST_SET));
		name = name_in(text, SET_PREFIX);
		if (!name)
			return 0;
		err = read_elements(nlh, read_address, &(struct reader){i, f, name});
		return err ? err : 1;
	default:
		return 0;
	}
}

static int read_answer(const struct nlmsghdr *nlh, void *arg)
{
	const struct reader *r = arg;
	int err = interfaces_read(r->out, r->family, nlh);

	return err < 0 ? err : 0;
}

int interfaces_ask(struct link *l, struct buf *b, enum family f, struct interfaces *i)
{
	return ask_nothing_is_no_error(
		link_get(l, b, read_answer, &(struct reader){.out = i, .family = f}));
}

struct rule_reader {
	struct interfaces *out;
	const char *chain;
};

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct comment comment = read_comment(attr_of(nlh, NFTA_RULE_USERDATA));
	char name[MASQ_INTERFACE_MAX];
	struct rule_reader *r = arg;
	struct interface *i;

	if (!parse_comment(name, comment.text, comment.len))
		return 0;
	i = interfaces_put(r->out, name);
	if (!i)
		return -ENOMEM;
	if (i->n_rules < INTERFACE_RULES) {
		i->rules[i->n_rules].chain = r->chain;
		i->rules[i->n_rules++].handle = attr_be64(attr_of(nlh, NFTA_RULE_HANDLE));
	}
	return 0;
}

int interfaces_load(struct link *l, struct buf *b, enum family f, struct interfaces *i)
{
	static const char *const chains[] = {CHAIN_AT, CHAIN_LEARN, CHAIN_LEARN_LEAVING};
	int err = 0;

	if (i->all)
		return 0;
	for (size_t k = 0; !err && k < sizeof(chains) / sizeof(*chains); k++) {
		ask_rules(b, f, chains[k]);
		err = ask_nothing_is_no_error(
			link_dump(l, b, read_rule, &(struct rule_reader){i, chains[k]}));
	}
	i->all = !err;
	return err;
}

static void delete_rules(struct batch *b, const struct interface *i)
{
	for (size_t k = 0; k < i->n_rules; k++)
		b->ops->rule_del(b, i->rules[k].chain, i->rules[k].handle);
}

static struct statement interface_is(enum field field, const char *name, bool not )
{
	return (struct statement){
		.type = not ? STATEMENT_NOT_INTERFACE : STATEMENT_INTERFACE,
		.field = field,
		.interface = name,
	};
}

static struct statement test(enum test t)
{
	return (struct statement){.type = STATEMENT_TEST, .test = t};
}

/* What comes in by it for an address of its own shows that; by another one, that
 * the address is none of it. */
static void write_learning(struct batch *b, const char *name, const char *comment, const char *set)
{
	struct rule learn = {.chain = CHAIN_LEARN, .comment = comment};
	struct rule forget = learn, leaving = learn;

	rule_add(&learn, interface_is(FIELD_IN_NAME, name, false));
	rule_add(&learn, test(TEST_ON_INTERFACE));
	rule_add(&learn,
		 (struct statement){.type = STATEMENT_UPDATE, .name = set, .key = &destination});
	b->ops->rule_add(b, &learn);
	rule_add(&forget, interface_is(FIELD_IN_NAME, name, true));
	rule_add(&forget, test(TEST_ON_INTERFACE));
	rule_add(&forget,
		 (struct statement){.type = STATEMENT_FORGET, .name = set, .key = &destination});
	b->ops->rule_add(b, &forget);
	b->ops->chain_add(b, CHAIN_LEARN_LEAVING, &learn_leaving_hook);
	leaving.chain = CHAIN_LEARN_LEAVING;
	rule_add(&leaving, test(TEST_NEW));
	rule_add(&leaving, interface_is(FIELD_OUT_NAME, name, false));
	rule_add(&leaving, test(TEST_FROM_LEAVING));
	rule_add(&leaving,
		 (struct statement){.type = STATEMENT_UPDATE, .name = set, .key = &source});
	b->ops->rule_add(b, &leaving);
}

static void write_lookup(struct batch *b, const char *name, const char *comment, const char *set)
{
	char chain[INTERFACE_NAME_MAX], map[MAP_NAME_MAX];
	struct rule to = {.chain = CHAIN_AT, .comment = comment};

	interface_chain(chain, name);
	b->ops->chain_add(b, chain, NULL);
	b->ops->chain_flush(b, chain);
	for (enum map m = MAP_FIXED; m < MAP_COUNT; m++) {
		const struct map_def *def = &map_defs[m];
		struct rule r = {.chain = chain};

		map_name(map, m, name);
		b->ops->map_add(b, &(struct map_spec){.name = map,
						      .comment = def->comment,
						      .key = &def->key,
						      .data = &def->data});
		rule_add(&r, (struct statement){.type = def->pool ? STATEMENT_VERDICT_MAP
								  : STATEMENT_DNAT_MAP,
						.name = map,
						.key = &def->key,
						.data = &def->data});
		b->ops->rule_add(b, &r);
	}
	rule_add(&to,
		 (struct statement){.type = STATEMENT_IN_SET, .name = set, .key = &destination});
	rule_add(&to, (struct statement){.type = STATEMENT_JUMP, .name = chain});
	b->ops->rule_add(b, &to);
}

static bool is_known(const struct addresses *known, const struct interface_address *a)
{
	for (size_t i = 0; i < known->n; i++)
		if (is_of(&known->v[i], a->interface) &&
		    address_equal(&known->v[i].address, &a->address))
			return true;
	return false;
}

void interface_write(struct batch *b, const struct interface *i, const struct addresses *known,
		     const struct addresses *present)
{
	char set[INTERFACE_NAME_MAX], comment[MASQ_INTERFACE_MAX + 1];

	interface_set(set, i->name);
	snprintf(comment, sizeof(comment), "@%s", i->name);
	if (!i->whole) {
		delete_rules(b, i);
		b->ops->map_add(b,
				&(struct map_spec){
					.name = set,
					.comment = "addresses that the interface was seen to have",
					.key = &destination,
					.size = ADDRESSES_MAX,
					.seconds = ADDRESS_SECONDS,
					.dynamic = true});
		write_lookup(b, i->name, comment, set);
		write_learning(b, i->name, comment, set);
	}
	for (size_t k = 0; k < present->n; k++)
		if (is_of(&present->v[k], i->name) && !is_known(known, &present->v[k]))
			b->ops->address_add(b, set, &present->v[k].address);
}

void interface_remove(struct batch *b, const struct interface *i)
{
	char name[INTERFACE_NAME_MAX], map[MAP_NAME_MAX];

	delete_rules(b, i);
	interface_chain(name, i->name);
	batch_chain_remove(b, name);
	for (enum map m = MAP_FIXED; m < MAP_COUNT; m++)
		b->ops->map_del(b, map_name(map, m, i->name));
	interface_set(name, i->name);
	b->ops->map_del(b, name);
}
