// SPDX-License-Identifier: GPL-2.0-or-later
/* Help, from the tables that command lines are read by. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* "-P PROTO", "-r PROTO LOW HIGH | -p ..."; returns what follows in a command's needs */
static const char *print_need(FILE *out, const struct cli_syntax *s, const char *letters)
{
	for (;; letters += 2) {
		for (unsigned int i = 0; i < s->option_count; i++)
			if (s->options[i].letter == *letters)
				fprintf(out, "-%c%s%s", *letters,
					*s->options[i].operands ? " " : "", s->options[i].operands);
		if (letters[1] != '|')
			return letters + 1;
		fputs(" | ", out);
	}
}

static void print_synopsis(FILE *out, const struct cli_syntax *s, const struct cli_command *c)
{
	fprintf(out, "ipmasqadm %s -%c", s->module, c->letter);
	for (const char *p = c->needs; *p;) {
		bool group = p[1] == '|';

		fputs(group ? " {" : " ", out);
		p = print_need(out, s, p);
		fputs(group ? "}" : "", out);
	}
	for (unsigned int i = 0; i < s->option_count; i++) {
		if (!strchr(c->takes, s->options[i].letter))
			continue;
		fputs(" [", out);
		print_need(out, s, (const char[]){s->options[i].letter, '\0'});
		fputs("]", out);
	}
	for (int i = 0; i < FLAG_HELP; i++)
		if (args_flag_goes_with(c, (enum cli_flag_row)i))
			fprintf(out, " [%s]", cli_flags[i].word);
	fputc('\n', out);
}

void help_usage(FILE *out, const struct cli_syntax *s)
{
	for (unsigned int i = 0; i < s->command_count; i++) {
		fputs(i ? "       " : "usage: ", out);
		print_synopsis(out, s, &s->commands[i]);
	}
}

static bool is_option(const struct cli_syntax *s, char letter)
{
	for (unsigned int i = 0; i < s->option_count; i++)
		if (s->options[i].letter == letter)
			return true;
	return false;
}

static void print_line(const char *name, const char *help)
{
	printf("  %-28s %s\n", name, help);
}

void help_print(const struct cli_syntax *s)
{
	char name[64];

	printf("ipmasqadm %s: %s\n\n", s->module, s->summary);
	help_usage(stdout, s);
	putchar('\n');
	for (unsigned int i = 0; i < s->command_count; i++) {
		snprintf(name, sizeof(name), "-%c", s->commands[i].letter);
		print_line(name, s->commands[i].help);
	}
	putchar('\n');
	for (unsigned int i = 0; i < s->option_count; i++) {
		snprintf(name, sizeof(name), "-%c%s%s", s->options[i].letter,
			 *s->options[i].operands ? " " : "", s->options[i].operands);
		print_line(name, s->options[i].help);
	}
	putchar('\n');
	for (int i = 0; i < FLAG_COUNT; i++) {
		const struct cli_flag *f = &cli_flags[i];
		bool both = f->word[1] == '-' && f->letter && !is_option(s, f->letter);

		if (both)
			snprintf(name, sizeof(name), "-%c, %s", f->letter, f->word);
		print_line(both ? name : f->word, f->help);
	}
}
