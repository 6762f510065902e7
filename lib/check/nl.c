// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

int nl_open(struct nl *nl, int bus)
{
	static const struct timeval patience = {.tv_sec = 5};

	nl->seq = 0;
	nl->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->socket)
		return -errno;
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	if (setsockopt(mnl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		return -errno;
	return 0;
}

void nl_close(struct nl *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

struct nlmsghdr *nl_request(char *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	return h;
}

struct nlmsghdr *nl_nf_request(char *buf, uint16_t subsystem, uint16_t message, uint16_t flags,
			       uint8_t family, uint16_t resource)
{
	struct nlmsghdr *h = nl_request(buf, (uint16_t)(subsystem << 8 | message), flags);
	struct nfgenmsg *nf = mnl_nlmsg_put_extra_header(h, sizeof(*nf));

	nf->nfgen_family = family;
	nf->version = NFNETLINK_V0;
	nf->res_id = htons(resource);
	return h;
}

int nl_ask(struct nl *nl, struct nlmsghdr *request, mnl_cb_t fn, void *arg)
{
	char buf[32768];
	unsigned int port = mnl_socket_get_portid(nl->socket);
	int run = 1;

	request->nlmsg_seq = ++nl->seq;
	/* NLM_F_EXCL is a bit of NLM_F_DUMP */
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (run > 0) {
		ssize_t n = mnl_socket_recvfrom(nl->socket, buf, sizeof(buf));

		if (n < 0)
			return errno == EAGAIN ? -ETIME : -errno;
		run = mnl_cb_run(buf, (size_t)n, nl->seq, port, fn, arg);
		/* an answer to a request that was given up */
		if (run < 0 && errno == EPROTO)
			run = 1;
		else if (run < 0)
			return -errno;
	}
	return 0;
}

static void collect(const void *first, size_t bytes, const struct nlattr **table, int max)
{
	const char *end = (const char *)first + bytes;

	for (const struct nlattr *a = first; mnl_attr_ok(a, (int)(end - (const char *)a));
	     a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) <= max)
			table[mnl_attr_get_type(a)] = a;
}

void nl_attributes(const struct nlmsghdr *h, size_t header, const struct nlattr **table, int max)
{
	memset(table, 0, sizeof(*table) * ((size_t)max + 1));
	collect(mnl_nlmsg_get_payload_offset(h, header), mnl_nlmsg_get_payload_len(h) - header,
		table, max);
}

void nl_nested(const struct nlattr *nest, const struct nlattr **table, int max)
{
	memset(table, 0, sizeof(*table) * ((size_t)max + 1));
	if (nest)
		collect(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), table, max);
}
