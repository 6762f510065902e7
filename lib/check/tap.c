// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nl.h"

/* No address configuration on it: it would send router solicitations. */
static void keep_quiet(const char *name)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		fd = (close(fd), -1); /* then it solicits into our own descriptor */
	if (fd >= 0)
		close(fd);
}

static int bring_up(int tap, struct ifreq *req, uint8_t mac[6])
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (s < 0)
		return -errno;
	if (ioctl(tap, SIOCGIFHWADDR, req) < 0)
		err = -errno;
	memcpy(mac, req->ifr_hwaddr.sa_data, 6);
	keep_quiet(req->ifr_name);
	req->ifr_flags = IFF_UP | IFF_NOARP;
	if (!err && ioctl(s, SIOCSIFFLAGS, req) < 0)
		err = -errno;
	close(s);
	return err;
}

static struct tcmsg *put_tc(struct nlmsghdr *h, unsigned int ifindex)
{
	struct tcmsg *t = mnl_nlmsg_put_extra_header(h, sizeof(*t));

	t->tcm_ifindex = (int)ifindex;
	return t;
}

static int add_clsact(struct nl *nl, unsigned int tap)
{
	char buf[NL_REQUEST_MAX];
	struct nlmsghdr *h = nl_request(buf, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
	struct tcmsg *t = put_tc(h, tap);

	t->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	t->tcm_parent = TC_H_CLSACT;
	mnl_attr_put_strz(h, TCA_KIND, "clsact");
	return nl_ask(nl, h, NULL, NULL);
}

/* The action: redirect to the ingress of the interface. */
static void put_redirect(struct nlmsghdr *h, uint16_t type, unsigned int to)
{
	struct tc_mirred mirred = {
		.action = TC_ACT_STOLEN, .eaction = TCA_INGRESS_REDIR, .ifindex = to};
	struct nlattr *actions = mnl_attr_nest_start(h, type);
	struct nlattr *first = mnl_attr_nest_start(h, 1);
	struct nlattr *options;

	mnl_attr_put_strz(h, TCA_ACT_KIND, "mirred");
	options = mnl_attr_nest_start(h, TCA_ACT_OPTIONS);
	mnl_attr_put(h, TCA_MIRRED_PARMS, sizeof(mirred), &mirred);
	mnl_attr_nest_end(h, options);
	mnl_attr_nest_end(h, first);
	mnl_attr_nest_end(h, actions);
}

/* By matchall or u32: kernels lack the one or the other. */
static int add_filter(struct nl *nl, unsigned int tap, unsigned int to, const char *kind)
{
	/* a key that any packet has: mask and value are 0 */
	const struct tc_u32_sel sel = {.flags = TC_U32_TERMINAL, .nkeys = 1};
	char any[sizeof(sel) + sizeof(struct tc_u32_key)] = {0};
	char buf[NL_REQUEST_MAX];
	struct nlmsghdr *h = nl_request(buf, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);
	struct tcmsg *t = put_tc(h, tap);
	struct nlattr *options;

	t->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
	t->tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(h, TCA_KIND, kind);
	options = mnl_attr_nest_start(h, TCA_OPTIONS);
	if (!strcmp(kind, "u32")) {
		memcpy(any, &sel, sizeof(sel));
		mnl_attr_put(h, TCA_U32_SEL, sizeof(any), any);
		put_redirect(h, TCA_U32_ACT, to);
	} else {
		put_redirect(h, TCA_MATCHALL_ACT, to);
	}
	mnl_attr_nest_end(h, options);
	return nl_ask(nl, h, NULL, NULL);
}

static int lead(unsigned int tap, unsigned int to)
{
	struct nl nl = {0};
	int err = nl_open(&nl, NETLINK_ROUTE);

	if (!err)
		err = add_clsact(&nl, tap);
	if (!err)
		err = add_filter(&nl, tap, to, "matchall");
	if (err == -ENOENT || err == -EOPNOTSUPP)
		err = add_filter(&nl, tap, to, "u32");
	nl_close(&nl);
	return err;
}

int tap_open(unsigned int ifindex, uint8_t mac[6])
{
	struct ifreq req = {.ifr_name = "ipmasqcheck%d"};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int err = 0;

	if (fd < 0)
		return -errno;
	req.ifr_flags = IFF_TAP | IFF_NO_PI;
	if (ioctl(fd, TUNSETIFF, &req) < 0)
		err = -errno;
	if (!err)
		err = bring_up(fd, &req, mac);
	if (!err)
		err = lead(if_nametoindex(req.ifr_name), ifindex);
	if (!err)
		return fd;
	close(fd);
	return err;
}
