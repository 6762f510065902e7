// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter.h>

#include "families.h"
#include "schema.h"

const struct family_def family_defs[FAMILY_COUNT] = {
	[FAMILY_IPV4] =
		{
			.number = NFPROTO_IPV4,
			.text = "ip",
			.name = "IPv4",
			.table = "table ip " NFT_TABLE,
			.config = "CONFIG_NF_TABLES_IPV4",
			.fib_config = "CONFIG_NFT_FIB_IPV4",
			.old = true,
		},
	[FAMILY_IPV6] =
		{
			.number = NFPROTO_IPV6,
			.text = "ip6",
			.name = "IPv6",
			.table = "table ip6 " NFT_TABLE,
			.config = "CONFIG_NF_TABLES_IPV6",
			.fib_config = "CONFIG_NFT_FIB_IPV6",
		},
};
_Static_assert(NFPROTO_IPV4 == AF_INET && NFPROTO_IPV6 == AF_INET6, "one number for both");

bool family_is_there(enum family f)
{
	int fd = socket(family_defs[f].number, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno != EAFNOSUPPORT;
	close(fd);
	return true;
}

enum family family_numbered(uint8_t number)
{
	enum family f = 0;

	while (f < FAMILY_COUNT && family_defs[f].number != number)
		f++;
	return f;
}
