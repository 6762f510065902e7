// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "buf.h"

#define MESSAGE_ROOM (BUF_ROOM + 1024)

/* Zeroed before it is written, since libmnl leaves the padding of attributes as
 * it finds it. */
int buf_init(struct buf *b)
{
	const size_t cap = 2 * MESSAGE_ROOM;

	*b = (struct buf){.data = calloc(1, cap), .cap = cap, .zeroed = cap};
	return b->data ? 0 : -ENOMEM;
}

/* For one more message. */
static void make_room(struct buf *b)
{
	size_t want = b->len + MESSAGE_ROOM;

	if (b->cap < want) {
		char *data = realloc(b->data, 2 * b->cap);

		b->failed = !data;
		if (!data)
			return;
		b->data = data;
		b->cap *= 2;
	}
	if (b->zeroed < want) {
		memset(b->data + b->zeroed, 0, want - b->zeroed);
		b->zeroed = want;
	}
}

void buf_reset(struct buf *b)
{
	b->len = b->last = 0;
	b->failed = b->open = false;
	b->first = b->seq + 1;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_close(struct buf *b)
{
	if (b->open)
		b->len = b->last + NLMSG_ALIGN(((struct nlmsghdr *)(b->data + b->last))->nlmsg_len);
	b->open = false;
}

static struct nlmsghdr *message(struct buf *b, uint16_t type, uint16_t flags, uint8_t family,
				uint16_t res_id)
{
	struct nlmsghdr *nlh;
	struct nfgenmsg *gen;

	buf_close(b);
	if (!b->failed)
		make_room(b);
	if (!b->failed) {
		b->last = b->len;
		b->open = true;
	}
	/* out of memory, the first message is overwritten: nothing is sent */
	nlh = mnl_nlmsg_put_header(b->failed ? b->data : b->data + b->len);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++b->seq;
	gen = mnl_nlmsg_put_extra_header(nlh, sizeof(*gen));
	gen->nfgen_family = family;
	gen->version = NFNETLINK_V0;
	gen->res_id = htons(res_id);
	return nlh;
}

struct nlmsghdr *buf_request(struct buf *b, uint8_t subsystem, uint16_t type, uint16_t flags,
			     uint8_t family)
{
	return message(b, (uint16_t)(subsystem << 8 | type), flags, family, 0);
}

struct nlmsghdr *buf_msg(struct buf *b, enum family f, uint16_t type, uint16_t flags)
{
	return buf_request(b, NFNL_SUBSYS_NFTABLES, type, flags, family_defs[f].number);
}

void buf_begin_batch(struct buf *b, uint32_t genid)
{
	struct nlmsghdr *nlh = message(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);

	mnl_attr_put_u32(nlh, NFNL_BATCH_GENID, htonl(genid));
}

void buf_move_batch(struct buf *b, uint32_t genid)
{
	/* the only attribute of the first message */
	struct nlattr *attr =
		mnl_nlmsg_get_payload_offset((struct nlmsghdr *)b->data, sizeof(struct nfgenmsg));

	genid = htonl(genid);
	memcpy(mnl_attr_get_payload(attr), &genid, sizeof(genid));
}

/* The kernel answers every message that fails, and those that ask when they
 * succeed. Only the last one asks: tens of thousands of answers would not fit
 * into the receive buffer. */
void buf_end_batch(struct buf *b)
{
	if (!b->failed)
		((struct nlmsghdr *)(b->data + b->last))->nlmsg_flags |= NLM_F_ACK;
	message(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	buf_close(b);
}

/* Whether a whole message is there. libmnl takes a length beyond 2^31 for a
 * negative one. */
bool buf_is_message(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (unsigned int)left;
}

const struct nlmsghdr *buf_find(const struct buf *b, uint32_t seq)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)b->data;
	int left = (int)b->len;

	for (; buf_is_message(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_seq == seq)
			return nlh;
	return NULL;
}
