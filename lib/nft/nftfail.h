/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nft transport's errors as texts. Each sets that of masq_error() and returns negative errno.
 */
#ifndef NFTFAIL_H
#define NFTFAIL_H

#include "handle.h"
#include "nftlink.h"

/* How often a command starts over when others change the ruleset under it. Each time one of them
 * has got something done; waits grow to some 20 ms. */
#define NFT_TRIES 500

/* Reading failed with this negative errno. 0 is no failure: returned, no text is set. */
int nft_fail(struct masq *m, int err);
/* The model refused a command, with what table_apply() returned. */
int nft_fail_refused(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl, int err);
/* The kernel refused a batch. */
int nft_fail_commit(struct masq *m, const struct nfterror *error);

#endif
