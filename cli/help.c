// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "flags.h"
#include "help.h"
#include "text.h"

#define COLUMNS 100
#define HELP_COLUMN 31       /* where the text of an option begins */
#define INDENT "           " /* of continued lines */

/* Prints a synopsis: breaks lines between its parts. */
struct synopsis {
	FILE *out;
	size_t column;
};

static void put_part(struct synopsis *y, const char *part)
{
	size_t len = strlen(part);

	if (y->column + 1 + len > COLUMNS) {
		fputs("\n" INDENT, y->out);
		y->column = strlen(INDENT);
	} else {
		fputc(' ', y->out);
		y->column++;
	}
	fputs(part, y->out);
	y->column += len;
}

/* "-P PROTO" */
static void join_option(struct text *t, const struct option_spec *o)
{
	const char letter[] = {'-', o->letter, '\0'};

	text_join(t, letter);
	if (*o->operands)
		text_word(t, o->operands);
}

static const struct option_spec *find_option(const struct syntax *s, char letter)
{
	for (unsigned int i = 0; i < s->option_count; i++)
		if (s->options[i].letter == letter)
			return &s->options[i];
	return NULL;
}

/* The operands of a command's own, or NULL. */
static const char *own_operands(const struct syntax *s, const struct command_spec *c)
{
	const struct option_spec *o = find_option(s, c->letter);

	return o ? o->operands : NULL;
}

static bool is_command(const struct syntax *s, char letter)
{
	for (unsigned int i = 0; i < s->command_count; i++)
		if (s->commands[i].letter == letter)
			return true;
	return false;
}

/* Prints one option that a command needs, such as "{-r PROTO LOW HIGH |". */
static void put_need(struct synopsis *y, const struct syntax *s, const char *needs, const char *at)
{
	bool first = at == needs || at[-1] != '|', last = at[1] != '|';
	const struct option_spec *o = find_option(s, *at);
	char part[80];
	struct text t;

	text_start(&t, part, sizeof(part));
	text_join(&t, first && !last ? "{" : "");
	if (o)
		join_option(&t, o);
	text_join(&t, !last ? " |" : first ? "" : "}");
	put_part(y, part);
}

static void put_optional(struct synopsis *y, const char *word)
{
	char part[80];

	snprintf(part, sizeof(part), "[%s]", word);
	put_part(y, part);
}

static void print_synopsis(struct synopsis *y, const struct syntax *s, const struct command_spec *c)
{
	char word[64];

	snprintf(word, sizeof(word), "ipmasqadm %s -%c", s->kind, c->letter);
	fputs(word, y->out);
	y->column += strlen(word);
	if (own_operands(s, c))
		put_part(y, own_operands(s, c));
	for (const char *p = c->needs; *p; p += p[1] == '|' ? 2 : 1)
		if (*p != c->letter)
			put_need(y, s, c->needs, p);
	for (unsigned int i = 0; i < s->option_count; i++) {
		struct text t;

		if (!strchr(c->takes, s->options[i].letter))
			continue;
		text_start(&t, word, sizeof(word));
		join_option(&t, &s->options[i]);
		put_optional(y, word);
	}
	for (unsigned int i = 0; i < FLAG_HELP; i++)
		if (grammar_flag_goes_with(c, &flags_common.specs[i]))
			put_optional(y, flags_common.specs[i].word);
	fputc('\n', y->out);
}

void help_usage(FILE *out, const struct syntax *s)
{
	for (unsigned int i = 0; i < s->command_count; i++) {
		struct synopsis y = {.out = out, .column = strlen("usage: ")};

		fputs(i ? "       " : "usage: ", out);
		print_synopsis(&y, s, &s->commands[i]);
	}
}

/* Length of the words of a text that fit into one line. */
static size_t fitting(const char *text)
{
	size_t end = COLUMNS - HELP_COLUMN;

	if (strlen(text) <= end)
		return strlen(text);
	while (end && text[end] != ' ')
		end--;
	return end;
}

static void print_line(const char *name, const char *help)
{
	size_t n = fitting(help);

	printf("  %-*s %.*s\n", HELP_COLUMN - 3, name, (int)n, help);
	for (help += n; *help; help += n) {
		help++;
		n = fitting(help);
		printf("%*s%.*s\n", HELP_COLUMN, "", (int)n, help);
	}
}

void help_print(const struct syntax *s, const char *summary)
{
	unsigned int begun = 0;
	char name[64];

	printf("ipmasqadm %s: %s\n\n", s->kind, summary);
	help_usage(stdout, s);
	putchar('\n');
	for (unsigned int i = 0; i < s->command_count; i++) {
		const char *operands = own_operands(s, &s->commands[i]);

		snprintf(name, sizeof(name), "-%c%s%s", s->commands[i].letter, operands ? " " : "",
			 operands ? operands : "");
		print_line(name, s->commands[i].help);
	}
	for (unsigned int i = 0; i < s->option_count; i++) {
		struct text t;

		if (is_command(s, s->options[i].letter))
			continue;
		if (!begun++)
			putchar('\n');
		text_start(&t, name, sizeof(name));
		join_option(&t, &s->options[i]);
		print_line(name, s->options[i].help);
	}
	putchar('\n');
	for (unsigned int i = 0; i < FLAG_COUNT; i++) {
		const struct flag_spec *f = &flags_common.specs[i];
		bool both;

		if (!grammar_has_flag(s, f))
			continue;
		both = f->word[1] == '-' && f->letter && !find_option(s, f->letter);

		if (both)
			snprintf(name, sizeof(name), "-%c, %s", f->letter, f->word);
		print_line(both ? name : f->word, f->help);
	}
}
