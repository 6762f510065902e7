/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries as rules, whose comments say what they are in the words of their
 * options. Of autofw ranges and ports each have a chain, the newest entry
 * first; direct ones need no rule and only have to be remembered. Of reach each
 * switch has a chain, which ends what a base chain does for it.
 *
 * A triggered range has a map of receivers, filled by a rule that sees
 * masqueraded packets leave: who contacted whom.
 */
#ifndef ENTRIES_H
#define ENTRIES_H

#include "batch.h"
#include "state.h"

/* The chains that have entries, each of one kind. */
#define ENTRY_CHAINS 6
struct entry_chain {
	const char *name;
	enum masq_kind kind;
};
extern const struct entry_chain entry_chains[ENTRY_CHAINS];

/* The family of its host; of one without, IPv4. */
enum family entry_family(const struct masq_command *forward);

/* Whether an entry has receivers, and a map of them. */
bool entry_is_triggered(const struct masq_command *forward);

/* Takes the control connection out of it: a single port has none. */
void entry_drop_control(struct masq_command *forward);

/* The name of the map, and of the chain that fills it:
 * "udp-6970-7170-by-tcp-7070". */
void entry_receivers_name(char out[CHAIN_NAME_MAX], const struct masq_command *forward);
/* Whether it is such a name. */
bool entry_owns(const char *name);

/* The comment of a rule in a chain to an entry; false if it is none, or of an
 * entry whose rules stand in other chains or in another family's table. */
bool entry_parse(struct masq_command *out, enum family f, const char *chain, const char *comment,
		 size_t len);

/* Writes an entry as the newest of its form. Before the first triggered one the
 * chain of triggers is made. */
void entry_write(struct batch *b, const struct masq_command *forward,
		 const struct stored_entry *stored);
void entry_make_trigger(struct batch *b);
/* An entry of reach, also in a table that is not of its family. */
void entry_write_switch(struct batch *b, const struct masq_command *forward);
void entry_remove(struct batch *b, const struct entry *e, const struct stored_entry *stored);
/* Only its rules. */
void entry_remove_rules(struct batch *b, const struct entry *e, const struct stored_entry *stored);

#endif
