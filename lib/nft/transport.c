// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The nft transport: load what the commands name, apply them to the model, store the difference as
 * one batch that the kernel takes only if nobody changed anything meanwhile; else start over.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "handle.h"
#include "nftconn.h"
#include "nftfail.h"
#include "nftload.h"
#include "nftstore.h"
#include "rank.h"

/* After so many it matters what others change. */
#define TRIES_UNWATCHED 3

/* How long a transaction waits for another of ours, in ms. */
#define LOCK_WAIT 2000

struct op {
	enum module mod;
	struct ip_masq_ctl ctl;
};

struct nft {
	struct nftlink *link;
	struct nftbuf query, batch;
	struct table table;
	uint32_t genid;
	struct op *ops; /* of the open transaction */
	size_t n, cap;
	struct store how;
	int lock; /* file descriptor, or -1 */
	bool watching;
};

/*
 * The generation id keeps everybody's changes safe; the lock only makes ours take turns, so that a
 * file of 50,000 lines is not overtaken for ever by quick commands. What is locked is the network
 * namespace itself: there is nothing to leave behind. Anybody may hold it, hence the patience has
 * an end, and whatever goes wrong is no reason to wait.
 */
static int lock_namespace(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	for (int ms = 0; fd >= 0 && ms < LOCK_WAIT && flock(fd, LOCK_EX | LOCK_NB) < 0; ms++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		nanosleep(&pause, NULL);
	}
	return fd;
}

static void end_turn(struct nft *n)
{
	if (n->lock >= 0)
		close(n->lock);
	n->lock = -1;
	if (n->watching)
		nftlink_unwatch(n->link);
	n->watching = false;
}

static void pause_before(struct nft *n, int try)
{
	struct timespec t = {0};
	long most = try < 100 ? try * 200000L : 20000000L; /* ns */

	/* without a watch it goes on as it was */
	n->watching |= try > TRIES_UNWATCHED && nftlink_watch(n->link) == 0;
	if (n->watching && n->lock < 0)
		n->lock = lock_namespace(); /* a listing takes its turn, too, when it must */
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec = most / 2 + t.tv_nsec % (most / 2 + 1);
	t.tv_sec = 0;
	nanosleep(&t, NULL);
}

static void forget(struct nft *n)
{
	table_free(&n->table);
	n->how = (struct store){0};
}

static int nft_open(struct masq *m)
{
	struct nft *n = calloc(1, sizeof(*n));
	int err;

	m->priv = n;
	if (!n)
		return nft_fail(m, -ENOMEM);
	n->lock = -1;
	err = nftlink_open(&n->link);
	if (!err)
		err = nftbuf_init(&n->query);
	if (!err)
		err = nftbuf_init(&n->batch);
	if (!err)
		err = nftlink_genid(n->link, &n->genid);
	switch (-err) {
	case EPROTONOSUPPORT: /* no such netlink family */
	case EAFNOSUPPORT:
	case EINVAL: /* nobody behind the subsystem */
	case EOPNOTSUPP:
		return masq_fail(m, EPROTONOSUPPORT,
				 "this kernel has neither masquerading modules nor nf_tables "
				 "(CONFIG_NF_TABLES)");
	default:
		return nft_fail(m, err);
	}
}

static void nft_close(struct masq *m)
{
	struct nft *n = m->priv;

	if (!n)
		return;
	end_turn(n);
	forget(n);
	nftbuf_free(&n->query);
	nftbuf_free(&n->batch);
	nftlink_close(n->link);
	free(n->ops);
	free(n);
}

/* Starts over with an empty picture of the present generation. */
static int begin_again(struct nft *n)
{
	int err = n->watching ? nftlink_watch(n->link) : 0;

	if (!err)
		err = nftlink_genid(n->link, &n->genid);
	forget(n);
	n->table.next_born = (uint64_t)n->genid << 32;
	return err;
}

static int nft_begin(struct masq *m)
{
	struct nft *n = m->priv;
	int err;

	n->n = 0;
	n->lock = m->dry ? -1 : lock_namespace();
	err = begin_again(n);
	if (err)
		end_turn(n);
	return nft_fail(m, err);
}

static void nft_abort(struct masq *m)
{
	struct nft *n = m->priv;

	n->n = 0;
	end_turn(n);
	forget(n);
}

/* All of a module, each service once. */
static int load_whole(struct nft *n, enum module mod)
{
	int err = load_module(n->link, &n->query, &n->table, mod);

	return err || table_unique(&n->table) ? err : -EINTR;
}

/* Loads what a command needs and applies it. */
static int apply(struct nft *n, const struct op *op)
{
	struct key key;
	int err = 0;

	switch (table_scope(op->mod, &op->ctl, &key)) {
	case SCOPE_ONE:
		if (!n->table.complete[op->mod] && !table_get(&n->table, &key))
			err = load_service(n->link, &n->query, &n->table, &key);
		break;
	case SCOPE_MODULE:
		err = load_whole(n, op->mod);
		break;
	default:
		break;
	}
	return err ? err : table_apply(&n->table, op->mod, &op->ctl);
}

/* Applies all commands to a fresh picture; *failed is the one that was refused, n->n if none. */
static int apply_all(struct nft *n, size_t *failed)
{
	int err = begin_again(n);

	*failed = n->n;
	for (size_t i = 0; !err && i < n->n; i++) {
		err = apply(n, &n->ops[i]);
		if (err)
			*failed = i;
	}
	return err;
}

/* Whether what was read is the present. What others have is their business, where it is known; then
 * the generation moves on. 1, 0 or -errno. */
static int up_to_date(struct nft *n)
{
	uint32_t now = 0;
	int err = nftlink_genid(n->link, &now);

	if (err)
		return err;
	if (now != n->genid && !nftlink_quiet(n->link, now))
		return 0;
	n->genid = now;
	return 1;
}

/* A refusal counts only if the picture it is based on was of one generation. */
static bool refused_for_good(struct nft *n, int err)
{
	return err != -EINTR && up_to_date(n) != 0;
}

static int refuse(struct masq *m, const struct nft *n, size_t failed, int err)
{
	const struct op *op = &n->ops[failed];

	return failed < n->n ? nft_fail_refused(m, op->mod, &op->ctl, err) : nft_fail(m, err);
}

static int remember(struct nft *n, enum module mod, const struct ip_masq_ctl *ctl)
{
	if (n->n == n->cap) {
		size_t cap = n->cap ? 2 * n->cap : 4;
		struct op *v = reallocarray(n->ops, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		n->ops = v;
		n->cap = cap;
	}
	n->ops[n->n++] = (struct op){.mod = mod, .ctl = *ctl};
	return 0;
}

static int nft_ctl(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl)
{
	struct nft *n = m->priv;
	size_t failed;
	int err = remember(n, mod, ctl);

	if (err)
		return nft_fail(m, err);
	failed = n->n - 1;
	err = apply(n, &n->ops[failed]);
	for (int try = 1; err && !refused_for_good(n, err) && try < NFT_TRIES; try++) {
		pause_before(n, try);
		err = apply_all(n, &failed);
	}
	return err ? refuse(m, n, failed, err) : 0;
}

/* What the table does not know of itself: which modules are set up, whether others remain. */
static int look_around(struct nft *n)
{
	static const char *const chains[MOD_COUNT] = {"portfw", "mfw", "autofw"};
	bool remains = store_remains(&n->table);
	int err = 0;

	for (int mod = 0; !err && mod < MOD_COUNT; mod++) {
		err = load_chain(n->link, &n->query, chains[mod], &n->how.have[mod]);
		/* whose chain is gone may have left forwards behind */
		if (!err && !n->how.have[mod] && store_touches(&n->table, (enum module)mod))
			err = load_whole(n, (enum module)mod);
	}
	if (err || remains || !store_removes(&n->table))
		return err;
	for (int map = 1; !err && !remains && map < MAP_COUNT; map++)
		if (!n->table.complete[map_defs[map].module])
			err = load_remains(n->link, &n->query, &n->table, (enum map)map, &remains);
	if (!err && !remains && n->how.have[MOD_AUTOFW]) {
		err = load_whole(n, MOD_AUTOFW);
		remains = store_remains(&n->table);
	}
	n->how.nothing_else = !remains;
	if (!err && !remains)
		err = conn_need_us(n->link, &n->query, &n->how.keep_hooks);
	return err;
}

/* Sends the difference, if there is one. -ERESTART: start over; -ENFILE: a map is full. */
static int send_batch(struct nft *n, struct nfterror *error)
{
	struct emit_netlink e;
	uint32_t begin;
	int err;

	nftbuf_reset(&n->batch);
	nftbuf_begin(&n->batch, n->genid);
	begin = n->batch.seq;
	emit_netlink_init(&e, &n->batch);
	err = store(&e.emit, &n->table, &n->how);
	if (!err)
		err = emit_netlink_close(&e);
	*error = (struct nfterror){.err = -err};
	if (err || n->batch.seq == begin)
		return err;
	nftbuf_end(&n->batch);
	err = nftlink_commit(n->link, &n->batch, error);
	for (int try = 1; err == -ERESTART && n->watching && try < NFT_TRIES && up_to_date(n) == 1;
	     try++) {
		nftbuf_move(&n->batch, n->genid);
		err = nftlink_commit(n->link, &n->batch, error);
	}
	return err;
}

/* A map is full: the whole module again, with larger ones. */
static int enlarge(struct nft *n)
{
	int err = 0;

	for (int mod = 0; !err && mod < MOD_COUNT; mod++) {
		if (mod == MOD_AUTOFW || !n->how.have[mod])
			continue;
		err = load_whole(n, (enum module)mod);
		n->how.rebuild[mod] = true;
	}
	return err;
}

static int commit_once(struct nft *n, struct nfterror *error)
{
	int err = look_around(n);

	if (err)
		return err;
	err = send_batch(n, error);
	if (err == -ENFILE) {
		*error = (struct nfterror){0};
		err = enlarge(n);
		if (!err)
			err = send_batch(n, error);
	}
	return err;
}

/* What the kernel says of a map that is full, a dry run has to find out. */
static int make_room(struct nft *n)
{
	bool full = false;
	int err = 0;

	for (int map = 1; !err && map < MAP_COUNT; map++) {
		enum module mod = map_defs[map].module;
		uint32_t size = 0;

		if (!n->how.have[mod] || !store_touches(&n->table, mod))
			continue;
		err = load_whole(n, mod);
		if (!err)
			err = load_map_size(n->link, &n->query, (enum map)map, &size);
		full |= size && store_size(&n->table, (enum map)map) > size;
	}
	return !err && full ? enlarge(n) : err;
}

static int dry_run(struct nft *n, FILE *out)
{
	struct emit_text e;
	int err = look_around(n);

	if (!err)
		err = make_room(n);
	if (err)
		return err;
	err = up_to_date(n);
	if (err != 1)
		return err ? err : -EINTR;
	emit_text_init(&e, out);
	return store(&e.emit, &n->table, &n->how);
}

static int attempt(struct masq *m, struct nfterror *error)
{
	return m->dry ? dry_run(m->priv, m->dry) : commit_once(m->priv, error);
}

static int nft_commit(struct masq *m, int *failed)
{
	struct nft *n = m->priv;
	struct nfterror error = {0};
	size_t index = 0;
	int err = 0;

	if (!store_changes(&n->table))
		goto out;
	err = attempt(m, &error);
	for (int try = 1; (err == -ERESTART || err == -EINTR) && try < NFT_TRIES; try++) {
		pause_before(n, try);
		err = apply_all(n, &index);
		if (err && refused_for_good(n, err)) {
			*failed = index < n->n ? (int)index : -1;
			err = refuse(m, n, index, err);
			goto out;
		}
		if (err)
			err = -ERESTART;
		else if (store_changes(&n->table))
			err = attempt(m, &error);
	}
	if (err == -ERESTART || err == -EINTR || (err && !error.err))
		err = nft_fail(m, err);
	else if (err)
		err = nft_fail_commit(m, &error);
out:
	nft_abort(m);
	return err;
}

static int tell_service(const struct service *s, masq_record_fn *fn, void *arg)
{
	int err = 0;

	for (size_t i = 0; !err && i < s->n; i++) {
		const struct target *t = &s->targets[i];
		struct masq_record record = {
			.kind = s->key.module == MOD_MFW ? MASQ_MFW : MASQ_PORTFW,
			.protocol = s->key.protocol,
			.laddr.s_addr = s->key.laddr,
			.lport = s->key.lport,
			.mark = s->key.mark,
			.raddr.s_addr = t->addr,
			.rport = t->port,
			.pref = (int32_t)t->pref,
			.left = (int32_t)t->left,
			.served = t->served,
		};

		err = fn(&record, arg);
	}
	return err;
}

/* Marks by number; of the protocols UDP, which is 17, before TCP, which is 6, and in each the
 * newest first. */
static struct rank rank_of(const struct service *s, size_t index)
{
	struct rank r = {.index = (uint32_t)index};

	if (s->key.module == MOD_MFW) {
		r.major = s->key.mark;
	} else {
		r.major = (uint32_t)(UINT8_MAX - s->key.protocol) << 1 | !s->born;
		r.minor = UINT64_MAX - (s->born ? s->born : key_order(&s->key));
	}
	return r;
}

/* Listed in another order than they were read in, services would each have to be waited for: that
 * was half of the time between reading and printing. */
#define AHEAD 8

static void prefetch(const struct service *s)
{
	__builtin_prefetch(s);
	__builtin_prefetch(s + 1); /* the end of it, and table.c's room for a target */
}

/* What was read for a listing: services, by their ranks in the table; or records. */
struct listing {
	struct rank *ranks, *sorted;
	struct records records;
};

static void listing_free(struct listing *l)
{
	free(l->ranks);
	records_free(&l->records);
	*l = (struct listing){0};
}

/* 0; -ENOMEM; -EINTR if a service was told twice, so that others may have been left out. */
static int rank_services(const struct table *t, struct listing *l)
{
	l->ranks = calloc(2 * t->n + 1, sizeof(*l->ranks)); /* never of nothing */
	if (!l->ranks)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		l->ranks[i] = rank_of(t->services[i], i);
	l->sorted = rank_sort(l->ranks, l->ranks + t->n, t->n);
	for (size_t i = 1; i < t->n; i++) {
		const struct rank *x = &l->sorted[i - 1], *y = &l->sorted[i];

		if (x->major == y->major && x->minor == y->minor &&
		    !memcmp(&t->services[x->index]->key, &t->services[y->index]->key,
			    sizeof(struct key)))
			return -EINTR;
	}
	return 0;
}

static int tell_services(const struct table *t, const struct rank *sorted, masq_record_fn *fn,
			 void *arg)
{
	int err = 0;

	for (size_t i = 0; !err && i < t->n; i++) {
		if (i + AHEAD < t->n)
			prefetch(t->services[sorted[i + AHEAD].index]);
		err = tell_service(t->services[sorted[i].index], fn, arg);
	}
	return err;
}

static int gather_entries(struct nft *n, struct records *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < n->table.n_entries; i++) {
		const struct entry *e = &n->table.entries[i];

		err = records_add(out, &(struct masq_record){
					       .kind = MASQ_AUTOFW,
					       .protocol = (uint8_t)e->user.protocol,
					       .autofw = e->user,
					       .served = e->served,
				       });
		if (!err && entry_triggered(&e->user))
			err = load_receivers(n->link, &n->query, &e->user, out);
	}
	return err;
}

/* -EINTR: it changed meanwhile, and what was read may never have been there together. */
static int read_once(struct nft *n, enum module mod, const struct ip_masq_ctl *only,
		     struct listing *l)
{
	struct key key = {0};
	int err = begin_again(n);

	listing_free(l);
	if (!err && only && table_scope(mod, only, &key) == SCOPE_ONE)
		err = load_service(n->link, &n->query, &n->table, &key);
	else if (!err)
		err = load_module(n->link, &n->query, &n->table, mod);
	if (!err)
		err = mod == MOD_AUTOFW ? gather_entries(n, &l->records)
					: rank_services(&n->table, l);
	if (err)
		return err;
	err = up_to_date(n);
	return err ? (err < 0 ? err : 0) : -EINTR;
}

static int nft_list(struct masq *m, enum module mod, const struct ip_masq_ctl *only,
		    masq_record_fn *fn, void *arg)
{
	struct listing listing = {0};
	struct nft *n = m->priv;
	struct table table;
	int err = read_once(n, mod, only, &listing);

	for (int try = 1; err == -EINTR && try < NFT_TRIES; try++) {
		pause_before(n, try);
		err = read_once(n, mod, only, &listing);
	}
	end_turn(n);
	/* what fn does with the handle must not touch what it is told */
	table = n->table;
	n->table = (struct table){0};
	if (err)
		err = nft_fail(m, err);
	else if (mod == MOD_AUTOFW)
		err = records_each(&listing.records, fn, arg);
	else
		err = tell_services(&table, listing.sorted, fn, arg);
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
	.ctl = nft_ctl,
	.commit = nft_commit,
	.abort = nft_abort,
	.list = nft_list,
};
