/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts about the server. Each returns true if it has found a cause. */
#ifndef CHECK_JUDGE_SERVER_H
#define CHECK_JUDGE_SERVER_H

#include "verdict.h"

/* near: this machine was refused, else the packet */
bool judge_refused(struct verdict *v, const struct check_observed *o, bool near);
bool judge_down(struct verdict *v, const struct check_observed *o);
/* The packet left, and nothing came back. */
bool judge_silence(struct verdict *v, const struct check_observed *o);

#endif
