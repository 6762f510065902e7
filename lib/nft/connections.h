/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that the kernel follows: asked for, read, forgotten
 * (ctnetlink). */
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

/* Begins a request, in which an address of IPv6 does not count:
 * IPCTNL_MSG_CT_GET for a dump, or IPCTNL_MSG_CT_DELETE for all of them at
 * once, which older kernels (6.1) refuse with EINVAL. */
void connections_ask(struct buf *b, uint16_t type, const struct connection_filter *filter);

/* Whether there are none at all. A dump of none walks through the kernel's
 * whole table (some 10 ms of 262,144 buckets, Linux 6.18). */
bool connections_none(struct link *l, struct buf *b);

struct connection {
	struct key key; /* what it was addressed to */
	struct masq_address client;
	uint16_t client_port;
	uint32_t status;
	uint32_t labels;            /* the highest 32: LABEL_BIT() of rule.h */
	struct masq_address server; /* who answers */
	uint16_t server_port;
	bool helped; /* a helper reads it */
	bool bar;    /* for whoever keeps them: to be barred when it is forgotten */
	/* as the kernel told it */
	uint32_t timeout;
	uint32_t id;
	uint16_t zone;
	uint16_t tuple_len;
	uint8_t tuple[128];
};

/* Reads a message of a dump; false: it is of no use, or not of TCP or UDP.
 * Older kernels filter less than they were asked to. */
bool connection_read(struct connection *out, const struct nlmsghdr *nlh);

/* Whether a message is of a connection that a helper awaited; *master is then
 * how the kernel names the one on which it was agreed, as in tuple and
 * tuple_len. */
bool connection_read_master(struct connection *master, const struct nlmsghdr *nlh);

/* Begins a request that makes the kernel forget this one, if it is still there;
 * exact: and not another one of the same addresses and ports. */
void connection_forget(struct buf *b, const struct connection *c, bool exact);

/*
 * Begins a request that puts another one in its place: to this machine itself,
 * and for as long. What the client goes on sending is answered here (TCP: by a
 * reset). What the server goes on sending is another connection, and if it is
 * masqueraded the client's is not free for it: else it would be taken for the
 * old one, as long as both ports are the same (seen with a download). Fails
 * with EEXIST where a packet was faster.
 */
void connection_bar(struct buf *b, const struct connection *c);

/* So many connections are sent at once: their answers fit into any buffer. */
#define CONNECTIONS_AT_ONCE 64
/* Sends what was begun, and empties the buffer. 0 or -errno. */
int connections_send(struct link *l, struct buf *b);

#endif
