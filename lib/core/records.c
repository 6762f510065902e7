// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "records.h"

int records_add(struct records *r, const struct masq_command *forward,
		const struct masq_record *record)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 64;
		struct record_pair *v = reallocarray(r->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n++] = (struct record_pair){.forward = *forward, .record = *record};
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

	for (size_t i = 0; !err && i < r->n; i++) {
		struct masq_record record = r->v[i].record;

		record.size = sizeof(record);
		record.forward = &r->v[i].forward;
		err = fn(&record, arg);
	}
	return err;
}
