/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule as its own tool prints it: by libnftables if it is installed, by
 * iptables. */
#ifndef CHECK_RULETEXT_H
#define CHECK_RULETEXT_H

#include "observed.h"

/* Each fills in place->text, or leaves it empty. */
void ruletext_nft(struct check_place *place);
void ruletext_iptables(struct check_place *place);
void ruletext_legacy(struct check_place *place);

#endif
