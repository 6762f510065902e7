// SPDX-License-Identifier: GPL-2.0-or-later
#include "operand.h"

#include "report.h"
#include "resolver.h"

static const struct lookup *look_up(bool numeric)
{
	return numeric ? NULL : &resolver_system;
}

static bool is_read(const char *who, int err, const struct error *e)
{
	if (err)
		report(who, "%s", e->text);
	return !err;
}

bool operand_address(const char *who, struct masq_address *out, const char *word, bool numeric)
{
	struct error e;

	return is_read(who, value_address(&e, look_up(numeric), out, word, AF_UNSPEC), &e);
}

bool operand_local(const char *who, struct masq_address *out, char interface[MASQ_INTERFACE_MAX],
		   const char *word, bool numeric)
{
	struct error e;

	return is_read(who, value_local(&e, look_up(numeric), out, interface, word, NULL), &e);
}

bool operand_protocols(const char *who, uint8_t *out, const char *word)
{
	struct error e;

	return is_read(who, value_protocols(&e, out, word), &e);
}

bool operand_ports(const char *who, struct masq_ports *out, const char *word, uint8_t protocol,
		   bool numeric)
{
	struct error e;

	return is_read(who, value_ports(&e, look_up(numeric), out, word, protocol), &e);
}

bool operand_mark(const char *who, uint32_t *out, const char *word)
{
	struct error e;

	return is_read(who, value_mark(&e, out, word), &e);
}
