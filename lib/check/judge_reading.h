/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts from what reading shows. Each returns true if it has found a
 * cause. */
#ifndef CHECK_JUDGE_READING_H
#define CHECK_JUDGE_READING_H

#include "verdict.h"

/* There is no such forward. */
void judge_none(struct verdict *v, const struct check_observed *o);
/* What makes sending a packet needless. */
bool judge_reading(struct verdict *v, const struct check_observed *o);

/* What routing shows. It explains why a packet was lost; without a packet it is
 * all there is. */
bool judge_rp_filter(struct verdict *v, const struct check_observed *o);
bool judge_no_route(struct verdict *v, const struct check_observed *o);
/* by: the interface that answers leave by */
bool judge_asymmetric(struct verdict *v, const struct check_observed *o, const char *by);

#endif
