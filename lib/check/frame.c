// SPDX-License-Identifier: GPL-2.0-or-later
#include "frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "address.h"

enum { TTL = 64, WINDOW = 64240, MSS = 1460, SMALLER_MTU = 1400, OPTION_MSS = 2 };
/* Neighbour Discovery takes nothing that a router may have passed on. */
enum { FROM_NEIGHBOUR = 255 };

/* A packet under construction: from and to whom, and where it is. */
struct packet {
	uint8_t *out;
	const struct masq_address *saddr, *daddr;
	uint16_t id;
	uint8_t ttl;
};

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

/* The sum over addresses, protocol and length, and the data: the same in both
 * families. */
static uint16_t transport_sum(const struct packet *p, uint8_t protocol, const void *data, size_t n)
{
	uint32_t s = sum(0, &p->saddr->in6, address_size(p->saddr));
	uint16_t c;

	s = sum(s, &p->daddr->in6, address_size(p->daddr));
	c = fold(sum(s + protocol + (uint32_t)n, data, n));
	return c ? c : 0xffff;
}

/* Writes an IP header before n bytes; its length. */
static size_t put_ip(uint8_t *out, const struct packet *p, uint8_t protocol, size_t n)
{
	struct ip6_hdr ip6 = {.ip6_flow = htonl(6u << 28 | p->id),
			      .ip6_plen = htons((uint16_t)n),
			      .ip6_nxt = protocol,
			      .ip6_hlim = p->ttl};
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(ip) + n)),
		.id = htons(p->id),
		.frag_off = htons(IP_DF),
		.ttl = p->ttl,
		.protocol = protocol,
		.saddr = p->saddr->in.s_addr,
		.daddr = p->daddr->in.s_addr,
	};

	if (p->saddr->family == AF_INET6) {
		ip6.ip6_src = p->saddr->in6;
		ip6.ip6_dst = p->daddr->in6;
		memcpy(out, &ip6, sizeof(ip6));
		return sizeof(ip6);
	}
	ip.check = fold(sum(0, &ip, sizeof(ip)));
	memcpy(out, &ip, sizeof(ip));
	return sizeof(ip);
}

static uint8_t *put_link(uint8_t *out, const uint8_t to[6], const uint8_t from[6], uint16_t type)
{
	struct ethhdr eth = {.h_proto = htons(type)};

	memset(out, 0, FRAME_MAX);
	memcpy(eth.h_dest, to, sizeof(eth.h_dest));
	memcpy(eth.h_source, from, sizeof(eth.h_source));
	memcpy(out, &eth, sizeof(eth));
	return out + sizeof(eth);
}

/* The source is a locally administered address that nobody answers to. */
static uint8_t *put_ethernet(uint8_t *out, const uint8_t mac[6], const struct masq_address *a)
{
	static const uint8_t source[6] = {0x02, 0x69, 0x70, 0x6d, 0x61, 0x64};

	return put_link(out, mac, source, a->family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP);
}

static size_t finish(const struct packet *p, uint8_t protocol, const void *payload, size_t n)
{
	size_t head = put_ip(p->out, p, protocol, n);

	memcpy(p->out + head, payload, n);
	return FRAME_LINK + head + n;
}

static struct packet of_flow(const struct frame_flow *f, uint8_t *out, const uint8_t mac[6])
{
	return (struct packet){.out = put_ethernet(out, mac, &f->saddr),
			       .saddr = &f->saddr,
			       .daddr = &f->daddr,
			       .id = f->id,
			       .ttl = TTL};
}

size_t frame_first(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f)
{
	const struct packet p = of_flow(f, out, mac);
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

	if (f->protocol == IPPROTO_UDP) {
		udp.check = transport_sum(&p, IPPROTO_UDP, &udp, sizeof(udp));
		return finish(&p, IPPROTO_UDP, &udp, sizeof(udp));
	}
	tcp.h.check = transport_sum(&p, IPPROTO_TCP, &tcp, sizeof(tcp));
	return finish(&p, IPPROTO_TCP, &tcp, sizeof(tcp));
}

size_t frame_reset(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f)
{
	const struct packet p = of_flow(f, out, mac);
	struct tcphdr tcp = {
		.source = htons(f->sport),
		.dest = htons(f->dport),
		.seq = htonl(f->seq + 1),
		.doff = 5,
		.rst = 1,
	};

	tcp.check = transport_sum(&p, IPPROTO_TCP, &tcp, sizeof(tcp));
	return finish(&p, IPPROTO_TCP, &tcp, sizeof(tcp));
}

size_t frame_too_big(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct frame_flow *f,
		     uint32_t answer_seq)
{
	const struct packet p = of_flow(f, out, mac);
	const struct packet answer = {
		.saddr = &f->daddr, .daddr = &f->saddr, .id = f->id, .ttl = TTL};
	const bool six = f->saddr.family == AF_INET6;
	/* of the transport's header: ports, then the sequence number, or length
	 * and checksum */
	const uint16_t ports[2] = {htons(f->dport), htons(f->sport)};
	const uint32_t rest =
		f->protocol == IPPROTO_TCP ? htonl(answer_seq) : htonl(SMALLER_MTU << 16);
	const struct icmphdr v4 = {.type = ICMP_DEST_UNREACH,
				   .code = ICMP_FRAG_NEEDED,
				   .un.frag.mtu = htons(SMALLER_MTU)};
	struct icmp6_hdr v6 = {.icmp6_type = ICMP6_PACKET_TOO_BIG};
	uint8_t icmp[8 + 40 + 8];
	uint16_t check;
	size_t n = 8;

	v6.icmp6_mtu = htonl(SMALLER_MTU);
	memcpy(icmp, six ? (const void *)&v6 : (const void *)&v4, n);
	n += put_ip(icmp + n, &answer, f->protocol, SMALLER_MTU + 100);
	memcpy(icmp + n, ports, sizeof(ports));
	memcpy(icmp + n + sizeof(ports), &rest, sizeof(rest));
	n += sizeof(ports) + sizeof(rest);
	check = six ? transport_sum(&p, IPPROTO_ICMPV6, icmp, n) : fold(sum(0, icmp, n));
	memcpy(icmp + offsetof(struct icmphdr, checksum), &check, sizeof(check));
	return finish(&p, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, icmp, n);
}

static size_t ask_arp(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct masq_address *ours,
		      const struct masq_address *address)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct {
		struct arphdr head;
		uint8_t mac[6], ours[4], their_mac[6], theirs[4];
	} __attribute__((packed)) arp = {.head = {.ar_hrd = htons(ARPHRD_ETHER),
						  .ar_pro = htons(ETH_P_IP),
						  .ar_hln = 6,
						  .ar_pln = 4,
						  .ar_op = htons(ARPOP_REQUEST)}};

	memcpy(arp.mac, mac, 6);
	memcpy(arp.ours, &ours->in, 4);
	memcpy(arp.theirs, &address->in, 4);
	memcpy(put_link(out, all, mac, ETH_P_ARP), &arp, sizeof(arp));
	return FRAME_LINK + sizeof(arp);
}

static size_t ask_discovery(uint8_t out[FRAME_MAX], const uint8_t mac[6],
			    const struct masq_address *ours, const struct masq_address *address)
{
	/* the group of all whose addresses end alike, and how Ethernet says
	 * it */
	struct masq_address group = {.family = AF_INET6,
				     .in6 = {{{0xff, 2, [11] = 1, [12] = 0xff}}}};
	uint8_t to[6] = {0x33, 0x33, 0xff};
	struct {
		struct nd_neighbor_solicit h;
		uint8_t option[2], mac[6];
	} nd = {.h = {.nd_ns_hdr = {.icmp6_type = ND_NEIGHBOR_SOLICIT},
		      .nd_ns_target = address->in6},
		.option = {ND_OPT_SOURCE_LINKADDR, 1}};
	struct packet p = {.saddr = ours, .daddr = &group, .ttl = FROM_NEIGHBOUR};

	memcpy(group.in6.s6_addr + 13, address->in6.s6_addr + 13, 3);
	memcpy(to + 3, address->in6.s6_addr + 13, 3);
	memcpy(nd.mac, mac, 6);
	nd.h.nd_ns_hdr.icmp6_cksum = transport_sum(&p, IPPROTO_ICMPV6, &nd, sizeof(nd));
	p.out = put_link(out, to, mac, ETH_P_IPV6);
	return finish(&p, IPPROTO_ICMPV6, &nd, sizeof(nd));
}

size_t frame_ask(uint8_t out[FRAME_MAX], const uint8_t mac[6], const struct masq_address *ours,
		 const struct masq_address *address)
{
	return (address->family == AF_INET6 ? ask_discovery : ask_arp)(out, mac, ours, address);
}
