// SPDX-License-Identifier: GPL-2.0-or-later
/* The state files of a 2.2 kernel: what is read, and what is refused. */
#include <arpa/inet.h>
#include <errno.h>

#include "kind.h"
#include "statefile.h"
#include "tap.h"

#define PORTFW_HEADER "Prot LAddr    LPort > RAddr    RPort PrCnt  Pref               \n"
#define MFW_HEADER "FwMark > RAddr    RPort PrCnt  Pref                            \n"
#define AUTOFW_HEADER "Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt Timer Flags\n"

#define AUTOFW_GOOD "   1   11 1B3A-1C02/0000 0000 00000000 00000000 0006 1B9E      0    6\n"

static const char *const header[MASQ_AUTOFW + 1] = {
	[MASQ_PORTFW] = PORTFW_HEADER,
	[MASQ_MFW] = MFW_HEADER,
	[MASQ_AUTOFW] = AUTOFW_HEADER,
};

/* Reads a copy of just that size, for ASan and valgrind to watch its ends. */
static int parse(enum masq_kind kind, const char *text, size_t size, struct records *out,
		 struct bad_line *bad)
{
	char *copy = malloc(size ? size : 1);
	int err;

	memcpy(copy, text, size);
	*out = (struct records){0};
	err = statefile_read(kind, copy, size, out, bad);
	if (err == -EBADMSG && bad->text) /* it points into the copy */
		bad->text = text + (bad->text - copy);
	free(copy);
	return err;
}

/* A record as the command that adds it, and what the kernel says beside it. */
static void show(char *buf, size_t size, const struct masq_record *r)
{
	const struct masq_command *c = r->forward;
	char inside[ADDRESS_TEXT_MAX], outside[ADDRESS_TEXT_MAX];
	struct text t;
	size_t n;

	text_start(&t, buf, size);
	text_word(&t, kinds[c->kind]->name);
	kinds[c->kind]->print(&t, c);
	n = strlen(buf);
	if (r->has & MASQ_HAS_LEFT)
		n += (size_t)snprintf(buf + n, size - n, " left %d", r->left);
	if (r->has & MASQ_HAS_RECEIVER)
		n += (size_t)snprintf(buf + n, size - n, " receiver %s from %s for %u",
				      address_text(inside, &r->inside),
				      r->outside.family == AF_UNSPEC
					      ? "anyone"
					      : address_text(outside, &r->outside),
				      r->seconds);
	snprintf(buf + n, size - n, "%s", r->has & MASQ_HAS_SERVED ? " served" : "");
}

/* want: what show() writes for each record, ending with NULL. */
struct shown {
	const char *const *want;
	const char *what;
};

static int show_next(const struct masq_record *r, void *arg)
{
	struct shown *s = arg;
	char buf[256];

	show(buf, sizeof(buf), r);
	is_str(buf, *s->want, "%s: a record", s->what);
	is_int(r->forward->verb, MASQ_ADD, "... which adds it");
	s->want += *s->want != NULL;
	return 0;
}

static void reads(enum masq_kind kind, const char *text, const char *const *want, const char *what)
{
	struct shown shown = {want, what};
	struct records records;
	struct bad_line bad;

	if (!is_int(parse(kind, text, strlen(text), &records, &bad), 0, "%s: read", what))
		fprintf(stderr, "# line %zu: %s\n", bad.number, bad.why);
	records_each(&records, show_next, &shown);
	ok(!*shown.want, "%s: no record is missing", what);
	records_free(&records);
}

#define WANT(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define NOTHING                                                                                    \
	(const char *const[])                                                                      \
	{                                                                                          \
		NULL                                                                               \
	}

/* A file of header, good rows and this text is refused at the line after
 * those. */
static void refused(enum masq_kind kind, const char *line, const char *why)
{
	static const char *const good[MASQ_AUTOFW + 1] = {
		[MASQ_PORTFW] = "TCP  0A000001    80 > 0A000002  8080    10    10               \n",
		[MASQ_MFW] = "0x1 > 0A000002    80    10    10                               \n",
		[MASQ_AUTOFW] = AUTOFW_GOOD,
	};
	struct records records;
	struct bad_line bad;
	char text[1024];
	int err;

	snprintf(text, sizeof(text), "%s%s%s", header[kind], good[kind], line);
	err = parse(kind, text, strlen(text), &records, &bad);
	ok(err == -EBADMSG && bad.number == 3 && records.n == 1 &&
		   !strncmp(bad.text, line, bad.size) && bad.size == strcspn(line, "\n"),
	   "refused, as line 3: %.*s", (int)strcspn(line, "\n"), line);
	if (err == -EBADMSG)
		is_str(bad.why, why, "... because: %s", why);
	records_free(&records);
}

/* A whole file of size bytes is refused at that line. */
static void bad_file(enum masq_kind kind, const char *text, size_t size, size_t number,
		     const char *why, const char *what)
{
	struct records records;
	struct bad_line bad;

	if (is_int(parse(kind, text, size, &records, &bad), -EBADMSG, "%s: refused", what)) {
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

	reads(MASQ_PORTFW, PORTFW_HEADER, NOTHING, "portfw, empty table");
	reads(MASQ_PORTFW, PORTFW_HEADER "UDP  C0A80101    53 > C0A8020B    54     3    10\n",
	      WANT("portfw -P udp -L 192.168.1.1 53 -R 192.168.2.11 54 -p 10 left 3"), "portfw");
	/* blanks are not what a row says */
	reads(MASQ_PORTFW,
	      "Prot LAddr    LPort > RAddr    RPort PrCnt  Pref\n"
	      "TCP 0A000001 80 > 0A000002 8080 10 10\n",
	      WANT("portfw -P tcp -L 10.0.0.1 80 -R 10.0.0.2 8080 -p 10 left 10"),
	      "rows and header without padding");

	is_int(parse(MASQ_PORTFW, text, strlen(text), &records, &bad), 0, "portfw, by member");
	is_int((long long)records.n, 3, "three of them");
	if (records.n == 3) {
		const struct masq_command *c = &records.v[1].forward, *none = &records.v[2].forward;

		is_int(c->kind, MASQ_PORTFW, "kind");
		is_int(c->protocol, IPPROTO_TCP, "TCP");
		is_int(c->local.in.s_addr, inet_addr("10.0.0.1"), "local address");
		is_int(c->target.in.s_addr, INADDR_BROADCAST, "target");
		is_int(c->ports.first, 65535, "the last port");
		is_int(c->ports.last, 65535, "... is not a range");
		ok(!(c->has & MASQ_HAS_TARGET_PORTS), "target port 0 is legal in a listing");
		is_int(records.v[1].record.left, INT32_MAX, "the largest count");
		is_int(c->pref, INT32_MAX, "the largest pref");
		is_int(records.v[0].record.has, MASQ_HAS_LEFT, "nothing else is known");
		is_int(none->has,
		       MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS | MASQ_HAS_PREF,
		       "a row of zeros has no target");
		ok(none->local.family == AF_INET && address_is_any(&none->local),
		   "... any address");
		is_int(none->pref, INT32_MIN, "the smallest pref");
	}
	records_free(&records);

#define ROW(prot, laddr, lport, arrow, raddr, rport, count, pref)                                  \
	prot "  " laddr " " lport " " arrow " " raddr " " rport " " count " " pref "   \n"
#define REFUSED(why, ...) refused(MASQ_PORTFW, ROW(__VA_ARGS__), why)
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
	refused(MASQ_PORTFW, "a b c d e f g h i j k l m n o p\n", "too many fields");
	refused(MASQ_PORTFW, "\n", "too few fields");
	refused(MASQ_PORTFW, "   \n", "too few fields");
	refused(MASQ_PORTFW, PORTFW_HEADER, "Prot is neither TCP nor UDP");
	refused(MASQ_PORTFW, "TCP\t0A000001 80 > 0A000002 80 1 1\n", "too few fields");
	refused(MASQ_PORTFW, "TCP  0A000001    80 > 0A000002  8080    10    1", "truncated");
	refused(MASQ_PORTFW, "T", "truncated");
	refused(MASQ_PORTFW,
		"TCP  0A000001    80 > 0A000002  8080    10    10                "
		"                                                                \n",
		"too long");
}

static void mfw(void)
{
	reads(MASQ_MFW, MFW_HEADER, NOTHING, "mfw, empty table");
	reads(MASQ_MFW,
	      MFW_HEADER "0x1 > C0A8020A    80    10    10                               \n"
			 "0xffffffff > C0A8020B     0 2147483647 2147483647              \n"
			 "0x10 > 0A000005     0     0     0                              \n",
	      WANT("mfw -m 1 -r 192.168.2.10 80 -p 10 left 10",
		   "mfw -m 4294967295 -r 192.168.2.11 -p 2147483647 left 2147483647",
		   "mfw -m 16 -r 10.0.0.5 -p 0 left 0"),
	      "mfw");

	refused(MASQ_MFW, "1 > C0A8020A    80    10    10\n", "FwMark is not a hexadecimal number");
	refused(MASQ_MFW, "0x > C0A8020A    80    10    10\n",
		"FwMark is not a hexadecimal number");
	refused(MASQ_MFW, "0x100000000 > C0A8020A    80    10    10\n",
		"FwMark is not a hexadecimal number");
	refused(MASQ_MFW, "0x-1 > C0A8020A    80    10    10\n",
		"FwMark is not a hexadecimal number");
	refused(MASQ_MFW, "0x1 - C0A8020A    80    10    10\n", "no > after FwMark");
	refused(MASQ_MFW, "0x1 > C0A8020A    80    10\n", "too few fields");
	refused(MASQ_MFW, "0x1 > C0A8020A    80    10    10    10\n", "too many fields");
	refused(MASQ_MFW, "TCP  0A000001    80 > 0A000002  8080    10    10\n", "too many fields");
	refused(MASQ_MFW, "0x1 > C0A8020A 65536    10    10\n", "RPort is not a port");
}

static void autofw(void)
{
	struct records records;
	struct bad_line bad;

	reads(MASQ_AUTOFW, AUTOFW_HEADER, NOTHING, "autofw, empty table");
	/* a range for a host; one that waits for a contact; a port; direct */
	reads(MASQ_AUTOFW,
	      AUTOFW_HEADER
	      "   1   11 1B3A-1C02/0000 0000 C0A80263 00000000 0000 0000      0    2\n"
	      "   1   11 1B3A-1C02/0000 0000 00000000 00000000 0006 1B9E      0    6\n"
	      "   1   11 1B3A-1C02/0000 0000 00000000 00000000 0011 1B9E      0    0\n"
	      "   2    6 0000-0000/1F90 0050 C0A8020A 00000000 0000 0000      0    2\n"
	      "   3    6 0400-FFFF/0000 0000 00000000 00000000 0000 0000      0    0\n"
	      /* nothing to contact, whatever the flags */
	      "   1    6 0001-0002/0000 0000 C0A80263 00000000 0000 0000      0    3\n"
	      /* of another form, so where is no receiver */
	      "   3    6 0001-0002/0000 0000 C0A80263 C6336401 0006 1B9E      0    7\n"
	      /* nobody is there yet */
	      "   1    6 0001-0002/0000 0000 00000000 C6336401 0006 1B9E      0    7\n",
	      WANT("autofw -r udp 6970 7170 -h 192.168.2.99", "autofw -r udp 6970 7170 -c tcp 7070",
		   "autofw -r udp 6970 7170 -c udp 7070 -i -u",
		   "autofw -p tcp 8080 192.168.2.10:80", "autofw -d tcp 1024 65535 -u",
		   "autofw -r tcp 1 2 -h 192.168.2.99",
		   "autofw -d tcp 1 2 -h 192.168.2.99 -c tcp 7070",
		   "autofw -r tcp 1 2 -c tcp 7070"),
	      "autofw");
	/* a fixed host, though with a control port; contacted, secure; by
	 * anyone, without limit */
	reads(MASQ_AUTOFW,
	      AUTOFW_HEADER
	      "   1   11 1B3A-1C02/0000 0000 C0A80263 00000000 0006 1B9E      0    2\n"
	      "   1   11 1B3A-1C02/0000 0000 C0A80264 C6336401 0006 1B9E   1500    7\n"
	      "   1    6 1770-17D4/0000 0000 C0A80265 C6336402 0006 0017    500    1\n"
	      /* contacted once, and no longer active; active without a
	       * contact */
	      "   1    6 1770-17D4/0000 0000 C0A80266 C6336402 0006 0017      0    4\n"
	      "   1    6 1770-17D4/0000 0000 C0A80267 00000000 0006 0017      0    5\n",
	      WANT("autofw -r udp 6970 7170 -h 192.168.2.99 -c tcp 7070 -i",
		   "autofw -r udp 6970 7170 -c tcp 7070",
		   "autofw -r udp 6970 7170 -c tcp 7070 receiver 192.168.2.100 from 198.51.100.1 "
		   "for 15",
		   "autofw -r tcp 6000 6100 -c tcp 23 -i -u",
		   "autofw -r tcp 6000 6100 -c tcp 23 -i -u receiver 192.168.2.101 from anyone "
		   "for 0",
		   "autofw -r tcp 6000 6100 -c tcp 23 -u",
		   "autofw -r tcp 6000 6100 -c tcp 23 -u receiver 192.168.2.102 from 198.51.100.2 "
		   "for 0",
		   "autofw -r tcp 6000 6100 -c tcp 23 -u",
		   "autofw -r tcp 6000 6100 -c tcp 23 -u receiver 192.168.2.103 from anyone "
		   "for 0"),
	      "autofw with receivers");
	is_int(parse(MASQ_AUTOFW, AUTOFW_HEADER AUTOFW_GOOD, strlen(AUTOFW_HEADER AUTOFW_GOOD),
		     &records, &bad),
	       0, "autofw, by member");
	is_int(records.n ? records.v[0].record.has : 1, 0, "an entry has no counts");
	records_free(&records);

	static const struct {
		const char *timer;
		uint32_t seconds;
	} timers[] = {
		{"     0", 0},     {"     1", 1},
		{"   100", 1},     {"   101", 2},
		{"  1499", 15},    {"  1501", 16},
		{"4294967290", 1}, {"18446744073709551610", 1},
		{"360000", 3600},  {"2147483647", 21474837},
		{"2147483648", 1},
	};
	for (size_t i = 0; i < sizeof(timers) / sizeof(*timers); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			 AUTOFW_HEADER
			 "   1   11 1B3A-1C02/0000 0000 C0A80264 C6336401 0006 1B9E %s    7\n",
			 timers[i].timer);
		parse(MASQ_AUTOFW, text, strlen(text), &records, &bad);
		is_int(records.n == 2 ? (long long)records.v[1].record.seconds : -1,
		       timers[i].seconds, "timer %s in seconds", timers[i].timer);
		records_free(&records);
	}

#undef ROW
#define ROW(type, prot, ports, where, last, ctl, timer, flags)                                     \
	"   " type "   " prot " " ports " " where " " last " " ctl "    " timer "    " flags "\n"
#undef REFUSED
#define REFUSED(why, ...) refused(MASQ_AUTOFW, ROW(__VA_ARGS__), why)
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

#define NEITHER "neither the header nor a row of this file"

static void files(void)
{
	struct records records;
	struct bad_line bad;

	for (int i = 0; i <= MASQ_AUTOFW; i++) {
		enum masq_kind kind = (enum masq_kind)i;
		const char *other = header[(i + 1) % (MASQ_AUTOFW + 1)];
		size_t size = strlen(header[i]);
		char text[256];

		bad_file(kind, "", 0, 1, "empty", "nothing");
		bad_file(kind, header[i], size - 1, 1, "truncated", "header without newline");
		bad_file(kind, other, strlen(other), 1, NEITHER, "another file's header");
		bad_file(kind, "\n", 1, 1, NEITHER, "blank line");
		memcpy(text, header[i], size);
		text[9] = '\0';
		bad_file(kind, text, size, 1, "it contains a NUL", "NUL in the header");
		text[9] = header[i][9];
		text[size] = '\0';
		bad_file(kind, text, size + 1, 2, "it contains a NUL", "NUL after the header");
		memcpy(text + size - 1, "x\n", 2);
		bad_file(kind, text, size + 1, 1, NEITHER, "junk behind the header");
		/* a header is the first line or none */
		snprintf(text, sizeof(text), "%s%s", header[i], header[i]);
		ok(parse(kind, text, strlen(text), &records, &bad) == -EBADMSG && bad.number == 2,
		   "a header as second line is refused");
		records_free(&records);
	}
	/* a file is not made up of bytes before or behind it */
	is_int(parse(MASQ_MFW, MFW_HEADER "0x1 > C0A8020A    80    10    10\n",
		     strlen(MFW_HEADER) + 10, &records, &bad),
	       -EBADMSG, "a row cut in the middle");
	is_int((long long)bad.number, 2, "... is line 2");
	is_int((long long)records.n, 0, "... and no record");
	records_free(&records);
}

/* The longest line, and one that is longer. */
static void long_lines(void)
{
	char text[256];

	snprintf(text, sizeof(text), "%-127s\n", "0x1 > 0A000002    80    10    10");
	reads(MASQ_MFW, text, WANT("mfw -m 1 -r 10.0.0.2 80 -p 10 left 10"), "127 characters");
	snprintf(text, sizeof(text), "%-128s\n", "0x1 > 0A000002    80    10    10");
	bad_file(MASQ_MFW, text, strlen(text), 1, "too long", "128 characters");
}

/* As 0.4.2 did: the first line may be a row already. */
static void headless(void)
{
	reads(MASQ_PORTFW,
	      "TCP  0A000001    80 > 0A000002  8080    10    10               \n"
	      "UDP  0A000001    53 > 0A000002    53     1     2               \n",
	      WANT("portfw -P tcp -L 10.0.0.1 80 -R 10.0.0.2 8080 -p 10 left 10",
		   "portfw -P udp -L 10.0.0.1 53 -R 10.0.0.2 53 -p 2 left 1"),
	      "portfw without header");
	reads(MASQ_MFW, "0x1 > 0A000002    80    10    10\n",
	      WANT("mfw -m 1 -r 10.0.0.2 80 -p 10 left 10"), "mfw without header");
	reads(MASQ_AUTOFW, AUTOFW_GOOD, WANT("autofw -r udp 6970 7170 -c tcp 7070"),
	      "autofw without header");
	bad_file(MASQ_MFW, "0x1 > 0A000002    80    10\n", 27, 1, NEITHER, "less than a row");
	bad_file(MASQ_MFW, "0x1 > 0A000002    80    10    10\njunk\n", 38, 2, "too few fields",
		 "junk after a row without header");
}

int main(void)
{
	portfw();
	mfw();
	autofw();
	files();
	headless();
	long_lines();
	return done_testing();
}
