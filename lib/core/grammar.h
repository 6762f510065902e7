/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines by tables. Pure: names are looked up by whoever asks for it, so
 * that comments and command lines are read by the same code.
 */
#ifndef GRAMMAR_H
#define GRAMMAR_H

#include "address.h"
#include "error.h"

/* An option with operands, or without: then operands is "". */
struct option_spec {
	char letter;
	const char *operands; /* "LADDR LPORT"; in brackets what may be left out: "RADDR [RPORT]" */
	const char *help;
};

enum action { ACT_NONE, ACT_DO, ACT_QUERY, ACT_LIST, ACT_HELP };

/* needs and takes: letters of options; "r|p|d" in needs is exactly one of them.
 * A command with operands of its own needs the option of its letter, which has
 * them. */
struct command_spec {
	char letter;
	enum action action;
	enum masq_verb verb;
	const char *needs;
	const char *takes;
	const char *help;
};

/* An option of every kind: the commands whose action is a bit of actions take
 * it, and those that name the letter. */
struct flag_spec {
	char letter;      /* or 0 */
	const char *word; /* its long form, else its short one */
	const char *help;
	unsigned int actions;
	char sign; /* names it in takes where it has no letter; or 0 */
};

#define OPTIONS_MAX 10
#define OPERANDS_MAX 3
#define FLAGS_MAX 8

struct syntax {
	const char *kind;
	const char *summary;
	const struct option_spec *options;
	unsigned int option_count; /* at most OPTIONS_MAX */
	const struct command_spec *commands;
	unsigned int command_count;
	/* Sets the error to what an old or likely misspelling ought to be and
	 * returns true, or returns false. letter: the option that is unknown;
	 * 0: there is no command. May be NULL. */
	bool (*advise)(struct error *e, char letter, int argc, char *argv[]);
};

/* What was given: words of argv, by row of syntax->options. */
struct given {
	const struct command_spec *command; /* NULL: help is asked for */
	/* 0: not given; else higher for options that came later */
	unsigned int option[OPTIONS_MAX];
	bool flag[FLAGS_MAX]; /* by row of the flags */
	/* NULL: none; of rows that the syntax has */
	const char *operand[OPTIONS_MAX][OPERANDS_MAX];
};

/* The flags that grammar_read() is told of. help: the row that ends reading. */
struct flags {
	const struct flag_spec *specs;
	unsigned int count; /* at most FLAGS_MAX */
	unsigned int help;
};

/* Reads argv[1] on. A repeated option's last value counts, a repeated flag is
 * harmless. 0 or -EINVAL with the error set. */
int grammar_read(const struct syntax *syntax, const struct flags *flags, struct given *given,
		 int argc, char *argv[], struct error *e);

bool grammar_goes_with(const struct command_spec *command, char letter);
bool grammar_flag_goes_with(const struct command_spec *command, const struct flag_spec *flag);
/* Whether any command goes with it. */
bool grammar_has_flag(const struct syntax *syntax, const struct flag_spec *flag);

#endif
