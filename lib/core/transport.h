/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a struct masq is made of, and the few verbs that a transport has. The
 * library's masq.c is the only file that knows that there are two of them.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "error.h"
#include "kind.h"

struct masq;

/*
 * One way to carry out commands, which are complete (command_take) and valid
 * (kind_validate). Every int result is 0 or negative errno with m->error set.
 * begin, commit, abort: as in masq.h; command is only called between begin and
 * commit. close releases m->priv and may be called after a failed open.
 */
struct transport {
	const char *name;
	bool atomic;
	/* Whether the kernel has it; kind names the module to ask for. May be
	 * NULL: it is taken where no other one is there. */
	bool (*probe)(const char *kind);
	int (*open)(struct masq *m);
	void (*close)(struct masq *m);
	int (*begin)(struct masq *m);
	int (*command)(struct masq *m, const struct masq_command *c);
	int (*commit)(struct masq *m, int *failed);
	void (*abort)(struct masq *m);
	/* Puts what the kernel's forwards have in the place of what they cannot
	 * have. -EADDRNOTAVAIL: there is none, so no forward is meant. May be
	 * NULL. */
	int (*resolve)(struct masq *m, struct masq_command *c);
	/* As masq_list(), of one state. only, if not NULL: nothing need be
	 * listed but what a delete with that command would match. */
	int (*list)(struct masq *m, unsigned int kinds_wanted, const struct masq_command *only,
		    masq_record_fn *fn, void *arg);
};

extern const struct transport transport_sockopt, transport_nft;

struct masq {
	const struct transport *transport;
	void *priv;            /* the transport's */
	FILE *dry;             /* masq_dry_run() */
	bool cut;              /* masq_cut() */
	bool opened;           /* the transport is ready */
	bool open_transaction; /* masq_begin() */
	bool refused;          /* a command of it was */
	struct error error;
};

#endif
