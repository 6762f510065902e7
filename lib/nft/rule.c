// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>

#include "rule.h"

enum { TCP_SYN = 0x02, TCP_ACK = 0x10 }; /* RFC 793 */

/* NF_CT_STATE_BIT(IP_CT_NEW), which is the kernel's own. */
enum { CT_STATE_NEW = 1 << 3 };

enum { LOOPBACK_IFINDEX = 1 }; /* in every namespace (include/net/flow.h) */

#define OURS                                                                                       \
	.mask = LABEL_BIT(LABEL_SOUGHT) | LABEL_BIT(LABEL_MISSED), .value = LABEL_BIT(LABEL_SOUGHT)

static const struct test_def common[TEST_COUNT] = {
	[TEST_NOT_LOCAL] = {"fib daddr type != local", FIELD_ADDRESS_TYPE, .unequal = true,
			    .value = RTN_LOCAL},
	[TEST_MARKED] = {"meta mark != 0x00000000", FIELD_MARK, .unequal = true},
	[TEST_NO_SYN] = {"tcp flags & (syn | ack) != syn", FIELD_TCP_FLAGS, .needs_tcp = true,
			 .unequal = true, .mask = TCP_SYN | TCP_ACK, .value = TCP_SYN},
	[TEST_OTHER] = {"meta l4proto != { tcp, udp }", FIELD_NONE, .unequal = true},
	[TEST_EITHER] = {"meta l4proto { tcp, udp }", FIELD_NONE, .unequal = false},
	[TEST_TCP] = {"meta l4proto tcp", FIELD_PROTOCOL, .value = IPPROTO_TCP},
	[TEST_UDP] = {"meta l4proto udp", FIELD_PROTOCOL, .value = IPPROTO_UDP},
	[TEST_NO_SNAT] = {"ct status ! snat", FIELD_CT_STATUS, .mask = IPS_SRC_NAT},
	[TEST_NO_DNAT] = {"ct status ! dnat", FIELD_CT_STATUS, .mask = IPS_DST_NAT},
	[TEST_OURS] = {"ct label & (126 | 127) == 126", FIELD_CT_LABEL, OURS},
	[TEST_BORN_HERE] = {"iif 0", FIELD_IN, .value = 0},
	[TEST_LEAVES] = {"oif != \"lo\"", FIELD_OUT, .unequal = true, .value = LOOPBACK_IFINDEX},
	[TEST_FROM_HERE] = {"fib saddr type local", FIELD_SOURCE_TYPE, .value = RTN_LOCAL},
	[TEST_FROM_OTHER] = {"fib saddr . oif type != local", FIELD_SOURCE_TYPE_OUT,
			     .unequal = true, .value = RTN_LOCAL},
	[TEST_FROM_LEAVING] = {"fib saddr . oif type local", FIELD_SOURCE_TYPE_OUT,
			       .value = RTN_LOCAL},
	[TEST_ON_INTERFACE] = {"fib daddr . iif type local", FIELD_ADDRESS_TYPE_IN,
			       .value = RTN_LOCAL},
	[TEST_NEW] = {"ct state new", FIELD_CT_STATE, .unequal = true, .mask = CT_STATE_NEW},
	[TEST_UNCONFIRMED] = {"ct status ! confirmed", FIELD_CT_STATUS, .mask = IPS_CONFIRMED},
};

/* Where what is tested is another field, or the family has it alone. RFC 4291:
 * the bits of a link-local address up to the sixteenth are alike. */
static const struct test_def of_family[FAMILY_COUNT][TEST_COUNT] = {
	[FAMILY_IPV4] =
		{
			[TEST_LOOPBACK] = {"ip daddr 127.0.0.0/8", FIELD_NETWORK,
					   .value = IN_LOOPBACKNET},
		},
	[FAMILY_IPV6] =
		{
			[TEST_LOOPBACK] = {"ip6 daddr ::1", FIELD_LOCAL, .value = 1},
			[TEST_LINK_LOCAL] = {"ip6 daddr fe80::/16", FIELD_NETWORK, .value = 0xfe80},
		},
};

const struct test_def *test_def(enum family f, enum test test)
{
	const struct test_def *def = &of_family[f][test];

	if (!def->text)
		def = &common[test];
	return def->text ? def : NULL;
}

void rule_add(struct rule *r, struct statement s)
{
	size_t n = 0;

	while (r->statement[n].type != STATEMENT_NONE)
		n++;
	assert(n < STATEMENTS_MAX - 1);
	r->statement[n] = s;
}
