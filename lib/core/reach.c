// SPDX-License-Identifier: GPL-2.0-or-later
/* reach: whom forwards do not reach. An entry is what is switched off. */
#include <errno.h>
#include <string.h>

#include "kind.h"

enum { OPT_DISABLE, OPT_ENABLE, OPT_QUERY, OPT_COUNT };

#define WHO "inside or own"

/* Each is the operand of the command with the same letter. */
static const struct option_spec options[] = {
	[OPT_DISABLE] = {'d', "WHO", WHO},
	[OPT_ENABLE] = {'e', "WHO", WHO},
	[OPT_QUERY] = {'q', "WHO", WHO},
};
_Static_assert(OPT_COUNT <= OPTIONS_MAX, "struct given has no room for them");

static const struct command_spec commands[] = {
	{'d', ACT_DO, MASQ_ADD, "d", "v",
	 "leave inside clients on the server's own link (inside) or connections of this machine "
	 "(own) alone"},
	{'e', ACT_DO, MASQ_DELETE, "e", "v", "let forwards reach them again"},
	{'q', ACT_QUERY, MASQ_DELETE, "q", "", "exit 0 if they are switched off, else 1"},
	{'f', ACT_DO, MASQ_FLUSH, "", "v", "let forwards reach both again"},
	{'l', ACT_LIST, MASQ_PROBE, "", "", "list what is switched off"},
};

static const struct syntax syntax = {
	.kind = "reach",
	.summary = "switch off for the site whom forwards reach",
	.options = options,
	.option_count = OPT_COUNT,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(*commands),
};

static const struct {
	enum masq_form form;
	const char *name, *words;
} forms[] = {
	{MASQ_INSIDE, "inside", "inside clients"},
	{MASQ_OWN, "own", "own connections"},
};
#define FORMS (sizeof(forms) / sizeof(*forms))

static int read(struct masq_command *c, const struct given *g,
		const struct lookup *l __attribute__((unused)), struct error *e)
{
	const char *who = NULL;

	for (unsigned int i = 0; i < OPT_COUNT; i++)
		if (g->option[i])
			who = g->operand[i][0];
	for (size_t i = 0; i < FORMS; i++) {
		if (!strcmp(who, forms[i].name)) {
			c->form = forms[i].form;
			return 0;
		}
	}
	return fail(e, EINVAL, "\"%s\": give " WHO, who);
}

static void put(struct text *t, const struct masq_command *c, bool words)
{
	for (size_t i = 0; i < FORMS; i++)
		if (c->form == forms[i].form)
			text_word(t, words ? forms[i].words : forms[i].name);
}

static void print(struct text *t, const struct masq_command *c)
{
	put(t, c, false);
}

static void describe(struct text *t, const struct masq_command *c)
{
	put(t, c, true);
}

static int validate(struct error *e, const struct masq_command *c)
{
	for (size_t i = 0; i < FORMS; i++)
		if (c->form == forms[i].form)
			return 0;
	return fail(e, EINVAL, "%d is neither inside clients (%d) nor own connections (%d)",
		    (int)c->form, (int)MASQ_INSIDE, (int)MASQ_OWN);
}

static bool matches(const struct masq_command *c, const struct masq_command *forward)
{
	return c->form == forward->form;
}

static enum scope scope(const struct masq_command *c __attribute__((unused)),
			struct key *key __attribute__((unused)))
{
	return SCOPE_KIND;
}

/* What is as it is to be stays so: a switch is not a thing that can be
 * missing. */
static int apply(struct table *t, const struct masq_command *c)
{
	for (size_t i = 0; i < t->n_entries; i++) {
		struct entry *e = &t->entries[i];

		if (e->gone || e->forward.kind != MASQ_REACH || !matches(c, &e->forward))
			continue;
		e->gone = c->verb == MASQ_DELETE;
		e->again = !e->gone;
		return 0;
	}
	/* inside stands before own, as it is read: then a file that has both
	 * changes nothing */
	return c->verb == MASQ_DELETE || table_insert_entry(t, c->form == MASQ_INSIDE, c) ? 0
											  : -ENOMEM;
}

static struct order save_order(const struct masq_command *c)
{
	return (struct order){.first = {.major = c->form}};
}

const struct kind kind_reach = {
	.id = MASQ_REACH,
	.name = "reach",
	.says_no = true,
	.syntax = &syntax,
	.flush = 'f',
	.add = 'd',
	.save_order = save_order,
	.read = read,
	.print = print,
	.describe = describe,
	.noun = "switch for",
	.target_option = "",
	.validate = validate,
	.matches = matches,
	.scope = scope,
	.apply = apply,
};
