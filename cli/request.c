// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "flags.h"
#include "request.h"
#include "resolver.h"

static int read_command(struct request *req, const struct kind *k, const struct given *given)
{
	struct masq_command *c = &req->command;

	*c = (struct masq_command){.size = sizeof(*c), .kind = k->id, .verb = given->command->verb};
	if (!*given->command->needs)
		return 0;
	return k->read(c, given, req->numeric ? NULL : &resolver_system, &req->error);
}

int request_read(struct request *req, const struct kind *k, int argc, char *argv[])
{
	struct given given;
	int err;

	/* not all at once: the command is written anyway, and the error's text
	 * is long */
	req->action = ACT_HELP;
	req->numeric = req->verbose = req->json = req->dry_run = req->cut = false;
	req->error.text[0] = '\0';
	/* alone it is help, also where -h is an option with an operand */
	if (argc == 2 && !strcmp(argv[1], "-h"))
		return 0;
	err = grammar_read(k->syntax, &flags_common, &given, argc, argv, &req->error);
	if (err || !given.command)
		return err;
	req->action = given.command->action;
	req->numeric = given.flag[FLAG_NUMERIC];
	req->verbose = given.flag[FLAG_VERBOSE];
	req->json = given.flag[FLAG_JSON];
	req->dry_run = given.flag[FLAG_DRY_RUN];
	req->cut = given.flag[FLAG_CUT];
	return read_command(req, k, &given);
}
