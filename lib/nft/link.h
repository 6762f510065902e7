/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink framing for nf_tables: requests, dumps, batches, acknowledgements,
 * the generation id. Knows nothing of masquerading; libmnl does the parsing.
 *
 * Nothing here waits: the kernel works on a netlink message inside sendmsg(2)
 * and on a dump inside recvmsg(2) (net/netlink/af_netlink.c), so whatever there
 * is to read is there when it is asked for.
 */
#ifndef LINK_H
#define LINK_H

#include "buf.h"

struct link;

/* 0 or -errno. */
int link_open(struct link **out);
void link_close(struct link *l);

/* Called once a message received; a negative result ends the reading and is
 * returned. */
typedef int link_fn(const struct nlmsghdr *nlh, void *arg);

/* The generation of the whole ruleset; every commit by anybody raises it. */
int link_genid(struct link *l, uint32_t *genid);
/* The generation that a message tells. 0 or -EBADMSG. */
int link_read_genid(const struct nlmsghdr *nlh, uint32_t *genid);
/* Sends the requests in the buffer, in one system call, and reads one answer to
 * each. -ENOENT: none of the things is there. */
int link_get(struct link *l, struct buf *b, link_fn *fn, void *arg);
/* The same for one dump. -EINTR: the ruleset changed meanwhile, what fn saw is
 * not one state. Dumps of elements do not tell that; only the generation does,
 * afterwards (measured on 6.18). */
int link_dump(struct link *l, struct buf *b, link_fn *fn, void *arg);
/* The same for no more than the first messages of a dump, a few dozen
 * elements. */
int link_glance(struct link *l, struct buf *b, link_fn *fn, void *arg);

/* What the kernel answers to a batch. */
struct link_error {
	int err;                    /* positive errno */
	const struct nlmsghdr *msg; /* the message it is about, in the buffer; or NULL */
	uint32_t offset;            /* of the offending attribute in it; 0: unknown */
	char text[160];             /* its own words, or empty */
};

/* Sends a batch and collects every answer. -ERESTART: another generation,
 * nothing was done. After any other error, which *error describes, nothing was
 * done either. */
int link_commit(struct link *l, struct buf *b, struct link_error *error);

/* Sends a batch that does not end: the kernel looks at it, and loads modules
 * that it asks for, and does nothing. 0 or -errno. */
int link_try(struct link *l, struct buf *b);

/*
 * A generation tells that somebody changed something, not what. Under a stream
 * of others' changes the monitor tells: from link_monitor() on, which also
 * forgets what was heard before, dumps give no -EINTR, and link_quiet() is true
 * if our tables are untouched since, up to this generation; when in doubt it is
 * false. The kernel reports our own changes as well, which takes it longer than
 * making them: link_monitor_end() as soon as possible.
 */
int link_monitor(struct link *l);
bool link_quiet(struct link *l, uint32_t genid);
void link_monitor_end(struct link *l);

#endif
