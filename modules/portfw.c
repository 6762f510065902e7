// SPDX-License-Identifier: GPL-2.0-or-later
/* portfw: forward a port of this machine to an inside host. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "masqmod.h"

#define SUMMARY "forward a port of this machine to an inside host"

static const struct line_column columns[] = {
	{"prot", -4}, {"localaddr", -20}, {"rediraddr", -20}, {"lport", 8},
	{"rport", 8}, {"pcnt", 5},        {"pref", 5},        {NULL, 0},
};

/* "@ppp0"; NULL: it is on an address. */
static const char *interface(char buf[1 + MASQ_INTERFACE_MAX], const struct masq_command *f)
{
	if (!(f->has & MASQ_HAS_INTERFACE))
		return NULL;
	snprintf(buf, 1 + MASQ_INTERFACE_MAX, "@%s", f->interface);
	return buf;
}

static void row(struct line *line, const struct masq_record *r, bool numeric)
{
	const struct masq_command *f = r->forward;
	char at[1 + MASQ_INTERFACE_MAX];

	line_text(line, f->protocol == IPPROTO_UDP ? "UDP" : "TCP");
	if (interface(at, f))
		line_text(line, at);
	else
		line_host(line, &f->local, numeric);
	line_host(line, &f->target, numeric);
	line_port(line, f->ports.first, f->protocol, numeric);
	line_port(line, f->target_ports.first, f->protocol, numeric);
	line_signed(line, r->left);
	line_signed(line, f->pref);
}

static void object(struct object *o, const struct masq_record *r)
{
	const struct masq_command *f = r->forward;
	char at[1 + MASQ_INTERFACE_MAX];

	object_family(o, &f->local, &f->target);
	object_text(o, "protocol", masq_protocol_name(f->protocol));
	if (interface(at, f))
		object_text(o, "localaddr", at);
	else
		object_address(o, "localaddr", &f->local);
	if (f->has & MASQ_HAS_INTERFACE)
		object_text(o, "interface", f->interface);
	else
		object_null(o, "interface");
	object_number(o, "localport", f->ports.first);
	object_address(o, "rediraddr", &f->target);
	object_number(o, "redirport", f->target_ports.first);
	object_number(o, "pcnt", (uint32_t)r->left);
	object_number(o, "pref", (uint32_t)f->pref);
	if (f->has & MASQ_HAS_HELPER)
		object_text(o, "helper", f->helper);
	else
		object_null(o, "helper");
}

enum { FTP_PORT = 21 };

/* Linux 2.2 compares the local address with the packet's. */
static void remark(const struct masq_command *c, const char *transport)
{
	static const struct in_addr any;

	if (c->verb == MASQ_ADD && c->has & MASQ_HAS_TARGET && c->local.family == AF_INET &&
	    !memcmp(&c->local.in, &any, sizeof(any)) && !strcmp(transport, "sockopt"))
		puts("this kernel stores a forward on 0.0.0.0 and never matches it: give the "
		     "address that packets come to");
	if (c->has & MASQ_HAS_INTERFACE && !strcmp(transport, "sockopt"))
		printf("this kernel knows no forwards on interfaces: the address that %s has at "
		       "the moment was taken\n",
		       c->interface);
	if (c->verb == MASQ_ADD && c->has & MASQ_HAS_TARGET && !(c->has & MASQ_HAS_HELPER) &&
	    c->protocol == IPPROTO_TCP && c->ports.first <= FTP_PORT && FTP_PORT <= c->ports.last &&
	    strcmp(transport, "sockopt") != 0)
		puts("if this is FTP, give -H ftp, too: else the data connections find no way");
}

static int portfw_main(int argc, char *argv[])
{
	static const struct cli_plugin plugin = {
		.kind = "portfw",
		.summary = SUMMARY,
		.columns = columns,
		.row = row,
		.object = object,
		.remark = remark,
	};

	return cli_main(&plugin, argc, argv);
}

MASQMOD(portfw) = {
	.abi = MASQMOD_ABI,
	.name = "portfw",
	.summary = SUMMARY,
	.main = portfw_main,
};
