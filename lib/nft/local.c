// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/rtnetlink.h>

#include "local.h"

void local_open(struct local *l)
{
	*l = (struct local){.route = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC)};
}

void local_close(struct local *l)
{
	if (l->route)
		mnl_socket_close(l->route);
	for (enum family f = 0; f < FAMILY_COUNT; f++)
		addresses_free(&l->all[f]);
}

static int read_type(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == RTM_NEWROUTE)
		*(bool *)arg = route->rtm_type == RTN_LOCAL;
	return MNL_CB_STOP;
}

bool local_is(struct local *l, const struct masq_address *a)
{
	char request[256] = {0}, answer[4096];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct rtmsg *route;
	ssize_t n;

	if (address_equal(&l->asked, a))
		return l->is;
	l->asked = *a;
	l->is = false;
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	route = mnl_nlmsg_put_extra_header(nlh, sizeof(*route));
	route->rtm_family = (unsigned char)a->family;
	route->rtm_dst_len = (unsigned char)(8 * address_size(a));
	mnl_attr_put(nlh, RTA_DST, address_size(a), &a->in6);
	if (l->route && mnl_socket_sendto(l->route, nlh, nlh->nlmsg_len) >= 0) {
		n = mnl_socket_recvfrom(l->route, answer, sizeof(answer));
		if (n > 0)
			mnl_cb_run(answer, (size_t)n, 0, 0, read_type, &l->is);
	}
	return l->is;
}

const char *local_interface(struct local *l, const struct masq_address *a)
{
	enum family f = family_by_address(a);

	if (!l->read[f])
		addresses_load(&l->all[f], f);
	l->read[f] = true;
	for (size_t i = 0; i < l->all[f].n; i++)
		if (address_equal(&l->all[f].v[i].address, a))
			return l->all[f].v[i].interface;
	return NULL;
}
