// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "kind.h"

const struct kind *kind_find(const char *name)
{
	for (const struct kind *const *k = kinds; *k; k++)
		if (!strcmp((*k)->name, name))
			return *k;
	return NULL;
}

unsigned int kind_count(void)
{
	unsigned int n = 0;

	while (kinds[n])
		n++;
	return n;
}

const struct kind *kind_of(enum masq_kind id)
{
	return (unsigned int)id < kind_count() ? kinds[id] : NULL;
}

unsigned int kind_verbs(const struct kind *k)
{
	unsigned int verbs = 1u << MASQ_PROBE;

	for (unsigned int i = 0; i < k->syntax->command_count; i++)
		if (k->syntax->commands[i].action == ACT_DO)
			verbs |= 1u << k->syntax->commands[i].verb;
	return verbs;
}

static bool is_general(const struct masq_command *c)
{
	return c->verb == MASQ_PROBE || c->verb == MASQ_FLUSH;
}

static bool adds(const struct masq_command *c)
{
	return c->verb == MASQ_ADD || c->verb == MASQ_INSERT;
}

int kind_validate(struct error *e, const struct masq_command *c)
{
	const struct kind *k = kind_of(c->kind);

	if (!k)
		return fail(e, EINVAL, "no kind %d", (int)c->kind);
	if ((unsigned int)c->verb > MASQ_FLUSH || !(kind_verbs(k) & 1u << c->verb))
		return fail(e, EINVAL, "%s has no command %d", k->name, (int)c->verb);
	if (is_general(c))
		return 0;
	if (c->has & ~k->may_have)
		return fail(e, EINVAL, "%s takes nothing of what is given with 0x%x", k->name,
			    c->has & ~k->may_have);
	if (!k->ranges && c->target_ports.first != c->target_ports.last)
		return fail(e, EINVAL, "ports %u-%u of a host: one is meant", c->target_ports.first,
			    c->target_ports.last);
	if (c->has & MASQ_HAS_TARGET_PORTS && !c->target_ports.first)
		return fail(e, EINVAL, "port 0 of a host: give one from 1 to 65535");
	if (c->has & MASQ_HAS_TARGET && command_check_target(e, c) < 0)
		return -EINVAL;
	if (adds(c) && command_check_addresses(e, c) < 0)
		return -EINVAL;
	return k->validate(e, c);
}

enum scope kind_scope(const struct masq_command *c, struct key *key)
{
	*key = (struct key){.kind = (uint8_t)c->kind};
	if (c->verb == MASQ_PROBE)
		return SCOPE_NONE;
	if (c->verb == MASQ_FLUSH)
		return SCOPE_KIND;
	return kinds[c->kind]->scope(c, key);
}

bool kind_part(struct masq_command *out, const struct masq_command *c, uint32_t n)
{
	const struct kind *k = kinds[c->kind];

	if (!is_general(c) && k->part)
		return k->part(out, c, n);
	*out = *c;
	return !n;
}

int kind_apply(struct table *t, const struct masq_command *c)
{
	if (c->verb == MASQ_FLUSH)
		table_flush(t, c->kind);
	return is_general(c) ? 0 : kinds[c->kind]->apply(t, c);
}

const char *kind_describe(char buf[KIND_WORDS_MAX], const struct masq_command *c)
{
	struct text t;

	text_start(&t, buf, KIND_WORDS_MAX);
	if (is_general(c))
		text_word(&t, "everything");
	else
		kinds[c->kind]->describe(&t, c);
	return buf;
}

int kind_fail(struct error *e, const struct masq_command *c, int err)
{
	const struct kind *k = kinds[c->kind];
	char what[KIND_WORDS_MAX];

	kind_describe(what, c);
	switch (-err) {
	case ESRCH:
		return fail(e, ESRCH, "no %s %s", k->noun, what);
	case EDESTADDRREQ:
		return fail(e, EINVAL, "no %s %s to edit, and no target to add: give one with %s",
			    k->noun, what, k->target_option);
	case EOVERFLOW:
		return fail(e, EOVERFLOW,
			    "%s: the prefs of all targets must add up to less than "
			    "4294967296",
			    what);
	default:
		return err;
	}
}

int kind_read(const struct kind *k, const struct flags *flags, const struct lookup *l, int argc,
	      char *argv[], struct given *given, struct masq_command *c, struct error *e)
{
	int err = grammar_read(k->syntax, flags, given, argc, argv, e);

	*c = (struct masq_command){.size = sizeof(*c), .kind = k->id};
	if (err || !given->command)
		return err;
	c->verb = given->command->verb;
	if (!*given->command->needs)
		return 0;
	return k->read(c, given, l, e);
}

bool kind_read_text(const struct kind *k, struct masq_command *c, const char *text, size_t len)
{
	static const struct flags no_flags;
	char name[] = "", add[] = {'-', k->add, '\0'}, copy[KIND_WORDS_MAX];
	char *argv[16] = {name, add}, *save = NULL;
	struct given given;
	struct error e;
	int argc = 2;

	len = strnlen(text, len);
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (argc == 15)
			return false;
		argv[argc++] = w;
	}
	return !kind_read(k, &no_flags, NULL, argc, argv, &given, c, &e) && given.command &&
	       given.command->letter == k->add && !k->validate(&e, c);
}
