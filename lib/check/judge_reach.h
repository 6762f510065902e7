/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts about clients that forwards reach in a way of their own: those on
 * the target's link, and this machine. Each returns true if it has found a
 * cause. */
#ifndef CHECK_JUDGE_REACH_H
#define CHECK_JUDGE_REACH_H

#include "verdict.h"

/* A connection of this machine that was not forwarded. */
bool judge_own(struct verdict *v, const struct check_observed *o);
/* A client in the target's network, which the target answers directly. */
bool judge_hairpin(struct verdict *v, const struct check_observed *o);

#endif
