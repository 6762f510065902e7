/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for real connections and follows them. */
#ifndef CHECK_LIVE_H
#define CHECK_LIVE_H

#include <stddef.h>

#include "observed.h"

void live_wait(struct check_observed *o, size_t n, unsigned int seconds);

#endif
