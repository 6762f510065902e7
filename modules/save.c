// SPDX-License-Identifier: GPL-2.0-or-later
/* Every forward as the command line that makes it: what restore, or a shell, reads back. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "atomicfile.h"
#include "masq.h"
#include "masqmod.h"

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

/* A record and its place in the listing. */
struct entry {
	struct masq_record record;
	size_t place;
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

struct module {
	const char *name;
	const char *flush;
	int (*compare)(const void *, const void *);
	void (*print)(const struct masq_record *record, FILE *out);
	bool absent; /* this kernel hasn't got it */
	struct entries entries;
};

static int __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...)
{
	va_list ap;

	fputs("ipmasqadm: save: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/*
 * Services in the order of their names, so that a diff shows what changed. In each, the target that
 * serves last comes first: portfw -a puts a target at the head. A service on any address (0.0.0.0)
 * comes before those on the same port: "-L 0.0.0.0" in a command also matches what is on an exact
 * address.
 */
static int compare_portfw(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = ORDER(x->record.protocol, y->record.protocol);

	if (!d)
		d = ORDER(ntohl(x->record.laddr.s_addr), ntohl(y->record.laddr.s_addr));
	if (!d)
		d = ORDER(ntohs(x->record.lport), ntohs(y->record.lport));
	return d ? d : ORDER(y->place, x->place);
}

/* mfw -A appends. */
static int compare_mfw(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = ORDER(x->record.mark, y->record.mark);

	return d ? d : ORDER(x->place, y->place);
}

/* The newest entry is looked at first, and listed first. */
static int compare_autofw(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return ORDER(y->place, x->place);
}

/* An address as it is written, never a name. */
struct dotted {
	char text[MASQ_NAME_MAX];
};

static struct dotted dotted(uint32_t addr)
{
	struct dotted d;

	masq_host_name(d.text, (struct in_addr){addr}, true);
	return d;
}

static void print_portfw(const struct masq_record *r, FILE *out)
{
	fprintf(out, "ipmasqadm portfw -a -P %s -L %s %u -R %s %u -p %d\n",
		masq_protocol_name(r->protocol), dotted(r->laddr.s_addr).text, ntohs(r->lport),
		dotted(r->raddr.s_addr).text, ntohs(r->rport), r->pref);
}

static void print_mfw(const struct masq_record *r, FILE *out)
{
	fprintf(out, "ipmasqadm mfw -A -m %u -r %s", r->mark, dotted(r->raddr.s_addr).text);
	if (r->rport)
		fprintf(out, " %u", ntohs(r->rport));
	fprintf(out, " -p %d\n", r->pref);
}

static void print_autofw(const struct masq_record *r, FILE *out)
{
	const struct ip_autofw_user *u = &r->autofw;
	const char *protocol = masq_protocol_name((uint8_t)u->protocol);

	/* a 2.2 kernel takes it, though it can't serve anybody; restore would not */
	if (u->type == IP_FWD_RANGE && !u->ctlport && !u->where)
		fputs("# leads nowhere: ", out);
	if (u->type == IP_FWD_PORT)
		fprintf(out, "ipmasqadm autofw -A -p %s %u %s:%u", protocol, u->visible,
			dotted(u->where).text, u->hidden);
	else
		fprintf(out, "ipmasqadm autofw -A -%c %s %u %u",
			u->type == IP_FWD_DIRECT ? 'd' : 'r', protocol, u->low, u->high);
	if (u->ctlport)
		fprintf(out, " -c %s %u%s", masq_protocol_name((uint8_t)u->ctlproto), u->ctlport,
			u->flags & IP_AUTOFW_SECURE ? "" : " -i");
	else if (u->type == IP_FWD_RANGE)
		fprintf(out, " -h %s", dotted(u->where).text);
	fprintf(out, "%s\n", u->flags & IP_AUTOFW_USETIME ? "" : " -u");
}

static int keep(const struct masq_record *record, void *arg)
{
	struct entries *e = arg;

	/* a receiver is a state, not a forward */
	if (record->kind == MASQ_RECEIVER)
		return 0;
	if (e->n == e->cap) {
		size_t cap = e->cap ? e->cap * 2 : 64;
		struct entry *v = reallocarray(e->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		e->v = v;
		e->cap = cap;
	}
	e->v[e->n] = (struct entry){.record = *record, .place = e->n};
	e->n++;
	return 0;
}

/* A handle of its own: opening it makes a kernel load the module. */
static int load(struct module *mod)
{
	struct masq *m;
	int err = masq_open(&m, mod->name);

	if (!err)
		err = masq_list(m, mod->name, keep, &mod->entries);
	mod->absent = err == -ENOENT;
	if (err && !mod->absent)
		complain("%s: %s", mod->name, err == -ENOMEM ? "out of memory" : masq_error(m));
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
		for (size_t j = 0; j < modules[i].entries.n; j++)
			modules[i].print(&modules[i].entries.v[j].record, out);
}

static int write_out(const struct module *modules, size_t n, bool header, const char *path)
{
	struct atomicfile file;

	if (!path) {
		print(modules, n, header, stdout);
		if (fflush(stdout) || ferror(stdout))
			return complain("cannot write: %s", strerror(errno));
		return 0;
	}
	if (atomicfile_open(&file, path))
		return complain("%s: %s", path, file.error);
	print(modules, n, header, file.out);
	if (atomicfile_commit(&file))
		return complain("%s: %s", path, file.error);
	return 0;
}

static int save(bool header, const char *path)
{
	struct module modules[] = {
		{"portfw", "portfw -f", compare_portfw, print_portfw, false, {0}},
		{"mfw", "mfw -F", compare_mfw, print_mfw, false, {0}},
		{"autofw", "autofw -F", compare_autofw, print_autofw, false, {0}},
	};
	const size_t n = sizeof(modules) / sizeof(*modules);
	bool nothing = true;
	int status = 0;

	for (size_t i = 0; !status && i < n; i++) {
		struct entries *e = &modules[i].entries;

		status = load(&modules[i]) ? 1 : 0;
		nothing &= modules[i].absent;
		if (e->n)
			qsort(e->v, e->n, sizeof(*e->v), modules[i].compare);
	}
	/* nothing was asked, so an older save is worth more */
	if (!status && nothing)
		status = complain("this kernel has none of portfw, mfw and autofw");
	if (!status)
		status = write_out(modules, n, header, path);
	for (size_t i = 0; i < n; i++)
		free(modules[i].entries.v);
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
			complain("no option %s; \"ipmasqadm save --help\" shows what there is",
				 argv[i]);
			return 2;
		} else if (path || !*argv[i]) {
			complain("\"%s\": one FILE is taken", argv[i]);
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
