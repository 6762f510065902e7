// SPDX-License-Identifier: GPL-2.0-or-later
/* autofw's list: entries, newest first; who their receiver is, the kernel knows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

bool autofw_same(const struct ip_autofw_user *a, const struct ip_autofw_user *b)
{
	return a->type == b->type && a->protocol == b->protocol && a->low == b->low &&
	       a->high == b->high && a->visible == b->visible && a->hidden == b->hidden &&
	       a->where == b->where && a->ctlproto == b->ctlproto && a->ctlport == b->ctlport;
}

static struct entry *find(const struct table *t, const struct ip_autofw_user *user)
{
	for (size_t i = 0; i < t->n_entries; i++)
		if (!t->entries[i].gone && autofw_same(&t->entries[i].user, user))
			return &t->entries[i];
	return NULL;
}

int autofw_insert(struct table *t, bool head, const struct entry *e)
{
	struct entry *v = reallocarray(t->entries, t->n_entries + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	t->entries = v;
	if (head)
		memmove(v + 1, v, t->n_entries * sizeof(*v));
	v[head ? 0 : t->n_entries] = *e;
	t->n_entries++;
	return 0;
}

int autofw_apply(struct table *t, const struct ip_masq_ctl *ctl)
{
	const struct ip_autofw_user *user = &ctl->u.autofw_user;
	struct entry *e;

	if (ctl->m_cmd == IP_MASQ_CMD_FLUSH) {
		t->flushed[MOD_AUTOFW] = true;
		for (size_t i = 0; i < t->n_entries; i++)
			t->entries[i].gone = true;
		return 0;
	}
	e = find(t, user);
	if (ctl->m_cmd == IP_MASQ_CMD_DEL) {
		if (!e)
			return -ESRCH;
		e->gone = true;
		return 0;
	}
	/* A line given twice is harmless; with other flags it is a newer entry. */
	if (e && e->user.flags == user->flags)
		return 0;
	if (e)
		e->gone = true;
	return autofw_insert(t, true, &(struct entry){.user = *user});
}
