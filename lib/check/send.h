/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends a packet for each target, follows it and its answer. */
#ifndef CHECK_SEND_H
#define CHECK_SEND_H

#include <stddef.h>

#include "clock.h"
#include "family.h"

/* So many share one table and wait together. */
enum { SEND_MAX = 256 };

/* Fills in what packets show, for those of the n (at most SEND_MAX)
 * observations that reading has found nothing wrong with; the others are NULL.
 * Where it cannot be done, unable says why. */
void send_packets(const struct family *family, struct check_observed *const *o, size_t n,
		  const struct tick *tick);

#endif
