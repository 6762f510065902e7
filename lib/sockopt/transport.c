// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The transport of 1998: one setsockopt() a command, and a state file to see
 * what it did. A 2.2 kernel returns 0 for what portfw and autofw refuse and for
 * modules that it does not have, so only the state file tells whether a command
 * was carried out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "statefile.h"
#include "transport.h"
#include "wire.h"

#define STATE_MAX (16u << 20) /* 262,000 rows; what is longer is no state file */
#define LINE_SHOWN 100        /* of a line that does not parse */
#define INTERRUPTS_MAX 1000   /* of reading one file, by signals */
#define PROC "/proc/net"

struct sockopt {
	int fd;
};

/* What the transport has to know of a kind's kernel module, ip_masq_KIND. */
static const struct module {
	const char *path,
		*other_path;  /* of the state file; the other one where path cannot be opened */
	bool add_edits;       /* an addition that matches gives all matches the new pref instead */
	bool deletes_one;     /* a deletion takes one of several equal entries */
	bool einval_is_esrch; /* EINVAL for what is not there */
	uint16_t port_max;    /* the highest local port; 0: no limit */
} modules[] = {
	[MASQ_PORTFW] = {.path = PROC "/ip_masq/portfw",
			 .other_path = PROC "/ip_portfw",
			 .add_edits = true,
			 .port_max = 60999}, /* a 2.2 kernel masquerades from 61000 on */
	[MASQ_MFW] = {.path = PROC "/ip_masq/mfw", .einval_is_esrch = true},
	[MASQ_AUTOFW] = {.path = PROC "/ip_masq/autofw", .deletes_one = true},
};
#define MODULES (sizeof(modules) / sizeof(*modules))

/* Kernels before 2.6.27 answer EINVAL to SOCK_CLOEXEC. -1 with errno set. */
static int raw_socket(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0 && errno == EINVAL) {
		fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
		if (fd >= 0)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	return fd;
}

/* 0 or a positive errno. */
static int transmit(int fd, const struct ip_masq_ctl *ctl)
{
	return setsockopt(fd, IPPROTO_IP, IP_FW_MASQ_CTL, ctl, sizeof(*ctl)) < 0 ? errno : 0;
}

/* The message that changes nothing; the kernel loads the module for it if it
 * can. */
static int peek(int fd, const char *kind)
{
	struct ip_masq_ctl ctl;

	memset(&ctl, 0, sizeof(ctl));
	ctl.m_target = IP_MASQ_TARGET_MOD;
	ctl.m_cmd = IP_MASQ_CMD_NONE;
	memccpy(ctl.m_tname, kind, 0, sizeof(ctl.m_tname) - 1);
	return transmit(fd, &ctl);
}

static bool sockopt_probe(const char *kind)
{
	int fd = raw_socket(), err = fd < 0 ? errno : peek(fd, kind);

	if (fd >= 0)
		close(fd);
	switch (err) {
	case ENOPROTOOPT: /* no masquerading modules: any kernel since 2.4 */
	case EPERM:       /* no raw socket for us; nf_tables will give its own error */
	case EACCES:
	case EPROTONOSUPPORT: /* no IPv4 raw sockets at all */
	case EAFNOSUPPORT:
		return false;
	default: /* there, or there but for this module: open and command give the error */
		return true;
	}
}

static int sockopt_open(struct masq *m)
{
	struct sockopt *s = malloc(sizeof(*s));

	if (!s)
		return fail(&m->error, ENOMEM, "out of memory");
	m->priv = s;
	s->fd = raw_socket();
	if (s->fd < 0 && (errno == EPERM || errno == EACCES))
		return fail(&m->error, EPERM,
			    "no raw socket without CAP_NET_RAW: run this as root");
	if (s->fd < 0)
		return fail(&m->error, errno, "no raw socket: %s", strerror(errno));
	return 0;
}

static void sockopt_close(struct masq *m)
{
	struct sockopt *s = m->priv;

	if (s && s->fd >= 0)
		close(s->fd);
	free(s);
	m->priv = NULL;
}

/* Every command takes effect by itself. */
static int sockopt_begin(struct masq *m __attribute__((unused)))
{
	return 0;
}

static int sockopt_commit(struct masq *m __attribute__((unused)),
			  int *failed __attribute__((unused)))
{
	return 0;
}

static void sockopt_abort(struct masq *m __attribute__((unused)))
{
}

static int fail_no_module(struct error *e, enum masq_kind kind)
{
	const char *name = kinds[kind]->name;

	return fail(e, ENOENT,
		    "this kernel has no module ip_masq_%s, or has not loaded it: there is no %s; "
		    "try modprobe ip_masq_%s",
		    name, modules[kind].path, name);
}

/* Whether an errno means the same whatever was asked; then the error is set. */
static bool fail_general(struct error *e, enum masq_kind kind, int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		fail(e, err, "the kernel wants CAP_NET_ADMIN: run this as root");
		return true;
	case ENOPROTOOPT:
		fail(e, err,
		     "this kernel has no masquerading modules; nf_tables is used when "
		     "IPMASQADM_TRANSPORT is not set to sockopt");
		return true;
	case ENOENT:
		fail_no_module(e, kind);
		return true;
	default:
		return false;
	}
}

static int fail_refused(struct error *e, const struct masq_command *c, int err)
{
	bool names_old = c->verb == MASQ_DELETE || c->verb == MASQ_EDIT || c->verb == MASQ_SCHEDULE;
	char what[KIND_WORDS_MAX];

	if (fail_general(e, c->kind, err))
		return -err;
	if (names_old && (err == ESRCH || (err == EINVAL && modules[c->kind].einval_is_esrch)))
		return kind_fail(e, c, -ESRCH);
	return fail(e, err, "the kernel refused %s: %s", kind_describe(what, c), strerror(err));
}

/*
 * State files
 */

/* Reads to the end of a file. *text is the caller's to free in any case. 0 or
 * -errno. */
static int slurp(int fd, char **text, size_t *size)
{
	size_t cap = 0;
	int interrupts = 0;
	ssize_t n;

	*text = NULL;
	*size = 0;
	do {
		if (*size == cap) {
			char *more;

			cap = cap ? cap * 2 : 4096;
			if (cap > STATE_MAX)
				return -EFBIG;
			more = realloc(*text, cap);
			if (!more)
				return -ENOMEM;
			*text = more;
		}
		n = read(fd, *text + *size, cap - *size);
		if (n > 0)
			*size += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR && ++interrupts < INTERRUPTS_MAX));
	return n < 0 ? -errno : 0;
}

static int fail_line(struct error *e, const char *path, const struct bad_line *bad)
{
	char text[LINE_SHOWN + 1];
	size_t n = bad->size < LINE_SHOWN ? bad->size : LINE_SHOWN;

	for (size_t i = 0; i < n; i++)
		text[i] = bad->text[i] < ' ' || bad->text[i] > '~' ? '?' : bad->text[i];
	while (n && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return fail(e, EBADMSG, "%s, line %zu: %s: \"%s\"", path, bad->number, bad->why, text);
}

static int fail_open(struct error *e, enum masq_kind kind, int err)
{
	const char *path = modules[kind].path;

	if (err != ENOENT)
		return fail(e, err, "can't open %s: %s", path, strerror(err));
	if (access(PROC, F_OK) < 0)
		return fail(e, EIO,
			    "there is no " PROC ", so %s cannot be read; try mount -t proc proc "
			    "/proc",
			    path);
	return fail_no_module(e, kind);
}

/* Appends what the kernel has. -ENOENT: the module is not loaded. */
static int read_state(struct error *e, enum masq_kind kind, struct records *out)
{
	const struct module *module = &modules[kind];
	const char *path = module->path;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = errno;
	struct bad_line bad;
	char *text;
	size_t size;

	if (fd < 0 && module->other_path) {
		path = module->other_path;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return fail_open(e, kind, err);
	err = slurp(fd, &text, &size);
	close(fd);
	if (err)
		fail(e, -err, "can't read %s: %s", path, strerror(-err));
	else
		err = statefile_read(kind, text, size, out, &bad);
	if (err == -EBADMSG)
		fail_line(e, path, &bad);
	else if (err == -ENOMEM)
		fail(e, ENOMEM, "out of memory");
	free(text);
	return err;
}

/* What a state file says of a command. */
struct state {
	int err; /* -ENOENT: the module is not loaded; else: unknown, error says why */
	struct error error;
	size_t named;    /* forwards that the command names */
	size_t done;     /* of those, how many have the pref or flags that it gives */
	size_t received; /* autofw: of those, how many have a receiver */
	size_t untimed;  /* and how many have one without time limit */
	struct masq_address receiver;
};

static bool is_unknown(const struct state *s)
{
	return s->err && s->err != -ENOENT;
}

static bool is_done(const struct masq_command *c, const struct masq_command *forward)
{
	const uint32_t flags = MASQ_UNTIMED | MASQ_ANYONE;

	return !((forward->has ^ c->has) & flags) && command_pref(forward) == command_pref(c);
}

static void count(struct state *s, const struct masq_command *c, const struct record_pair *pair)
{
	const struct masq_command *forward = &pair->forward;

	if (c->verb != MASQ_FLUSH && !kinds[c->kind]->matches(c, forward))
		return;
	if (pair->record.has & MASQ_HAS_RECEIVER) {
		s->received++;
		s->untimed += forward->has & MASQ_UNTIMED ? 1 : 0;
		s->receiver = pair->record.inside;
	} else {
		s->named++;
		s->done += is_done(c, forward);
	}
}

static void look(struct state *s, const struct masq_command *c)
{
	struct records records = {0};

	*s = (struct state){0};
	s->err = read_state(&s->error, c->kind, &records);
	for (size_t i = 0; !s->err && i < records.n; i++)
		count(s, c, &records.v[i]);
	records_free(&records);
}

/*
 * Commands
 */

static int fail_unverified(struct error *e, const struct state *s)
{
	return fail(e, -s->err, "sent, but the result could not be verified: %.440s",
		    s->error.text);
}

static int fail_kept_pref(struct error *e, const struct masq_command *c)
{
	char what[KIND_WORDS_MAX];

	return fail(e, EIO, "the kernel reported no error but kept the old pref of %s",
		    kind_describe(what, c));
}

static int check_added(struct error *e, const struct masq_command *c, const struct state *before,
		       const struct state *after)
{
	const struct module *module = &modules[c->kind];
	char what[KIND_WORDS_MAX];

	if (module->add_edits && after->named)
		return after->done == after->named ? 0 : fail_kept_pref(e, c);
	if (after->done && is_unknown(before))
		return fail_unverified(e, before);
	if (after->done > before->done)
		return 0;
	kind_describe(what, c);
	if (module->port_max && c->ports.first > module->port_max)
		return fail(e, EINVAL,
			    "the kernel did not add %s: it takes local ports from 1 to %u, not %u",
			    what, module->port_max, c->ports.first);
	return fail(e, EIO, "the kernel reported no error but did not add %s: it is not in %s",
		    what, module->path);
}

static int check_edited(struct error *e, const struct masq_command *c, const struct state *after)
{
	if (!after->named)
		return kind_fail(e, c, -ESRCH);
	return after->done == after->named ? 0 : fail_kept_pref(e, c);
}

/* A 2.2 kernel compares an entry's receiver, which no command names. */
static int fail_kept(struct error *e, const struct masq_command *c, const struct state *after)
{
	bool received = c->verb == MASQ_DELETE && after->received == after->named;
	char what[KIND_WORDS_MAX], host[ADDRESS_TEXT_MAX];

	kind_describe(what, c);
	address_text(host, &after->receiver);
	if (!received)
		return fail(e, EIO, "the kernel reported no error but kept %s: it is still in %s",
			    what, modules[c->kind].path);
	if (after->untimed < after->received)
		return fail(e, EIO,
			    "the kernel reported no error but kept %s, because it has a receiver, "
			    "%s: delete it when the receiver is gone, 15 seconds after the control "
			    "connection's last packet",
			    what, host);
	return fail(e, EIO,
		    "the kernel reported no error but kept %s, because it has a receiver, %s, "
		    "without time limit: it can only be deleted together with all others, with "
		    "ipmasqadm %s -%c",
		    what, host, kinds[c->kind]->name, kinds[c->kind]->flush);
}

static int check_deleted(struct error *e, const struct masq_command *c, const struct state *before,
			 const struct state *after)
{
	bool one = modules[c->kind].deletes_one;

	if (!before->named && !is_unknown(before))
		return kind_fail(e, c, -ESRCH);
	if (!after->named || (one && after->named < before->named))
		return 0;
	if (one && is_unknown(before))
		return fail_unverified(e, before);
	return fail_kept(e, c, after);
}

static int check_done(struct error *e, const struct masq_command *c, const struct state *before,
		      const struct state *after)
{
	if (is_unknown(after))
		return fail_unverified(e, after);
	if (after->err)
		return fail_no_module(e, c->kind);
	switch (c->verb) {
	case MASQ_ADD:
	case MASQ_INSERT:
		return check_added(e, c, before, after);
	case MASQ_DELETE:
		return check_deleted(e, c, before, after);
	case MASQ_EDIT:
		return check_edited(e, c, after);
	case MASQ_FLUSH:
		return after->named ? fail_kept(e, c, after) : 0;
	case MASQ_SCHEDULE: /* cannot be told from what connections do; mfw reports its errors */
	case MASQ_PROBE:
		break;
	}
	return 0;
}

/* 2.2 would add a forward to nowhere. */
static int check_target(struct error *e, const struct masq_command *c, const struct state *before)
{
	char what[KIND_WORDS_MAX];

	if (c->verb != MASQ_ADD || !modules[c->kind].add_edits || before->named ||
	    command_has(c, MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS))
		return 0;
	if (!is_unknown(before))
		return kind_fail(e, c, -EDESTADDRREQ);
	return fail(e, -before->err,
		    "not sent: without %s it needs a forward on %s to edit, and whether there is "
		    "one is not known: %.300s",
		    kinds[c->kind]->target_option, kind_describe(what, c), before->error.text);
}

static int send_command(struct masq *m, const struct masq_command *c)
{
	const struct sockopt *s = m->priv;
	struct state before = {0}, after;
	struct masq_command sent; /* what of c the message says */
	struct ip_masq_ctl ctl;
	int err = wire_encode(&m->error, &ctl, c);

	if (!err)
		err = wire_decode(&m->error, &sent, &ctl);
	/* Without a state file, the message itself may load the module. */
	if (!err && sent.verb != MASQ_PROBE) {
		look(&before, &sent);
		err = check_target(&m->error, &sent, &before);
	}
	if (err)
		return err;
	err = transmit(s->fd, &ctl);
	if (err)
		return fail_refused(&m->error, &sent, err);
	if (sent.verb == MASQ_PROBE)
		return 0;
	look(&after, &sent);
	return check_done(&m->error, &sent, &before, &after);
}

/* Parts of a command that only changes what is there may be missing, but not
 * all of them. Appends what is there, if it matters and the state file tells
 * it: then *known is set. */
static int look_for(struct masq *m, const struct masq_command *c, struct records *there,
		    bool *known)
{
	size_t named = 0;
	int err;

	*known = false;
	if (c->verb == MASQ_ADD && command_has(c, MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS))
		return 0;
	err = read_state(&m->error, c->kind, there);
	if (err) /* the first part will say so, if it has to */
		return 0;
	*known = true;
	for (size_t i = 0; i < there->n; i++)
		if (kinds[c->kind]->matches(c, &there->v[i].forward))
			there->v[named++] = there->v[i];
	there->n = named;
	if (named)
		return 0;
	return kind_fail(&m->error, c, c->verb == MASQ_ADD ? -EDESTADDRREQ : -ESRCH);
}

static bool is_there(const struct records *there, const struct masq_command *c)
{
	for (size_t i = 0; i < there->n; i++)
		if (kinds[c->kind]->matches(c, &there->v[i].forward))
			return true;
	return false;
}

/* A part failed: how far it got. */
static int fail_between(struct error *e, int err, uint32_t done)
{
	struct error why = *e;

	if (!done)
		return err;
	return fail(e, -err,
		    "%.400s (this kernel takes one port at a time: the %u before it %s done, none "
		    "after it)",
		    why.text, done, done == 1 ? "is" : "are");
}

/* An entry says what these kernels do anyway, and without one they do no
 * more. */
static int command_without_module(struct masq *m, const struct masq_command *c)
{
	char what[KIND_WORDS_MAX];

	if (c->verb != MASQ_DELETE)
		return 0;
	return fail(&m->error, EOPNOTSUPP,
		    "%s: a kernel with masquerading modules forwards none, so they cannot be "
		    "switched on",
		    kind_describe(what, c));
}

/* The present address of the command's interface takes its place. */
static int sockopt_resolve(struct masq *m, struct masq_command *c)
{
	const struct sockopt *s = m->priv;
	struct ifreq request = {0};
	struct sockaddr_in in;

	if (!(c->has & MASQ_HAS_INTERFACE))
		return 0;
	memcpy(request.ifr_name, c->interface, sizeof(c->interface));
	if (ioctl(s->fd, SIOCGIFADDR, &request) < 0)
		return fail(&m->error, EADDRNOTAVAIL,
			    "@%s: this kernel forwards what comes to an address, and the interface "
			    "has none: %s",
			    c->interface, strerror(errno));
	memcpy(&in, &request.ifr_addr, sizeof(in));
	c->local = address_v4(in.sin_addr.s_addr);
	c->has ^= MASQ_HAS_INTERFACE | MASQ_HAS_LOCAL;
	memset(c->interface, 0, sizeof(c->interface));
	return 0;
}

static int sockopt_command(struct masq *m, const struct masq_command *given)
{
	struct records there = {0};
	struct masq_command part, four = *given;
	const struct masq_command *c = &four;
	uint32_t done = 0;
	bool known;
	int err;

	/* the kernel has no other family to mean */
	if (four.local.family == AF_UNSPEC)
		four.local.family = AF_INET;
	err = sockopt_resolve(m, &four);
	if (err)
		return err;
	if (kinds[c->kind]->says_no)
		return command_without_module(m, c);
	if (!kind_part(&part, c, 1))
		return kind_part(&part, c, 0) ? send_command(m, &part) : 0;
	err = look_for(m, c, &there, &known);
	for (uint32_t i = 0; !err && kind_part(&part, c, i); i++) {
		if (known && !is_there(&there, &part))
			continue;
		err = send_command(m, &part);
		if (err)
			err = fail_between(&m->error, err, done);
		else
			done++;
	}
	records_free(&there);
	return err;
}

/*
 * Listings
 */

/* Appends the records of one kind. As ever, it begins with a peek. */
static int list_kind(struct masq *m, enum masq_kind kind, struct records *out)
{
	const struct sockopt *s = m->priv;
	int err;

	if ((size_t)kind >= MODULES)
		return fail(&m->error, ENOENT, "this kernel has no masquerading module for %s",
			    kinds[kind]->name);
	err = peek(s->fd, kinds[kind]->name);
	if (err && err != ENOENT && fail_general(&m->error, kind, err))
		return -err;
	return read_state(&m->error, kind, out);
}

static int sockopt_list(struct masq *m, unsigned int kinds_wanted,
			const struct masq_command *only __attribute__((unused)), masq_record_fn *fn,
			void *arg)
{
	struct records records = {0};
	bool several = kinds_wanted & (kinds_wanted - 1), found = false;
	int err = 0;

	for (unsigned int i = 0; kinds[i]; i++) {
		if (!(kinds_wanted & MASQ_KIND(i)))
			continue;
		err = list_kind(m, (enum masq_kind)i, &records);
		found |= !err;
		if (err && err != -ENOENT)
			break;
	}
	if (err == -ENOENT && several)
		err = found ? 0
			    : fail(&m->error, ENOENT,
				   "this kernel has loaded none of its masquerading modules; try "
				   "modprobe ip_masq_portfw");
	if (!err)
		err = records_each(&records, fn, arg);
	records_free(&records);
	return err;
}

const struct transport transport_sockopt = {
	.name = "sockopt",
	.atomic = false,
	.probe = sockopt_probe,
	.open = sockopt_open,
	.close = sockopt_close,
	.begin = sockopt_begin,
	.command = sockopt_command,
	.commit = sockopt_commit,
	.abort = sockopt_abort,
	.resolve = sockopt_resolve,
	.list = sockopt_list,
};
