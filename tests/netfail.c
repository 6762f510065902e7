// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System calls on netlink sockets that fail once, as a preloaded library:
 * NETFAIL_AT=N the Nth of socket, bind, sendto and recvmsg fails
 * NETFAIL_ERRNO=E with this NETFAIL_COUNT=F how many there were is written to
 * file F at the end, and which one sent the last
 *                  batch of nf_tables (0: none)
 * NETFAIL_STALE=N the first N batches are for another generation than the
 * ruleset's
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static long count, batch;

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("NETFAIL_COUNT");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!f)
		return;
	fprintf(f, "%ld %ld\n", count, batch);
	fclose(f);
}

static bool is_netlink(int fd)
{
	int domain = 0;
	socklen_t size = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_NETLINK;
}

static bool fails(void)
{
	const char *at = getenv("NETFAIL_AT"), *err = getenv("NETFAIL_ERRNO");

	if (++count != (at ? atol(at) : 0))
		return false;
	errno = err ? atoi(err) : EIO;
	return true;
}

/* A batch begins with a message whose only attribute is the generation. */
static const void *made_stale(const void *buf, size_t len)
{
	static char copy[1 << 20];
	static long batches;
	const char *stale = getenv("NETFAIL_STALE");
	struct nlmsghdr nlh;
	const size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg)) + NLA_HDRLEN;

	memcpy(&nlh, buf, sizeof(nlh));
	if (!stale || nlh.nlmsg_type != NFNL_MSG_BATCH_BEGIN || len > sizeof(copy) ||
	    batches++ >= atol(stale))
		return buf;
	memcpy(copy, buf, len);
	copy[at + 3] = (char)(copy[at + 3] + 1);
	return copy;
}

/* clang-format off */
#define NEXT(name) \
	static __typeof__(name) *next; \
	if (!next) \
		*(void **)&next = dlsym(RTLD_NEXT, #name)
/* clang-format on */

int socket(int domain, int type, int protocol)
{
	NEXT(socket);
	return domain == AF_NETLINK && fails() ? -1 : next(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *addr, socklen_t size)
{
	NEXT(bind);
	return is_netlink(fd) && fails() ? -1 : next(fd, addr, size);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t size)
{
	struct nlmsghdr nlh = {0};
	NEXT(sendto);

	if (!is_netlink(fd))
		return next(fd, buf, len, flags, to, size);
	if (len >= sizeof(nlh))
		memcpy(&nlh, buf, sizeof(nlh));
	if (nlh.nlmsg_type == NFNL_MSG_BATCH_BEGIN)
		batch = count + 1;
	buf = made_stale(buf, len);
	return fails() ? -1 : next(fd, buf, len, flags, to, size);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	NEXT(recvmsg);
	return is_netlink(fd) && fails() ? -1 : next(fd, msg, flags);
}
