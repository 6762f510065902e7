// SPDX-License-Identifier: GPL-2.0-or-later
/* From a schedule to rules, whatever form they then take. */
#include "nftemit.h"

static bool takes(const struct pool_rule *rule, const struct service *s, const struct run *run)
{
	return (s->targets[run->target].port == 0) == rule->keep_port;
}

/* What the runs that a rule takes add up to, and those it leaves. */
static uint64_t sum(const struct pool_rule *rule, const struct service *s, bool taken)
{
	uint64_t n = 0;

	for (size_t i = 0; i < rule->n_runs; i++)
		if (takes(rule, s, &rule->runs[i]) == taken)
			n += rule->runs[i].length;
	return n;
}

static size_t phase(struct pool_rule *out, const struct service *s, const struct run *runs,
		    size_t n_runs, bool prologue)
{
	size_t n = 0;

	for (int keep = 0; keep < 2; keep++) {
		struct pool_rule r = {.runs = runs, .n_runs = n_runs, .prologue = prologue};
		uint64_t taken;

		r.keep_port = keep;
		taken = sum(&r, s, true);
		if (!taken)
			continue;
		/* The rule for ports counts every connection of the period; the one behind it only
		 * those that the first let through. A prologue never starts again. */
		r.modulus = prologue ? UINT32_MAX
				     : (uint32_t)(keep ? taken : taken + sum(&r, s, false));
		out[n++] = r;
	}
	return n;
}

size_t pool_rules(struct pool_rule out[POOL_RULES_MAX], const struct service *s,
		  const struct schedule *sch)
{
	size_t n = phase(out, s, sch->prologue, sch->n_prologue, true);

	n += phase(out + n, s, sch->period, sch->n_period, false);
	if (n)
		out[0].counts = true;
	return n;
}

bool pool_next(struct pool_cursor *c, const struct pool_rule *rule, const struct service *s,
	       const struct run **run, uint32_t *from, uint32_t *to)
{
	for (; c->next < rule->n_runs; c->next++) {
		const struct run *r = &rule->runs[c->next];
		uint64_t at = c->at;
		bool taken = takes(rule, s, r);

		if (taken || !rule->keep_port)
			c->at += r->length;
		if (taken) {
			c->next++;
			*run = r;
			*from = (uint32_t)at;
			*to = (uint32_t)c->at;
			return true;
		}
	}
	return false;
}

bool pool_tells(const struct pool_rule *rule, const struct run *run)
{
	if (rule->prologue)
		return false;
	for (const struct run *r = rule->runs; r < run; r++)
		if (r->target == run->target)
			return false;
	return true;
}
