/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts from what became of packets. Each returns true if it has found a
 * cause. */
#ifndef CHECK_JUDGE_PACKET_H
#define CHECK_JUDGE_PACKET_H

#include "verdict.h"

/* On its way to the server. */
bool judge_out(struct verdict *v, const struct check_observed *o);
/* The answer, or that there is none. */
bool judge_back(struct verdict *v, const struct check_observed *o);
/* "Fragmentation needed" on its way to the server. */
bool judge_icmp(struct verdict *v, const struct check_observed *o);

#endif
