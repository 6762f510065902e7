// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kind.h"
#include "rank.h"
#include "savefile.h"

static int keep(const struct masq_record *record, void *arg)
{
	struct savefile *s = arg;

	/* a receiver is a state, not a forward */
	if (record->has & MASQ_HAS_RECEIVER)
		return 0;
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		struct masq_command *v = reallocarray(s->forwards, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->forwards = v;
		s->cap = cap;
	}
	s->forwards[s->n++] = *record->forward;
	return 0;
}

/* On sockopt one by one, to know which there are: each has a state of its own
 * anyway. */
static int load_each(struct savefile *s, struct masq *m, const char **name)
{
	for (const struct kind *const *k = kinds; *k; k++) {
		int err = masq_list(m, MASQ_KIND((*k)->id), keep, s);

		*name = (*k)->name;
		if (!err)
			s->kinds |= MASQ_KIND((*k)->id);
		else if (err != -ENOENT)
			return err;
	}
	return 0;
}

/* By kind, and within one by its save_order(). */
static struct order order_of(size_t index, const void *arg)
{
	const struct savefile *s = arg;
	const struct masq_command *forward = &s->forwards[index];
	struct order o = kinds[forward->kind]->save_order(forward);

	o.first.major |= (uint32_t)forward->kind << 16;
	return o;
}

/* Whether two forwards that stand together are of one service: the order goes
 * by them. */
static bool same_service(const struct savefile *s, const struct rank two[2])
{
	struct order a, b;

	if (two[0].major != two[1].major || two[0].minor != two[1].minor)
		return false;
	a = order_of(two[0].index, s);
	b = order_of(two[1].index, s);
	return !order_compare(&a, &b);
}

static int sort(struct savefile *s)
{
	size_t n = 0;

	s->ranks = reallocarray(NULL, s->n + 1, 2 * sizeof(*s->ranks));
	if (!s->ranks)
		return -ENOMEM;
	for (const struct kind *const *k = kinds; *k; k++) {
		for (size_t i = 0; i < s->n; i++) {
			size_t at = (*k)->save_last_first ? s->n - 1 - i : i;

			if (s->forwards[at].kind == (*k)->id)
				s->ranks[n++] = (struct rank){.index = (uint32_t)at};
		}
	}
	s->order = rank_sort_by(s->ranks, s->ranks + s->n + 1, n, order_of, s);
	for (size_t i = n; i--;)
		s->order[i].major = i && same_service(s, &s->order[i - 1]);
	return 0;
}

int savefile_load(struct savefile *s, struct masq *m, const char **kind)
{
	int err;

	*kind = NULL;
	if (masq_atomic(m)) {
		s->kinds = MASQ_KIND(kind_count()) - 1;
		err = masq_list(m, s->kinds, keep, s);
	} else {
		err = load_each(s, m, kind);
	}
	return err ? err : sort(s);
}

/*
 * A 2.2 kernel stores, and nft(8) can make, what leads nowhere. restore would
 * refuse it, or take a service without a target for an edit.
 */
static bool leads_nowhere(const struct kind *k, const struct masq_command *forward,
			  const char *options, size_t len)
{
	struct masq_command c;
	struct error e;

	if (k->validate(&e, forward) || command_check_addresses(&e, forward) ||
	    (k->forward_of && !(forward->has & MASQ_HAS_TARGET)))
		return true;
	if (forward->has & MASQ_HAS_TARGET && address_is_any(&forward->target))
		return true;
	/* the thorough way only where something may be missing */
	return !(forward->has & MASQ_HAS_TARGET_PORTS) && !kind_read_text(k, &c, options, len);
}

/* A shell would take [fd00::2]:80 for a pattern. */
static void print_line(const char *line, size_t len, FILE *out)
{
	const char *bracket = memchr(line, '[', len);
	size_t before = bracket ? (size_t)(bracket - line) : len;
	size_t word = bracket ? strcspn(bracket, " \n") : 0;

	fwrite(line, 1, before, out);
	if (!bracket)
		return;
	fprintf(out, "'%.*s'", (int)word, bracket);
	fwrite(bracket + word, 1, len - before - word, out);
}

static void print_forward(const struct masq_command *forward, FILE *out)
{
	static const char comment[] = "# leads nowhere: ";
	const struct kind *k = kinds[forward->kind];
	char line[64 + KIND_WORDS_MAX];
	const char *options;
	struct text t;

	text_start(&t, line, sizeof(line) - 1);
	text_word(&t, "ipmasqadm");
	text_word(&t, k->name);
	text_option(&t, k->add);
	options = t.at;
	k->print(&t, forward);
	if (leads_nowhere(k, forward, options, (size_t)(t.at - options)))
		fwrite(comment, 1, sizeof(comment) - 1, out);
	if (forward->has & MASQ_HAS_PREF && !forward->pref)
		text_word(&t, "# drained");
	*t.at++ = '\n';
	print_line(line, (size_t)(t.at - line), out);
}

static const struct masq_command *nth(const struct savefile *s, size_t i)
{
	return &s->forwards[s->order[i].index];
}

/* Whether the nth is not its service's only target. */
static bool takes_turns(const struct savefile *s, size_t i)
{
	return s->order[i].major || (i + 1 < s->n && s->order[i + 1].major);
}

/* The command for as many forwards as one can add, from the nth on. Returns how
 * many. */
static size_t join(const struct savefile *s, size_t i, struct masq_command *out)
{
	const struct kind *k = kinds[nth(s, i)->kind];
	size_t n = 1;

	*out = *nth(s, i);
	if (!k->join || takes_turns(s, i))
		return 1;
	while (i + n < s->n && nth(s, i + n)->kind == k->id && !takes_turns(s, i + n) &&
	       k->join(out, nth(s, i + n)))
		n++;
	return n;
}

void savefile_print(const struct savefile *s, FILE *out)
{
	struct masq_command c;

	for (const struct kind *const *k = kinds; *k; k++)
		if (s->kinds & MASQ_KIND((*k)->id))
			fprintf(out, "ipmasqadm %s -%c\n", (*k)->name, (*k)->flush);
	for (size_t i = 0; i < s->n && !ferror(out);) {
		i += join(s, i, &c);
		print_forward(&c, out);
	}
}

void savefile_free(struct savefile *s)
{
	free(s->forwards);
	free(s->ranks);
	*s = (struct savefile){0};
}
