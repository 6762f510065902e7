// SPDX-License-Identifier: GPL-2.0-or-later
/* fill COUNT [tcp]: puts so many entries into this network namespace's
 * connection table, of UDP, or of TCP, established. */
#include <arpa/inet.h>
#include <err.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { AT_ONCE = 512, MESSAGE_MAX = 256, LIFETIME = 600 };

static uint8_t protocol = IPPROTO_UDP;
static char buf[AT_ONCE * MESSAGE_MAX];

static struct nlattr *begin(char **at, uint16_t type)
{
	struct nlattr *a = (struct nlattr *)*at;

	a->nla_type = type | NLA_F_NESTED;
	*at += NLA_HDRLEN;
	return a;
}

static void end(char **at, struct nlattr *a)
{
	a->nla_len = (uint16_t)(*at - (char *)a);
}

static void put(char **at, uint16_t type, const void *value, uint16_t len)
{
	struct nlattr *a = (struct nlattr *)*at;

	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy(*at + NLA_HDRLEN, value, len);
	*at += NLA_ALIGN(a->nla_len);
}

static void put_tuple(char **at, uint16_t type, uint32_t src, uint32_t dst, uint16_t sport,
		      uint16_t dport)
{
	struct nlattr *tuple = begin(at, type), *part = begin(at, CTA_TUPLE_IP);

	put(at, CTA_IP_V4_SRC, &src, 4);
	put(at, CTA_IP_V4_DST, &dst, 4);
	end(at, part);
	part = begin(at, CTA_TUPLE_PROTO);
	put(at, CTA_PROTO_NUM, &protocol, 1);
	put(at, CTA_PROTO_SRC_PORT, &sport, 2);
	put(at, CTA_PROTO_DST_PORT, &dport, 2);
	end(at, part);
	end(at, tuple);
}

static void put_entry(char **at, uint32_t n)
{
	struct nlmsghdr *h = (struct nlmsghdr *)*at;
	struct nfgenmsg *nf = NLMSG_DATA(h);
	uint32_t src = htonl(0x0b000000 + n / 50000), dst = htonl(0x0c000001);
	uint16_t sport = htons((uint16_t)(1024 + n % 50000)), dport = htons(9);
	const uint32_t timeout = htonl(LIFETIME), status = htonl(IPS_CONFIRMED);
	static const uint8_t state = TCP_CONNTRACK_ESTABLISHED;

	*at += NLMSG_SPACE(sizeof(*nf));
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
	nf->nfgen_family = AF_INET;
	put_tuple(at, CTA_TUPLE_ORIG, src, dst, sport, dport);
	put_tuple(at, CTA_TUPLE_REPLY, dst, src, dport, sport);
	put(at, CTA_TIMEOUT, &timeout, 4);
	put(at, CTA_STATUS, &status, 4);
	if (protocol == IPPROTO_TCP) {
		struct nlattr *info = begin(at, CTA_PROTOINFO), *tcp = begin(at, CTA_PROTOINFO_TCP);

		put(at, CTA_PROTOINFO_TCP_STATE, &state, 1);
		end(at, tcp);
		end(at, info);
	}
	h->nlmsg_len = (uint32_t)(*at - (char *)h);
}

int main(int argc, char *argv[])
{
	unsigned long count = argc >= 2 ? strtoul(argv[1], NULL, 10) : 0;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), size = 4 << 20;

	if (!count)
		errx(2, "usage: fill COUNT [tcp]");
	if (argc == 3 && !strcmp(argv[2], "tcp"))
		protocol = IPPROTO_TCP;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
		err(1, "netlink");
	for (unsigned long i = 0; i < count;) {
		char *at = buf;

		memset(buf, 0, sizeof(buf));
		for (int j = 0; j < AT_ONCE && i < count; j++)
			put_entry(&at, (uint32_t)i++);
		if (send(fd, buf, (size_t)(at - buf), 0) < 0)
			err(1, "send");
	}
	return 0;
}
