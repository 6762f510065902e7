// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of ipmasqadm command lines, carried out at once. The plugins themselves read the commands.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "complain.h"
#include "masqmod.h"
#include "words.h"

#define SUMMARY "carry out a file of command lines, all or nothing"

static const char help[] =
	"ipmasqadm restore: " SUMMARY "\n"
	"\n"
	"usage: ipmasqadm restore [--check | --dry-run] [FILE | -]\n"
	"\n"
	"Carries out the ipmasqadm command lines in FILE, or in standard input.\n"
	"\n"
	"  --check     read everything and change nothing; the kernel is not asked\n"
	"  --dry-run   change nothing, print what nft(8) would have to be told\n"
	"  -h, --help  print this\n"
	"\n"
	"With nf_tables the whole file is one transaction: after an error nothing has changed.\n"
	"A kernel with masquerading modules takes one command at a time; the file is read to\n"
	"its end first, and the error message says how far it got.\n"
	"\n"
	"A line is a command of portfw, mfw or autofw, with or without \"ipmasqadm\" and its\n"
	"directory in front. Comments, quotes, backslashes and continuation lines are a\n"
	"shell's; variables and everything else that needs a shell are errors. A file without\n"
	"flush commands adds to what is there. \"ipmasqadm save\" writes such files.\n";

/* Some 800,000 forwards: what is larger is no such file. */
#define TEXT_MAX ((size_t)64 << 20)

struct restore {
	const char *name; /* of the file, for messages */
	char *text;
	size_t size;
	struct words words;
	struct request request;
	struct masq *m;      /* NULL: only read */
	const char **starts; /* where the line of each command begins */
	size_t n, cap;
};

static const struct {
	const char *name;
	int (*parse)(struct request *req, int argc, char *argv[]);
} modules[] = {
	{"portfw", portfw_parse},
	{"mfw", mfw_parse},
	{"autofw", autofw_parse},
};

/* However people call us: found in PATH, or in the sbin or bin where it was installed. */
static bool is_program(const char *word, size_t len)
{
	static const char *const ends[] = {"/sbin/ipmasqadm", "/bin/ipmasqadm"};
	size_t n = strlen("ipmasqadm");

	if (len == n)
		return !strncmp(word, "ipmasqadm", len);
	for (size_t i = 0; len && *word == '/' && i < sizeof(ends) / sizeof(*ends); i++) {
		n = strlen(ends[i]);
		if (len >= n && !strncmp(word + len - n, ends[i], n))
			return true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* How long the continuation at p is that a shell would drop; 0: none. */
static size_t continuation(const char *p, const char *end)
{
	if (end - p >= 2 && p[0] == '\\' && p[1] == '\n')
		return 2;
	return end - p >= 3 && p[0] == '\\' && p[1] == '\r' && p[2] == '\n' ? 3 : 0;
}

/* The command line that begins here, without what is in front of the module's name. */
static void quote(char *out, size_t size, const struct restore *r, const char *line)
{
	const char *end = r->text + r->size;
	size_t n = 0, word = 0, skip;

	while (line < end && is_blank(*line))
		line++;
	while (line + word < end && !isspace((unsigned char)line[word]))
		word++;
	if (is_program(line, word)) {
		for (skip = word; line + skip < end && is_blank(line[skip]); skip++)
			;
		if (line + skip < end && !isspace((unsigned char)line[skip]))
			line += skip;
	}
	while (line < end && *line != '\n' && n < size - 4) {
		skip = continuation(line, end);
		if (!skip)
			out[n++] = *line++;
		line += skip;
	}
	if (line < end && *line != '\n')
		n += (size_t)sprintf(out + n, "...");
	while (n && strchr(" \t\r\\", out[n - 1]))
		n--;
	out[n] = '\0';
}

static void __attribute__((format(printf, 4, 5)))
complain_line(const struct restore *r, unsigned long number, const char *line, const char *fmt, ...)
{
	char quoted[160], why[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	quote(quoted, sizeof(quoted), r, line);
	complain("restore", "%s:%lu: %s: %s", r->name, number, quoted, why);
}

/* Fills r->request. Returns why that is not possible, or NULL. */
static const char *parse(struct restore *r)
{
	int argc = r->words.argc;
	char **argv = r->words.argv;
	bool named = is_program(*argv, strlen(*argv));

	if (named) {
		argv++;
		argc--;
	}
	for (size_t i = 0; argc && i < sizeof(modules) / sizeof(*modules); i++) {
		if (strcmp(*argv, modules[i].name))
			continue;
		if (modules[i].parse(&r->request, argc, argv))
			return r->request.error;
		if (r->request.action != ACT_CTL)
			return "only commands that change something can be restored";
		if (r->request.dry_run)
			return "--dry-run is for the whole file: give it to restore";
		return NULL;
	}
	if (named)
		return "after ipmasqadm comes portfw, mfw or autofw";
	return "neither ipmasqadm nor portfw, mfw or autofw, and no shell reads this";
}

static int remember(struct restore *r)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 256;
		const char **v = reallocarray(r->starts, cap, sizeof(*v));

		if (!v)
			return complain("restore", "out of memory");
		r->starts = v;
		r->cap = cap;
	}
	r->starts[r->n++] = r->words.start;
	return 0;
}

static int carry_out(struct restore *r)
{
	if (!masq_ctl(r->m, &r->request.ctl))
		return remember(r);
	if (masq_atomic(r->m) || !r->n)
		complain_line(r, r->words.line, r->words.start, "%s", masq_error(r->m));
	else
		complain_line(r, r->words.line, r->words.start,
			      "%s (this kernel takes one command at a time: the %zu before it %s "
			      "done, none after it)",
			      masq_error(r->m), r->n, r->n == 1 ? "is" : "are");
	return 1;
}

/* Reads the text to its end and calls fn, unless it is NULL, for every command. Returns the status.
 */
static int each_command(struct restore *r, int (*fn)(struct restore *))
{
	struct words *w = &r->words;
	const char *why;
	int more, status = 0;

	words_start(w, r->text, r->size);
	while ((more = words_next(w)) > 0) {
		why = parse(r);
		if (why) {
			complain_line(r, w->line, w->start, "%s", why);
			return 2;
		}
		if (fn)
			status = fn(r);
		if (status)
			return status;
	}
	if (more < 0) {
		complain_line(r, w->line, w->start, "%s", w->error);
		return 2;
	}
	return 0;
}

/* A command that became impossible after it had been accepted, as others changed the table. */
static int complain_commit(const struct restore *r, int failed)
{
	unsigned long number = 1;
	const char *line;

	if (failed < 0 || (size_t)failed >= r->n)
		return complain("restore", "%s: %s", r->name, masq_error(r->m));
	line = r->starts[failed];
	for (const char *p = r->text; p < line; p++)
		number += *p == '\n';
	complain_line(r, number, line, "%s", masq_error(r->m));
	return 1;
}

static int transaction(struct restore *r)
{
	int failed = -1, status;

	if (masq_begin(r->m))
		return complain("restore", "%s", masq_error(r->m));
	status = each_command(r, carry_out);
	if (status) {
		masq_abort(r->m);
		return status;
	}
	return masq_commit(r->m, &failed) ? complain_commit(r, failed) : 0;
}

static int restore(struct restore *r, bool dry_run)
{
	int status = 0;

	if (masq_open(&r->m, NULL) || (dry_run && masq_dry_run(r->m, stdout)))
		status = complain("restore", "%s", masq_error(r->m));
	/* where there is no way back, a mistake is better found before the first step */
	if (!status && !masq_atomic(r->m))
		status = each_command(r, NULL);
	if (!status)
		status = transaction(r);
	if (!status && dry_run && (fflush(stdout) || ferror(stdout)))
		status = complain("restore", "cannot write: %s", strerror(errno));
	masq_close(r->m);
	free(r->starts);
	return status;
}

/* Reads all of fd. Returns 0 or an errno value. */
static int read_text(struct restore *r, int fd)
{
	struct stat st;
	size_t cap = fstat(fd, &st) || !S_ISREG(st.st_mode) ? 0 : (size_t)st.st_size;
	ssize_t n;

	/* one more, to see the end */
	cap = cap < 4096 ? 4096 : cap > TEXT_MAX ? TEXT_MAX + 1 : cap + 1;
	for (;;) {
		char *text = realloc(r->text, cap);

		if (!text)
			return ENOMEM;
		r->text = text;
		while (r->size < cap) {
			n = read(fd, r->text + r->size, cap - r->size);
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return n < 0 ? errno : 0;
			r->size += (size_t)n;
		}
		if (cap > TEXT_MAX)
			return EFBIG;
		cap = cap * 2 > TEXT_MAX ? TEXT_MAX + 1 : cap * 2;
	}
}

static int run(const char *path, bool check, bool dry_run)
{
	struct restore r = {.name = path ? path : "standard input"};
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	int err = fd < 0 ? errno : read_text(&r, fd);
	int status;

	if (fd > STDIN_FILENO)
		close(fd);
	if (err)
		status = complain("restore", "%s: %s", r.name, strerror(err));
	else
		status = check ? each_command(&r, NULL) : restore(&r, dry_run);
	free(r.text);
	return status;
}

static int restore_main(int argc, char *argv[])
{
	const char *path = NULL;
	bool check = false, dry_run = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			fputs(help, stdout);
			return fflush(stdout) ? 1 : 0;
		}
		if (!strcmp(argv[i], "--check")) {
			check = true;
		} else if (!strcmp(argv[i], "--dry-run")) {
			dry_run = true;
		} else if (argv[i][0] == '-' && argv[i][1]) {
			complain("restore",
				 "no option %s; \"ipmasqadm restore --help\" shows what there is",
				 argv[i]);
			return 2;
		} else if (path || !*argv[i]) {
			complain("restore", "\"%s\": one FILE is taken", argv[i]);
			return 2;
		} else {
			path = argv[i];
		}
	}
	if (check && dry_run) {
		complain("restore", "--check and --dry-run exclude each other");
		return 2;
	}
	return run(path && strcmp(path, "-") ? path : NULL, check, dry_run);
}

MASQMOD(restore) = {
	.abi = MASQMOD_ABI,
	.name = "restore",
	.summary = SUMMARY,
	.main = restore_main,
};
