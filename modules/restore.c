// SPDX-License-Identifier: GPL-2.0-or-later
/* Carries out a file of ipmasqadm command lines at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commandfile.h"
#include "filetrust.h"
#include "report.h"
#include "masq.h"
#include "masqmod.h"

#define SUMMARY "carry out a file of command lines, all or nothing"

static const char help[] =
	"ipmasqadm restore: " SUMMARY "\n"
	"\n"
	"usage: ipmasqadm restore [--check | --dry-run] [--cut] [--force] [FILE | -]\n"
	"\n"
	"Carries out the ipmasqadm command lines in FILE, or in standard input.\n"
	"\n"
	"  --check     read everything and change nothing; the kernel is not asked\n"
	"  --dry-run   change nothing, print the equivalent nft commands\n"
	"  --cut       also end running connections whose portfw target is no longer theirs\n"
	"  --force     as root, read FILE also if others own it or may write it\n"
	"  -h, --help  print this\n"
	"\n"
	"With nf_tables the whole file is one transaction: after an error nothing has changed.\n"
	"A kernel with masquerading modules takes one command at a time; the file is read to\n"
	"its end first, and an error message says which commands are done.\n"
	"\n"
	"A line is a command of portfw, mfw, autofw or reach, with or without \"ipmasqadm\" and\n"
	"its directory in front. Comments, quotes, backslashes and continuation lines are a\n"
	"shell's; variables and everything else that needs a shell are errors. A file without\n"
	"flush commands adds to what is there. \"ipmasqadm save\" writes such files.\n";

struct restore {
	struct commandfile file;
	char *text;
	size_t size;
};

/* On a kernel that takes one command at a time, the ones before it are done. */
static int report_refused(const struct commandfile *f, struct masq *m, size_t i)
{
	if (masq_atomic(m) || !i)
		return commandfile_report(f, i, "%s", masq_error(m));
	return commandfile_report(f, i,
				  "%s (this kernel takes one command at a time: the %zu before it "
				  "%s done, none after it)",
				  masq_error(m), i, i == 1 ? "is" : "are");
}

static int transaction(struct commandfile *f, struct masq *m)
{
	int failed = -1;

	if (masq_begin(m))
		return report("restore", "%s", masq_error(m));
	for (size_t i = 0; i < f->n; i++) {
		if (masq_command(m, commandfile_take(f, i))) {
			int status = report_refused(f, m, i);

			masq_abort(m);
			return status;
		}
	}
	if (!masq_commit(m, &failed))
		return 0;
	/* accepted above: somebody else has changed the table, or a helper is
	 * missing */
	if (failed >= 0 && (size_t)failed < f->n)
		return commandfile_report(f, (size_t)failed, "%s", masq_error(m));
	return report("restore", "%s: %s", f->name, masq_error(m));
}

/* What the options say. */
struct how {
	bool check, dry_run, cut, force;
};

static int restore(struct commandfile *f, const struct how *how)
{
	struct masq *m;
	int status;

	if (masq_open(&m, NULL) || (how->dry_run && masq_dry_run(m, stdout)) ||
	    masq_cut(m, how->cut))
		status = report("restore", "%s", masq_error(m));
	else
		status = transaction(f, m);
	if (!status && how->dry_run && (fflush(stdout) || ferror(stdout)))
		status = report("restore", "cannot write: %s", strerror(errno));
	masq_close(m);
	return status;
}

/* Reads all of fd. Returns 0 or an errno value. */
static int read_text(struct restore *r, int fd)
{
	struct stat st;
	size_t cap = fstat(fd, &st) || !S_ISREG(st.st_mode) ? 0 : (size_t)st.st_size;
	ssize_t n;

	/* one byte more, to detect the end */
	cap = cap < 4096 ? 4096 : cap > COMMANDFILE_SIZE_MAX ? COMMANDFILE_SIZE_MAX + 1 : cap + 1;
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
		if (cap > COMMANDFILE_SIZE_MAX)
			return EFBIG;
		cap = cap * 2 > COMMANDFILE_SIZE_MAX ? COMMANDFILE_SIZE_MAX + 1 : cap * 2;
	}
}

static int report_untrusted(const char *path, const char *why)
{
	return report("restore",
		      "%s: refusing to read as root: %s; make it root's and writable by root "
		      "alone, or use --force",
		      path, why);
}

/* Reads the whole file and looks names up before the transaction begins, so
 * that no lock is held while a resolver is asked. */
static int run(const char *path, const struct how *how)
{
	char why[FILE_IS_TRUSTED_WHY];
	struct restore r = {.file.name = path ? path : "standard input"};
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	bool trusted = !path || fd < 0 || how->force || file_is_trusted(fd, why);
	int err = fd < 0 ? errno : trusted ? read_text(&r, fd) : 0;
	int status;

	if (fd > STDIN_FILENO)
		close(fd);
	r.file.text = r.text;
	r.file.size = r.size;
	if (err)
		status = report("restore", "%s: %s", r.file.name, strerror(err));
	else if (!trusted)
		status = report_untrusted(path, why);
	else
		status = commandfile_read(&r.file);
	if (!status && !how->check)
		status = restore(&r.file, how);
	commandfile_free(&r.file);
	free(r.text);
	return status;
}

static int restore_main(int argc, char *argv[])
{
	const char *path = NULL;
	struct how how = {0};

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			fputs(help, stdout);
			return fflush(stdout) ? 1 : 0;
		}
		if (!strcmp(argv[i], "--check")) {
			how.check = true;
		} else if (!strcmp(argv[i], "--dry-run")) {
			how.dry_run = true;
		} else if (!strcmp(argv[i], "--force")) {
			how.force = true;
		} else if (!strcmp(argv[i], "--cut")) {
			how.cut = true;
		} else if (argv[i][0] == '-' && argv[i][1]) {
			report("restore", "unknown option %s (see \"ipmasqadm restore --help\")",
			       argv[i]);
			return 2;
		} else if (path || !*argv[i]) {
			report("restore", "unexpected argument \"%s\"", argv[i]);
			return 2;
		} else {
			path = argv[i];
		}
	}
	if (how.check && how.dry_run) {
		report("restore", "--check and --dry-run are mutually exclusive");
		return 2;
	}
	return run(path && strcmp(path, "-") ? path : NULL, &how);
}

MASQMOD(restore) = {
	.abi = MASQMOD_ABI,
	.name = "restore",
	.summary = SUMMARY,
	.main = restore_main,
};
