// SPDX-License-Identifier: GPL-2.0-or-later
/* autofw: ports that follow a control connection, or go to a fixed host. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "masqmod.h"

#define SUMMARY "forward port ranges, also to whoever opened a control connection"

enum {
	OPT_RANGE,
	OPT_PORT,
	OPT_DIRECT,
	OPT_HOST,
	OPT_CONTROL,
	OPT_UNTIMED,
	OPT_INSECURE,
	OPT_COUNT
};

static const struct cli_option options[OPT_COUNT] = {
	[OPT_RANGE] = {'r', "PROTO LOW HIGH", "connections to these ports"},
	[OPT_PORT] = {'p', "PROTO VISIBLE HOST:HIDDEN",
		      "connections to one port go to a host's port"},
	[OPT_DIRECT] = {'d', "PROTO LOW HIGH", "keep these source ports when masquerading"},
	[OPT_HOST] = {'h', "HOST", "they go to this host"},
	[OPT_CONTROL] = {'c', "PROTO PORT", "they go to whoever opened a connection to this port"},
	[OPT_UNTIMED] =
		{'u', "",
		 "without time limit (else 15 seconds after the control connection's last packet)"},
	[OPT_INSECURE] = {'i', "",
			  "from anyone (else only from the host at the other end of the control "
			  "connection)"},
};

enum { CMD_ADD, CMD_DELETE, CMD_QUERY, CMD_FLUSH, CMD_LIST, CMD_COUNT };

static const struct cli_command commands[CMD_COUNT] = {
	[CMD_ADD] = {'A', ACT_CTL, IP_MASQ_CMD_ADD, "r|p|d", "hcuiv", "add an entry"},
	[CMD_DELETE] = {'D', ACT_CTL, IP_MASQ_CMD_DEL, "r|p|d", "hcuiv", "delete an entry"},
	[CMD_QUERY] = {'q', ACT_QUERY, IP_MASQ_CMD_DEL, "r|p|d", "hcuiv",
		       "exit 0 if -D would find something, else 1"},
	[CMD_FLUSH] = {'F', ACT_CTL, IP_MASQ_CMD_FLUSH, "", "v", "delete all"},
	[CMD_LIST] = {'L', ACT_LIST, IP_MASQ_CMD_NONE, "", "",
		      "list entries and present receivers"},
};

static const struct cli_syntax syntax = {
	.module = "autofw",
	.summary = SUMMARY,
	.options = options,
	.option_count = OPT_COUNT,
	.commands = commands,
	.command_count = CMD_COUNT,
};

/* PROTO LOW HIGH of -r and -d */
static int read_range(struct request *req, const char *const operand[])
{
	struct ip_autofw_user *u = &req->ctl.u.autofw_user;
	uint8_t protocol = 0;
	int err = args_protocol(req, &protocol, operand[0]);

	u->protocol = protocol;
	if (!err)
		err = args_port(req, &u->low, operand[1], protocol);
	if (!err)
		err = args_port(req, &u->high, operand[2], protocol);
	if (!err && u->low > u->high)
		err = args_fail(req, "ports %s to %s: the lower one comes first", operand[1],
				operand[2]);
	return err;
}

/* PROTO VISIBLE HOST:HIDDEN of -p */
static int read_port(struct request *req, const char *const operand[])
{
	struct ip_autofw_user *u = &req->ctl.u.autofw_user;
	const char *colon = strrchr(operand[2], ':');
	char host[MASQ_NAME_MAX];
	uint8_t protocol = 0;
	int err = args_protocol(req, &protocol, operand[0]);

	u->protocol = protocol;
	if (!err)
		err = args_port(req, &u->visible, operand[1], protocol);
	if (err)
		return err;
	if (!colon || colon == operand[2] || !colon[1] ||
	    (size_t)(colon - operand[2]) >= sizeof(host))
		return args_fail(req, "\"%s\": HOST:HIDDEN is one word, as in 192.168.1.2:80",
				 operand[2]);
	memcpy(host, operand[2], (size_t)(colon - operand[2]));
	host[colon - operand[2]] = '\0';
	err = args_address(req, &u->where, host);
	return err ? err : args_port(req, &u->hidden, colon + 1, protocol);
}

static int read_control(struct request *req, const char *const operand[])
{
	struct ip_autofw_user *u = &req->ctl.u.autofw_user;
	uint8_t protocol = 0;
	int err = args_protocol(req, &protocol, operand[0]);

	u->ctlproto = protocol;
	return err ? err : args_port(req, &u->ctlport, operand[1], protocol);
}

static int read_kind(struct request *req, const struct cli_given *g)
{
	struct ip_autofw_user *u = &req->ctl.u.autofw_user;

	if (g->option[OPT_PORT]) {
		u->type = IP_FWD_PORT;
		return read_port(req, g->operand[OPT_PORT]);
	}
	u->type = g->option[OPT_RANGE] ? IP_FWD_RANGE : IP_FWD_DIRECT;
	return read_range(req, g->operand[g->option[OPT_RANGE] ? OPT_RANGE : OPT_DIRECT]);
}

static int read_values(struct request *req, const struct cli_given *g)
{
	struct ip_autofw_user *u = &req->ctl.u.autofw_user;
	bool host = g->option[OPT_HOST], control = g->option[OPT_CONTROL];
	int err = 0;

	if (host && control)
		return args_fail(req,
				 "-h and -c exclude each other: one host, or whoever asked for it");
	if (g->option[OPT_RANGE] && !host && !control)
		return args_fail(req, "-r needs -h HOST or -c PROTO PORT: where shall it go?");
	err = read_kind(req, g);
	if (!err && host)
		err = args_address(req, &u->where, g->operand[OPT_HOST][0]);
	if (!err && control)
		err = read_control(req, g->operand[OPT_CONTROL]);
	if (!err && !u->where && (host || g->option[OPT_PORT]))
		err = args_fail(req, "0.0.0.0 is no host to forward to");
	if (!g->option[OPT_UNTIMED])
		u->flags |= IP_AUTOFW_USETIME;
	if (control && !g->option[OPT_INSECURE])
		u->flags |= IP_AUTOFW_SECURE;
	return err;
}

int autofw_parse(struct request *req, int argc, char *argv[])
{
	struct cli_given given;
	int err;

	/* -h is an option with an operand, but alone it has always been help */
	if (argc == 2 && !strcmp(argv[1], "-h")) {
		memset(req, 0, sizeof(*req));
		req->action = ACT_HELP;
		return 0;
	}
	err = args_read(req, &syntax, &given, argc, argv);
	if (err || req->action == ACT_HELP || !*given.command->needs)
		return err;
	return read_values(req, &given);
}

static const char *kind_name(const struct masq_record *r)
{
	if (r->kind == MASQ_RECEIVER)
		return "receiver";
	return r->autofw.type == IP_FWD_RANGE  ? "range"
	       : r->autofw.type == IP_FWD_PORT ? "port"
					       : "direct";
}

/* The inside host: of a receiver the one that asked, of an entry the one it was given. */
static struct in_addr inside(const struct masq_record *r)
{
	return r->kind == MASQ_RECEIVER ? r->raddr : (struct in_addr){r->autofw.where};
}

/* Says something of a control connection alone. */
static const char *flag_words(const struct ip_autofw_user *u)
{
	static const char *const words[2][2] = {
		{"untimed,anyone", "untimed,secure"},
		{"timed,anyone", "timed,secure"},
	};

	if (!u->ctlport)
		return "-";
	return words[!!(u->flags & IP_AUTOFW_USETIME)][!!(u->flags & IP_AUTOFW_SECURE)];
}

static const struct line_column columns[] = {
	{"kind", -8},     {"prot", -4},   {"ports", -11},   {"rediraddr", -20}, {"rport", 5},
	{"control", -10}, {"flags", -14}, {"outside", -20}, {"seconds", 7},     {NULL, 0},
};

static void control_cell(struct line *line, const struct ip_autofw_user *u, bool numeric)
{
	char text[MASQ_NAME_MAX], service[MASQ_NAME_MAX];

	masq_port_name(service, htons(u->ctlport), (uint8_t)u->ctlproto, numeric);
	snprintf(text, sizeof(text), "%s/%.*s", masq_protocol_name((uint8_t)u->ctlproto),
		 MASQ_NAME_MAX - 8, service);
	line_text(line, u->ctlport ? text : "-");
}

static void row(struct line *line, const struct masq_record *r, bool numeric)
{
	const struct ip_autofw_user *u = &r->autofw;
	bool receiver = r->kind == MASQ_RECEIVER, port = u->type == IP_FWD_PORT;
	char range[16];

	snprintf(range, sizeof(range), "%u-%u", u->low, u->high);
	line_text(line, kind_name(r));
	line_text(line, masq_protocol_name((uint8_t)u->protocol));
	if (port)
		line_number(line, u->visible);
	else
		line_text(line, range);
	if (inside(r).s_addr)
		line_host(line, inside(r), numeric);
	else
		line_text(line, "-");
	if (port)
		line_number(line, u->hidden);
	else
		line_text(line, "-");
	control_cell(line, u, numeric);
	line_text(line, receiver ? "-" : flag_words(u));
	if (receiver && r->laddr.s_addr)
		line_host(line, r->laddr, numeric);
	else
		line_text(line, receiver ? "anyone" : "-");
	if (receiver && r->seconds)
		line_number(line, r->seconds);
	else
		line_text(line, "-");
}

static void object_host(struct object *o, const char *name, struct in_addr addr)
{
	if (addr.s_addr)
		object_address(o, name, addr);
	else
		object_text(o, name, NULL);
}

/* The same members in every object; null where there is nothing to say. */
static void object(struct object *o, const struct masq_record *r)
{
	const struct ip_autofw_user *u = &r->autofw;
	bool receiver = r->kind == MASQ_RECEIVER, port = u->type == IP_FWD_PORT;

	object_text(o, "kind", kind_name(r));
	object_text(o, "protocol", masq_protocol_name((uint8_t)u->protocol));
	object_number(o, "lowport", port ? u->visible : u->low);
	object_number(o, "highport", port ? u->visible : u->high);
	object_host(o, "rediraddr", inside(r));
	object_number(o, "redirport", port ? u->hidden : MASQ_UNKNOWN);
	object_text(o, "ctlprotocol", u->ctlport ? masq_protocol_name((uint8_t)u->ctlproto) : NULL);
	object_number(o, "ctlport", u->ctlport ? u->ctlport : MASQ_UNKNOWN);
	object_bool(o, "timed", u->flags & IP_AUTOFW_USETIME);
	object_bool(o, "secure", u->flags & IP_AUTOFW_SECURE);
	object_host(o, "outside", r->laddr);
	object_number(o, "seconds", receiver && r->seconds ? r->seconds : MASQ_UNKNOWN);
}

/* What -d asks for needs no rule, and who asks for more words may wonder where it is. */
static void remark(const struct request *req)
{
	if (req->ctl.m_cmd == IP_MASQ_CMD_ADD && !req->dry_run &&
	    req->ctl.u.autofw_user.type == IP_FWD_DIRECT)
		puts("recorded; netfilter keeps source ports wherever it can, so no rule is "
		     "needed");
}

static int autofw_main(int argc, char *argv[])
{
	static const struct cli_plugin plugin = {
		.syntax = &syntax,
		.parse = autofw_parse,
		.columns = columns,
		.row = row,
		.object = object,
		.remark = remark,
	};

	return cli_main(&plugin, argc, argv);
}

MASQMOD(autofw) = {
	.abi = MASQMOD_ABI,
	.name = "autofw",
	.summary = SUMMARY,
	.main = autofw_main,
};
