// SPDX-License-Identifier: GPL-2.0-or-later
/* The seam: one handle, two transports, chosen once. Everything above sees only
 * masq.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport.h"
#include "wire.h"

const char *masq_error(const struct masq *m)
{
	return m ? m->error.text : "out of memory";
}

const char *masq_version(void)
{
	return VERSION;
}

static int choose(struct masq *m, const char *kind)
{
	const char *forced = secure_getenv("IPMASQADM_TRANSPORT");

	if (forced && *forced) {
		if (!strcmp(forced, "sockopt"))
			m->transport = &transport_sockopt;
		else if (!strcmp(forced, "nft"))
			m->transport = &transport_nft;
		else
			return fail(&m->error, EINVAL,
				    "IPMASQADM_TRANSPORT=%.64s is neither sockopt nor nft", forced);
		return 0;
	}
	m->transport = transport_sockopt.probe(kind) ? &transport_sockopt : &transport_nft;
	return 0;
}

int masq_open(struct masq **out, const char *kind)
{
	struct masq *m = calloc(1, sizeof(*m));
	int err;

	*out = m;
	if (!m)
		return -ENOMEM;
	err = choose(m, kind ? kind : "portfw");
	if (!err)
		err = m->transport->open(m);
	m->opened = !err;
	return err;
}

/* Whether something new can be begun. */
static int check_idle(struct masq *m)
{
	if (!m->opened)
		return fail(&m->error, EINVAL, "the handle was not opened");
	if (m->open_transaction)
		return fail(&m->error, EBUSY, "a transaction is open");
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
		return fail(&m->error, EOPNOTSUPP,
			    "a dry run shows nft commands, and this kernel takes none");
	m->dry = out;
	return 0;
}

int masq_cut(struct masq *m, bool on)
{
	if (on && !masq_atomic(m))
		return fail(&m->error, EOPNOTSUPP,
			    "the masquerading modules of this kernel cannot end running "
			    "connections: leave --cut out");
	m->cut = on;
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

/* Copies a valid command, to be carried out with this verb. */
static int take(struct masq *m, struct masq_command *c, const struct masq_command *given,
		enum masq_verb verb)
{
	int err = command_take(c, given);

	if (!err)
		c->verb = verb;

	if (err == -E2BIG)
		return fail(&m->error, E2BIG,
			    "this libipmasq (%s) is older than the program: a "
			    "command has members that it does not know",
			    VERSION);
	if (err == -EAFNOSUPPORT)
		return fail(&m->error, EINVAL,
			    "an address of family %d or %d: give AF_INET, AF_INET6 or AF_UNSPEC",
			    given->local.family, given->target.family);
	if (err)
		return fail(&m->error, -err, "%zu bytes are no struct masq_command", given->size);
	return kind_validate(&m->error, c);
}

int masq_command(struct masq *m, const struct masq_command *command)
{
	bool alone = !m->open_transaction;
	struct masq_command c;
	int err = 0;

	if (m->open_transaction && m->refused)
		err = fail(&m->error, ECANCELED, "a command of this transaction was refused");
	if (!err)
		err = take(m, &c, command, command->verb);
	if (!err && alone)
		err = masq_begin(m);
	if (!err)
		err = m->transport->command(m, &c);
	if (!alone)
		m->refused |= err && masq_atomic(m);
	else if (!err)
		err = masq_commit(m, NULL);
	else
		masq_abort(m);
	return err;
}

int masq_ctl(struct masq *m, const struct ip_masq_ctl *ctl)
{
	struct masq_command c;
	int err = wire_decode(&m->error, &c, ctl);

	if (err) {
		m->refused |= m->open_transaction && masq_atomic(m);
		return err;
	}
	return masq_command(m, &c);
}

int masq_commit(struct masq *m, int *failed)
{
	int index = -1, err;

	if (!m->open_transaction)
		return fail(&m->error, EINVAL, "no transaction is open");
	if (m->refused) {
		m->transport->abort(m);
		err = fail(&m->error, ECANCELED,
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

int masq_list(struct masq *m, unsigned int wanted, masq_record_fn *fn, void *arg)
{
	int err = check_idle(m);

	if (!err && (!wanted || wanted >> kind_count()))
		err = fail(&m->error, EINVAL, "no kinds 0x%x", wanted);
	return err ? err : m->transport->list(m, wanted, NULL, fn, arg);
}

struct search {
	const struct masq_command *command;
	bool found;
};

static int look_at(const struct masq_record *record, void *arg)
{
	struct search *s = arg;

	if (!(record->has & MASQ_HAS_RECEIVER))
		s->found |= kinds[s->command->kind]->matches(s->command, record->forward);
	return 0;
}

int masq_find(struct masq *m, const struct masq_command *command)
{
	struct masq_command c;
	struct search search = {.command = &c};
	int err = check_idle(m);

	if (!err)
		err = take(m, &c, command, MASQ_DELETE);
	if (!err && m->transport->resolve)
		err = m->transport->resolve(m, &c);
	if (err == -EADDRNOTAVAIL)
		return 0;
	if (!err)
		err = m->transport->list(m, MASQ_KIND(c.kind), &c, look_at, &search);
	return err ? err : search.found;
}
