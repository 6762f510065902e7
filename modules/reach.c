// SPDX-License-Identifier: GPL-2.0-or-later
/* reach: whom forwards do not reach, for the site. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "masqmod.h"

#define SUMMARY "switch off for the site whom forwards reach: inside clients, own connections"

static const struct line_column columns[] = {{"off", -3}, {NULL, 0}};

static const char *name(const struct masq_record *r)
{
	return r->forward->form == MASQ_OWN ? "own" : "inside";
}

static void row(struct line *line, const struct masq_record *r,
		bool numeric __attribute__((unused)))
{
	line_text(line, name(r));
}

static void object(struct object *o, const struct masq_record *r)
{
	object_text(o, "off", name(r));
}

static void remark(const struct masq_command *c, const char *transport)
{
	if (c->verb == MASQ_ADD && !strcmp(transport, "sockopt"))
		puts("this kernel forwards neither inside clients on the server's own link nor "
		     "connections of this machine: nothing is to be done");
}

static int reach_main(int argc, char *argv[])
{
	static const struct cli_plugin plugin = {
		.kind = "reach",
		.summary = SUMMARY,
		.columns = columns,
		.row = row,
		.object = object,
		.remark = remark,
	};

	return cli_main(&plugin, argc, argv);
}

MASQMOD(reach) = {
	.abi = MASQMOD_ABI,
	.name = "reach",
	.summary = SUMMARY,
	.main = reach_main,
};
