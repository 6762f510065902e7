// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "statefile.h"
#include "wire.h"

#define LINE_MAX_SIZE 127 /* the longest row has 82 characters */
#define FIELDS_MAX 12
#define JIFFIES 100 /* per second */

/* Decimal digits and nothing else. */
static bool decimal(uint64_t *out, const char *s, uint64_t max)
{
	uint64_t value = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned int digit = (unsigned char)*s - '0';

		if (digit > 9 || value > max / 10 || value * 10 > max - digit)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

/* %d */
static bool integer(int32_t *out, const char *s)
{
	bool negative = *s == '-';
	uint64_t value;

	if (!decimal(&value, s + negative, (uint64_t)INT32_MAX + negative))
		return false;
	*out = (int32_t)(negative ? -(int64_t)value : (int64_t)value);
	return true;
}

/* Between min and max hexadecimal digits of either case and nothing else. */
static bool hex(uint32_t *out, const char *s, size_t min, size_t max)
{
	size_t n = strspn(s, "0123456789ABCDEFabcdef");

	if (s[n] || n < min || n > max)
		return false;
	*out = (uint32_t)strtoul(s, NULL, 16);
	return true;
}

static bool hex16(uint16_t *out, const char *s)
{
	uint32_t value;

	if (!hex(&value, s, 1, 4))
		return false;
	*out = (uint16_t)value;
	return true;
}

static bool address(uint32_t *out, const char *s)
{
	uint32_t value;

	if (!hex(&value, s, 8, 8))
		return false;
	*out = htonl(value);
	return true;
}

/* 0 is legal: mfw's "the packet's own". */
static bool port(uint16_t *out, const char *s)
{
	uint64_t value;

	if (!decimal(&value, s, UINT16_MAX))
		return false;
	*out = htons((uint16_t)value);
	return true;
}

/* A row: the message that added it, and what the kernel has counted since. */
struct row {
	struct ip_masq_ctl ctl;
	struct masq_record record;
};

/* The four fields that portfw and mfw rows end with. */
static const char *read_target(char *const f[], struct row *r, uint32_t *raddr, uint16_t *rport,
			       int32_t *pref)
{
	if (!address(raddr, f[0]))
		return "RAddr is not eight hexadecimal digits";
	if (!port(rport, f[1]))
		return "RPort is not a port";
	if (!integer(&r->record.left, f[2]))
		return "PrCnt is not a number";
	if (!integer(pref, f[3]))
		return "Pref is not a number";
	r->record.has = MASQ_HAS_LEFT;
	return NULL;
}

static const char *read_portfw(char *const f[], struct row *r)
{
	struct ip_portfw_edits *u = &r->ctl.u.portfw_user;

	if (!strcmp(f[0], "TCP"))
		u->protocol = IPPROTO_TCP;
	else if (!strcmp(f[0], "UDP"))
		u->protocol = IPPROTO_UDP;
	else
		return "Prot is neither TCP nor UDP";
	if (!address(&u->laddr, f[1]))
		return "LAddr is not eight hexadecimal digits";
	if (!port(&u->lport, f[2]))
		return "LPort is not a port";
	if (strcmp(f[3], ">"))
		return "no > after LPort";
	return read_target(f + 4, r, &u->raddr, &u->rport, &u->pref);
}

static const char *read_mfw(char *const f[], struct row *r)
{
	struct ip_mfw_user *u = &r->ctl.u.mfw_user;

	if (strncmp(f[0], "0x", 2) || !hex(&u->fwmark, f[0] + 2, 1, 8))
		return "FwMark is not a hexadecimal number";
	if (strcmp(f[1], ">"))
		return "no > after FwMark";
	return read_target(f + 2, r, &u->raddr, &u->rport, &u->pref);
}

static bool protocol(uint16_t *out, const char *s)
{
	return hex16(out, s) && (*out == IPPROTO_TCP || *out == IPPROTO_UDP);
}

/* "1B3A-1C02/0000": low, high, visible */
static bool ports(struct ip_autofw_user *u, char *s)
{
	if (strlen(s) != 14 || s[4] != '-' || s[9] != '/')
		return false;
	s[4] = s[9] = '\0';
	return hex16(&u->low, s) && hex16(&u->high, s + 5) && hex16(&u->visible, s + 10);
}

/* A timer beyond its end is a negative unsigned long: due now. */
static uint32_t seconds(uint64_t timer)
{
	if (timer > INT32_MAX)
		timer = 1;
	return (uint32_t)((timer + JIFFIES - 1) / JIFFIES);
}

static const char *read_autofw(char *const f[], struct row *r)
{
	struct ip_autofw_user *u = &r->ctl.u.autofw_user;
	uint64_t timer;

	if (!hex16(&u->type, f[0]) || u->type < IP_FWD_RANGE || u->type > IP_FWD_DIRECT)
		return "Type is none of 1, 2, 3";
	if (!protocol(&u->protocol, f[1]))
		return "Prot is neither 6 nor 11";
	if (!ports(u, f[2]) || !hex16(&u->hidden, f[3]))
		return "Low to Hid are not four ports";
	if (!address(&u->where, f[4]))
		return "Where is not eight hexadecimal digits";
	if (!address(&u->lastcontact, f[5]))
		return "Last is not eight hexadecimal digits";
	if (!protocol(&u->ctlproto, f[6]) && strcmp(f[6], "0000"))
		return "CPto is none of 0, 6, 11";
	if (!hex16(&u->ctlport, f[7]))
		return "CPrt is not a port";
	if (!decimal(&timer, f[8], UINT64_MAX))
		return "Timer is not a number";
	if (!hex16(&u->flags, f[9]))
		return "Flags is not a number";
	/* where of an entry with a fixed host is no receiver: it was contacted
	 * by nobody */
	if (u->type != IP_FWD_RANGE || !u->ctlport || !u->where ||
	    !(u->lastcontact || u->flags & IP_AUTOFW_ACTIVE))
		return NULL;
	r->record.has = MASQ_HAS_RECEIVER;
	r->record.inside = address_v4(u->where);
	if (u->flags & IP_AUTOFW_SECURE && u->lastcontact)
		r->record.outside = address_v4(u->lastcontact);
	if (u->flags & IP_AUTOFW_USETIME)
		r->record.seconds = seconds(timer);
	u->where = 0; /* of the entry as it was added */
	return NULL;
}

static const struct format {
	const char *module, *header;
	size_t fields;
	const char *(*read)(char *const fields[], struct row *row);
} formats[] = {
	[MASQ_PORTFW] = {.module = "portfw",
			 .header = "Prot LAddr    LPort > RAddr    RPort PrCnt  Pref",
			 .fields = 8,
			 .read = read_portfw},
	[MASQ_MFW] = {.module = "mfw",
		      .header = "FwMark > RAddr    RPort PrCnt  Pref",
		      .fields = 6,
		      .read = read_mfw},
	[MASQ_AUTOFW] = {.module = "autofw",
			 .header = "Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt "
				   "Timer Flags",
			 .fields = 10,
			 .read = read_autofw},
};

/* Splits at blanks, in place. The number of fields, FIELDS_MAX + 1 for any
 * more. */
static size_t split(char *line, char *fields[FIELDS_MAX])
{
	char *save = NULL;
	size_t n = 0;

	for (char *f = strtok_r(line, " ", &save); f; f = strtok_r(NULL, " ", &save)) {
		if (n == FIELDS_MAX)
			return n + 1;
		fields[n++] = f;
	}
	return n;
}

/* Copies the line at p and sets bad to it. NULL, or what is wrong with it. */
static const char *next_line(char line[LINE_MAX_SIZE + 1], const char *p, size_t left,
			     struct bad_line *bad)
{
	const char *newline = memchr(p, '\n', left);

	bad->number++;
	bad->text = p;
	bad->size = newline ? (size_t)(newline - p) : left;
	if (!left)
		return "empty";
	if (bad->size > LINE_MAX_SIZE)
		return "too long";
	if (memchr(p, '\0', bad->size))
		return "it contains a NUL";
	if (!newline)
		return "truncated";
	memcpy(line, p, bad->size);
	line[bad->size] = '\0';
	return NULL;
}

static bool is_header(const struct format *format, const char *line)
{
	size_t n = strlen(format->header);

	return !strncmp(line, format->header, n) && !line[n + strspn(line + n, " ")];
}

static const char *read_row(const struct format *format, char *line, struct row *row)
{
	char *fields[FIELDS_MAX];
	size_t n = split(line, fields);

	*row = (struct row){.ctl = {.m_target = IP_MASQ_TARGET_MOD, .m_cmd = IP_MASQ_CMD_ADD}};
	strcpy(row->ctl.m_tname, format->module);
	if (n != format->fields)
		return n < format->fields ? "too few fields" : "too many fields";
	return format->read(fields, row);
}

static int add_row(struct records *out, const struct row *row)
{
	static const struct masq_record entry;
	bool receiver = row->record.has & MASQ_HAS_RECEIVER;
	struct masq_command forward;
	struct error e;
	int err = wire_decode(&e, &forward, &row->ctl);

	if (!err)
		err = records_add(out, &forward, receiver ? &entry : &row->record);
	if (!err && receiver)
		err = records_add(out, &forward, &row->record);
	return err;
}

int statefile_read(enum masq_kind kind, const char *text, size_t size, struct records *out,
		   struct bad_line *bad)
{
	const struct format *format = &formats[kind];
	char line[LINE_MAX_SIZE + 1];

	*bad = (struct bad_line){0};
	for (size_t at = 0; !at || at < size; at += bad->size + 1) {
		struct row row;
		int err;

		bad->why = next_line(line, text + at, size - at, bad);
		if (!bad->why && bad->number == 1 && is_header(format, line))
			continue;
		if (!bad->why && (bad->why = read_row(format, line, &row)) && bad->number == 1)
			bad->why = "neither the header nor a row of this file";
		if (bad->why)
			return -EBADMSG;
		err = add_row(out, &row);
		if (err)
			return err;
	}
	return 0;
}
