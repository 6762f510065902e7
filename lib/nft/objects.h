/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers in our tables. A service that has one is a chain of its own, also
 * with one target, whose first rule names an object:
 *
 *	ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
 *	chain tcp-198.51.100.1-21 {
 *		ct helper set "ftp"
 *		meta l4proto tcp counter dnat to 10.0.0.2:21
 *	}
 *
 * So other services pay nothing for it, and what a service is named by does not
 * matter. An object is made with the first service that needs it, and goes with
 * the last.
 */
#ifndef OBJECTS_H
#define OBJECTS_H

#include "helper.h"
#include "service.h"

/* In each table. */
#define HELPER_OBJECTS 8
struct helper_object {
	enum helper helper;
	uint8_t protocol;
	const char *name;
	const char *type; /* as the kernel names it */
	const char *module, *nat_module, *config;
	bool only_ipv4;
};
extern const struct helper_object helper_objects[HELPER_OBJECTS];

/* Of a service as it is; NULL: it has no helper. */
const struct helper_object *helper_of(const struct service *s);
/* By the name of an object; NULL: none of ours. */
const struct helper_object *helper_named(const char *name);

#endif
