// SPDX-License-Identifier: GPL-2.0-or-later
#include "ears.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "frame.h"
#include "route.h"

/* Of all IPv6 only what asks and answers for neighbours, without extension
 * headers. */
static void filter_discovery(int fd)
{
	enum { TYPE = 40 };
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(struct ip6_hdr, ip6_nxt)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_SOLICIT, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

void ears_open(struct ears *e, const struct family *family)
{
	bool arp = family->af == AF_INET;

	e->n = 0;
	e->family = family;
	e->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       htons(arp ? ETH_P_ARP : ETH_P_IPV6));
	if (e->fd >= 0 && !arp)
		filter_discovery(e->fd);
}

void ears_watch(struct ears *e, const char *interface)
{
	const struct packet_mreq all = {.mr_ifindex = (int)if_nametoindex(interface),
					.mr_type = PACKET_MR_ALLMULTI};

	/* ARP is broadcast */
	if (e->fd >= 0 && e->family->af == AF_INET6 && all.mr_ifindex)
		setsockopt(e->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all));
}

static bool read_arp(struct heard *h, const uint8_t *p, size_t n)
{
	struct arphdr head;
	size_t hardware;

	if (n < sizeof(head))
		return false;
	memcpy(&head, p, sizeof(head));
	hardware = head.ar_hln;
	if (n < sizeof(head) + 2 * hardware + 8 || head.ar_pln != 4)
		return false;
	h->answer = ntohs(head.ar_op) == ARPOP_REPLY;
	h->asks.family = h->about.family = AF_INET;
	memcpy(&h->asks.in, p + sizeof(head) + hardware, 4);
	memcpy(&h->about.in, p + sizeof(head) + 2 * hardware + 4, 4);
	return true;
}

static bool read_discovery(struct heard *h, const uint8_t *p, size_t n)
{
	struct nd_neighbor_solicit nd; /* an answer has the address at the same place */
	struct ip6_hdr ip;

	if (n < sizeof(ip) + sizeof(nd))
		return false;
	memcpy(&ip, p, sizeof(ip));
	memcpy(&nd, p + sizeof(ip), sizeof(nd));
	if (ip.ip6_nxt != IPPROTO_ICMPV6 || (nd.nd_ns_hdr.icmp6_type != ND_NEIGHBOR_SOLICIT &&
					     nd.nd_ns_hdr.icmp6_type != ND_NEIGHBOR_ADVERT))
		return false;
	h->answer = nd.nd_ns_hdr.icmp6_type == ND_NEIGHBOR_ADVERT;
	h->asks.family = h->about.family = AF_INET6;
	h->asks.in6 = ip.ip6_src;
	h->about.in6 = nd.nd_ns_target;
	return true;
}

void ears_listen(struct ears *e)
{
	uint8_t p[128];

	for (int i = 0; i < 1024 && e->fd >= 0; i++) {
		ssize_t n = recv(e->fd, p, sizeof(p), 0);
		struct heard h = {0};

		if (n < 0)
			return;
		if (!(e->family->af == AF_INET ? read_arp : read_discovery)(&h, p, (size_t)n))
			continue;
		/* who answers by ARP says so in the first place */
		if (h.answer && e->family->af == AF_INET)
			h.about = h.asks;
		if (e->n < sizeof(e->heard) / sizeof(*e->heard))
			e->heard[e->n++] = h;
	}
}

bool ears_ask(struct ears *e, const char *interface, const struct masq_address *ours,
	      const struct masq_address *address)
{
	uint8_t frame[FRAME_MAX], mac[6];
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol =
					 htons(e->family->af == AF_INET ? ETH_P_ARP : ETH_P_IPV6),
				 .sll_ifindex = (int)if_nametoindex(interface),
				 .sll_halen = 6};
	size_t n;

	if (e->fd < 0 || !route_asks_neighbours(interface) || !route_hardware(interface, mac))
		return false;
	n = frame_ask(frame, mac, ours, address);
	memcpy(to.sll_addr, frame, 6);
	return sendto(e->fd, frame + FRAME_LINK, n - FRAME_LINK, 0, (struct sockaddr *)&to,
		      sizeof(to)) > 0;
}

bool ears_answered(const struct ears *e, const struct masq_address *address)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->heard[i].answer && address_equal(&e->heard[i].about, address))
			return true;
	return false;
}

void ears_close(struct ears *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}
