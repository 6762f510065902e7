// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The nft transport: load what the commands name, apply them to the model,
 * write the difference as one batch that the kernel takes only if nobody
 * changed anything meanwhile; else start over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "conntrack.h"
#include "cut.h"
#include "entries.h"
#include "fail.h"
#include "foreign.h"
#include "helpers.h"
#include "listing.h"
#include "load.h"
#include "load_entries.h"
#include "plan.h"
#include "stale.h"
#include "standing.h"
#include "transport.h"
#include "turn.h"

struct nft {
	struct link *link;
	struct buf query, batch;
	struct turn turn;
	struct state state;
	struct plan plan[FAMILY_COUNT];
	bool unlabelled;          /* the kernel has no labels of connections */
	enum family at;           /* the one that was read or planned last */
	struct commands commands; /* of the open transaction */
	/* whose helper the kernel has not, where the commit failed for that */
	const struct service *lacking;
};

static void forget(struct nft *n)
{
	state_free(&n->state);
	n->lacking = NULL;
	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		inventory_free(&n->plan[f].inventory);
		fars_free(&n->plan[f].far_before);
		fars_free(&n->plan[f].far);
		n->plan[f] = (struct plan){0};
	}
}

static int nft_open(struct masq *m)
{
	struct nft *n = calloc(1, sizeof(*n));
	int err;

	m->priv = n;
	if (!n)
		return fail_to_read(&m->error, FAMILY_IPV4, -ENOMEM);
	n->turn.lock = -1;
	err = link_open(&n->link);
	if (!err)
		err = buf_init(&n->query);
	if (!err)
		err = buf_init(&n->batch);
	if (!err)
		err = turn_open(&n->turn, n->link);
	switch (-err) {
	case EPROTONOSUPPORT: /* no such netlink family */
	case EAFNOSUPPORT:
	case EINVAL: /* nobody behind the subsystem */
	case EOPNOTSUPP:
		return fail(&m->error, EPROTONOSUPPORT,
			    "this kernel has neither masquerading modules nor nf_tables "
			    "(CONFIG_NF_TABLES)");
	case EINTR: /* here, nothing has been read that others could have changed */
		return fail(&m->error, EINTR, "cannot read nf_tables: %s", strerror(EINTR));
	default:
		return fail_to_read(&m->error, FAMILY_IPV4, err);
	}
}

static void nft_close(struct masq *m)
{
	struct nft *n = m->priv;

	if (!n)
		return;
	turn_end(&n->turn);
	forget(n);
	buf_free(&n->query);
	buf_free(&n->batch);
	link_close(n->link);
	commands_free(&n->commands);
	free(n);
}

/* An empty picture of the present generation. */
static int start_over(struct nft *n)
{
	int err = turn_again(&n->turn);

	forget(n);
	n->state.table.next_born = (uint64_t)n->turn.genid << 32;
	return err;
}

static int nft_begin(struct masq *m)
{
	struct nft *n = m->priv;
	int err = turn_begin(&n->turn, !m->dry);

	commands_free(&n->commands);
	forget(n);
	n->state.table.next_born = (uint64_t)n->turn.genid << 32;
	if (err)
		turn_end(&n->turn);
	return fail_to_read(&m->error, FAMILY_IPV4, err);
}

static void nft_abort(struct masq *m)
{
	struct nft *n = m->priv;

	commands_free(&n->commands);
	turn_end(&n->turn);
	forget(n);
}

/* All of a family and a set of kinds. */
static int load_kinds(struct nft *n, enum family f, unsigned int wanted)
{
	unsigned int services = 0, entries = 0, missing = wanted & ~n->state.complete[f];
	int err = 0;

	n->at = f;
	for (const struct kind *const *k = kinds; *k; k++)
		*(kind_has_maps((*k)->id) ? &services : &entries) |= missing & MASQ_KIND((*k)->id);
	if (services)
		err = load_services(n->link, &n->query, f, &n->state, services);
	if (!err && entries)
		err = load_entries(n->link, &n->query, f, &n->state, entries);
	if (!err)
		n->state.complete[f] |= wanted;
	return err;
}

/* The same, each service once: for whoever looks them up. A listing sees it
 * when it puts them in order, and needs no index. */
static int load_unique(struct nft *n, enum family f, unsigned int wanted)
{
	int err = load_kinds(n, f, wanted);

	return err || table_unique(&n->state.table) ? err : -EINTR;
}

/* The families that all of a kind is meant of. */
static bool names_family(const struct key *key, enum family f)
{
	return key->local.family == AF_UNSPEC || key_family(key) == f;
}

/* The services of a family with these keys; or all of the kind. */
static int load_keys(struct nft *n, enum family f, enum masq_kind kind, const struct key *keys,
		     size_t count)
{
	bool all;
	int err = load_all_is_less(n->link, &n->query, f, kind, count, &all);

	n->at = f;
	if (err || all)
		return err ? err : load_unique(n, f, MASQ_KIND(kind));
	return load_named(n->link, &n->query, f, &n->state, keys, count);
}

/* The services that the parts of a command name, but for those that are in the
 * table. */
static int load_parts(struct nft *n, const struct masq_command *c)
{
	struct table *t = &n->state.table;
	struct masq_command part;
	struct key *keys, key;
	uint32_t parts = 0;
	bool complete = true;
	int err = 0;

	for (enum family f = 0; f < FAMILY_COUNT; f++)
		complete &= (n->state.complete[f] & MASQ_KIND(c->kind)) != 0;
	if (complete)
		return 0;
	while (kind_part(&part, c, parts))
		parts++;
	keys = reallocarray(NULL, parts, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (enum family f = 0; !err && f < FAMILY_COUNT; f++) {
		size_t count = 0;

		if (n->state.complete[f] & MASQ_KIND(c->kind))
			continue;
		for (uint32_t i = 0; kind_part(&part, c, i); i++)
			if (kind_scope(&part, &key) == SCOPE_ONE && key_family(&key) == f &&
			    !table_get(t, &key))
				keys[count++] = key;
		if (count && c->verb == MASQ_ADD)
			helpers_need(&n->state, f, c);
		if (count)
			err = load_keys(n, f, c->kind, keys, count);
	}
	free(keys);
	return err;
}

/* Loads what a command needs and applies it. */
static int apply(struct nft *n, const struct masq_command *c)
{
	struct table *t = &n->state.table;
	struct key key;
	int err = 0;

	switch (kind_scope(c, &key)) {
	case SCOPE_NONE:
		break;
	case SCOPE_ONE:
		err = load_parts(n, c);
		break;
	case SCOPE_KIND:
		for (enum family f = 0; !err && f < FAMILY_COUNT; f++)
			if (names_family(&key, f))
				err = load_unique(n, f, MASQ_KIND(c->kind));
		break;
	}
	if (!err)
		err = kind_apply(t, c);
	return err ? err : state_fit_entries(&n->state);
}

/* Applies all commands to a fresh picture; *failed is the one that was refused,
 * their number if none. */
static int apply_all(struct nft *n, size_t *failed)
{
	int err = start_over(n);

	*failed = n->commands.n;
	for (size_t i = 0; !err && i < n->commands.n; i++) {
		err = apply(n, commands_nth(&n->commands, i));
		if (err)
			*failed = i;
	}
	return err;
}

/* A refusal counts only if the picture it is based on was of one generation;
 * what the system lacks, another picture lacks as well. */
static bool refused_for_good(struct nft *n, int err)
{
	if (err == -EPERM || err == -ENOBUFS || err == -ENOMEM)
		return true;
	return err != -EINTR && turn_up_to_date(&n->turn) == 1;
}

/* Reading failed: where a map of our name is of another type, that one is
 * named. */
static int fail_to_load(struct masq *m, int err)
{
	struct nft *n = m->priv;
	char map[64];

	if (err == -EBADMSG && !foreign_find_map(n->link, &n->query, n->at, map) && *map)
		return fail_by_map(&m->error, n->at, map);
	return fail_to_read(&m->error, n->at, err);
}

static int refuse(struct masq *m, const struct nft *n, size_t failed, int err)
{
	if (failed < n->commands.n && (err == -ESRCH || err == -EDESTADDRREQ || err == -EOVERFLOW))
		return kind_fail(&m->error, commands_nth(&n->commands, failed), err);
	return fail_to_load(m, err);
}

/* The kernel cannot tie a single port to a control connection: whoever asked
 * for that would get a port that is open to everyone. */
static int check_possible(struct masq *m, struct masq_command *c)
{
	if (c->kind != MASQ_AUTOFW || c->form != MASQ_PORT || !(c->has & MASQ_HAS_TRIGGER))
		return 0;
	if (c->verb == MASQ_ADD)
		return fail(&m->error, EOPNOTSUPP,
			    "nf_tables cannot tie port %u to a control connection: leave -c out "
			    "and it is open to everyone, or give a range with -r and -c",
			    c->ports.first);
	/* entries of that kind were added by version 0.5.0 */
	entry_drop_control(c);
	return 0;
}

static int nft_command(struct masq *m, const struct masq_command *given)
{
	struct masq_command c = *given;
	struct nft *n = m->priv;
	size_t failed;
	int err = check_possible(m, &c);

	if (err)
		return err;
	err = commands_add(&n->commands, &c);
	if (err)
		return fail_to_read(&m->error, FAMILY_IPV4, err);
	failed = n->commands.n - 1;
	err = apply(n, &c);
	for (int try = 1; err && !refused_for_good(n, err) && try < FAIL_TRIES; try++) {
		turn_pause(&n->turn, try);
		err = apply_all(n, &failed);
	}
	return err ? refuse(m, n, failed, err) : 0;
}

/* Whether forwards of a family remain that were not looked at. */
static int look_for_others(struct nft *n, enum family f, bool *remain)
{
	int err = 0;

	*remain = plan_remains(&n->state, f);
	for (int map = 1; !err && !*remain && map < MAP_FIXED; map++)
		if (!(n->state.complete[f] & MASQ_KIND(map_defs[map].kind)))
			err = load_remains(n->link, &n->query, f, &n->state, (enum map)map, "",
					   remain);
	if (!err && !*remain && !(n->state.complete[f] & MASQ_KIND(MASQ_PORTFW)))
		err = load_unique(n, f, MASQ_KIND(MASQ_PORTFW)); /* those on interfaces */
	if (err || *remain)
		return err;
	for (const struct kind *const *k = kinds; !err && *k; k++)
		if (!kind_has_maps((*k)->id))
			err = load_unique(n, f, MASQ_KIND((*k)->id));
	*remain = plan_remains(&n->state, f);
	return err;
}

/* Before the chains that refer to maps are emptied. -ECANCELED: others' rules
 * stand in them. What was there when the kernel answered before is settled: the
 * generation is the same. */
static int check_rules(struct nft *n, enum family f, struct error *e)
{
	bool table = n->state.standing[f].table;
	char chain[64];
	int err = table ? foreign_find_rule(n->link, &n->query, f, chain) : 0;

	if (err || !table || !*chain)
		return err;
	fail_by_rule(e, f, chain);
	return -ECANCELED;
}

/* The present networks. Where nobody is there to ask, what is known of them
 * stays. */
static int look_at_networks(struct nft *n, enum family f)
{
	const struct standing *standing = &n->state.standing[f];
	struct plan *plan = &n->plan[f];
	int err = state_read_addresses(&n->state, f);

	if (err || !n->state.present_known[f])
		return err;
	err = fars_of(&plan->far, &n->state.present[f]);
	if (!err && standing->table)
		err = fars_load(n->link, &n->query, f, &plan->far_before);
	return err;
}

/* Asks what was not asked of an interface. */
static int look_at_interface(struct nft *n, enum family f, struct interface *i)
{
	const struct standing *standing = &n->state.standing[f];
	struct interfaces *all = &n->state.interfaces[f];
	int err = state_read_addresses(&n->state, f);

	if (err || !standing->table)
		return err;
	if (!i->asked) {
		buf_reset(&n->query);
		interface_ask(&n->query, f, all, i, &n->state.present[f]);
		err = interfaces_ask(n->link, &n->query, f, all);
	}
	return err ? err : interface_addresses(n->link, &n->query, f, all, i);
}

static bool named_here(const struct service *s, enum family f)
{
	return s->dirty && s->key.at && key_family(&s->key) == f;
}

/* Whether a service remains on an interface, or an element of others'. */
static int look_for_remains(struct nft *n, enum family f, const char *name, bool *remain)
{
	const struct table *t = &n->state.table;
	int err = 0;

	*remain = false;
	for (size_t i = 0; !*remain && i < t->n; i++)
		*remain = t->services[i].n && key_family(&t->services[i].key) == f &&
			  !strcmp(key_interface(&t->services[i].key), name);
	for (enum map map = MAP_FIXED; !err && !*remain && map < MAP_COUNT; map++)
		err = load_remains(n->link, &n->query, f, &n->state, map, name, remain);
	return err;
}

/* At the rules of interfaces that lack some, or go. Asking for them may find
 * more interfaces. */
static int look_closely(struct nft *n, enum family f)
{
	struct interfaces *all = &n->state.interfaces[f];
	int err = interfaces_load(n->link, &n->query, f, all);

	for (size_t i = 0; !err && i < all->n; i++) {
		struct interface *at = &all->v[i];

		if (at->unused || (at->asked && interface_in_doubt(all, at)))
			err = interface_load(n->link, &n->query, f, all, i);
		at->unused &= !at->others && (at->there || at->n_rules);
	}
	return err;
}

/* The interfaces that services come to or go from. */
static int look_at_interfaces(struct nft *n, enum family f)
{
	struct interfaces *all = &n->state.interfaces[f];
	const struct table *t = &n->state.table;
	bool closely = false;
	int err = 0;

	for (size_t i = 0; !err && i < t->n; i++)
		if (named_here(&t->services[i], f) &&
		    !interfaces_put(all, key_interface(&t->services[i].key)))
			err = -ENOMEM;
	for (size_t i = 0; !err && i < all->n; i++) {
		bool remain = true;

		if (plan_needs_interface(&n->state, f, all->v[i].name)) {
			err = look_at_interface(n, f, &all->v[i]);
			closely |= interface_in_doubt(all, &all->v[i]);
			continue;
		}
		if (plan_removes(&n->state, f))
			err = look_for_remains(n, f, all->v[i].name, &remain);
		all->v[i].unused = !remain;
		closely |= !remain;
	}
	addresses_sort(&all->known);
	return err || !closely || !n->state.standing[f].table ? err : look_closely(n, f);
}

/* What the model does not know of a family: what stands, whether others remain,
 * and who needs us. */
static int look_around(struct nft *n, enum family f, struct error *e)
{
	struct standing *standing = &n->state.standing[f];
	struct plan *plan = &n->plan[f];
	bool adds = plan_adds(&n->state, f), remain = true;
	int err = standing_load(n->link, &n->query, f, standing);

	if (!err && adds && !standing->table && !family_is_there(f))
		return fail_by_family(e, f);
	if (!err && adds &&
	    (fail_by_standing(e, f, standing) || helpers_check_families(e, &n->state, &n->lacking)))
		return -ECANCELED;
	plan->empty = !adds;
	if (!err && adds)
		err = look_at_networks(n, f);
	if (!err)
		err = look_at_interfaces(n, f);
	if (err || !standing->table) /* then there is nothing else, either */
		return err;
	err = load_places(n->link, &n->query, f, &n->state);
	if (!err && plan_removes(&n->state, f))
		err = look_for_others(n, f, &remain);
	plan->empty = !remain && !adds;
	if (!err && plan->empty)
		err = inventory_load(n->link, &n->query, f, &n->state, &plan->inventory);
	if (!err && plan->empty && !plan->inventory.keep)
		err = conntrack_needs_us(n->link, &n->query, f, &plan->inventory.keep);
	if (!err && !plan->empty && plan_converts(&n->state, f))
		err = load_unique(n, f, (1u << kind_count()) - 1);
	if (!err && !plan->empty && plan_mends(&n->state, f))
		err = check_rules(n, f, e);
	if (!err && (!plan->empty || plan->inventory.keep))
		err = helpers_load(n->link, &n->query, f, &n->state, plan->unused);
	return err;
}

/* The table of IPv6 has copies of the switches, which are written with it. */
static int look_at_switches(struct nft *n)
{
	struct standing *standing = &n->state.standing[FAMILY_IPV6];
	struct plan *plan = &n->plan[FAMILY_IPV6];
	bool change = switches_change(&n->state), made = plan_mends(&n->state, FAMILY_IPV6);
	bool any = false;
	int err = 0;

	if (!change && !made)
		return 0;
	if (!change)
		err = switches_look(n->link, &n->query, &any);
	if (!err && any)
		err = load_kinds(n, FAMILY_IPV4, MASQ_KIND(MASQ_REACH));
	n->at = FAMILY_IPV6;
	if (!err && change)
		err = standing_load(n->link, &n->query, FAMILY_IPV6, standing);
	if (!err && standing->table)
		err = switches_load(n->link, &n->query, FAMILY_IPV6, &plan->switches);
	plan->switches.known = standing->table || made;
	return err;
}

/* At each family that changes. */
static int look_at_all(struct nft *n, struct error *e)
{
	int err = 0;

	for (enum family f = 0; !err && f < FAMILY_COUNT; f++) {
		n->at = f;
		if (plan_adds(&n->state, f) || plan_removes(&n->state, f))
			err = look_around(n, f, e);
	}
	return err ? err : look_at_switches(n);
}

/* Sends the difference, if there is one. -ERESTART: start over; -ENFILE: a map
 * is full. */
static int send_batch(struct nft *n, struct link_error *error)
{
	struct batch_netlink b;
	int err;

	buf_reset(&n->batch);
	buf_begin_batch(&n->batch, n->turn.genid);
	batch_netlink_init(&b, &n->batch);
	b.batch.unlabelled = n->unlabelled;
	err = plan_write(&b.batch, &n->state, n->plan);
	if (!err)
		err = batch_netlink_end(&b);
	*error = (struct link_error){.err = -err};
	if (!err && !b.begun && turn_up_to_date(&n->turn) != 1)
		err = -EINTR; /* nothing to do, by a picture that is none */
	if (err || !b.begun)
		return err;
	buf_end_batch(&n->batch);
	err = link_commit(n->link, &n->batch, error);
	for (int try = 1; err == -ERESTART && n->turn.watching && try < FAIL_TRIES &&
			  turn_up_to_date(&n->turn) == 1;
	     try++) {
		buf_move_batch(&n->batch, n->turn.genid);
		err = link_commit(n->link, &n->batch, error);
	}
	return err;
}

static int grow(struct nft *n, struct error *e, enum family f, enum map map)
{
	int err = check_rules(n, f, e);

	n->plan[f].grow[map] = true;
	return err ? err : load_unique(n, f, MASQ_KIND(map_defs[map].kind));
}

/* Somebody's rule refers to what is ours: then it stays, without forwards. */
static bool leave_skeleton(struct nft *n, int err)
{
	bool left = false;

	for (enum family f = 0; err == -EBUSY && f < FAMILY_COUNT; f++) {
		struct interfaces *all = &n->state.interfaces[f];
		struct plan *plan = &n->plan[f];

		if (plan->empty && !plan->inventory.keep && plan->inventory.foreign)
			plan->inventory.keep = left = true;
		for (size_t i = 0; i < all->n; i++) {
			left |= all->v[i].unused;
			all->v[i].unused = false;
		}
	}
	return left;
}

static int commit_once(struct nft *n, struct error *e, struct link_error *error)
{
	int err = look_at_all(n, e);

	*error = (struct link_error){0};
	if (err)
		return err;
	err = helpers_check(e, n->link, &n->batch, &n->state, true, &n->lacking);
	if (!err)
		err = send_batch(n, error);
	if (err == -EOPNOTSUPP && !n->unlabelled && fail_is_label(error)) {
		n->unlabelled = true;
		err = send_batch(n, error);
	}
	if (leave_skeleton(n, err))
		err = send_batch(n, error);
	/* each may be full */
	for (int i = 1; err == -ENFILE && i < FAMILY_COUNT * MAP_COUNT; i++) {
		enum family f;
		enum map full = fail_map(error, &f);

		if (full == MAP_NONE || n->plan[f].grow[full])
			break;
		*error = (struct link_error){0};
		err = grow(n, e, f, full);
		if (!err)
			err = send_batch(n, error);
	}
	return err;
}

/* What the kernel says of a map that is full, a dry run has to find out. */
static int make_room(struct nft *n, enum family f, struct error *e)
{
	struct plan *plan = &n->plan[f];
	uint32_t sizes[MAP_COUNT];
	unsigned int wanted = 0;
	int err;

	if (plan->empty || !n->state.standing[f].table || !plan_adds(&n->state, f))
		return 0;
	n->at = f;
	for (int map = 1; map < MAP_FIXED; map++)
		wanted |= MASQ_KIND(map_defs[map].kind);
	err = load_unique(n, f, wanted);
	plan_sizes(sizes, &n->state, f);
	for (int map = 1; !err && map < MAP_FIXED; map++) {
		uint32_t size = 0;

		err = load_map_size(n->link, &n->query, f, (enum map)map, &size);
		plan->grow[map] = size && sizes[map] > size;
		if (!err && plan->grow[map])
			err = check_rules(n, f, e);
	}
	return err;
}

static int dry_run(struct nft *n, struct error *e, FILE *out)
{
	struct batch_text b;
	int err = look_at_all(n, e);

	if (!err)
		err = helpers_check(e, n->link, &n->query, &n->state, false, &n->lacking);
	for (enum family f = 0; !err && f < FAMILY_COUNT; f++)
		err = make_room(n, f, e);
	if (err)
		return err;
	err = turn_up_to_date(&n->turn);
	if (err != 1)
		return err ? err : -EINTR;
	batch_text_init(&b, out);
	return plan_write(&b.batch, &n->state, n->plan);
}

static int attempt(struct masq *m, struct link_error *error)
{
	*error = (struct link_error){0};
	return m->dry ? dry_run(m->priv, &m->error, m->dry)
		      : commit_once(m->priv, &m->error, error);
}

/* The error of masq_commit(): the text, where it is not set yet. */
static int commit_failed(struct masq *m, int err, const struct link_error *error)
{
	if (err == -ECANCELED) /* look_around() has said why */
		return -EBUSY;
	if (err == -EAFNOSUPPORT && !error->err) /* the same */
		return err;
	if (err == -ERESTART || err == -EINTR || !error->err)
		return fail_to_load(m, err);
	return fail_to_commit(&m->error, error);
}

/* Before anything is changed. */
static int check_cut(struct masq *m)
{
	struct nft *n = m->priv;
	int err = m->cut && !m->dry && cut_concerns(&n->state.table)
			  ? cut_possible(n->link, &n->query)
			  : 0;

	return !err ? 0
		    : fail(&m->error, EOPNOTSUPP,
			   "running connections cannot be ended, this kernel does not tell of them "
			   "(CONFIG_NF_CT_NETLINK): %s; leave --cut out",
			   strerror(-err));
}

/* What stayed for the sake of connections that are over now; where that fails,
 * the next delete does it. */
static void tidy_up(struct nft *n)
{
	struct link_error error;
	struct error ignored;
	int err = -EINTR;

	commands_free(&n->commands);
	for (int try = 1; (err == -ERESTART || err == -EINTR) && try < FAIL_TRIES; try++) {
		turn_pause(&n->turn, try);
		err = start_over(n);
		n->state.table.flushed[MASQ_PORTFW] = true; /* of nothing that was loaded */
		if (!err)
			err = commit_once(n, &ignored, &error);
	}
}

static int cut(struct masq *m)
{
	struct nft *n = m->priv;
	bool stays = false;
	int err;

	if (!m->cut || !cut_concerns(&n->state.table))
		return 0;
	if (m->dry) {
		fputs("# and end the running connections to these forwards whose target is no "
		      "longer theirs\n",
		      m->dry);
		return 0;
	}
	err = cut_connections(n->link, &n->query, &n->state);
	for (enum family f = 0; !err && f < FAMILY_COUNT; f++)
		stays |= n->plan[f].empty && n->plan[f].inventory.keep;
	if (!err && stays)
		tidy_up(n);
	return !err ? 0
		    : fail(&m->error, -err,
			   "the forwards are changed, but running connections could not be ended: "
			   "%s; give the command again, or use conntrack -D",
			   strerror(-err));
}

/* The command that gave a service its helper, whatever its target; -1: none, it
 * had it. */
static int helper_command(const struct nft *n, const struct service *s)
{
	const struct kind *k = kinds[s->key.kind];
	struct masq_command forward;

	k->forward_of(&forward, s, service_target(s, 0));
	for (size_t i = n->commands.n; i--;) {
		struct masq_command c = *commands_nth(&n->commands, i);
		bool one = c.has & MASQ_HAS_TARGET; /* then 0.0.0.0 is no other address */

		if (c.kind != k->id || c.verb != MASQ_ADD || strcmp(c.helper, forward.helper) != 0)
			continue;
		if (one && (strcmp(c.interface, forward.interface) != 0 ||
			    (!*c.interface && !address_equal(&c.local, &forward.local))))
			continue;
		c.has &= ~(MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS);
		if (k->matches(&c, &forward))
			return (int)i;
	}
	return -1;
}

static int nft_commit(struct masq *m, int *failed)
{
	struct link_error error = {0};
	struct nft *n = m->priv;
	size_t index = n->commands.n;
	int err = 0;

	if (check_cut(m)) {
		nft_abort(m);
		return -EOPNOTSUPP;
	}
	if (plan_changes(&n->state))
		err = attempt(m, &error);
	for (int try = 1; (err == -ERESTART || err == -EINTR) && try < FAIL_TRIES; try++) {
		turn_pause(&n->turn, try);
		error = (struct link_error){0};
		err = apply_all(n, &index);
		if (err && refused_for_good(n, err))
			break;
		index = n->commands.n;
		if (err)
			err = -ERESTART;
		else if (plan_changes(&n->state))
			err = attempt(m, &error);
	}
	if (err && index < n->commands.n) {
		*failed = (int)index;
		err = refuse(m, n, index, err);
	} else if (err) {
		if (err == -ECANCELED && n->lacking)
			*failed = helper_command(n, n->lacking);
		err = commit_failed(m, err, &error);
	} else {
		if (!m->dry)
			stale_forget(n->link, &n->query, &n->state);
		err = cut(m);
	}
	nft_abort(m);
	return err;
}

static int gather_entries(struct nft *n, struct records *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < n->state.table.n_entries; i++) {
		const struct entry *e = &n->state.table.entries[i];

		err = records_add(out, &e->forward,
				  &(struct masq_record){.has = kinds[e->forward.kind]->says_no
								       ? 0
								       : MASQ_HAS_SERVED,
							.served = e->served});
		if (!err && entry_is_triggered(&e->forward))
			err = load_receivers(n->link, &n->query, &e->forward, out);
	}
	return err;
}

/* -EINTR: it changed meanwhile, and what was read may never have been there
 * together. */
static int read_once(struct nft *n, unsigned int wanted, const struct masq_command *only,
		     struct listing *l)
{
	struct key key = {0};
	bool named;
	int err = start_over(n);

	n->state.listed = true;
	listing_free(l);
	named = only && kind_scope(only, &key) == SCOPE_ONE;
	if (!err && named)
		err = load_parts(n, only);
	for (enum family f = 0; !err && !named && f < FAMILY_COUNT; f++)
		if (names_family(&key, f))
			err = load_kinds(n, f, wanted);
	if (!err)
		err = listing_rank(l, &n->state.table);
	if (!err)
		err = gather_entries(n, &l->entries);
	if (err)
		return err;
	err = turn_up_to_date(&n->turn);
	return err ? (err < 0 ? err : 0) : -EINTR;
}

static int tell(const struct listing *l, const struct table *t, unsigned int wanted,
		masq_record_fn *fn, void *arg)
{
	int err = 0;

	for (const struct kind *const *k = kinds; !err && *k; k++) {
		if (!(wanted & MASQ_KIND((*k)->id)))
			continue;
		err = kind_has_maps((*k)->id) ? listing_tell(l, t, (*k)->id, fn, arg)
					      : listing_tell_entries(l, (*k)->id, fn, arg);
	}
	return err;
}

static int nft_list(struct masq *m, unsigned int wanted, const struct masq_command *only,
		    masq_record_fn *fn, void *arg)
{
	struct listing listing = {0};
	struct nft *n = m->priv;
	struct table table;
	int err = read_once(n, wanted, only, &listing);

	for (int try = 1; err == -EINTR && try < FAIL_TRIES; try++) {
		turn_pause(&n->turn, try);
		err = read_once(n, wanted, only, &listing);
	}
	turn_end(&n->turn);
	/* what fn does with the handle must not touch what it is told */
	table = n->state.table;
	n->state.table = (struct table){0};
	err = err ? fail_to_load(m, err) : tell(&listing, &table, wanted, fn, arg);
	listing_free(&listing);
	table_free(&table);
	return err;
}

const struct transport transport_nft = {
	.name = "nft",
	.atomic = true,
	.open = nft_open,
	.close = nft_close,
	.begin = nft_begin,
	.command = nft_command,
	.commit = nft_commit,
	.abort = nft_abort,
	.list = nft_list,
};
