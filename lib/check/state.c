// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/sock_diag.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "nl.h"

/* kernel-internal states of <net/tcp_states.h> */
enum { STATE_CLOSE = 7, STATE_LISTEN = 10 };

long state_sysctl(const char *format, ...)
{
	char path[160] = "/proc/sys/";
	size_t n = strlen(path);
	long value = -1;
	va_list ap;
	FILE *f;

	va_start(ap, format);
	vsnprintf(path + n, sizeof(path) - n, format, ap);
	va_end(ap);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%ld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

static bool is_v6only(const struct nlmsghdr *h)
{
	const struct nlattr *a[INET_DIAG_SKV6ONLY + 1];

	nl_attributes(h, sizeof(struct inet_diag_msg), a, INET_DIAG_SKV6ONLY);
	return a[INET_DIAG_SKV6ONLY] && mnl_attr_get_u8(a[INET_DIAG_SKV6ONLY]);
}

static int keep_listener(const struct nlmsghdr *h, void *arg)
{
	struct state_listeners *list = arg;
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(h);
	struct masq_address a = {.family = m->idiag_family};

	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		struct state_listener *v = reallocarray(list->v, cap, sizeof(*v));

		if (!v) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		list->v = v;
		list->cap = cap;
	}
	/* connected: not for strangers */
	if (m->id.idiag_dport)
		return MNL_CB_OK;
	memcpy(&a.in6, m->id.idiag_src, address_size(&a));
	if (a.family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a.in6))
		a = address_v4(m->id.idiag_src[3]);
	list->v[list->n++] = (struct state_listener){.address = a,
						     .both = a.family == AF_INET6 &&
							     address_is_any(&a) && !is_v6only(h),
						     .port = ntohs(m->id.idiag_sport)};
	return MNL_CB_OK;
}

static int list_sockets(struct nl *nl, struct state_listeners *list, uint8_t family,
			uint8_t protocol)
{
	char buf[NL_REQUEST_MAX];
	struct nlmsghdr *h = nl_request(buf, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
	struct inet_diag_req_v2 *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	size_t from = list->n;
	int err;

	r->sdiag_family = family;
	r->sdiag_protocol = protocol;
	r->idiag_states = protocol == IPPROTO_TCP ? 1u << STATE_LISTEN : 1u << STATE_CLOSE;
	err = nl_ask(nl, h, keep_listener, list);
	for (size_t i = from; i < list->n; i++)
		list->v[i].protocol = protocol;
	return err;
}

int state_listeners(struct state_listeners *list)
{
	struct nl nl = {0};
	int err = nl_open(&nl, NETLINK_SOCK_DIAG);

	for (int i = 0; !err && i < 4; i++) {
		int one = list_sockets(&nl, list, i & 1 ? AF_INET6 : AF_INET,
				       i & 2 ? IPPROTO_UDP : IPPROTO_TCP);

		/* a kernel without IPv6 */
		if (!(i & 1))
			err = one;
	}
	nl_close(&nl);
	return err;
}

void state_listeners_free(struct state_listeners *list)
{
	free(list->v);
	*list = (struct state_listeners){0};
}

static bool takes(const struct state_listener *l, const struct masq_address *address)
{
	if (address_is_any(&l->address))
		return l->both || l->address.family == address->family;
	return address_equal(&l->address, address);
}

bool state_listens(const struct state_listeners *list, uint8_t protocol,
		   const struct masq_address *address, uint16_t port)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].protocol == protocol && list->v[i].port == port &&
		    takes(&list->v[i], address))
			return true;
	return false;
}

/* CTA_IP_V4_SRC, ...: one attribute for each family */
static void read_address(struct masq_address *out, const struct nlattr *v4, const struct nlattr *v6)
{
	if (v4 && mnl_attr_get_payload_len(v4) == sizeof(out->in)) {
		*out = address_v4(mnl_attr_get_u32(v4));
	} else if (v6 && mnl_attr_get_payload_len(v6) == sizeof(out->in6)) {
		out->family = AF_INET6;
		memcpy(&out->in6, mnl_attr_get_payload(v6), sizeof(out->in6));
	}
}

static void read_tuple(struct state_tuple *t, const struct nlattr *nest)
{
	const struct nlattr *a[CTA_TUPLE_MAX + 1], *b[CTA_IP_MAX + 1], *c[CTA_PROTO_MAX + 1];

	nl_nested(nest, a, CTA_TUPLE_MAX);
	if (!a[CTA_TUPLE_IP] || !a[CTA_TUPLE_PROTO])
		return;
	nl_nested(a[CTA_TUPLE_IP], b, CTA_IP_MAX);
	nl_nested(a[CTA_TUPLE_PROTO], c, CTA_PROTO_MAX);
	read_address(&t->src, b[CTA_IP_V4_SRC], b[CTA_IP_V6_SRC]);
	read_address(&t->dst, b[CTA_IP_V4_DST], b[CTA_IP_V6_DST]);
	if (c[CTA_PROTO_NUM])
		t->protocol = mnl_attr_get_u8(c[CTA_PROTO_NUM]);
	if (c[CTA_PROTO_SRC_PORT])
		t->sport = ntohs(mnl_attr_get_u16(c[CTA_PROTO_SRC_PORT]));
	if (c[CTA_PROTO_DST_PORT])
		t->dport = ntohs(mnl_attr_get_u16(c[CTA_PROTO_DST_PORT]));
}

struct flow_reader {
	state_flow_fn *fn;
	void *arg;
};

static int read_flow(const struct nlmsghdr *h, void *arg)
{
	const struct flow_reader *r = arg;
	const struct nfgenmsg *nf = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[CTA_STATUS + 1];
	struct state_tuple there = {0}, back = {0};
	uint32_t status = 0;

	nl_attributes(h, sizeof(*nf), a, CTA_STATUS);
	if (!a[CTA_TUPLE_ORIG] || !a[CTA_TUPLE_REPLY])
		return MNL_CB_OK;
	if (a[CTA_STATUS])
		status = ntohl(mnl_attr_get_u32(a[CTA_STATUS]));
	read_tuple(&there, a[CTA_TUPLE_ORIG]);
	read_tuple(&back, a[CTA_TUPLE_REPLY]);
	if (there.protocol == IPPROTO_UDP)
		r->fn(&(struct state_flow){.client = there.src,
					   .client_port = there.sport,
					   .dest = there.dst,
					   .dport = there.dport,
					   .server = back.src,
					   .server_port = back.sport,
					   .replied = status & IPS_SEEN_REPLY},
		      r->arg);
	return MNL_CB_OK;
}

int state_udp_flows(const struct family *family, state_flow_fn *fn, void *arg)
{
	struct flow_reader reader = {fn, arg};
	char buf[NL_REQUEST_MAX];
	struct nl nl = {0};
	int err = nl_open(&nl, NETLINK_NETFILTER);

	if (!err)
		err = nl_ask(&nl,
			     nl_nf_request(buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET,
					   NLM_F_DUMP, (uint8_t)family->af, 0),
			     read_flow, &reader);
	nl_close(&nl);
	return err;
}

bool state_is_known(struct nl *nl, const struct state_tuple *t)
{
	char buf[NL_REQUEST_MAX];
	bool six = t->src.family == AF_INET6;
	struct nlmsghdr *h = nl_nf_request(buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, 0,
					   (uint8_t)t->src.family, 0);
	struct nlattr *tuple = mnl_attr_nest_start(h, CTA_TUPLE_ORIG);
	struct nlattr *part = mnl_attr_nest_start(h, CTA_TUPLE_IP);

	mnl_attr_put(h, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, address_size(&t->src), &t->src.in6);
	mnl_attr_put(h, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, address_size(&t->dst), &t->dst.in6);
	mnl_attr_nest_end(h, part);
	part = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, t->protocol);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons(t->sport));
	mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, htons(t->dport));
	mnl_attr_nest_end(h, part);
	mnl_attr_nest_end(h, tuple);
	return !nl_ask(nl, h, NULL, NULL);
}
