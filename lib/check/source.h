/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose address a packet left with. */
#ifndef CHECK_SOURCE_H
#define CHECK_SOURCE_H

#include "observed.h"

/* Sets masqueraded and source_elsewhere, from the way of the packet. */
void source_observe(struct check_observed *o);

#endif
