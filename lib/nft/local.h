/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses are this machine's. */
#ifndef LOCAL_H
#define LOCAL_H

#include <libmnl/libmnl.h>

#include "addresses.h"

struct local {
	struct mnl_socket *route;           /* NULL: nobody is there to ask, so none is */
	struct masq_address asked;          /* what was asked last... */
	bool is;                            /* ...and the answer */
	struct addresses all[FAMILY_COUNT]; /* of interfaces, once they are asked for */
	bool read[FAMILY_COUNT];
};

void local_open(struct local *l);
void local_close(struct local *l);

/* As the rule in our chains asks: is it the way to this machine itself? */
bool local_is(struct local *l, const struct masq_address *a);
/* The interface that has an address; NULL: none that is known. */
const char *local_interface(struct local *l, const struct masq_address *a);

#endif
