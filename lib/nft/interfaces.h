/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services on interfaces. No expression tells whose an address of this machine
 * is, but for the interface that a packet came in by. So each interface has a
 * set of its addresses, which packets teach: those that come in by it for an
 * address of it, and those that leave from one. What comes in by another for an
 * address of that one takes it away again: it has moved.
 *
 *	map portfw-eth0, portfw_pools-eth0	its services
 *	set addresses-eth0			what it has been seen to have
 *	chain at-eth0				looks its services up
 *	chain lookup_at				for each interface: an address of it goes there
 *	chain learn				for each interface: learns from what comes in
 *	chain learn_leaving			and from what leaves; a base chain
 *
 * The rules of all four have a comment that names the interface: "@eth0". All
 * of an interface is made with its first service, and goes with its last,
 * unless others refer to it. The addresses of the moment are added by each
 * command that adds a service.
 */
#ifndef INTERFACES_H
#define INTERFACES_H

#include "addresses.h"
#include "batch.h"
#include "link.h"

#define CHAIN_LEARN_LEAVING "learn_leaving"
extern const struct hook learn_leaving_hook;

/* Where an interface has rules. */
enum interface_place {
	INTERFACE_LOOKS_UP, /* its own chain */
	INTERFACE_AT,
	INTERFACE_LEARN,
	INTERFACE_LEAVING,
	INTERFACE_PLACES
};

/* Of an interface there may be so many rules, copies included. */
#define INTERFACE_RULES 16
struct interface {
	char name[MASQ_INTERFACE_MAX];
	bool asked;  /* whether its chain and its set are there */
	bool there;  /* one of them is, so rules may refer to it */
	bool told;   /* it has so many addresses that its set tells all of them */
	bool whole;  /* all its rules are there */
	bool others; /* its chain has rules that are not ours, if that was asked */
	bool unused; /* no service of it remains, and nothing of others' */
	struct {
		enum interface_place place;
		uint64_t handle;
	} rules[INTERFACE_RULES]; /* if they have been read */
	size_t n_rules;
};

/* Those of one family that were looked at. */
struct interfaces {
	struct interface *v;
	size_t n;
	bool all;                       /* they are all there are, with their rules */
	bool asked;                     /* how much the chains are used that they share... */
	uint32_t use[INTERFACE_PLACES]; /* ...so much */
	struct addresses known;         /* of their addresses, which the kernel has for some time */
};

void interfaces_free(struct interfaces *i);
/* The one of this name, made where there is none; NULL: out of memory. Good
 * until the next call. */
struct interface *interfaces_put(struct interfaces *i, const char *name);

/* Names of what belongs to an interface. */
#define INTERFACE_NAME_MAX 32
void interface_chain(char out[INTERFACE_NAME_MAX], const char *interface);
void interface_set(char out[INTERFACE_NAME_MAX], const char *interface);
/* Whether a chain, or a map or set, of this name belongs to one. */
bool interface_owns_chain(const char *name);
bool interface_owns_set(const char *name);
/* Whether a comment of a rule names one. */
bool interface_comment(const char *text, size_t len);

/* Asks, after the requests that are in the buffer, whether an interface stands,
 * and which of its present addresses are known. */
void interface_ask(struct buf *b, enum family f, struct interfaces *all, struct interface *i,
		   const struct addresses *present);
/* Takes an answer: 1; 0: it is to another request; -ENOMEM. */
int interfaces_read(struct interfaces *i, enum family f, const struct nlmsghdr *nlh);
/* Sends what interface_ask() has put into the buffer, and takes the answers. 0
 * or -errno, as in load.h. */
int interfaces_ask(struct link *l, struct buf *b, enum family f, struct interfaces *i);
/* The addresses in its set, if they were too many to be asked for. The same. */
int interface_addresses(struct link *l, struct buf *b, enum family f, struct interfaces *all,
			const struct interface *i);
/* Whether what was asked says that an interface lacks something, or may. */
bool interface_in_doubt(const struct interfaces *all, const struct interface *i);
/* All there are, with their rules in the chains that they share. 0 or -errno,
 * as in load.h. */
int interfaces_load(struct link *l, struct buf *b, enum family f, struct interfaces *i);
/* The rules of one's own chain as well, and whether it is whole. The same. */
int interface_load(struct link *l, struct buf *b, enum family f, struct interfaces *all, size_t i);

/* Makes what an interface lacks, and adds those of its addresses that are not
 * known, which are in order. */
void interface_write(struct batch *b, const struct interface *i, const struct addresses *known,
		     const struct addresses *present);
void interface_remove(struct batch *b, const struct interface *i);

#endif
