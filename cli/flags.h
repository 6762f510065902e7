/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of all kinds: -n, -v, --json, --dry-run, --cut, --help. */
#ifndef FLAGS_H
#define FLAGS_H

#include "grammar.h"

enum { FLAG_NUMERIC, FLAG_VERBOSE, FLAG_JSON, FLAG_DRY_RUN, FLAG_CUT, FLAG_HELP, FLAG_COUNT };

extern const struct flags flags_common;

#endif
