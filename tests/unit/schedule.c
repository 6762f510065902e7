// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Schedules: connections that walk the cascade of steps, each of which counts
 * only what it sees, reach the targets in the runs that the service has.
 */
#include "schedule.h"
#include "services.h"
#include "tap.h"

/* Whether a step takes the connection that comes after count others. */
static bool takes(const struct step *step, uint64_t count)
{
	if (!step->modulus)
		return true;
	if (step->once)
		return count < step->first;
	return count % step->modulus < step->first || count % step->modulus > step->last;
}

/* For how many connections from there on it decides the same; at least. */
static uint64_t steady(const struct step *step, uint64_t count)
{
	uint64_t r;

	if (!step->modulus || (step->once && count >= step->first))
		return UINT64_MAX;
	if (step->once)
		return step->first - count;
	r = count % step->modulus;
	if (r < step->first)
		return step->first - r;
	if (r <= step->last && step->last < step->modulus)
		return step->last + 1 - r;
	return step->modulus - r;
}

struct walk {
	struct schedule schedule;
	uint64_t *counts;
};

/* Who takes the next connections, and how many at least: *run. */
static size_t next_taker(const struct walk *w, uint64_t *run)
{
	*run = UINT64_MAX;
	for (size_t i = 0; i < w->schedule.n; i++) {
		uint64_t n = steady(&w->schedule.steps[i], w->counts[i]);

		*run = n < *run ? n : *run;
		if (takes(&w->schedule.steps[i], w->counts[i]))
			return i;
	}
	return SIZE_MAX;
}

/* How many connections the head serves before the order may change. */
static uint64_t head_run(const struct service *s)
{
	return service_counts(s) ? service_target(s, 0)->left : UINT64_MAX;
}

static bool well_formed(const struct schedule *sch, const struct service *s)
{
	size_t everything = 0;

	for (size_t i = 0; i < sch->n; i++) {
		const struct step *step = &sch->steps[i];

		if (step->target >= s->n || (step->once && !step->modulus))
			return false;
		/* what comes after a step that takes everything is drained */
		if (everything && service_target(s, step->target)->pref)
			return false;
		everything += !step->modulus;
		if (step->modulus && !step->first && step->last >= step->modulus - 1)
			return false; /* takes nothing */
	}
	return everything && sch->n <= 2 * s->n;
}

/* Walks so many runs, in turns of at most some connections (0: of any number).
 * Returns how often somebody else would have served. */
static size_t follow(const struct service *s, size_t runs, uint64_t most)
{
	struct service model = copy_of(s);
	struct walk w;
	size_t wrong = 0;

	if (schedule_make(&w.schedule, s) < 0)
		abort();
	if (!well_formed(&w.schedule, s))
		wrong++;
	w.counts = calloc(w.schedule.n + 1, sizeof(*w.counts));
	for (size_t i = 0; i < runs && !wrong; i++) {
		uint64_t run, left = head_run(&model);
		size_t taker = next_taker(&w, &run);

		run = run < left ? run : left;
		run = most && run > most ? most : run;
		run = run == UINT64_MAX ? 1u << 31 : run;
		wrong += taker == SIZE_MAX ||
			 !address_equal(&service_target(s, w.schedule.steps[taker].target)->addr,
					&service_target(&model, 0)->addr);
		for (size_t j = 0; j <= taker && j < w.schedule.n; j++)
			w.counts[j] += run;
		service_advance(&model, run);
	}
	free(w.counts);
	schedule_free(&w.schedule);
	service_free(&model);
	return wrong;
}

/* Whether more than the head's turn has begun, which takes steps of its own. */
static bool has_once(const struct service *s)
{
	struct schedule sch;
	bool found = false;

	if (schedule_make(&sch, s) < 0)
		abort();
	for (size_t i = 0; i < sch.n; i++)
		found |= sch.steps[i].once;
	schedule_free(&sch);
	return found;
}

static void small(void)
{
	const size_t tried = 5000;
	size_t wrong = 0, once = 0, drained = 0;

	for (size_t i = 0; i < tried; i++) {
		struct service s = any_service(1 + any(9));

		wrong += follow(&s, 400, 1) > 0;
		once += has_once(&s);
		drained += !service_period(&s);
		service_free(&s);
	}
	is_int((long long)wrong, 0, "%zu services, one connection after the other", tried);
	ok(once > tried / 50 && once < tried, "... %zu of them with several turns begun", once);
	ok(drained > tried / 50, "... and %zu all drained", drained);
}

/* One connection after the other by the manual, not by service_advance(). */
static void by_the_manual(void)
{
	const size_t tried = 2000;
	size_t wrong = 0;

	for (size_t i = 0; i < tried; i++) {
		struct service s = any_service(1 + any(9)), list = copy_of(&s);
		struct walk w;
		uint64_t run;

		if (schedule_make(&w.schedule, &s) < 0)
			abort();
		w.counts = calloc(w.schedule.n, sizeof(*w.counts));
		for (size_t j = 0; j < 200; j++) {
			size_t taker = next_taker(&w, &run);
			struct target t = serve(&list);

			wrong += !address_equal(
				&service_target(&s, w.schedule.steps[taker].target)->addr, &t.addr);
			for (size_t k = 0; k <= taker; k++)
				w.counts[k]++;
		}
		free(w.counts);
		schedule_free(&w.schedule);
		service_free(&s);
		service_free(&list);
	}
	is_int((long long)wrong, 0, "%zu services, by the manual", tried);
}

static uint32_t any_pref(void)
{
	static const uint32_t prefs[] = {0, 1, 2, 3, 10, 65535, 65536, INT32_MAX - 1, INT32_MAX};
	uint32_t i = any(sizeof(prefs) / sizeof(*prefs) + 1);

	return i < sizeof(prefs) / sizeof(*prefs) ? prefs[i] : any(INT32_MAX);
}

/* Prefs up to where a service is full: their sum is the modulus. */
static void large(void)
{
	const size_t tried = 5000;
	size_t wrong = 0, full = 0;

	for (size_t i = 0; i < tried; i++) {
		struct service s = any(2) ? mfw_service() : portfw_service();
		uint32_t n = 1 + any(6);

		for (uint32_t j = 0; j < n; j++) {
			struct masq_address addr = address_v4(htonl(0x0a000001 + j));
			uint64_t room = UINT32_MAX - service_period(&s);
			uint32_t pref = any_pref();

			if (!any(8) && room <= INT32_MAX)
				pref = (uint32_t)room;
			if (service_insert(&s, any(2), &addr, 80, pref) < 0)
				continue;
			if (!any(3))
				service_advance(&s, any(2) ? any_pref() : 1 + any(100));
		}
		if (s.n)
			wrong += follow(&s, 300, any(2) ? 0 : 1 + any_pref()) > 0;
		full += service_period(&s) == UINT32_MAX;
		service_free(&s);
	}
	is_int((long long)wrong, 0, "%zu services with prefs up to 2^32 - 1 in all", tried);
	ok(full > tried / 100, "... %zu of them full", full);
}

static void begun(void)
{
	struct masq_address a = address_v4(htonl(0x0a000001)), b = address_v4(htonl(0x0a000002));
	struct service s = mfw_service();
	struct schedule sch;

	schedule_make(&sch, &s);
	is_int((long long)sch.n, 0, "no targets, no steps");
	schedule_free(&sch);

	service_insert(&s, false, &a, 0, 5);
	service_insert(&s, false, &b, 0, 3);
	schedule_make(&sch, &s);
	ok(sch.n == 2 && sch.steps[0].modulus == 8 && sch.steps[0].first == 5 &&
		   !sch.steps[1].modulus,
	   "5 of 8, and the rest");
	schedule_free(&sch);

	service_advance(&s, 2);
	schedule_make(&sch, &s);
	ok(sch.n == 2 && sch.steps[0].modulus == 8 && sch.steps[0].first == 3 &&
		   sch.steps[0].last == 5 && !sch.steps[0].once,
	   "in the head's turn: what is left of it begins the period, the rest ends it");
	schedule_free(&sch);

	service_targets(&s)[1].left = 1;
	schedule_make(&sch, &s);
	ok(sch.n == 4 && sch.steps[0].once && sch.steps[0].first == 3 && sch.steps[1].once &&
		   sch.steps[1].first == 1 && !sch.steps[2].once,
	   "in two turns: both come first, once");
	schedule_free(&sch);
	service_free(&s);
}

int main(void)
{
	begun();
	small();
	by_the_manual();
	large();
	return done_testing();
}
