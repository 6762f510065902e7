// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum { AT_ONCE = 256 };

static enum masq_check_answer answer_of(int err)
{
	switch (err) {
	case 0:
		return MASQ_ANSWER_YES;
	case ECONNREFUSED:
	case ECONNRESET:
		return MASQ_ANSWER_REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return MASQ_ANSWER_UNREACHABLE;
	case EACCES:
	case EPERM: /* of our own firewall */
	default:
		return MASQ_ANSWER_NONE;
	}
}

union name {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t name(union name *out, const struct masq_address *a, uint16_t port)
{
	*out = (union name){.in6 = {0}};
	if (a->family == AF_INET6) {
		out->in6.sin6_family = AF_INET6;
		out->in6.sin6_addr = a->in6;
		out->in6.sin6_port = htons(port);
		return sizeof(out->in6);
	}
	out->in.sin_family = AF_INET;
	out->in.sin_addr = a->in;
	out->in.sin_port = htons(port);
	return sizeof(out->in);
}

static void start(struct probe *p)
{
	bool udp = p->protocol == IPPROTO_UDP;
	union name from, to;
	socklen_t from_size = name(&from, &p->from, 0), to_size = name(&to, &p->to, p->port);
	const struct linger abort_it = {.l_onoff = 1};
	int err = 0;

	p->answer = MASQ_ANSWER_NONE;
	p->fd = socket(p->to.family,
		       (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return;
	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it));
	if ((p->from.family && bind(p->fd, &from.any, from_size) < 0) ||
	    connect(p->fd, &to.any, to_size) < 0 || (udp && send(p->fd, "", 0, 0) < 0))
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

static void some(struct probe *probes, size_t n, int milliseconds, const struct tick *tick)
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
		if (poll(p, n, CLOCK_TICK_MS) < 0)
			break;
		clock_tick(tick);
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

void probe_all(struct probe *probes, size_t n, int milliseconds, const struct tick *tick)
{
	for (size_t i = 0; i < n; i += AT_ONCE)
		some(probes + i, n - i < AT_ONCE ? n - i : AT_ONCE, milliseconds, tick);
}
