/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the forwarding plugins share: reading a command line by tables (args.c), carrying it out and
 * printing (cli.c, json.c). A plugin is its tables, how operands become a message, and its rows.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stdint.h>

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

/* Letters of options; "r|p|d" is exactly one of them. -n goes with everything, --dry-run with
 * ACT_CTL, -v and -j with ACT_LIST. */
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

/* Operands to values, with look-ups unless req->numeric. 0 or 2. */
int args_protocol(struct request *req, uint8_t *out, const char *word);
int args_address(struct request *req, uint32_t *out, const char *word); /* network order */
int args_port(struct request *req, uint16_t *out, const char *word, uint8_t protocol); /* host */
int args_pref(struct request *req, int32_t *out, const char *word, uint32_t min);

/* One flat JSON object in the making (json.c). */
struct json;
void json_text(struct json *object, const char *name, const char *text);  /* NULL: null */
void json_number(struct json *object, const char *name, uint64_t number); /* MASQ_UNKNOWN: null */
void json_bool(struct json *object, const char *name, bool value);
void json_address(struct json *object, const char *name, uint32_t addr);

/* Prints an array of objects: begin, (open, close)..., end. 0 or negative errno. */
bool json_available(void);
int json_begin(void);
struct json *json_open(void);
int json_close(struct json *object);
int json_end(void);

struct cli_plugin {
	const struct cli_syntax *syntax;
	int (*parse)(struct request *req, int argc, char *argv[]);
	/* One line each, with newline; negative where writing failed, as printf(). */
	int (*header)(const struct request *req);
	int (*row)(const struct request *req, const struct masq_record *record);
	void (*object)(struct json *object, const struct masq_record *record);
	/* After success, with -v: what the user may want to know. May be NULL. */
	void (*remark)(const struct request *req);
};

/* Runs a command line and returns the exit status. */
int cli_main(const struct cli_plugin *plugin, int argc, char *argv[]);

#endif
