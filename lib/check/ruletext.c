// SPDX-License-Identifier: GPL-2.0-or-later
#include "ruletext.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include "family.h"

/* What is read of a listing; how long a program may take. */
enum { LISTING_MAX = 1 << 20, PATIENCE_MS = 3000 };

/* The part of nftables/libnftables.h that is used. */
struct nft_ctx;
struct nftables {
	void *library;
	struct nft_ctx *(*new)(uint32_t flags);
	void (*free)(struct nft_ctx *);
	int (*buffer_output)(struct nft_ctx *);
	int (*buffer_error)(struct nft_ctx *);
	const char *(*output)(struct nft_ctx *);
	void (*set_flags)(struct nft_ctx *, unsigned int);
	int (*run)(struct nft_ctx *, const char *);
};
enum { OUTPUT_HANDLE = 1 << 3, OUTPUT_NUMERIC_PORT = 1 << 8 /* not service names */ };

#ifdef NO_DLOPEN
static bool load(struct nftables *l)
{
	(void)l;
	return false;
}
#define dlclose(library) ((void)(library))
#else
static bool load(struct nftables *l)
{
	const struct {
		const char *name;
		void *to;
	} symbols[] = {
		{"nft_ctx_new", &l->new},
		{"nft_ctx_free", &l->free},
		{"nft_ctx_buffer_output", &l->buffer_output},
		{"nft_ctx_buffer_error", &l->buffer_error},
		{"nft_ctx_get_output_buffer", &l->output},
		{"nft_ctx_output_set_flags", &l->set_flags},
		{"nft_run_cmd_from_buffer", &l->run},
	};

	l->library = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!l->library)
		return false;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		void *s = dlsym(l->library, symbols[i].name);

		if (!s) {
			dlclose(l->library);
			return false;
		}
		memcpy(symbols[i].to, &s, sizeof(s));
	}
	return true;
}
#endif

/* The next line that ends in the text and is no chain's, from there on. */
static const char *next_line(const char *from, const char *listing, const char *end)
{
	const char *at = strstr(from, end), *line;

	for (; at; at = strstr(at + 1, end)) {
		line = at;
		while (line > listing && line[-1] != '\n')
			line--;
		/* the chain's own handle stands on a line with a brace */
		if (!memchr(line, '{', (size_t)(at - line)) || strncmp(line, "\tchain ", 7))
			break;
	}
	return at;
}

/* The line that ends in "# handle N", without that, blanks and counters.
 * Comments may hold that, too, and the end of a line: two such lines are
 * none. */
static void pick(struct check_place *p, const char *listing)
{
	char end[48];
	const char *at, *line;
	size_t n;

	snprintf(end, sizeof(end), " # handle %llu\n", (unsigned long long)p->handle);
	at = next_line(listing, listing, end);
	if (!at || next_line(at + 1, listing, end))
		return;
	line = at;
	while (line > listing && line[-1] != '\n')
		line--;
	line += strspn(line, " \t");
	n = (size_t)(at - line);
	if (n >= sizeof(p->text))
		n = sizeof(p->text) - 1;
	memcpy(p->text, line, n);
	p->text[n] = '\0';
}

/* "counter packets 1 bytes 40" is not what the rule says */
static void drop_counter(char *text)
{
	char *at = strstr(text, "counter packets "), *end;
	int used = 0;

	if (!at || (sscanf(at, "counter packets %*u bytes %*u%n", &used), !used))
		return;
	end = at + used;
	end += *end == ' ';
	memmove(at, end, strlen(end) + 1);
}

void ruletext_nft(struct check_place *p)
{
	struct nftables l;
	struct nft_ctx *ctx;
	char command[3 * CHECK_NAME];

	if (p->kind != MASQ_PLACE_RULE || !check_is_plain(p->table) || !check_is_plain(p->chain) ||
	    !load(&l))
		return;
	ctx = l.new(0);
	if (ctx) {
		snprintf(command, sizeof(command), "list chain %s %s %s", p->family, p->table,
			 p->chain);
		l.set_flags(ctx, OUTPUT_HANDLE | OUTPUT_NUMERIC_PORT);
		if (!l.buffer_output(ctx) && !l.buffer_error(ctx) && !l.run(ctx, command)) {
			pick(p, l.output(ctx));
			drop_counter(p->text);
		}
		l.free(ctx);
	}
	dlclose(l.library);
}

static bool find_program(char path[64], const char *name)
{
	static const char *const places[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin"};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, 64, "%s/%s", places[i], name);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

/* "iptables-nft", or "iptables" where only that is there */
static void choose_program(struct check_place *p, const char *variant)
{
	const char *base =
		!strcmp(p->family, family_ipv6.word) ? family_ipv6.iptables : family_ipv4.iptables;
	char path[64];

	snprintf(p->program, sizeof(p->program), "%s%s", base, variant);
	if (!find_program(path, p->program) && find_program(path, base))
		snprintf(p->program, sizeof(p->program), "%s", base);
}

/* Reads until the end or until PATIENCE_MS have passed. */
static size_t read_all(int fd, char *out, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t n = 0;
	ssize_t got = 1;

	while (got > 0 && n + 1 < size && poll(&p, 1, PATIENCE_MS) > 0) {
		got = read(fd, out + n, size - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	out[n] = '\0';
	return n;
}

/* What a program of the system prints. Not with raised privileges. */
static bool output_of(const char *const argv[], char *out, size_t size)
{
	static char *const environment[] = {NULL};
	posix_spawn_file_actions_t files;
	char path[64];
	char *args[8] = {NULL};
	int pipes[2], status;
	pid_t pid;
	bool ran;

	if (getauxval(AT_SECURE) || !find_program(path, argv[0]) || pipe2(pipes, O_CLOEXEC) < 0)
		return false;
	for (int i = 0; argv[i] && i < 7; i++)
		args[i] = strdup(argv[i]);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, pipes[1], 1);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	ran = !posix_spawn(&pid, path, &files, NULL, args, environment);
	posix_spawn_file_actions_destroy(&files);
	close(pipes[1]);
	if (ran) {
		ran = read_all(pipes[0], out, size) > 0;
		kill(pid, SIGKILL); /* it has ended, or takes too long */
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(pipes[0]);
	for (int i = 0; i < 7; i++)
		free(args[i]);
	return ran;
}

/* The number'th "-A CHAIN" line: -S CHAIN NUMBER counts as -L does, but not in
 * every version. */
static void pick_number(struct check_place *p, const char *program)
{
	const char *argv[] = {program, "-t", p->table, "-S", p->chain, NULL};
	char *out = malloc(LISTING_MAX), *save = NULL;
	unsigned int n = 0;

	if (out && p->number && output_of(argv, out, LISTING_MAX))
		for (char *line = strtok_r(out, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			if (!strncmp(line, "-A ", 3) && ++n == p->number) {
				snprintf(p->text, sizeof(p->text), "%s", line);
				break;
			}
	free(out);
}

void ruletext_iptables(struct check_place *p)
{
	choose_program(p, "-nft");
	if (p->kind == MASQ_PLACE_RULE)
		pick_number(p, p->program);
	if (p->kind == MASQ_PLACE_RULE && !p->text[0])
		ruletext_nft(p);
}

void ruletext_legacy(struct check_place *p)
{
	choose_program(p, "-legacy");
	if (p->kind == MASQ_PLACE_LEGACY_RULE)
		pick_number(p, p->program);
}
