// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "commandfile.h"
#include "commands.h"
#include "report.h"
#include "request.h"
#include "words.h"

/* True for "ipmasqadm", also with a directory that ends in sbin or bin. */
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

/* Length of the line continuation at p, or 0. */
static size_t continuation(const char *p, const char *end)
{
	size_t n = *p == '\\' ? words_line_end(p + 1, end) : 0;

	return n ? n + 1 : 0;
}

/* Quotes the command line that begins here, from the kind's name on. */
static void quote(char *out, size_t size, const struct commandfile *f, const char *line)
{
	const char *end = f->text + f->size;
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
	while (line < end && !words_line_end(line, end) && n < size - 4) {
		skip = continuation(line, end);
		if (!skip)
			out[n++] = *line++;
		line += skip;
	}
	if (line < end && !words_line_end(line, end))
		n += (size_t)sprintf(out + n, "...");
	while (n && strchr(" \t\\", out[n - 1]))
		n--;
	out[n] = '\0';
}

static void report_line(const struct commandfile *f, const char *line, unsigned long number,
			const char *why)
{
	char quoted[160];

	quote(quoted, sizeof(quoted), f, line);
	report("restore", "%s:%lu: %s: %s", f->name, number, quoted, why);
}

int commandfile_report(const struct commandfile *f, size_t i, const char *fmt, ...)
{
	char why[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	report_line(f, f->text + f->places[i].start, f->places[i].line, why);
	return 1;
}

/* Fills in req. Returns NULL, or why it cannot. */
static const char *read_request(struct request *req, int argc, char *argv[])
{
	bool named = is_program(*argv, strlen(*argv));
	const struct kind *k;

	if (named) {
		argv++;
		argc--;
	}
	k = argc ? kind_find(*argv) : NULL;
	if (!k && named)
		return "after ipmasqadm comes portfw, mfw, autofw or reach";
	if (!k)
		return "neither ipmasqadm nor portfw, mfw, autofw or reach, and no shell reads "
		       "this";
	if (request_read(req, k, argc, argv))
		return req->error.text;
	if (req->action != ACT_DO)
		return "only commands that change something can be restored";
	if (req->dry_run)
		return "--dry-run is for the whole file: give it to restore";
	if (req->cut)
		return "--cut is for the whole file: give it to restore";
	return NULL;
}

static int append(struct commandfile *f, const struct masq_command *c, const struct words *w)
{
	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 256;
		struct commandfile_place *v = reallocarray(f->places, cap, sizeof(*v));

		if (!v)
			return report("restore", "out of memory");
		f->places = v;
		f->cap = cap;
	}
	if (commands_add(f->commands, c) < 0)
		return report("restore", "out of memory");
	f->places[f->n++] =
		(struct commandfile_place){(uint32_t)(w->start - f->text), (uint32_t)w->line};
	return 0;
}

int commandfile_read(struct commandfile *f)
{
	struct request req;
	struct words w;
	const char *why;
	int more;

	f->commands = calloc(1, sizeof(*f->commands));
	if (!f->commands)
		return report("restore", "out of memory");
	words_start(&w, f->text, f->size);
	while ((more = words_next(&w)) > 0) {
		why = read_request(&req, w.argc, w.argv);
		if (why) {
			report_line(f, w.start, w.line, why);
			return 2;
		}
		if (append(f, &req.command, &w))
			return 1;
	}
	if (more < 0) {
		report_line(f, w.start, w.line, w.error);
		return 2;
	}
	return 0;
}

const struct masq_command *commandfile_take(struct commandfile *f, size_t i)
{
	commands_forget(f->commands, i);
	return commands_nth(f->commands, i);
}

void commandfile_free(struct commandfile *f)
{
	if (f->commands)
		commands_free(f->commands);
	free(f->commands);
	free(f->places);
	f->commands = NULL;
	f->places = NULL;
	f->n = f->cap = 0;
}
