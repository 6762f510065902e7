// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of /proc/net/ip_masq/MODULE. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "procfile.h"

#define LINE_LONGEST 127 /* the longest row there is has 82 characters */
#define FIELDS_MOST 12
#define JIFFIES 100 /* a second */

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

/* from to to hexadecimal digits of either case and nothing else */
static bool hex(uint32_t *out, const char *s, size_t from, size_t to)
{
	size_t n = strspn(s, "0123456789ABCDEFabcdef");

	if (s[n] || n < from || n > to)
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

static bool port(uint16_t *out, const char *s)
{
	uint64_t value;

	if (!decimal(&value, s, UINT16_MAX)) /* 0 is legal: mfw's "the packet's own" */
		return false;
	*out = htons((uint16_t)value);
	return true;
}

/* The four fields that portfw and mfw rows end with. */
static const char *read_target(char *const f[], struct masq_record *r)
{
	if (!address(&r->raddr.s_addr, f[0]))
		return "RAddr is not eight hexadecimal digits";
	if (!port(&r->rport, f[1]))
		return "RPort is not a port";
	if (!integer(&r->left, f[2]))
		return "PrCnt is not a number";
	if (!integer(&r->pref, f[3]))
		return "Pref is not a number";
	r->served = MASQ_UNKNOWN;
	return NULL;
}

static const char *read_portfw(char *const f[], struct masq_record *r)
{
	r->kind = MASQ_PORTFW;
	if (!strcmp(f[0], "TCP"))
		r->protocol = IPPROTO_TCP;
	else if (!strcmp(f[0], "UDP"))
		r->protocol = IPPROTO_UDP;
	else
		return "Prot is neither TCP nor UDP";
	if (!address(&r->laddr.s_addr, f[1]))
		return "LAddr is not eight hexadecimal digits";
	if (!port(&r->lport, f[2]))
		return "LPort is not a port";
	if (strcmp(f[3], ">"))
		return "no > after LPort";
	return read_target(f + 4, r);
}

static const char *read_mfw(char *const f[], struct masq_record *r)
{
	r->kind = MASQ_MFW;
	if (strncmp(f[0], "0x", 2) || !hex(&r->mark, f[0] + 2, 1, 8))
		return "FwMark is not a hexadecimal number";
	if (strcmp(f[1], ">"))
		return "no > after FwMark";
	return read_target(f + 2, r);
}

static bool protocol(uint16_t *out, const char *s)
{
	return hex16(out, s) && (*out == IPPROTO_TCP || *out == IPPROTO_UDP);
}

/* "1B3A-1C02/0000": low, high, visible */
static bool ports(struct ip_autofw_user *a, char *s)
{
	if (strlen(s) != 14 || s[4] != '-' || s[9] != '/')
		return false;
	s[4] = s[9] = '\0';
	return hex16(&a->low, s) && hex16(&a->high, s + 5) && hex16(&a->visible, s + 10);
}

static const char *read_autofw(char *const f[], struct masq_record *r)
{
	struct ip_autofw_user *a = &r->autofw;
	uint64_t timer;

	r->kind = MASQ_AUTOFW;
	r->served = MASQ_UNKNOWN;
	if (!hex16(&a->type, f[0]) || a->type < IP_FWD_RANGE || a->type > IP_FWD_DIRECT)
		return "Type is none of 1, 2, 3";
	if (!protocol(&a->protocol, f[1]))
		return "Prot is neither 6 nor 11";
	if (!ports(a, f[2]) || !hex16(&a->hidden, f[3]))
		return "Low to Hid are not four ports";
	if (!address(&a->where, f[4]))
		return "Where is not eight hexadecimal digits";
	if (!address(&a->lastcontact, f[5]))
		return "Last is not eight hexadecimal digits";
	if (!protocol(&a->ctlproto, f[6]) && strcmp(f[6], "0000"))
		return "CPto is none of 0, 6, 11";
	if (!hex16(&a->ctlport, f[7]))
		return "CPrt is not a port";
	if (!decimal(&timer, f[8], UINT64_MAX))
		return "Timer is not a number";
	if (!hex16(&a->flags, f[9]))
		return "Flags is not a number";
	if (a->flags & IP_AUTOFW_USETIME) {
		/* a timer that has gone past its end is a negative unsigned long: due now */
		if (timer > INT32_MAX)
			timer = 1;
		r->seconds = (uint32_t)((timer + JIFFIES - 1) / JIFFIES);
	}
	return NULL;
}

static const struct format {
	const char *header;
	int pad; /* line length, newline aside; 2.2 computes file offsets from it */
	size_t fields;
	const char *(*read)(char *const fields[], struct masq_record *record);
} formats[MOD_COUNT] = {
	[MOD_PORTFW] = {.header = "Prot LAddr    LPort > RAddr    RPort PrCnt  Pref",
			.pad = 63,
			.fields = 8,
			.read = read_portfw},
	[MOD_MFW] = {.header = "FwMark > RAddr    RPort PrCnt  Pref",
		     .pad = 63,
		     .fields = 6,
		     .read = read_mfw},
	[MOD_AUTOFW] =
		{.header = "Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt Timer Flags",
		 .fields = 10,
		 .read = read_autofw},
};

/* Splits at blanks, in place. The number of fields, FIELDS_MOST + 1 for any more. */
static size_t split(char *line, char *fields[FIELDS_MOST])
{
	char *save = NULL;
	size_t n = 0;

	for (char *f = strtok_r(line, " ", &save); f; f = strtok_r(NULL, " ", &save)) {
		if (n == FIELDS_MOST)
			return n + 1;
		fields[n++] = f;
	}
	return n;
}

/* The receiver that a row tells of, and what is left of the row without it. */
static bool take_receiver(struct masq_record *row, struct masq_record *receiver)
{
	struct ip_autofw_user *a = &row->autofw;

	*receiver = *row;
	row->seconds = 0;
	/* where of an entry with a fixed host is no receiver: nobody was contacted there */
	if (row->kind != MASQ_AUTOFW || a->type != IP_FWD_RANGE || !a->ctlport || !a->where ||
	    !(a->lastcontact || a->flags & IP_AUTOFW_ACTIVE))
		return false;
	receiver->kind = MASQ_RECEIVER;
	receiver->raddr.s_addr = a->where;
	receiver->laddr.s_addr = a->flags & IP_AUTOFW_SECURE ? a->lastcontact : INADDR_ANY;
	a->where = a->lastcontact = 0;
	a->flags &= (uint16_t)~IP_AUTOFW_ACTIVE;
	return true;
}

/* Copies the line at p, which becomes the line that bad tells of. */
static const char *next_line(char line[LINE_LONGEST + 1], const char *p, const char *end,
			     struct bad_line *bad)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	bad->number++;
	bad->text = p;
	bad->size = (size_t)((newline ? newline : end) - p);
	if (p == end)
		return "empty";
	if (bad->size > LINE_LONGEST)
		return "too long";
	if (memchr(p, '\0', bad->size))
		return "a NUL in it";
	if (!newline)
		return "cut off";
	memcpy(line, p, bad->size);
	line[bad->size] = '\0';
	return NULL;
}

static const char *read_header(const struct format *format, const char *line)
{
	size_t n = strlen(format->header);

	if (strncmp(line, format->header, n) || line[n + strspn(line + n, " ")])
		return "not the header of this file";
	return NULL;
}

static const char *read_row(const struct format *format, char *line, struct masq_record *row)
{
	char *fields[FIELDS_MOST];
	size_t n = split(line, fields);

	*row = (struct masq_record){0};
	if (n != format->fields)
		return n < format->fields ? "too few fields" : "too many fields";
	return format->read(fields, row);
}

int procfile_read(enum module mod, const char *text, size_t size, struct records *out,
		  struct bad_line *bad)
{
	const struct format *format = &formats[mod];
	const char *p = text, *const end = text + size;
	char line[LINE_LONGEST + 1];

	*bad = (struct bad_line){0};
	bad->why = next_line(line, p, end, bad);
	if (!bad->why)
		bad->why = read_header(format, line);
	while (!bad->why && (p += bad->size + 1) < end) {
		struct masq_record row, receiver;
		bool received;

		bad->why = next_line(line, p, end, bad);
		if (!bad->why)
			bad->why = read_row(format, line, &row);
		if (bad->why)
			break;
		received = take_receiver(&row, &receiver);
		if (records_add(out, &row) < 0 || (received && records_add(out, &receiver) < 0))
			return -ENOMEM;
	}
	return bad->why ? -EBADMSG : 0;
}

static void write_autofw(char *line, size_t size, const struct masq_record *r,
			 const struct masq_record *receiver)
{
	struct ip_autofw_user a = r->autofw;
	uint32_t seconds = 0;

	if (receiver) {
		a.where = receiver->raddr.s_addr;
		/* the contacted host is known even where it is not the only one let in */
		a.lastcontact = receiver->laddr.s_addr ? receiver->laddr.s_addr
						       : receiver->autofw.lastcontact;
		a.flags |= IP_AUTOFW_ACTIVE;
		seconds = receiver->seconds;
	}
	snprintf(line, size, "%4X %4X %04X-%04X/%04X %04X %08X %08X %04X %04X %6" PRIu64 " %4X",
		 a.type, a.protocol, a.low, a.high, a.visible, a.hidden, ntohl(a.where),
		 ntohl(a.lastcontact), a.ctlproto, a.ctlport, (uint64_t)seconds * JIFFIES, a.flags);
}

int procfile_write(enum module mod, const struct records *records, FILE *out)
{
	const struct format *format = &formats[mod];
	char line[LINE_LONGEST + 1];

	fprintf(out, "%-*s\n", format->pad, format->header);
	for (size_t i = 0; i < records->n; i++) {
		const struct masq_record *r = &records->v[i];
		bool last = i + 1 == records->n;

		switch (r->kind) {
		case MASQ_PORTFW:
			snprintf(line, sizeof(line), "%s  %08X %5u > %08X %5u %5d %5d",
				 r->protocol == IPPROTO_UDP ? "UDP" : "TCP", ntohl(r->laddr.s_addr),
				 ntohs(r->lport), ntohl(r->raddr.s_addr), ntohs(r->rport), r->left,
				 r->pref);
			break;
		case MASQ_MFW:
			snprintf(line, sizeof(line), "0x%x > %08X %5u %5d %5d", r->mark,
				 ntohl(r->raddr.s_addr), ntohs(r->rport), r->left, r->pref);
			break;
		case MASQ_AUTOFW:
			write_autofw(line, sizeof(line), r,
				     !last && r[1].kind == MASQ_RECEIVER ? r + 1 : NULL);
			break;
		case MASQ_RECEIVER: /* in its entry's row */
			continue;
		}
		fprintf(out, "%-*s\n", format->pad, line);
	}
	return fflush(out) || ferror(out) ? -(errno ? errno : EIO) : 0;
}
