// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel without nf_tables, as a preloaded library: NO_NF_TABLES=nfnetlink
 * there is no netfilter netlink at all NO_NF_TABLES=subsystem there is, but
 * nobody in it answers for nf_tables: requests are sent on to a subsystem that
 * does not exist, so the answers are the kernel's own
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

/* of those that a kernel has room for, the one that is built least often */
#define NOBODY NFNL_SUBSYS_CTHELPER

int socket(int domain, int type, int protocol)
{
	static int (*real)(int, int, int);
	const char *mode = getenv("NO_NF_TABLES");

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "socket");
	if (domain == AF_NETLINK && protocol == NETLINK_NETFILTER && mode &&
	    !strcmp(mode, "nfnetlink")) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	return real(domain, type, protocol);
}

static void redirect(void *buf, size_t len)
{
	const char *mode = getenv("NO_NF_TABLES");
	struct nlmsghdr *nlh = buf;
	unsigned int left = (unsigned int)len;

	if (!mode || strcmp(mode, "subsystem"))
		return;
	for (; NLMSG_OK(nlh, left); nlh = NLMSG_NEXT(nlh, left)) {
		struct nfgenmsg *nfg = NLMSG_DATA(nlh);

		if (nlh->nlmsg_type == NFNL_MSG_BATCH_BEGIN)
			nfg->res_id = htons(NOBODY);
		else if (NFNL_SUBSYS_ID(nlh->nlmsg_type) == NFNL_SUBSYS_NFTABLES)
			nlh->nlmsg_type = NOBODY << 8 | NFNL_MSG_TYPE(nlh->nlmsg_type);
	}
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	static ssize_t (*real)(int, const struct msghdr *, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sendmsg");
	for (size_t i = 0; i < msg->msg_iovlen; i++)
		redirect(msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len);
	return real(fd, msg, flags);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t n)
{
	static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	char copy[65536];

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sendto");
	if (len <= sizeof(copy)) {
		memcpy(copy, buf, len);
		redirect(copy, len);
		buf = copy;
	}
	return real(fd, buf, len, flags, to, n);
}
