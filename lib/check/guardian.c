// SPDX-License-Identifier: GPL-2.0-or-later
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noreturn)) static void guard(int fd, guardian_fn *fn, void *arg)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	char byte;
	ssize_t n;

	/* a Ctrl-C means the other one */
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_IGN);
	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		fn(arg);
	_exit(0);
}

bool guardian_start(struct guardian *g, guardian_fn *fn, void *arg)
{
	int ends[2];

	*g = (struct guardian){.pipe = -1};
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	g->pid = fork();
	if (!g->pid) {
		close(ends[1]);
		guard(ends[0], fn, arg);
	}
	close(ends[0]);
	if (g->pid < 0) {
		close(ends[1]);
		g->pid = 0;
		return false;
	}
	g->pipe = ends[1];
	return true;
}

void guardian_dismiss(struct guardian *g)
{
	if (!g->pid)
		return;
	if (write(g->pipe, "", 1) < 0)
		kill(g->pid, SIGKILL);
	close(g->pipe);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
	g->pid = 0;
}
