// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel without IPv6, as a preloaded library:
 * NO_IPV6=module no socket of the family: the module is not there, or disabled
 * NO_IPV6=nf_tables no table of it: one is asked for of a family that does not
 * exist, so the answer is
 *                    the kernel's own
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

enum { NO_FAMILY = 99 };

static bool lacks(const char *what)
{
	const char *mode = getenv("NO_IPV6");

	return mode && !strcmp(mode, what);
}

int socket(int domain, int type, int protocol)
{
	static int (*real)(int, int, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "socket");
	if (domain == AF_INET6 && lacks("module")) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return real(domain, type, protocol);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t n)
{
	static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	static char copy[65536];
	struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)copy;
	unsigned int left = (unsigned int)len;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sendto");
	if (!lacks("nf_tables") || len > sizeof(copy))
		return real(fd, buf, len, flags, to, n);
	memcpy(copy, buf, len);
	for (; NLMSG_OK(nlh, left); nlh = NLMSG_NEXT(nlh, left)) {
		struct nfgenmsg *nfg = NLMSG_DATA(nlh);

		if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE) &&
		    nfg->nfgen_family == AF_INET6)
			nfg->nfgen_family = NO_FAMILY;
	}
	return real(fd, copy, len, flags, to, n);
}
