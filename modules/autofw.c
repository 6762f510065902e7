// SPDX-License-Identifier: GPL-2.0-or-later
/* autofw: ports that follow a control connection, or go to a fixed host. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "masqmod.h"

#define SUMMARY "forward port ranges, also to whoever opened a control connection"

static const char *row_name(const struct masq_record *r)
{
	if (r->has & MASQ_HAS_RECEIVER)
		return "receiver";
	return r->forward->form == MASQ_RANGE  ? "range"
	       : r->forward->form == MASQ_PORT ? "port"
					       : "direct";
}

/* The inside host: of a receiver the one that asked, of an entry the one it was
 * given. */
static const struct masq_address *inside(const struct masq_record *r)
{
	return r->has & MASQ_HAS_RECEIVER ? &r->inside : &r->forward->target;
}

static bool is_secure(const struct masq_command *f)
{
	return f->form == MASQ_RANGE && f->has & MASQ_HAS_TRIGGER && !(f->has & MASQ_ANYONE);
}

/* Of the receivers, which only a range has. */
static const char *flag_words(const struct masq_command *f)
{
	if (f->form != MASQ_RANGE || !(f->has & MASQ_HAS_TRIGGER))
		return "-";
	if (f->has & MASQ_UNTIMED)
		return is_secure(f) ? "untimed,secure" : "untimed,anyone";
	return is_secure(f) ? "timed,secure" : "timed,anyone";
}

static const struct line_column columns[] = {
	{"kind", -8},     {"prot", -4},   {"ports", -11},   {"rediraddr", -20}, {"rport", 5},
	{"control", -10}, {"flags", -14}, {"outside", -20}, {"seconds", 7},     {NULL, 0},
};

static void put_host(struct line *line, const struct masq_address *addr, bool numeric,
		     const char *none)
{
	if (addr->family == AF_UNSPEC)
		line_text(line, none);
	else
		line_host(line, addr, numeric);
}

static void put_control(struct line *line, const struct masq_command *f, bool numeric)
{
	char text[MASQ_NAME_MAX], service[MASQ_NAME_MAX];

	masq_port_name(service, f->trigger_port, f->trigger_protocol, numeric);
	snprintf(text, sizeof(text), "%s/%.*s", masq_protocol_name(f->trigger_protocol),
		 MASQ_NAME_MAX - 8, service);
	line_text(line, f->has & MASQ_HAS_TRIGGER ? text : "-");
}

static void row(struct line *line, const struct masq_record *r, bool numeric)
{
	const struct masq_command *f = r->forward;
	bool receiver = r->has & MASQ_HAS_RECEIVER, port = f->form == MASQ_PORT;
	char range[16];

	snprintf(range, sizeof(range), "%u-%u", f->ports.first, f->ports.last);
	line_text(line, row_name(r));
	line_text(line, masq_protocol_name(f->protocol));
	if (port)
		line_number(line, f->ports.first);
	else
		line_text(line, range);
	put_host(line, inside(r), numeric, "-");
	if (port)
		line_number(line, f->target_ports.first);
	else
		line_text(line, "-");
	put_control(line, f, numeric);
	line_text(line, receiver ? "-" : flag_words(f));
	put_host(line, &r->outside, numeric, receiver ? "anyone" : "-");
	if (receiver && r->seconds)
		line_number(line, r->seconds);
	else
		line_text(line, "-");
}

static void set_host(struct object *o, const char *name, const struct masq_address *addr)
{
	if (addr->family == AF_UNSPEC)
		object_null(o, name);
	else
		object_address(o, name, addr);
}

static void set_number(struct object *o, const char *name, bool known, uint32_t number)
{
	if (known)
		object_number(o, name, number);
	else
		object_null(o, name);
}

/* The same members in every object; null where there is nothing to say. */
static void object(struct object *o, const struct masq_record *r)
{
	const struct masq_command *f = r->forward;
	bool control = f->has & MASQ_HAS_TRIGGER;

	object_text(o, "kind", row_name(r));
	object_family(o, &f->local, &f->target);
	object_text(o, "protocol", masq_protocol_name(f->protocol));
	object_number(o, "lowport", f->ports.first);
	object_number(o, "highport", f->ports.last);
	set_host(o, "rediraddr", inside(r));
	set_number(o, "redirport", f->form == MASQ_PORT, f->target_ports.first);
	if (control)
		object_text(o, "ctlprotocol", masq_protocol_name(f->trigger_protocol));
	else
		object_null(o, "ctlprotocol");
	set_number(o, "ctlport", control, f->trigger_port);
	object_bool(o, "timed", !(f->has & MASQ_UNTIMED));
	object_bool(o, "secure", is_secure(f));
	set_host(o, "outside", &r->outside);
	set_number(o, "seconds", r->has & MASQ_HAS_RECEIVER && r->seconds, r->seconds);
}

static void remark(const struct masq_command *c, const char *transport)
{
	if (c->verb == MASQ_ADD && c->form == MASQ_DIRECT && !strcmp(transport, "nft"))
		puts("recorded; netfilter keeps source ports wherever it can, so no rule is "
		     "needed");
}

static int autofw_main(int argc, char *argv[])
{
	static const struct cli_plugin plugin = {
		.kind = "autofw",
		.summary = SUMMARY,
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
