/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CHECK_CLOCK_H
#define CHECK_CLOCK_H

/* Milliseconds since some time in the past. */
long clock_ms(void);

/* Called now and then by what waits; fn may be NULL. */
struct tick {
	void (*fn)(void *arg);
	void *arg;
};
void clock_tick(const struct tick *t);
/* No wait without a tick is longer. */
enum { CLOCK_TICK_MS = 100 };

#endif
