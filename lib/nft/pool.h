/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain of a service with several targets, or with a helper (objects.h):
 * its schedule, a rule for each step. A rule counts only what those before it
 * let pass.
 *
 *	chain tcp-198.51.100.1-80 {
 *		numgen inc mod 6 < 1 meta l4proto tcp counter dnat to 10.0.0.2:80
 *		numgen inc mod 5 < 2 meta l4proto tcp counter dnat to 10.0.0.3:80
 *		meta l4proto tcp counter dnat to 10.0.0.4:80
 *	}
 *
 * nft(8) takes a port only behind a test of one protocol, and a set for both
 * would be one more for each rule, among all of which the kernel searches by
 * name. So a target of a mark that has a port has a chain of its own:
 *
 *	chain mark-7 { numgen inc mod 2 < 1 counter goto mark-7-to-10.0.0.2-80 ... }
 *	chain mark-7-to-10.0.0.2-80 {
 *		meta l4proto tcp dnat to 10.0.0.2:80
 *		meta l4proto udp dnat to 10.0.0.2:80
 *	}
 *
 * In table ip6 the names are mark-7-to-fd00__2-80 and the like.
 */
#ifndef POOL_H
#define POOL_H

#include "batch.h"
#include "state.h"

/* Makes or replaces the chain of a service as it is now; 0 or -ENOMEM. */
int pool_write(struct batch *b, const struct state *st, const struct service *s);
/* What remains when no rule goes there any more. */
void pool_write_end(struct batch *b, const struct state *st, const struct service *s);
/* Takes the chain away that a service was loaded with. */
void pool_remove(struct batch *b, const struct state *st, const struct service *s);

/* The target that the name of a chain of its own stands for; false: it is none
 * of this service's. */
bool pool_target_parse(struct target *out, const struct key *key, const char *chain);

/* Whether the name is one of a service's chain, or of a target's. */
bool pool_owns(enum family f, const char *chain);

#endif
