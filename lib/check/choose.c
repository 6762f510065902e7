// SPDX-License-Identifier: GPL-2.0-or-later
#include "choose.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

static bool has_protocol(const struct masq_check_options *w, uint8_t protocol)
{
	return w->protocol == protocol || w->protocol == MASQ_TCP_UDP;
}

/* How well a forward answers to what -P and -L name: an address that has no
 * forward of its own stands for the one on its interface, else for the one on
 * any; a port of a range for the range. */
enum fit { NO_FIT, ANY_ADDRESS, OF_INTERFACE, EXACT };

static enum fit fit_address(const struct chosen *c, const struct masq_check_options *w,
			    const struct check_forward *f)
{
	if (w->interface[0])
		return !strcmp(f->interface, w->interface) ? EXACT : NO_FIT;
	if (f->raddr.family != w->local.family)
		return NO_FIT;
	if (f->interface[0])
		return route_is_of(&c->addresses, &w->local, f->interface) ? OF_INTERFACE : NO_FIT;
	if (address_equal(&f->laddr, &w->local))
		return EXACT;
	return address_is_any(&f->laddr) ? ANY_ADDRESS : NO_FIT;
}

static enum fit fit(const struct chosen *c, const struct masq_check_options *w,
		    const struct check_forward *f)
{
	if (f->kind == CHECK_MFW || !has_protocol(w, f->protocol) || f->last < w->ports.first ||
	    f->lport > w->ports.last)
		return NO_FIT;
	if (f->kind == CHECK_AUTOFW)
		return w->interface[0] || f->raddr.family == w->local.family ? EXACT : NO_FIT;
	return fit_address(c, w, f);
}

static uint8_t *fits(const struct chosen *c, uint8_t protocol)
{
	return c->fit[protocol == IPPROTO_UDP];
}

static void note_fit(struct chosen *c, const struct masq_check_options *w,
		     const struct check_forward *f)
{
	uint8_t *best = fits(c, f->protocol), now = (uint8_t)fit(c, w, f);

	for (unsigned int port = f->lport; now && port <= f->last; port++)
		if (best[port] < now)
			best[port] = now;
}

static bool is_wanted(const struct chosen *c, const struct masq_check_options *w,
		      const struct check_forward *f)
{
	enum fit now;

	if (w->flags & MASQ_CHECK_MARK)
		return f->kind == CHECK_MFW && f->mark == w->mark;
	if (!(w->flags & MASQ_CHECK_SERVICE))
		return true;
	now = fit(c, w, f);
	return now != NO_FIT && (f->kind == CHECK_AUTOFW || now == fits(c, f->protocol)[f->lport]);
}

/* Which addresses are which interface's is asked only where a forward is on
 * one. */
static void read_addresses(struct chosen *c, const struct forwards *all)
{
	struct nl nl = {0};
	bool any = false;

	for (size_t i = 0; i < all->n; i++)
		any |= all->v[i].interface[0] != '\0';
	if (any && (nl_open(&nl, NETLINK_ROUTE) < 0 || route_addresses(&nl, &c->addresses) < 0))
		route_addresses_free(&c->addresses);
	nl_close(&nl);
}

int choose(struct chosen *c, const struct masq_check_options *w, const struct forwards *all)
{
	const bool service = !(w->flags & MASQ_CHECK_MARK) && w->flags & MASQ_CHECK_SERVICE;

	*c = (struct chosen){.o = calloc(all->n + 1, sizeof(*c->o)),
			     .fit = service ? calloc(2, sizeof(*c->fit)) : NULL};
	if (!c->o || (service && !c->fit))
		return -ENOMEM;
	if (service)
		read_addresses(c, all);
	for (size_t i = 0; service && i < all->n; i++)
		note_fit(c, w, &all->v[i]);
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
	return 0;
}

void choose_free(struct chosen *c)
{
	free(c->o);
	free(c->fit);
	route_addresses_free(&c->addresses);
	*c = (struct chosen){0};
}

bool choose_missing(const struct chosen *c, const struct masq_check_options *w, uint8_t protocol,
		    unsigned int from, struct masq_ports *out)
{
	const uint8_t *there = fits(c, protocol);
	unsigned int first = from > w->ports.first ? from : w->ports.first, last;

	if (!has_protocol(w, protocol))
		return false;
	while (first <= w->ports.last && there[first])
		first++;
	if (first > w->ports.last)
		return false;
	for (last = first; last < w->ports.last && !there[last + 1];)
		last++;
	*out = (struct masq_ports){(uint16_t)first, (uint16_t)last};
	return true;
}
