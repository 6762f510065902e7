/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace of iptables-legacy: it logs which rules a packet matches where the
 * packet's nftrace is set. For that the network namespace's logger becomes
 * nfnetlink_log; whoever calls this has to see to legacy_restore() even after
 * a kill.
 */
#ifndef CHECK_LEGACY_H
#define CHECK_LEGACY_H

#include "family.h"
#include "follow.h"
#include "nl.h"

struct legacy {
	struct nl nl;
	const struct family *family;
	bool open;
	bool changed;
	char before[64]; /* the logger that was set */
};

/* False: another program has the group, or the kernel lacks it; then nothing
 * has changed. */
bool legacy_open(struct legacy *l, const struct family *family);
/* From now on what is traced comes here. */
bool legacy_start(struct legacy *l);
/* Async-signal-safe. */
void legacy_restore(const struct legacy *l);
void legacy_close(struct legacy *l);
/* Hands what has come to follow_legacy(); does not wait. */
void legacy_read(struct legacy *l, struct follow *f);

#endif
