// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times whole processes against each other, in turn, so that whatever else the
 * machine does meets all of them alike.
 *
 *	race ROUNDS SECONDS <CONTENDERS
 *
 * Every contender gets ROUNDS rounds, or as many as fit into SECONDS of its own
 * time. CONTENDERS are lines of words (no quoting); the network namespace is
 * entered before the clock starts:
 *
 *	contender NAME NAMESPACE-FILE
 *	run COMMAND...		what is timed
 *	undo COMMAND...		run after it, not timed; may be missing
 *
 * Prints a line for each run: NAME WALL-us CPU-us USER-us SYSTEM-us PEAK-KiB.
 * CPU is exact; how the kernel splits it in two is a guess for what is over in
 * a tick. A command that fails ends it all.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTENDERS_MAX = 64, WORDS_MAX = 64 };

/* The kernel frees what was deleted in the background, after the command that
 * deleted it: not in the time of whoever comes next. */
#define SETTLE_US 100000

struct contender {
	char *name;
	int ns;
	char **run, **undo; /* NULL-ended */
	int n;
	double spent;
};

static struct contender contenders[CONTENDERS_MAX];
static posix_spawn_file_actions_t quiet;
extern char **environ;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double us(struct timeval t)
{
	return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

/* Wall clock time; what it used goes to *usage. */
static double run(char **argv, struct rusage *usage)
{
	double start = now(), end;
	int status;
	pid_t pid;

	errno = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
	if (errno)
		err(1, "%s", argv[0]);
	if (wait4(pid, &status, 0, usage) < 0)
		err(1, "wait4");
	end = now();
	if (status) {
		fprintf(stderr, "race: failed with status %#x:", (unsigned int)status);
		for (int i = 0; argv[i]; i++)
			fprintf(stderr, " %s", argv[i]);
		fprintf(stderr, "\n");
		exit(1);
	}
	return end - start;
}

static void round_of(struct contender *c)
{
	double wall, user, system;
	struct rusage usage;

	if (setns(c->ns, CLONE_NEWNET) < 0)
		err(1, "setns for %s", c->name);
	wall = run(c->run, &usage);
	user = us(usage.ru_utime);
	system = us(usage.ru_stime);
	printf("%s %.0f %.0f %.0f %.0f %ld\n", c->name, wall, user + system, user, system,
	       usage.ru_maxrss);
	c->n++;
	c->spent += wall;
	if (!c->undo)
		return;
	c->spent += run(c->undo, &usage);
	usleep(SETTLE_US);
}

static char **words(char *rest)
{
	char **argv = calloc(WORDS_MAX + 1, sizeof(*argv));
	int n = 0;

	if (!argv)
		err(1, "calloc");
	for (char *w = strtok(rest, " \n"); w && n < WORDS_MAX; w = strtok(NULL, " \n"))
		argv[n++] = w;
	return argv;
}

static int read_contenders(void)
{
	struct contender *c = NULL;
	char *line = NULL;
	size_t size = 0;
	int n = 0;

	while (getline(&line, &size, stdin) > 0) {
		char **argv = words(strdup(line));

		if (!argv[0])
			continue;
		if (!strcmp(argv[0], "contender") && argv[1] && argv[2] && n < CONTENDERS_MAX) {
			c = &contenders[n++];
			c->name = argv[1];
			c->ns = open(argv[2], O_RDONLY | O_CLOEXEC);
			if (c->ns < 0)
				err(1, "%s", argv[2]);
		} else if (c && !strcmp(argv[0], "run") && argv[1]) {
			c->run = argv + 1;
		} else if (c && !strcmp(argv[0], "undo") && argv[1]) {
			c->undo = argv + 1;
		} else {
			errx(2, "what is this? %s", line);
		}
	}
	for (int i = 0; i < n; i++) {
		if (!contenders[i].run)
			errx(2, "%s runs nothing", contenders[i].name);
	}
	return n;
}

int main(int argc, char *argv[])
{
	int rounds = argc == 3 ? atoi(argv[1]) : 0, n;
	double limit = argc == 3 ? atof(argv[2]) * 1e6 : 0;

	if (rounds < 1 || limit <= 0)
		errx(2, "usage: race ROUNDS SECONDS <CONTENDERS");
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	n = read_contenders();
	for (int i = 0; i < rounds; i++) {
		for (int k = 0; k < n; k++) {
			struct contender *c = &contenders[k];

			/* three at least, for a median to be one */
			if (c->n < 3 || c->spent < limit)
				round_of(c);
		}
	}
	return 0;
}
