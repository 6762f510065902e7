/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reading shows: routes, addresses, sysctls, listeners, connections. Sends
 * nothing. */
#ifndef CHECK_LOOK_H
#define CHECK_LOOK_H

#include "family.h"

struct look_wish {
	struct masq_address from;    /* the client to play, if it is of the family */
	struct masq_address address; /* for services on several, likewise */
	uint16_t port;
};

/* Fills in the reading of those of n observations that are of the family. Their
 * forwards are set and are all there are of their services. all: every forward
 * there is, for what shadows what. 0 or negative errno. -ENETUNREACH: no client
 * can be imagined. -EADDRNOTAVAIL: it is this machine. */
int look(const struct family *family, struct check_observed *o, size_t n,
	 const struct check_forward *all, size_t all_count, const struct look_wish *wish);

#endif
