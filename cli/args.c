// SPDX-License-Identifier: GPL-2.0-or-later
/* Command lines by tables. Pure but for name look-ups: restore reads thousands in one process. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

int args_fail(struct request *req, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(req->error, sizeof(req->error), fmt, ap);
	va_end(ap);
	return 2;
}

const struct cli_flag cli_flags[FLAG_COUNT] = {
	[FLAG_NUMERIC] = {'n', "-n", "no look-ups: numbers only, in and out",
			  1 << ACT_CTL | 1 << ACT_QUERY | 1 << ACT_LIST},
	[FLAG_VERBOSE] = {'v', "-v", "say more; in a listing, also how many connections went there",
			  1 << ACT_LIST},
	[FLAG_JSON] = {'j', "--json", "print JSON", 1 << ACT_LIST},
	[FLAG_DRY_RUN] = {0, "--dry-run", "change nothing, print what nft(8) would have to be told",
			  1 << ACT_CTL},
	[FLAG_HELP] = {'h', "--help", "print this", ~0u},
};

/* The state of one reading. */
struct reader {
	struct request *req;
	const struct cli_syntax *syntax;
	struct cli_given *given;
	bool flag[FLAG_COUNT];
	char **argv;
	int argc, next; /* next: index of the first word not read */
};

/* How many operands there may be, and how many there must be. */
static unsigned int count_operands(const char *spec, unsigned int *required)
{
	unsigned int n = 0;

	*required = 0;
	while (*spec) {
		n++;
		*required += *spec != '[';
		spec += strcspn(spec, " ");
		spec += *spec == ' ';
	}
	return n;
}

static const char *nth_operand(const char *spec, unsigned int n)
{
	while (n--)
		spec = strchr(spec, ' ') + 1;
	return spec;
}

/* "-5" is a value gone wrong, not an option. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && !isdigit((unsigned char)word[1]);
}

static int read_operands(struct reader *r, unsigned int row, const char *glued)
{
	const struct cli_option *o = &r->syntax->options[row];
	const char **operand = r->given->operand[row];
	unsigned int required, max = count_operands(o->operands, &required), n = 0;
	const char *name;

	if (*glued)
		operand[n++] = glued;
	while (n < max && r->next < r->argc && !is_option(r->argv[r->next]))
		operand[n++] = r->argv[r->next++];
	if (n >= required)
		return 0;
	if (n == 1 && args_is_address_port(r->req, operand[0], 0))
		return 2;
	name = nth_operand(o->operands, n);
	return args_fail(r->req, "-%c takes %s: %.*s is missing", o->letter, o->operands,
			 (int)strcspn(name, " "), name);
}

static int read_command(struct reader *r, const struct cli_command *command)
{
	const struct cli_command *before = r->given->command;

	if (before == command)
		return args_fail(r->req, "-%c is given twice", command->letter);
	if (before)
		return args_fail(r->req, "-%c and -%c are two commands: give one of them",
				 before->letter, command->letter);
	r->given->command = command;
	return 0;
}

static int read_flag(struct reader *r, const char *word, enum cli_flag_row row)
{
	if (r->flag[row])
		return args_fail(r->req, "%s is given twice", word);
	r->flag[row] = true;
	return 0;
}

static int fail_unknown(struct reader *r, const char *word)
{
	return args_fail(r->req, "no option %s; \"ipmasqadm %s --help\" shows what there is", word,
			 r->syntax->module);
}

static int read_long(struct reader *r, const char *word)
{
	for (int i = 0; i < FLAG_COUNT; i++)
		if (!strcmp(word, cli_flags[i].word))
			return read_flag(r, word, (enum cli_flag_row)i);
	return fail_unknown(r, word);
}

/* Reads one letter of a cluster; rest is what follows it. Operands take the rest and *done is set.
 */
static int read_letter(struct reader *r, char letter, const char *rest, bool *done)
{
	const struct cli_syntax *s = r->syntax;
	const char name[] = {'-', letter, '\0'};

	for (unsigned int i = 0; i < s->option_count; i++) {
		if (s->options[i].letter != letter)
			continue;
		if (r->given->option[i])
			return args_fail(r->req, "%s is given twice", name);
		r->given->option[i] = true;
		*done = *s->options[i].operands;
		return *done ? read_operands(r, i, rest) : 0;
	}
	for (unsigned int i = 0; i < s->command_count; i++)
		if (s->commands[i].letter == letter)
			return read_command(r, &s->commands[i]);
	for (int i = 0; i < FLAG_COUNT; i++)
		if (cli_flags[i].letter == letter)
			return read_flag(r, name, (enum cli_flag_row)i);
	if (s->advise && s->advise(r->req, letter, r->argc, r->argv))
		return 2;
	return fail_unknown(r, name);
}

static int read_word(struct reader *r, const char *word)
{
	bool done = false;
	int err = 0;

	if (word[0] != '-' || !word[1])
		return args_fail(r->req, "\"%s\" belongs to no option", word);
	if (word[1] == '-')
		return read_long(r, word);
	while (!err && !done && *++word)
		err = read_letter(r, *word, word + 1, &done);
	return err;
}

static bool goes_with(const struct cli_command *c, char letter)
{
	return letter && (strchr(c->needs, letter) || strchr(c->takes, letter));
}

bool args_flag_goes_with(const struct cli_command *c, enum cli_flag_row row)
{
	return cli_flags[row].actions & 1u << c->action || goes_with(c, cli_flags[row].letter);
}

static unsigned int row_of(const struct cli_syntax *s, char letter)
{
	unsigned int i = 0;

	while (s->options[i].letter != letter)
		i++;
	return i;
}

/* Exactly one of a group of alternatives such as "r|p|d"; returns what follows it. */
static const char *check_need(struct reader *r, const char *needs, int *err)
{
	const struct cli_syntax *s = r->syntax;
	const struct cli_command *c = r->given->command;
	char list[200] = "", found = 0;
	size_t used = 0;

	for (;; needs += 2) {
		unsigned int row = row_of(s, *needs);

		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s-%c %s",
						 used ? " or " : "", *needs,
						 s->options[row].operands);
		if (r->given->option[row] && found)
			*err = args_fail(r->req, "-%c and -%c exclude each other", found, *needs);
		else if (r->given->option[row])
			found = *needs;
		if (needs[1] != '|')
			break;
	}
	if (!found)
		*err = args_fail(r->req, "-%c needs %s", c->letter, list);
	return needs + 1;
}

static int fail_no_command(struct reader *r)
{
	const struct cli_syntax *s = r->syntax;
	char list[64] = "";
	size_t used = 0;

	if (s->advise && s->advise(r->req, 0, r->argc, r->argv))
		return 2;
	for (unsigned int i = 0; i < s->command_count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s-%c", i ? ", " : "",
					 s->commands[i].letter);
	return args_fail(r->req, "no command; give one of %s", list);
}

static int check(struct reader *r)
{
	const struct cli_syntax *s = r->syntax;
	const struct cli_command *c = r->given->command;
	int err = 0;

	if (!c)
		return fail_no_command(r);
	for (unsigned int i = 0; i < s->option_count; i++)
		if (r->given->option[i] && !goes_with(c, s->options[i].letter))
			return args_fail(r->req, "-%c does not go with -%c", s->options[i].letter,
					 c->letter);
	for (int i = 0; i < FLAG_COUNT; i++)
		if (r->flag[i] && !args_flag_goes_with(c, (enum cli_flag_row)i))
			return args_fail(r->req, "%s does not go with -%c", cli_flags[i].word,
					 c->letter);
	for (const char *needs = c->needs; *needs && !err;)
		needs = check_need(r, needs, &err);
	return err;
}

int args_read(struct request *req, const struct cli_syntax *syntax, struct cli_given *given,
	      int argc, char *argv[])
{
	struct reader r = {.req = req,
			   .syntax = syntax,
			   .given = given,
			   .argv = argv,
			   .argc = argc,
			   .next = 1};
	int err = 0;

	memset(req, 0, sizeof(*req));
	memset(given, 0, sizeof(*given));
	while (!err && !r.flag[FLAG_HELP] && r.next < argc)
		err = read_word(&r, argv[r.next++]);
	if (!err && r.flag[FLAG_HELP]) {
		/* what came before is not checked, so not to be used */
		memset(given, 0, sizeof(*given));
		req->action = ACT_HELP;
		return 0;
	}
	if (!err)
		err = check(&r);
	if (err)
		return err;
	req->action = given->command->action;
	req->numeric = r.flag[FLAG_NUMERIC];
	req->verbose = r.flag[FLAG_VERBOSE];
	req->json = r.flag[FLAG_JSON];
	req->dry_run = r.flag[FLAG_DRY_RUN];
	req->ctl.m_target = IP_MASQ_TARGET_MOD;
	req->ctl.m_cmd = given->command->m_cmd;
	strcpy(req->ctl.m_tname, syntax->module);
	return 0;
}
