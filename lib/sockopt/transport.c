// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The transport of 1998: one setsockopt() a command, and /proc/net/ip_masq/MODULE to look at.
 *
 * A 2.2 kernel returns 0 for what portfw and autofw refuse and for modules that it does not have.
 * So no command has happened until the state file says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "procfile.h"

#define STATE_MOST (16u << 20) /* 262,000 rows; what is longer is no state file */
#define LINE_SHOWN 100         /* of a line that does not parse */
#define LPORT_MOST 60999       /* a 2.2 kernel masquerades from 61000 on */

struct sockopt {
	int fd;
};

static const char *const module_names[MOD_COUNT] = {
	[MOD_PORTFW] = "portfw",
	[MOD_MFW] = "mfw",
	[MOD_AUTOFW] = "autofw",
};

/* A second one is read only where the first can't be opened. */
static const char *const paths[MOD_COUNT][2] = {
	[MOD_PORTFW] = {"/proc/net/ip_masq/portfw", "/proc/net/ip_portfw"},
	[MOD_MFW] = {"/proc/net/ip_masq/mfw"},
	[MOD_AUTOFW] = {"/proc/net/ip_masq/autofw"},
};

static int sockopt_open(struct masq *m)
{
	struct sockopt *s = malloc(sizeof(*s));

	if (!s)
		return masq_fail(m, ENOMEM, "out of memory");
	m->priv = s;
	/* SOCK_CLOEXEC is ten years younger than the kernels that this is for */
	s->fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (s->fd < 0 && (errno == EPERM || errno == EACCES))
		return masq_fail(m, EPERM, "no raw socket without CAP_NET_RAW: run this as root");
	if (s->fd < 0)
		return masq_fail(m, errno, "no raw socket: %s", strerror(errno));
	fcntl(s->fd, F_SETFD, FD_CLOEXEC);
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
static int sockopt_begin(struct masq *m)
{
	(void)m;
	return 0;
}

static int sockopt_commit(struct masq *m, int *failed)
{
	(void)m;
	(void)failed;
	return 0;
}

static void sockopt_abort(struct masq *m)
{
	(void)m;
}

/* Copies what the message means, member by member, so that nothing else gets out. */
static void copy_user(struct ip_masq_ctl *out, enum module mod, const struct ip_masq_ctl *ctl)
{
	const struct ip_portfw_edits *p = &ctl->u.portfw_user;
	const struct ip_mfw_user *w = &ctl->u.mfw_user;
	const struct ip_autofw_user *a = &ctl->u.autofw_user;

	switch (mod) {
	case MOD_PORTFW:
		out->u.portfw_user.protocol = p->protocol;
		out->u.portfw_user.laddr = p->laddr;
		out->u.portfw_user.raddr = p->raddr;
		out->u.portfw_user.lport = p->lport;
		out->u.portfw_user.rport = p->rport;
		out->u.portfw_user.pref = p->pref;
		break;
	case MOD_MFW:
		out->u.mfw_user.fwmark = w->fwmark;
		out->u.mfw_user.raddr = w->raddr;
		out->u.mfw_user.rport = w->rport;
		out->u.mfw_user.pref = w->pref;
		out->u.mfw_user.flags = w->flags;
		break;
	default:
		out->u.autofw_user.type = a->type;
		out->u.autofw_user.low = a->low;
		out->u.autofw_user.hidden = a->hidden;
		out->u.autofw_user.high = a->high;
		out->u.autofw_user.visible = a->visible;
		out->u.autofw_user.protocol = a->protocol;
		out->u.autofw_user.where = a->where;
		out->u.autofw_user.ctlproto = a->ctlproto;
		out->u.autofw_user.ctlport = a->ctlport;
		out->u.autofw_user.flags = a->flags;
	}
}

/* ctl NULL: just peek. 0 or a positive errno. */
static int transmit(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl)
{
	const struct sockopt *s = m->priv;
	struct ip_masq_ctl out;

	memset(&out, 0, sizeof(out)); /* an initialiser leaves padding alone */
	out.m_target = IP_MASQ_TARGET_MOD;
	out.m_cmd = ctl ? ctl->m_cmd : IP_MASQ_CMD_NONE;
	strcpy(out.m_tname, module_names[mod]);
	if (out.m_cmd != IP_MASQ_CMD_NONE && out.m_cmd != IP_MASQ_CMD_FLUSH)
		copy_user(&out, mod, ctl);
	if (setsockopt(s->fd, IPPROTO_IP, IP_FW_MASQ_CTL, &out, sizeof(out)) < 0)
		return errno;
	return 0;
}

static int fail_no_module(struct masq *m, enum module mod)
{
	return masq_fail(m, ENOENT,
			 "this kernel has no module ip_masq_%s, or has not loaded it: there is no "
			 "%s; try modprobe ip_masq_%s",
			 module_names[mod], paths[mod][0], module_names[mod]);
}

/* Whether an errno means the same whatever was asked; sets the text. */
static bool fail_general(struct masq *m, enum module mod, int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		masq_fail(m, err, "the kernel wants CAP_NET_ADMIN: run this as root");
		return true;
	case ENOPROTOOPT:
		masq_fail(m, err,
			  "this kernel has no masquerading modules; nf_tables is used when "
			  "IPMASQADM_TRANSPORT is not set to sockopt");
		return true;
	case ENOENT:
		fail_no_module(m, mod);
		return true;
	}
	return false;
}

static int fail_refused(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl, int err)
{
	bool names_old = ctl->m_cmd == IP_MASQ_CMD_DEL || ctl->m_cmd == IP_MASQ_CMD_SET;
	char buf[DESCRIBE_MAX];

	if (fail_general(m, mod, err))
		return -err;
	/* mfw says EINVAL for a mark that it does not know */
	if (names_old && (err == ESRCH || (err == EINVAL && mod == MOD_MFW)))
		return fail_not_there(m, mod, ctl);
	return masq_fail(m, err, "the kernel refused %s: %s", describe(buf, mod, ctl),
			 strerror(err));
}

/* Reads to the end of a file. *text is the caller's to free in any case. 0 or -errno. */
static int slurp(int fd, char **text, size_t *size)
{
	size_t cap = 0;
	ssize_t n;

	*text = NULL;
	*size = 0;
	do {
		if (*size == cap) {
			char *more;

			cap = cap ? cap * 2 : 4096;
			if (cap > STATE_MOST)
				return -EFBIG;
			more = realloc(*text, cap);
			if (!more)
				return -ENOMEM;
			*text = more;
		}
		n = read(fd, *text + *size, cap - *size);
		if (n > 0)
			*size += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static int fail_line(struct masq *m, const char *path, const struct bad_line *bad)
{
	char text[LINE_SHOWN + 1];
	size_t n = bad->size < LINE_SHOWN ? bad->size : LINE_SHOWN;

	/* whatever else may be in there is nothing for a terminal */
	for (size_t i = 0; i < n; i++)
		text[i] = bad->text[i] < ' ' || bad->text[i] > '~' ? '?' : bad->text[i];
	while (n && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return masq_fail(m, EBADMSG, "%s, line %zu: %s: \"%s\"", path, bad->number, bad->why, text);
}

/* Appends what the kernel has. */
static int read_state(struct masq *m, enum module mod, struct records *out)
{
	const char *path = paths[mod][0];
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = fd < 0 ? errno : 0;
	struct bad_line bad;
	char *text;
	size_t size;

	if (fd < 0 && paths[mod][1]) {
		fd = open(paths[mod][1], O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			path = paths[mod][1];
	}
	if (fd < 0)
		return masq_fail(m, err, "can't open %s: %s", path, strerror(err));
	err = slurp(fd, &text, &size);
	if (err < 0)
		masq_fail(m, -err, "can't read %s: %s", path, strerror(-err));
	else
		err = procfile_read(mod, text, size, out, &bad);
	if (err == -EBADMSG)
		fail_line(m, path, &bad);
	else if (err == -ENOMEM)
		masq_fail(m, ENOMEM, "out of memory");
	free(text);
	close(fd);
	return err;
}

/* How many records a message names, and how many of them have the pref or flags it gives. */
struct tally {
	size_t named, done;
};

static bool is_done(enum module mod, const struct ip_masq_ctl *ctl, const struct masq_record *r)
{
	const uint16_t flags = IP_AUTOFW_USETIME | IP_AUTOFW_SECURE;

	switch (mod) {
	case MOD_PORTFW:
		return r->pref == ctl->u.portfw_user.pref;
	case MOD_MFW:
		return r->pref == ctl->u.mfw_user.pref;
	default:
		return !((r->autofw.flags ^ ctl->u.autofw_user.flags) & flags);
	}
}

static int look(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl, struct tally *tally)
{
	struct records records = {0};
	int err = read_state(m, mod, &records);

	*tally = (struct tally){0};
	for (size_t i = 0; !err && i < records.n; i++) {
		if (ctl->m_cmd == IP_MASQ_CMD_FLUSH) {
			tally->named++;
		} else if (matches(mod, ctl, &records.v[i])) {
			tally->named++;
			tally->done += is_done(mod, ctl, &records.v[i]);
		}
	}
	records_free(&records);
	return err;
}

static int check_added(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl,
		       const struct tally *before, const struct tally *after)
{
	const struct ip_portfw_edits *p = &ctl->u.portfw_user;
	char buf[DESCRIBE_MAX];

	/* a portfw addition that finds something gives all of it the new pref; to the others, one
	 * more of the same is an addition too */
	if (mod == MOD_PORTFW ? after->done && after->done == after->named
			      : after->done > before->done)
		return 0;
	describe(buf, mod, ctl);
	if (mod == MOD_PORTFW && after->named)
		return masq_fail(m, EIO, "the kernel kept the old pref of %s and said nothing",
				 buf);
	if (mod == MOD_PORTFW && ntohs(p->lport) > LPORT_MOST)
		return masq_fail(m, EINVAL,
				 "the kernel did not add %s: this one takes local ports from 1 "
				 "to %d, not %u",
				 buf, LPORT_MOST, ntohs(p->lport));
	if (mod == MOD_PORTFW && !p->raddr)
		return fail_not_there(m, mod, ctl);
	return masq_fail(m, EIO, "the kernel did not add %s and said nothing: it is not in %s", buf,
			 paths[mod][0]);
}

static int check_edited(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl,
			const struct tally *after)
{
	char buf[DESCRIBE_MAX];

	/* what a turn ended early has changed can't be told from what connections have; mfw's own
	 * yes is a true one */
	if (ctl->u.mfw_user.flags & IP_MASQ_MFW_SCHED)
		return 0;
	if (!after->named)
		return fail_not_there(m, mod, ctl);
	if (after->done == after->named)
		return 0;
	return masq_fail(m, EIO, "the kernel kept the old pref of %s and said nothing",
			 describe(buf, mod, ctl));
}

static int fail_kept(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl)
{
	char buf[DESCRIBE_MAX];

	describe(buf, mod, ctl);
	/* an entry's receiver is part of what a 2.2 kernel compares */
	if (mod == MOD_AUTOFW && ctl->m_cmd == IP_MASQ_CMD_DEL && ctl->u.autofw_user.ctlport)
		return masq_fail(m, EIO,
				 "the kernel kept %s and said nothing: delete it again when it "
				 "has no receiver",
				 buf);
	return masq_fail(m, EIO, "the kernel kept %s and said nothing: it is still in %s", buf,
			 paths[mod][0]);
}

static int check_deleted(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl,
			 const struct tally *before, const struct tally *after)
{
	if (!before->named)
		return fail_not_there(m, mod, ctl);
	/* autofw deletes one of several equal entries */
	if (mod == MOD_AUTOFW ? after->named < before->named : !after->named)
		return 0;
	return fail_kept(m, mod, ctl);
}

/* The kernel said yes, and its state file can't be read: err, with the reason as text. */
static int fail_unseen(struct masq *m, enum module mod, int err)
{
	char why[sizeof(m->error)];

	if (err == -ENOENT)
		return fail_no_module(m, mod);
	strcpy(why, m->error);
	return masq_fail(m, -err, "sent, but did it happen? %.450s", why);
}

static int sockopt_ctl(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl)
{
	struct tally before = {0}, after;
	int err;

	/* No file may mean that the message itself will load the module. Any other trouble is no
	 * reason not to send it. */
	if (ctl->m_cmd != IP_MASQ_CMD_NONE) {
		err = look(m, mod, ctl, &before);
		if (err && err != -ENOENT)
			before.named = 1;
	}
	/* 2.2 would add a forward to nowhere */
	if (mod == MOD_PORTFW && ctl->m_cmd == IP_MASQ_CMD_ADD && !before.named &&
	    (!ctl->u.portfw_user.raddr || !ctl->u.portfw_user.rport))
		return fail_no_target(m, mod, ctl);
	err = transmit(m, mod, ctl);
	if (err)
		return fail_refused(m, mod, ctl, err);
	if (ctl->m_cmd == IP_MASQ_CMD_NONE)
		return 0;
	err = look(m, mod, ctl, &after);
	if (err)
		return fail_unseen(m, mod, err);
	switch (ctl->m_cmd) {
	case IP_MASQ_CMD_FLUSH:
		return after.named ? fail_kept(m, mod, ctl) : 0;
	case IP_MASQ_CMD_DEL:
		return check_deleted(m, mod, ctl, &before, &after);
	case IP_MASQ_CMD_SET:
		return check_edited(m, mod, ctl, &after);
	default:
		return check_added(m, mod, ctl, &before, &after);
	}
}

static int sockopt_list(struct masq *m, enum module mod,
			const struct ip_masq_ctl *only __attribute__((unused)), masq_record_fn *fn,
			void *arg)
{
	struct records records = {0};
	/* as ever, a listing begins with a peek, for which a 2.2 kernel loads the module */
	int err = transmit(m, mod, NULL);

	if (err && err != ENOENT && fail_general(m, mod, err))
		return -err;
	err = read_state(m, mod, &records);
	if (err == -ENOENT)
		err = fail_no_module(m, mod);
	else if (!err)
		err = records_each(&records, fn, arg);
	records_free(&records);
	return err;
}

const struct transport transport_sockopt = {
	.name = "sockopt",
	.atomic = false,
	.open = sockopt_open,
	.close = sockopt_close,
	.begin = sockopt_begin,
	.ctl = sockopt_ctl,
	.commit = sockopt_commit,
	.abort = sockopt_abort,
	.list = sockopt_list,
};
