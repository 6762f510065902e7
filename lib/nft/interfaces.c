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

/* So many rules an interface has in each place; one of lookup_at leads to its
 * chain. */
static const uint32_t rules_in[INTERFACE_PLACES] = {
	[INTERFACE_LOOKS_UP] = MAP_COUNT - MAP_FIXED,
	[INTERFACE_AT] = 1,
	[INTERFACE_LEARN] = 2,
	[INTERFACE_LEAVING] = 1,
};
#define CHAIN_USE (rules_in[INTERFACE_LOOKS_UP] + 1)

/* The chains that interfaces share, and how many rules of others lead there. */
static const struct {
	const char *name;
	uint32_t references;
} shared[INTERFACE_PLACES] = {
	[INTERFACE_AT] = {CHAIN_AT, 1},
	[INTERFACE_LEARN] = {CHAIN_LEARN, 1},
	[INTERFACE_LEAVING] = {CHAIN_LEARN_LEAVING, 0},
};

const struct hook learn_leaving_hook = {"filter", NF_INET_POST_ROUTING, 300,
					"postrouting priority 300"};

/* So many addresses are asked for one by one, with the rest; of more, all are
 * told. */
#define ASKED_MAX 32

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

	return name_in(name, SET_PREFIX) || map_named(name, interface) >= MAP_FIXED;
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

static bool has_many(const struct interface *i, const struct addresses *present)
{
	size_t n = 0;

	for (size_t k = 0; k < present->n; k++)
		n += is_of(&present->v[k], i->name);
	return n > ASKED_MAX;
}

void interface_ask(struct buf *b, enum family f, struct interfaces *all, struct interface *i,
		   const struct addresses *present)
{
	char text[INTERFACE_NAME_MAX];

	if (i->asked)
		return;
	for (enum interface_place p = INTERFACE_AT; !all->asked && p < INTERFACE_PLACES; p++)
		ask_chain(b, f, shared[p].name);
	interface_chain(text, i->name);
	ask_chain(b, f, text);
	interface_set(text, i->name);
	ask_set(b, f, text);
	i->told = has_many(i, present);
	for (size_t k = 0; !i->told && k < present->n; k++)
		if (is_of(&present->v[k], i->name))
			ask_key(b, f, text, &present->v[k].address.in6,
				(uint32_t)address_size(&present->v[k].address));
	i->asked = all->asked = true;
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

/* One of which something is there; NULL: the name is none, or out of memory. */
static struct interface *find(struct interfaces *i, const char *name, int *result)
{
	struct interface *found = name ? interfaces_put(i, name) : NULL;

	*result = !name ? 0 : found ? 1 : -ENOMEM;
	if (found)
		found->there = true;
	return found;
}

static int read_chain(struct interfaces *i, const struct nlmsghdr *nlh)
{
	const char *text = attr_text(attr_of(nlh, NFTA_CHAIN_NAME));
	uint32_t use = attr_be32(attr_of(nlh, NFTA_CHAIN_USE));
	struct interface *found;
	int result;

	for (enum interface_place p = INTERFACE_AT; p < INTERFACE_PLACES; p++)
		if (!strcmp(text, shared[p].name)) {
			i->use[p] = use;
			return 1;
		}
	found = find(i, name_in(text, CHAIN_PREFIX), &result);
	if (found)
		found->whole = use == CHAIN_USE;
	return result;
}

int interfaces_read(struct interfaces *i, enum family f, const struct nlmsghdr *nlh)
{
	const char *text, *name;
	int err;

	switch (nlh->nlmsg_type & 0xff) {
	case NFT_MSG_NEWCHAIN:
		return read_chain(i, nlh);
	case NFT_MSG_NEWSET:
		find(i, name_in(attr_text(attr_of(nlh, NFTA_SET_NAME)), SET_PREFIX), &err);
		return err;
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

int interface_addresses(struct link *l, struct buf *b, enum family f, struct interfaces *all,
			const struct interface *i)
{
	struct reader r = {.out = all, .family = f};
	char text[INTERFACE_NAME_MAX];

	if (!i->told || !i->there)
		return 0;
	buf_reset(b);
	interface_set(text, i->name);
	ask_elements(b, f, NLM_F_DUMP, text);
	return ask_nothing_is_no_error(link_dump(l, b, read_answer, &r));
}

/* Each has as many rules in the chains that they share. Others' count as well,
 * and then it is looked at closely. */
bool interface_in_doubt(const struct interfaces *all, const struct interface *i)
{
	uint32_t n = all->use[INTERFACE_AT] - shared[INTERFACE_AT].references;
	bool agree = true;

	for (enum interface_place p = INTERFACE_AT; p < INTERFACE_PLACES; p++)
		agree &= all->use[p] == n * rules_in[p] + shared[p].references;
	return i->there && !(i->whole && agree);
}

struct rule_reader {
	struct interfaces *out;
	enum interface_place place;
	bool others;
};

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct comment comment = read_comment(attr_of(nlh, NFTA_RULE_USERDATA));
	char name[MASQ_INTERFACE_MAX];
	struct rule_reader *r = arg;
	struct interface *i;

	if (!parse_comment(name, comment.text, comment.len)) {
		r->others = true;
		return 0;
	}
	i = interfaces_put(r->out, name);
	if (!i)
		return -ENOMEM;
	if (i->n_rules < INTERFACE_RULES) {
		i->rules[i->n_rules].place = r->place;
		i->rules[i->n_rules++].handle = attr_be64(attr_of(nlh, NFTA_RULE_HANDLE));
	}
	return 0;
}

static int load_rules(struct link *l, struct buf *b, enum family f, const char *chain,
		      struct rule_reader *r)
{
	ask_rules(b, f, chain);
	return ask_nothing_is_no_error(link_dump(l, b, read_rule, r));
}

int interfaces_load(struct link *l, struct buf *b, enum family f, struct interfaces *i)
{
	int err = 0;

	if (i->all)
		return 0;
	for (enum interface_place p = INTERFACE_AT; !err && p < INTERFACE_PLACES; p++)
		err = load_rules(l, b, f, shared[p].name,
				 &(struct rule_reader){.out = i, .place = p});
	i->all = !err;
	return err;
}

int interface_load(struct link *l, struct buf *b, enum family f, struct interfaces *all, size_t i)
{
	struct rule_reader r = {.out = all, .place = INTERFACE_LOOKS_UP};
	uint32_t n[INTERFACE_PLACES] = {0};
	char chain[INTERFACE_NAME_MAX];
	struct interface *found;
	int err;

	interface_chain(chain, all->v[i].name);
	err = load_rules(l, b, f, chain, &r);
	if (err)
		return err;
	found = &all->v[i];
	found->others = r.others;
	for (size_t k = 0; k < found->n_rules; k++)
		n[found->rules[k].place]++;
	found->whole = !memcmp(n, rules_in, sizeof(n));
	return 0;
}

static void delete_rules(struct batch *b, const struct interface *i)
{
	char own[INTERFACE_NAME_MAX];

	interface_chain(own, i->name);
	for (size_t k = 0; k < i->n_rules; k++) {
		const char *chain = shared[i->rules[k].place].name;

		b->ops->rule_del(b, chain ? chain : own, i->rules[k].handle);
	}
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

/* What comes in by it for an address of its own shows that; by another one,
 * that the address is none of it. */
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
	char chain[INTERFACE_NAME_MAX], buf[MAP_NAME_MAX];
	struct rule to = {.chain = CHAIN_AT, .comment = comment};

	interface_chain(chain, name);
	b->ops->chain_add(b, chain, NULL);
	for (enum map m = MAP_FIXED; m < MAP_COUNT; m++) {
		const struct map_def *def = &map_defs[m];
		struct rule r = {.chain = chain, .comment = comment};
		const char *map = map_name(buf, m, name);

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
		if (is_of(&present->v[k], i->name) && !addresses_have(known, &present->v[k]))
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
