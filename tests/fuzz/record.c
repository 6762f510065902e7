// SPDX-License-Identifier: GPL-2.0-or-later
/* Preloaded: writes what a process reads from netlink to the end of $RECORD, as
 * replies.c reads it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint32_t sent;

static void put(const void *data, size_t size)
{
	int fd = open(getenv("RECORD"), O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

static size_t next(const char *buf, size_t left)
{
	struct nlmsghdr nlh;

	if (left < sizeof(nlh))
		return 0;
	memcpy(&nlh, buf, sizeof(nlh));
	return nlh.nlmsg_len < sizeof(nlh) || NLMSG_ALIGN((size_t)nlh.nlmsg_len) > left
		       ? 0
		       : NLMSG_ALIGN((size_t)nlh.nlmsg_len);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t size)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	const char *p = buf;
	struct nlmsghdr nlh;

	for (size_t n, left = len; (n = next(p, left)); p += n, left -= n) {
		memcpy(&nlh, p, sizeof(nlh));
		sent = nlh.nlmsg_seq;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "sendto");
	return real(fd, buf, len, flags, to, size);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t (*real)(int, struct msghdr *, int);
	ssize_t got;
	uint16_t size;
	char *copy, *p;
	int err;

	*(void **)&real = dlsym(RTLD_NEXT, "recvmsg");
	got = real(fd, msg, flags);
	err = errno;
	size = got > 0 ? (uint16_t)got : 0;
	put(&size, sizeof(size));
	if (got > 0) {
		copy = p = malloc((size_t)got);
		if (!copy)
			abort();
		memcpy(copy, msg->msg_iov->iov_base, (size_t)got);
		for (size_t n, left = (size_t)got; (n = next(p, left)); p += n, left -= n) {
			struct nlmsghdr nlh;

			memcpy(&nlh, p, sizeof(nlh));
			nlh.nlmsg_seq = sent - nlh.nlmsg_seq;
			memcpy(p, &nlh, sizeof(nlh));
		}
		put(copy, (size_t)got);
		free(copy);
	}
	errno = err;
	return got;
}
