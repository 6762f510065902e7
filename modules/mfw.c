// SPDX-License-Identifier: GPL-2.0-or-later
/* mfw: forward what the firewall has marked, in turn, to inside hosts. */
#include "cli.h"
#include "masqmod.h"

#define SUMMARY "forward packets with a firewall mark to inside hosts in turn"

static const struct line_column columns[] = {
	{"fwmark", -8}, {"rediraddr", -20}, {"rport", 8}, {"pcnt", 5}, {"pref", 5}, {NULL, 0},
};

static void row(struct line *line, const struct masq_record *r, bool numeric)
{
	const struct masq_command *f = r->forward;

	line_number(line, f->mark);
	line_host(line, &f->target, numeric);
	line_port(line, f->target_ports.first, IPPROTO_TCP, numeric);
	line_signed(line, r->left);
	line_signed(line, f->pref);
}

static void object(struct object *o, const struct masq_record *r)
{
	const struct masq_command *f = r->forward;

	object_family(o, &f->local, &f->target);
	object_number(o, "mark", f->mark);
	object_address(o, "rediraddr", &f->target);
	object_number(o, "redirport", f->target_ports.first);
	object_number(o, "pcnt", (uint32_t)r->left);
	object_number(o, "pref", (uint32_t)f->pref);
}

static int mfw_main(int argc, char *argv[])
{
	static const struct cli_plugin plugin = {
		.kind = "mfw",
		.summary = SUMMARY,
		.columns = columns,
		.row = row,
		.object = object,
	};

	return cli_main(&plugin, argc, argv);
}

MASQMOD(mfw) = {
	.abi = MASQMOD_ABI,
	.name = "mfw",
	.summary = SUMMARY,
	.main = mfw_main,
};
