// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands for the nft transport in a build with NFT=no. */
#include <errno.h>

#include "handle.h"

static int none_open(struct masq *m)
{
	return masq_fail(m, EPROTONOSUPPORT,
			 "this kernel has no masquerading modules, and this ipmasqadm was built "
			 "without nf_tables (NFT=no)");
}

static void none_close(struct masq *m)
{
	(void)m;
}

static int none_begin(struct masq *m)
{
	return none_open(m);
}

static int none_ctl(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl)
{
	(void)mod;
	(void)ctl;
	return none_open(m);
}

static int none_commit(struct masq *m, int *failed)
{
	(void)failed;
	return none_open(m);
}

static void none_abort(struct masq *m)
{
	(void)m;
}

static int none_list(struct masq *m, enum module mod, struct records *out)
{
	(void)mod;
	(void)out;
	return none_open(m);
}

const struct transport transport_nft = {
	.name = "nft",
	.open = none_open,
	.close = none_close,
	.begin = none_begin,
	.ctl = none_ctl,
	.commit = none_commit,
	.abort = none_abort,
	.list = none_list,
};
