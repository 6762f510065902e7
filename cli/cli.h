/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the forwarding plugins share: reading a command line by tables (args.c, values.c), carrying
 * it out and printing (cli.c, help.c, json.c). A plugin is its tables, how operands become a
 * message, and its rows.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "line.h"
#include "masq.h"

/* A command line, understood. */
struct request {
	enum action { ACT_NONE, ACT_CTL, ACT_QUERY, ACT_LIST, ACT_HELP } action;
	struct ip_masq_ctl ctl;
	bool numeric, verbose, json, dry_run;
	char error[512];
};

/*
 * argv[0] is the module name, as for a plugin. Returns 0, or 2 with the reason in req->error,
 * without a program name. Prints nothing, keeps nothing, asks nobody but the resolver (and that not
 * with -n), and leaves argv as it was.
 */
int portfw_parse(struct request *req, int argc, char *argv[]);
int mfw_parse(struct request *req, int argc, char *argv[]);
int autofw_parse(struct request *req, int argc, char *argv[]);

/* An option with operands, or without: then operands is "". */
struct cli_option {
	char letter;
	const char *operands; /* "LADDR LPORT"; in brackets what may be left out: "RADDR [RPORT]" */
	const char *help;
};

/* needs and takes: letters of options; "r|p|d" in needs is exactly one of them. */
struct cli_command {
	char letter;
	enum action action;
	int m_cmd;
	const char *needs;
	const char *takes;
	const char *help;
};

struct cli_syntax {
	const char *module;
	const char *summary;
	const struct cli_option *options;
	unsigned int option_count;
	const struct cli_command *commands;
	unsigned int command_count;
	/* Sets req->error to what an old or likely misspelling ought to be and returns true, or
	 * returns false. letter: the option that is unknown; 0: there is no command. May be NULL.
	 */
	bool (*advise)(struct request *req, char letter, int argc, char *argv[]);
};

/* Options of every plugin: the commands whose action is a bit of actions take them, and those that
 * name the letter. */
struct cli_flag {
	char letter;      /* or 0 */
	const char *word; /* its long form, else its short one */
	const char *help;
	unsigned int actions;
};

enum cli_flag_row { FLAG_NUMERIC, FLAG_VERBOSE, FLAG_JSON, FLAG_DRY_RUN, FLAG_HELP, FLAG_COUNT };

extern const struct cli_flag cli_flags[FLAG_COUNT];

#define OPTIONS_MAX 8
#define OPERANDS_MAX 3

/* What was given: words of argv, by row of syntax->options. */
struct cli_given {
	const struct cli_command *command;
	bool option[OPTIONS_MAX];
	const char *operand[OPTIONS_MAX][OPERANDS_MAX];
};

/* Sets req->error and returns 2. */
int args_fail(struct request *req, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads argv by the tables, clears req and fills in action, flags and the head of ctl. 0 or 2. */
int args_read(struct request *req, const struct cli_syntax *syntax, struct cli_given *given,
	      int argc, char *argv[]);

/* Whether "10.0.0.1:80" or "10.0.0.1/80" was given where two words are meant; then req->error says
 * so. After a slash, a number below slash_from is taken for a netmask. */
bool args_is_address_port(struct request *req, const char *word, uint32_t slash_from);

/* Operands to values (values.c), with look-ups unless req->numeric. 0 or 2. */
int args_protocol(struct request *req, uint8_t *out, const char *word);
int args_address(struct request *req, uint32_t *out, const char *word); /* network order */
int args_port(struct request *req, uint16_t *out, const char *word, uint8_t protocol); /* host */
int args_pref(struct request *req, int32_t *out, const char *word, uint32_t min);

bool args_flag_goes_with(const struct cli_command *command, enum cli_flag_row row);

/* Help (help.c): a line per command, and everything. */
void help_usage(FILE *out, const struct cli_syntax *syntax);
void help_print(const struct cli_syntax *syntax);

/* A flat JSON object in the making (json.c). What goes wrong on the way, object_print() tells. */
struct object {
	void *json;
	bool failed;
};

void object_text(struct object *o, const char *name, const char *text);  /* NULL: null */
void object_number(struct object *o, const char *name, uint64_t number); /* MASQ_UNKNOWN: null */
void object_bool(struct object *o, const char *name, bool value);
void object_address(struct object *o, const char *name, struct in_addr addr);
/* Whether this was built with JSON; if not, the others do nothing or fail. */
bool object_available(void);
/* 0 or -ENOMEM */
int object_begin(struct object *o);
/* To stdout, and frees it. 0 or negative errno. */
int object_print(struct object *o);

struct cli_plugin {
	const struct cli_syntax *syntax;
	int (*parse)(struct request *req, int argc, char *argv[]);
	/* The listing, and what a record puts into its columns; with names unless numeric. */
	const struct line_column *columns;
	void (*row)(struct line *line, const struct masq_record *record, bool numeric);
	void (*object)(struct object *o, const struct masq_record *record);
	/* After success, with -v: says what the user may want to know. May be NULL. */
	void (*remark)(const struct request *req);
};

/* Runs a command line and returns the exit status. */
int cli_main(const struct cli_plugin *plugin, int argc, char *argv[]);

#endif
