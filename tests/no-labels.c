// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel without labels of connections (CONFIG_NF_CONNTRACK_LABELS), as a
 * preloaded library: what rules ask of conntrack by that key is sent as a key
 * that no kernel has, so the answer is the kernel's own.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

/* The attribute as it is in a message, of an expression ct. */
static void spoil(unsigned char *p, size_t len)
{
	const struct nlattr name = {.nla_len = 4 + sizeof("ct"), .nla_type = NFTA_EXPR_NAME};
	const unsigned int labels = htonl(NFT_CT_LABELS), none = htonl(250);
	const struct nlattr key = {.nla_len = 8, .nla_type = NFTA_CT_KEY};

	for (size_t i = 0; i + 8 <= len; i += 4) {
		if (memcmp(p + i, &name, sizeof(name)) != 0 || memcmp(p + i + 4, "ct", 3) != 0)
			continue;
		for (size_t k = i + 8; k < i + 40 && k + 12 <= len; k += 4)
			if (!memcmp(p + k, &key, sizeof(key)) && !memcmp(p + k + 4, &labels, 4))
				memcpy(p + k + 4, &none, 4);
	}
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t tolen)
{
	static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sendto");
	spoil((unsigned char *)(void *)(size_t)buf, len);
	return real(fd, buf, len, flags, to, tolen);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	static ssize_t (*real)(int, const struct msghdr *, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sendmsg");
	for (size_t i = 0; i < msg->msg_iovlen; i++)
		spoil(msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len);
	return real(fd, msg, flags);
}
