// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "grammar.h"
#include "values.h"

/* The state of one reading. */
struct reader {
	const struct syntax *syntax;
	const struct flags *flags;
	struct given *given;
	struct error *error;
	char **argv;
	int argc, next; /* next: index of the first word not read */
	unsigned int order;
};

#define refuse(r, ...) fail((r)->error, EINVAL, __VA_ARGS__)

/* "-5" is a value gone wrong, not an option. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9');
}

static int read_operands(struct reader *r, unsigned int row, const char *glued)
{
	const struct option_spec *o = &r->syntax->options[row];
	const char **operand = r->given->operand[row], *name = o->operands;
	unsigned int n = 0;

	memset(operand, 0, sizeof(r->given->operand[row]));
	for (; *name; name += *name == ' ') {
		if (!n && *glued)
			operand[n++] = glued;
		else if (r->next < r->argc && !is_option(r->argv[r->next]))
			operand[n++] = r->argv[r->next++];
		else
			break;
		name = strchrnul(name, ' ');
	}
	if (!*name || *name == '[') /* one that may be left out */
		return 0;
	if (n == 1 && value_is_address_port(r->error, operand[0], 0))
		return -EINVAL;
	return refuse(r, "-%c takes %s: %.*s is missing", o->letter, o->operands,
		      (int)(strchrnul(name, ' ') - name), name);
}

static int read_command(struct reader *r, const struct command_spec *command)
{
	const struct command_spec *before = r->given->command;

	if (before && before != command)
		return refuse(r, "-%c and -%c are mutually exclusive", before->letter,
			      command->letter);
	r->given->command = command;
	return 0;
}

static int fail_unknown(struct reader *r, const char *word)
{
	return refuse(r, "unknown option %s (see \"ipmasqadm %s --help\")", word, r->syntax->kind);
}

static int read_long(struct reader *r, const char *word)
{
	for (unsigned int i = 0; i < r->flags->count; i++) {
		const struct flag_spec *flag = &r->flags->specs[i];

		if (!strcmp(word, flag->word) && grammar_has_flag(r->syntax, flag)) {
			r->given->flag[i] = true;
			return 0;
		}
	}
	return fail_unknown(r, word);
}

/* Reads one letter of a cluster; rest is what follows it. Operands take the
 * rest and *done is set. */
static int read_letter(struct reader *r, char letter, const char *rest, bool *done)
{
	const struct syntax *s = r->syntax;
	const char name[] = {'-', letter, '\0'};
	bool command = false;

	for (unsigned int i = 0; i < s->command_count; i++) {
		if (s->commands[i].letter != letter)
			continue;
		if (read_command(r, &s->commands[i]))
			return -EINVAL;
		command = true;
	}
	for (unsigned int i = 0; i < s->option_count; i++) {
		if (s->options[i].letter != letter)
			continue;
		r->given->option[i] = ++r->order;
		*done = *s->options[i].operands;
		return *done ? read_operands(r, i, rest) : 0;
	}
	if (command)
		return 0;
	for (unsigned int i = 0; i < r->flags->count; i++) {
		if (r->flags->specs[i].letter == letter) {
			r->given->flag[i] = true;
			return 0;
		}
	}
	if (s->advise && s->advise(r->error, letter, r->argc, r->argv))
		return -EINVAL;
	return fail_unknown(r, name);
}

static int read_word(struct reader *r, const char *word)
{
	bool done = false;
	int err = 0;

	if (word[0] != '-' || !word[1])
		return refuse(r, "unexpected argument \"%s\"", word);
	if (word[1] == '-')
		return read_long(r, word);
	while (!err && !done && *++word)
		err = read_letter(r, *word, word + 1, &done);
	return err;
}

bool grammar_goes_with(const struct command_spec *c, char letter)
{
	return letter && (strchr(c->needs, letter) || strchr(c->takes, letter));
}

bool grammar_flag_goes_with(const struct command_spec *c, const struct flag_spec *flag)
{
	return flag->actions & 1u << c->action ||
	       grammar_goes_with(c, flag->letter ? flag->letter : flag->sign);
}

bool grammar_has_flag(const struct syntax *s, const struct flag_spec *flag)
{
	for (unsigned int i = 0; i < s->command_count; i++)
		if (grammar_flag_goes_with(&s->commands[i], flag))
			return true;
	return false;
}

/* The row of an option that a command names; option_count if it has none. */
static unsigned int row_of(const struct syntax *s, char letter)
{
	unsigned int i = 0;

	while (i < s->option_count && s->options[i].letter != letter)
		i++;
	return i;
}

/* Of a group of alternatives such as "r|p|d", none is given. */
static int fail_needs(struct reader *r, const char *needs)
{
	const struct syntax *s = r->syntax;
	char list[200] = "";
	size_t used = 0;

	for (;; needs += 2) {
		unsigned int row = row_of(s, *needs);

		if (row < s->option_count && used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s-%c %s",
						 used ? " or " : "", *needs,
						 s->options[row].operands);
		if (needs[1] != '|')
			break;
	}
	return refuse(r, "-%c needs %s", r->given->command->letter, list);
}

/* Exactly one of a group of alternatives; returns what follows it. */
static const char *check_need(struct reader *r, const char *needs, int *err)
{
	const struct syntax *s = r->syntax;
	const char *group = needs;
	char found = 0;

	for (;; needs += 2) {
		unsigned int row = row_of(s, *needs);

		if (row < s->option_count && r->given->option[row]) {
			if (found)
				*err = refuse(r, "-%c and -%c are mutually exclusive", found,
					      *needs);
			else
				found = *needs;
		}
		if (needs[1] != '|')
			break;
	}
	if (!found)
		*err = fail_needs(r, group);
	return needs + 1;
}

static int fail_no_command(struct reader *r)
{
	const struct syntax *s = r->syntax;
	char list[64] = "";
	size_t used = 0;

	if (s->advise && s->advise(r->error, 0, r->argc, r->argv))
		return -EINVAL;
	for (unsigned int i = 0; i < s->command_count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s-%c", i ? ", " : "",
					 s->commands[i].letter);
	return refuse(r, "no command; give one of %s", list);
}

static int check(struct reader *r)
{
	const struct syntax *s = r->syntax;
	const struct command_spec *c = r->given->command;
	int err = 0;

	if (!c)
		return fail_no_command(r);
	/* as in 1998, a flush has no use for operands and ignores them */
	if (c->verb == MASQ_FLUSH)
		memset(r->given->option, 0, sizeof(r->given->option));
	for (unsigned int i = 0; i < s->option_count; i++)
		if (r->given->option[i] && !grammar_goes_with(c, s->options[i].letter))
			return refuse(r, "-%c does not go with -%c", s->options[i].letter,
				      c->letter);
	for (unsigned int i = 0; i < r->flags->count; i++)
		if (r->given->flag[i] && !grammar_flag_goes_with(c, &r->flags->specs[i]))
			return refuse(r, "%s does not go with -%c", r->flags->specs[i].word,
				      c->letter);
	for (const char *needs = c->needs; *needs && !err;)
		needs = check_need(r, needs, &err);
	return err;
}

static void clear(struct given *given, const struct syntax *s)
{
	memset(given, 0,
	       offsetof(struct given, operand) + s->option_count * sizeof(*given->operand));
}

int grammar_read(const struct syntax *syntax, const struct flags *flags, struct given *given,
		 int argc, char *argv[], struct error *e)
{
	struct reader r = {.syntax = syntax,
			   .flags = flags,
			   .given = given,
			   .error = e,
			   .argv = argv,
			   .argc = argc,
			   .next = 1};
	int err = 0;

	clear(given, syntax);
	while (!err && !given->flag[flags->help] && r.next < argc)
		err = read_word(&r, argv[r.next++]);
	if (!err && given->flag[flags->help]) {
		/* what came before is not checked, so not to be used */
		clear(given, syntax);
		return 0;
	}
	return err ? err : check(&r);
}
