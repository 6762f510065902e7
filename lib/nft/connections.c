// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "connections.h"
#include "read.h"

/* CTA_STATUS_MASK, which older headers have not; kernels filter by it since
 * 5.17. */
#define STATUS_MASK 26

/* Which parts of a tuple a filter looks at
 * (net/netfilter/nf_conntrack_netlink.c, since 5.8). */
enum { FILTER_DESTINATION = 1 << 1, FILTER_PROTOCOL = 1 << 3, FILTER_PORT = 1 << 5 };

/* Labels are so many bytes, of which ours are in the last four, or the first
 * four where the highest byte comes first (expressions.c). */
enum { LABELS_SIZE = 16 };

/* The attributes of a tuple that have its addresses. */
static uint16_t destination_of(int family)
{
	return family == AF_INET6 ? CTA_IP_V6_DST : CTA_IP_V4_DST;
}

static uint16_t source_of(int family)
{
	return family == AF_INET6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC;
}

static void put_tuple(struct nlmsghdr *nlh, const struct key *key, uint32_t flags)
{
	struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	if (flags & FILTER_DESTINATION)
		mnl_attr_put(nlh, destination_of(key->local.family), address_size(&key->local),
			     &key->local.in6);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, key->protocol);
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(key->port));
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, tuple);
	nest = mnl_attr_nest_start(nlh, CTA_FILTER);
	mnl_attr_put_u32(nlh, CTA_FILTER_ORIG_FLAGS, flags);
	mnl_attr_put_u32(nlh, CTA_FILTER_REPLY_FLAGS, 0);
	mnl_attr_nest_end(nlh, nest);
}

void connections_ask(struct buf *b, uint16_t type, const struct connection_filter *filter)
{
	const struct key *key = &filter->key;
	uint16_t kind = type == IPCTNL_MSG_CT_GET ? NLM_F_DUMP : NLM_F_ACK;
	struct nlmsghdr *nlh =
		buf_request(b, NFNL_SUBSYS_CTNETLINK, type, kind, (uint8_t)key->local.family);
	/* of IPv6, kernels tell all but those to the address (5.8 to 6.18: what
	 * ctnetlink_filter_match_tuple() makes of ipv6_addr_cmp()) */
	bool by_address = key->local.family == AF_INET && !address_is_any(&key->local);
	uint32_t flags = by_address ? FILTER_DESTINATION : 0;

	if (key->protocol)
		flags |= FILTER_PROTOCOL | (key->port ? FILTER_PORT : 0);
	if (flags)
		put_tuple(nlh, key, flags);
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(filter->status));
	mnl_attr_put_u32(nlh, STATUS_MASK, htonl(filter->mask));
}

static int read_count(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *count = attr_of(nlh, CTA_STATS_GLOBAL_ENTRIES);

	*(bool *)arg = count && !attr_be32(count);
	return 0;
}

bool connections_none(struct link *l, struct buf *b)
{
	bool none = false;

	buf_reset(b);
	buf_request(b, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS, 0, AF_UNSPEC);
	return !link_get(l, b, read_count, &none) && none;
}

/* The address and the port of a tuple, its source or its destination; the
 * protocol. addr has the family. */
static bool read_end(const struct nlattr *tuple, uint16_t ip, uint16_t port,
		     struct masq_address *addr, uint16_t *number, uint8_t *protocol)
{
	const struct nlattr *proto = attr_in(tuple, CTA_TUPLE_PROTO);
	const struct nlattr *a = attr_in(attr_in(tuple, CTA_TUPLE_IP), ip),
			    *n = attr_in(proto, port), *p = attr_in(proto, CTA_PROTO_NUM);

	if (!a || !n || !p)
		return false;
	attr_copy((uint8_t *)&addr->in6, address_size(addr), a);
	attr_copy((uint8_t *)number, sizeof(*number), n);
	*number = ntohs(*number);
	attr_copy(protocol, 1, p);
	return true;
}

bool connection_read(struct connection *out, const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(nlh);
	const int family = gen->nfgen_family;
	const bool little = htonl(1) != 1;
	const struct nlattr *to = attr_of(nlh, CTA_TUPLE_ORIG),
			    *from = attr_of(nlh, CTA_TUPLE_REPLY), *id = attr_of(nlh, CTA_ID),
			    *zone = attr_of(nlh, CTA_ZONE), *labels = attr_of(nlh, CTA_LABELS);
	struct key *key = &out->key;

	*out = (struct connection){.key = {.kind = MASQ_PORTFW, .local.family = family},
				   .client.family = family,
				   .server.family = family};
	if (family_numbered(gen->nfgen_family) == FAMILY_COUNT || !id ||
	    !read_end(to, destination_of(family), CTA_PROTO_DST_PORT, &key->local, &key->port,
		      &key->protocol) ||
	    !read_end(from, source_of(family), CTA_PROTO_SRC_PORT, &out->server, &out->server_port,
		      &key->protocol) ||
	    !read_end(to, source_of(family), CTA_PROTO_SRC_PORT, &out->client, &out->client_port,
		      &key->protocol) ||
	    mnl_attr_get_payload_len(to) > sizeof(out->tuple))
		return false;
	out->status = attr_be32(attr_of(nlh, CTA_STATUS));
	if (labels && mnl_attr_get_payload_len(labels) == LABELS_SIZE)
		memcpy(&out->labels,
		       (const char *)mnl_attr_get_payload(labels) + (little ? LABELS_SIZE - 4 : 0),
		       sizeof(out->labels));
	out->timeout = attr_be32(attr_of(nlh, CTA_TIMEOUT));
	attr_copy((uint8_t *)&out->id, sizeof(out->id), id);
	if (zone)
		attr_copy((uint8_t *)&out->zone, sizeof(out->zone), zone);
	out->helped = attr_of(nlh, CTA_HELP);
	out->tuple_len = (uint16_t)attr_copy(out->tuple, sizeof(out->tuple), to);
	return key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP;
}

bool connection_read_master(struct connection *master, const struct nlmsghdr *nlh)
{
	const struct nlattr *tuple = attr_of(nlh, CTA_TUPLE_MASTER);

	if (!tuple || mnl_attr_get_payload_len(tuple) > sizeof(master->tuple))
		return false;
	master->tuple_len = (uint16_t)attr_copy(master->tuple, sizeof(master->tuple), tuple);
	return true;
}

static struct nlmsghdr *begin(struct buf *b, uint16_t type, uint16_t flags,
			      const struct connection *c)
{
	struct nlmsghdr *nlh = buf_request(b, NFNL_SUBSYS_CTNETLINK, type, NLM_F_ACK | flags,
					   (uint8_t)c->key.local.family);

	mnl_attr_put(nlh, CTA_TUPLE_ORIG | NLA_F_NESTED, c->tuple_len, c->tuple);
	if (c->zone)
		mnl_attr_put(nlh, CTA_ZONE, sizeof(c->zone), &c->zone);
	return nlh;
}

void connection_forget(struct buf *b, const struct connection *c, bool exact)
{
	struct nlmsghdr *nlh = begin(b, IPCTNL_MSG_CT_DELETE, 0, c);

	if (exact)
		mnl_attr_put(nlh, CTA_ID, sizeof(c->id), &c->id);
}

void connection_bar(struct buf *b, const struct connection *c)
{
	struct nlmsghdr *nlh = begin(b, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, c);
	struct nlattr *reply = mnl_attr_nest_start(nlh, CTA_TUPLE_REPLY);
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	mnl_attr_put(nlh, source_of(c->client.family), address_size(&c->key.local),
		     &c->key.local.in6);
	mnl_attr_put(nlh, destination_of(c->client.family), address_size(&c->client),
		     &c->client.in6);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, c->key.protocol);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(c->key.port));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(c->client_port));
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, reply);
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htonl(c->timeout));
	if (c->key.protocol != IPPROTO_TCP)
		return;
	reply = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, reply);
}

static int no_answer(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	(void)arg;
	return 0;
}

int connections_send(struct link *l, struct buf *b)
{
	int err = b->seq >= b->first ? link_get(l, b, no_answer, NULL) : 0;

	buf_reset(b);
	return err == -ENOENT ? 0 : err; /* it has ended by itself */
}
