// SPDX-License-Identifier: GPL-2.0-or-later
#include "source.h"

#include <linux/rtnetlink.h>

#include "address.h"
#include "route.h"

static bool is_ours(const struct masq_address *a)
{
	const struct route_question q = {.dst = *a};
	struct route_answer answer;
	struct nl nl = {0};
	/* where it cannot be asked, nothing is wrong */
	bool ours = nl_open(&nl, NETLINK_ROUTE) < 0 || route_ask(&nl, &q, &answer) < 0 ||
		    answer.type == RTN_LOCAL;

	nl_close(&nl);
	return ours;
}

void source_observe(struct check_observed *o)
{
	o->masqueraded = o->out.done && !address_equal(&o->out.saddr, &o->client);
	o->source_elsewhere = o->masqueraded && !is_ours(&o->out.saddr);
}
