// SPDX-License-Identifier: GPL-2.0-or-later
/* The parsers at their boundaries: one line, one case. */
#include <arpa/inet.h>
#include <netdb.h>

#include "address.h"
#include "tap.h"

/* What *out holds before, and still after a refusal. */
#define UNTOUCHED 4242424242u

struct number_case {
	const char *text;
	bool good;
	uint32_t value;
};

/* TAP has one line a test. */
static const char *shown(const char *text)
{
	return strchr(text, '\n') ? "with newline" : text;
}

static void numbers(void)
{
	static const struct {
		const char *text;
		uint32_t min, max;
		bool good;
		uint32_t value;
	} cases[] = {
		{"0", 0, UINT32_MAX, true, 0},
		{"0", 1, UINT32_MAX, false, 0},
		{"1", 1, 1, true, 1},
		{"2", 1, 1, false, 0},
		{"010", 0, 100, true, 10},
		{"000000000000000000000000000007", 0, 100, true, 7},
		{"2147483647", 0, INT32_MAX, true, 2147483647},
		{"2147483648", 0, INT32_MAX, false, 0},
		{"4294967295", 0, UINT32_MAX, true, 4294967295},
		{"4294967296", 0, UINT32_MAX, false, 0},
		{"4294967297", 0, UINT32_MAX, false, 0},
		{"18446744073709551615", 0, UINT32_MAX, false, 0},
		{"18446744073709551617", 0, UINT32_MAX, false, 0},
		{"-18446744073709551615", 0, UINT32_MAX, false, 0},
		{"99999999999999999999999999999999", 0, UINT32_MAX, false, 0},
		{"", 0, UINT32_MAX, false, 0},
		{" ", 0, UINT32_MAX, false, 0},
		{" 1", 0, UINT32_MAX, false, 0},
		{"1 ", 0, UINT32_MAX, false, 0},
		{"\t1", 0, UINT32_MAX, false, 0},
		{"1\n", 0, UINT32_MAX, false, 0},
		{"+1", 0, UINT32_MAX, false, 0},
		{"-1", 0, UINT32_MAX, false, 0},
		{"-0", 0, UINT32_MAX, false, 0},
		{"-", 0, UINT32_MAX, false, 0},
		{"1.0", 0, UINT32_MAX, false, 0},
		{"1e3", 0, UINT32_MAX, false, 0},
		{"0x10", 0, UINT32_MAX, false, 0},
		{"a", 0, UINT32_MAX, false, 0},
		{"12a", 0, UINT32_MAX, false, 0},
		{"1,000", 0, UINT32_MAX, false, 0},
		{"\xb2", 0, UINT32_MAX, false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t value = UNTOUCHED;
		bool good = masq_parse_number(&value, cases[i].text, cases[i].min, cases[i].max);

		ok(good == cases[i].good && value == (good ? cases[i].value : UNTOUCHED),
		   "number \"%s\" from %u to %u", shown(cases[i].text), cases[i].min, cases[i].max);
	}
}

static void ports(void)
{
	static const struct number_case cases[] = {
		{"0", false, 0},        {"1", true, 1},           {"80", true, 80},
		{"65535", true, 65535}, {"65536", false, 0},      {"65616", false, 0},
		{"00080", true, 80},    {"-1", false, 0},         {"+80", false, 0},
		{"80x", false, 0},      {"", false, 0},           {" 80", false, 0},
		{"0x50", false, 0},     {"4294967376", false, 0}, {"80.", false, 0},
		{"http", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint16_t value = 4242;
		bool good = masq_parse_port(&value, cases[i].text);

		ok(good == cases[i].good && value == (good ? cases[i].value : 4242), "port \"%s\"",
		   cases[i].text);
	}
}

static void marks(void)
{
	static const struct number_case cases[] = {
		{"0", false, 0},
		{"0x0", false, 0},
		{"1", true, 1},
		{"0x1", true, 1},
		{"010", true, 10},
		{"0x10", true, 16},
		{"0X10", true, 16},
		{"0xfF", true, 255},
		{"4294967295", true, 4294967295},
		{"4294967296", false, 0},
		{"0xffffffff", true, 4294967295},
		{"0x00000000ffffffff", true, 4294967295},
		{"0x100000000", false, 0},
		{"0xffffffffffffffff", false, 0},
		{"0x", false, 0},
		{"x1", false, 0},
		{"0x1g", false, 0},
		{"0x 1", false, 0},
		{"0x-1", false, 0},
		{"0x0x1", false, 0},
		{"ff", false, 0},
		{"-1", false, 0},
		{"-0x1", false, 0},
		{"", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t value = UNTOUCHED;
		bool good = masq_parse_mark(&value, cases[i].text);

		ok(good == cases[i].good && value == (good ? cases[i].value : UNTOUCHED),
		   "mark \"%s\"", cases[i].text);
	}
}

static void protocols(void)
{
	static const struct number_case cases[] = {
		{"tcp", true, 6},   {"TCP", true, 6},   {"Tcp", true, 6},   {"t", true, 6},
		{"T", true, 6},     {"6", true, 6},     {"udp", true, 17},  {"UDP", true, 17},
		{"uDp", true, 17},  {"u", true, 17},    {"U", true, 17},    {"17", true, 17},
		{"upd", false, 0},  {"tc", false, 0},   {"tcpp", false, 0}, {" tcp", false, 0},
		{"tcp ", false, 0}, {"", false, 0},     {"06", false, 0},   {"0x6", false, 0},
		{"1", false, 0},    {"icmp", false, 0}, {"262", false, 0},  {"17.", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t value = 42;
		bool good = masq_parse_protocol(&value, cases[i].text);

		ok(good == cases[i].good && value == (good ? cases[i].value : 42),
		   "protocol \"%s\"", cases[i].text);
	}
	is_str(masq_protocol_name(6), "tcp", "6 is tcp");
	is_str(masq_protocol_name(17), "udp", "17 is udp");
	is_str(masq_protocol_name(MASQ_TCP_UDP), "tcp,udp", "both have a name");
	is_str(masq_protocol_name(0), "?", "0 is no protocol");
}

static void addresses(void)
{
	static const struct number_case cases[] = {
		{"0.0.0.0", true, 0},
		{"10.0.0.1", true, 0x0a000001},
		{"127.0.0.1", true, 0x7f000001},
		{"255.255.255.255", true, 0xffffffff},
		{"256.0.0.1", false, 0},
		{"10.0.0.256", false, 0},
		{"10.0.0.-1", false, 0},
		{"10.0.0", false, 0},
		{"10.1", false, 0},
		{"10", false, 0},
		{"10.0.0.1.", false, 0},
		{"10.0.0.1.1", false, 0},
		{".10.0.0.1", false, 0},
		{"10..0.1", false, 0},
		{"10.0.0.0x1", false, 0},
		{"0x0a000001", false, 0},
		{"010.0.0.1", false, 0},
		{" 10.0.0.1", false, 0},
		{"10.0.0.1 ", false, 0},
		{"10.0.0.1/32", false, 0},
		{"10.0.0.1:80", false, 0},
		{":10.0.0.1", false, 0},
		{"", false, 0},
		{"a.b.c.d", false, 0},
		{"192.168.x.x", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct masq_address value = address_v4(UNTOUCHED);
		bool good = masq_parse_address(&value, cases[i].text);

		ok(good == cases[i].good && value.family == AF_INET &&
			   value.in.s_addr == (good ? htonl(cases[i].value) : UNTOUCHED),
		   "address \"%s\"", cases[i].text);
	}
}

/* What is read, and how it is written again (RFC 5952); NULL: no address. */
static void addresses6(void)
{
	static const char *const cases[][2] = {
		{"::", "::"},
		{"::1", "::1"},
		{"2001:db8::1", "2001:db8::1"},
		{"2001:DB8::A", "2001:db8::a"},
		{"2001:0db8:0:0:0:0:0:1", "2001:db8::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1::", "2001:0:0:1::"},
		{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
		{"64:ff9b::10.0.0.1", "64:ff9b::a00:1"},
		{"1:2:3:4:5:6:7", NULL},
		{"1:2:3:4:5:6:7:8:9", NULL},
		{"1::2::3", NULL},
		{":::", NULL},
		{":", NULL},
		{"1:", NULL},
		{":1", NULL},
		{"12345::", NULL},
		{"g::", NULL},
		{"-1::", NULL},
		{" ::1", NULL},
		{"::1 ", NULL},
		{"::1/128", NULL},
		{"[::1]", NULL},
		{"fe80::1%1", NULL},
		{"fe80::1%eth0", NULL},
		{"::10.0.0.256", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct masq_address value = address_v4(UNTOUCHED);
		bool good = masq_parse_address(&value, cases[i][0]);
		char text[ADDRESS_TEXT_MAX];

		ok(good == (cases[i][1] != NULL) && value.family == (good ? AF_INET6 : AF_INET) &&
			   (good || value.in.s_addr == UNTOUCHED),
		   "address \"%s\"", cases[i][0]);
		if (good)
			is_str(address_text(text, &value), cases[i][1], "... is written");
	}
}

/* Written as the C library writes it, whatever the groups. */
static void addresses6_at_random(void)
{
	struct masq_address a = {.family = AF_INET6};
	uint64_t seed = 88172645463325252u;
	size_t wrong = 0;

	for (int n = 0; n < 200000; n++) {
		char is[ADDRESS_TEXT_MAX], wanted[ADDRESS_TEXT_MAX];

		for (int i = 0; i < 16; i += 2) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			a.in6.s6_addr[i] = seed & 1 && seed & 2 ? (uint8_t)(seed >> 8) : 0;
			a.in6.s6_addr[i + 1] = seed & 1 ? (uint8_t)(seed >> 16) : 0;
		}
		inet_ntop(AF_INET6, &a.in6, wanted, sizeof(wanted));
		wrong += strcmp(address_text(is, &a), wanted) != 0;
	}
	is_int((long long)wrong, 0, "addresses of IPv6 at random");
}

/* The family that is asked for is the family that is got. */
static void families(void)
{
	struct masq_address a = {0};

	ok(!masq_host_address_of(&a, "fd00::2", AF_INET6) && a.family == AF_INET6, "IPv6");
	ok(!masq_host_address_of(&a, "10.0.0.2", AF_INET) && a.family == AF_INET, "IPv4");
	ok(!masq_host_address_of(&a, "fd00::2", AF_UNSPEC) && a.family == AF_INET6, "any");
	is_int(masq_host_address_of(&a, "10.0.0.2", AF_INET6), EAI_FAMILY, "not IPv6");
	is_int(masq_host_address_of(&a, "::1", AF_INET), EAI_FAMILY, "not IPv4");
	is_int(masq_host_address_of(&a, "10.0.0.2", 99), EAI_FAMILY, "no such family");
	ok(a.family == AF_INET6, "what fails leaves it alone");
}

/* Only what no resolver is asked for, so nothing leaves this machine. */
static void hosts(void)
{
	static const char *const none[] = {
		"",           " ",         "10.0.0.256", "10.1",        "10",  "0x7f.1",
		"0x7f000001", "1.2.3.0x",  "10.0.0.1 x", "10.0.0.1/8",  "a b", "a\nb",
		"a;b",        "10.0.0.1.", "::1::",      "h\xc3\xb6st",
	};
	const struct masq_address any = address_v4(INADDR_ANY);
	char name[MASQ_NAME_MAX];

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		struct masq_address addr = address_v4(UNTOUCHED);

		ok(masq_host_address(&addr, none[i]) == EAI_NONAME && addr.in.s_addr == UNTOUCHED,
		   "host %zu of those that are not looked up", i);
	}
	for (int i = 0; i < 2; i++) {
		struct masq_address addr = address_v4(htonl(i ? 0xffffffff : 0x0a000001)), back;

		masq_host_name(name, &addr, true);
		is_str(name, i ? "255.255.255.255" : "10.0.0.1", "numeric host name");
		ok(!masq_host_address(&back, name) && address_equal(&back, &addr), "reads back");
	}
	masq_host_name(name, &any, false);
	is_str(name, "0.0.0.0", "any address has no name");
}

static void services(void)
{
	char name[MASQ_NAME_MAX];
	uint16_t port = 4242;

	masq_port_name(name, 65535, IPPROTO_TCP, true);
	is_str(name, "65535", "numeric port name");
	masq_port_name(name, 53, 0, true);
	is_str(name, "53", "numeric port name of no protocol");
	masq_port_name(name, 0, IPPROTO_TCP, false);
	is_str(name, "0", "port 0 has no name");
	ok(!masq_service_port(&port, "no such service", IPPROTO_TCP) && port == 4242,
	   "a service that is not there");
	ok(!masq_service_port(&port, "", IPPROTO_UDP) && port == 4242, "an empty service");
	if (!getservbyname("domain", "udp") || !getservbyname("tftp", "udp")) {
		ok(true, "service names # SKIP no /etc/services");
		return;
	}
	ok(masq_service_port(&port, "domain", IPPROTO_UDP) && port == 53, "domain is 53");
	ok(!masq_service_port(&port, "tftp", IPPROTO_TCP), "tftp is no tcp service");
	ok(masq_service_port(&port, "tftp", IPPROTO_UDP) && port == 69, "but of udp, 69");
	masq_port_name(name, 514, IPPROTO_UDP, false);
	is_str(name, "syslog", "udp 514 is syslog");
	masq_port_name(name, 514, IPPROTO_TCP, false);
	is_str(name, "shell", "tcp 514 is shell");
}

int main(void)
{
	numbers();
	ports();
	marks();
	protocols();
	addresses();
	addresses6();
	addresses6_at_random();
	families();
	hosts();
	services();
	return done_testing();
}
