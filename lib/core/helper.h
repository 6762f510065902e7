/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers: the kernel's readers of protocols that agree on further
 * connections. */
#ifndef HELPER_H
#define HELPER_H

#include "error.h"
#include "masq.h"

enum helper {
	HELPER_NONE,
	HELPER_FTP,
	HELPER_TFTP,
	HELPER_IRC,
	HELPER_SIP,
	HELPER_PPTP,
	HELPER_H323,
	HELPER_COUNT,
};

/* "ftp"; "" of HELPER_NONE. */
const char *helper_name(enum helper helper);
/* HELPER_NONE: there is no such helper. */
enum helper helper_find(const char *name);

/* Whether there is one of this name, for this protocol; of MASQ_TCP_UDP for
 * both. 0 or -EINVAL. */
int helper_check(struct error *e, const char *name, uint8_t protocol);

#endif
