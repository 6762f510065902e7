// SPDX-License-Identifier: GPL-2.0-or-later
/* The seam: one handle, two transports, chosen once. Everything above sees only masq.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handle.h"

static const char *const module_names[MOD_COUNT] = {
	[MOD_PORTFW] = "portfw",
	[MOD_MFW] = "mfw",
	[MOD_AUTOFW] = "autofw",
};

int masq_fail(struct masq *m, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->error, sizeof(m->error), fmt, ap);
	va_end(ap);
	return -err;
}

const char *masq_error(const struct masq *m)
{
	return m ? m->error : "out of memory";
}

const char *masq_version(void)
{
	return VERSION;
}

int records_add(struct records *r, const struct masq_record *record)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 64;
		struct masq_record *v = reallocarray(r->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n++] = *record;
	return 0;
}

void records_free(struct records *r)
{
	free(r->v);
	*r = (struct records){0};
}

int records_each(const struct records *r, masq_record_fn *fn, void *arg)
{
	int err = 0;

	for (size_t i = 0; !err && i < r->n; i++)
		err = fn(&r->v[i], arg);
	return err;
}

static int find_module(struct masq *m, const char *name, enum module *mod)
{
	for (int i = 0; i < MOD_COUNT; i++) {
		if (!strncmp(name, module_names[i], IP_MASQ_TNAME_MAX)) {
			*mod = (enum module)i;
			return 0;
		}
	}
	return masq_fail(m, EINVAL, "no module %.*s", IP_MASQ_TNAME_MAX, name);
}

/* Asks the kernel for masquerading modules. 0: there; ENOPROTOOPT, EPERM, ...: not for us. */
static int probe_sockopt(const char *module)
{
	struct ip_masq_ctl ctl = {.m_target = IP_MASQ_TARGET_MOD, .m_cmd = IP_MASQ_CMD_NONE};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	int err = 0;

	if (fd < 0)
		return errno;
	memccpy(ctl.m_tname, module, 0, sizeof(ctl.m_tname) - 1);
	if (setsockopt(fd, IPPROTO_IP, IP_FW_MASQ_CTL, &ctl, sizeof(ctl)) < 0)
		err = errno;
	close(fd);
	return err;
}

static int choose(struct masq *m, const char *module)
{
	const char *forced = secure_getenv("IPMASQADM_TRANSPORT");

	if (forced && *forced) {
		if (!strcmp(forced, "sockopt"))
			m->transport = &transport_sockopt;
		else if (!strcmp(forced, "nft"))
			m->transport = &transport_nft;
		else
			return masq_fail(m, EINVAL,
					 "IPMASQADM_TRANSPORT=%.64s is neither sockopt nor nft",
					 forced);
		return 0;
	}
	switch (probe_sockopt(module)) {
	case ENOPROTOOPT: /* no masquerading modules: any kernel since 2.4 */
	case EPERM:       /* no raw socket for us; nf_tables will say what it thinks */
	case EACCES:
	case EPROTONOSUPPORT: /* no IPv4 raw sockets at all */
	case EAFNOSUPPORT:
		m->transport = &transport_nft;
		break;
	default: /* there, or there but for this module: let it answer */
		m->transport = &transport_sockopt;
	}
	return 0;
}

int masq_open(struct masq **out, const char *module)
{
	struct masq *m = calloc(1, sizeof(*m));
	int err;

	*out = m;
	if (!m)
		return -ENOMEM;
	err = choose(m, module ? module : "portfw");
	if (!err)
		err = m->transport->open(m);
	m->opened = !err;
	return err;
}

/* Whether something new can be begun. */
static int check_idle(struct masq *m)
{
	if (!m->opened)
		return masq_fail(m, EINVAL, "the handle was not opened");
	if (m->open_transaction)
		return masq_fail(m, EBUSY, "a transaction is open");
	return 0;
}

void masq_close(struct masq *m)
{
	if (!m)
		return;
	if (m->transport) {
		masq_abort(m);
		m->transport->close(m);
	}
	free(m);
}

const char *masq_transport(const struct masq *m)
{
	return m->transport ? m->transport->name : "none";
}

bool masq_atomic(const struct masq *m)
{
	return m->transport && m->transport->atomic;
}

int masq_dry_run(struct masq *m, FILE *out)
{
	if (out && !masq_atomic(m))
		return masq_fail(m, EOPNOTSUPP,
				 "a dry run shows nft commands, and this kernel takes none");
	m->dry = out;
	return 0;
}

int masq_begin(struct masq *m)
{
	int err = check_idle(m);

	if (!err)
		err = m->transport->begin(m);
	if (err)
		return err;
	m->open_transaction = true;
	m->refused = false;
	return 0;
}

static int check(struct masq *m, const struct ip_masq_ctl *ctl, enum module *mod)
{
	int err;

	if (m->open_transaction && m->refused)
		return masq_fail(m, ECANCELED, "a command of this transaction was refused");
	if (ctl->m_target != IP_MASQ_TARGET_MOD)
		return masq_fail(m, EINVAL, "no masquerading target %d", ctl->m_target);
	err = find_module(m, ctl->m_tname, mod);
	return err ? err : validate(m, *mod, ctl);
}

int masq_ctl(struct masq *m, const struct ip_masq_ctl *ctl)
{
	bool alone = !m->open_transaction;
	enum module mod = MOD_PORTFW;
	int err = check(m, ctl, &mod);

	if (!err && alone)
		err = masq_begin(m);
	if (!err)
		err = m->transport->ctl(m, mod, ctl);
	if (!alone)
		m->refused = err && masq_atomic(m);
	else if (!err)
		err = masq_commit(m, NULL);
	else
		masq_abort(m);
	return err;
}

int masq_commit(struct masq *m, int *failed)
{
	int index = -1, err;

	if (!m->open_transaction)
		return masq_fail(m, EINVAL, "no transaction is open");
	if (m->refused) {
		m->transport->abort(m);
		err = masq_fail(
			m, ECANCELED,
			"a command of this transaction was refused, so nothing has changed");
	} else {
		err = m->transport->commit(m, &index);
	}
	m->open_transaction = false;
	if (failed)
		*failed = index;
	return err;
}

void masq_abort(struct masq *m)
{
	if (m->open_transaction)
		m->transport->abort(m);
	m->open_transaction = false;
}

int masq_list(struct masq *m, const char *module, masq_record_fn *fn, void *arg)
{
	enum module mod = MOD_PORTFW;
	int err = check_idle(m);

	if (!err)
		err = find_module(m, module, &mod);
	return err ? err : m->transport->list(m, mod, NULL, fn, arg);
}

struct search {
	enum module mod;
	const struct ip_masq_ctl *ctl;
	bool found;
};

static int look_at(const struct masq_record *record, void *arg)
{
	struct search *s = arg;

	s->found |= matches(s->mod, s->ctl, record);
	return 0;
}

int masq_find(struct masq *m, const struct ip_masq_ctl *ctl)
{
	struct search search = {.ctl = ctl};
	int err = check_idle(m);

	if (!err)
		err = find_module(m, ctl->m_tname, &search.mod);
	if (!err)
		err = m->transport->list(m, search.mod, ctl, look_at, &search);
	return err ? err : search.found;
}
