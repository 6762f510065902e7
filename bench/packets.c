// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the first packet of a connection costs: sends UDP packets, each from a source port and
 * address of its own, straight to an interface whose other end is the firewall. All that the packet
 * meets on its way, to where it is dropped, happens before the system call returns, so that is
 * timed.
 *
 *	packets INTERFACE MAC DESTINATION PORT COUNT MILLISECONDS
 *
 * Sends COUNT packets, or as many as fit into MILLISECONDS. Prints: SENT MEDIAN-ns MEAN-ns
 *
 * COUNT 0 is a flood: as many as fit, and none is timed. Prints: SENT
 */
#include <arpa/inet.h>
#include <err.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	char payload[8];
} __attribute__((packed));

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* 198.18.0.0/15 is for benchmarks: the low bits of the number are the port, the others the address */
static void fill(struct packet *p, unsigned int number)
{
	p->ip.saddr = htonl(0xc6120000 | (number >> 15 & 0x1ffff));
	p->udp.source = htons((uint16_t)(1024 + (number & 0x7fff)));
	p->ip.check = 0;
	p->ip.check = checksum(&p->ip, sizeof(p->ip));
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
		if (sendto(fd, p, sizeof(*p), 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
			err(1, "send");
	} while (n % 64 || now() < end);
	printf("%u\n", n);
	return 0;
}

int main(int argc, char *argv[])
{
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0), count = argc == 7 ? atoi(argv[5]) : -1, n;
	struct packet p = {
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP},
	};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_halen = 6};
	struct ether_addr *mac = argc == 7 ? ether_aton(argv[2]) : NULL;
	long long *took, total = 0, end;
	cpu_set_t cpus;

	if (count < 0 || !mac || inet_pton(AF_INET, argv[3], &p.ip.daddr) != 1)
		errx(2, "usage: packets INTERFACE MAC DESTINATION PORT COUNT MILLISECONDS");
	memcpy(to.sll_addr, mac, 6);
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	to.sll_protocol = htons(ETH_P_IP);
	p.ip.tot_len = htons(sizeof(p));
	p.udp.dest = htons((uint16_t)atoi(argv[4]));
	p.udp.len = htons(sizeof(p) - sizeof(p.ip));
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
		if (sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			err(1, "send");
		took[n] = now() - start;
		total += took[n];
	}
	qsort(took, (size_t)n, sizeof(*took), compare);
	printf("%d %lld %lld\n", n, took[n / 2], total / n);
	return 0;
}
