// SPDX-License-Identifier: GPL-2.0-or-later
/* portfw: forward a port of this machine to an inside host. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "masqmod.h"

#define SUMMARY "forward a port of this machine to an inside host"

enum { OPT_PROTO, OPT_LOCAL, OPT_REMOTE, OPT_PREF, OPT_COUNT };

static const struct cli_option options[OPT_COUNT] = {
	[OPT_PROTO] = {'P', "PROTO", "tcp or udp"},
	[OPT_LOCAL] = {'L', "LADDR LPORT",
		       "address and port here; 0.0.0.0: any address of this machine"},
	[OPT_REMOTE] = {'R', "RADDR RPORT", "host and port to forward to"},
	[OPT_PREF] = {'p', "PREF", "connections before the next host's turn, from 1 (default 10)"},
};

enum { CMD_ADD, CMD_DELETE, CMD_QUERY, CMD_FLUSH, CMD_LIST, CMD_COUNT };

static const struct cli_command commands[CMD_COUNT] = {
	[CMD_ADD] = {'a', ACT_CTL, IP_MASQ_CMD_ADD, "PL", "Rp",
		     "add a forward, or give the one that is there a new pref"},
	[CMD_DELETE] = {'d', ACT_CTL, IP_MASQ_CMD_DEL, "PL", "Rp", "delete all that match"},
	[CMD_QUERY] = {'q', ACT_QUERY, IP_MASQ_CMD_DEL, "PL", "Rp",
		       "exit 0 if -d would find something, else 1"},
	[CMD_FLUSH] = {'f', ACT_CTL, IP_MASQ_CMD_FLUSH, "", "", "delete all"},
	[CMD_LIST] = {'l', ACT_LIST, IP_MASQ_CMD_NONE, "", "", "list"},
};

/* The words "ADDR PORT" of the ADDR/PORT that follows an option in the old syntax; NULL: none. */
static const char *old_operand(char buf[80], int argc, char *argv[], const char *option)
{
	for (int i = 1; i + 1 < argc; i++) {
		const char *word = argv[i + 1], *port = word + strcspn(word, "/:");

		if (strcmp(argv[i], option) || !*port)
			continue;
		snprintf(buf, 80, "%.*s %s", (int)(port - word), word, port + 1);
		return buf;
	}
	return NULL;
}

static bool is_given(int argc, char *argv[], const char *option)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], option))
			return true;
	return false;
}

/* ipportfw, the tool before this one: -A or -D, -t or -u ADDR/PORT, -R ADDR/PORT; -C to clear. */
static bool advise(struct request *req, char letter, int argc, char *argv[])
{
	bool udp = is_given(argc, argv, "-u"), delete = is_given(argc, argv, "-D");
	char buf[2][80];
	const char *local = old_operand(buf[0], argc, argv, udp ? "-u" : "-t");
	const char *remote = old_operand(buf[1], argc, argv, "-R");

	if (letter == 'C')
		args_fail(req, "-C is old syntax, now it is: ipmasqadm portfw -f");
	else if (letter && strchr("ADtu", letter))
		args_fail(req, "-%c is old syntax, now it is: ipmasqadm portfw %s -P %s -L %s%s%s",
			  letter, delete ? "-d" : "-a", udp ? "udp" : "tcp",
			  local ? local : "LADDR LPORT", remote || !delete ? " -R " : "",
			  remote   ? remote
			  : delete ? ""
				   : "RADDR RPORT");
	else
		return false;
	return true;
}

static const struct cli_syntax syntax = {
	.module = "portfw",
	.summary = SUMMARY,
	.options = options,
	.option_count = OPT_COUNT,
	.commands = commands,
	.command_count = CMD_COUNT,
	.advise = advise,
};

static int read_values(struct request *req, const struct cli_given *g)
{
	struct ip_portfw_edits *u = &req->ctl.u.portfw_user;
	uint8_t protocol = 0;
	uint16_t lport = 0, rport = 0;
	int err = args_protocol(req, &protocol, g->operand[OPT_PROTO][0]);

	u->pref = 10;
	if (!err)
		err = args_address(req, &u->laddr, g->operand[OPT_LOCAL][0]);
	if (!err)
		err = args_port(req, &lport, g->operand[OPT_LOCAL][1], protocol);
	if (!err && g->option[OPT_REMOTE])
		err = args_address(req, &u->raddr, g->operand[OPT_REMOTE][0]);
	if (!err && g->option[OPT_REMOTE])
		err = args_port(req, &rport, g->operand[OPT_REMOTE][1], protocol);
	if (!err && g->option[OPT_PREF])
		err = args_pref(req, &u->pref, g->operand[OPT_PREF][0], 1);
	u->protocol = protocol;
	u->lport = htons(lport);
	u->rport = htons(rport);
	return err;
}

int portfw_parse(struct request *req, int argc, char *argv[])
{
	struct cli_given given;
	int err = args_read(req, &syntax, &given, argc, argv);

	if (err || !given.option[OPT_LOCAL])
		return err;
	return read_values(req, &given);
}

static const struct line_column columns[] = {
	{"prot", -4}, {"localaddr", -20}, {"rediraddr", -20}, {"lport", 8},
	{"rport", 8}, {"pcnt", 5},        {"pref", 5},        {NULL, 0},
};

static void row(struct line *line, const struct masq_record *r, bool numeric)
{
	line_text(line, r->protocol == IPPROTO_UDP ? "UDP" : "TCP");
	line_host(line, r->laddr, numeric);
	line_host(line, r->raddr, numeric);
	line_port(line, r->lport, r->protocol, numeric);
	line_port(line, r->rport, r->protocol, numeric);
	line_signed(line, r->left);
	line_signed(line, r->pref);
}

static void object(struct object *o, const struct masq_record *r)
{
	object_text(o, "protocol", masq_protocol_name(r->protocol));
	object_address(o, "localaddr", r->laddr);
	object_number(o, "localport", ntohs(r->lport));
	object_address(o, "rediraddr", r->raddr);
	object_number(o, "redirport", ntohs(r->rport));
	object_number(o, "pcnt", (uint32_t)r->left);
	object_number(o, "pref", (uint32_t)r->pref);
}

static int portfw_main(int argc, char *argv[])
{
	static const struct cli_plugin plugin = {
		.syntax = &syntax,
		.parse = portfw_parse,
		.columns = columns,
		.row = row,
		.object = object,
	};

	return cli_main(&plugin, argc, argv);
}

MASQMOD(portfw) = {
	.abi = MASQMOD_ABI,
	.name = "portfw",
	.summary = SUMMARY,
	.main = portfw_main,
};
