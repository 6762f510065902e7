// SPDX-License-Identifier: GPL-2.0-or-later
/* Carries a request out and prints: the only part of a forwarding plugin with side effects. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static int complain(const char *module, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int complain(const char *module, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "ipmasqadm: %s: ", module);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

/* A full disk or a closed pipe shows at the latest here. */
static int finish(const char *module, int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	return complain(module, "cannot write: %s", strerror(errno ? errno : EIO));
}

const char *cli_served(char buf[CLI_SERVED_MAX], const struct request *req,
		       const struct masq_record *record)
{
	if (!req->verbose)
		*buf = '\0';
	else if (record->kind == MASQ_RECEIVER || record->served == MASQ_UNKNOWN)
		snprintf(buf, CLI_SERVED_MAX, " %11s", "-");
	else
		snprintf(buf, CLI_SERVED_MAX, " %11" PRIu64, record->served);
	return buf;
}

const char *cli_number(char buf[CLI_NUMBER_MAX], int64_t number)
{
	uint64_t n = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	char *p = buf + CLI_NUMBER_MAX;

	*--p = '\0';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	if (number < 0)
		*--p = '-';
	return memmove(buf, p, (size_t)(buf + CLI_NUMBER_MAX - p));
}

/* Appends a text, padded to a width; returns where the next one goes. */
static char *put_cell(char *out, const char *text, int width)
{
	size_t len = strnlen(text, MASQ_NAME_MAX), want = (size_t)abs(width);
	size_t pad = len < want ? want - len : 0;

	if (width < 0) {
		memcpy(out, text, len);
		memset(out + len, ' ', pad);
	} else {
		memset(out, ' ', pad);
		memcpy(out + pad, text, len);
	}
	return out + len + pad;
}

int cli_line(const int widths[], const char *const cells[], const char *tail)
{
	char line[(CLI_CELLS_MAX + 1) * (MASQ_NAME_MAX + 1) + 1], *p = line;

	for (size_t i = 0; widths[i] && i < CLI_CELLS_MAX; i++) {
		if (i)
			*p++ = ' ';
		p = put_cell(p, cells[i], widths[i]);
	}
	p = put_cell(p, tail, 0);
	*p++ = '\n';
	return fwrite(line, 1, (size_t)(p - line), stdout) == (size_t)(p - line) ? 0 : -1;
}

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

static int print_line(struct listing *l, const struct masq_record *record)
{
	if (!l->begun && l->plugin->header(l->req) < 0)
		return -errno;
	return record && l->plugin->row(l->req, record) < 0 ? -errno : 0;
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
	return err ? complain(module, "%s", masq_error(m)) : 0;
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
		status = complain(syntax->module, "%s", masq_error(m));
	else
		status = run(plugin, &req, m);
	masq_close(m);
	return status ? status : finish(syntax->module, 0);
}
