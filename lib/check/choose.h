/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of all forwards the options name, and what they name that is not
 * there. */
#ifndef CHECK_CHOOSE_H
#define CHECK_CHOOSE_H

#include "forwards.h"
#include "route.h"

struct chosen {
	struct check_observed *o; /* their forwards, in the order of the listings */
	size_t n;
	/* for each port of TCP and of UDP: how exactly the best forward is what
	 * the options name */
	uint8_t (*fit)[UINT16_MAX + 1];
	struct route_addresses addresses;
};

/* 0 or -ENOMEM; choose_free() after either. */
int choose(struct chosen *c, const struct masq_check_options *w, const struct forwards *all);
void choose_free(struct chosen *c);

/* The next run of ports of a protocol that the options name and nothing is on,
 * from that port on. False: there is none. */
bool choose_missing(const struct chosen *c, const struct masq_check_options *w, uint8_t protocol,
		    unsigned int from, struct masq_ports *out);

#endif
