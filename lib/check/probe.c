// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "route.h"

enum { AT_ONCE = 256 };

static enum check_answer answer_of(int err)
{
	switch (err) {
	case 0:
		return ANSWER_YES;
	case ECONNREFUSED:
	case ECONNRESET:
		return ANSWER_REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return ANSWER_UNREACHABLE;
	case EACCES:
	case EPERM: /* of our own firewall */
	default:
		return ANSWER_NONE;
	}
}

static void start(struct probe *p)
{
	bool udp = p->protocol == IPPROTO_UDP;
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = p->from};
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr = p->to, .sin_port = htons(p->port)};
	const struct linger abort_it = {.l_onoff = 1};
	int err = 0;

	p->answer = ANSWER_NONE;
	p->fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return;
	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it));
	if (bind(p->fd, (struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(p->fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    (udp && send(p->fd, "", 0, 0) < 0))
		err = errno;
	if (err == EINPROGRESS || (udp && !err))
		return;
	p->answer = answer_of(err);
	close(p->fd);
	p->fd = -1;
}

static void finish(struct probe *p)
{
	int err = 0;
	socklen_t size = sizeof(err);
	char byte;

	if (p->protocol == IPPROTO_UDP)
		err = recv(p->fd, &byte, 1, 0) < 0 ? errno : 0;
	else if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
		err = errno;
	p->answer = answer_of(err);
	close(p->fd);
	p->fd = -1;
}

static void some(struct probe *probes, size_t n, int milliseconds)
{
	struct pollfd p[AT_ONCE];
	long end = clock_ms() + milliseconds;
	size_t open = 0;

	for (size_t i = 0; i < n; i++) {
		start(&probes[i]);
		open += probes[i].fd >= 0;
	}
	while (open && clock_ms() < end) {
		for (size_t i = 0; i < n; i++)
			p[i] = (struct pollfd){
				.fd = probes[i].fd,
				.events = probes[i].protocol == IPPROTO_UDP ? POLLIN : POLLOUT};
		if (poll(p, n, (int)(end - clock_ms() > 0 ? end - clock_ms() : 0)) <= 0)
			break;
		for (size_t i = 0; i < n; i++)
			if (p[i].revents && probes[i].fd >= 0) {
				finish(&probes[i]);
				open--;
			}
	}
	for (size_t i = 0; i < n; i++)
		if (probes[i].fd >= 0)
			close(probes[i].fd);
}

void probe_all(struct probe *probes, size_t n, int milliseconds)
{
	for (size_t i = 0; i < n; i += AT_ONCE)
		some(probes + i, n - i < AT_ONCE ? n - i : AT_ONCE, milliseconds);
}

void ears_open(struct ears *e)
{
	e->n = 0;
	e->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ARP));
}

void ears_listen(struct ears *e)
{
	struct {
		struct arphdr head;
		uint8_t rest[40];
	} p;
	ssize_t n;

	for (int i = 0; i < 1024 && e->fd >= 0; i++) {
		size_t hardware;
		struct heard h;

		n = recv(e->fd, &p, sizeof(p), 0);
		if (n < 0)
			return;
		hardware = p.head.ar_hln;
		if ((size_t)n < sizeof(p.head) + 2 * hardware + 8 || p.head.ar_pln != 4 ||
		    2 * hardware + 8 > sizeof(p.rest))
			continue;
		h.answer = ntohs(p.head.ar_op) == ARPOP_REPLY;
		memcpy(&h.asks, p.rest + hardware, 4);
		memcpy(&h.about, p.rest + 2 * hardware + 4, 4);
		if (h.answer)
			h.about = h.asks;
		if (e->n < sizeof(e->heard) / sizeof(*e->heard))
			e->heard[e->n++] = h;
	}
}

bool ears_ask(struct ears *e, const char *interface, struct in_addr ours, struct in_addr address)
{
	struct {
		struct arphdr head;
		uint8_t mac[6], ours[4], their_mac[6], theirs[4];
	} __attribute__((packed)) p = {.head = {.ar_hrd = htons(ARPHRD_ETHER),
						.ar_pro = htons(ETH_P_IP),
						.ar_hln = 6,
						.ar_pln = 4,
						.ar_op = htons(ARPOP_REQUEST)}};
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ARP),
				 .sll_ifindex = (int)if_nametoindex(interface),
				 .sll_halen = 6,
				 .sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	if (e->fd < 0 || !route_hardware(interface, p.mac))
		return false;
	memcpy(p.ours, &ours, 4);
	memcpy(p.theirs, &address, 4);
	return sendto(e->fd, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)) > 0;
}

bool ears_answered(const struct ears *e, struct in_addr address)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->heard[i].answer && e->heard[i].asks.s_addr == address.s_addr)
			return true;
	return false;
}

void ears_close(struct ears *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}
