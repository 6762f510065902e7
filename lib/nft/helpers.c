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

static int load_object(struct link *l, struct buf *b, enum family f, const struct helper_object *o,
		       link_fn *fn, void *arg)
{
	struct nlmsghdr *nlh;

	buf_reset(b);
	nlh = buf_msg(b, f, NFT_MSG_GETOBJ, 0);
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, o->name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_CT_HELPER));
	return ask_nothing_is_no_error(link_get(l, b, fn, arg));
}

static int read_use(const struct nlmsghdr *nlh, void *arg)
{
	*(uint32_t *)arg = attr_be32(attr_of(nlh, NFTA_OBJ_USE));
	return 0;
}

struct comparison {
	const struct helper_object *ours;
	bool found, differs;
};

static int compare(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *data = attr_of(nlh, NFTA_OBJ_DATA);
	const struct nlattr *protocol = attr_in(data, NFTA_CT_HELPER_L4PROTO);
	struct comparison *c = arg;

	c->found = true;
	c->differs = !attr_is(attr_in(data, NFTA_CT_HELPER_NAME), c->ours->type) || !protocol ||
		     mnl_attr_get_u8(protocol) != c->ours->protocol;
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
		err = load_object(l, b, f, o, read_use, &use);
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
 * Whether the kernel has a helper, and rewrites what it reads where addresses are
 * translated. Making the object loads the first module alone, and without the
 * second all seems well and no data connection comes through. What is built in is
 * no module, which can only be told once both could have been loaded: by an object
 * that is there, or a batch that is not ended.
 */
static bool is_ready(struct link *l, struct buf *buf, enum family f, const struct helper_object *o,
		     bool there)
{
	static const struct hook hook = {"nat", NF_INET_PRE_ROUTING, 0, ""};
	struct batch_netlink b;

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
		there = !batch_netlink_end(&b) && !link_try(l, buf);
	}
	return there && !module_is_loaded(o->module) && !module_is_loaded("nf_nat");
}

/* The kernel takes an object that is there for the one that is to be added, whatever
 * it is. */
static int check_object(struct error *e, struct link *l, struct buf *buf, enum family f,
			const struct helper_object *o, bool *there)
{
	struct comparison c = {.ours = o};
	int err = load_object(l, buf, f, o, compare, &c);

	*there = c.found;
	if (err || !c.differs)
		return err;
	fail(e, EBUSY,
	     "ct helper %s of %s is another helper than %s, and not ours: delete it, or rename it",
	     o->name, family_defs[f].table, helper_name(o->helper));
	return -ECANCELED;
}

int helpers_check_modules(struct error *e, struct link *l, struct buf *batch,
			  const struct state *st, const struct service **lacking)
{
	bool checked[FAMILY_COUNT][HELPER_OBJECTS] = {{false}};

	for (size_t i = 0; i < st->table.n; i++) {
		const struct service *s = &st->table.services[i];
		const struct helper_object *o = wanted(s);
		enum family f = key_family(&s->key);
		bool there;
		int err;

		if (!o || checked[f][o - helper_objects])
			continue;
		checked[f][o - helper_objects] = true;
		*lacking = s;
		err = check_object(e, l, batch, f, o, &there);
		if (err)
			return err;
		if (is_ready(l, batch, f, o, there))
			continue;
		fail(e, EOPNOTSUPP,
		     "helper %s needs the kernel modules %s and %s (%s), which could not be "
		     "loaded: load them with: modprobe %s",
		     helper_name(o->helper), o->module, o->nat_module, o->config, o->nat_module);
		return -ECANCELED;
	}
	*lacking = NULL;
	return 0;
}
