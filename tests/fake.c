// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel with masquerading modules, as a preloaded library. It answers
 * IP_FW_MASQ_CTL on raw sockets and has its state files in a directory. From
 * the environment:
 *
 * FAKE_PROC=DIR stands for /proc/net, in which only ip_masq/ and ip_portfw are
 * looked for FAKE_OPEN=PATH=ERRNO opening that file fails, as in
 * ip_masq/mfw=EACCES FAKE_SOCKET=ERRNO there are no raw sockets
 * FAKE_ADDRESS=NAME=A the address of an interface; no other one has an address
 * FAKE_RECORD=FILE every message is appended to FILE, as a line of hexadecimal
 * digits FAKE_ANSWER=CMD=ERRNO[,...] what is answered to ADD, DEL, ...; * is
 * any command FAKE_KERNEL=2.2 what gets past FAKE_ANSWER is carried out as 2.2
 * does, state files and all. A module is loaded if it has a state file.
 * Otherwise nothing happens, and the answer is still 0 FAKE_LOADS=MODULE a
 * module that such a kernel loads when it is spoken to
 *
 * It shares no code with what it tests.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATH_LONGEST 4096

/* The message as it was recorded; autofw's begins with a pointer. */
struct message {
	int32_t target, cmd;
	char module[32];
	union {
		struct {
			uint16_t protocol, hole;
			uint32_t laddr, raddr;
			uint16_t lport, rport;
			int32_t pref;
		} portfw;
		struct {
			uint32_t mark, raddr;
			uint16_t rport, hole;
			int32_t pref;
			uint32_t flags;
		} mfw;
		struct {
			void *next;
			uint16_t type, low, hidden, high, visible, protocol;
			uint32_t last, where;
			uint16_t ctlproto, ctlport, flags;
		} autofw;
		unsigned char all[256];
	} u;
};

enum { NONE, INSERT, ADD, SET, DEL, GET, FLUSH, COMMANDS };

static const char *const command_names[COMMANDS] = {
	[NONE] = "NONE", [INSERT] = "INSERT", [ADD] = "ADD",     [SET] = "SET",
	[DEL] = "DEL",   [GET] = "GET",       [FLUSH] = "FLUSH",
};

/* One row of any state file, ports and addresses in host order. */
struct row {
	bool udp;
	unsigned int mark, laddr, lport, raddr, rport;
	int count, pref;
	unsigned int type, protocol, low, high, visible, hidden, where, last, ctlproto, ctlport;
	unsigned long timer;
	unsigned int flags;
};

struct table {
	struct row *row;
	size_t n;
};

static int errno_of(const char *name, size_t n)
{
	static const struct {
		const char *name;
		int value;
	} known[] = {
		{"EPERM", EPERM},
		{"EACCES", EACCES},
		{"ENOENT", ENOENT},
		{"ESRCH", ESRCH},
		{"EINVAL", EINVAL},
		{"ENOMEM", ENOMEM},
		{"ENOPROTOOPT", ENOPROTOOPT},
		{"EIO", EIO},
		{"EAFNOSUPPORT", EAFNOSUPPORT},
		{"EMFILE", EMFILE},
		{"EEXIST", EEXIST},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strlen(known[i].name) == n && !strncmp(known[i].name, name, n))
			return known[i].value;
	fprintf(stderr, "fake: no errno %.*s\n", (int)n, name);
	abort();
}

/* What a variable like "ADD=EPERM,*=ESRCH" says of key; 0 if nothing. */
static int answer(const char *variable, const char *key)
{
	const char *p = getenv(variable);

	while (p && *p) {
		size_t n = strcspn(p, "="), value = n + (p[n] == '=');
		size_t end = value + strcspn(p + value, ",");

		if ((n == strlen(key) && !strncmp(p, key, n)) || (n == 1 && *p == '*'))
			return errno_of(p + value, end - value);
		p += end + (p[end] == ',');
	}
	return 0;
}

/* The file that stands for path: in buf; path itself if it is none of ours;
 * NULL with errno set. */
static const char *stand_in(const char *path, char buf[PATH_LONGEST])
{
	static const char net[] = "/proc/net/";
	const char *dir = getenv("FAKE_PROC"), *name = path + sizeof(net) - 1;
	int err;

	if (strncmp(path, net, sizeof(net) - 1) ||
	    (strncmp(name, "ip_masq/", 8) && strcmp(name, "ip_portfw")))
		return path;
	err = answer("FAKE_OPEN", name);
	if (err || !dir) {
		errno = err ? err : ENOENT;
		return NULL;
	}
	snprintf(buf, PATH_LONGEST, "%s/%s", dir, name);
	return buf;
}

/* pedantic C has no cast from void * to a function */
#define REAL(function) (*(void **)&real = dlsym(RTLD_NEXT, function), real)

static int open_as(const char *function, const char *path, int flags, mode_t mode)
{
	int (*real)(const char *, int, ...);
	char buf[PATH_LONGEST];

	path = stand_in(path, buf);
	return path ? REAL(function)(path, flags, mode) : -1;
}

static int openat_as(const char *function, int dir, const char *path, int flags, mode_t mode)
{
	int (*real)(int, const char *, int, ...);
	char buf[PATH_LONGEST];

	path = stand_in(path, buf);
	return path ? REAL(function)(dir, path, flags, mode) : -1;
}

static FILE *fopen_as(const char *function, const char *path, const char *mode)
{
	FILE *(*real)(const char *, const char *);
	char buf[PATH_LONGEST];

	path = stand_in(path, buf);
	return path ? REAL(function)(path, mode) : NULL;
}

/* The mode is there only if the flags say so; one too many does no harm. */
#define MODE(last)                                                                                 \
	({                                                                                         \
		va_list ap;                                                                        \
		mode_t m = 0;                                                                      \
		va_start(ap, last);                                                                \
		if ((last) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))                               \
			m = va_arg(ap, mode_t);                                                    \
		va_end(ap);                                                                        \
		m;                                                                                 \
	})

int open(const char *path, int flags, ...)
{
	return open_as("open", path, flags, MODE(flags));
}

int openat(int dir, const char *path, int flags, ...)
{
	return openat_as("openat", dir, path, flags, MODE(flags));
}

FILE *fopen(const char *path, const char *mode)
{
	return fopen_as("fopen", path, mode);
}

#ifdef __GLIBC__ /* elsewhere these are the same */
int open64(const char *path, int flags, ...)
{
	return open_as("open64", path, flags, MODE(flags));
}

int openat64(int dir, const char *path, int flags, ...)
{
	return openat_as("openat64", dir, path, flags, MODE(flags));
}

FILE *fopen64(const char *path, const char *mode)
{
	return fopen_as("fopen64", path, mode);
}
#endif

int socket(int domain, int type, int protocol)
{
	int (*real)(int, int, int);
	const char *refused = getenv("FAKE_SOCKET");

	if (domain == AF_INET && (type & 0xf) == SOCK_RAW) {
		if (refused) {
			errno = errno_of(refused, strlen(refused));
			return -1;
		}
		/* what a user who is not root may have, too */
		domain = AF_UNIX;
		type = SOCK_DGRAM | (type & ~0xf);
		protocol = 0;
	}
	return REAL("socket")(domain, type, protocol);
}

/* The kernel's own names of errors: of what there is not, and of what has no
 * address. */
static int address_of(struct ifreq *request)
{
	const char *given = getenv("FAKE_ADDRESS");
	size_t n = strlen(request->ifr_name);
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (!given || strncmp(given, request->ifr_name, n) != 0 || given[n] != '=') {
		errno = ENODEV;
		return -1;
	}
	if (inet_pton(AF_INET, given + n + 1, &in.sin_addr) != 1) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	memcpy(&request->ifr_addr, &in, sizeof(in));
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...);
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	return request == SIOCGIFADDR ? address_of(arg) : REAL("ioctl")(fd, request, arg);
}

static void record(const void *message, size_t size)
{
	const char *path = getenv("FAKE_RECORD");
	const unsigned char *byte = message;
	FILE *f = path ? fopen(path, "a") : NULL;

	if (!f)
		return;
	for (size_t i = 0; i < size; i++)
		fprintf(f, "%02x", byte[i]);
	fputc('\n', f);
	fclose(f);
}

/*
 * 2.2
 */

static struct row *new_row(struct table *t, size_t at)
{
	t->row = realloc(t->row, (t->n + 1) * sizeof(*t->row));
	memmove(t->row + at + 1, t->row + at, (t->n - at) * sizeof(*t->row));
	t->n++;
	memset(t->row + at, 0, sizeof(*t->row));
	return t->row + at;
}

static void drop_row(struct table *t, size_t at)
{
	t->n--;
	memmove(t->row + at, t->row + at + 1, (t->n - at) * sizeof(*t->row));
}

static bool target_matches(const struct row *r, uint32_t raddr, uint16_t rport)
{
	return (!raddr || ntohl(raddr) == r->raddr) && (!rport || ntohs(rport) == r->rport);
}

static bool portfw_matches(const struct row *r, const struct message *m)
{
	return r->udp == (m->u.portfw.protocol == IPPROTO_UDP) &&
	       r->lport == ntohs(m->u.portfw.lport) &&
	       (!m->u.portfw.laddr || ntohl(m->u.portfw.laddr) == r->laddr) &&
	       target_matches(r, m->u.portfw.raddr, m->u.portfw.rport);
}

/* UDP rows come first; the newest of a protocol is its first */
static int portfw(struct table *t, const struct message *m)
{
	unsigned int lport = ntohs(m->u.portfw.lport);
	bool udp = m->u.portfw.protocol == IPPROTO_UDP, found = false;
	size_t at = 0;
	struct row *r;

	if (m->cmd == FLUSH)
		t->n = 0;
	if (m->cmd != ADD && m->cmd != DEL)
		return 0;
	if (!udp && m->u.portfw.protocol != IPPROTO_TCP)
		return EINVAL;
	if (m->cmd == ADD && (lport < 1 || lport > 60999 || m->u.portfw.pref < 1))
		return EINVAL;
	for (size_t i = t->n; i-- > 0;) {
		if (!portfw_matches(&t->row[i], m))
			continue;
		found = true;
		if (m->cmd == DEL)
			drop_row(t, i);
		else
			t->row[i].count = t->row[i].pref = m->u.portfw.pref;
	}
	if (found || m->cmd == DEL)
		return found ? 0 : ESRCH;
	while (!udp && at < t->n && t->row[at].udp)
		at++;
	r = new_row(t, at);
	r->udp = udp;
	r->laddr = ntohl(m->u.portfw.laddr);
	r->lport = lport;
	r->raddr = ntohl(m->u.portfw.raddr);
	r->rport = ntohs(m->u.portfw.rport);
	r->count = r->pref = m->u.portfw.pref;
	return 0;
}

/* Rows come by mark & 15, the newest mark of those first. */
static int mfw(struct table *t, const struct message *m)
{
	uint32_t mark = m->u.mfw.mark;
	size_t first = 0, end;
	bool found = false;
	struct row *r;

	if (m->cmd == FLUSH)
		t->n = 0;
	if (m->cmd == NONE || m->cmd == FLUSH)
		return 0;
	while (first < t->n && t->row[first].mark != mark)
		first++;
	for (end = first; end < t->n && t->row[end].mark == mark;)
		end++;
	if (m->cmd == ADD || m->cmd == INSERT) {
		if (!mark || !m->u.mfw.raddr)
			return EINVAL;
		if (first == end) {
			for (first = 0; first < t->n && (t->row[first].mark & 15) < (mark & 15);)
				first++;
			end = first;
		}
		r = new_row(t, m->cmd == ADD ? end : first);
		r->mark = mark;
		r->raddr = ntohl(m->u.mfw.raddr);
		r->rport = ntohs(m->u.mfw.rport);
		r->count = r->pref = m->u.mfw.pref;
		return 0;
	}
	if (m->cmd == SET && first == end)
		return EINVAL;
	if (m->cmd == SET && m->u.mfw.flags & 1) {
		struct row head = t->row[first];

		head.count = head.pref;
		drop_row(t, first);
		*new_row(t, end - 1) = head;
		return 0;
	}
	for (size_t i = end; i-- > first;) {
		if (!target_matches(&t->row[i], m->u.mfw.raddr, m->u.mfw.rport))
			continue;
		found = true;
		if (m->cmd == DEL)
			drop_row(t, i);
		else
			t->row[i].count = t->row[i].pref = m->u.mfw.pref;
	}
	return found ? 0 : ESRCH;
}

/* An entry's receiver is in where, so an entry that has one is not found any
 * more. */
static bool autofw_same(const struct row *r, const struct message *m)
{
	return r->type == m->u.autofw.type && r->protocol == m->u.autofw.protocol &&
	       r->low == m->u.autofw.low && r->high == m->u.autofw.high &&
	       r->visible == m->u.autofw.visible && r->hidden == m->u.autofw.hidden &&
	       r->where == ntohl(m->u.autofw.where) && r->ctlproto == m->u.autofw.ctlproto &&
	       r->ctlport == m->u.autofw.ctlport;
}

static int autofw(struct table *t, const struct message *m)
{
	struct row *r;

	if (m->cmd == FLUSH)
		t->n = 0;
	if (m->cmd == DEL) {
		for (size_t i = 0; i < t->n; i++) {
			if (autofw_same(&t->row[i], m)) {
				drop_row(t, i);
				return 0;
			}
		}
		return ESRCH;
	}
	if (m->cmd != ADD)
		return 0;
	r = new_row(t, 0);
	r->type = m->u.autofw.type;
	r->protocol = m->u.autofw.protocol;
	r->low = m->u.autofw.low;
	r->high = m->u.autofw.high;
	r->visible = m->u.autofw.visible;
	r->hidden = m->u.autofw.hidden;
	r->where = ntohl(m->u.autofw.where);
	r->ctlproto = m->u.autofw.ctlproto;
	r->ctlport = m->u.autofw.ctlport;
	r->flags = m->u.autofw.flags;
	return 0;
}

static bool scan_portfw(const char *line, struct row *r)
{
	char protocol[4];
	int n = sscanf(line, "%3s %8X %5u > %8X %5u %d %d", protocol, &r->laddr, &r->lport,
		       &r->raddr, &r->rport, &r->count, &r->pref);

	r->udp = n > 0 && !strcmp(protocol, "UDP");
	return n == 7;
}

static bool scan_mfw(const char *line, struct row *r)
{
	return sscanf(line, "0x%x > %8X %5u %d %d", &r->mark, &r->raddr, &r->rport, &r->count,
		      &r->pref) == 5;
}

static bool scan_autofw(const char *line, struct row *r)
{
	return sscanf(line, "%X %X %4X-%4X/%4X %4X %8X %8X %4X %4X %lu %X", &r->type, &r->protocol,
		      &r->low, &r->high, &r->visible, &r->hidden, &r->where, &r->last, &r->ctlproto,
		      &r->ctlport, &r->timer, &r->flags) == 12;
}

static int print_portfw(char *line, size_t size, const struct row *r)
{
	return snprintf(line, size, "%s  %08X %5u > %08X %5u %5d %5d", r->udp ? "UDP" : "TCP",
			r->laddr, r->lport, r->raddr, r->rport, r->count, r->pref);
}

static int print_mfw(char *line, size_t size, const struct row *r)
{
	return snprintf(line, size, "0x%x > %08X %5u %5d %5d", r->mark, r->raddr, r->rport,
			r->count, r->pref);
}

static int print_autofw(char *line, size_t size, const struct row *r)
{
	return snprintf(line, size, "%4X %4X %04X-%04X/%04X %04X %08X %08X %04X %04X %6lu %4X",
			r->type, r->protocol, r->low, r->high, r->visible, r->hidden, r->where,
			r->last, r->ctlproto, r->ctlport, r->timer, r->flags);
}

static const struct module {
	const char *name, *file, *other_file, *header;
	int width;
	bool honest; /* its errors get through */
	int (*carry_out)(struct table *t, const struct message *m);
	bool (*scan)(const char *line, struct row *r);
	int (*print)(char *line, size_t size, const struct row *r);
} modules[] = {
	{"portfw", "/proc/net/ip_masq/portfw", "/proc/net/ip_portfw",
	 "Prot LAddr    LPort > RAddr    RPort PrCnt  Pref", 63, false, portfw, scan_portfw,
	 print_portfw},
	{"mfw", "/proc/net/ip_masq/mfw", "/proc/net/ip_masq/mfw",
	 "FwMark > RAddr    RPort PrCnt  Pref", 63, true, mfw, scan_mfw, print_mfw},
	{"autofw", "/proc/net/ip_masq/autofw", "/proc/net/ip_masq/autofw",
	 "Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt Timer Flags", 0, false, autofw,
	 scan_autofw, print_autofw},
};

static bool load_table(const struct module *module, const char *path, struct table *t)
{
	FILE *f = fopen(path, "r");
	char line[256];
	struct row r;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		memset(&r, 0, sizeof(r));
		if (module->scan(line, &r))
			*new_row(t, t->n) = r;
	}
	fclose(f);
	return true;
}

/* In one step, for others may be reading. */
static void store_table(const struct module *module, const char *path, const struct table *t)
{
	char file[PATH_LONGEST], new[PATH_LONGEST + 4], line[256];
	FILE *f;

	if (!stand_in(path, file))
		return;
	snprintf(new, sizeof(new), "%s.new", file);
	f = fopen(new, "w");
	if (!f)
		return;
	fprintf(f, "%-*s\n", module->width, module->header);
	for (size_t i = 0; i < t->n; i++) {
		module->print(line, sizeof(line), &t->row[i]);
		fprintf(f, "%-*s\n", module->width, line);
	}
	fclose(f);
	rename(new, file);
}

/* What the kernel returns, as a positive errno or 0. */
static int kernel(const struct message *m)
{
	const char *loads = getenv("FAKE_LOADS"), *path;
	const struct module *module = NULL;
	struct table t = {0};
	bool loaded, changed = m->cmd != NONE;
	int err = 0;

	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++)
		if (!strcmp(m->module, modules[i].name))
			module = &modules[i];
	if (!module)
		return 0;
	path = module->file;
	loaded = load_table(module, path, &t);
	if (!loaded)
		loaded = load_table(module, path = module->other_file, &t);
	if (!loaded && loads && !strcmp(loads, module->name)) {
		path = module->file;
		loaded = changed = true;
	}
	if (loaded) {
		err = module->carry_out(&t, m);
		if (changed)
			store_table(module, path, &t);
	}
	free(t.row);
	return module->honest ? err : 0;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	int (*real)(int, int, int, const void *, socklen_t);
	const char *mode = getenv("FAKE_KERNEL"), *dir = getenv("FAKE_PROC");
	const struct message *m = value;
	int err, lock;

	if (level != IPPROTO_IP || option != 76)
		return REAL("setsockopt")(fd, level, option, value, size);
	record(value, size);
	if (size != sizeof(*m) || m->target != 2 || m->cmd < 0 || m->cmd >= COMMANDS) {
		errno = EINVAL;
		return -1;
	}
	err = answer("FAKE_ANSWER", command_names[m->cmd]);
	if (!err && mode && !strcmp(mode, "2.2") && dir) {
		lock = open(dir, O_RDONLY | O_DIRECTORY);
		if (lock >= 0)
			flock(lock, LOCK_EX);
		err = kernel(m);
		if (lock >= 0)
			close(lock);
	}
	errno = err ? err : errno;
	return err ? -1 : 0;
}
