// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "ask.h"
#include "batch.h"
#include "helpers.h"
#include "modules.h"

/* Whether a service has this object now; in the kernel, before. */
static bool has(const struct service *s, const struct helper_object *o)
{
	return s->n && helper_of(s) == o;
}

static bool had(const struct state *st, const struct service *s, const struct helper_object *o)
{
	return state_seen(st, s)->helper == o->helper && s->key.protocol == o->protocol;
}

static void ask_object(struct buf *b, enum family f, const struct helper_object *o)
{
	struct nlmsghdr *nlh = buf_msg(b, f, NFT_MSG_GETOBJ, 0);

	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, o->name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_CT_HELPER));
}

void helpers_need(struct state *st, enum family f, const struct masq_command *c)
{
	for (unsigned int i = 0; c->has & MASQ_HAS_HELPER && i < HELPER_OBJECTS; i++)
		if (helper_objects[i].helper == helper_find(c->helper) &&
		    (c->protocol == MASQ_TCP_UDP || c->protocol == helper_objects[i].protocol))
			st->objects[f].needed |= 1u << i;
}

void helpers_ask(struct buf *b, enum family f, struct state *st)
{
	for (unsigned int i = 0; i < HELPER_OBJECTS; i++)
		if (st->objects[f].needed & ~st->objects[f].asked & 1u << i)
			ask_object(b, f, &helper_objects[i]);
	st->objects[f].asked |= st->objects[f].needed;
}

int helpers_read(struct state *st, enum family f, const struct nlmsghdr *nlh)
{
	const struct nlattr *data = attr_of(nlh, NFTA_OBJ_DATA);
	const struct nlattr *protocol = attr_in(data, NFTA_CT_HELPER_L4PROTO);
	const struct helper_object *o;
	unsigned int bit;

	if ((nlh->nlmsg_type & 0xff) != NFT_MSG_NEWOBJ)
		return 0;
	o = helper_named(attr_text(attr_of(nlh, NFTA_OBJ_NAME)));
	if (!o)
		return 1;
	bit = 1u << (o - helper_objects);
	st->objects[f].there |= bit;
	if (!attr_is(attr_in(data, NFTA_CT_HELPER_NAME), o->type) || !protocol ||
	    mnl_attr_get_u8(protocol) != o->protocol)
		st->objects[f].strange |= bit;
	return 1;
}

static int read_use(const struct nlmsghdr *nlh, void *arg)
{
	*(uint32_t *)arg = attr_be32(attr_of(nlh, NFTA_OBJ_USE));
	return 0;
}

int helpers_load(struct link *l, struct buf *b, enum family f, const struct state *st,
		 bool unused[HELPER_OBJECTS])
{
	int err = 0;

	for (size_t i = 0; !err && i < HELPER_OBJECTS; i++) {
		const struct helper_object *o = &helper_objects[i];
		uint32_t leave = 0, use;
		bool needed = false;

		for (size_t k = 0; k < st->table.n; k++) {
			const struct service *s = &st->table.services[k];

			if (key_family(&s->key) != f)
				continue;
			needed |= has(s, o);
			leave += had(st, s, o) && !has(s, o) && s->dirty;
		}
		unused[i] = false;
		if (!leave || needed)
			continue;
		use = UINT32_MAX;
		buf_reset(b);
		ask_object(b, f, o);
		err = ask_nothing_is_no_error(link_get(l, b, read_use, &use));
		unused[i] = use <= leave;
	}
	return err;
}

static const struct helper_object *wanted(const struct service *s)
{
	return s->dirty && s->n ? helper_of(s) : NULL;
}

int helpers_check_families(struct error *e, const struct state *st, const struct service **lacking)
{
	for (size_t i = 0; i < st->table.n; i++) {
		const struct service *s = &st->table.services[i];
		const struct helper_object *o = wanted(s);

		if (!o || !o->only_ipv4 || key_family(&s->key) == FAMILY_IPV4)
			continue;
		*lacking = s;
		fail(e, EOPNOTSUPP, "helper %s: the kernel has it for IPv4 alone",
		     helper_name(o->helper));
		return -ECANCELED;
	}
	return 0;
}

/*
 * Whether the kernel has a helper, and rewrites what it reads where addresses
 * are translated. Making the object loads the first module alone, and without
 * the second all seems well and no data connection comes through. What is built
 * in is no module, which can only be told once nf_nat and the first module
 * could have been loaded: by a batch that is not ended, or because chains and
 * object are there. 1, 0 or -errno.
 */
static int is_ready(struct link *l, struct buf *buf, enum family f, const struct helper_object *o,
		    bool there)
{
	static const struct hook hook = {"nat", NF_INET_PRE_ROUTING, 0, ""};
	struct batch_netlink b;
	int err;

	if (module_is_loaded(o->nat_module))
		return true;
	module_request(o->nat_module);
	if (module_is_loaded(o->nat_module))
		return true;
	if (!there) {
		buf_reset(buf);
		buf_begin_batch(buf, 0);
		batch_netlink_init(&b, buf);
		b.batch.family = f;
		b.batch.ops->table_add(&b.batch);
		b.batch.ops->chain_add(&b.batch, "helper-probe", &hook);
		b.batch.ops->helper_add(&b.batch, o);
		err = batch_netlink_end(&b);
		if (err)
			return err;
		there = !link_try(l, buf);
	}
	return there && !module_is_loaded(o->module) && !module_is_loaded("nf_nat");
}

struct asked {
	struct state *state;
	enum family family;
};

static int read_answer(const struct nlmsghdr *nlh, void *arg)
{
	const struct asked *asked = arg;

	helpers_read(asked->state, asked->family, nlh);
	return 0;
}

/* The kernel takes an object that is there for the one that is to be added,
 * whatever it is. */
static int check_object(struct error *e, struct link *l, struct buf *buf, enum family f,
			struct state *st, const struct helper_object *o)
{
	const unsigned int bit = 1u << (o - helper_objects);
	struct asked asked = {st, f};
	int err = 0;

	st->objects[f].needed |= bit;
	if (!(st->objects[f].asked & bit)) {
		buf_reset(buf);
		helpers_ask(buf, f, st);
		err = ask_nothing_is_no_error(link_get(l, buf, read_answer, &asked));
	}
	if (err || !(st->objects[f].strange & bit))
		return err;
	fail(e, EBUSY,
	     "ct helper %s of %s is another helper than %s, and not ours: delete it, or rename it",
	     o->name, family_defs[f].table, helper_name(o->helper));
	return -ECANCELED;
}

static int check_modules(struct error *e, struct link *l, struct buf *batch, enum family f,
			 struct state *st, const struct helper_object *o)
{
	const bool there = st->objects[f].there & 1u << (o - helper_objects);
	int ready = is_ready(l, batch, f, o, there && st->standing[f].whole);

	if (ready)
		return ready < 0 ? ready : 0;
	fail(e, EOPNOTSUPP,
	     "helper %s needs the kernel modules %s and %s (%s), which could not be "
	     "loaded: load them with: modprobe %s",
	     helper_name(o->helper), o->module, o->nat_module, o->config, o->nat_module);
	return -ECANCELED;
}

int helpers_check(struct error *e, struct link *l, struct buf *b, struct state *st, bool try,
		  const struct service **lacking)
{
	bool checked[FAMILY_COUNT][HELPER_OBJECTS] = {{false}};

	for (size_t i = 0; i < st->table.n; i++) {
		const struct service *s = &st->table.services[i];
		const struct helper_object *o = wanted(s);
		enum family f = key_family(&s->key);
		int err;

		if (!o || checked[f][o - helper_objects])
			continue;
		checked[f][o - helper_objects] = true;
		*lacking = s;
		err = check_object(e, l, b, f, st, o);
		if (!err && try)
			err = check_modules(e, l, b, f, st, o);
		if (err)
			return err;
	}
	*lacking = NULL;
	return 0;
}
