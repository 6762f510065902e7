// SPDX-License-Identifier: GPL-2.0-or-later
/* mfw: forward what the firewall has marked, in turn, to inside hosts. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "masqmod.h"

#define SUMMARY "forward packets with a firewall mark to inside hosts in turn"

enum { OPT_MARK, OPT_REMOTE, OPT_PREF, OPT_COUNT };

static const struct cli_option options[OPT_COUNT] = {
	[OPT_MARK] = {'m', "MARK", "1 to 4294967295, or 0x and hexadecimal"},
	[OPT_REMOTE] = {'r', "RADDR [RPORT]", "host to forward to; no port: the packet's own"},
	[OPT_PREF] = {'p', "PREF",
		      "connections before the next host's turn, 0: only as the last resort "
		      "(default 10)"},
};

enum {
	CMD_APPEND,
	CMD_INSERT,
	CMD_DELETE,
	CMD_EDIT,
	CMD_SCHED,
	CMD_QUERY,
	CMD_FLUSH,
	CMD_LIST,
	CMD_COUNT
};

static const struct cli_command commands[CMD_COUNT] = {
	[CMD_APPEND] = {'A', ACT_CTL, IP_MASQ_CMD_ADD, "mr", "p",
			"append a host: its turn comes last"},
	[CMD_INSERT] = {'I', ACT_CTL, IP_MASQ_CMD_INSERT, "mr", "p",
			"insert a host: its turn comes now"},
	[CMD_DELETE] = {'D', ACT_CTL, IP_MASQ_CMD_DEL, "m", "rp", "delete all that match"},
	[CMD_EDIT] = {'E', ACT_CTL, IP_MASQ_CMD_SET, "m", "rp", "give all that match a new pref"},
	[CMD_SCHED] = {'S', ACT_CTL, IP_MASQ_CMD_SET, "m", "rp", "end the present turn: next host"},
	[CMD_QUERY] = {'q', ACT_QUERY, IP_MASQ_CMD_DEL, "m", "rp",
		       "exit 0 if -D would find something, else 1"},
	[CMD_FLUSH] = {'F', ACT_CTL, IP_MASQ_CMD_FLUSH, "", "", "delete all"},
	[CMD_LIST] = {'L', ACT_LIST, IP_MASQ_CMD_NONE, "", "", "list"},
};

/* Published examples leave the command out. */
static bool advise(struct request *req, char letter, int argc, char *argv[])
{
	char words[160] = "";
	size_t used = 0;

	if (letter)
		return false;
	for (int i = 1; i < argc && used < sizeof(words); i++)
		used += (size_t)snprintf(words + used, sizeof(words) - used, " %s", argv[i]);
	args_fail(req,
		  "no command; to append a host: ipmasqadm mfw -A%s; to insert it before the "
		  "others: ipmasqadm mfw -I%s",
		  words, words);
	return true;
}

static const struct cli_syntax syntax = {
	.module = "mfw",
	.summary = SUMMARY,
	.options = options,
	.option_count = OPT_COUNT,
	.commands = commands,
	.command_count = CMD_COUNT,
	.advise = advise,
};

static int read_values(struct request *req, const struct cli_given *g)
{
	struct ip_mfw_user *u = &req->ctl.u.mfw_user;
	const char *mark = g->operand[OPT_MARK][0], *const *remote = g->operand[OPT_REMOTE];
	uint16_t rport = 0;
	int err = 0;

	u->pref = 10;
	u->flags = g->command == &commands[CMD_SCHED] ? IP_MASQ_MFW_SCHED : 0;
	if (!masq_parse_mark(&u->fwmark, mark))
		return args_fail(
			req, "mark \"%s\": give one from 1 to 4294967295, or 0x and hexadecimal",
			mark);
	if (remote[0])
		err = args_address(req, &u->raddr, remote[0]);
	/* the mark may be on either protocol; services mostly have one port for both */
	if (!err && remote[1])
		err = args_port(req, &rport, remote[1], IPPROTO_TCP);
	if (!err && g->option[OPT_PREF])
		err = args_pref(req, &u->pref, g->operand[OPT_PREF][0], 0);
	if (!err && !u->raddr && strchr(g->command->needs, 'r'))
		err = args_fail(req, "-r %s is no host to forward to", remote[0]);
	u->rport = htons(rport);
	return err;
}

int mfw_parse(struct request *req, int argc, char *argv[])
{
	struct cli_given given;
	int err = args_read(req, &syntax, &given, argc, argv);

	if (err || !given.option[OPT_MARK])
		return err;
	return read_values(req, &given);
}

static const struct line_column columns[] = {
	{"fwmark", -8}, {"rediraddr", -20}, {"rport", 8}, {"pcnt", 5}, {"pref", 5}, {NULL, 0},
};

static void row(struct line *line, const struct masq_record *r, bool numeric)
{
	line_number(line, r->mark);
	line_host(line, r->raddr, numeric);
	line_port(line, r->rport, IPPROTO_TCP, numeric);
	line_signed(line, r->left);
	line_signed(line, r->pref);
}

static void object(struct object *o, const struct masq_record *r)
{
	object_number(o, "mark", r->mark);
	object_address(o, "rediraddr", r->raddr);
	object_number(o, "redirport", ntohs(r->rport));
	object_number(o, "pcnt", (uint32_t)r->left);
	object_number(o, "pref", (uint32_t)r->pref);
}

static int mfw_main(int argc, char *argv[])
{
	static const struct cli_plugin plugin = {
		.syntax = &syntax,
		.parse = mfw_parse,
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
