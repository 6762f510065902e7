/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks servers from here: connections, and what comes of them. */
#ifndef CHECK_PROBE_H
#define CHECK_PROBE_H

#include <stddef.h>

#include "clock.h"
#include "observed.h"

struct probe {
	uint8_t protocol;
	struct masq_address from; /* AF_UNSPEC: as routed */
	struct masq_address to;
	uint16_t port;
	enum masq_check_answer answer; /* the result */
	int fd;                        /* internal */
};

/* Connects to all of them at once; waits at most so long. */
void probe_all(struct probe *probes, size_t n, int milliseconds, const struct tick *tick);

#endif
