/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to be checked, out of the library's listings. */
#ifndef CHECK_FORWARDS_H
#define CHECK_FORWARDS_H

#include <stddef.h>

#include "masq.h"
#include "observed.h"

struct forwards {
	struct check_forward *v;
	size_t n, cap;
	bool inside_off, own_off; /* switched off for the site: ipmasqadm-reach(8) */
};

/* Reads all of every kind. 0 or what masq_list() gives; forwards_free() after
 * either. */
int forwards_read(struct forwards *f, struct masq *m);
void forwards_free(struct forwards *f);

#endif
