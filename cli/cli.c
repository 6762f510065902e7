// SPDX-License-Identifier: GPL-2.0-or-later
/* Carries out a request and prints the result. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "report.h"
#include "help.h"
#include "request.h"
#include "stream.h"

/* Reports errors of stdout, such as a full disk or a closed pipe. */
static int finish(const char *kind, int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	return report(kind, "cannot write: %s", strerror(errno ? errno : EIO));
}

/* The column that -v adds. */
static const struct line_column served[] = {{"connections", 11}, {NULL, 0}};

struct listing {
	const struct cli_plugin *plugin;
	const struct request *req;
	const char *transport;
	bool begun;  /* something has been printed */
	bool failed; /* the error is ours, not the library's */
};

static int print_object(struct listing *l, const struct masq_record *record)
{
	struct object o;

	fputs(l->begun ? ",\n " : "[\n ", stdout);
	object_begin(&o, stdout);
	l->plugin->object(&o, record);
	if (record->has & MASQ_HAS_SERVED)
		object_number(&o, "served", record->served);
	else
		object_null(&o, "served");
	object_text(&o, "transport", l->transport);
	return object_end(&o);
}

static int print_header(const struct listing *l)
{
	struct line line;

	line_begin(&line, l->plugin->columns);
	line_names(&line);
	if (l->req->verbose) {
		line_continue(&line, served);
		line_names(&line);
	}
	return line_print(&line, stdout);
}

static int print_row(const struct listing *l, const struct masq_record *record)
{
	struct line line;

	line_begin(&line, l->plugin->columns);
	l->plugin->row(&line, record, l->req->numeric);
	if (l->req->verbose) {
		line_continue(&line, served);
		if (record->has & MASQ_HAS_SERVED)
			line_number(&line, record->served);
		else
			line_text(&line, "-");
	}
	return line_print(&line, stdout);
}

static int print_line(const struct listing *l, const struct masq_record *record)
{
	if (!l->begun && print_header(l) < 0)
		return -errno;
	return record && print_row(l, record) < 0 ? -errno : 0;
}

static int print_record(const struct masq_record *record, void *arg)
{
	struct listing *l = arg;
	int err = l->req->json ? print_object(l, record) : print_line(l, record);

	l->begun = true;
	l->failed = err != 0;
	return err;
}

/* Prints nothing unless everything could be read. */
static int list(const struct cli_plugin *plugin, const struct request *req, struct masq *m)
{
	struct listing l = {.plugin = plugin, .req = req, .transport = masq_transport(m)};
	static char *buf; /* stdout's to the end */
	int err;

	if (!isatty(STDOUT_FILENO))
		stream_widen(stdout, &buf);
	err = masq_list(m, MASQ_KIND(req->command.kind), print_record, &l);
	if (err && !l.failed)
		return report(plugin->kind, "%s", masq_error(m));
	if (!err && req->json)
		fputs(l.begun ? "\n]\n" : "[]\n", stdout);
	else if (!err && !l.begun)
		err = print_line(&l, NULL);
	return err ? report(plugin->kind, "cannot write: %s", strerror(-err)) : 0;
}

static int change(const struct cli_plugin *plugin, const struct request *req, struct masq *m)
{
	int err = req->dry_run ? masq_dry_run(m, stdout) : 0;

	if (!err && req->cut)
		err = masq_cut(m, true);
	if (!err)
		err = masq_command(m, &req->command);
	if (!err && req->verbose && !req->dry_run && plugin->remark)
		plugin->remark(&req->command, masq_transport(m));
	return err;
}

/* Exit status 1 of a query is an answer, so its errors are 2. */
static int report_failure(const struct request *req, const char *kind, const char *why)
{
	report(kind, "%s", why);
	return req->action == ACT_QUERY ? 2 : 1;
}

static int run(const struct cli_plugin *plugin, const struct request *req, struct masq *m)
{
	int err;

	if (req->action == ACT_LIST)
		return list(plugin, req, m);
	if (req->action == ACT_QUERY) {
		err = masq_find(m, &req->command);
		if (err >= 0)
			return err ? 0 : 1;
	} else {
		err = change(plugin, req, m);
	}
	return err ? report_failure(req, plugin->kind, masq_error(m)) : 0;
}

int cli_main(const struct cli_plugin *plugin, int argc, char *argv[])
{
	const struct kind *kind = kind_find(plugin->kind);
	struct request req;
	const char *why;
	struct masq *m;
	int status;

	if (argc < 2) {
		help_usage(stderr, kind->syntax);
		return 2;
	}
	if (request_read(&req, kind, argc, argv)) {
		report(plugin->kind, "%s", req.error.text);
		return 2;
	}
	if (req.action == ACT_HELP) {
		help_print(kind->syntax, plugin->summary);
		return finish(plugin->kind, 0);
	}
	if (req.json && !object_available(&why)) {
		report(plugin->kind, "--json needs jansson: %s", why);
		return 1;
	}
	if (masq_open(&m, plugin->kind) < 0)
		status = report_failure(&req, plugin->kind, masq_error(m));
	else
		status = run(plugin, &req, m);
	masq_close(m);
	return status ? status : finish(plugin->kind, 0);
}
