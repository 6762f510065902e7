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

#include "link.h"
#include "schema.h"

/* The kernel fills a dump message with up to 32 KiB if it has seen a reader
 * that takes as much (netlink_recvmsg): fewer messages, and each starts its
 * walk over a set from the beginning. */
#define RECEIVE_SIZE 65536

/* For the changes that others make while a large listing is read. */
#define MONITOR_BUFFER (8 << 20)
/* How long the kernel may take from a new generation to its report, in ms. */
#define MONITOR_WAIT 200

/* What the kernel accounts for one error among the answers to a batch (a
 * message of its own, with the allocator's overhead). */
#define ANSWER_SIZE 1024

struct link {
	struct mnl_socket *socket;
	struct mnl_socket *monitor; /* or NULL */
	bool touched;               /* heard of a change to our table, or could have missed one */
	uint32_t heard;   /* the last generation that was reported; 0, which is none: not yet */
	struct buf query; /* for the generation id */
	bool unread;      /* reading answers has failed: some may be left */
	_Alignas(struct nlmsghdr) char receive[RECEIVE_SIZE];
};

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
	/* Both since 4.12; without them errors say less. */
	mnl_socket_setsockopt(s, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &on, sizeof(on));
	return s;
}

int link_open(struct link **out)
{
	struct link *l = malloc(sizeof(*l));

	*out = NULL;
	if (!l)
		return -ENOMEM;
	l->monitor = NULL;
	l->unread = false;
	l->socket = buf_init(&l->query) < 0 ? NULL : open_socket();
	if (!l->socket) {
		int err = errno;

		buf_free(&l->query);
		free(l);
		return -err;
	}
	*out = l;
	return 0;
}

void link_close(struct link *l)
{
	if (!l)
		return;
	link_monitor_end(l);
	mnl_socket_close(l->socket);
	buf_free(&l->query);
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

/*
 * Reads answers until a dump has ended, or until every request from sequence
 * number first to last has been answered, by a message or an error.
 */
static int read_answers(struct link *l, struct mnl_socket *socket, uint32_t first, uint32_t last,
			bool dump, link_fn *fn, void *arg)
{
	uint32_t left_over = last - first + 1;
	bool interrupted = false, found = false;
	int err = 0;

	for (;;) {
		ssize_t got = receive(socket, l->receive, sizeof(l->receive));
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)l->receive;
		int left = (int)got;

		if (got <= 0) {
			l->unread = true;
			return got < 0 ? (int)got : -EBADMSG;
		}
		for (; buf_is_message(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq - first > last - first)
				continue; /* what an ended reading left behind */
			if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
				interrupted = true;
			if (nlh->nlmsg_type == NLMSG_DONE)
				return interrupted ? -EINTR : err;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				if (dump)
					return -error_of(nlh);
				if (!err && error_of(nlh) != ENOENT)
					err = -error_of(nlh);
			} else {
				/* after an error a dump is still read to its
				 * end: the next one waits for it */
				if (!err && nlh->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
					err = -EBADMSG;
				if (!err)
					err = fn(nlh, arg);
				found = true;
			}
			if (!dump && !--left_over)
				return err || found ? err : -ENOENT;
		}
	}
}

/* Buffers count by themselves, so that an answer that was left could be taken
 * for one to come. */
static void forget_unread(struct link *l)
{
	ssize_t got = 1;

	for (int i = 0; l->unread && got && i < 1000; i++)
		got = receive(l->socket, l->receive, sizeof(l->receive));
	l->unread = false;
}

static int query(struct link *l, struct mnl_socket *socket, struct buf *b, bool dump, link_fn *fn,
		 void *arg)
{
	if (b->failed)
		return -ENOMEM;
	forget_unread(l);
	buf_close(b);
	if (mnl_socket_sendto(socket, b->data, b->len) < 0)
		return -errno;
	return read_answers(l, socket, b->first, b->seq, dump, fn, arg);
}

int link_get(struct link *l, struct buf *b, link_fn *fn, void *arg)
{
	return query(l, l->socket, b, false, fn, arg);
}

int link_dump(struct link *l, struct buf *b, link_fn *fn, void *arg)
{
	int err = query(l, l->socket, b, true, fn, arg);

	return err == -EINTR && l->monitor ? 0 : err;
}

/* A socket of its own, since closing it is the only way to stop a dump. */
int link_glance(struct link *l, struct buf *b, link_fn *fn, void *arg)
{
	struct mnl_socket *s = open_socket();
	int err;

	if (!s)
		return -errno;
	err = query(l, s, b, false, fn, arg);
	mnl_socket_close(s);
	return err;
}

int link_read_genid(const struct nlmsghdr *nlh, uint32_t *genid)
{
	struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0) {
			*genid = ntohl(mnl_attr_get_u32(attr));
			return 0;
		}
	}
	return -EBADMSG;
}

static int read_genid(const struct nlmsghdr *nlh, void *arg)
{
	return link_read_genid(nlh, arg);
}

int link_genid(struct link *l, uint32_t *genid)
{
	buf_reset(&l->query);
	buf_request(&l->query, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN, 0, AF_UNSPEC);
	return link_get(l, &l->query, read_genid, genid);
}

/* One message of the monitor. */
static void hear(struct link *l, const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(nlh);
	struct nlattr *attr;

	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*gen)) {
		l->touched = true;
		return;
	}
	if ((nlh->nlmsg_type & 0xff) == NFT_MSG_NEWGEN) {
		l->touched |= link_read_genid(nlh, &l->heard) < 0;
		return;
	}
	/* in all of these messages the table's name is attribute 1 */
	mnl_attr_for_each (attr, nlh, sizeof(*gen))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 &&
		    (family_numbered(gen->nfgen_family) == FAMILY_COUNT ||
		     strcmp(mnl_attr_get_str(attr), NFT_TABLE)))
			return;
	l->touched = true;
}

/* Reads what has been reported so far. */
static void listen_in(struct link *l)
{
	ssize_t got;

	while ((got = receive(l->monitor, l->receive, sizeof(l->receive)))) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)l->receive;
		int left = (int)got;

		if (got < 0) /* the buffer has overflowed, for one */
			l->touched = true;
		if (got < 0 && got != -ENOBUFS)
			return;
		for (; got > 0 && buf_is_message(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			hear(l, nlh);
	}
}

int link_monitor(struct link *l)
{
	int size = MONITOR_BUFFER, group = NFNLGRP_NFTABLES, err;

	if (!l->monitor) {
		l->monitor = open_socket();
		if (!l->monitor)
			return -errno;
		if (mnl_socket_setsockopt(l->monitor, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0) {
			err = errno;
			link_monitor_end(l);
			return -err;
		}
		if (setsockopt(mnl_socket_get_fd(l->monitor), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			       sizeof(size)) < 0)
			setsockopt(mnl_socket_get_fd(l->monitor), SOL_SOCKET, SO_RCVBUF, &size,
				   sizeof(size));
	}
	listen_in(l);
	l->touched = false;
	l->heard = 0;
	return 0;
}

bool link_quiet(struct link *l, uint32_t genid)
{
	struct pollfd p = {.events = POLLIN};

	if (!l->monitor)
		return false;
	p.fd = mnl_socket_get_fd(l->monitor);
	for (;;) {
		listen_in(l);
		if (l->touched || (l->heard && l->heard - genid <= INT32_MAX)) /* or a later one */
			return !l->touched;
		if (poll(&p, 1, MONITOR_WAIT) <= 0)
			return false;
	}
}

void link_monitor_end(struct link *l)
{
	if (l->monitor)
		mnl_socket_close(l->monitor);
	l->monitor = NULL;
}

/* A whole batch is one datagram, so the send buffer has to take it; the receive
 * buffer takes the errors. Both are capped in a user namespace. */
static void make_room(struct mnl_socket *socket, int force, int option, size_t want)
{
	int fd = mnl_socket_get_fd(socket), size = (int)want, now = 0;
	socklen_t n = sizeof(now);

	if (want < INT32_MAX / 2 && !getsockopt(fd, SOL_SOCKET, option, &now, &n) && now < size &&
	    setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
}

/* The extended acknowledgement behind an error: the kernel's words, and the
 * attribute it means. */
static void describe_error(struct link_error *error, const struct buf *b,
			   const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	unsigned int offset = sizeof(*e);
	struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return;
	error->msg = buf_find(b, e->msg.nlmsg_seq);
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

/* The first error is the cause; an acknowledgement does not count beside
 * one. */
static bool read_acks(struct link *l, const struct buf *b, struct link_error *error, int left)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)l->receive;
	uint32_t final = b->seq - 1; /* the one before the end of the batch */
	bool done = false;

	for (; buf_is_message(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type != NLMSG_ERROR)
			continue;
		if (error_of(nlh) && !error->err) {
			error->err = error_of(nlh);
			describe_error(error, b, nlh);
		}
		done |= !error_of(nlh) && nlh->nlmsg_seq == final;
	}
	return done;
}

int link_commit(struct link *l, struct buf *b, struct link_error *error)
{
	bool done = false, lost = false;
	ssize_t got;

	*error = (struct link_error){0};
	if (b->failed || !b->data) {
		error->err = ENOMEM;
		return -ENOMEM;
	}
	forget_unread(l);
	make_room(l->socket, SO_SNDBUFFORCE, SO_SNDBUF, b->len + 4096);
	make_room(l->socket, SO_RCVBUFFORCE, SO_RCVBUF, (size_t)(b->seq - b->first) * ANSWER_SIZE);
	if (mnl_socket_sendto(l->socket, b->data, b->len) < 0) {
		error->err = errno;
		return -error->err;
	}
	while ((got = receive(l->socket, l->receive, sizeof(l->receive)))) {
		if (got == -ENOBUFS && !lost) {
			lost = true; /* told once, and what came first is still there */
			continue;
		}
		if (got < 0)
			break;
		done |= read_acks(l, b, error, (int)got);
	}
	l->unread = got < 0;
	if (!error->err && !done)
		error->err = lost ? ENOBUFS : got < 0 ? (int)-got : EBADMSG;
	return -error->err;
}

int link_try(struct link *l, struct buf *b)
{
	struct link_error error;
	int err;

	buf_close(b);
	err = link_commit(l, b, &error);
	/* of what is not done nothing is told */
	return err == -EBADMSG && !error.msg ? 0 : err;
}
