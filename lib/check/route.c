// SPDX-License-Identifier: GPL-2.0-or-later
#include "route.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"

static struct masq_address address_of(const struct nlattr *a, int family)
{
	struct masq_address out = {.family = family};

	if (!a || mnl_attr_get_payload_len(a) != address_size(&out))
		return (struct masq_address){0};
	memcpy(&out.in6, mnl_attr_get_payload(a), address_size(&out));
	return out;
}

static void put_address(struct nlmsghdr *h, uint16_t type, const struct masq_address *a)
{
	if (a->family)
		mnl_attr_put(h, type, address_size(a), &a->in6);
}

static int keep_route(const struct nlmsghdr *h, void *arg)
{
	struct route_answer *out = arg;
	const struct rtmsg *r = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[RTA_PREFSRC + 1];

	if (h->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	nl_attributes(h, sizeof(*r), a, RTA_PREFSRC);
	out->type = r->rtm_type;
	out->prefix = r->rtm_dst_len;
	out->oif = a[RTA_OIF] ? mnl_attr_get_u32(a[RTA_OIF]) : 0;
	out->gateway = address_of(a[RTA_GATEWAY], r->rtm_family);
	out->source = address_of(a[RTA_PREFSRC], r->rtm_family);
	return MNL_CB_OK;
}

static int ask(struct nl *nl, const struct route_question *q, struct route_answer *answer,
	       unsigned int flags)
{
	char buf[NL_REQUEST_MAX];
	struct nlmsghdr *h = nl_request(buf, RTM_GETROUTE, 0);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->rtm_family = (uint8_t)q->dst.family;
	r->rtm_dst_len = (uint8_t)(address_size(&q->dst) * 8);
	r->rtm_src_len = (uint8_t)(address_size(&q->src) * 8);
	r->rtm_flags = flags;
	put_address(h, RTA_DST, &q->dst);
	put_address(h, RTA_SRC, &q->src);
	if (q->iif)
		mnl_attr_put_u32(h, RTA_IIF, q->iif);
	if (q->oif)
		mnl_attr_put_u32(h, RTA_OIF, q->oif);
	if (q->mark)
		mnl_attr_put_u32(h, RTA_MARK, q->mark);
	return nl_ask(nl, h, keep_route, answer);
}

/* The kernel's answer has no prefix length; the matching entry of the table has
 * one. */
int route_ask(struct nl *nl, const struct route_question *q, struct route_answer *answer)
{
	struct route_answer entry = {0};
	int err;

	*answer = (struct route_answer){0};
	err = ask(nl, q, answer, 0);
	switch (err) {
	case -EBADF:
	case -ENOMEM:
	case -ENOBUFS:
	case -EPERM:
	case -ETIME:
		return err;
	default:
		answer->error = -err;
	}
	if (!err && !ask(nl, q, &entry, RTM_F_FIB_MATCH))
		answer->prefix = entry.prefix;
	return 0;
}

static int keep_address(const struct nlmsghdr *h, void *arg)
{
	struct route_addresses *list = arg;
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[IFA_LOCAL + 1];

	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 16;
		struct route_address *v = reallocarray(list->v, cap, sizeof(*v));

		if (!v) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		list->v = v;
		list->cap = cap;
	}
	nl_attributes(h, sizeof(*m), a, IFA_LOCAL);
	list->v[list->n++] = (struct route_address){
		.address = address_of(a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS], m->ifa_family),
		.prefix = m->ifa_prefixlen,
		.ifindex = m->ifa_index};
	return MNL_CB_OK;
}

int route_addresses(struct nl *nl, struct route_addresses *list)
{
	char buf[NL_REQUEST_MAX];
	struct nlmsghdr *h = nl_request(buf, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ifa_family = AF_UNSPEC;
	return nl_ask(nl, h, keep_address, list);
}

bool route_is_of(const struct route_addresses *list, const struct masq_address *address,
		 const char *interface)
{
	unsigned int index = if_nametoindex(interface);

	for (size_t i = 0; index && i < list->n; i++)
		if (list->v[i].ifindex == index && address_equal(&list->v[i].address, address))
			return true;
	return false;
}

void route_addresses_free(struct route_addresses *list)
{
	free(list->v);
	*list = (struct route_addresses){0};
}

static int note_mark(const struct nlmsghdr *h, void *arg)
{
	bool *marks = arg;
	const struct fib_rule_hdr *r = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[FRA_FWMARK + 1];

	nl_attributes(h, sizeof(*r), a, FRA_FWMARK);
	*marks |= a[FRA_FWMARK] != NULL;
	return MNL_CB_OK;
}

int route_by_mark(struct nl *nl, const struct family *family, bool *marks)
{
	char buf[NL_REQUEST_MAX];
	struct nlmsghdr *h = nl_request(buf, RTM_GETRULE, NLM_F_DUMP);
	struct fib_rule_hdr *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	*marks = false;
	r->family = (uint8_t)family->af;
	return nl_ask(nl, h, note_mark, marks);
}

static int keep_neighbour(const struct nlmsghdr *h, void *arg)
{
	enum route_neighbour *out = arg;
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type == RTM_NEWNEIGH)
		*out = m->ndm_state & (NUD_FAILED | NUD_INCOMPLETE) ? NEIGHBOUR_FAILED
								    : NEIGHBOUR_THERE;
	return MNL_CB_OK;
}

enum route_neighbour route_neighbour(struct nl *nl, unsigned int ifindex,
				     const struct masq_address *address)
{
	enum route_neighbour out = NEIGHBOUR_UNKNOWN;
	char buf[NL_REQUEST_MAX];
	struct nlmsghdr *h = nl_request(buf, RTM_GETNEIGH, 0);
	struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ndm_family = (uint8_t)address->family;
	m->ndm_ifindex = (int)ifindex;
	put_address(h, NDA_DST, address);
	nl_ask(nl, h, keep_neighbour, &out);
	return out;
}

static int note_xdp(const struct nlmsghdr *h, void *arg)
{
	bool *xdp = arg;
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[IFLA_XDP + 1], *b[IFLA_XDP_ATTACHED + 1];

	nl_attributes(h, sizeof(*m), a, IFLA_XDP);
	if (!a[IFLA_XDP])
		return MNL_CB_OK;
	nl_nested(a[IFLA_XDP], b, IFLA_XDP_ATTACHED);
	if (b[IFLA_XDP_ATTACHED])
		switch (mnl_attr_get_u8(b[IFLA_XDP_ATTACHED])) {
		case XDP_ATTACHED_DRV:
		case XDP_ATTACHED_HW:
		case XDP_ATTACHED_MULTI:
			*xdp = true;
		}
	return MNL_CB_OK;
}

bool route_has_xdp(struct nl *nl, const char *interface)
{
	char buf[NL_REQUEST_MAX];
	struct nlmsghdr *h = nl_request(buf, RTM_GETLINK, 0);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	bool xdp = false;

	m->ifi_index = (int)if_nametoindex(interface);
	if (m->ifi_index)
		nl_ask(nl, h, note_xdp, &xdp);
	return xdp;
}

static bool ask_interface(unsigned long what, const char *interface, struct ifreq *req)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	*req = (struct ifreq){0};
	if (s < 0)
		return false;
	snprintf(req->ifr_name, sizeof(req->ifr_name), "%s", interface);
	ok = !ioctl(s, what, req);
	close(s);
	return ok;
}

bool route_hardware(const char *interface, unsigned char mac[6])
{
	struct ifreq req;
	bool ok = ask_interface(SIOCGIFHWADDR, interface, &req) &&
		  req.ifr_hwaddr.sa_family == ARPHRD_ETHER;

	memset(mac, 0, 6);
	if (ok)
		memcpy(mac, req.ifr_hwaddr.sa_data, 6);
	return ok;
}

bool route_asks_neighbours(const char *interface)
{
	struct ifreq req;

	return ask_interface(SIOCGIFFLAGS, interface, &req) && !(req.ifr_flags & IFF_NOARP);
}
