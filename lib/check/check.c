// SPDX-License-Identifier: GPL-2.0-or-later
/* masq_check(): forwards, looking, sending, judging, in that order. */
#include "masq_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "choose.h"
#include "export.h"
#include "judge.h"
#include "live.h"
#include "look.h"
#include "send.h"
#include "transport.h"

struct check {
	const struct masq_check_options *options;
	struct forwards all;
	struct chosen chosen;
	size_t done;
	void *arg; /* the caller's */
};

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
		c->options->progress((unsigned int)c->done, (unsigned int)c->chosen.n, c->arg);
}

/* Sends for those that reading has nothing against, in groups. */
static void send_group(struct check *c, const struct family *family)
{
	struct check_observed *group[SEND_MAX];
	size_t n = 0;

	for (size_t i = 0; i <= c->chosen.n; i++) {
		if (n && (n == SEND_MAX || i == c->chosen.n)) {
			send_packets(family, group, n, &(struct tick){progress, c});
			c->done += n;
			progress(c);
			n = 0;
		}
		if (i < c->chosen.n && family_of(&c->chosen.o[i].forward) == family &&
		    !judge_is_final(&c->chosen.o[i]))
			group[n++] = &c->chosen.o[i];
	}
}

static void send_groups(struct check *c)
{
	progress(c);
	send_group(c, &family_ipv4);
	send_group(c, &family_ipv6);
	for (size_t i = 0; i < c->chosen.n; i++)
		c->chosen.o[i].shadow_mark = c->chosen.o[i].forward.kind != CHECK_MFW &&
					     is_mark_of_mfw(c, c->chosen.o[i].out.mark);
	c->done = c->chosen.n;
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
	struct exported exported;
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
				      .client = client,
				      .observed = o->none ? NULL : export_observed(&exported, o)};

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

/* What nothing is on: whether somebody has flushed it or it never was, the cure
 * is the same. */
static int report_none(const struct check *c, uint8_t protocol, const struct masq_ports *ports,
		       masq_check_fn *fn, void *arg)
{
	const struct masq_check_options *w = c->options;
	struct check_observed o = {
		.none = true,
		.others = c->all.n,
		.forward = {.kind = w->flags & MASQ_CHECK_MARK ? CHECK_MFW : CHECK_PORTFW,
			    .protocol = protocol,
			    .laddr = w->local,
			    .lport = ports->first,
			    .last = ports->last,
			    .mark = w->mark}};
	struct verdict v;

	snprintf(o.forward.interface, sizeof(o.forward.interface), "%s", w->interface);

	o.everything = !(w->flags & (MASQ_CHECK_MARK | MASQ_CHECK_SERVICE));
	judge(&v, &o);
	return report(&o, &v, fn, arg);
}

/* Of what is named and not there. */
static int report_missing(const struct check *c, masq_check_fn *fn, void *arg)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	const struct masq_check_options *w = c->options;
	struct masq_ports run = {0};
	int err = 0;

	if (w->flags & MASQ_CHECK_MARK || !(w->flags & MASQ_CHECK_SERVICE))
		return c->chosen.n ? 0 : report_none(c, w->protocol, &w->ports, fn, arg);
	for (size_t i = 0; i < 2; i++)
		for (unsigned int from = 0;
		     !err && choose_missing(&c->chosen, w, protocols[i], from, &run);
		     from = run.last + 1u)
			err = report_none(c, protocols[i], &run, fn, arg);
	return err;
}

static bool same_service(const struct check_forward *a, const struct check_forward *b)
{
	return a->kind == b->kind && a->protocol == b->protocol && a->lport == b->lport &&
	       address_equal(&a->laddr, &b->laddr) && !strcmp(a->interface, b->interface) &&
	       a->mark == b->mark;
}

/* --live: another target of the service got the connection. */
static bool is_idle(const struct check *c, size_t i)
{
	if (!c->chosen.o[i].live || c->chosen.o[i].live_seen)
		return false;
	for (size_t j = 0; j < c->chosen.n; j++)
		if (c->chosen.o[j].live_seen &&
		    same_service(&c->chosen.o[i].forward, &c->chosen.o[j].forward))
			return true;
	return false;
}

/* What a caller of any version gave. */
static int take_options(struct error *e, const struct masq_check_options *w)
{
	const unsigned int known = MASQ_CHECK_NO_PROBE | MASQ_CHECK_SERVICE | MASQ_CHECK_MARK;
	const unsigned char *p = (const unsigned char *)w;

	if (w->size < sizeof(*w))
		return fail(e, EINVAL, "the options of the check are too short");
	for (size_t i = sizeof(*w); i < w->size; i++)
		if (p[i])
			return fail(e, E2BIG, "this libipmasq does not know all of the options");
	if (w->flags & ~known)
		return fail(e, EINVAL, "this libipmasq does not know all of the flags");
	if (w->flags & MASQ_CHECK_MARK &&
	    (w->protocol == MASQ_TCP_UDP || w->ports.first != w->ports.last))
		return fail(e, EINVAL, "a mark is tried with one protocol and port");
	if (w->flags & MASQ_CHECK_SERVICE && (!w->ports.first || w->ports.first > w->ports.last))
		return fail(e, EINVAL, "ports %u-%u: the first is from 1 and not above the last",
			    w->ports.first, w->ports.last);
	return 0;
}

/* A packet with an address of ours, or the target's, would never come in from
 * outside. */
static int check_client(struct error *e, const struct check *c)
{
	const struct masq_address *from = &c->options->from;

	for (size_t i = 0; from->family && i < c->chosen.n; i++) {
		const struct check_forward *f = &c->chosen.o[i].forward;
		char service[VERDICT_NAME];

		if (!address_equal(from, &f->raddr))
			continue;
		verdict_service(service, f);
		return fail(e, EADDRNOTAVAIL,
			    "no client has the address %s: it is the server of %s", IP(*from),
			    service);
	}
	return 0;
}

static int explain(struct error *e, int err, const struct masq_check_options *w)
{
	switch (-err) {
	case EADDRNOTAVAIL:
		return fail(e, EADDRNOTAVAIL,
			    "no client has the address %s: it is this machine's own", IP(w->from));
	case ENETUNREACH:
		return fail(
			e, ENETUNREACH,
			"there is no route to any client; say which to play with --from ADDRESS");
	case ENOMEM:
		return fail(e, ENOMEM, "out of memory");
	default:
		return fail(e, -err, "cannot look: %s", strerror(-err));
	}
}

static int observe(struct check *c)
{
	const struct masq_check_options *w = c->options;
	const struct look_wish wish = {.from = w->from,
				       .address = w->local,
				       .port = w->flags & MASQ_CHECK_MARK ? w->ports.first : 0};
	int err = look(&family_ipv4, c->chosen.o, c->chosen.n, c->all.v, c->all.n, &wish);

	if (!err)
		err = look(&family_ipv6, c->chosen.o, c->chosen.n, c->all.v, c->all.n, &wish);
	if (err || !c->chosen.n)
		return err;
	if (w->live_seconds)
		live_wait(c->chosen.o, c->chosen.n, w->live_seconds);
	else if (!(w->flags & MASQ_CHECK_NO_PROBE))
		send_groups(c);
	return 0;
}

static int report_all(const struct check *c, masq_check_fn *fn, void *arg)
{
	int err = 0;

	for (size_t i = 0; !err && i < c->chosen.n; i++) {
		struct verdict v;

		if (is_idle(c, i))
			continue;
		judge(&v, &c->chosen.o[i]);
		err = report(&c->chosen.o[i], &v, fn, arg);
	}
	return err ? err : report_missing(c, fn, arg);
}

static int run(struct check *c, struct masq *m)
{
	int err = take_options(&m->error, c->options);

	if (err)
		return err;
	if (strcmp(masq_transport(m), "nft"))
		return fail(&m->error, EOPNOTSUPP,
			    "this kernel has masquerading modules; the check knows nf_tables");
	err = forwards_read(&c->all, m);
	if (err == -ENOMEM) /* ours, or the library's: it says the same */
		return explain(&m->error, err, c->options);
	if (err)
		return err;
	err = choose(&c->chosen, c->options, &c->all);
	if (err)
		return explain(&m->error, err, c->options);
	for (size_t i = 0; i < c->chosen.n; i++) {
		c->chosen.o[i].inside_off = c->all.inside_off;
		c->chosen.o[i].own_off = c->all.own_off;
	}
	err = check_client(&m->error, c);
	if (err)
		return err;
	err = observe(c);
	return err ? explain(&m->error, err, c->options) : 0;
}

int masq_check(struct masq *m, const struct masq_check_options *options, masq_check_fn *fn,
	       void *arg)
{
	struct check c = {.options = options, .arg = arg};
	int err = run(&c, m);

	if (!err)
		err = report_all(&c, fn, arg);
	forwards_free(&c.all);
	choose_free(&c.chosen);
	return err;
}
