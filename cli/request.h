/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command line, read: what is asked for, and how. */
#ifndef REQUEST_H
#define REQUEST_H

#include "kind.h"

struct request {
	enum action action;
	struct masq_command command; /* ACT_DO, ACT_QUERY */
	bool numeric, verbose, json, dry_run, cut;
	struct error error;
};

/* argv[0] is the kind's name. Asks the resolver unless -n is given; argv stays
 * as it was. 0, or -EINVAL with req->error set. */
int request_read(struct request *req, const struct kind *k, int argc, char *argv[]);

#endif
