/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP clients that kept sending before a forward was there. The kernel follows
 * their datagrams as a connection that leads nowhere, and asks for a forward
 * only when it has forgotten that, which it never does while they go on.
 */
#ifndef STALE_H
#define STALE_H

#include "link.h"
#include "state.h"

/*
 * After a commit: makes the kernel forget, for each service that was added or
 * changed, exactly the connections to its address and port that are neither
 * translated nor ever answered; of services on any address, and of an entry of
 * autofw that was added and names a host, those to addresses of this machine.
 * Which mark a datagram has nobody knows of its connection: those of mfw are
 * left. Where conntrack cannot be asked nothing is forgotten, which is no
 * error: such clients are forwarded once they have paused.
 */
void stale_forget(struct link *l, struct buf *b, struct state *st);

#endif
