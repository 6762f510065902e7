/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what was observed to what is wrong. Pure. */
#ifndef CHECK_JUDGE_H
#define CHECK_JUDGE_H

#include "verdict.h"

/* The first cause wins. */
void judge(struct verdict *v, const struct check_observed *o);

/* Whether a packet that was seen went astray for what the client is: near the
 * target, or this machine. Nothing need be asked of the target then. */
bool judge_is_about_reach(const struct check_observed *o);

/* Whether reading alone shows that it cannot work: no packet need be sent. */
bool judge_is_final(const struct check_observed *o);

#endif
