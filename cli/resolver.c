// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>

#include "resolver.h"

static const char *host(struct masq_address *out, const char *name, int family)
{
	int err = masq_host_address_of(out, name, family);

	if (!err)
		return NULL;
	if (err == EAI_NODATA || err == EAI_ADDRFAMILY) {
		if (family == AF_INET)
			return "it has no IPv4 address, as the other address is";
		if (family == AF_INET6)
			return "it has no IPv6 address, as the other address is";
	}
	return err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err);
}

static bool interface(const char *name)
{
	return if_nametoindex(name);
}

const struct lookup resolver_system = {
	.host = host, .service = masq_service_port, .interface = interface};
