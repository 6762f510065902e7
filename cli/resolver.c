// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "resolver.h"

static const char *host(struct masq_address *out, const char *name)
{
	int err = masq_host_address(out, name);

	if (!err)
		return NULL;
	return err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err);
}

const struct lookup resolver_system = {.host = host, .service = masq_service_port};
