// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nftlayout.h"
#include "nftlink.h"

/* The kernel fills a dump message with up to 32 KiB if it has seen a reader that takes as much
 * (netlink_recvmsg): fewer messages, and each starts its walk over a set from the beginning. */
#define RECEIVE_SIZE 65536

/* For the changes that others make while a large listing is read. */
#define WATCH_BUFFER (8 << 20)
/* How long the kernel may take from a new generation to telling of it, in ms. */
#define WATCH_WAIT 200

struct nftlink {
	struct mnl_socket *socket;
	struct mnl_socket *watch; /* or NULL */
	bool touched;             /* heard of a change to our table, or could have missed one */
	uint32_t heard;           /* the last generation that was told; 0, which is none: not yet */
	struct nftbuf query;      /* for the generation id */
	char receive[RECEIVE_SIZE];
};

#define MESSAGE_ROOM (NFTBUF_ROOM + 1024)

/* Zeroed throughout, since libmnl leaves the padding of attributes as it finds it. */
int nftbuf_init(struct nftbuf *b)
{
	*b = (struct nftbuf){.data = calloc(2, MESSAGE_ROOM), .cap = 2 * MESSAGE_ROOM};
	return b->data ? 0 : -ENOMEM;
}

void nftbuf_reset(struct nftbuf *b)
{
	b->len = b->last = 0;
	b->failed = b->open = false;
}

void nftbuf_free(struct nftbuf *b)
{
	free(b->data);
	*b = (struct nftbuf){0};
}

/* Accounts for what was put into the last message. */
static void close_last(struct nftbuf *b)
{
	if (b->open)
		b->len = b->last + NLMSG_ALIGN(((struct nlmsghdr *)(b->data + b->last))->nlmsg_len);
	b->open = false;
}

static struct nlmsghdr *message(struct nftbuf *b, uint16_t type, uint16_t flags, uint8_t family,
				uint16_t res_id)
{
	struct nlmsghdr *nlh;
	struct nfgenmsg *gen;

	close_last(b);
	if (!b->failed && b->cap - b->len < MESSAGE_ROOM) {
		char *data = calloc(2, b->cap);

		if (data) {
			memcpy(data, b->data, b->len);
			free(b->data);
			b->data = data;
			b->cap *= 2;
		}
		b->failed = !data;
	}
	if (!b->failed) {
		b->last = b->len;
		b->open = true;
	}
	/* what is there is lost anyway */
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

struct nlmsghdr *nftbuf_request(struct nftbuf *b, uint8_t subsystem, uint16_t type, uint16_t flags,
				uint8_t family)
{
	return message(b, (uint16_t)(subsystem << 8 | type), flags, family, 0);
}

struct nlmsghdr *nftbuf_msg(struct nftbuf *b, uint16_t type, uint16_t flags)
{
	return nftbuf_request(b, NFNL_SUBSYS_NFTABLES, type, flags, NFPROTO_IPV4);
}

void nftbuf_begin(struct nftbuf *b, uint32_t genid)
{
	struct nlmsghdr *nlh = message(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);

	mnl_attr_put_u32(nlh, NFNL_BATCH_GENID, htonl(genid));
}

void nftbuf_move(struct nftbuf *b, uint32_t genid)
{
	/* the only attribute of the first message */
	struct nlattr *attr =
		mnl_nlmsg_get_payload_offset((struct nlmsghdr *)b->data, sizeof(struct nfgenmsg));

	genid = htonl(genid);
	memcpy(mnl_attr_get_payload(attr), &genid, sizeof(genid));
}

/* Errors are told for every message; success for those that ask. The last one's says it all, and
 * tens of thousands of them would not fit into the receive buffer. */
void nftbuf_end(struct nftbuf *b)
{
	if (!b->failed)
		((struct nlmsghdr *)(b->data + b->last))->nlmsg_flags |= NLM_F_ACK;
	message(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	close_last(b);
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int on = 1, err;

	if (!s)
		return NULL;
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = errno;
		mnl_socket_close(s);
		errno = err;
		return NULL;
	}
	/* Both since 4.12; without them errors are only less telling. */
	mnl_socket_setsockopt(s, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &on, sizeof(on));
	return s;
}

int nftlink_open(struct nftlink **out)
{
	struct nftlink *l = malloc(sizeof(*l));

	*out = NULL;
	if (!l)
		return -ENOMEM;
	l->watch = NULL;
	l->socket = nftbuf_init(&l->query) < 0 ? NULL : open_socket();
	if (!l->socket) {
		int err = errno;

		nftbuf_free(&l->query);
		free(l);
		return -err;
	}
	*out = l;
	return 0;
}

void nftlink_close(struct nftlink *l)
{
	if (!l)
		return;
	nftlink_unwatch(l);
	mnl_socket_close(l->socket);
	nftbuf_free(&l->query);
	free(l);
}

/* The next datagram. 0: there is none. */
static ssize_t receive(struct mnl_socket *socket, char *buf, size_t size)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = buf, .iov_len = size};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	do {
		n = recvmsg(mnl_socket_get_fd(socket), &msg, MSG_DONTWAIT);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid)); /* only the kernel's */
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return msg.msg_flags & MSG_TRUNC ? -ENOSPC : n;
}

/* The errno value of an NLMSG_ERROR; 0 is an acknowledgement. */
static int error_of(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	/* no kernel has larger error numbers (MAX_ERRNO) */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e) || e->error < -4095)
		return EBADMSG;
	return e->error < 0 ? -e->error : e->error;
}

/* Whether a whole message is there. libmnl takes a length beyond 2^31 for a negative one. */
static bool is_message(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (unsigned int)left;
}

enum reading { READ_ANSWER, READ_DUMP };

static int read_answer(struct mnl_socket *socket, char *buf, size_t size, enum reading how,
		       uint32_t seq, nftlink_fn *fn, void *arg)
{
	bool interrupted = false;
	int err = 0;

	for (;;) {
		ssize_t got = receive(socket, buf, size);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		int left = (int)got;

		if (got <= 0)
			return got < 0 ? (int)got : -EBADMSG;
		for (; is_message(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq != seq)
				continue; /* what an ended reading left behind */
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return -error_of(nlh);
			if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
				interrupted = true;
			if (nlh->nlmsg_type == NLMSG_DONE)
				return interrupted ? -EINTR : err;
			/* after an error a dump is still read to its end: the next one waits for it
			 */
			if (!err && nlh->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
				err = -EBADMSG;
			if (!err)
				err = fn(nlh, arg);
			if (how == READ_ANSWER)
				return err;
		}
	}
}

static int query(struct mnl_socket *socket, char *buf, size_t size, struct nftbuf *b,
		 enum reading how, nftlink_fn *fn, void *arg)
{
	if (b->failed)
		return -ENOMEM;
	close_last(b);
	if (mnl_socket_sendto(socket, b->data, b->len) < 0)
		return -errno;
	return read_answer(socket, buf, size, how, b->seq, fn, arg);
}

int nftlink_get(struct nftlink *l, struct nftbuf *b, nftlink_fn *fn, void *arg)
{
	return query(l->socket, l->receive, sizeof(l->receive), b, READ_ANSWER, fn, arg);
}

int nftlink_dump(struct nftlink *l, struct nftbuf *b, nftlink_fn *fn, void *arg)
{
	int err = query(l->socket, l->receive, sizeof(l->receive), b, READ_DUMP, fn, arg);

	return err == -EINTR && l->watch ? 0 : err;
}

/* A socket of its own, since closing it is the only way to stop a dump. */
int nftlink_glance(struct nftlink *l, struct nftbuf *b, nftlink_fn *fn, void *arg)
{
	struct mnl_socket *s = open_socket();
	int err;

	if (!s)
		return -errno;
	err = query(s, l->receive, 4096, b, READ_ANSWER, fn, arg);
	mnl_socket_close(s);
	return err;
}

static int read_genid(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *attr;
	uint32_t *genid = arg;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0) {
			*genid = ntohl(mnl_attr_get_u32(attr));
			return 0;
		}
	}
	return -EBADMSG;
}

int nftlink_genid(struct nftlink *l, uint32_t *genid)
{
	nftbuf_reset(&l->query);
	nftbuf_msg(&l->query, NFT_MSG_GETGEN, 0);
	return nftlink_get(l, &l->query, read_genid, genid);
}

/* What a message of the watch tells. */
static void hear(struct nftlink *l, const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(nlh);
	struct nlattr *attr;

	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*gen)) {
		l->touched = true;
		return;
	}
	if ((nlh->nlmsg_type & 0xff) == NFT_MSG_NEWGEN) {
		l->touched |= read_genid(nlh, &l->heard) < 0;
		return;
	}
	/* whatever it is of, the table's name is attribute 1 */
	mnl_attr_for_each (attr, nlh, sizeof(*gen))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 &&
		    (gen->nfgen_family != NFPROTO_IPV4 ||
		     strcmp(mnl_attr_get_str(attr), NFT_TABLE)))
			return;
	l->touched = true;
}

/* Takes what has been told so far. */
static void listen_in(struct nftlink *l)
{
	ssize_t got;

	while ((got = receive(l->watch, l->receive, sizeof(l->receive)))) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)l->receive;
		int left = (int)got;

		if (got < 0) /* more than fitted, for one */
			l->touched = true;
		if (got < 0 && got != -ENOBUFS)
			return;
		for (; got > 0 && is_message(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			hear(l, nlh);
	}
}

int nftlink_watch(struct nftlink *l)
{
	int size = WATCH_BUFFER, group = NFNLGRP_NFTABLES, err;

	if (!l->watch) {
		l->watch = open_socket();
		if (!l->watch)
			return -errno;
		if (mnl_socket_setsockopt(l->watch, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
		    0) {
			err = errno;
			nftlink_unwatch(l);
			return -err;
		}
		if (setsockopt(mnl_socket_get_fd(l->watch), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			       sizeof(size)) < 0)
			setsockopt(mnl_socket_get_fd(l->watch), SOL_SOCKET, SO_RCVBUF, &size,
				   sizeof(size));
	}
	listen_in(l);
	l->touched = false;
	l->heard = 0;
	return 0;
}

bool nftlink_quiet(struct nftlink *l, uint32_t genid)
{
	struct pollfd p = {.events = POLLIN};

	if (!l->watch)
		return false;
	p.fd = mnl_socket_get_fd(l->watch);
	for (;;) {
		listen_in(l);
		if (l->touched || (l->heard && l->heard - genid <= INT32_MAX)) /* or a later one */
			return !l->touched;
		if (poll(&p, 1, WATCH_WAIT) <= 0)
			return false;
	}
}

void nftlink_unwatch(struct nftlink *l)
{
	if (l->watch)
		mnl_socket_close(l->watch);
	l->watch = NULL;
}

/* A whole batch is one datagram, so the send buffer has to take it. */
static void make_send_room(struct mnl_socket *socket, size_t len)
{
	int fd = mnl_socket_get_fd(socket), size = (int)len + 4096, now = 0;
	socklen_t n = sizeof(now);

	if (len < INT32_MAX / 2 && !getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &now, &n) && now < size &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static const struct nlmsghdr *sent_message(const struct nftbuf *b, uint32_t seq)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)b->data;
	int left = (int)b->len;

	for (; is_message(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_seq == seq)
			return nlh;
	return NULL;
}

/* The extended acknowledgement behind an error: the kernel's words, and the attribute it means. */
static void describe_error(struct nfterror *error, const struct nftbuf *b,
			   const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	unsigned int offset = sizeof(*e);
	struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return;
	error->msg = sent_message(b, e->msg.nlmsg_seq);
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > NLMSG_HDRLEN)
		offset += NLMSG_ALIGN(e->msg.nlmsg_len - NLMSG_HDRLEN);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || offset > mnl_nlmsg_get_payload_len(nlh))
		return;
	mnl_attr_for_each (attr, nlh, offset) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0) {
			size_t n = strnlen(mnl_attr_get_str(attr), sizeof(error->text) - 1);

			memcpy(error->text, mnl_attr_get_str(attr), n);
			error->text[n] = 0;
		} else if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_OFFS &&
			   mnl_attr_validate(attr, MNL_TYPE_U32) >= 0) {
			error->offset = mnl_attr_get_u32(attr);
		}
	}
}

int nftlink_commit(struct nftlink *l, struct nftbuf *b, struct nfterror *error)
{
	uint32_t final = b->seq - 1; /* the one before the end of the batch */
	bool done = false;
	ssize_t got;

	*error = (struct nfterror){0};
	if (b->failed || !b->data) {
		error->err = ENOMEM;
		return -ENOMEM;
	}
	make_send_room(l->socket, b->len);
	if (mnl_socket_sendto(l->socket, b->data, b->len) < 0) {
		error->err = errno;
		return -error->err;
	}
	/* The first error is the cause; an acknowledgement does not count beside one. */
	while ((got = receive(l->socket, l->receive, sizeof(l->receive))) > 0) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)l->receive;
		int left = (int)got;

		for (; is_message(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_type != NLMSG_ERROR)
				continue;
			if (error_of(nlh) && !error->err) {
				error->err = error_of(nlh);
				describe_error(error, b, nlh);
			}
			done |= !error_of(nlh) && nlh->nlmsg_seq == final;
		}
	}
	if (!error->err && !done)
		error->err = got < 0 ? (int)-got : EBADMSG;
	return -error->err;
}
