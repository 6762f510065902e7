// SPDX-License-Identifier: GPL-2.0-or-later
#include "forwards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int keep(struct forwards *f, const struct check_forward *one)
{
	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 64;
		struct check_forward *v = reallocarray(f->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		f->v = v;
		f->cap = cap;
	}
	f->v[f->n++] = *one;
	return 0;
}

static int keep_record(const struct masq_record *r, void *arg)
{
	struct forwards *all = arg;
	const struct masq_command *c = r->forward;
	struct check_forward f = {.command = *c,
				  .protocol = c->protocol,
				  .raddr = c->target,
				  .rport = c->has & MASQ_HAS_TARGET_PORTS ? c->target_ports.first
									  : 0};

	/* what has no target, or follows a control connection, leads nowhere by
	 * itself */
	if (c->kind != MASQ_REACH && (r->has & MASQ_HAS_RECEIVER || !(c->has & MASQ_HAS_TARGET) ||
				      c->has & MASQ_HAS_TRIGGER))
		return 0;
	switch (c->kind) {
	case MASQ_PORTFW:
		f.kind = CHECK_PORTFW;
		if (c->has & MASQ_HAS_INTERFACE)
			snprintf(f.interface, sizeof(f.interface), "%s", c->interface);
		else
			f.laddr = c->local;
		break;
	case MASQ_MFW:
		f.kind = CHECK_MFW;
		f.protocol = IPPROTO_TCP;
		f.mark = c->mark;
		break;
	case MASQ_AUTOFW:
		f.kind = CHECK_AUTOFW;
		break;
	case MASQ_REACH:
		all->inside_off |= c->form == MASQ_INSIDE;
		all->own_off |= c->form == MASQ_OWN;
		return 0;
	}
	if (c->has & MASQ_HAS_PORTS) {
		f.lport = c->ports.first;
		f.last = c->ports.last;
	}
	return keep(all, &f);
}

int forwards_read(struct forwards *f, struct masq *m)
{
	*f = (struct forwards){0};
	return masq_list(m, MASQ_ALL_KINDS, keep_record, f);
}

void forwards_free(struct forwards *f)
{
	free(f->v);
	*f = (struct forwards){0};
}
