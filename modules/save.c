// SPDX-License-Identifier: GPL-2.0-or-later
/* Every forward as the command line that makes it: what restore, or a shell, reads back. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "complain.h"
#include "line.h"
#include "masq.h"
#include "masqmod.h"
#include "rank.h"

#define SUMMARY "print every forward as command lines, or write them to a file"

static const char help[] =
	"ipmasqadm save: " SUMMARY "\n"
	"\n"
	"usage: ipmasqadm save [--header] [FILE]\n"
	"\n"
	"Writes every forward of every module as the ipmasqadm command lines that make it,\n"
	"after those that flush what is there. \"ipmasqadm restore\" reads them back; a shell\n"
	"can, too. Without FILE they are printed.\n"
	"\n"
	"  --header    begin with a comment that tells version and date\n"
	"  -h, --help  print this\n"
	"\n"
	"FILE is replaced as a whole or not at all, keeps its mode, or gets 0600, and is\n"
	"looked for behind symbolic links.\n";

struct records {
	struct masq_record *v;
	size_t n, cap;
};

struct module {
	const char *name;
	const char *flush;
	/* Records are written by rising rank; those of the same rank as they were listed, or the
	 * last of them first. */
	uint64_t (*rank)(const struct masq_record *record);
	bool last_first;
	void (*line)(struct line *line, const struct masq_record *record);
	bool absent; /* this kernel hasn't got it */
	struct records records;
	struct rank *ranks, *sorted; /* of the records; sorted: in the order of writing */
};

/*
 * Services in the order of their names, so that a diff shows what changed. In each, the target that
 * serves last comes first: portfw -a puts a target at the head. A service on any address (0.0.0.0)
 * comes before those on the same port: "-L 0.0.0.0" in a command also matches what is on an exact
 * address.
 */
static uint64_t rank_portfw(const struct masq_record *r)
{
	return (uint64_t)r->protocol << 48 | (uint64_t)ntohl(r->laddr.s_addr) << 16 |
	       ntohs(r->lport);
}

/* mfw -A appends. */
static uint64_t rank_mfw(const struct masq_record *r)
{
	return r->mark;
}

/* The newest entry is looked at first, and listed first. */
static uint64_t rank_autofw(const struct masq_record *r __attribute__((unused)))
{
	return 0;
}

static void line_address(struct line *l, uint32_t addr)
{
	line_host(l, (struct in_addr){addr}, true);
}

static void line_portfw(struct line *l, const struct masq_record *r)
{
	line_text(l, "ipmasqadm portfw -a -P");
	line_text(l, masq_protocol_name(r->protocol));
	line_text(l, "-L");
	line_address(l, r->laddr.s_addr);
	line_number(l, ntohs(r->lport));
	line_text(l, "-R");
	line_address(l, r->raddr.s_addr);
	line_number(l, ntohs(r->rport));
	line_text(l, "-p");
	line_signed(l, r->pref);
}

static void line_mfw(struct line *l, const struct masq_record *r)
{
	line_text(l, "ipmasqadm mfw -A -m");
	line_number(l, r->mark);
	line_text(l, "-r");
	line_address(l, r->raddr.s_addr);
	if (r->rport)
		line_number(l, ntohs(r->rport));
	line_text(l, "-p");
	line_signed(l, r->pref);
}

static void line_autofw(struct line *l, const struct masq_record *r)
{
	const struct ip_autofw_user *u = &r->autofw;
	char where[MASQ_NAME_MAX + 8];

	line_text(l, u->type == IP_FWD_RANGE  ? "ipmasqadm autofw -A -r"
		     : u->type == IP_FWD_PORT ? "ipmasqadm autofw -A -p"
					      : "ipmasqadm autofw -A -d");
	line_text(l, masq_protocol_name((uint8_t)u->protocol));
	if (u->type == IP_FWD_PORT) {
		line_number(l, u->visible);
		masq_host_name(where, (struct in_addr){u->where}, true);
		snprintf(where + strlen(where), 8, ":%u", u->hidden);
		line_text(l, where);
	} else {
		line_number(l, u->low);
		line_number(l, u->high);
	}
	if (u->ctlport) {
		line_text(l, "-c");
		line_text(l, masq_protocol_name((uint8_t)u->ctlproto));
		line_number(l, u->ctlport);
		if (!(u->flags & IP_AUTOFW_SECURE))
			line_text(l, "-i");
	} else if (u->type == IP_FWD_RANGE) {
		line_text(l, "-h");
		line_address(l, u->where);
	}
	if (!(u->flags & IP_AUTOFW_USETIME))
		line_text(l, "-u");
}

/* A 2.2 kernel takes it, and nft(8) can make it, though it can't serve anybody; restore would not
 * take it. */
static bool leads_nowhere(const struct masq_record *r)
{
	if (r->kind != MASQ_AUTOFW)
		return !r->raddr.s_addr || (r->kind == MASQ_PORTFW && !r->rport);
	return r->autofw.type == IP_FWD_RANGE && !r->autofw.ctlport && !r->autofw.where;
}

/* Number i of those that are written. What can't be written, the stream remembers. */
static void print_record(const struct module *mod, size_t i, FILE *out)
{
	const struct masq_record *r = &mod->records.v[mod->sorted[i].index];
	struct line line;

	line_begin(&line, NULL);
	if (leads_nowhere(r))
		line_text(&line, "# leads nowhere:");
	mod->line(&line, r);
	line_print(&line, out);
}

static int keep(const struct masq_record *record, void *arg)
{
	struct records *r = arg;

	/* a receiver is a state, not a forward */
	if (record->kind == MASQ_RECEIVER)
		return 0;
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 64;
		struct masq_record *v = reallocarray(r->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n++] = *record;
	return 0;
}

static int sort(struct module *mod)
{
	size_t n = mod->records.n;

	mod->ranks = calloc(2 * n + 1, sizeof(*mod->ranks)); /* never of nothing */
	if (!mod->ranks)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t index = mod->last_first ? n - 1 - i : i;

		mod->ranks[i].minor = mod->rank(&mod->records.v[index]);
		mod->ranks[i].index = (uint32_t)index;
	}
	mod->sorted = rank_sort(mod->ranks, mod->ranks + n, n);
	return 0;
}

/* A handle of its own: opening it makes a kernel load the module. */
static int load(struct module *mod)
{
	struct masq *m;
	int err = masq_open(&m, mod->name);

	if (!err)
		err = masq_list(m, mod->name, keep, &mod->records);
	if (!err)
		err = sort(mod);
	mod->absent = err == -ENOENT;
	if (err && !mod->absent)
		complain("save", "%s: %s", mod->name,
			 err == -ENOMEM ? "out of memory" : masq_error(m));
	masq_close(m);
	return mod->absent ? 0 : err;
}

static void print(const struct module *modules, size_t n, bool header, FILE *out)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[32];

	if (header && gmtime_r(&now, &tm) && strftime(date, sizeof(date), "%FT%TZ", &tm))
		fprintf(out, "# ipmasqadm %s, %s\n", masq_version(), date);
	for (size_t i = 0; i < n; i++)
		if (!modules[i].absent)
			fprintf(out, "ipmasqadm %s\n", modules[i].flush);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < modules[i].records.n && !ferror(out); j++)
			print_record(&modules[i], j, out);
}

/* /dev/stdout and the like: what is open there is written to, not replaced. */
static bool is_stdout(const char *path)
{
	struct stat file, out;

	return !stat(path, &file) && !fstat(STDOUT_FILENO, &out) && file.st_dev == out.st_dev &&
	       file.st_ino == out.st_ino;
}

static int write_out(const struct module *modules, size_t n, bool header, const char *path)
{
	struct atomicfile file;

	if (!path || is_stdout(path)) {
		print(modules, n, header, stdout);
		if (fflush(stdout) || ferror(stdout))
			return complain("save", "cannot write: %s", strerror(errno));
		return 0;
	}
	if (atomicfile_open(&file, path))
		return complain("save", "%s: %s", path, file.error);
	print(modules, n, header, file.out);
	if (atomicfile_commit(&file))
		return complain("save", "%s: %s", path, file.error);
	return 0;
}

static int save(bool header, const char *path)
{
	struct module modules[] = {
		{"portfw", "portfw -f", rank_portfw, true, line_portfw, false, {0}, NULL, NULL},
		{"mfw", "mfw -F", rank_mfw, false, line_mfw, false, {0}, NULL, NULL},
		{"autofw", "autofw -F", rank_autofw, true, line_autofw, false, {0}, NULL, NULL},
	};
	const size_t n = sizeof(modules) / sizeof(*modules);
	bool nothing = true;
	int status = 0;

	for (size_t i = 0; !status && i < n; i++) {
		status = load(&modules[i]) ? 1 : 0;
		nothing &= modules[i].absent;
	}
	/* nothing was asked, so an older save is worth more */
	if (!status && nothing)
		status = complain("save", "this kernel has none of portfw, mfw and autofw");
	if (!status)
		status = write_out(modules, n, header, path);
	for (size_t i = 0; i < n; i++) {
		free(modules[i].records.v);
		free(modules[i].ranks);
	}
	return status;
}

static int save_main(int argc, char *argv[])
{
	const char *path = NULL;
	bool header = false;

	/* a file beyond the limit is an error to report, and the half of it to be removed */
	signal(SIGXFSZ, SIG_IGN);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			fputs(help, stdout);
			return fflush(stdout) ? 1 : 0;
		}
		if (!strcmp(argv[i], "--header")) {
			header = true;
		} else if (argv[i][0] == '-') {
			complain("save",
				 "no option %s; \"ipmasqadm save --help\" shows what there is",
				 argv[i]);
			return 2;
		} else if (path || !*argv[i]) {
			complain("save", "\"%s\": one FILE is taken", argv[i]);
			return 2;
		} else {
			path = argv[i];
		}
	}
	return save(header, path);
}

MASQMOD(save) = {
	.abi = MASQMOD_ABI,
	.name = "save",
	.summary = SUMMARY,
	.main = save_main,
};
