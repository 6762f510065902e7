// SPDX-License-Identifier: GPL-2.0-or-later
#include "frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

enum { TTL = 64, WINDOW = 64240, MSS = 1460, SMALLER_MTU = 1400, OPTION_MSS = 2 };

static uint32_t sum(uint32_t start, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (; n > 1; n -= 2, p += 2)
		start += (uint32_t)p[0] << 8 | p[1];
	return n ? start + ((uint32_t)p[0] << 8) : start;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons((uint16_t)~s);
}

static uint16_t transport_sum(const struct iphdr *ip, const void *data, size_t n)
{
	uint32_t s = sum(0, &ip->saddr, 8);
	uint16_t c = fold(sum(s + ip->protocol + (uint32_t)n, data, n));

	return c ? c : 0xffff;
}

static void put_ip(struct iphdr *ip, uint8_t protocol, struct in_addr saddr, struct in_addr daddr,
		   uint16_t id, size_t length)
{
	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)length),
		.id = htons(id),
		.frag_off = htons(IP_DF),
		.ttl = TTL,
		.protocol = protocol,
		.saddr = saddr.s_addr,
		.daddr = daddr.s_addr,
	};
	ip->check = fold(sum(0, ip, sizeof(*ip)));
}

/* The source is a locally administered address that nobody answers to. */
static uint8_t *put_ethernet(uint8_t *out, const uint8_t mac[6])
{
	static const uint8_t source[6] = {0x02, 0x69, 0x70, 0x6d, 0x61, 0x64};
	struct ethhdr eth = {.h_proto = htons(ETH_P_IP)};

	memset(out, 0, FRAME_MAX);
	memcpy(eth.h_dest, mac, sizeof(eth.h_dest));
	memcpy(eth.h_source, source, sizeof(eth.h_source));
	memcpy(out, &eth, sizeof(eth));
	return out + sizeof(eth);
}

static size_t finish(uint8_t *at, const struct iphdr *ip, const void *payload, size_t n)
{
	memcpy(at, ip, sizeof(*ip));
	memcpy(at + sizeof(*ip), payload, n);
	return sizeof(struct ethhdr) + sizeof(*ip) + n;
}

size_t frame_first(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f)
{
	uint8_t *at = put_ethernet(out, mac);
	struct {
		struct tcphdr h;
		uint8_t option[4];
	} tcp = {
		.h = {.source = htons(f->sport),
		      .dest = htons(f->dport),
		      .seq = htonl(f->seq),
		      .doff = 6,
		      .syn = 1,
		      .window = htons(WINDOW)},
		.option = {OPTION_MSS, 4, MSS >> 8, MSS & 0xff},
	};
	struct udphdr udp = {
		.source = htons(f->sport), .dest = htons(f->dport), .len = htons(sizeof(udp))};
	struct iphdr ip;

	if (f->protocol == IPPROTO_UDP) {
		put_ip(&ip, IPPROTO_UDP, f->saddr, f->daddr, f->id, sizeof(ip) + sizeof(udp));
		udp.check = transport_sum(&ip, &udp, sizeof(udp));
		return finish(at, &ip, &udp, sizeof(udp));
	}
	put_ip(&ip, IPPROTO_TCP, f->saddr, f->daddr, f->id, sizeof(ip) + sizeof(tcp));
	tcp.h.check = transport_sum(&ip, &tcp, sizeof(tcp));
	return finish(at, &ip, &tcp, sizeof(tcp));
}

size_t frame_reset(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f)
{
	uint8_t *at = put_ethernet(out, mac);
	struct tcphdr tcp = {
		.source = htons(f->sport),
		.dest = htons(f->dport),
		.seq = htonl(f->seq + 1),
		.doff = 5,
		.rst = 1,
	};
	struct iphdr ip;

	put_ip(&ip, IPPROTO_TCP, f->saddr, f->daddr, f->id, sizeof(ip) + sizeof(tcp));
	tcp.check = transport_sum(&ip, &tcp, sizeof(tcp));
	return finish(at, &ip, &tcp, sizeof(tcp));
}

size_t frame_too_big(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f,
		     uint32_t answer_seq)
{
	uint8_t *at = put_ethernet(out, mac);
	struct {
		struct icmphdr h;
		struct iphdr ip;
		uint16_t source, dest;
		uint32_t rest; /* the sequence number, or length and checksum */
	} icmp = {
		.h = {.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED},
		.source = htons(f->dport),
		.dest = htons(f->sport),
		.rest = f->protocol == IPPROTO_TCP ? htonl(answer_seq) : htonl(SMALLER_MTU << 16),
	};
	struct iphdr ip;

	icmp.h.un.frag.mtu = htons(SMALLER_MTU);
	put_ip(&icmp.ip, f->protocol, f->daddr, f->saddr, f->id, SMALLER_MTU + 100);
	put_ip(&ip, IPPROTO_ICMP, f->saddr, f->daddr, f->id, sizeof(ip) + sizeof(icmp));
	icmp.h.checksum = fold(sum(0, &icmp, sizeof(icmp)));
	return finish(at, &ip, &icmp, sizeof(icmp));
}
