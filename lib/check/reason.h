/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel has dropped a packet in this task: the tracepoint
 * skb:kfree_skb. */
#ifndef CHECK_REASON_H
#define CHECK_REASON_H

#include <stddef.h>

struct reason {
	int fd;
	void *ring;
	size_t ring_size;
	unsigned int offset, size; /* of the number in a sample */
	char *format;              /* the names */
};

/* Without tracefs, or the right to use it, everything is silently empty. */
void reason_open(struct reason *r);
void reason_close(struct reason *r);
/* Writes the name of the last drop since the last call, or "". */
void reason_last(struct reason *r, char *out, size_t size);

#endif
