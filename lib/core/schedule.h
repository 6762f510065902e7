/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A service's future as a cascade: steps that connections pass in order until
 * one takes them. A step counts only what the steps before it let pass, from 0,
 * and takes by that count. The targets serve in exactly the runs of the model.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "service.h"

struct step {
	size_t target;
	/* Takes if count modulo modulus is below first, or beyond last. modulus
	 * 0: takes everything. */
	uint32_t modulus, first, last;
	bool once; /* what is left of a turn that had begun: takes again after UINT32_MAX */
};

struct schedule {
	struct step *steps;
	size_t n;
};

/* The schedule of a service with targets. Drained targets come last, after a
 * step that takes everything, unless all are drained. 0 or -ENOMEM; free with
 * schedule_free(). */
int schedule_make(struct schedule *out, const struct service *s);
void schedule_free(struct schedule *s);

#endif
