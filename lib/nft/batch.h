/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a transaction is made of. plan.c says what is to be done; what becomes
 * of it is one of two things: netlink messages (batch_netlink.c), or text for
 * nft(8) (batch_text.c). Everything is in our tables: in that of the family
 * that the batch is at.
 */
#ifndef BATCH_H
#define BATCH_H

#include "buf.h"
#include "far.h"
#include "objects.h"
#include "rule.h"

/* Where a base chain hangs. */
struct hook {
	const char *type; /* "nat" */
	uint32_t number;  /* NF_INET_ */
	int priority;
	const char *text; /* "prerouting priority dstnat - 2" */
};

struct map_spec {
	const char *name, *comment;
	const struct parts *key, *data; /* data NULL: it is a set */
	uint32_t size;                  /* 0: any */
	uint32_t seconds;               /* its elements live so long; 0: for ever */
	bool dynamic;                   /* packets add elements */
	bool ranges;                    /* elements are ranges */
};

struct batch;

/* A step cannot fail; what could not be taken shows at the end. */
struct batch_ops {
	/* Makes the table where it is not. */
	void (*table_add)(struct batch *b);
	void (*table_del)(struct batch *b);
	/* Makes a chain where it is not; a base chain if hook is given. */
	void (*chain_add)(struct batch *b, const char *name, const struct hook *hook);
	void (*chain_flush)(struct batch *b, const char *name);
	void (*chain_del)(struct batch *b, const char *name); /* an empty one */
	void (*rule_add)(struct batch *b, const struct rule *r);
	void (*rule_del)(struct batch *b, const char *chain, uint64_t handle);
	void (*map_add)(struct batch *b, const struct map_spec *spec);
	void (*map_flush)(struct batch *b, const char *name);
	void (*map_del)(struct batch *b, const char *name);
	/* Makes a helper where it is not. */
	void (*helper_add)(struct batch *b, const struct helper_object *o);
	void (*helper_del)(struct batch *b, const struct helper_object *o);
	/* A service's element in a map: its target, or a goto to its chain. */
	void (*element_add)(struct batch *b, enum map map, const struct service *s);
	void (*element_del)(struct batch *b, enum map map, const struct key *key);
	/* An address of a set of them, also one that is there. */
	void (*address_add)(struct batch *b, const char *set, const struct masq_address *a);
	/* An element of the set of those that are far away (far.h). */
	void (*far_add)(struct batch *b, const struct far *far);
	void (*far_del)(struct batch *b, const struct far *far);
};

struct batch {
	const struct batch_ops *ops;
	enum family family; /* of what comes next */
	bool unlabelled;    /* the kernel has no labels of connections */
};

/* Messages into a buffer, between buf_begin_batch() and buf_end_batch(). */
struct batch_netlink {
	struct batch batch;
	struct buf *buf;
	bool begun; /* there is something to send */
	int err;    /* an object that could not be made: -ENOMEM or -ELIBACC */
	uint32_t set_id;
	/* the message that takes elements at the moment */
	struct nlmsghdr *open;
	struct nlattr *list;
	enum family open_family;
	enum map open_map;
	char open_interface[MASQ_INTERFACE_MAX];
	bool open_add;
};
void batch_netlink_init(struct batch_netlink *b, struct buf *buf);
/* Completes the last message. 0 or -ENOMEM. */
int batch_netlink_end(struct batch_netlink *b);

/* Lines to a stream; errors of writing are the stream's. */
struct batch_text {
	struct batch batch;
	FILE *out;
};
void batch_text_init(struct batch_text *b, FILE *out);

/* batch.c: whether elements count their packets; pools' chains do that
 * themselves. */
bool map_spec_counts(const struct map_spec *spec);
/* A chain that is emptied first. */
void batch_chain_remove(struct batch *b, const char *name);

#endif
