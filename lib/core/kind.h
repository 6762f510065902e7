/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kinds of forwards: portfw, mfw, autofw; and reach. Each is one constant
 * object in one file; kinds[] is all there are, and nothing else switches on
 * kinds.
 */
#ifndef KIND_H
#define KIND_H

#include "command.h"
#include "grammar.h"
#include "table.h"
#include "text.h"
#include "values.h"

#define KIND_WORDS_MAX 160 /* what describe and print write at most, with its NUL */

struct kind {
	enum masq_kind id;
	const char *name; /* "portfw" */

	/* The bits of has that its commands may have. */
	uint32_t may_have;

	/* Whether its entries say what is not done, and what kernels with
	 * masquerading modules never do. */
	bool says_no;

	/* Whether connections move the count of a service's only target,
	 * too. */
	bool counts_alone;

	/* Its options, for reading and for help. */
	const struct syntax *syntax;

	/* What save writes: the letters of the commands that flush and add, the
	 * place of a forward in the file (the smallest first, of 16 bits of
	 * first.major), and whether forwards of the same place are written last
	 * first. */
	char flush, add;
	struct order (*save_order)(const struct masq_command *forward);
	bool save_last_first;
	/* Makes *c the one command for what it adds and what next adds, the
	 * forward that comes behind it in the file; false: there is none. Both
	 * are the only targets of their services. NULL: there never is one. */
	bool (*join)(struct masq_command *c, const struct masq_command *next);

	/* Fills in what the options of g give. 0 or -EINVAL. */
	int (*read)(struct masq_command *c, const struct given *g, const struct lookup *l,
		    struct error *e);
	/* Appends the options of a command, the verb apart: what read reads. */
	void (*print)(struct text *t, const struct masq_command *c);

	/* The words of messages: "tcp 198.51.100.1:80 to 10.0.0.2:8080". */
	void (*describe)(struct text *t, const struct masq_command *c);
	/* What a message calls one of them: "forward on", "entry". */
	const char *noun;
	/* The option that gives a target: "-R RADDR RPORT". */
	const char *target_option;

	/* Refuses what no transport can carry out. 0 or -EINVAL. Called for the
	 * verbs of its syntax other than MASQ_PROBE and MASQ_FLUSH. */
	int (*validate)(struct error *e, const struct masq_command *c);

	/* Whether a delete with c matches a forward. */
	bool (*matches)(const struct masq_command *c, const struct masq_command *forward);

	/* Its commands may name a range of ports of a host. */
	bool ranges;

	/* The nth of the commands that c stands for, each of one service, whose
	 * family local has; false: there are no more. NULL: commands of this
	 * kind stand for themselves. */
	bool (*part)(struct masq_command *out, const struct masq_command *c, uint32_t n);

	/* What apply needs in the table for a verb other than MASQ_PROBE and
	 * MASQ_FLUSH; SCOPE_ONE: the service *key, for each part of c;
	 * SCOPE_KIND: all of the family of key->local, AF_UNSPEC: of each. */
	enum scope (*scope)(const struct masq_command *c, struct key *key);
	/*
	 * Applies such a command to a table that holds its scope; what changes
	 * is marked dirty. 0; -ESRCH: it names nothing that is there;
	 * -EDESTADDRREQ: nothing matches and there is no target to add;
	 * -EOVERFLOW: prefs too large together; -ENOMEM. After an error the
	 * table is good for nothing but table_free().
	 */
	int (*apply)(struct table *t, const struct masq_command *c);
	/* The command that adds a target; kinds with entries have none. */
	void (*forward_of)(struct masq_command *out, const struct service *s,
			   const struct target *target);
};

extern const struct kind kind_portfw, kind_mfw, kind_autofw, kind_reach;

/* All kinds, by enum masq_kind; then NULL. */
extern const struct kind *const kinds[KINDS_MAX + 1];

/* NULL if there is no such kind. */
const struct kind *kind_find(const char *name);
const struct kind *kind_of(enum masq_kind id);
/* How many kinds there are. */
unsigned int kind_count(void);

/* The verbs of a kind, as 1 << verb. */
unsigned int kind_verbs(const struct kind *k);

/* Of any command and kind. Errors as for validate and apply above. */
int kind_validate(struct error *e, const struct masq_command *c);
enum scope kind_scope(const struct masq_command *c, struct key *key);
int kind_apply(struct table *t, const struct masq_command *c);

/* Of any command; one that has no parts is the first and only one of itself. */
bool kind_part(struct masq_command *out, const struct masq_command *c, uint32_t n);

/* "everything", or what describe writes. Returns buf. */
const char *kind_describe(char buf[KIND_WORDS_MAX], const struct masq_command *c);

/* What apply's -ESRCH, -EDESTADDRREQ and -EOVERFLOW mean: sets the text and
 * returns the error of masq_command(). */
int kind_fail(struct error *e, const struct masq_command *c, int err);

/* Reads the words of a command line: argv[0] is the kind's name. *c is filled
 * in where action is ACT_DO or ACT_QUERY. 0 or -EINVAL with the error set. */
int kind_read(const struct kind *k, const struct flags *flags, const struct lookup *l, int argc,
	      char *argv[], struct given *given, struct masq_command *c, struct error *e);

/* Reads what print wrote, not terminated; false if it is nothing of this
 * kind. */
bool kind_read_text(const struct kind *k, struct masq_command *c, const char *text, size_t len);

#endif
