/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that would suffer from our last nat chain of a family going away.
 *
 * The kernel translates the packets of running connections from hooks that it
 * holds only as long as anybody has a nat chain (net/netfilter/nf_nat_core.c,
 * nf_nat_register_fn), and follows connections only as long as a rule needs it:
 * without them a forwarded connection is cut though its conntrack entry lives
 * (measured on 6.18).
 */
#ifndef CONNTRACK_H
#define CONNTRACK_H

#include "link.h"

/* Whether there are, or may be, connections of a family with a translated
 * destination that are not over, and nobody else keeps the translation going.
 * What cannot be found out counts as yes. 0 or -ENOMEM; -EINTR: the ruleset
 * changed meanwhile. */
int conntrack_needs_us(struct link *l, struct buf *b, enum family f, bool *need);

#endif
