// SPDX-License-Identifier: GPL-2.0-or-later
/* Carries a request out and prints: the only part of a forwarding plugin with side effects. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "complain.h"

/* A full disk or a closed pipe shows at the latest here. */
static int finish(const char *module, int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	return complain(module, "cannot write: %s", strerror(errno ? errno : EIO));
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
	int err = object_begin(&o);

	if (err)
		return err;
	l->plugin->object(&o, record);
	object_number(&o, "served", record->kind == MASQ_RECEIVER ? MASQ_UNKNOWN : record->served);
	object_text(&o, "transport", l->transport);
	fputs(l->begun ? ",\n " : "[\n ", stdout);
	return object_print(&o);
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
		if (record->kind == MASQ_RECEIVER || record->served == MASQ_UNKNOWN)
			line_text(&line, "-");
		else
			line_number(&line, record->served);
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

/* Nothing is printed unless all could be read. */
static int list(const struct cli_plugin *plugin, const struct request *req, struct masq *m)
{
	struct listing l = {.plugin = plugin, .req = req, .transport = masq_transport(m)};
	const char *module = plugin->syntax->module;
	int err = masq_list(m, module, print_record, &l);

	if (err && !l.failed)
		return complain(module, "%s", masq_error(m));
	if (!err && req->json)
		fputs(l.begun ? "\n]\n" : "[]\n", stdout);
	else if (!err && !l.begun)
		err = print_line(&l, NULL);
	return err ? complain(module, "cannot write: %s", strerror(-err)) : 0;
}

/* A query's 1 is an answer. */
static int fail(const struct request *req, const char *module, const char *why)
{
	complain(module, "%s", why);
	return req->action == ACT_QUERY ? 2 : 1;
}

static int run(const struct cli_plugin *plugin, const struct request *req, struct masq *m)
{
	const char *module = plugin->syntax->module;
	int err = 0;

	switch (req->action) {
	case ACT_LIST:
		return list(plugin, req, m);
	case ACT_QUERY:
		err = masq_find(m, &req->ctl);
		if (err >= 0)
			return err ? 0 : 1;
		break;
	default:
		if (req->dry_run)
			err = masq_dry_run(m, stdout);
		if (!err)
			err = masq_ctl(m, &req->ctl);
		if (!err && req->verbose && plugin->remark)
			plugin->remark(req);
	}
	return err ? fail(req, module, masq_error(m)) : 0;
}

int cli_main(const struct cli_plugin *plugin, int argc, char *argv[])
{
	const struct cli_syntax *syntax = plugin->syntax;
	struct request req;
	struct masq *m;
	int status;

	if (argc < 2) {
		help_usage(stderr, syntax);
		return 2;
	}
	status = plugin->parse(&req, argc, argv);
	if (status) {
		complain(syntax->module, "%s", req.error);
		return status;
	}
	if (req.action == ACT_HELP) {
		help_print(syntax);
		return finish(syntax->module, 0);
	}
	if (req.json && !object_available()) {
		complain(syntax->module, "--json: this program was built without JSON (jansson)");
		return 2;
	}
	if (masq_open(&m, syntax->module) < 0)
		status = fail(&req, syntax->module, masq_error(m));
	else
		status = run(plugin, &req, m);
	masq_close(m);
	return status ? status : finish(syntax->module, 0);
}
