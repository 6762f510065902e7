// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "addresses.h"

/* Tries while addresses change. */
#define TRIES 4

struct reader {
	struct addresses *out;
	uint32_t index; /* of the interface that name is of */
	char name[IF_NAMESIZE];
};

void addresses_free(struct addresses *a)
{
	free(a->v);
	*a = (struct addresses){0};
}

struct interface_address *addresses_add(struct addresses *a)
{
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 16;
		struct interface_address *v = reallocarray(a->v, cap, sizeof(*v));

		if (!v)
			return NULL;
		a->v = v;
		a->cap = cap;
	}
	a->v[a->n] = (struct interface_address){0};
	return &a->v[a->n++];
}

/* The network does not count. */
static int compare(const void *a, const void *b)
{
	const struct interface_address *one = a, *other = b;
	int order = strcmp(one->interface, other->interface);

	if (!order)
		order = (int)one->address.family - (int)other->address.family;
	return order ? order
		     : memcmp(&one->address.in6, &other->address.in6, address_size(&one->address));
}

void addresses_sort(struct addresses *a)
{
	if (a->n)
		qsort(a->v, a->n, sizeof(*a->v), compare);
}

bool addresses_have(const struct addresses *a, const struct interface_address *one)
{
	return a->n && bsearch(one, a->v, a->n, sizeof(*a->v), compare);
}

/* False: it has gone. */
static bool name_interface(struct reader *r, uint32_t index)
{
	if (r->index == index)
		return true;
	memset(r->name, 0, sizeof(r->name));
	r->index = if_indextoname(index, r->name) ? index : 0;
	return r->index;
}

static void take(struct masq_address *out, const struct nlattr *attr, uint8_t family)
{
	*out = (struct masq_address){.family = family};
	if (mnl_attr_get_payload_len(attr) == address_size(out))
		memcpy(&out->in6, mnl_attr_get_payload(attr), address_size(out));
}

static int read_address(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *local = NULL, *peer = NULL;
	struct nlattr *attr;
	struct interface_address *a;
	struct reader *r = arg;

	if (nlh->nlmsg_type != RTM_NEWADDR || msg->ifa_scope == RT_SCOPE_LINK ||
	    !name_interface(r, msg->ifa_index))
		return MNL_CB_OK;
	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			local = attr;
		else if (mnl_attr_get_type(attr) == IFA_ADDRESS)
			peer = attr;
	}
	if (!peer)
		return MNL_CB_OK;
	a = addresses_add(r->out);
	if (!a) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	memcpy(a->interface, r->name, sizeof(a->interface));
	take(&a->peer, peer, msg->ifa_family);
	take(&a->address, local ? local : peer, msg->ifa_family);
	a->prefix = msg->ifa_prefixlen;
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *s, struct addresses *out, enum family f, uint32_t seq)
{
	char buf[32768] __attribute__((aligned(8)));
	struct reader r = {.out = out};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *msg;
	int more = MNL_CB_OK;

	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	msg->ifa_family = family_defs[f].number;
	if (mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (more > 0) {
		ssize_t n = mnl_socket_recvfrom(s, buf, sizeof(buf));

		more = n < 0 ? MNL_CB_ERROR : mnl_cb_run(buf, (size_t)n, seq, 0, read_address, &r);
	}
	return more < 0 ? -errno : 0;
}

int addresses_load(struct addresses *out, enum family f)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int err = -EINTR;

	*out = (struct addresses){0};
	if (!s)
		return -errno;
	for (uint32_t try = 1; err == -EINTR && try <= TRIES; try++) {
		out->n = 0;
		err = dump(s, out, f, try);
	}
	mnl_socket_close(s);
	if (err)
		addresses_free(out);
	return err;
}
