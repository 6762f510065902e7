// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real packets for the tests: one small program that is a host, a server or a
 * client.
 *
 *	traffic host		a new network namespace that does what it is told on stdin
 *	traffic agent		the same in the namespace it is started in
 *	traffic serve NAME PORT...		a TCP and UDP server, until killed
 *	traffic connect [-u] [-k] [-s SRC] [-n COUNT] DST PORT
 *				COUNT connections, each from a fresh source port; prints who
 *				answered. -k keeps the last one and asks it again for every line on stdin
 *
 * A server answers everything, of both families, with one line, "NAME PEER:PORT
 * LOCAL:PORT COUNT" (an address of IPv6 in brackets): who it is, whom it sees,
 * where it was reached, and how many connections and datagrams it has had. TCP
 * clients are greeted with it. So the client learns which server it got and
 * what address of its own arrived there.
 *
 * host and agent answer each line on stdin with one line on stdout and end with
 * their stdin:
 *
 *	listen NAME PORT...	     "ok": TCP and UDP, any address
 *	tcp|udp SRC DST PORT	     one connection; the server's line, or why there is none
 *	open ID tcp|udp SRC DST PORT the same, and the connection stays open
 *	say ID			     asks once more on that connection
 *	close ID		     "ok"
 *	many tcp|udp SRC DST PORT N  N connections in turn; "NAME COUNT NAME COUNT ..."
 *	timeout MS		     how long to wait for an answer
 *
 * SRC is an address of this host, or - for any.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE = 256, OPEN_MAX_IDS = 4096, FIRST_PORT = 10000, LAST_PORT = 60000 };

static int wait_ms = 2000;

/* Of either family. */
union endpoint {
	struct sockaddr sa;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static socklen_t size_of(const union endpoint *e)
{
	return e->sa.sa_family == AF_INET6 ? sizeof(e->six) : sizeof(e->four);
}

/* "-" is any address of the family; "fe80::1%eth0" is one of that link. */
static union endpoint address(const char *word, unsigned int port, int family)
{
	union endpoint e = {0};
	char text[LINE];
	char *scope;

	snprintf(text, sizeof(text), "%s", word);
	scope = strchr(text, '%');
	if (scope) {
		*scope++ = '\0';
		e.six.sin6_scope_id = if_nametoindex(scope);
	}
	if (inet_pton(AF_INET, text, &e.four.sin_addr) == 1)
		e.sa.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &e.six.sin6_addr) == 1)
		e.sa.sa_family = AF_INET6;
	else if (!strcmp(text, "-"))
		e = (union endpoint){.sa.sa_family = (sa_family_t)family};
	else
		errx(2, "%s: not an address", text);
	e.four.sin_port = htons((uint16_t)port); /* at the same place in both */
	return e;
}

/* "10.0.0.2:80" or "[fd00::2]:80" */
static const char *text_of(char out[64], const union endpoint *e)
{
	bool six = e->sa.sa_family == AF_INET6;
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(e->sa.sa_family,
		  six ? (const void *)&e->six.sin6_addr : (const void *)&e->four.sin_addr, addr,
		  sizeof(addr));
	snprintf(out, 64, six ? "[%s]:%u" : "%s:%u", addr, ntohs(e->four.sin_port));
	return out;
}

/* ---- server ---- */

/* What epoll hands back with an event: the descriptor and what it is. */
enum type { LISTENER, DATAGRAM, STREAM };

static unsigned int taken;

static int identify(char line[LINE], const char *name, const union endpoint *peer,
		    const union endpoint *local)
{
	char p[64], l[64];

	return snprintf(line, LINE, "%.64s %s %s %u\n", name, text_of(p, peer), text_of(l, local),
			taken);
}

static bool answer_stream(int fd, const char *name)
{
	union endpoint peer, local;
	socklen_t n = sizeof(peer), m = sizeof(local);
	char line[LINE];

	if (getpeername(fd, &peer.sa, &n) < 0 || getsockname(fd, &local.sa, &m) < 0)
		return false;
	return send(fd, line, (size_t)identify(line, name, &peer, &local), MSG_NOSIGNAL) > 0;
}

/* The answer leaves with the address it was asked at: a server may own
 * several. */
static void answer_datagram(int fd, const char *name)
{
	char buf[2048], control[CMSG_SPACE(sizeof(struct in6_pktinfo))], line[LINE];
	union endpoint peer, local;
	struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
	struct msghdr msg = {.msg_name = &peer,
			     .msg_namelen = sizeof(peer),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	socklen_t n = sizeof(local);

	if (recvmsg(fd, &msg, 0) < 0 || getsockname(fd, &local.sa, &n) < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		struct in6_pktinfo six;
		struct in_pktinfo four;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&four, CMSG_DATA(c), sizeof(four));
			local.four.sin_addr = four.ipi_spec_dst = four.ipi_addr;
			four.ipi_ifindex = 0;
			memcpy(CMSG_DATA(c), &four, sizeof(four));
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&six, CMSG_DATA(c), sizeof(six));
			local.six.sin6_addr = six.ipi6_addr;
			six.ipi6_ifindex = 0;
			memcpy(CMSG_DATA(c), &six, sizeof(six));
		}
	}
	iov.iov_base = line;
	iov.iov_len = (size_t)identify(line, name, &peer, &local);
	sendmsg(fd, &msg, 0);
}

static void watch(int epoll, int fd, enum type type)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)type << 32 | (unsigned int)fd,
	};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		err(1, "epoll_ctl");
}

/* One socket of a family; -1: the machine does not have the family. */
static int bound(int family, int type, const char *port)
{
	union endpoint any = address("-", (unsigned int)atoi(port), family);
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
	bool six = family == AF_INET6;

	if (fd < 0 && six)
		return -1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (six && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    (type == SOCK_DGRAM && !six &&
	     setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0) ||
	    (type == SOCK_DGRAM && six &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) < 0) ||
	    bind(fd, &any.sa, size_of(&any)) < 0 || (type == SOCK_STREAM && listen(fd, 1024) < 0))
		err(1, "listen on %s", port);
	return fd;
}

static int listen_on(char *const ports[], int n)
{
	static const int families[] = {AF_INET, AF_INET6};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		err(1, "epoll_create1");
	for (int i = 0; i < 2 * n; i++) {
		int tcp = bound(families[i % 2], SOCK_STREAM, ports[i / 2]);
		int udp = bound(families[i % 2], SOCK_DGRAM, ports[i / 2]);

		if (tcp >= 0)
			watch(epoll, tcp, LISTENER);
		if (udp >= 0)
			watch(epoll, udp, DATAGRAM);
	}
	return epoll;
}

static void serve_one(int epoll, int fd, enum type type, const char *name)
{
	char buf[2048];
	int stream;

	switch (type) {
	case LISTENER:
		stream = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (stream < 0)
			break;
		taken++;
		if (answer_stream(stream, name))
			watch(epoll, stream, STREAM);
		else
			close(stream);
		break;
	case DATAGRAM:
		taken++;
		answer_datagram(fd, name);
		break;
	case STREAM:
		if (recv(fd, buf, sizeof(buf), 0) <= 0 || !answer_stream(fd, name))
			close(fd);
		break;
	}
}

static void __attribute__((noreturn)) serve(int epoll, const char *name)
{
	struct epoll_event events[64];

	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);

		if (n < 0 && errno != EINTR)
			err(1, "epoll_wait");
		for (int i = 0; i < n; i++)
			serve_one(epoll, (int)events[i].data.u64, events[i].data.u64 >> 32, name);
	}
}

/* ---- client ---- */

/* A source port that this process has not used for the last 50,000 connections:
 * to conntrack each connection is a new one. */
static bool bind_fresh(int fd, const char *src, int family)
{
	static unsigned int next;
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!next)
		next = FIRST_PORT + (unsigned int)getpid() * 97 % (LAST_PORT - FIRST_PORT);
	for (int tries = 0; tries < 1000; tries++) {
		union endpoint from = address(src, next, family);

		next = next == LAST_PORT ? FIRST_PORT : next + 1;
		if (!bind(fd, &from.sa, size_of(&from)))
			return true;
		if (errno != EADDRINUSE)
			return false;
	}
	return false;
}

static const char *failure(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "refused";
	case ECONNRESET:
	case EPIPE:
		return "reset";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "unreachable";
	default:
		return strerror(error);
	}
}

/* The server's line into answer, without its newline; or a word for what went
 * wrong. */
static bool hear(int fd, char answer[LINE])
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t got = 0;

	for (;;) {
		ssize_t n;
		int ready = poll(&p, 1, wait_ms);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0) {
			strcpy(answer, "timeout");
			return false;
		}
		n = recv(fd, answer + got, LINE - 1 - got, 0);
		if (n <= 0) {
			strcpy(answer, n ? failure(errno) : "closed");
			return false;
		}
		got += (size_t)n;
		if (answer[got - 1] == '\n') {
			answer[got - 1] = '\0';
			return true;
		}
		if (got == LINE - 1) {
			strcpy(answer, "garbage");
			return false;
		}
	}
}

static bool ask(int fd, char answer[LINE])
{
	if (send(fd, "?", 1, MSG_NOSIGNAL) == 1)
		return hear(fd, answer);
	strcpy(answer, failure(errno));
	return false;
}

/* A TCP connection or UDP flow from a fresh source port, with the server's
 * first line. */
static int reach(bool tcp, const char *src, const char *dst, unsigned int port, char answer[LINE])
{
	union endpoint to = address(dst, port, AF_INET);
	int fd = socket(to.sa.sa_family,
			(tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t n = sizeof(error);

	if (fd < 0 || !bind_fresh(fd, src, to.sa.sa_family)) {
		snprintf(answer, LINE, "bind %.40s: %s", src, strerror(errno));
		goto failed;
	}
	if (connect(fd, &to.sa, size_of(&to)) < 0) {
		if (errno == EINPROGRESS && poll(&p, 1, wait_ms) > 0)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
		else
			error = errno == EINPROGRESS ? ETIMEDOUT : errno;
	}
	if (error) {
		strcpy(answer, error == ETIMEDOUT ? "timeout" : failure(error));
		goto failed;
	}
	if (tcp ? hear(fd, answer) : ask(fd, answer))
		return fd;
failed:
	if (fd >= 0)
		close(fd);
	return -1;
}

/* How many of the connections each server, or each kind of failure, got. */
static void many(bool tcp, const char *src, const char *dst, unsigned int port, int count)
{
	struct {
		char name[LINE];
		int n;
	} seen[16] = {0};

	for (int i = 0; i < count; i++) {
		char answer[LINE];
		int fd = reach(tcp, src, dst, port, answer);
		size_t k;

		if (fd >= 0)
			close(fd);
		answer[strcspn(answer, " ")] = '\0';
		for (k = 0; k < 15 && seen[k].n && strcmp(seen[k].name, answer); k++)
			;
		strcpy(seen[k].name, answer);
		seen[k].n++;
	}
	for (size_t k = 0; k < 16 && seen[k].n; k++)
		printf("%s%s %d", k ? " " : "", seen[k].name, seen[k].n);
	putchar('\n');
}

/* ---- agent ---- */

static int ids[OPEN_MAX_IDS];

static int *connection(const char *id)
{
	unsigned int i = (unsigned int)atoi(id);

	if (i >= OPEN_MAX_IDS)
		errx(2, "%s: no connection number, 0 to %d", id, OPEN_MAX_IDS - 1);
	return &ids[i];
}

static bool is_protocol(const char *s)
{
	return !strcmp(s, "tcp") || !strcmp(s, "udp");
}

static void fork_server(const char *name, char *const ports[], int n)
{
	int epoll = listen_on(ports, n);
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* the agent's stdout stays its own: whoever reads it sees its
		 * end */
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		serve(epoll, name);
	}
	close(epoll);
}

static void obey(char *argv[], int argc)
{
	char answer[LINE] = "ok";
	int *fd;

	if (argc >= 3 && !strcmp(argv[0], "listen")) {
		fork_server(argv[1], argv + 2, argc - 2);
	} else if (argc == 4 && is_protocol(argv[0])) {
		int once = reach(argv[0][0] == 't', argv[1], argv[2], (unsigned int)atoi(argv[3]),
				 answer);
		if (once >= 0)
			close(once);
	} else if (argc == 6 && !strcmp(argv[0], "open") && is_protocol(argv[2])) {
		fd = connection(argv[1]);
		*fd = reach(argv[2][0] == 't', argv[3], argv[4], (unsigned int)atoi(argv[5]),
			    answer);
	} else if (argc == 2 && !strcmp(argv[0], "say")) {
		ask(*connection(argv[1]), answer);
	} else if (argc == 2 && !strcmp(argv[0], "close")) {
		fd = connection(argv[1]);
		close(*fd);
		*fd = -1;
	} else if (argc == 6 && !strcmp(argv[0], "many") && is_protocol(argv[1])) {
		many(argv[1][0] == 't', argv[2], argv[3], (unsigned int)atoi(argv[4]),
		     atoi(argv[5]));
		return;
	} else if (argc == 2 && !strcmp(argv[0], "timeout")) {
		wait_ms = atoi(argv[1]);
	} else {
		errx(2, "agent: what is %s with %d operands?", argc ? argv[0] : "an empty line",
		     argc - 1);
	}
	puts(answer);
}

static void new_namespace(void)
{
	struct ifreq ifr = {.ifr_name = "lo"};
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		err(1, "unshare");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		err(1, "lo");
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		err(1, "lo up");
	close(fd);
}

static int agent(bool host)
{
	char line[8192];

	if (host)
		new_namespace();
	memset(ids, -1, sizeof(ids));
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready %d\n", (int)getpid());
	while (fgets(line, sizeof(line), stdin)) {
		char *argv[1024];
		int argc = 0;

		for (char *s = strtok(line, " \n"); s && argc < 1024; s = strtok(NULL, " \n"))
			argv[argc++] = s;
		obey(argv, argc);
	}
	return 0;
}

/* The message behind `conntrack -F`. */
static int forget(void)
{
	struct {
		struct nlmsghdr nlh;
		struct nfgenmsg nfg;
	} request = {
		.nlh = {.nlmsg_len = sizeof(request),
			.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.nfg = {.nfgen_family = AF_INET, .version = NFNETLINK_V0},
	};
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr result;
		char rest[256];
	} answer = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		err(1, "conntrack");
	close(fd);
	errno = -answer.result.error;
	if (errno)
		err(1, "conntrack");
	return 0;
}

static int client(int argc, char *argv[])
{
	const char *src = "-";
	bool tcp = true, keep = false;
	int opt, count = 1, failed = 0;
	char line[LINE];

	while ((opt = getopt(argc, argv, "uks:n:")) != -1) {
		switch (opt) {
		case 'u':
			tcp = false;
			break;
		case 'k':
			keep = true;
			break;
		case 's':
			src = optarg;
			break;
		case 'n':
			count = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2)
		errx(2, "connect: DST PORT");
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < count; i++) {
		int fd = reach(tcp, src, argv[optind], (unsigned int)atoi(argv[optind + 1]), line);

		puts(line);
		failed |= fd < 0;
		while (keep && fd >= 0 && i == count - 1) {
			char more[LINE];

			if (!fgets(more, sizeof(more), stdin))
				break;
			failed |= !ask(fd, line);
			puts(line);
		}
		if (fd >= 0)
			close(fd);
	}
	return failed;
}

int main(int argc, char *argv[])
{
	struct rlimit files;

	/* thousands of connections may be open at once */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* nothing outlives the test that started it, however that ends */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc == 2 && !strcmp(argv[1], "host"))
		return agent(true);
	if (argc == 2 && !strcmp(argv[1], "agent"))
		return agent(false);
	if (argc >= 4 && !strcmp(argv[1], "serve"))
		serve(listen_on(argv + 3, argc - 3), argv[2]);
	if (argc >= 4 && !strcmp(argv[1], "connect"))
		return client(argc - 1, argv + 1);
	if (argc == 2 && !strcmp(argv[1], "forget"))
		return forget();
	fprintf(stderr, "usage: traffic host | agent | forget | serve NAME PORT... |\n"
			"       connect [-u] [-k] [-s SRC] [-n COUNT] DST PORT\n");
	return 2;
}
