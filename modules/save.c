// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes every forward as the command line that adds it, for restore or a
 * shell. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "report.h"
#include "masq.h"
#include "masqmod.h"
#include "savefile.h"

#define SUMMARY "print every forward as command lines, or write them to a file"

static const char help[] =
	"ipmasqadm save: " SUMMARY "\n"
	"\n"
	"usage: ipmasqadm save [--header] [FILE | -]\n"
	"\n"
	"Writes every forward as the ipmasqadm command line that adds it, after those that\n"
	"flush what is there. \"ipmasqadm restore\" reads them back; a shell can, too.\n"
	"Without FILE, or with -, they are printed.\n"
	"\n"
	"  --header    begin with a comment: version and date\n"
	"  -h, --help  print this\n"
	"\n"
	"FILE is replaced as a whole or not at all. It keeps its mode; a new one gets 0600.\n"
	"Symbolic links are followed.\n";

static void print(const struct savefile *s, bool header, FILE *out)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[32];

	if (header && gmtime_r(&now, &tm) && strftime(date, sizeof(date), "%FT%TZ", &tm))
		fprintf(out, "# ipmasqadm %s, %s\n", masq_version(), date);
	savefile_print(s, out);
}

/* True for /dev/stdout and the like, which are written to, not replaced. */
static bool is_stdout(const char *path)
{
	struct stat file, out;

	return !stat(path, &file) && !fstat(STDOUT_FILENO, &out) && file.st_dev == out.st_dev &&
	       file.st_ino == out.st_ino;
}

static int write_out(const struct savefile *s, bool header, const char *path)
{
	struct atomicfile file;

	if (!path || is_stdout(path)) {
		print(s, header, stdout);
		if (fflush(stdout) || ferror(stdout))
			return report("save", "cannot write: %s", strerror(errno));
		return 0;
	}
	if (atomicfile_open(&file, path))
		return report("save", "%s: %s", path, file.error);
	print(s, header, file.out);
	if (atomicfile_commit(&file))
		return report("save", "%s: %s", path, file.error);
	return 0;
}

static int load(struct savefile *s)
{
	const char *kind = NULL;
	struct masq *m;
	int err = masq_open(&m, NULL), status = 0;

	if (!err)
		err = savefile_load(s, m, &kind);
	if (err)
		status = report("save", "%s%s%s", kind ? kind : "", kind ? ": " : "",
				err == -ENOMEM ? "out of memory" : masq_error(m));
	else if (!s->kinds) /* do not replace an older save by an empty one */
		status = report("save", "this kernel has none of portfw, mfw and autofw");
	masq_close(m);
	return status;
}

static int save(bool header, const char *path)
{
	struct savefile s = {0};
	int status = load(&s);

	if (!status)
		status = write_out(&s, header, path);
	savefile_free(&s);
	return status;
}

static int save_main(int argc, char *argv[])
{
	const char *path = NULL;
	bool header = false;

	/* a file beyond the limit is an error: report it and remove the rest */
	signal(SIGXFSZ, SIG_IGN);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			fputs(help, stdout);
			return fflush(stdout) ? 1 : 0;
		}
		if (!strcmp(argv[i], "--header")) {
			header = true;
		} else if (argv[i][0] == '-' && argv[i][1]) {
			report("save", "unknown option %s (see \"ipmasqadm save --help\")",
			       argv[i]);
			return 2;
		} else if (path || !*argv[i]) {
			report("save", "unexpected argument \"%s\"", argv[i]);
			return 2;
		} else {
			path = argv[i];
		}
	}
	return save(header, path && strcmp(path, "-") ? path : NULL);
}

MASQMOD(save) = {
	.abi = MASQMOD_ABI,
	.name = "save",
	.summary = SUMMARY,
	.main = save_main,
};
