// SPDX-License-Identifier: GPL-2.0-or-later
#include "choose.h"

#include <errno.h>
#include <stdlib.h>

#include "address.h"

static bool has_protocol(const struct masq_check_options *w, uint8_t protocol)
{
	return w->protocol == protocol || w->protocol == MASQ_TCP_UDP;
}

/* How well a forward answers to what -P and -L name: an address that has no
 * forward of its own stands for the one on any, a port of a range for the range. */
enum fit { NO_FIT, ANY_ADDRESS, EXACT };

static enum fit fit(const struct masq_check_options *w, const struct check_forward *f)
{
	if (f->kind == CHECK_MFW || !has_protocol(w, f->protocol) || f->last < w->ports.first ||
	    f->lport > w->ports.last)
		return NO_FIT;
	if (f->kind == CHECK_AUTOFW)
		return f->raddr.family == w->local.family ? EXACT : NO_FIT;
	if (address_equal(&f->laddr, &w->local))
		return EXACT;
	return f->laddr.family == w->local.family && address_is_any(&f->laddr) ? ANY_ADDRESS
									       : NO_FIT;
}

static bool get(const uint8_t *bits, unsigned int i)
{
	return bits[i / 8] >> i % 8 & 1;
}

static void set(uint8_t *bits, unsigned int i)
{
	bits[i / 8] |= (uint8_t)(1u << i % 8);
}

static void set_ports(struct chosen *c, const struct check_forward *f)
{
	for (unsigned int port = f->lport; port <= f->last; port++)
		set(c->there[f->protocol == IPPROTO_UDP], port);
}

static bool is_wanted(const struct chosen *c, const struct masq_check_options *w,
		      const struct check_forward *f)
{
	if (w->flags & MASQ_CHECK_MARK)
		return f->kind == CHECK_MFW && f->mark == w->mark;
	if (!(w->flags & MASQ_CHECK_SERVICE))
		return true;
	switch (fit(w, f)) {
	case EXACT:
		return true;
	case ANY_ADDRESS:
		return !get(c->there[f->protocol == IPPROTO_UDP], f->lport);
	case NO_FIT:
		break;
	}
	return false;
}

int choose(struct chosen *c, const struct masq_check_options *w, const struct forwards *all)
{
	const bool service = !(w->flags & MASQ_CHECK_MARK) && w->flags & MASQ_CHECK_SERVICE;

	*c = (struct chosen){.o = calloc(all->n + 1, sizeof(*c->o))};
	if (!c->o)
		return -ENOMEM;
	for (size_t i = 0; service && i < all->n; i++)
		if (fit(w, &all->v[i]) == EXACT)
			set_ports(c, &all->v[i]);
	for (size_t i = 0; i < all->n; i++) {
		struct check_forward *f = &c->o[c->n].forward;

		if (!is_wanted(c, w, &all->v[i]))
			continue;
		*f = all->v[i];
		c->n++;
		/* what is marked may be of either protocol */
		if (f->kind == CHECK_MFW && w->protocol)
			f->protocol = w->protocol;
	}
	for (size_t i = 0; service && i < c->n; i++)
		set_ports(c, &c->o[i].forward);
	return 0;
}

void choose_free(struct chosen *c)
{
	free(c->o);
	*c = (struct chosen){0};
}

bool choose_missing(const struct chosen *c, const struct masq_check_options *w, uint8_t protocol,
		    unsigned int from, struct masq_ports *out)
{
	const uint8_t *there = c->there[protocol == IPPROTO_UDP];
	unsigned int first = from > w->ports.first ? from : w->ports.first, last;

	if (!has_protocol(w, protocol))
		return false;
	while (first <= w->ports.last && get(there, first))
		first++;
	if (first > w->ports.last)
		return false;
	for (last = first; last < w->ports.last && !get(there, last + 1);)
		last++;
	*out = (struct masq_ports){(uint16_t)first, (uint16_t)last};
	return true;
}
