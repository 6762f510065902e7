// SPDX-License-Identifier: GPL-2.0-or-later
/* What the link makes of datagrams: recorded sizes and orders that this kernel
 * does not send. */
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <libmnl/libmnl.h>

struct msghdr;
static ssize_t fake_recvmsg(int fd, struct msghdr *msg, int flags);
static ssize_t fake_sendto(const struct mnl_socket *s, const void *buf, size_t len);
static int fake_setsockopt(int fd, int level, int option, const void *value, socklen_t len);

#define recvmsg fake_recvmsg
#define mnl_socket_sendto fake_sendto
#define setsockopt fake_setsockopt
#include "../../lib/nft/link.c"
#undef recvmsg
#undef mnl_socket_sendto
#undef setsockopt

#include "tap.h"

/* Datagrams to come: bytes, or an errno value. */
static struct {
	char bytes[65536];
	size_t len;
	int err;
} queue[8];
static size_t queued, taken;
static size_t send_buffer, receive_buffer;

static ssize_t fake_recvmsg(int fd, struct msghdr *msg, int flags)
{
	size_t n;

	(void)fd;
	(void)flags;
	msg->msg_flags = 0;
	if (taken == queued) {
		errno = EAGAIN;
		return -1;
	}
	if (queue[taken].err) {
		errno = queue[taken++].err;
		return -1;
	}
	n = queue[taken].len;
	if (n > msg->msg_iov->iov_len) {
		n = msg->msg_iov->iov_len;
		msg->msg_flags = MSG_TRUNC;
	}
	memcpy(msg->msg_iov->iov_base, queue[taken++].bytes, n);
	return (ssize_t)n;
}

static ssize_t fake_sendto(const struct mnl_socket *s, const void *buf, size_t len)
{
	(void)s;
	(void)buf;
	return (ssize_t)len;
}

static int fake_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	(void)fd;
	(void)level;
	(void)len;
	if (option == SO_SNDBUFFORCE)
		send_buffer = (size_t) * (const int *)value;
	if (option == SO_RCVBUFFORCE)
		receive_buffer = (size_t) * (const int *)value;
	return 0;
}

static void forget(void)
{
	queued = taken = 0;
	memset(queue, 0, sizeof(queue));
}

/* Appends a message of this payload size to the last datagram. */
static struct nlmsghdr *put(uint16_t type, uint32_t seq, size_t payload)
{
	size_t *len = &queue[queued - 1].len;
	struct nlmsghdr *nlh = (struct nlmsghdr *)(queue[queued - 1].bytes + *len);

	*nlh = (struct nlmsghdr){
		.nlmsg_len = (uint32_t)NLMSG_LENGTH(payload), .nlmsg_type = type, .nlmsg_seq = seq};
	*len += NLMSG_ALIGN(nlh->nlmsg_len);
	return nlh;
}

static void put_error(uint32_t seq, int err)
{
	struct nlmsghdr *nlh = put(NLMSG_ERROR, seq, sizeof(struct nlmsgerr));

	*(struct nlmsgerr *)mnl_nlmsg_get_payload(nlh) =
		(struct nlmsgerr){.error = -err, .msg.nlmsg_seq = seq};
}

static size_t seen;

static int count(const struct nlmsghdr *nlh, void *arg)
{
	(void)arg;
	seen += nlh->nlmsg_len;
	return 0;
}

/* Kernels with pages of 64 KiB fill the first message of a dump with up to 8
 * KiB. */
static void large_messages(struct link *l, struct buf *b)
{
	static const size_t sizes[] = {4096, 8192, 32768, 65000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		forget();
		buf_reset(b);
		buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, NLM_F_DUMP);
		queued = 1;
		put(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, b->seq, sizes[i]);
		queued = 2;
		put(NLMSG_DONE, b->seq, 4);
		seen = 0;
		is_int(link_dump(l, b, count, NULL), 0, "a first message of %zu bytes", sizes[i]);
		is_int((long long)seen, (long long)NLMSG_LENGTH(sizes[i]),
		       "... is read as a whole");
	}
}

static void several_requests(struct link *l, struct buf *b)
{
	uint32_t first;

	forget();
	buf_reset(b);
	for (int i = 0; i < 3; i++)
		buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, 0);
	first = b->first;
	queued = 1;
	put(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, first - 1, 64); /* of an earlier one */
	put_error(first, ENOENT);
	queued = 2;
	put(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, first + 1, 64);
	put_error(first + 2, ENOENT);
	seen = 0;
	is_int(link_get(l, b, count, NULL), 0, "of three things one is there");
	is_int((long long)seen, NLMSG_LENGTH(64), "... and told once");

	forget();
	buf_reset(b);
	buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, 0);
	buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, 0);
	queued = 1;
	put_error(b->first, ENOENT);
	put_error(b->seq, ENOENT);
	is_int(link_get(l, b, count, NULL), -ENOENT, "none of two");

	forget();
	buf_reset(b);
	buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, 0);
	buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, 0);
	queued = 1;
	put_error(b->first, EINVAL);
	put(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, b->seq, 64);
	is_int(link_get(l, b, count, NULL), -EINVAL, "another error of the first is not lost");

	forget();
	buf_reset(b);
	buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, 0);
	buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, 0);
	queued = 1;
	put_error(b->first, ENOENT);
	is_int(link_get(l, b, count, NULL), -EBADMSG, "an answer is missing");
}

static void batch(struct buf *b, size_t messages)
{
	buf_reset(b);
	buf_begin_batch(b, 1);
	for (size_t i = 0; i < messages; i++)
		buf_msg(b, FAMILY_IPV4, NFT_MSG_DELRULE, 0);
	buf_end_batch(b);
}

/* What is left of a reading that failed is not taken for an answer to the next
 * one. */
static void left_answers(struct link *l, struct buf *b)
{
	forget();
	l->unread = false; /* nothing of what is to come is left of before */
	buf_reset(b);
	buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, 0);
	queued = 1;
	queue[0].err = EIO;
	is_int(link_get(l, b, count, NULL), -EIO, "reading fails");
	queued = 2;
	put_error(b->seq + 1, ENOENT);
	buf_reset(b);
	buf_msg(b, FAMILY_IPV4, NFT_MSG_GETSETELEM, 0);
	is_int(link_get(l, b, count, NULL), -EBADMSG,
	       "what comes too late is no answer to the next");
}

static void commits(struct link *l, struct buf *b)
{
	struct link_error error;

	forget();
	l->unread = false;
	batch(b, 20000);
	queued = 1;
	put_error(b->first + 3, EBUSY);
	put_error(b->first + 4, EPERM);
	queued = 2;
	queue[1].err = ENOBUFS;
	is_int(link_commit(l, b, &error), -EBUSY,
	       "more refusals than the buffer takes: the first counts");
	is_int(error.err, EBUSY, "... and is what is told");
	ok(error.msg && error.msg->nlmsg_seq == b->first + 3, "... of its message");
	ok(receive_buffer >= 20000 * 512, "there is room for one of each message");
	ok(send_buffer >= b->len, "... and for the batch");

	forget();
	batch(b, 2);
	queued = 1;
	queue[0].err = ENOBUFS;
	queued = 2;
	put_error(b->first + 1, EEXIST);
	is_int(link_commit(l, b, &error), -EEXIST,
	       "the report of a loss comes first: what follows counts");

	forget();
	batch(b, 2);
	queued = 1;
	queue[0].err = ENOBUFS;
	is_int(link_commit(l, b, &error), -ENOBUFS, "nothing but a loss");

	forget();
	batch(b, 2);
	queued = 1;
	put_error(b->seq - 1, 0);
	is_int(link_commit(l, b, &error), 0, "acknowledged");

	forget();
	batch(b, 2);
	is_int(link_commit(l, b, &error), -EBADMSG, "no answer at all");

	forget();
	batch(b, 2);
	queued = 1;
	put_error(b->first, ERESTART);
	is_int(link_commit(l, b, &error), -ERESTART, "another generation");
}

/* The kernel's words and the attribute that it means stand behind the message
 * that failed; since 4.12 behind its header alone. */
static void explanations(struct link *l, struct buf *b)
{
	static const char words[] = "no such thing";
	char many[1000] = "";
	struct link_error error;
	struct nlmsghdr *nlh;

	for (int capped = 0; capped < 2; capped++) {
		size_t copied = capped ? 0 : 20;

		forget();
		batch(b, 2);
		queued = 1;
		nlh = put(NLMSG_ERROR, b->first + 1, sizeof(struct nlmsgerr) + copied);
		*(struct nlmsgerr *)mnl_nlmsg_get_payload(nlh) =
			(struct nlmsgerr){.error = -EINVAL,
					  .msg.nlmsg_seq = b->first + 1,
					  .msg.nlmsg_len = NLMSG_HDRLEN + 20};
		nlh->nlmsg_flags = (uint16_t)(NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0));
		mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, words);
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, 44);
		queue[0].len = nlh->nlmsg_len;
		is_int(link_commit(l, b, &error), -EINVAL, "refused%s", capped ? "" : ", in full");
		is_str(error.text, words, "... in the kernel's words");
		is_int(error.offset, 44, "... and where");
	}

	forget();
	batch(b, 2);
	queued = 1;
	put_error(b->first + 1, EINVAL);
	nlh = (struct nlmsghdr *)queue[0].bytes;
	nlh->nlmsg_flags = NLM_F_ACK_TLVS | NLM_F_CAPPED;
	memset(many, 'x', sizeof(many) - 1);
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, many);
	queue[0].len = nlh->nlmsg_len;
	is_int(link_commit(l, b, &error), -EINVAL, "refused with many words");
	is_int((long long)strlen(error.text), sizeof(error.text) - 1, "... that are cut off");
}

int main(void)
{
	struct buf b;
	struct link *l;

	if (link_open(&l) < 0 || buf_init(&b) < 0) {
		perror("netlink");
		return 1;
	}
	large_messages(l, &b);
	several_requests(l, &b);
	left_answers(l, &b);
	commits(l, &b);
	explanations(l, &b);
	buf_free(&b);
	link_close(l);
	return done_testing();
}
