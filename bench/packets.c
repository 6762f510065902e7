// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the first packet of a connection costs: sends UDP packets, each from a
 * source port and address of its own, straight to an interface whose other end
 * is the firewall. All that the packet meets on its way, to where it is
 * dropped, happens before the system call returns, so that is timed.
 *
 *	packets INTERFACE MAC DESTINATION PORT COUNT MILLISECONDS
 *
 * Sends COUNT packets, or as many as fit into MILLISECONDS. Prints: SENT
 * MEDIAN-ns MEAN-ns
 *
 * COUNT 0 is a flood: as many as fit, and none is timed. Prints: SENT
 */
#include <arpa/inet.h>
#include <err.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct datagram {
	struct udphdr udp;
	char payload[8];
} __attribute__((packed));

struct packet {
	bool six;
	union {
		struct {
			struct iphdr ip;
			struct datagram datagram;
		} __attribute__((packed)) ipv4;
		struct {
			struct ip6_hdr ip;
			struct datagram datagram;
		} __attribute__((packed)) ipv6;
		char bytes[1];
	};
};

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint32_t add_up(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* 198.18.0.0/15 and 2001:2::/48 are for benchmarks: the low bits of the number
 * are the port, the others the address. Without a checksum a datagram of IPv6
 * is none. */
static void fill(struct packet *p, unsigned int number)
{
	uint16_t port = htons((uint16_t)(1024 + (number & 0x7fff)));
	uint32_t host = number >> 15 & 0x1ffff;

	if (!p->six) {
		p->ipv4.ip.saddr = htonl(0xc6120000 | host);
		p->ipv4.datagram.udp.source = port;
		p->ipv4.ip.check = 0;
		p->ipv4.ip.check = checksum(add_up(0, &p->ipv4.ip, sizeof(p->ipv4.ip)));
		return;
	}
	host = htonl(host + 1);
	memcpy(&p->ipv6.ip.ip6_src.s6_addr[12], &host, sizeof(host));
	p->ipv6.datagram.udp.source = port;
	p->ipv6.datagram.udp.check = 0;
	p->ipv6.datagram.udp.check =
		checksum(add_up(add_up(IPPROTO_UDP + sizeof(struct datagram), &p->ipv6.ip.ip6_src,
				       2 * sizeof(struct in6_addr)),
				&p->ipv6.datagram, sizeof(p->ipv6.datagram)));
}

static size_t length(const struct packet *p)
{
	return p->six ? sizeof(p->ipv6) : sizeof(p->ipv4);
}

/* All but what fill() sets; false: no address. */
static bool begin(struct packet *p, const char *destination, unsigned int port)
{
	struct datagram d = {.udp.dest = htons((uint16_t)port), .udp.len = htons(sizeof(d))};

	*p = (struct packet){.six = strchr(destination, ':')};
	if (!p->six) {
		p->ipv4.ip = (struct iphdr){.version = 4,
					    .ihl = 5,
					    .ttl = 64,
					    .protocol = IPPROTO_UDP,
					    .tot_len = htons(sizeof(p->ipv4))};
		p->ipv4.datagram = d;
		return inet_pton(AF_INET, destination, &p->ipv4.ip.daddr) == 1;
	}
	p->ipv6.ip.ip6_vfc = 6 << 4;
	p->ipv6.ip.ip6_plen = htons(sizeof(d));
	p->ipv6.ip.ip6_nxt = IPPROTO_UDP;
	p->ipv6.ip.ip6_hlim = 64;
	p->ipv6.datagram = d;
	return inet_pton(AF_INET6, "2001:2::", &p->ipv6.ip.ip6_src) == 1 &&
	       inet_pton(AF_INET6, destination, &p->ipv6.ip.ip6_dst) == 1;
}

static int compare(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

static int flood(int fd, struct packet *p, const struct sockaddr_ll *to, long long end)
{
	unsigned int n = 0;

	do {
		fill(p, n++);
		if (sendto(fd, p->bytes, length(p), 0, (const struct sockaddr *)to, sizeof(*to)) <
		    0)
			err(1, "send");
	} while (n % 64 || now() < end);
	printf("%u\n", n);
	return 0;
}

int main(int argc, char *argv[])
{
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0), count = argc == 7 ? atoi(argv[5]) : -1, n;
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_halen = 6};
	struct ether_addr *mac = argc == 7 ? ether_aton(argv[2]) : NULL;
	long long *took, total = 0, end;
	struct packet p;
	cpu_set_t cpus;

	if (count < 0 || !mac || !begin(&p, argv[3], (unsigned int)atoi(argv[4])))
		errx(2, "usage: packets INTERFACE MAC DESTINATION PORT COUNT MILLISECONDS");
	memcpy(to.sll_addr, mac, 6);
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	to.sll_protocol = htons(p.six ? ETH_P_IPV6 : ETH_P_IP);
	took = calloc((size_t)count + 1, sizeof(*took));
	if (fd < 0 || !to.sll_ifindex || !took)
		err(1, "%s", argv[1]);
	CPU_ZERO(&cpus);
	CPU_SET((unsigned int)sched_getcpu(), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);

	end = now() + atoi(argv[6]) * 1000000LL;
	if (!count)
		return flood(fd, &p, &to, end);
	for (n = 0; n < count; n++) {
		long long start;

		fill(&p, (unsigned int)n);
		start = now();
		if (start > end && n)
			break;
		if (sendto(fd, p.bytes, length(&p), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			err(1, "send");
		took[n] = now() - start;
		total += took[n];
	}
	qsort(took, (size_t)n, sizeof(*took), compare);
	printf("%d %lld %lld\n", n, took[n / 2], total / n);
	return 0;
}
