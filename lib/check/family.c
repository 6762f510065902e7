// SPDX-License-Identifier: GPL-2.0-or-later
#include "family.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>

#include "address.h"

const struct family family_ipv4 = {
	.af = AF_INET,
	.nfproto = NFPROTO_IPV4,
	.size = 4,
	.saddr = 12,
	.daddr = 16,
	.protocol = 9,
	.header = 20,
	.icmp = IPPROTO_ICMP,
	.ether_type = ETH_P_IP,
	.nft_type = 7,
	.ct_src = NFT_CT_SRC_IP,
	.ct_dst = NFT_CT_DST_IP,
	.word = "ip",
	.ip = "ip",
	.iptables = "iptables",
	.legacy = "/proc/net/ip_tables_names",
	.logger = "/proc/sys/net/netfilter/nf_log/2",
	.sysctl = "ipv4",
	.neighbours = "ARP",
	.too_big = "ICMP \"fragmentation needed\"",
	.nft_too_big = "icmp type destination-unreachable",
	.iptables_too_big = "-p icmp --icmp-type fragmentation-needed",
};

const struct family family_ipv6 = {
	.af = AF_INET6,
	.nfproto = NFPROTO_IPV6,
	.size = 16,
	.saddr = 8,
	.daddr = 24,
	.protocol = 6,
	.header = 40,
	.icmp = IPPROTO_ICMPV6,
	.ether_type = ETH_P_IPV6,
	.nft_type = 8,
	.ct_src = NFT_CT_SRC_IP6,
	.ct_dst = NFT_CT_DST_IP6,
	.word = "ip6",
	.ip = "ip -6",
	.iptables = "ip6tables",
	.legacy = "/proc/net/ip6_tables_names",
	.logger = "/proc/sys/net/netfilter/nf_log/10",
	.sysctl = "ipv6",
	.neighbours = "Neighbour Discovery",
	.too_big = "ICMPv6 \"packet too big\"",
	.nft_too_big = "icmpv6 type packet-too-big",
	.iptables_too_big = "-p icmpv6 --icmpv6-type packet-too-big",
};

const struct family *family_of(const struct check_forward *f)
{
	int af = f->raddr.family ? f->raddr.family : f->laddr.family;

	return af == AF_INET6 ? &family_ipv6 : &family_ipv4;
}

bool family_is_loopback(const struct masq_address *a)
{
	return a->family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&a->in6)
				     : a->family && ntohl(a->in.s_addr) >> 24 == IN_LOOPBACKNET;
}

void family_network(struct masq_address *a, unsigned int prefix)
{
	uint8_t *bytes = a->in6.s6_addr;

	for (unsigned int i = 0; i < (a->family == AF_INET6 ? 128 : 32); i++)
		if (i >= prefix)
			bytes[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
}

bool family_in_network(const struct masq_address *a, const struct masq_address *of,
		       unsigned int prefix)
{
	struct masq_address net = *a, other = *of;

	family_network(&net, prefix);
	family_network(&other, prefix);
	return prefix && address_equal(&net, &other);
}
