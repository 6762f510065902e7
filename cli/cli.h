/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the command line of a forwarding plugin. A plugin is the columns of its
 * listing and what a record puts there; the rest is its kind's (lib/core). */
#ifndef CLI_H
#define CLI_H

#include "json.h"
#include "line.h"
#include "masq.h"

struct cli_plugin {
	const char *kind; /* "portfw" */
	const char *summary;
	/* The listing, and what a record puts into its columns; with names
	 * unless numeric. */
	const struct line_column *columns;
	void (*row)(struct line *line, const struct masq_record *record, bool numeric);
	void (*object)(struct object *o, const struct masq_record *record);
	/* After success, with -v: prints what the user may want to know.
	 * transport is masq_transport()'s. May be NULL. */
	void (*remark)(const struct masq_command *command, const char *transport);
};

/* Returns the exit status. */
int cli_main(const struct cli_plugin *plugin, int argc, char *argv[]);

#endif
