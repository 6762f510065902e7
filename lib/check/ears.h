/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hears what neighbours ask and answer, by ARP or by Neighbour Discovery. */
#ifndef CHECK_EARS_H
#define CHECK_EARS_H

#include "family.h"

/* What was heard on any interface since ears_open(). */
struct ears {
	const struct family *family;
	int fd;
	struct heard {
		bool answer;
		struct masq_address asks, about; /* answer: both are who answered */
	} heard[512];
	size_t n;
};
void ears_open(struct ears *e, const struct family *family);
/* Hears questions on this interface that are for others: they go to groups. */
void ears_watch(struct ears *e, const char *interface);
void ears_listen(struct ears *e); /* does not wait */
/* Asks who has the address; false where neighbours are not asked. */
bool ears_ask(struct ears *e, const char *interface, const struct masq_address *ours,
	      const struct masq_address *address);
/* Whether it has answered. */
bool ears_answered(const struct ears *e, const struct masq_address *address);
void ears_close(struct ears *e);

#endif
