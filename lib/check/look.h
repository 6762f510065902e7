/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reading shows: routes, addresses, sysctls, listeners, connections. Sends nothing. */
#ifndef CHECK_LOOK_H
#define CHECK_LOOK_H

#include <stddef.h>

#include "observed.h"

struct look_wish {
	struct in_addr from;    /* the client to play; 0.0.0.0: choose */
	struct in_addr address; /* for services by mark, where not 0 */
	uint16_t port;
};

/* Fills in the reading of n observations, whose forwards are set and are all
 * there are of their services. all: every forward there is, for what shadows
 * what. 0 or negative errno. -ENETUNREACH: no client can be imagined. */
int look(struct check_observed *o, size_t n, const struct check_forward *all, size_t all_count,
	 const struct look_wish *wish);

#endif
