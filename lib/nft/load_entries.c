// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_tables.h>

#include "ask.h"
#include "entries.h"
#include "kind.h"
#include "load_entries.h"

struct entry_reader {
	struct census census;
	struct state *state;
	enum family family;
	const char *chain;
};

/* The same entry, if the other one of its rules came before. */
static struct entry *find(struct table *t, const struct masq_command *f)
{
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct masq_command *other = &t->entries[i].forward;

		if (other->kind == f->kind && kinds[f->kind]->matches(other, f))
			return &t->entries[i];
	}
	return NULL;
}

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct comment comment = read_comment(attr_of(nlh, NFTA_RULE_USERDATA));
	const struct nlattr *list = attr_of(nlh, NFTA_RULE_EXPRESSIONS);
	struct entry_reader *r = arg;
	struct masq_command forward;
	struct stored_entry *stored;
	struct nlattr *expr;
	struct entry *e;
	uint64_t packets = 0, *handle;

	census_rule(&r->census, nlh);
	if (!strcmp(r->chain, CHAIN_TRIGGER) && !comment.len)
		r->state->standing[r->family].trigger = true; /* the first rule */
	if (!list || !entry_parse(&forward, r->family, r->chain, comment.text, comment.len))
		return 0;
	mnl_attr_for_each_nested (expr, list)
		read_counter(expr, &packets);
	e = find(&r->state->table, &forward);
	if (!e)
		e = table_insert_entry(&r->state->table, false, &forward);
	if (!e || state_fit_entries(r->state) < 0)
		return -ENOMEM;
	e->served += packets;
	stored = state_of_entry(r->state, e);
	handle = strcmp(r->chain, CHAIN_TRIGGER) ? &stored->handle : &stored->trigger_handle;
	if (*handle)
		return state_add_duplicate(r->state, e->id, r->chain,
					   attr_be64(attr_of(nlh, NFTA_RULE_HANDLE)));
	*handle = attr_be64(attr_of(nlh, NFTA_RULE_HANDLE));
	return 0;
}

static int load_chain(struct link *l, struct buf *b, enum family f, struct state *st,
		      const char *chain)
{
	struct entry_reader r = {.state = st, .family = f, .chain = chain};
	int err;

	ask_rules(b, f, chain);
	err = ask_nothing_is_no_error(link_dump(l, b, read_rule, &r));
	if (!err && r.census.n > CENSUS_FEW_RULES)
		err = census_rules_again(l, b, f, chain, &r.census);
	return err;
}

int load_entries(struct link *l, struct buf *b, enum family f, struct state *st,
		 unsigned int kinds_wanted)
{
	int err = 0;

	/* Chain by chain: thousands of pools may have rules, too. */
	for (size_t i = 0; !err && i < ENTRY_CHAINS; i++)
		if (kinds_wanted & MASQ_KIND(entry_chains[i].kind) &&
		    (f == FAMILY_IPV4 || entry_chains[i].kind != MASQ_REACH))
			err = load_chain(l, b, f, st, entry_chains[i].name);
	return err;
}

static int see_place(const struct nlmsghdr *nlh, void *arg)
{
	struct stored_entry *stored = arg;

	if ((nlh->nlmsg_type & 0xff) == NFT_MSG_NEWCHAIN)
		stored->chain = true;
	else
		stored->map = true;
	return 0;
}

int load_places(struct link *l, struct buf *b, enum family f, struct state *st)
{
	char name[CHAIN_NAME_MAX];
	int err = state_fit_entries(st);

	for (size_t i = 0; !err && i < st->table.n_entries; i++) {
		const struct entry *e = &st->table.entries[i];
		struct stored_entry *stored = state_of_entry(st, e);
		bool stays = (stored->handle || stored->trigger_handle) && !e->gone && !e->again;

		if (stays || !entry_is_triggered(&e->forward) || entry_family(&e->forward) != f)
			continue;
		entry_receivers_name(name, &e->forward);
		buf_reset(b);
		ask_chain(b, f, name);
		ask_set(b, f, name);
		err = ask_nothing_is_no_error(link_get(l, b, see_place, stored));
	}
	return err;
}

struct receiver_reader {
	struct records *out;
	enum family family;
	const struct masq_command *forward;
};

static int add_receiver(const struct element *e, void *arg)
{
	const struct receiver_reader *r = arg;
	struct masq_record record = {
		.has = MASQ_HAS_RECEIVER,
		.inside.family = family_defs[r->family].number,
		.seconds = (uint32_t)((e->expires + 999) / 1000),
	};

	size_t len = address_size(&record.inside);

	if (e->data_len != len)
		return -EBADMSG;
	memcpy(&record.inside.in6, e->data, len);
	if (e->key_len == len && !(r->forward->has & MASQ_ANYONE)) {
		record.outside.family = record.inside.family;
		memcpy(&record.outside.in6, e->key, len);
	}
	return records_add(r->out, r->forward, &record);
}

static int read_receivers(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, add_receiver, arg);
}

int load_receivers(struct link *l, struct buf *b, const struct masq_command *forward,
		   struct records *out)
{
	enum family f = entry_family(forward);
	struct receiver_reader r = {.out = out, .family = f, .forward = forward};
	char name[CHAIN_NAME_MAX];

	entry_receivers_name(name, forward);
	buf_reset(b);
	ask_elements(b, f, NLM_F_DUMP, name);
	return ask_nothing_is_no_error(link_dump(l, b, read_receivers, &r));
}
