// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "turn.h"

/* Retries before we start monitoring the ruleset. */
#define TRIES_UNWATCHED 3

/* How long a transaction waits for another of ours, in ms. */
#define LOCK_WAIT 2000

static int64_t now_ms(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * What is locked is the network namespace itself: there is nothing to leave
 * behind. Anybody may hold it, hence the patience has an end, and whatever goes
 * wrong is no reason to wait.
 */
static void lock_namespace(struct turn *t)
{
	const struct timespec nap = {.tv_nsec = 1000000};
	int64_t until = 0;

	t->lock = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	while (t->lock >= 0 && flock(t->lock, LOCK_EX | LOCK_NB) < 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || (until && now_ms() >= until))
			break;
		if (!until)
			until = now_ms() + LOCK_WAIT;
		t->fresh = false; /* whoever holds it changes something */
		nanosleep(&nap, NULL);
	}
}

int turn_open(struct turn *t, struct link *link)
{
	int err;

	*t = (struct turn){.link = link, .lock = -1};
	err = link_genid(link, &t->genid);
	t->fresh = !err;
	return err;
}

int turn_begin(struct turn *t, bool lock)
{
	if (lock && t->lock < 0)
		lock_namespace(t);
	return turn_again(t);
}

int turn_again(struct turn *t)
{
	int err = t->watching ? link_monitor(t->link) : 0;

	if (!err && !t->fresh)
		err = link_genid(t->link, &t->genid);
	t->fresh = false;
	return err;
}

void turn_end(struct turn *t)
{
	if (t->lock >= 0)
		close(t->lock);
	t->lock = -1;
	if (t->watching)
		link_monitor_end(t->link);
	t->watching = false;
}

void turn_pause(struct turn *t, int try)
{
	struct timespec nap = {0};
	long most = try < 100 ? try * 200000L : 20000000L; /* ns */

	/* without a watch it goes on as it was */
	t->watching |= try > TRIES_UNWATCHED && link_monitor(t->link) == 0;
	if (t->watching && t->lock < 0)
		lock_namespace(t); /* a listing takes its turn, too, when it must */
	clock_gettime(CLOCK_MONOTONIC, &nap);
	nap.tv_nsec = most / 2 + nap.tv_nsec % (most / 2 + 1);
	nap.tv_sec = 0;
	nanosleep(&nap, NULL);
}

int turn_up_to_date(struct turn *t)
{
	uint32_t now = 0;
	int err = link_genid(t->link, &now);

	if (err)
		return err;
	if (now != t->genid && !link_quiet(t->link, now))
		return 0;
	t->genid = now;
	return 1;
}
