// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands to messages and back: every recorded command line byte for byte, in
 * the word size of this build, and what a message cannot say.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "flags.h"
#include "tap.h"
#include "wire.h"

#define BYTES sizeof(struct ip_masq_ctl)
#define LINE_SIZE 8192
#define ARGC_MAX 24

/* The text after "name": in a line of JSON, or NULL. */
static char *member(char *line, const char *name)
{
	char key[32];
	char *p;

	snprintf(key, sizeof(key), "\"%s\": ", name);
	p = strstr(line, key);
	return p ? p + strlen(key) : NULL;
}

/* The bytes of hexadecimal digits, "xx" as 0. False if there are not BYTES of
 * them. */
static bool unhex(unsigned char out[BYTES], const char *s)
{
	for (size_t i = 0; i < BYTES; i++) {
		unsigned int byte = 0;

		if (strncmp(s + 2 * i, "xx", 2) && sscanf(s + 2 * i, "%2x", &byte) != 1)
			return false;
		out[i] = (unsigned char)byte;
	}
	return s[2 * BYTES] == '"';
}

/* The recorded message in this build's word size. autofw's part begins with a
 * pointer, and its last member is followed by padding. */
static bool recorded(unsigned char out[BYTES], char *line)
{
	char *wire32 = member(line, "wire32"), *wire64 = member(line, "wire64");

	if (sizeof(void *) == 4 && wire32)
		return unhex(out, wire32 + 1);
	if (!wire64 || !unhex(out, wire64 + 1))
		return false;
	if (sizeof(void *) == 4 && !strcmp((char *)out + 8, "autofw")) {
		memmove(out + 44, out + 48, BYTES - 48);
		memset(out + BYTES - 4, 0, 4);
	}
	return true;
}

static void bare(struct ip_masq_ctl *out, const char *module, int cmd)
{
	memset(out, 0, sizeof(*out));
	out->m_target = IP_MASQ_TARGET_MOD;
	out->m_cmd = cmd;
	strcpy(out->m_tname, module);
}

/* The words of "argv": [...], in place. */
static int split_argv(char *argv[ARGC_MAX], char *json)
{
	int argc = 0;
	char *p = json + 1;

	while (*p == '"' && argc < ARGC_MAX - 1) {
		char *end = strchr(p + 1, '"');

		argv[argc++] = p + 1;
		*end = '\0';
		p = end + 1 + strspn(end + 1, ", ");
	}
	argv[argc] = NULL;
	return argc;
}

/* Both ways, and that nothing depends on what *out held before. */
static void round_trip(const struct masq_command *c, const void *want, const char *name)
{
	struct masq_command back;
	struct ip_masq_ctl ctl;
	struct error e = {""};

	memset(&ctl, 0xa5, sizeof(ctl));
	if (!is_int(wire_encode(&e, &ctl, c), 0, "%s: encoded", name))
		fprintf(stderr, "# %s\n", e.text);
	ok(!memcmp(&ctl, want, BYTES), "%s: as recorded", name);
	is_int(wire_decode(&e, &back, &ctl), 0, "%s: decoded", name);
	is_int(kind_validate(&e, &back), 0, "%s: valid", name);
	ok(back.kind == c->kind && back.verb == c->verb, "%s: the same kind and verb", name);
	memset(&ctl, 0x5a, sizeof(ctl));
	is_int(wire_encode(&e, &ctl, &back), 0, "%s: encoded again", name);
	ok(!memcmp(&ctl, want, BYTES), "%s: the same once more", name);
}

static void payloads(void)
{
	FILE *f = fopen("tests/data/payloads.jsonl", "r");
	static char line[LINE_SIZE];
	int n = 0, inserts = 0;

	if (!ok(f, "tests/data/payloads.jsonl"))
		return;
	while (fgets(line, sizeof(line), f)) {
		char *argv[ARGC_MAX], name[256] = "";
		union {
			struct ip_masq_ctl ctl;
			unsigned char byte[BYTES];
		} want;
		struct masq_command c;
		struct given given;
		struct error e = {""};
		bool flush = !recorded(want.byte, line);
		int argc = split_argv(argv, member(line, "argv"));
		const struct kind *k = kind_find(argv[0]);

		for (int i = 0; i < argc; i++)
			snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s ", argv[i]);
		n++;
		if (!is_int(kind_read(k, &flags_common, NULL, argc, argv, &given, &c, &e), 0,
			    "%s: read", name)) {
			fprintf(stderr, "# %s\n", e.text);
			continue;
		}
		ok(flush == (c.verb == MASQ_FLUSH), "%s: recorded, or a flush", name);
		if (flush)
			bare(&want.ctl, argv[0], IP_MASQ_CMD_FLUSH);
		round_trip(&c, &want, name);
		if (c.kind == MASQ_MFW && c.verb == MASQ_ADD) {
			c.verb = MASQ_INSERT;
			want.ctl.m_cmd = IP_MASQ_CMD_INSERT;
			round_trip(&c, &want, "mfw -I");
			inserts++;
		}
	}
	fclose(f);
	ok(n > 90 && inserts > 3, "%d recorded cases, %d as -I", n, inserts);
}

static struct masq_address v4(const char *text)
{
	struct masq_address a = {.family = AF_INET};

	inet_pton(AF_INET, text, &a.in);
	return a;
}

static struct masq_address v6(const char *text)
{
	struct masq_address a = {.family = AF_INET6};

	inet_pton(AF_INET6, text, &a.in6);
	return a;
}

static struct masq_command portfw(void)
{
	return (struct masq_command){
		.size = sizeof(struct masq_command),
		.kind = MASQ_PORTFW,
		.verb = MASQ_ADD,
		.has = MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS | MASQ_HAS_TARGET |
		       MASQ_HAS_TARGET_PORTS | MASQ_HAS_PREF,
		.protocol = IPPROTO_TCP,
		.ports = {80, 80},
		.local = v4("198.51.100.1"),
		.target = v4("10.0.0.2"),
		.target_ports = {8080, 8080},
		.pref = 1,
	};
}

static struct masq_command mfw(void)
{
	return (struct masq_command){
		.size = sizeof(struct masq_command),
		.kind = MASQ_MFW,
		.verb = MASQ_ADD,
		.has = MASQ_HAS_MARK | MASQ_HAS_TARGET,
		.mark = 0xffffffff,
		.target = v4("10.0.0.2"),
	};
}

static struct masq_command autofw(void)
{
	return (struct masq_command){
		.size = sizeof(struct masq_command),
		.kind = MASQ_AUTOFW,
		.verb = MASQ_ADD,
		.form = MASQ_RANGE,
		.has = MASQ_HAS_PROTOCOL | MASQ_HAS_PORTS | MASQ_HAS_TRIGGER,
		.protocol = IPPROTO_UDP,
		.ports = {6970, 7170},
		.trigger_protocol = IPPROTO_TCP,
		.trigger_port = 7070,
	};
}

static void cannot(struct masq_command c, const char *text)
{
	struct ip_masq_ctl ctl;
	struct error e = {""};

	is_int(wire_encode(&e, &ctl, &c), -EOPNOTSUPP, "refused: %s", text);
	is_str(e.text, text, "... in these words");
}

static void can(struct masq_command c, struct ip_masq_ctl *ctl, const char *what)
{
	struct error e = {""};

	is_int(wire_encode(&e, ctl, &c), 0, "%s", what);
}

#define IPV4_ONLY                                                                                  \
	": the masquerading modules of this kernel forward IPv4 only, give an IPv4 address"
#define ONE_PORT                                                                                   \
	": the masquerading modules of this kernel take one port a command, give a command for "   \
	"each port"
#define NOT_ALL ": the masquerading modules of this kernel cannot do all that is asked for "
#define NO_DRAIN                                                                                   \
	": this kernel refuses it, it cannot drain a portfw target; give a pref of 1 or more, or " \
	"delete the forward"

static void limits(void)
{
	struct ip_masq_ctl ctl;
	struct masq_command c = portfw();

	can(c, &ctl, "portfw, pref 1");
	c.pref = 0;
	cannot(c, "pref 0" NO_DRAIN);
	c.pref = -1;
	cannot(c, "pref -1" NO_DRAIN);
	c.verb = MASQ_DELETE;
	can(c, &ctl, "a pref that means nothing, as in a delete");
	c = mfw();
	c.has |= MASQ_HAS_PREF;
	can(c, &ctl, "mfw, pref 0");
	is_int(ctl.u.mfw_user.pref, 0, "... is sent");

	c = portfw();
	c.local = v6("2001:db8::1");
	cannot(c, "2001:db8::1" IPV4_ONLY);
	c = portfw();
	c.target = v6("::1");
	cannot(c, "::1" IPV4_ONLY);
	c = mfw();
	c.target = v6("2001:db8::2");
	cannot(c, "2001:db8::2" IPV4_ONLY);
	c = autofw();
	c.has |= MASQ_HAS_TARGET;
	c.target = v6("2001:db8::3");
	cannot(c, "2001:db8::3" IPV4_ONLY);

	c = portfw();
	c.ports.last = 81;
	cannot(c, "ports 80-81" ONE_PORT);
	c = portfw();
	c.target_ports.last = 8081;
	cannot(c, "ports 8080-8081" ONE_PORT);
	c = mfw();
	c.has |= MASQ_HAS_TARGET_PORTS;
	c.target_ports = (struct masq_ports){1, 2};
	cannot(c, "ports 1-2" ONE_PORT);
	c = autofw();
	c.form = MASQ_PORT;
	cannot(c, "ports 6970-7170" ONE_PORT);
	c.ports = c.target_ports = (struct masq_ports){5, 5};
	c.target_ports.last = 6;
	cannot(c, "ports 5-6" ONE_PORT);
	c = autofw();
	c.has |= MASQ_HAS_TARGET_PORTS;
	c.target_ports = (struct masq_ports){7, 7};
	cannot(c, "target port 7: autofw keeps the ports of a range, give none");

	c = portfw();
	c.has |= 1u << 30;
	cannot(c, "tcp 198.51.100.1:80 to 10.0.0.2:8080" NOT_ALL "(0x40000000)");
	c = portfw();
	c.has |= MASQ_HAS_MARK;
	cannot(c, "tcp 198.51.100.1:80 to 10.0.0.2:8080" NOT_ALL "(0x8)");
	c = mfw();
	c.has |= MASQ_HAS_PROTOCOL;
	cannot(c, "mark 4294967295 to 10.0.0.2" NOT_ALL "(0x1)");
	c = autofw();
	c.has |= MASQ_HAS_LOCAL;
	cannot(c, "range udp 6970-7170 control tcp 7070" NOT_ALL "(0x2)");
	c.verb = MASQ_FLUSH;
	can(c, &ctl, "a flush ignores what has no meaning");

	c = portfw();
	c.kind = (enum masq_kind)7;
	cannot(c, "this kernel has no masquerading module for this command");
	c = portfw();
	c.verb = (enum masq_verb)7;
	cannot(c, "this kernel has no masquerading module for portfw");
}

static void absent(void)
{
	struct masq_command c = portfw();
	struct ip_masq_ctl ctl;

	c.has &= ~MASQ_HAS_PREF;
	can(c, &ctl, "portfw without a pref");
	is_int(ctl.u.portfw_user.pref, MASQ_PREF_DEFAULT, "... has the default");
	can(mfw(), &ctl, "mfw without a pref and a port");
	is_int(ctl.u.mfw_user.pref, MASQ_PREF_DEFAULT, "... has the default");
	is_int(ctl.u.mfw_user.rport, 0, "... and port 0");
	is_int(ctl.u.mfw_user.fwmark, 0xffffffff, "... the last mark");
	c = autofw();
	can(c, &ctl, "autofw, timed and secure");
	is_int(ctl.u.autofw_user.flags, IP_AUTOFW_USETIME | IP_AUTOFW_SECURE, "... flags");
	c.has |= MASQ_UNTIMED;
	can(c, &ctl, "autofw, untimed");
	is_int(ctl.u.autofw_user.flags, IP_AUTOFW_SECURE, "... flags");
	c.has = (c.has & ~MASQ_UNTIMED) | MASQ_ANYONE;
	can(c, &ctl, "autofw, anyone");
	is_int(ctl.u.autofw_user.flags, IP_AUTOFW_USETIME, "... flags");
	c.has &= ~MASQ_HAS_TRIGGER;
	can(c, &ctl, "autofw without a control connection");
	is_int(ctl.u.autofw_user.flags, IP_AUTOFW_USETIME, "... is not secure");
	is_int(ctl.u.autofw_user.ctlport, 0, "... and has no control port");
	is_int(ctl.u.autofw_user.ctlproto, 0, "... and no control protocol");
}

static void no_command(const struct ip_masq_ctl *ctl, const char *text)
{
	struct masq_command c;
	struct error e = {""};

	is_int(wire_decode(&e, &c, ctl), -EINVAL, "refused: %s", text);
	is_str(e.text, text, "... in these words");
}

static void messages(void)
{
	static const struct {
		const char *module;
		int cmd;
		enum masq_verb verb;
	} verbs[] = {
		{"portfw", IP_MASQ_CMD_NONE, MASQ_PROBE}, {"portfw", IP_MASQ_CMD_ADD, MASQ_ADD},
		{"portfw", IP_MASQ_CMD_DEL, MASQ_DELETE}, {"portfw", IP_MASQ_CMD_FLUSH, MASQ_FLUSH},
		{"mfw", IP_MASQ_CMD_NONE, MASQ_PROBE},    {"mfw", IP_MASQ_CMD_INSERT, MASQ_INSERT},
		{"mfw", IP_MASQ_CMD_ADD, MASQ_ADD},       {"mfw", IP_MASQ_CMD_SET, MASQ_EDIT},
		{"mfw", IP_MASQ_CMD_DEL, MASQ_DELETE},    {"mfw", IP_MASQ_CMD_FLUSH, MASQ_FLUSH},
		{"autofw", IP_MASQ_CMD_NONE, MASQ_PROBE}, {"autofw", IP_MASQ_CMD_ADD, MASQ_ADD},
		{"autofw", IP_MASQ_CMD_DEL, MASQ_DELETE}, {"autofw", IP_MASQ_CMD_FLUSH, MASQ_FLUSH},
	};
	struct masq_command c;
	struct ip_masq_ctl ctl;
	struct error e = {""};
	int accepted = 0;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		bare(&ctl, verbs[i].module, verbs[i].cmd);
		is_int(wire_decode(&e, &c, &ctl), 0, "%s %d", verbs[i].module, verbs[i].cmd);
		is_int(c.verb, verbs[i].verb, "... its verb");
		is_str(kinds[c.kind]->name, verbs[i].module, "... its kind");
		is_int((long long)c.size, sizeof(c), "... its size");
	}
	for (int cmd = -1; cmd <= IP_MASQ_CMD_DISABLE + 1; cmd++) {
		for (int i = 0; i < 3; i++) {
			bare(&ctl, kinds[i]->name, cmd);
			accepted += !wire_decode(&e, &c, &ctl);
		}
	}
	is_int(accepted, sizeof(verbs) / sizeof(*verbs), "no other command is understood");
	bare(&ctl, "portfw", IP_MASQ_CMD_SET);
	no_command(&ctl, "portfw has no command 3");
	bare(&ctl, "mfw", IP_MASQ_CMD_GET);
	no_command(&ctl, "mfw has no command 5");
	bare(&ctl, "autofw", -1);
	no_command(&ctl, "autofw has no command -1");

	bare(&ctl, "portfw", IP_MASQ_CMD_ADD);
	ctl.m_target = IP_MASQ_TARGET_USER;
	no_command(&ctl, "no masquerading target 3: give 2, a module");
#define NO_SUCH(name) "unknown module \"" name "\" (available: portfw mfw autofw)"
	bare(&ctl, "user", IP_MASQ_CMD_ADD);
	no_command(&ctl, NO_SUCH("user"));
	bare(&ctl, "", IP_MASQ_CMD_ADD);
	no_command(&ctl, NO_SUCH(""));
	memset(ctl.m_tname, 'x', sizeof(ctl.m_tname));
	no_command(&ctl, NO_SUCH("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));

	/* 16 bits there, 8 here */
	bare(&ctl, "portfw", IP_MASQ_CMD_ADD);
	ctl.u.portfw_user.protocol = 65535;
	no_command(&ctl, "protocol 65535 is neither tcp (6) nor udp (17)");
	ctl.u.portfw_user.protocol = 256 + IPPROTO_TCP;
	no_command(&ctl, "protocol 262 is neither tcp (6) nor udp (17)");
	ctl.u.portfw_user.protocol = 255;
	no_command(&ctl, "protocol 255 is neither tcp (6) nor udp (17)"); /* MASQ_TCP_UDP */
	ctl.u.portfw_user.protocol = 254;
	is_int(wire_decode(&e, &c, &ctl), 0, "protocol 254 is told apart later");
	is_int(c.protocol, 254, "... by its number");
	bare(&ctl, "autofw", IP_MASQ_CMD_DEL);
	ctl.u.autofw_user.protocol = 256 + IPPROTO_TCP;
	no_command(&ctl, "protocol 262 is neither tcp (6) nor udp (17)");
	ctl.u.autofw_user.protocol = IPPROTO_TCP;
	ctl.u.autofw_user.ctlproto = 256 + IPPROTO_UDP;
	no_command(&ctl, "protocol 273 is neither tcp (6) nor udp (17)");
	bare(&ctl, "portfw", IP_MASQ_CMD_FLUSH);
	ctl.u.portfw_user.protocol = 65535;
	is_int(wire_decode(&e, &c, &ctl), 0, "a flush has no protocol");
	is_int(c.has, 0, "... and nothing else");
}

static void members(void)
{
	struct ip_masq_ctl ctl;
	struct masq_command c;
	struct error e = {""};

	bare(&ctl, "portfw", IP_MASQ_CMD_DEL);
	ctl.u.portfw_user.protocol = IPPROTO_UDP;
	ctl.u.portfw_user.lport = htons(53);
	is_int(wire_decode(&e, &c, &ctl), 0, "portfw with zeros");
	is_int(c.has, MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS | MASQ_HAS_PREF,
	       "... no target is given, but a local address is");
	ok(c.local.family == AF_INET && address_is_any(&c.local), "... which is 0.0.0.0");
	ok(c.ports.first == 53 && c.ports.last == 53, "... a single port, host order");
	ctl.u.portfw_user.raddr = inet_addr("10.0.0.2");
	ctl.u.portfw_user.rport = htons(8080);
	ctl.u.portfw_user.pref = INT32_MIN;
	is_int(wire_decode(&e, &c, &ctl), 0, "portfw with a target");
	ok((c.has & MASQ_HAS_TARGET) && c.target.in.s_addr == inet_addr("10.0.0.2"), "... host");
	ok((c.has & MASQ_HAS_TARGET_PORTS) && c.target_ports.last == 8080, "... port");
	is_int(c.pref, INT32_MIN, "... pref");

	bare(&ctl, "mfw", IP_MASQ_CMD_SET);
	ctl.u.mfw_user.fwmark = 7;
	ctl.u.mfw_user.flags = 2;
	is_int(wire_decode(&e, &c, &ctl), 0, "mfw, an unknown flag");
	is_int(c.verb, MASQ_EDIT, "... is an edit");
	is_int(c.mark, 7, "... of this mark");
	is_int(c.has, MASQ_HAS_MARK | MASQ_HAS_PREF, "... without a target");
	ctl.u.mfw_user.flags = 3;
	is_int(wire_decode(&e, &c, &ctl), 0, "mfw, SCHED");
	is_int(c.verb, MASQ_SCHEDULE, "... ends the turn");
	ctl.m_cmd = IP_MASQ_CMD_ADD;
	is_int(wire_decode(&e, &c, &ctl), 0, "mfw, ADD with SCHED");
	is_int(c.verb, MASQ_ADD, "... adds");

	bare(&ctl, "autofw", IP_MASQ_CMD_DEL);
	ctl.u.autofw_user.type = IP_FWD_PORT;
	ctl.u.autofw_user.visible = 8080;
	ctl.u.autofw_user.hidden = 80;
	ctl.u.autofw_user.low = 5;
	ctl.u.autofw_user.flags = IP_AUTOFW_ACTIVE | IP_AUTOFW_SECURE;
	is_int(wire_decode(&e, &c, &ctl), 0, "autofw, a port");
	is_int(c.form, MASQ_PORT, "... form");
	ok(c.ports.first == 8080 && c.ports.last == 8080, "... visible");
	ok(c.target_ports.first == 80 && c.has & MASQ_HAS_TARGET_PORTS, "... hidden");
	is_int(c.has & (MASQ_UNTIMED | MASQ_ANYONE | MASQ_HAS_TRIGGER | MASQ_HAS_TARGET),
	       MASQ_UNTIMED, "... untimed, no control connection, no host");
	ctl.u.autofw_user.type = IP_FWD_RANGE;
	ctl.u.autofw_user.high = 9;
	ctl.u.autofw_user.ctlport = 7070;
	ctl.u.autofw_user.flags = IP_AUTOFW_USETIME;
	is_int(wire_decode(&e, &c, &ctl), 0, "autofw, a range");
	ok(c.ports.first == 5 && c.ports.last == 9, "... low and high");
	ok(!(c.has & MASQ_HAS_TARGET_PORTS), "... hidden is not part of it");
	is_int(c.has & (MASQ_UNTIMED | MASQ_ANYONE | MASQ_HAS_TRIGGER),
	       MASQ_ANYONE | MASQ_HAS_TRIGGER, "... a control port is a control connection");
	is_int(c.trigger_port, 7070, "... its port");
	ctl.u.autofw_user.ctlport = 0;
	ctl.u.autofw_user.ctlproto = IPPROTO_TCP;
	is_int(wire_decode(&e, &c, &ctl), 0, "autofw, a control protocol");
	ok(c.has & MASQ_HAS_TRIGGER && c.trigger_protocol == IPPROTO_TCP, "... is one, too");
}

int main(void)
{
	payloads();
	limits();
	absent();
	messages();
	members();
	return done_testing();
}
