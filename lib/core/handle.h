/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a struct masq is made of, and the few verbs a transport has. masq.c is the only file that
 * knows that there are two of them.
 */
#ifndef HANDLE_H
#define HANDLE_H

#include "masq.h"

enum module { MOD_PORTFW, MOD_MFW, MOD_AUTOFW, MOD_COUNT };

/* A growing array of records; all zero is an empty one. */
struct records {
	struct masq_record *v;
	size_t n, cap;
};

/* Appends a copy. 0 or -ENOMEM. */
int records_add(struct records *r, const struct masq_record *record);
void records_free(struct records *r);
/* Hands them to fn, up to one that it gives a nonzero result for, which is the result. */
int records_each(const struct records *r, masq_record_fn *fn, void *arg);

/*
 * One way to carry out commands. Every int result is 0 or negative errno with the text set through
 * masq_fail(). begin, commit, abort: as in masq.h; ctl is only called between begin and commit.
 * list: as masq_list(), of one state; if only is not NULL, nothing need be listed but what a delete
 * with that message would match. close releases m->priv and may be called after a failed open.
 */
struct transport {
	const char *name;
	bool atomic;
	int (*open)(struct masq *m);
	void (*close)(struct masq *m);
	int (*begin)(struct masq *m);
	int (*ctl)(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl);
	int (*commit)(struct masq *m, int *failed);
	void (*abort)(struct masq *m);
	int (*list)(struct masq *m, enum module mod, const struct ip_masq_ctl *only,
		    masq_record_fn *fn, void *arg);
};

extern const struct transport transport_sockopt;
extern const struct transport transport_nft;

struct masq {
	const struct transport *transport;
	void *priv;            /* the transport's */
	FILE *dry;             /* masq_dry_run() */
	bool opened;           /* the transport is ready */
	bool open_transaction; /* masq_begin() */
	bool refused;          /* a command of it was */
	char error[512];
};

/* Sets the text of masq_error() and returns -err. */
int masq_fail(struct masq *m, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull));

/* message.c: the words for what a control message names, as in "tcp 198.51.100.1:80 to
 * 10.0.0.2:8080", "mark 1 to 10.0.1.5", "range udp 6970-7170 control tcp 7070". */
#define DESCRIBE_MAX 160
const char *describe(char buf[DESCRIBE_MAX], enum module mod, const struct ip_masq_ctl *ctl);

/* message.c: refuses what no transport can carry out, before anything is sent. */
int validate(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl);

/* message.c: "no such forward" for a command that found nothing. Sets the text, returns -ESRCH. */
int fail_not_there(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl);

/* message.c: an add without a target edits what is there, and nothing is. Sets the text, -EINVAL.
 */
int fail_no_target(struct masq *m, enum module mod, const struct ip_masq_ctl *ctl);

/* message.c: whether a delete with this message matches a record (zero members match any). */
bool matches(enum module mod, const struct ip_masq_ctl *ctl, const struct masq_record *record);

#endif
