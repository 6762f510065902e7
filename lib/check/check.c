// SPDX-License-Identifier: GPL-2.0-or-later
/* masq_check(): forwards, looking, sending, judging, in that order. */
#include "masq_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "forwards.h"
#include "judge.h"
#include "live.h"
#include "look.h"
#include "send.h"

struct check {
	const struct masq_check_options *options;
	struct forwards all;
	struct check_observed *o;
	size_t n, done;
	void *arg; /* the caller's */
};

static bool is_wanted(const struct masq_check_options *w, const struct check_forward *f)
{
	if (w->flags & MASQ_CHECK_MARK)
		return f->kind == CHECK_MFW && f->mark == w->mark;
	if (!(w->flags & MASQ_CHECK_SERVICE))
		return true;
	if (f->protocol != w->protocol || f->kind == CHECK_MFW)
		return false;
	if (f->kind == CHECK_AUTOFW)
		return f->lport <= w->lport && w->lport <= f->last;
	return f->lport == w->lport && address_equal(&f->laddr, &w->local);
}

/* -L names a port of a range, an address that an any-address service has. */
static bool is_any_address(const struct masq_check_options *w, const struct check_forward *f)
{
	return w->flags & MASQ_CHECK_SERVICE && f->kind == CHECK_PORTFW &&
	       f->laddr.family == w->local.family && address_is_any(&f->laddr) &&
	       f->protocol == w->protocol && f->lport == w->lport;
}

static int choose(struct check *c)
{
	bool (*const choices[])(const struct masq_check_options *,
				const struct check_forward *) = {is_wanted, is_any_address};

	c->o = calloc(c->all.n + 1, sizeof(*c->o));
	if (!c->o)
		return -ENOMEM;
	for (int pass = 0; !c->n && pass < 2; pass++)
		for (size_t i = 0; i < c->all.n; i++)
			if (choices[pass](c->options, &c->all.v[i]))
				c->o[c->n++].forward = c->all.v[i];
	/* what is marked may be of either protocol */
	for (size_t i = 0; c->options->flags & MASQ_CHECK_MARK && i < c->n; i++)
		if (c->options->protocol)
			c->o[i].forward.protocol = c->options->protocol;
	return 0;
}

static bool is_mark_of_mfw(const struct check *c, uint32_t mark)
{
	for (size_t i = 0; mark && i < c->all.n; i++)
		if (c->all.v[i].kind == CHECK_MFW && c->all.v[i].mark == mark)
			return true;
	return false;
}

static void progress(void *arg)
{
	const struct check *c = arg;

	if (c->options->progress)
		c->options->progress((unsigned int)c->done, (unsigned int)c->n, c->arg);
}

/* Sends for those that reading has nothing against, in groups. */
static void send_group(struct check *c, const struct family *family)
{
	struct check_observed *group[SEND_MAX];
	size_t n = 0;

	for (size_t i = 0; i <= c->n; i++) {
		if (n && (n == SEND_MAX || i == c->n)) {
			send_packets(family, group, n, (struct send_tick){progress, c});
			c->done += n;
			progress(c);
			n = 0;
		}
		if (i < c->n && family_of(&c->o[i].forward) == family && !judge_is_final(&c->o[i]))
			group[n++] = &c->o[i];
	}
}

static void send_groups(struct check *c)
{
	progress(c);
	send_group(c, &family_ipv4);
	send_group(c, &family_ipv6);
	for (size_t i = 0; i < c->n; i++)
		c->o[i].shadow_mark =
			c->o[i].forward.kind != CHECK_MFW && is_mark_of_mfw(c, c->o[i].out.mark);
	c->done = c->n;
	progress(c);
}

static int report(const struct check_observed *o, const struct verdict *v, masq_check_fn *fn,
		  void *arg)
{
	static const enum masq_check_state states[] = {
		[VERDICT_OK] = MASQ_CHECK_OK,
		[VERDICT_WARN] = MASQ_CHECK_WARN,
		[VERDICT_BROKEN] = MASQ_CHECK_BROKEN,
	};
	const char *warnings[WARNINGS_MAX];
	char service[VERDICT_NAME], target[VERDICT_NAME] = "", client[ADDRESS_TEXT_MAX] = "";
	struct masq_check_result r = {.size = sizeof(r),
				      .state = states[v->state],
				      .service = service,
				      .target = target,
				      .code = v->code,
				      .cause = v->cause,
				      .evidence = v->evidence,
				      .cure = v->cure,
				      .note = v->note,
				      .warnings = warnings,
				      .warning_count = (unsigned int)v->warnings,
				      .client = client};

	if (o->everything)
		snprintf(service, sizeof(service), "all forwards");
	else
		verdict_service(service, &o->forward);
	if (o->forward.raddr.family)
		verdict_target(target, &o->forward);
	if (o->client.family)
		address_text(client, &o->client);
	for (int i = 0; i < v->warnings; i++)
		warnings[i] = v->warning[i];
	return fn(&r, arg);
}

/* Nothing matches: whether somebody has flushed it or it never was, the cure is the same. */
static int report_none(const struct check *c, masq_check_fn *fn, void *arg)
{
	const struct masq_check_options *w = c->options;
	struct check_observed o = {
		.none = true,
		.others = c->all.n,
		.forward = {.kind = w->flags & MASQ_CHECK_MARK ? CHECK_MFW : CHECK_PORTFW,
			    .protocol = w->protocol,
			    .laddr = w->local,
			    .lport = w->lport,
			    .last = w->lport,
			    .mark = w->mark}};
	struct verdict v;

	o.everything = !(w->flags & (MASQ_CHECK_MARK | MASQ_CHECK_SERVICE));
	judge(&v, &o);
	return report(&o, &v, fn, arg);
}

static bool same_service(const struct check_forward *a, const struct check_forward *b)
{
	return a->kind == b->kind && a->protocol == b->protocol && a->lport == b->lport &&
	       address_equal(&a->laddr, &b->laddr) && a->mark == b->mark;
}

/* --live: another target of the service got the connection. */
static bool is_idle(const struct check *c, size_t i)
{
	if (!c->o[i].live || c->o[i].live_seen)
		return false;
	for (size_t j = 0; j < c->n; j++)
		if (c->o[j].live_seen && same_service(&c->o[i].forward, &c->o[j].forward))
			return true;
	return false;
}

static int run(struct check *c, masq_check_fn *fn, void *arg)
{
	const struct masq_check_options *w = c->options;
	const struct look_wish wish = {.from = w->from,
				       .address = w->local,
				       .port = w->flags & MASQ_CHECK_MARK ? w->lport : 0};
	int err = choose(c);

	if (err)
		return err;
	if (!c->n)
		return report_none(c, fn, arg);
	err = look(&family_ipv4, c->o, c->n, c->all.v, c->all.n, &wish);
	if (!err)
		err = look(&family_ipv6, c->o, c->n, c->all.v, c->all.n, &wish);
	if (err)
		return err;
	if (w->live_seconds)
		live_wait(c->o, c->n, w->live_seconds);
	else if (!(w->flags & MASQ_CHECK_NO_PROBE))
		send_groups(c);
	for (size_t i = 0; !err && i < c->n; i++) {
		struct verdict v;

		if (is_idle(c, i))
			continue;
		judge(&v, &c->o[i]);
		err = report(&c->o[i], &v, fn, arg);
	}
	return err;
}

int masq_check(struct masq *m, const struct masq_check_options *options, masq_check_fn *fn,
	       void *arg)
{
	struct check c = {.options = options, .arg = arg};
	int err;

	if (options->size < sizeof(*options))
		return -EINVAL;
	if (strcmp(masq_transport(m), "nft"))
		return -EOPNOTSUPP;
	err = forwards_read(&c.all, m);
	if (!err)
		err = run(&c, fn, arg);
	forwards_free(&c.all);
	free(c.o);
	return err;
}
