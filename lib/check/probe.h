/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks servers from here, and listens to what they ask by ARP. */
#ifndef CHECK_PROBE_H
#define CHECK_PROBE_H

#include <stddef.h>

#include "observed.h"

struct probe {
	uint8_t protocol;
	struct in_addr from; /* 0.0.0.0: as routed */
	struct in_addr to;
	uint16_t port;
	enum check_answer answer; /* the result */
	int fd;                   /* internal */
};

/* Connects to all of them at once; waits at most so long. */
void probe_all(struct probe *probes, size_t n, int milliseconds);

/* ARP heard on any interface since ears_open(). */
struct ears {
	int fd;
	struct heard {
		bool answer;
		struct in_addr asks, about; /* answer: both are who answered */
	} heard[512];
	size_t n;
};
void ears_open(struct ears *e);
void ears_listen(struct ears *e); /* does not wait */
/* Asks who has the address; false where there is no ARP. */
bool ears_ask(struct ears *e, const char *interface, struct in_addr ours, struct in_addr address);
/* Whether it has answered. */
bool ears_answered(const struct ears *e, struct in_addr address);
void ears_close(struct ears *e);

#endif
