// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>

#include "read.h"
#include "stale.h"

/* Which parts of a tuple a filter looks at (net/netfilter/nf_conntrack_netlink.c, since 5.8). */
enum { FILTER_DESTINATION = 1 << 1, FILTER_PROTOCOL = 1 << 3, FILTER_PORT = 1 << 5 };

/* So many services are asked for one by one; more, by one look at all that leads nowhere. */
#define FEW_SERVICES 16

static bool concerns(const struct service *s)
{
	return s->dirty && s->n && s->key.kind == MASQ_PORTFW && s->key.protocol == IPPROTO_UDP;
}

static void put_status(struct nlmsghdr *nlh)
{
	mnl_attr_put_u32(nlh, CTA_STATUS, 0);
	mnl_attr_put_u32(nlh, CTA_STATUS_MASK, htonl(IPS_DST_NAT | IPS_SEEN_REPLY));
}

static void put_tuple(struct nlmsghdr *nlh, const struct key *key)
{
	struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	mnl_attr_put(nlh, CTA_IP_V4_DST, sizeof(key->local.in), &key->local.in);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, key->protocol);
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(key->port));
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, tuple);
	nest = mnl_attr_nest_start(nlh, CTA_FILTER);
	mnl_attr_put_u32(nlh, CTA_FILTER_ORIG_FLAGS,
			 FILTER_DESTINATION | FILTER_PROTOCOL | FILTER_PORT);
	mnl_attr_put_u32(nlh, CTA_FILTER_REPLY_FLAGS, 0);
	mnl_attr_nest_end(nlh, nest);
}

static int no_answer(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	(void)arg;
	return 0;
}

/* One request for each service; the kernel finds their connections. 0 or -errno. */
static int forget_each(struct link *l, struct buf *b, const struct table *t)
{
	buf_reset(b);
	for (size_t i = 0; i < t->n; i++) {
		struct nlmsghdr *nlh;

		if (!concerns(&t->services[i]))
			continue;
		nlh = buf_request(b, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, NLM_F_ACK,
				  AF_INET);
		put_tuple(nlh, &t->services[i].key);
		put_status(nlh);
	}
	return link_get(l, b, no_answer, NULL);
}

/* So many bytes of requests, some 150, are sent at once: their answers fit into any buffer. */
#define REQUESTS_MAX 16384

struct search {
	struct table *table;
	struct link *link; /* another than the dump's */
	struct mnl_socket *route;
	struct masq_address asked; /* for whose type was asked last... */
	bool local;                /* ...and whether it is this machine's */
	struct buf *requests;
};

static int read_type(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == RTM_NEWROUTE)
		*(bool *)arg = route->rtm_type == RTN_LOCAL;
	return MNL_CB_STOP;
}

/* As the rule in our chains asks: is it the way to this machine itself? */
static bool is_local(struct search *s, const struct masq_address *a)
{
	char request[256] = {0}, answer[4096];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct rtmsg *route;
	ssize_t n;

	if (address_equal(&s->asked, a))
		return s->local;
	s->asked = *a;
	s->local = false;
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	route = mnl_nlmsg_put_extra_header(nlh, sizeof(*route));
	route->rtm_family = AF_INET;
	route->rtm_dst_len = 32;
	mnl_attr_put(nlh, RTA_DST, sizeof(a->in), &a->in);
	if (s->route && mnl_socket_sendto(s->route, nlh, nlh->nlmsg_len) >= 0) {
		n = mnl_socket_recvfrom(s->route, answer, sizeof(answer));
		if (n > 0)
			mnl_cb_run(answer, (size_t)n, 0, 0, read_type, &s->local);
	}
	return s->local;
}

static bool is_ours(struct search *s, const struct key *key)
{
	struct service *exact = table_get(s->table, key), *any;
	struct key any_key = *key;

	if (exact && concerns(exact))
		return true;
	any_key.local = address_v4(INADDR_ANY);
	any = table_get(s->table, &any_key);
	return any && concerns(any) && is_local(s, &key->local);
}

static void send_requests(struct search *s)
{
	if (s->requests->seq >= s->requests->first)
		link_get(s->link, s->requests, no_answer, NULL);
	buf_reset(s->requests);
}

static int see_connection(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tuple = attr_of(nlh, CTA_TUPLE_ORIG), *id = attr_of(nlh, CTA_ID);
	const struct nlattr *ip = attr_in(tuple, CTA_TUPLE_IP),
			    *proto = attr_in(tuple, CTA_TUPLE_PROTO);
	const struct nlattr *addr = attr_in(ip, CTA_IP_V4_DST),
			    *port = attr_in(proto, CTA_PROTO_DST_PORT),
			    *number = attr_in(proto, CTA_PROTO_NUM);
	struct search *s = arg;
	struct key key = {.kind = MASQ_PORTFW, .local.family = AF_INET};
	struct nlmsghdr *request;

	/* older kernels do not filter */
	if (attr_be32(attr_of(nlh, CTA_STATUS)) & (IPS_DST_NAT | IPS_SEEN_REPLY) || !addr ||
	    !port || !number || !id)
		return 0;
	attr_copy(&key.protocol, 1, number);
	attr_copy((uint8_t *)&key.local.in, sizeof(key.local.in), addr);
	attr_copy((uint8_t *)&key.port, sizeof(key.port), port);
	key.port = ntohs(key.port);
	if (key.protocol != IPPROTO_UDP || !is_ours(s, &key))
		return 0;
	if (s->requests->len > REQUESTS_MAX)
		send_requests(s);
	request = buf_request(s->requests, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, NLM_F_ACK,
			      AF_INET);
	mnl_attr_put(request, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(tuple),
		     mnl_attr_get_payload(tuple));
	mnl_attr_put(request, CTA_ID, mnl_attr_get_payload_len(id), mnl_attr_get_payload(id));
	return 0;
}

/* One look at all connections that lead nowhere, then a request for each of ours. */
static void forget_by_look(struct link *l, struct buf *b, struct table *t)
{
	struct buf requests;
	struct search s = {.table = t, .requests = &requests};

	if (buf_init(&requests) < 0)
		return;
	buf_reset(&requests);
	buf_reset(b);
	put_status(buf_request(b, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_INET));
	s.route = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (link_open(&s.link) == 0) {
		link_dump(l, b, see_connection, &s);
		send_requests(&s);
	}
	link_close(s.link);
	if (s.route)
		mnl_socket_close(s.route);
	buf_free(&requests);
}

void stale_forget(struct link *l, struct buf *b, struct state *st)
{
	struct table *t = &st->table;
	size_t n = 0;
	bool any = false;

	for (size_t i = 0; i < t->n; i++) {
		n += concerns(&t->services[i]);
		any |= concerns(&t->services[i]) && address_is_any(&t->services[i].key.local);
	}
	if (!n)
		return;
	if (any || n > FEW_SERVICES || forget_each(l, b, t) == -EINVAL)
		forget_by_look(l, b, t);
}
