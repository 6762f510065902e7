// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands for the nft transport in a build with NFT=no. */
#include <errno.h>

#include "transport.h"

static int none_open(struct masq *m)
{
	/* the other transport was passed over: why? */
	int err = transport_sockopt.open(m);

	if (!err)
		err = transport_sockopt.command(
			m, &(struct masq_command){.size = sizeof(struct masq_command),
						  .verb = MASQ_PROBE});
	transport_sockopt.close(m);
	if (err == -EPERM || err == -EACCES || err == -ENOMEM)
		return err;
	return fail(&m->error, EPROTONOSUPPORT,
		    "%sthis ipmasqadm was built without nf_tables (NFT=no)",
		    err ? "this kernel has no masquerading modules, and " : "");
}

static void none_close(struct masq *m)
{
	(void)m;
}

/* There is nothing to diagnose with. */
int masq_check(struct masq *m, const struct masq_check_options *options, masq_check_fn *fn,
	       void *arg)
{
	(void)options;
	(void)fn;
	(void)arg;
	return fail(&m->error, EOPNOTSUPP, "this libipmasq was built without nf_tables (NFT=no)");
}

const struct transport transport_nft = {
	.name = "nft",
	.open = none_open,
	.close = none_close,
};
