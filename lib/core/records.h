/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing array of records, each with its forward; all zero is an empty
 * one. */
#ifndef RECORDS_H
#define RECORDS_H

#include "masq.h"

struct records {
	struct record_pair {
		struct masq_command forward;
		struct masq_record record; /* its forward is set by records_each() */
	} * v;
	size_t n, cap;
};

/* Appends copies. 0 or -ENOMEM. */
int records_add(struct records *r, const struct masq_command *forward,
		const struct masq_record *record);
void records_free(struct records *r);
/* Hands them to fn, up to one that it gives a nonzero result for, which is the
 * result. */
int records_each(const struct records *r, masq_record_fn *fn, void *arg);

#endif
