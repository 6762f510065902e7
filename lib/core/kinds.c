// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of kinds. */
#include "kind.h"

const struct kind *const kinds[KINDS_MAX + 1] = {
	[MASQ_PORTFW] = &kind_portfw,
	[MASQ_MFW] = &kind_mfw,
	[MASQ_AUTOFW] = &kind_autofw,
	[MASQ_REACH] = &kind_reach,
};
