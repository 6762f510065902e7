/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that would suffer from our last nat chain going away.
 *
 * The kernel translates the packets of running connections from hooks that it holds only as long as
 * anybody has a nat chain (net/netfilter/nf_nat_core.c, nf_nat_register_fn): without one a
 * forwarded connection is cut though its conntrack entry lives (measured on 6.18).
 */
#ifndef NFTCONN_H
#define NFTCONN_H

#include "nftlink.h"

/* Whether there are connections with a translated destination that still run, and nobody else keeps
 * the translation going. 0 or -errno; where conntrack can't be read, the answer is no. */
int conn_need_us(struct nftlink *l, struct nftbuf *b, bool *need);

#endif
