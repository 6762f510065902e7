// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_tables.h>

#include "ask.h"
#include "entries.h"
#include "skeleton.h"
#include "switches.h"

bool switches_change(const struct state *st)
{
	const struct table *t = &st->table;

	for (size_t i = 0; i < t->n_entries; i++)
		if (t->entries[i].forward.kind == MASQ_REACH &&
		    (t->entries[i].gone || t->entries[i].again ||
		     !state_of_entry(st, &t->entries[i])->handle))
			return true;
	return t->flushed[MASQ_REACH];
}

/* More refers to a chain than the rules of the skeleton: its own rules, or
 * those of others, who are told apart when the entries are loaded. */
static int see_chain(const struct nlmsghdr *nlh, void *arg)
{
	const char *name = attr_text(attr_of(nlh, NFTA_CHAIN_NAME));
	bool *any = arg;

	for (size_t i = 0; i < SKELETON_CHAINS; i++)
		if (!strcmp(name, skeleton_chains[i].name))
			*any |= attr_be32(attr_of(nlh, NFTA_CHAIN_USE)) !=
				skeleton_chains[i].references;
	return 0;
}

int switches_look(struct link *l, struct buf *b, bool *any)
{
	*any = false;
	buf_reset(b);
	ask_chain(b, FAMILY_IPV4, CHAIN_INSIDE);
	ask_chain(b, FAMILY_IPV4, CHAIN_OWN);
	return ask_nothing_is_no_error(link_get(l, b, see_chain, any));
}

struct reader {
	enum family family;
	const char *chain;
	uint64_t *handles;
	size_t n;
};

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct comment comment = read_comment(attr_of(nlh, NFTA_RULE_USERDATA));
	struct masq_command forward;
	struct reader *r = arg;

	if (r->n < SWITCH_COPIES &&
	    entry_parse(&forward, r->family, r->chain, comment.text, comment.len))
		r->handles[r->n++] = attr_be64(attr_of(nlh, NFTA_RULE_HANDLE));
	return 0;
}

int switches_load(struct link *l, struct buf *b, enum family f, struct switches *out)
{
	struct reader inside = {f, CHAIN_INSIDE, out->inside, 0}, own = {f, CHAIN_OWN, out->own, 0};
	int err;

	ask_rules(b, f, CHAIN_INSIDE);
	err = ask_nothing_is_no_error(link_dump(l, b, read_rule, &inside));
	if (err)
		return err;
	ask_rules(b, f, CHAIN_OWN);
	return ask_nothing_is_no_error(link_dump(l, b, read_rule, &own));
}

static const struct masq_command *find(const struct table *t, enum masq_form form)
{
	for (size_t i = 0; i < t->n_entries; i++)
		if (!t->entries[i].gone && t->entries[i].forward.form == form)
			return &t->entries[i].forward;
	return NULL;
}

static void write_one(struct batch *b, const struct masq_command *wanted, const char *chain,
		      const uint64_t *handles)
{
	if (wanted && !*handles)
		entry_write_switch(b, wanted);
	for (size_t i = wanted ? 1 : 0; i < SWITCH_COPIES && handles[i]; i++)
		b->ops->rule_del(b, chain, handles[i]);
}

void switches_write(struct batch *b, const struct state *st, const struct switches *s)
{
	write_one(b, find(&st->table, MASQ_INSIDE), CHAIN_INSIDE, s->inside);
	write_one(b, find(&st->table, MASQ_OWN), CHAIN_OWN, s->own);
}
