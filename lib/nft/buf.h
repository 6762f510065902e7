/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink messages under construction, back to back. */
#ifndef BUF_H
#define BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#include "families.h"

struct buf {
	char *data;
	size_t len, cap;
	size_t zeroed;  /* up to here it is, or has been written */
	size_t last;    /* where the last message begins */
	uint32_t first; /* sequence number of the first message since buf_reset() */
	uint32_t seq;   /* of the last message */
	bool open;      /* len does not count the last message yet */
	bool failed;    /* out of memory: nothing is added from here on */
};

/* An empty one, with room for a message: 0 or -ENOMEM. */
int buf_init(struct buf *b);
/* Also one that is all zero. */
void buf_free(struct buf *b);
void buf_reset(struct buf *b);

/* A message of this NFT_MSG_ type for a family. There is room for BUF_ROOM
 * bytes of attributes; it is closed by the next call for the same buffer, and
 * the pointer is good until then. Out of memory it is a message that goes
 * nowhere, and link_*() gives -ENOMEM. */
#define BUF_ROOM 69632 /* one attribute of 64 KiB, and some more */
struct nlmsghdr *buf_msg(struct buf *b, enum family f, uint16_t type, uint16_t flags);
/* The same for any netfilter subsystem and family, by its number. */
struct nlmsghdr *buf_request(struct buf *b, uint8_t subsystem, uint16_t type, uint16_t flags,
			     uint8_t family);
/* Accounts for what was put into the last message. */
void buf_close(struct buf *b);

/* Opens and closes a batch that the kernel takes only if its ruleset is still
 * of this generation. */
void buf_begin_batch(struct buf *b, uint32_t genid);
void buf_end_batch(struct buf *b);
/* The same batch for another generation. */
void buf_move_batch(struct buf *b, uint32_t genid);

/* Whether a whole message is at nlh. */
bool buf_is_message(const struct nlmsghdr *nlh, int left);
/* The message with this sequence number, or NULL. */
const struct nlmsghdr *buf_find(const struct buf *b, uint32_t seq);

#endif
