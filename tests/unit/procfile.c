// SPDX-License-Identifier: GPL-2.0-or-later
/* The state files of a 2.2 kernel: what is read, what is refused, and that writing gives it back.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "procfile.h"
#include "tap.h"

#define PORTFW_HEADER "Prot LAddr    LPort > RAddr    RPort PrCnt  Pref               \n"
#define MFW_HEADER "FwMark > RAddr    RPort PrCnt  Pref                            \n"
#define AUTOFW_HEADER "Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt Timer Flags\n"

#define AUTOFW_GOOD "   1   11 1B3A-1C02/0000 0000 00000000 00000000 0006 1B9E      0    6\n"

static const char *const header[MOD_COUNT] = {
	[MOD_PORTFW] = PORTFW_HEADER,
	[MOD_MFW] = MFW_HEADER,
	[MOD_AUTOFW] = AUTOFW_HEADER,
};

/* Reads a copy of just that size, for ASan and valgrind to watch its ends. */
static int parse(enum module mod, const char *text, size_t size, struct records *out,
		 struct bad_line *bad)
{
	char *copy = malloc(size ? size : 1);
	int err;

	memcpy(copy, text, size);
	*out = (struct records){0};
	err = procfile_read(mod, copy, size, out, bad);
	if (err == -EBADMSG && bad->text) /* it points into the copy */
		bad->text = text + (bad->text - copy);
	free(copy);
	return err;
}

static char *render(enum module mod, const struct records *records)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (procfile_write(mod, records, f) < 0)
		exit(99);
	fclose(f);
	return text;
}

static void reads(enum module mod, size_t rows, const char *text, const char *what)
{
	struct records records;
	struct bad_line bad;

	if (is_int(parse(mod, text, strlen(text), &records, &bad), 0, "%s: read", what)) {
		char *again = render(mod, &records);

		is_int((long long)records.n, (long long)rows, "%s: number of records", what);
		is_str(again, text, "%s: written as it was", what);
		free(again);
	} else {
		fprintf(stderr, "# line %zu: %s\n", bad.number, bad.why);
	}
	records_free(&records);
}

/* A file of header, good rows and this text is refused at the line after those. */
static void refused(enum module mod, const char *line, const char *why)
{
	static const char *const good[MOD_COUNT] = {
		[MOD_PORTFW] = "TCP  0A000001    80 > 0A000002  8080    10    10               \n",
		[MOD_MFW] = "0x1 > 0A000002    80    10    10                               \n",
		[MOD_AUTOFW] = AUTOFW_GOOD,
	};
	struct records records;
	struct bad_line bad;
	char text[1024];
	int err;

	snprintf(text, sizeof(text), "%s%s%s", header[mod], good[mod], line);
	err = parse(mod, text, strlen(text), &records, &bad);
	ok(err == -EBADMSG && bad.number == 3 && records.n == 1 &&
		   !strncmp(bad.text, line, bad.size) && bad.size == strcspn(line, "\n"),
	   "refused, as line 3: %.*s", (int)strcspn(line, "\n"), line);
	if (err == -EBADMSG)
		is_str(bad.why, why, "... because: %s", why);
	records_free(&records);
}

/* A whole file of size bytes is refused at that line. */
static void bad_file(enum module mod, const char *text, size_t size, size_t number, const char *why,
		     const char *what)
{
	struct records records;
	struct bad_line bad;

	if (is_int(parse(mod, text, size, &records, &bad), -EBADMSG, "%s: refused", what)) {
		is_int((long long)bad.number, (long long)number, "%s: the line", what);
		is_str(bad.why, why, "%s: why", what);
	}
	records_free(&records);
}

static void portfw(void)
{
	static const char text[] =
		PORTFW_HEADER "UDP  C0A80101    53 > C0A8020B    53     3    10               \n"
			      "TCP  0A000001 65535 > FFFFFFFF     0 2147483647 2147483647     \n"
			      "TCP  00000000     0 > 00000000     0     0 -2147483648         \n";
	struct records records;
	struct bad_line bad;

	reads(MOD_PORTFW, 0, PORTFW_HEADER, "portfw, empty table");
	reads(MOD_PORTFW, 3, text, "portfw");

	is_int(parse(MOD_PORTFW, text, strlen(text), &records, &bad), 0, "portfw, by member");
	is_int((long long)records.n, 3, "three of them");
	if (records.n == 3) {
		struct masq_record *r = records.v;

		is_int(r[0].kind, MASQ_PORTFW, "kind");
		is_int(r[0].protocol, IPPROTO_UDP, "UDP");
		is_int(r[1].protocol, IPPROTO_TCP, "TCP");
		is_int(r[0].laddr.s_addr, inet_addr("192.168.1.1"), "laddr, network order");
		is_int(r[0].raddr.s_addr, inet_addr("192.168.2.11"), "raddr, network order");
		is_int(r[0].lport, htons(53), "lport, network order");
		is_int(r[1].lport, 65535, "the last lport");
		is_int(r[1].rport, 0, "rport 0 is legal in a listing");
		is_int(r[0].left, 3, "left");
		is_int(r[0].pref, 10, "pref");
		is_int(r[2].pref, INT32_MIN, "the smallest pref");
		ok(r[0].served == MASQ_UNKNOWN, "served is not known");
		is_int(r[0].mark, 0, "no mark");
		is_int(r[0].seconds, 0, "no seconds");
	}
	records_free(&records);

	/* blanks are not what a row says */
	is_int(parse(MOD_PORTFW,
		     "Prot LAddr    LPort > RAddr    RPort PrCnt  Pref\n"
		     "TCP 0A000001 80 > 0A000002 8080 10 10\n",
		     48 + 1 + 38, &records, &bad),
	       0, "rows and header without padding");
	is_int((long long)records.n, 1, "... one record");
	records_free(&records);

#define ROW(prot, laddr, lport, arrow, raddr, rport, count, pref)                                  \
	prot "  " laddr " " lport " " arrow " " raddr " " rport " " count " " pref "   \n"
#define REFUSED(why, ...) refused(MOD_PORTFW, ROW(__VA_ARGS__), why)
	REFUSED("Prot is neither TCP nor UDP", "tcp", "0A000001", "80", ">", "0A000002", "80", "1",
		"1");
	REFUSED("Prot is neither TCP nor UDP", "TCPX", "0A000001", "80", ">", "0A000002", "80", "1",
		"1");
	REFUSED("LAddr is not eight hexadecimal digits", "TCP", "A000001", "80", ">", "0A000002",
		"80", "1", "1");
	REFUSED("LAddr is not eight hexadecimal digits", "TCP", "00A000001", "80", ">", "0A000002",
		"80", "1", "1");
	REFUSED("LAddr is not eight hexadecimal digits", "TCP", "10.0.0.1", "80", ">", "0A000002",
		"80", "1", "1");
	REFUSED("LAddr is not eight hexadecimal digits", "TCP", "0x000001", "80", ">", "0A000002",
		"80", "1", "1");
	REFUSED("LPort is not a port", "TCP", "0A000001", "65536", ">", "0A000002", "80", "1", "1");
	REFUSED("LPort is not a port", "TCP", "0A000001", "-1", ">", "0A000002", "80", "1", "1");
	REFUSED("LPort is not a port", "TCP", "0A000001", "+1", ">", "0A000002", "80", "1", "1");
	REFUSED("LPort is not a port", "TCP", "0A000001", "80x", ">", "0A000002", "80", "1", "1");
	REFUSED("LPort is not a port", "TCP", "0A000001", "18446744073709551696", ">", "0A000002",
		"80", "1", "1");
	REFUSED("no > after LPort", "TCP", "0A000001", "80", "<", "0A000002", "80", "1", "1");
	REFUSED("too few fields", "TCP", "0A000001", "80", "", "0A000002", "80", "1", "1");
	REFUSED("RAddr is not eight hexadecimal digits", "TCP", "0A000001", "80", ">", "0A00000G",
		"80", "1", "1");
	REFUSED("RPort is not a port", "TCP", "0A000001", "80", ">", "0A000002", "http", "1", "1");
	REFUSED("PrCnt is not a number", "TCP", "0A000001", "80", ">", "0A000002", "80",
		"2147483648", "1");
	REFUSED("PrCnt is not a number", "TCP", "0A000001", "80", ">", "0A000002", "80", "-", "1");
	REFUSED("Pref is not a number", "TCP", "0A000001", "80", ">", "0A000002", "80", "1",
		"-2147483649");
	REFUSED("Pref is not a number", "TCP", "0A000001", "80", ">", "0A000002", "80", "1",
		"99999999999999999999");
	REFUSED("too few fields", "TCP", "0A000001", "80", ">", "0A000002", "80", "1", "");
	REFUSED("too many fields", "TCP", "0A000001", "80", ">", "0A000002", "80", "1", "1 1");
	refused(MOD_PORTFW, "a b c d e f g h i j k l m n o p\n", "too many fields");
	refused(MOD_PORTFW, "\n", "too few fields");
	refused(MOD_PORTFW, "   \n", "too few fields");
	refused(MOD_PORTFW, PORTFW_HEADER, "Prot is neither TCP nor UDP");
	refused(MOD_PORTFW, "TCP\t0A000001 80 > 0A000002 80 1 1\n", "too few fields");
	refused(MOD_PORTFW, "TCP  0A000001    80 > 0A000002  8080    10    1", "cut off");
	refused(MOD_PORTFW, "T", "cut off");
	refused(MOD_PORTFW,
		"TCP  0A000001    80 > 0A000002  8080    10    10                "
		"                                                                \n",
		"too long");
}

static void mfw(void)
{
	static const char text[] =
		MFW_HEADER "0x1 > C0A8020A    80    10    10                               \n"
			   "0xffffffff > C0A8020B     0 2147483647 2147483647              \n"
			   "0x10 > 0A000005     0     0     0                              \n";
	struct records records;
	struct bad_line bad;

	reads(MOD_MFW, 0, MFW_HEADER, "mfw, empty table");
	reads(MOD_MFW, 3, text, "mfw");

	is_int(parse(MOD_MFW, text, strlen(text), &records, &bad), 0, "mfw, by member");
	if (records.n == 3) {
		is_int(records.v[1].kind, MASQ_MFW, "kind");
		is_int(records.v[1].mark, 0xffffffff, "the last mark");
		is_int(records.v[0].raddr.s_addr, inet_addr("192.168.2.10"),
		       "raddr, network order");
		is_int(records.v[0].rport, htons(80), "rport, network order");
		is_int(records.v[1].rport, 0, "rport 0: the packet's own");
		is_int(records.v[2].left, 0, "left");
		is_int(records.v[2].pref, 0, "pref 0");
	}
	records_free(&records);

	refused(MOD_MFW, "1 > C0A8020A    80    10    10\n", "FwMark is not a hexadecimal number");
	refused(MOD_MFW, "0x > C0A8020A    80    10    10\n", "FwMark is not a hexadecimal number");
	refused(MOD_MFW, "0x100000000 > C0A8020A    80    10    10\n",
		"FwMark is not a hexadecimal number");
	refused(MOD_MFW, "0x-1 > C0A8020A    80    10    10\n",
		"FwMark is not a hexadecimal number");
	refused(MOD_MFW, "0x1 - C0A8020A    80    10    10\n", "no > after FwMark");
	refused(MOD_MFW, "0x1 > C0A8020A    80    10\n", "too few fields");
	refused(MOD_MFW, "0x1 > C0A8020A    80    10    10    10\n", "too many fields");
	refused(MOD_MFW, "TCP  0A000001    80 > 0A000002  8080    10    10\n", "too many fields");
	refused(MOD_MFW, "0x1 > C0A8020A 65536    10    10\n", "RPort is not a port");
}

static void autofw(void)
{
	/* a range for a host; one that waits for a contact; a port; direct */
	static const char idle[] = AUTOFW_HEADER
		"   1   11 1B3A-1C02/0000 0000 C0A80263 00000000 0000 0000      0    2\n"
		"   1   11 1B3A-1C02/0000 0000 00000000 00000000 0006 1B9E      0    6\n"
		"   2    6 0000-0000/1F90 0050 C0A8020A 00000000 0000 0000      0    2\n"
		"   3    6 0400-FFFF/0000 0000 00000000 00000000 0000 0000      0    0\n"
		/* nothing to contact, whatever the flags */
		"   1    6 0001-0002/0000 0000 C0A80263 00000000 0000 0000      0    3\n";
	/* the second has been contacted, secure; the third by anyone, without a limit */
	static const char busy[] = AUTOFW_HEADER
		"   1   11 1B3A-1C02/0000 0000 C0A80263 00000000 0006 1B9E      0    2\n"
		"   1   11 1B3A-1C02/0000 0000 C0A80264 C6336401 0006 1B9E   1500    7\n"
		"   1    6 1770-17D4/0000 0000 C0A80265 C6336402 0006 0017      0    1\n";
	struct records records;
	struct bad_line bad;

	reads(MOD_AUTOFW, 0, AUTOFW_HEADER, "autofw, empty table");
	reads(MOD_AUTOFW, 5, idle, "autofw");
	reads(MOD_AUTOFW, 5, busy, "autofw with receivers");

	is_int(parse(MOD_AUTOFW, idle, strlen(idle), &records, &bad), 0, "autofw, by member");
	if (records.n == 5) {
		const struct ip_autofw_user *a = &records.v[1].autofw, *b = &records.v[2].autofw;

		is_int(records.v[1].kind, MASQ_AUTOFW, "kind");
		is_int(a->type, IP_FWD_RANGE, "type");
		is_int(a->protocol, IPPROTO_UDP, "protocol");
		is_int(a->low, 6970, "low, host order");
		is_int(a->high, 7170, "high, host order");
		is_int(a->ctlproto, IPPROTO_TCP, "control protocol");
		is_int(a->ctlport, 7070, "control port, host order");
		is_int(a->flags, IP_AUTOFW_USETIME | IP_AUTOFW_SECURE, "flags");
		is_int(records.v[0].autofw.where, inet_addr("192.168.2.99"),
		       "where, network order");
		is_int(b->visible, 8080, "visible, host order");
		is_int(b->hidden, 80, "hidden, host order");
		is_int(records.v[3].autofw.type, IP_FWD_DIRECT, "direct");
		is_int(records.v[3].autofw.high, 65535, "the last port");
		ok(records.v[0].served == MASQ_UNKNOWN, "served is not known");
	}
	records_free(&records);

	is_int(parse(MOD_AUTOFW, busy, strlen(busy), &records, &bad), 0, "receivers, by member");
	if (records.n == 5) {
		const struct masq_record *r = records.v;

		is_int(r[0].kind, MASQ_AUTOFW, "a fixed host, though with a control port");
		is_int(r[0].autofw.where, inet_addr("192.168.2.99"), "... stays in the entry");
		is_int(r[1].kind, MASQ_AUTOFW, "an entry");
		is_int(r[1].autofw.where, 0, "... without the inside host");
		is_int(r[1].autofw.lastcontact, 0, "... and the outside host");
		is_int(r[1].autofw.flags, IP_AUTOFW_USETIME | IP_AUTOFW_SECURE, "... as added");
		is_int(r[1].seconds, 0, "... with no time");
		is_int(r[2].kind, MASQ_RECEIVER, "its receiver");
		is_int(r[2].raddr.s_addr, inet_addr("192.168.2.100"), "... inside host");
		is_int(r[2].laddr.s_addr, inet_addr("198.51.100.1"), "... outside host");
		is_int(r[2].seconds, 15, "... seconds");
		is_int(r[4].kind, MASQ_RECEIVER, "a receiver for anyone");
		is_int(r[4].raddr.s_addr, inet_addr("192.168.2.101"), "... inside host");
		is_int(r[4].laddr.s_addr, 0, "... any outside host");
		is_int(r[4].seconds, 0, "... for ever");
	}
	records_free(&records);

	static const struct {
		const char *timer;
		uint32_t seconds;
	} timers[] = {
		{"     0", 0},    {"     1", 1},  {"   100", 1},     {"   101", 2},
		{"  1499", 15},   {"  1501", 16}, {"4294967290", 1}, {"18446744073709551610", 1},
		{"360000", 3600},
	};
	for (size_t i = 0; i < sizeof(timers) / sizeof(*timers); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			 AUTOFW_HEADER
			 "   1   11 1B3A-1C02/0000 0000 C0A80264 C6336401 0006 1B9E %s    7\n",
			 timers[i].timer);
		parse(MOD_AUTOFW, text, strlen(text), &records, &bad);
		is_int(records.n == 2 ? (long long)records.v[1].seconds : -1, timers[i].seconds,
		       "timer %s in seconds", timers[i].timer);
		records_free(&records);
	}

#undef ROW
#define ROW(type, prot, ports, where, last, ctl, timer, flags)                                     \
	"   " type "   " prot " " ports " " where " " last " " ctl "    " timer "    " flags "\n"
#undef REFUSED
#define REFUSED(why, ...) refused(MOD_AUTOFW, ROW(__VA_ARGS__), why)
#define PORTS "1B3A-1C02/0000 0000"
#define NOBODY "00000000"
	REFUSED("Type is none of 1, 2, 3", "0", "11", PORTS, NOBODY, NOBODY, "0006 1B9E", "0", "6");
	REFUSED("Type is none of 1, 2, 3", "4", "11", PORTS, NOBODY, NOBODY, "0006 1B9E", "0", "6");
	REFUSED("Type is none of 1, 2, 3", "10001", "11", PORTS, NOBODY, NOBODY, "0006 1B9E", "0",
		"6");
	REFUSED("Prot is neither 6 nor 11", "1", "17", PORTS, NOBODY, NOBODY, "0006 1B9E", "0",
		"6");
	REFUSED("Low to Hid are not four ports", "1", "11", "1B3A-1C02/000 0000", NOBODY, NOBODY,
		"0006 1B9E", "0", "6");
	REFUSED("Low to Hid are not four ports", "1", "11", "1B3A/1C02-0000 0000", NOBODY, NOBODY,
		"0006 1B9E", "0", "6");
	REFUSED("Low to Hid are not four ports", "1", "11", "1B3A-1C02/0000 10000", NOBODY, NOBODY,
		"0006 1B9E", "0", "6");
	REFUSED("Low to Hid are not four ports", "1", "11", "-B3A-1C02/0000 0000", NOBODY, NOBODY,
		"0006 1B9E", "0", "6");
	REFUSED("too few fields", "1", "11", "1B3A-1C02/0000", NOBODY, NOBODY, "0006 1B9E", "0",
		"6");
	REFUSED("Where is not eight hexadecimal digits", "1", "11", PORTS, "0", NOBODY, "0006 1B9E",
		"0", "6");
	REFUSED("Last is not eight hexadecimal digits", "1", "11", PORTS, NOBODY, "x", "0006 1B9E",
		"0", "6");
	REFUSED("CPto is none of 0, 6, 11", "1", "11", PORTS, NOBODY, NOBODY, "0007 1B9E", "0",
		"6");
	REFUSED("CPrt is not a port", "1", "11", PORTS, NOBODY, NOBODY, "0006 -1", "0", "6");
	REFUSED("Timer is not a number", "1", "11", PORTS, NOBODY, NOBODY, "0006 1B9E", "-1", "6");
	REFUSED("Timer is not a number", "1", "11", PORTS, NOBODY, NOBODY, "0006 1B9E",
		"18446744073709551616", "6");
	REFUSED("Timer is not a number", "1", "11", PORTS, NOBODY, NOBODY, "0006 1B9E",
		"99999999999999999999999999", "6");
	REFUSED("Flags is not a number", "1", "11", PORTS, NOBODY, NOBODY, "0006 1B9E", "0", "G");
	REFUSED("too many fields", "1", "11", PORTS, NOBODY, NOBODY, "0006 1B9E", "0", "6 6");
}

/* What an autofw entry of the other transport can hold and a row cannot. */
static void many_receivers(void)
{
	struct masq_record v[3] = {
		{.kind = MASQ_AUTOFW,
		 .autofw = {.type = IP_FWD_RANGE,
			    .low = 1,
			    .high = 2,
			    .protocol = IPPROTO_TCP,
			    .ctlproto = IPPROTO_TCP,
			    .ctlport = 3,
			    .flags = IP_AUTOFW_USETIME}},
		{.kind = MASQ_RECEIVER, .raddr = {htonl(0x0a000001)}, .seconds = 9},
		{.kind = MASQ_RECEIVER, .raddr = {htonl(0x0a000002)}, .seconds = 8},
	};
	char *text = render(MOD_AUTOFW, &(struct records){.v = v, .n = 3});

	is_str(text,
	       AUTOFW_HEADER
	       "   1    6 0001-0002/0000 0000 0A000001 00000000 0006 0003    900    3\n",
	       "a row has room for the first receiver");
	free(text);
}

static void files(void)
{
	struct records records;
	struct bad_line bad;
	FILE *full = fopen("/dev/full", "w");

	for (int mod = 0; mod < MOD_COUNT; mod++) {
		size_t size = strlen(header[mod]);
		enum module other = (enum module)((mod + 1) % MOD_COUNT);
		char nul[128];

		bad_file((enum module)mod, "", 0, 1, "empty", "no header");
		bad_file((enum module)mod, header[mod], size - 1, 1, "cut off",
			 "header without newline");
		bad_file((enum module)mod, header[other], strlen(header[other]), 1,
			 "not the header of this file", "another file's header");
		bad_file((enum module)mod, "\n", 1, 1, "not the header of this file", "blank line");
		memcpy(nul, header[mod], size);
		nul[9] = '\0';
		bad_file((enum module)mod, nul, size, 1, "a NUL in it", "NUL in the header");
		nul[9] = header[mod][9];
		nul[size] = '\0';
		bad_file((enum module)mod, nul, size + 1, 2, "a NUL in it", "NUL after the header");
		memcpy(nul + size - 1, "x\n", 2);
		bad_file((enum module)mod, nul, size + 1, 1, "not the header of this file",
			 "junk behind the header");
	}
	if (full) {
		records = (struct records){0};
		is_int(procfile_write(MOD_PORTFW, &records, full), -ENOSPC, "a full disk");
		fclose(full);
	}
	/* a file is not made up of bytes before or behind it */
	is_int(parse(MOD_MFW, MFW_HEADER "0x1 > C0A8020A    80    10    10\n",
		     strlen(MFW_HEADER) + 10, &records, &bad),
	       -EBADMSG, "a row cut in the middle");
	is_int((long long)bad.number, 2, "... is line 2");
	is_int((long long)records.n, 0, "... and no record");
	records_free(&records);
}

int main(void)
{
	portfw();
	mfw();
	autofw();
	many_receivers();
	files();
	return done_testing();
}
