/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink framing for nf_tables: requests, dumps, batches, acknowledgements, the generation id.
 * Knows nothing of masquerading; libmnl does the parsing.
 *
 * Nothing here waits: the kernel works on a netlink message inside sendmsg(2) and on a dump inside
 * recvmsg(2) (net/netlink/af_netlink.c), so whatever there is to read is there when it is asked
 * for.
 */
#ifndef NFTLINK_H
#define NFTLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

struct nftlink;

/* Messages under construction, back to back. */
struct nftbuf {
	char *data;
	size_t len, cap;
	size_t last; /* where the last message begins */
	uint32_t seq;
	bool open;   /* len does not count the last message yet */
	bool failed; /* out of memory: nothing is added from here on */
};

/* An empty one, with room for a message: 0 or -ENOMEM. */
int nftbuf_init(struct nftbuf *b);
/* Also one that is all zero. */
void nftbuf_free(struct nftbuf *b);
/* The same for any netfilter subsystem and family. */
struct nlmsghdr *nftbuf_request(struct nftbuf *b, uint8_t subsystem, uint16_t type, uint16_t flags,
				uint8_t family);
void nftbuf_reset(struct nftbuf *b);

/* A message of this NFT_MSG_ type for family ip. There is room for NFTBUF_ROOM bytes of attributes;
 * it is closed by the next call for the same buffer, and the pointer is good until then. Out of
 * memory it is a message that goes nowhere, and nftlink_*() gives -ENOMEM. */
#define NFTBUF_ROOM 69632 /* one attribute of 64 KiB, and some more */
struct nlmsghdr *nftbuf_msg(struct nftbuf *b, uint16_t type, uint16_t flags);

/* Opens and closes a batch that the kernel takes only if its ruleset is still of this generation.
 */
void nftbuf_begin(struct nftbuf *b, uint32_t genid);
void nftbuf_end(struct nftbuf *b);
/* The same batch for another generation. */
void nftbuf_move(struct nftbuf *b, uint32_t genid);

/* What the kernel said against a batch. */
struct nfterror {
	int err;                    /* positive errno */
	const struct nlmsghdr *msg; /* the message it is about, in the buffer; or NULL */
	uint32_t offset;            /* of the offending attribute in it; 0: unknown */
	char text[160];             /* its own words, or empty */
};

/* 0 or -errno. */
int nftlink_open(struct nftlink **out);
void nftlink_close(struct nftlink *l);

/* Called once a message received; a negative result ends the reading and is returned. */
typedef int nftlink_fn(const struct nlmsghdr *nlh, void *arg);

/* The generation of the whole ruleset; every commit by anybody raises it. */
int nftlink_genid(struct nftlink *l, uint32_t *genid);
/* Sends the one request in the buffer and reads its one answer. -ENOENT: there is no such thing. */
int nftlink_get(struct nftlink *l, struct nftbuf *b, nftlink_fn *fn, void *arg);
/* The same for a dump. -EINTR: the ruleset changed meanwhile, what fn saw is not one state. Dumps
 * of elements do not tell that; only the generation does, afterwards (measured on 6.18). */
int nftlink_dump(struct nftlink *l, struct nftbuf *b, nftlink_fn *fn, void *arg);
/* The same for no more than the first messages of a dump, a few dozen elements. */
int nftlink_glance(struct nftlink *l, struct nftbuf *b, nftlink_fn *fn, void *arg);
/* Sends a batch and collects every answer. -ERESTART: another generation, nothing was done. After
 * any other error, which *error describes, nothing was done either. */
int nftlink_commit(struct nftlink *l, struct nftbuf *b, struct nfterror *error);

/*
 * Generations say that somebody changed something. Where others do so all the time, somebody has to
 * listen to what it was: from nftlink_watch() on, which also forgets what was heard before, dumps
 * give no -EINTR, and nftlink_quiet() tells whether our table is untouched since, up to this
 * generation. When in doubt it is not. The kernel then tells us of our own changes, too, which
 * takes it longer than making them: nftlink_unwatch() as soon as possible.
 */
int nftlink_watch(struct nftlink *l);
bool nftlink_quiet(struct nftlink *l, uint32_t genid);
void nftlink_unwatch(struct nftlink *l);

#endif
