// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands for the nft transport in a build with NFT=no. */
#include <errno.h>

#include "handle.h"

static int none_open(struct masq *m)
{
	const struct ip_masq_ctl peek = {
		.m_target = IP_MASQ_TARGET_MOD,
		.m_cmd = IP_MASQ_CMD_NONE,
	};
	int err = transport_sockopt.open(m);

	/* the other transport was passed over: why? */
	if (!err)
		err = transport_sockopt.ctl(m, MOD_PORTFW, &peek);
	transport_sockopt.close(m);
	if (err == -EPERM || err == -EACCES || err == -ENOMEM)
		return err;
	return masq_fail(m, EPROTONOSUPPORT,
			 "%sthis ipmasqadm was built without nf_tables (NFT=no)",
			 err ? "this kernel has no masquerading modules, and " : "");
}

static void none_close(struct masq *m)
{
	(void)m;
}

const struct transport transport_nft = {
	.name = "nft",
	.open = none_open,
	.close = none_close,
};
