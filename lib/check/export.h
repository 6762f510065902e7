/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Observations as masq_check() hands them out. */
#ifndef CHECK_EXPORT_H
#define CHECK_EXPORT_H

#include "observed.h"

/* The structures that the public one points to. */
struct exported {
	struct masq_check_observed observed;
	struct masq_check_flight out, back, icmp;
	struct masq_check_place places[12];
	size_t place_count;
};

/* Valid as long as o is. */
const struct masq_check_observed *export_observed(struct exported *e,
						  const struct check_observed *o);

#endif
