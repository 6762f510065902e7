// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "ask.h"
#include "entries.h"
#include "foreign.h"
#include "inventory.h"
#include "pool.h"

void inventory_free(struct inventory *i)
{
	free(i->chains);
	free(i->maps);
	free(i->verdicts);
	*i = (struct inventory){0};
}

static int remember(char (**list)[CHAIN_NAME_MAX], size_t *n, const char *name)
{
	char(*v)[CHAIN_NAME_MAX] = reallocarray(*list, *n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	*list = v;
	snprintf(v[(*n)++], sizeof(*v), "%s", name);
	return 0;
}

static const struct skeleton_chain *skeleton_of(const char *chain)
{
	for (size_t i = 0; i < SKELETON_CHAINS; i++)
		if (!strcmp(chain, skeleton_chains[i].name))
			return &skeleton_chains[i];
	return NULL;
}

static bool is_old(const struct standing *s, const char *chain)
{
	for (size_t i = 0; i < OLD_CHAINS; i++)
		if (s->old_chain[i] && !strcmp(chain, old_chains[i]))
			return true;
	return false;
}

struct reader {
	struct inventory *inventory;
	enum family family;
	const struct standing *standing;
	char (*others)[CHAIN_NAME_MAX]; /* chains that are not ours */
	size_t n_others;
	uint32_t rules[SKELETON_CHAINS], trigger_rules;
	enum map map;
};

/* The dumps that take an attribute for the table are few; others' tables are
 * skipped. */
static bool is_ours(const struct reader *r, const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(nlh);

	/* in all of these messages the table's name is attribute 1 */
	return gen->nfgen_family == family_defs[r->family].number &&
	       attr_is(attr_of(nlh, NFTA_CHAIN_TABLE), NFT_TABLE);
}

static int read_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;
	struct inventory *i = r->inventory;
	const char *name = attr_text(attr_of(nlh, NFTA_CHAIN_NAME));
	const struct skeleton_chain *skeleton = skeleton_of(name);
	bool base = attr_of(nlh, NFTA_CHAIN_HOOK);
	bool ours = skeleton ? base == (skeleton->hook != NULL)
		    : base   ? !strcmp(name, CHAIN_TRIGGER) || !strcmp(name, CHAIN_LEARN_LEAVING) ||
				     is_old(r->standing, name)
			   : pool_owns(r->family, name) || entry_owns(name) ||
				     interface_owns_chain(name);

	if (!is_ours(r, nlh))
		return 0;
	if (!ours || !strcmp(name, r->standing->strange)) {
		i->foreign = true;
		return remember(&r->others, &r->n_others, name);
	}
	return remember(&i->chains, &i->n_chains, name);
}

static int read_set(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;
	struct inventory *i = r->inventory;
	const char *name = attr_text(attr_of(nlh, NFTA_SET_NAME));
	bool ours = entry_owns(name) || interface_owns_set(name);

	if (!is_ours(r, nlh) || attr_be32(attr_of(nlh, NFTA_SET_FLAGS)) & NFT_SET_ANONYMOUS)
		return 0;
	for (enum map map = 1; map < MAP_FIXED; map++)
		ours |= !strcmp(name, map_defs[map].name) && !foreign_map(r->family, map, nlh);
	for (size_t k = 0; k < SKELETON_SETS; k++)
		ours |= !strcmp(name, skeleton_sets[k].name) &&
			!foreign_set(r->family, &skeleton_sets[k], nlh);
	if (ours)
		return remember(&i->maps, &i->n_maps, name);
	i->foreign = true;
	return attr_be32(attr_of(nlh, NFTA_SET_DATA_TYPE)) == NFT_DATA_VERDICT
		       ? remember(&i->verdicts, &i->n_verdicts, name)
		       : 0;
}

/* Counters, quotas and the like: only helpers are ours. */
static int read_object(const struct nlmsghdr *nlh, void *arg)
{
	const struct helper_object *o = helper_named(attr_text(attr_of(nlh, NFTA_OBJ_NAME)));
	struct reader *r = arg;

	if (!is_ours(r, nlh))
		return 0;
	if (o && attr_be32(attr_of(nlh, NFTA_OBJ_TYPE)) == NFT_OBJECT_CT_HELPER)
		r->inventory->helpers[o - helper_objects] = true;
	else
		r->inventory->foreign = true;
	return 0;
}

/* Flowtables: none is ours. */
static int see_flowtable(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *r = arg;

	r->inventory->foreign |= is_ours(r, nlh);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The chains are sorted: there may be tens of thousands, and each rule asks. */
static bool is_chain_of_ours(const struct inventory *i, const char *name)
{
	return i->n_chains &&
	       bsearch(name, i->chains, i->n_chains, sizeof(*i->chains), by_name) != NULL;
}

static bool is_map_of_ours(const struct inventory *i, const char *name)
{
	for (size_t k = 0; k < i->n_maps; k++)
		if (!strcmp(i->maps[k], name))
			return true;
	return false;
}

/* Whether a rule of others' goes to our chains or looks into our maps. What an
 * anonymous map of its leads to is looked at later. */
static int refers_to_us(struct inventory *i, const struct nlattr *list)
{
	struct nlattr *expr;
	int err = 0;

	mnl_attr_for_each_nested (expr, list) {
		const struct nlattr *data = attr_in(expr, NFTA_EXPR_DATA);
		const char *name = attr_text(attr_in(expr, NFTA_EXPR_NAME)), *set = "";

		if (!strcmp(name, "lookup"))
			set = attr_text(attr_in(data, NFTA_LOOKUP_SET));
		else if (!strcmp(name, "dynset"))
			set = attr_text(attr_in(data, NFTA_DYNSET_SET_NAME));
		else if (!strcmp(name, "objref"))
			i->entangled |=
				helper_named(attr_text(attr_in(data, NFTA_OBJREF_IMM_NAME))) !=
				NULL;
		i->entangled |= is_map_of_ours(i, set);
		if (!strncmp(set, "__map", 5) && !err)
			err = remember(&i->verdicts, &i->n_verdicts, set);
		data = attr_in(attr_in(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);
		if (!strcmp(name, "immediate"))
			i->entangled |=
				is_chain_of_ours(i, attr_text(attr_in(data, NFTA_VERDICT_CHAIN)));
	}
	return err;
}

/* Whether a rule is none of those that a chain of ours has, or one too many of
 * them. */
static bool is_foreign(struct reader *r, const char *chain, const struct nlmsghdr *nlh)
{
	struct comment comment = read_comment(attr_of(nlh, NFTA_RULE_USERDATA));
	const struct skeleton_chain *skeleton = skeleton_of(chain);
	struct masq_command entry;

	if (skeleton && skeleton->rules[r->family])
		return ++r->rules[skeleton - skeleton_chains] > skeleton->rules[r->family] ||
		       foreign_rule(chain, nlh);
	if (entry_parse(&entry, r->family, chain, comment.text, comment.len))
		return false;
	if (!strcmp(chain, CHAIN_TRIGGER))
		return ++r->trigger_rules > 1 || foreign_rule(chain, nlh);
	if (interface_comment(comment.text, comment.len))
		return false;
	return skeleton || !strcmp(chain, CHAIN_LEARN_LEAVING) || interface_owns_chain(chain);
}

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	const char *chain = attr_text(attr_of(nlh, NFTA_RULE_CHAIN));
	const struct nlattr *list = attr_of(nlh, NFTA_RULE_EXPRESSIONS);
	struct reader *r = arg;
	struct inventory *i = r->inventory;

	if (is_chain_of_ours(i, chain)) {
		i->entangled |= is_foreign(r, chain, nlh);
		return 0;
	}
	return list ? refers_to_us(i, list) : 0;
}

static int look_at_chain(struct link *l, struct buf *b, struct reader *r, const char *chain)
{
	ask_rules(b, r->family, chain);
	return ask_nothing_is_no_error(link_dump(l, b, read_rule, r));
}

/*
 * Whether chains of ours have rules that are not, or others' rules refer to
 * ours. What services have is passed over: one dump of every rule would take
 * the square of their number.
 */
static int look_at_rules(struct link *l, struct buf *b, struct reader *r)
{
	int err;

	if (r->inventory->n_chains)
		qsort(r->inventory->chains, r->inventory->n_chains, sizeof(*r->inventory->chains),
		      by_name);
	err = look_at_chain(l, b, r, CHAIN_TRIGGER);
	if (!err)
		err = look_at_chain(l, b, r, CHAIN_LEARN_LEAVING);
	for (size_t k = 0; !err && k < SKELETON_CHAINS; k++)
		err = look_at_chain(l, b, r, skeleton_chains[k].name);
	for (size_t k = 0; !err && k < r->inventory->n_chains; k++)
		if (interface_owns_chain(r->inventory->chains[k]))
			err = look_at_chain(l, b, r, r->inventory->chains[k]);
	for (size_t k = 0; !err && k < r->n_others; k++)
		if (!skeleton_of(r->others[k]) && strcmp(r->others[k], CHAIN_TRIGGER) != 0 &&
		    strcmp(r->others[k], CHAIN_LEARN_LEAVING) != 0)
			err = look_at_chain(l, b, r, r->others[k]);
	return err;
}

static int see_element(const struct element *e, void *arg)
{
	struct reader *r = arg;
	struct key key;

	r->inventory->entangled |= e->key_len != parts_len(r->family, &map_defs[r->map].key) ||
				   !key_parse(&key, r->family, r->map, e->key);
	return 0;
}

static int see_elements(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, see_element, arg);
}

static int see_verdict(const struct element *e, void *arg)
{
	struct reader *r = arg;

	r->inventory->entangled |= e->chain && is_chain_of_ours(r->inventory, e->chain);
	return 0;
}

static int see_verdicts(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, see_verdict, arg);
}

static int dump_elements(struct link *l, struct buf *b, const char *map, link_fn *fn,
			 struct reader *r)
{
	buf_reset(b);
	ask_elements(b, r->family, NLM_F_DUMP, map);
	return ask_nothing_is_no_error(link_dump(l, b, fn, r));
}

static int dump_all(struct link *l, struct buf *b, uint16_t type, link_fn *fn, struct reader *r)
{
	int err;

	buf_reset(b);
	buf_msg(b, r->family, type, NLM_F_DUMP);
	err = ask_nothing_is_no_error(link_dump(l, b, fn, r));
	return err == -EOPNOTSUPP || err == -EINVAL ? 0 : err; /* a kernel without flowtables */
}

int inventory_load(struct link *l, struct buf *b, enum family f, const struct state *st,
		   struct inventory *i)
{
	struct reader r = {.inventory = i, .family = f, .standing = &st->standing[f]};
	char interface[MASQ_INTERFACE_MAX];
	int err = dump_all(l, b, NFT_MSG_GETCHAIN, read_chain, &r);

	if (!err)
		err = dump_all(l, b, NFT_MSG_GETSET, read_set, &r);
	if (!err)
		err = dump_all(l, b, NFT_MSG_GETOBJ, read_object, &r);
	if (!err)
		err = dump_all(l, b, NFT_MSG_GETFLOWTABLE, see_flowtable, &r);
	if (!err)
		err = look_at_rules(l, b, &r);
	for (size_t k = 0; !err && k < i->n_maps; k++) {
		r.map = map_named(i->maps[k], interface);
		if (r.map != MAP_NONE)
			err = dump_elements(l, b, i->maps[k], see_elements, &r);
	}
	for (size_t k = 0; !err && k < i->n_verdicts; k++)
		err = dump_elements(l, b, i->verdicts[k], see_verdicts, &r);
	free(r.others);
	i->foreign |= i->entangled;
	i->keep |= i->entangled;
	return err;
}

void inventory_remove(struct batch *b, const struct inventory *i)
{
	if (!i->foreign) {
		b->ops->table_del(b);
		return;
	}
	for (size_t k = 0; k < i->n_chains; k++)
		b->ops->chain_flush(b, i->chains[k]);
	for (size_t k = 0; k < i->n_maps; k++) /* what they refer to */
		b->ops->map_flush(b, i->maps[k]);
	for (size_t k = 0; k < i->n_maps; k++)
		b->ops->map_del(b, i->maps[k]);
	for (size_t k = 0; k < i->n_chains; k++)
		b->ops->chain_del(b, i->chains[k]);
	for (size_t k = 0; k < HELPER_OBJECTS; k++)
		if (i->helpers[k])
			b->ops->helper_del(b, &helper_objects[k]);
}
