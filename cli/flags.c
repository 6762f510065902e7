// SPDX-License-Identifier: GPL-2.0-or-later
#include "flags.h"

static const struct flag_spec specs[] = {
	[FLAG_NUMERIC] = {'n', "-n", "no look-ups: numbers only, in and out",
			  1 << ACT_DO | 1 << ACT_QUERY | 1 << ACT_LIST, 0},
	[FLAG_VERBOSE] = {'v', "-v", "say more; in a listing, also how many connections went there",
			  1 << ACT_LIST, 0},
	[FLAG_JSON] = {'j', "--json", "print JSON", 1 << ACT_LIST, 0},
	[FLAG_DRY_RUN] = {0, "--dry-run", "change nothing, print the equivalent nft commands",
			  1 << ACT_DO, 0},
	[FLAG_CUT] = {0, "--cut", "also end running connections whose target is no longer theirs",
		      0, '+'},
	[FLAG_HELP] = {'h', "--help", "print this", ~0u, 0},
};
_Static_assert(FLAG_COUNT <= FLAGS_MAX, "struct given has no room for them");

const struct flags flags_common = {.specs = specs, .count = FLAG_COUNT, .help = FLAG_HELP};
