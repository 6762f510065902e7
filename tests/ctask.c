// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is asked of conntrack, as a preloaded library:
 * CTASK_LOG=F a line for each request to file F: "dump", and " status" if the
 * kernel is to filter CTASK_FAIL=yes nobody answers for it: requests are sent
 * on to a subsystem that does not exist, so
 *                 that the answer, EINVAL, is the kernel's own
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* CTA_STATUS_MASK, which older headers have not */
#define STATUS_MASK 26

static void see(struct nlmsghdr *nlh)
{
	const char *path = getenv("CTASK_LOG");
	FILE *f = path ? fopen(path, "a") : NULL;
	size_t at = NLMSG_SPACE(sizeof(struct nfgenmsg));
	bool status = false, mask = false;

	while (at + sizeof(struct nlattr) <= nlh->nlmsg_len) {
		struct nlattr attr;

		memcpy(&attr, (char *)nlh + at, sizeof(attr));
		status |= (attr.nla_type & NLA_TYPE_MASK) == CTA_STATUS;
		mask |= (attr.nla_type & NLA_TYPE_MASK) == STATUS_MASK;
		if (attr.nla_len < sizeof(attr))
			break;
		at += NLA_ALIGN(attr.nla_len);
	}
	if (f) {
		fprintf(f, "%s%s\n", nlh->nlmsg_flags & NLM_F_DUMP ? "dump" : "get",
			status && mask ? " status" : "");
		fclose(f);
	}
	if (getenv("CTASK_FAIL"))
		nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_COUNT << 8 | IPCTNL_MSG_CT_GET);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t size)
{
	static __typeof__(sendto) *next;
	char copy[65536];

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "sendto");
	if (len >= NLMSG_HDRLEN && len <= sizeof(copy)) {
		struct nlmsghdr *nlh = (void *)copy;

		memcpy(copy, buf, len);
		if (NFNL_SUBSYS_ID(nlh->nlmsg_type) == NFNL_SUBSYS_CTNETLINK) {
			see(nlh);
			return next(fd, copy, len, flags, to, size);
		}
	}
	return next(fd, buf, len, flags, to, size);
}
