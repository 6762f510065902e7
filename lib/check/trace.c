// SPDX-License-Identifier: GPL-2.0-or-later
#include "trace.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "family.h"

/* Messages of a few thousand packets' ways */
enum { RECEIVE_BUFFER = 8 << 20 };

int trace_open(struct nl *nl)
{
	int group = NFNLGRP_NFTRACE, size = RECEIVE_BUFFER, err = nl_open(nl, NETLINK_NETFILTER);
	int fd = err ? -1 : mnl_socket_get_fd(nl->socket);

	if (err)
		return err;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

size_t trace_header(const void *ip, size_t n)
{
	const uint8_t *h = ip;
	size_t length = !n               ? 0
			: h[0] >> 4 == 4 ? (h[0] & 15u) * 4u
			: h[0] >> 4 == 6 ? family_ipv6.header
					 : 0;

	return length >= family_ipv4.header && length <= n ? length : 0;
}

/* What a packet is known by: IPv4's identification, IPv6's flow label. */
static uint16_t id_of(const struct family *a, const uint8_t *h)
{
	return a->af == AF_INET6 ? get16(h + 2) : get16(h + 4);
}

static struct masq_address address_at(const struct family *a, const uint8_t *at)
{
	struct masq_address out = {.family = a->af};

	memcpy(&out.in6, at, a->size);
	return out;
}

bool trace_parse(struct trace_packet *p, const void *ip, size_t n, const void *transport, size_t m)
{
	const uint8_t *h = ip, *t = transport;
	const struct family *a;

	*p = (struct trace_packet){0};
	if (!trace_header(ip, n))
		return false;
	a = h[0] >> 4 == 6 ? &family_ipv6 : &family_ipv4;
	if (a->af == AF_INET && (get16(h + 6) & IP_OFFMASK))
		return false;
	p->saddr = address_at(a, h + a->saddr);
	p->daddr = address_at(a, h + a->daddr);
	p->protocol = h[a->protocol];
	p->id = id_of(a, h);
	if (p->protocol == a->icmp) {
		if (m >= 2) {
			p->icmp_type = t[0];
			p->icmp_code = t[1];
		}
		/* the trace has 20 bytes: not the ports of the packet quoted */
		if (m >= 8 + 6)
			p->quoted_id = id_of(a, t + 8);
		return true;
	}
	if ((p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP) || m < 4)
		return false;
	p->sport = get16(t);
	p->dport = get16(t + 2);
	if (p->protocol == IPPROTO_TCP && m >= 14) {
		p->seq = get32(t + 4);
		p->tcp_flags = t[13];
	}
	return true;
}

static void copy_name(char out[CHECK_NAME], const struct nlattr *a)
{
	snprintf(out, CHECK_NAME, "%s", a ? mnl_attr_get_str(a) : "");
}

static uint32_t number_of(const struct nlattr *a)
{
	return a ? ntohl(mnl_attr_get_u32(a)) : 0;
}

static void read_verdict(struct trace_event *e, const struct nlattr *nest)
{
	const struct nlattr *a[NFTA_VERDICT_CHAIN + 1];

	nl_nested(nest, a, NFTA_VERDICT_CHAIN);
	e->verdict = number_of(a[NFTA_VERDICT_CODE]);
	copy_name(e->jump, a[NFTA_VERDICT_CHAIN]);
}

struct reader {
	trace_fn *fn;
	void *arg;
};

static int read_event(const struct nlmsghdr *h, void *arg)
{
	const struct reader *r = arg;
	const struct nfgenmsg *nf = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[NFTA_TRACE_POLICY + 1], *ip, *transport;
	struct trace_event e = {0};

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE))
		return MNL_CB_OK;
	nl_attributes(h, sizeof(*nf), a, NFTA_TRACE_POLICY);
	e.family = nf->nfgen_family;
	e.id = a[NFTA_TRACE_ID] ? mnl_attr_get_u32(a[NFTA_TRACE_ID]) : 0;
	copy_name(e.table, a[NFTA_TRACE_TABLE]);
	copy_name(e.chain, a[NFTA_TRACE_CHAIN]);
	e.type = number_of(a[NFTA_TRACE_TYPE]);
	if (a[NFTA_TRACE_VERDICT])
		read_verdict(&e, a[NFTA_TRACE_VERDICT]);
	else if (a[NFTA_TRACE_POLICY])
		e.verdict = number_of(a[NFTA_TRACE_POLICY]);
	else
		e.verdict = (uint32_t)NFT_CONTINUE;
	if (a[NFTA_TRACE_RULE_HANDLE])
		e.handle = be64toh(mnl_attr_get_u64(a[NFTA_TRACE_RULE_HANDLE]));
	ip = a[NFTA_TRACE_NETWORK_HEADER];
	transport = a[NFTA_TRACE_TRANSPORT_HEADER];
	if (ip && transport)
		e.has_packet = trace_parse(
			&e.packet, mnl_attr_get_payload(ip), mnl_attr_get_payload_len(ip),
			mnl_attr_get_payload(transport), mnl_attr_get_payload_len(transport));
	e.iif = number_of(a[NFTA_TRACE_IIF]);
	e.oif = number_of(a[NFTA_TRACE_OIF]);
	e.mark = number_of(a[NFTA_TRACE_MARK]);
	r->fn(&e, r->arg);
	return MNL_CB_OK;
}

int trace_read(struct nl *nl, trace_fn *fn, void *arg)
{
	struct reader reader = {fn, arg};
	int fd = mnl_socket_get_fd(nl->socket), lost = 0;
	char buf[32768];

	/* bounded: more than the buffer holds cannot be there */
	for (int i = 0; i < RECEIVE_BUFFER / 64; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS)
			lost = -ENOBUFS;
		else if (n < 0)
			return errno == EAGAIN || errno == EINTR ? lost : -errno;
		else
			mnl_cb_run(buf, (size_t)n, 0, 0, read_event, &reader);
	}
	return lost;
}
