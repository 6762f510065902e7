// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The transport of 1998 on kernels that this file plays: what they answer, what
 * their state files say before and after a command, and what is made of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"
#include <linux/ip_masq.h>

/* ---- the kernel ---- */

#define HEADER_PORTFW "Prot LAddr    LPort > RAddr    RPort PrCnt  Pref               \n"
#define HEADER_MFW "FwMark > RAddr    RPort PrCnt  Pref                            \n"
#define HEADER_AUTOFW "Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt Timer Flags\n"
#define ROW "TCP  C6336401    80 > 0A000002  8080    10    10               \n"

static const char *const file_names[] = {
	"/proc/net/ip_masq/portfw",
	"/proc/net/ip_masq/mfw",
	"/proc/net/ip_masq/autofw",
	"/proc/net/ip_portfw",
};
enum { PORTFW, MFW, AUTOFW, OLD_PORTFW, FILES };

static struct {
	/* by file, before a command was sent and after it; NULL: there is
	 * none */
	const char *before[FILES], *after[FILES];
	int open_error[FILES]; /* instead of reading the file before */
	bool no_cloexec, no_proc;
	int interrupts, read_error; /* of the next read() */
	int socket_error, answer, sent, sockets, closed_on_exec, opened;
	struct ip_masq_ctl message; /* the last one */
} kernel;

static int fake_socket(int domain, int type, int protocol)
{
	ok(domain == AF_INET && (type & 0xff) == SOCK_RAW && protocol == IPPROTO_RAW,
	   "a raw socket");
	errno = kernel.socket_error;
	if (errno)
		return -1;
	errno = EINVAL;
	if (kernel.no_cloexec && type != SOCK_RAW)
		return -1;
	kernel.sockets++;
	kernel.closed_on_exec += !!(type & SOCK_CLOEXEC);
	return memfd_create("socket", 0);
}

static int fake_fcntl(int fd, int cmd, int flags)
{
	kernel.closed_on_exec += cmd == F_SETFD && flags == FD_CLOEXEC;
	return fcntl(fd, cmd, flags);
}

static int fake_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	(void)fd;
	ok(level == IPPROTO_IP && option == IP_FW_MASQ_CTL && size == sizeof(kernel.message),
	   "a whole message");
	memcpy(&kernel.message, value, size);
	kernel.sent++;
	errno = kernel.answer ? kernel.answer : EBUSY; /* of a success it means nothing */
	return kernel.answer ? -1 : 0;
}

static int fake_open(const char *path, int flags)
{
	bool before = !kernel.sent;
	int file = 0, fd;

	(void)flags;
	kernel.opened++;
	while (file < FILES && strcmp(path, file_names[file]))
		file++;
	errno = ENOENT;
	if (file == FILES || kernel.no_proc)
		return -1;
	if (before && kernel.open_error[file]) {
		errno = kernel.open_error[file];
		return -1;
	}
	const char *text = before ? kernel.before[file] : kernel.after[file];

	if (!text)
		return -1;
	fd = memfd_create("state", 0);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static ssize_t fake_read(int fd, void *buf, size_t size)
{
	if (kernel.interrupts) {
		kernel.interrupts--;
		errno = EINTR;
		return -1;
	}
	errno = kernel.read_error;
	return errno ? -1 : read(fd, buf, size);
}

static int fake_access(const char *path, int mode)
{
	(void)mode;
	errno = ENOENT;
	return kernel.no_proc && !strncmp(path, "/proc", 5) ? -1 : 0;
}

#define socket(domain, type, protocol) fake_socket(domain, type, protocol)
#define fcntl(fd, cmd, flags) fake_fcntl(fd, cmd, flags)
#define setsockopt(fd, level, option, value, size) fake_setsockopt(fd, level, option, value, size)
#define open(path, flags) fake_open(path, flags)
#define read(fd, buf, size) fake_read(fd, buf, size)
#define access(path, mode) fake_access(path, mode)
#include "../../lib/sockopt/transport.c"
#undef open

/* ---- the tests ---- */

static struct masq handle;

static void fresh(void)
{
	memset(&kernel, 0, sizeof(kernel));
	memset(&handle, 0, sizeof(handle));
}

/* Both times the same. */
static void has(int file, const char *text)
{
	kernel.before[file] = kernel.after[file] = text;
}

static struct masq_command command(const char *line)
{
	static const struct flags no_flags;
	struct masq_command c = {0};
	struct given given;
	char *argv[24], *save = NULL, *copy = strdup(line);
	struct error e;
	int argc = 0;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	ok(!kind_read(kind_find(argv[0]), &no_flags, NULL, argc, argv, &given, &c, &e), "%s", line);
	free(copy);
	return c;
}

/* Carries out a command and expects that error and text; 0: success. */
static void does(const char *line, int err, const char *text)
{
	struct masq_command c = command(line);

	kernel.sent = 0;
	is_int(sockopt_open(&handle), 0, "... opened");
	is_int(sockopt_command(&handle, &c), -err, "... its result");
	if (err)
		is_str(handle.error.text, text, "... what is said");
	sockopt_close(&handle);
}

static void sockets(void)
{
	static const struct {
		int error;
		bool there;
	} answers[] = {
		{0, true},      {ENOPROTOOPT, false}, {EPERM, false}, {EACCES, false},
		{EINVAL, true}, {ENOENT, true},       {ENOMEM, true},
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		for (int old = 0; old < 2; old++) {
			fresh();
			kernel.no_cloexec = old;
			kernel.answer = answers[i].error;
			is_int(sockopt_probe("mfw"), answers[i].there, "probe, %s, %s SOCK_CLOEXEC",
			       strerror(answers[i].error), old ? "without" : "with");
			is_int(kernel.sent, 1, "... by one message");
			is_int(kernel.message.m_cmd, IP_MASQ_CMD_NONE, "... that changes nothing");
			is_int(kernel.message.m_target, IP_MASQ_TARGET_MOD, "... to a module");
			is_str(kernel.message.m_tname, "mfw", "... of this name");
			is_int(kernel.sockets, 1, "... through one socket");
			is_int(kernel.closed_on_exec, 1, "... that no other program gets");
		}
	}
	fresh();
	kernel.socket_error = EPROTONOSUPPORT;
	ok(!sockopt_probe("mfw"), "no raw sockets");
	kernel.socket_error = EAFNOSUPPORT;
	ok(!sockopt_probe("mfw"), "no IPv4");
	kernel.socket_error = EMFILE;
	ok(sockopt_probe("mfw"), "not known");
	is_int(sockopt_open(&handle), -EMFILE, "open has the reason");
	is_str(handle.error.text, "no raw socket: Too many open files", "... as text");
	sockopt_close(&handle);
	kernel.socket_error = EACCES;
	is_int(sockopt_open(&handle), -EPERM, "open without CAP_NET_RAW");
	is_str(handle.error.text, "no raw socket without CAP_NET_RAW: run this as root",
	       "... as text");
	sockopt_close(&handle);
	is_int(kernel.sent, 0, "nothing was sent");
}

#define ADD "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080"
#define DEL "portfw -d -P tcp -L 198.51.100.1 80"
#define NO_PROC(path)                                                                              \
	"there is no /proc/net, so " path " cannot be read; try mount -t proc proc /proc"
#define UNVERIFIED "sent, but the result could not be verified: "

static void without_proc(void)
{
	fresh();
	kernel.no_proc = true;
	does(ADD, EIO, UNVERIFIED NO_PROC("/proc/net/ip_masq/portfw"));
	is_int(kernel.sent, 1, "... sent");
	does(DEL, EIO, UNVERIFIED NO_PROC("/proc/net/ip_masq/portfw"));
	does("portfw -f", EIO, UNVERIFIED NO_PROC("/proc/net/ip_masq/portfw"));
	does("mfw -S -m 1", EIO, UNVERIFIED NO_PROC("/proc/net/ip_masq/mfw"));
	does("autofw -F", EIO, UNVERIFIED NO_PROC("/proc/net/ip_masq/autofw"));
	/* a forward to nowhere is not risked */
	does("portfw -a -P tcp -L 198.51.100.1 80 -p 7", EIO,
	     "not sent: without -R RADDR RPORT it needs a forward on tcp 198.51.100.1:80 to edit, "
	     "and whether there is one is not known: " NO_PROC("/proc/net/ip_masq/portfw"));
	is_int(kernel.sent, 0, "... not sent");
	/* what the kernel refuses is known without it */
	kernel.answer = ESRCH;
	does("mfw -D -m 1", ESRCH, "no forward on mark 1");
	kernel.answer = EPERM;
	does(ADD, EPERM, "the kernel wants CAP_NET_ADMIN: run this as root");
}

#define NO_MODULE                                                                                  \
	"this kernel has no module ip_masq_portfw, or has not loaded it: there is no "             \
	"/proc/net/ip_masq/portfw; try modprobe ip_masq_portfw"

static void modules_and_files(void)
{
	fresh();
	does(ADD, ENOENT, NO_MODULE);
	is_int(kernel.sent, 1, "... sent: the message may load it");
	does(DEL, ENOENT, NO_MODULE);
	kernel.after[PORTFW] = HEADER_PORTFW ROW;
	does(ADD, 0, NULL);
	kernel.after[PORTFW] = HEADER_PORTFW;
	does(DEL, ESRCH, "no forward on tcp 198.51.100.1:80");
	does("portfw -f", 0, NULL);
	does("portfw -a -P tcp -L 198.51.100.1 80 -p 7", EINVAL,
	     "no forward on tcp 198.51.100.1:80 to edit, and no target to add: give one with "
	     "-R RADDR RPORT");
	is_int(kernel.sent, 0, "... not sent");
	/* as early kernels have it */
	fresh();
	kernel.before[OLD_PORTFW] = HEADER_PORTFW;
	kernel.after[OLD_PORTFW] = HEADER_PORTFW ROW;
	does(ADD, 0, NULL);
	/* without its header line */
	fresh();
	has(PORTFW, ROW);
	does(ADD, 0, NULL);
	kernel.after[PORTFW] = HEADER_PORTFW;
	does(DEL, 0, NULL);
	does(ADD, EIO,
	     "the kernel reported no error but did not add tcp 198.51.100.1:80 to 10.0.0.2:8080: "
	     "it "
	     "is not in /proc/net/ip_masq/portfw");
	/* a pref that this kernel has no room for is refused before */
	does("portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080 -p 0", EOPNOTSUPP,
	     "pref 0: this kernel refuses it, it cannot drain a portfw target; give a pref of 1 or "
	     "more, or delete the forward");
	is_int(kernel.sent, 0, "... not sent");
	/* 0.0.0.0 is sent as it stands */
	fresh();
	kernel.before[PORTFW] = HEADER_PORTFW;
	kernel.after[PORTFW] = HEADER_PORTFW "TCP  00000000    80 > 0A000002  8080    10    10\n";
	does("portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 8080", 0, NULL);
	is_int(kernel.message.u.portfw_user.laddr, 0, "... 0.0.0.0");
}

#define MARK "0x1 > 0A000002     0    10    10\n"

/* A file that could not be read before proves nothing afterwards. */
static void unknown_before(void)
{
	const char *why = UNVERIFIED "can't open /proc/net/ip_masq/mfw: Too many open files";

	fresh();
	has(MFW, HEADER_MFW MARK);
	kernel.open_error[MFW] = EMFILE;
	does("mfw -A -m 1 -r 10.0.0.2", EMFILE, why);
	does("mfw -I -m 1 -r 10.0.0.2", EMFILE, why);
	does("mfw -E -m 1 -p 10", 0, NULL);
	does("mfw -D -m 2", 0, NULL);
	does("mfw -D -m 1", EIO,
	     "the kernel reported no error but kept mark 1: it is still in /proc/net/ip_masq/mfw");
	kernel.after[MFW] = HEADER_MFW;
	does("mfw -A -m 1 -r 10.0.0.2", EIO,
	     "the kernel reported no error but did not add mark 1 to 10.0.0.2: it is not in "
	     "/proc/net/ip_masq/mfw");
	kernel.open_error[MFW] = 0;
	kernel.after[MFW] = HEADER_MFW MARK MARK;
	does("mfw -A -m 1 -r 10.0.0.2", 0, NULL);
	kernel.after[MFW] = HEADER_MFW MARK;
	does("mfw -A -m 1 -r 10.0.0.2", EIO,
	     "the kernel reported no error but did not add mark 1 to 10.0.0.2: it is not in "
	     "/proc/net/ip_masq/mfw");

	fresh();
	has(PORTFW, HEADER_PORTFW ROW);
	kernel.open_error[PORTFW] = EMFILE;
	does(ADD, 0, NULL); /* as it ought to be, whoever did it */
	fresh();
	has(AUTOFW, HEADER_AUTOFW
	    "   3    6 0001-0002/0000 0000 00000000 00000000 0000 0000      0    2\n");
	kernel.open_error[AUTOFW] = EMFILE;
	does("autofw -D -d tcp 1 2", EMFILE,
	     UNVERIFIED "can't open /proc/net/ip_masq/autofw: Too many open files");
	kernel.after[AUTOFW] = HEADER_AUTOFW;
	does("autofw -D -d tcp 1 2", 0, NULL);
}

#define IDLE "   1   11 1B3A-1C02/0000 0000 00000000 00000000 0006 1B9E      0    4\n"
#define TIMED "   1   11 1B3A-1C02/0000 0000 0A000002 C6336401 0006 1B9E   1500    7\n"
#define UNTIMED "   1   11 1B3A-1C02/0000 0000 0A000003 C6336401 0006 1B9E      0    5\n"
#define KEPT "the kernel reported no error but kept range udp 6970-7170 control tcp 7070"

static void receivers(void)
{
	const char *delete = "autofw -D -r udp 6970 7170 -c tcp 7070";

	fresh();
	has(AUTOFW, HEADER_AUTOFW TIMED);
	does(delete, EIO,
	     KEPT ", because it has a receiver, 10.0.0.2: delete it when the receiver is gone, 15 "
		  "seconds after the control connection's last packet");
	has(AUTOFW, HEADER_AUTOFW UNTIMED);
	does(delete, EIO,
	     KEPT ", because it has a receiver, 10.0.0.3, without time limit: it can only be "
		  "deleted together with all others, with ipmasqadm autofw -F");
	has(AUTOFW, HEADER_AUTOFW UNTIMED TIMED);
	does(delete, EIO,
	     KEPT ", because it has a receiver, 10.0.0.2: delete it when the receiver is gone, 15 "
		  "seconds after the control connection's last packet");
	/* one that could have gone */
	has(AUTOFW, HEADER_AUTOFW UNTIMED IDLE);
	does(delete, EIO, KEPT ": it is still in /proc/net/ip_masq/autofw");
	kernel.after[AUTOFW] = HEADER_AUTOFW UNTIMED;
	does(delete, 0, NULL);
	does("autofw -F", EIO,
	     "the kernel reported no error but kept everything: it is still in "
	     "/proc/net/ip_masq/autofw");
	/* the flags tell one addition from another */
	kernel.before[AUTOFW] = HEADER_AUTOFW;
	kernel.after[AUTOFW] = HEADER_AUTOFW IDLE;
	does("autofw -A -r udp 6970 7170 -c tcp 7070 -u", 0, NULL);
	does("autofw -A -r udp 6970 7170 -c tcp 7070", EIO,
	     "the kernel reported no error but did not add range udp 6970-7170 control tcp 7070: "
	     "it is not in /proc/net/ip_masq/autofw");
}

static int listed, stop_at;

static int note(const struct masq_record *r, void *arg)
{
	enum masq_kind *order = arg;

	ok(r->size == sizeof(*r) && r->forward, "a record with its forward");
	order[listed++] = r->forward->kind;
	return listed == stop_at ? 42 : 0;
}

/* The same without a word for each. */
static int tally(const struct masq_record *r, void *arg)
{
	(void)r;
	(void)arg;
	return ++listed == stop_at ? 42 : 0;
}

static void lists(unsigned int wanted, int result, int n, const char *text)
{
	enum masq_kind order[8] = {0};

	listed = 0;
	kernel.sent = 0;
	sockopt_open(&handle);
	is_int(sockopt_list(&handle, wanted, NULL, note, order), result, "list of kinds 0x%x",
	       wanted);
	is_int(listed, n, "... records");
	for (int i = 1; i < n; i++)
		ok(order[i - 1] <= order[i], "... in the order of kinds");
	if (text)
		is_str(handle.error.text, text, "... what is said");
	sockopt_close(&handle);
}

static void listings(void)
{
	const unsigned int two = MASQ_KIND(MASQ_PORTFW) | MASQ_KIND(MASQ_MFW);

	fresh();
	has(PORTFW, HEADER_PORTFW ROW ROW);
	has(MFW, HEADER_MFW MARK);
	has(AUTOFW, HEADER_AUTOFW TIMED);
	lists(MASQ_ALL_KINDS, 0, 5, NULL);
	is_int(kernel.sent, 3, "... after a peek for each");
	lists(MASQ_KIND(MASQ_MFW), 0, 1, NULL);
	is_int(kernel.sent, 1, "... after one peek");
	is_int(kernel.message.m_cmd, IP_MASQ_CMD_NONE, "... that changes nothing");
	is_str(kernel.message.m_tname, "mfw", "... for this module");
	stop_at = 2;
	lists(MASQ_ALL_KINDS, 42, 2, NULL);
	stop_at = 0;
	/* what is not loaded is left out, wherever it stands */
	for (int i = 0; i < 3; i++) {
		fresh();
		has(PORTFW, i == PORTFW ? NULL : HEADER_PORTFW ROW);
		has(MFW, i == MFW ? NULL : HEADER_MFW MARK);
		has(AUTOFW, i == AUTOFW ? NULL : HEADER_AUTOFW IDLE);
		lists(MASQ_ALL_KINDS, 0, 2, NULL);
		kernel.answer = ENOENT;
		lists(MASQ_ALL_KINDS, 0, 2, NULL);
		kernel.answer = EINVAL; /* a peek need not be understood */
		lists(MASQ_ALL_KINDS, 0, 2, NULL);
		kernel.answer = EPERM;
		lists(MASQ_ALL_KINDS, -EPERM, 0,
		      "the kernel wants CAP_NET_ADMIN: run this as root");
	}
	fresh();
	lists(MASQ_KIND(MASQ_PORTFW), -ENOENT, 0, NO_MODULE);
	lists(two, -ENOENT, 0,
	      "this kernel has loaded none of its masquerading modules; try modprobe "
	      "ip_masq_portfw");
	/* any other trouble leaves nothing out */
	has(PORTFW, HEADER_PORTFW ROW);
	has(MFW, HEADER_MFW "junk\n");
	lists(two, -EBADMSG, 0, "/proc/net/ip_masq/mfw, line 2: too few fields: \"junk\"");
	has(MFW, NULL);
	has(PORTFW, "junk\n");
	lists(two, -EBADMSG, 0,
	      "/proc/net/ip_masq/portfw, line 1: neither the header nor a row of this file: "
	      "\"junk\"");
	kernel.no_proc = true;
	lists(two, -EIO, 0, NO_PROC("/proc/net/ip_masq/portfw"));
	/* an empty table is a state, too */
	fresh();
	has(MFW, HEADER_MFW);
	lists(two, 0, 0, NULL);
}

/* What the kernel answers, by command. */
static void answers(void)
{
	struct masq_command probe = {.kind = MASQ_MFW, .verb = MASQ_PROBE};

	fresh();
	has(PORTFW, HEADER_PORTFW ROW);
	has(MFW, HEADER_MFW MARK);
	kernel.answer = EINVAL;
	does("mfw -D -m 1", ESRCH, "no forward on mark 1");
	does("mfw -E -m 1 -p 2", ESRCH, "no forward on mark 1");
	does("mfw -S -m 1", ESRCH, "no forward on mark 1");
	does("mfw -A -m 1 -r 10.0.0.2", EINVAL,
	     "the kernel refused mark 1 to 10.0.0.2: Invalid argument");
	does("mfw -F", EINVAL, "the kernel refused everything: Invalid argument");
	does(DEL, EINVAL, "the kernel refused tcp 198.51.100.1:80: Invalid argument");
	kernel.answer = ESRCH;
	does(DEL, ESRCH, "no forward on tcp 198.51.100.1:80");
	does("mfw -E -m 1 -p 2", ESRCH, "no forward on mark 1");
	does("mfw -A -m 1 -r 10.0.0.2", ESRCH,
	     "the kernel refused mark 1 to 10.0.0.2: No such process");
	kernel.answer = ENOENT;
	does(ADD, ENOENT, NO_MODULE);
	kernel.answer = ENOPROTOOPT;
	does(ADD, ENOPROTOOPT,
	     "this kernel has no masquerading modules; nf_tables is used when IPMASQADM_TRANSPORT "
	     "is not set to sockopt");
	kernel.answer = 0;
	does("mfw -S -m 1", 0, NULL);

	sockopt_open(&handle);
	kernel.opened = kernel.sent = 0;
	is_int(sockopt_command(&handle, &probe), 0, "a probe");
	is_int(kernel.sent, 1, "... is sent");
	is_int(kernel.opened, 0, "... and needs no state file");
	kernel.answer = EACCES;
	is_int(sockopt_command(&handle, &probe), -EACCES, "a probe that is refused");
	is_int(sockopt_begin(&handle), 0, "a transaction is nothing to begin");
	is_int(sockopt_commit(&handle, NULL), 0, "... and nothing to commit");
	ok(!transport_sockopt.atomic, "... for it is none");
	sockopt_close(&handle);
	sockopt_close(&handle);
}

#define TEN "xxxxxxxxxx"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void reading(void)
{
	const size_t rows = 5000;
	char *large = malloc(sizeof(HEADER_MFW) + rows * sizeof(MARK)), *p = large;

	fresh();
	has(MFW, HEADER_MFW MARK);
	kernel.interrupts = 3;
	lists(MASQ_KIND(MASQ_MFW), 0, 1, NULL);
	kernel.interrupts = 1 << 30;
	lists(MASQ_KIND(MASQ_MFW), -EINTR, 0,
	      "can't read /proc/net/ip_masq/mfw: Interrupted system call");
	kernel.interrupts = 0;
	kernel.read_error = EIO;
	lists(MASQ_KIND(MASQ_MFW), -EIO, 0, "can't read /proc/net/ip_masq/mfw: Input/output error");
	kernel.read_error = 0;

	/* more than one read() */
	p = stpcpy(p, HEADER_MFW);
	for (size_t i = 0; i < rows; i++)
		p = stpcpy(p, MARK);
	has(MFW, large);
	stop_at = (int)rows;
	listed = 0;
	sockopt_open(&handle);
	is_int(sockopt_list(&handle, MASQ_KIND(MASQ_MFW), NULL, tally, NULL), 42, "a long list");
	sockopt_close(&handle);
	stop_at = 0;
	free(large);

	/* what cannot be printed, and what is too much */
	has(MFW, "\x1f\x7f\x80 ~!  \n");
	lists(MASQ_KIND(MASQ_MFW), -EBADMSG, 0,
	      "/proc/net/ip_masq/mfw, line 1: neither the header nor a row of this file: "
	      "\"??? ~!\"");
	has(MFW, HUNDRED "y\n");
	lists(MASQ_KIND(MASQ_MFW), -EBADMSG, 0,
	      "/proc/net/ip_masq/mfw, line 1: neither the header nor a row of this file: "
	      "\"" HUNDRED "\"");
	has(MFW, "     \n");
	lists(MASQ_KIND(MASQ_MFW), -EBADMSG, 0,
	      "/proc/net/ip_masq/mfw, line 1: neither the header nor a row of this file: \"\"");
}

int main(void)
{
	sockets();
	answers();
	reading();
	without_proc();
	modules_and_files();
	unknown_before();
	receivers();
	listings();
	return done_testing();
}
