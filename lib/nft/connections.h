/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that the kernel follows: asked for, read, forgotten (ctnetlink). */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "link.h"
#include "service.h"

/* Which connections are meant. */
struct connection_filter {
	uint32_t status, mask; /* IPS_ bits, and those of them that count */
	/* What they were addressed to, as a portfw service is named. What is 0
	 * does not count; nor does a port without a protocol, and without a
	 * family connections of every one are meant. */
	struct key key;
};

/* Begins a request: IPCTNL_MSG_CT_GET for a dump, or IPCTNL_MSG_CT_DELETE for all
 * of them at once, which older kernels (6.1) refuse with EINVAL. */
void connections_ask(struct buf *b, uint16_t type, const struct connection_filter *filter);

struct connection {
	struct key key; /* what it was addressed to */
	uint32_t status;
	struct masq_address server; /* who answers */
	uint16_t server_port;
	/* what names it to the kernel, as the kernel told it */
	uint32_t id;
	uint16_t zone;
	uint16_t tuple_len;
	uint8_t tuple[128];
};

/* Reads a message of a dump; false: it is of no use, or not of TCP or UDP. Older
 * kernels filter less than they were asked to. */
bool connection_read(struct connection *out, const struct nlmsghdr *nlh);

/* Begins a request that makes the kernel forget this one, if it is still there. */
void connection_forget(struct buf *b, const struct connection *c);

/* So many bytes of such requests, some 150 each, are sent at once: their answers
 * fit into any buffer. */
#define CONNECTIONS_AT_ONCE 16384
/* Sends what connection_forget() has begun, and empties the buffer. 0 or -errno. */
int connections_send(struct link *l, struct buf *b);

#endif
