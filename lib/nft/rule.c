// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>

#include "rule.h"

enum { TCP_SYN = 0x02, TCP_ACK = 0x10 }; /* RFC 793 */

const struct test_def test_defs[TEST_COUNT] = {
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
	[TEST_UNCONFIRMED] = {"ct status ! confirmed", FIELD_CT_STATUS, .mask = IPS_CONFIRMED},
};

void rule_add(struct rule *r, struct statement s)
{
	size_t n = 0;

	while (r->statement[n].type != STATEMENT_NONE)
		n++;
	assert(n < STATEMENTS_MAX - 1);
	r->statement[n] = s;
}
