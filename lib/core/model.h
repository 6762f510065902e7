/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of Linux 2.2 as plain data: no I/O, no kernel, no clock.
 *
 * A service (portfw: protocol, local address and port; mfw: mark) owns an ordered list of targets.
 * The head serves the next connection; when its turn is over its count reloads and it goes to the
 * tail. What was recorded from 2.2 and where this differs: ipmasqadm-portfw(8), ipmasqadm-mfw(8).
 */
#ifndef MODEL_H
#define MODEL_H

#include "handle.h"

struct target {
	uint32_t addr; /* network order */
	uint16_t port; /* network order; 0: keep the packet's own */
	uint32_t pref; /* connections a turn; 0: drained */
	uint32_t left; /* connections left of this turn; 0 only if drained */
	uint64_t served;
	uint32_t position; /* the engine's, while it loads */
};

/* Without padding, so that keys compare as bytes. */
struct key {
	uint32_t laddr;   /* portfw, network order; 0: any address of this machine */
	uint32_t mark;    /* mfw */
	uint16_t lport;   /* portfw, network order */
	uint8_t protocol; /* portfw */
	uint8_t module;   /* enum module */
};

/* A number that orders the keys of a module: by protocol, address and port, or by mark. */
uint64_t key_order(const struct key *key);

struct service {
	struct key key;
	struct target *targets; /* in serving order; none: the service is gone */
	size_t n, cap;          /* cap 1: where they are is the table's, not the service's own */
	uint64_t born; /* newer services have larger ones; 0: older than those, in key_order() */

	/* the engine's, not part of the model */
	uint64_t arrived;     /* connections since it was stored, while it loads */
	uint64_t stored_born; /* born as it is in the kernel */
	uint8_t stored;       /* where it is in the kernel, enum map */
	bool counted;         /* arrived has been read */
	bool loading;         /* targets and connections are still being gathered */
	bool dirty;           /* differs from what is in the kernel */
};

/* Puts a target first or last, with a full count. 0, -ENOMEM or -EOVERFLOW. */
int service_insert(struct service *s, bool head, uint32_t addr, uint16_t port, uint32_t pref);
/* Appends a target as given. 0 or -ENOMEM. */
int service_append(struct service *s, const struct target *t);

/* In both, addr 0 or port 0 matches any. Edit restarts the count and keeps the position. 0, -ESRCH
 * if nothing matches, -EOVERFLOW if the prefs would add up to 2^32 or more. */
int service_edit(struct service *s, uint32_t addr, uint16_t port, uint32_t pref);
int service_delete(struct service *s, uint32_t addr, uint16_t port);

/* Ends the head's turn; with one target nothing changes. */
void service_end_turn(struct service *s);

/* n more connections arrived. Takes time in the number of targets, not of connections. */
void service_advance(struct service *s, uint64_t n);

/* Whether connections move the counts: a single mfw target's stands still. */
bool service_counts(const struct service *s);

/* The prefs' sum. */
uint64_t service_period(const struct service *s);

/* An autofw entry; where and lastcontact are the configured ones, receivers live in the kernel. */
struct entry {
	struct ip_autofw_user user;
	uint64_t served;
	bool gone;

	/* the engine's: its rules; 0: not in the kernel yet */
	uint64_t handle, trigger_handle;
};

/* Every service that has been looked at, and for each module whether that is all there are. */
struct table {
	struct service **services; /* in no order */
	size_t n, cap;
	uint32_t *index; /* of the first so many, open addressing by key; UINT32_MAX: free */
	size_t indexed, slots;
	bool twice; /* the index has met a key again */
	bool complete[MOD_COUNT];
	bool flushed[MOD_COUNT]; /* what there was before is gone as a whole */
	uint64_t next_born;

	struct entry *entries; /* autofw, in matching order within a type: newest first */
	size_t n_entries;
};

void table_free(struct table *t);

/* The service with this key, or NULL if it has not been looked at. */
struct service *table_get(struct table *t, const struct key *key);
/* The same, made (without targets) where there is none; NULL: out of memory. */
struct service *table_put(struct table *t, const struct key *key);
/* The same for a key that is not there, and the only one that needs no look to know it. */
struct service *table_add(struct table *t, const struct key *key);

/* Whether all keys are different, which table_add() took for granted. */
bool table_unique(struct table *t);

/* What has to be in the table before a command can be applied. */
enum scope {
	SCOPE_NONE,
	SCOPE_ONE,    /* the service *key */
	SCOPE_MODULE, /* all of the module */
};
enum scope table_scope(enum module mod, const struct ip_masq_ctl *ctl, struct key *key);

/*
 * Applies a valid command (see validate()) to a table that holds its scope; what changes is marked
 * dirty. 0; -ESRCH: it names nothing that is there; -EDESTADDRREQ: nothing matches and there is no
 * target to add; -EOVERFLOW: prefs too large together; -ENOMEM. After an error the table is good
 * for nothing but table_free().
 */
int table_apply(struct table *t, enum module mod, const struct ip_masq_ctl *ctl);

/* autofw.c: table_apply() for that module. */
int autofw_apply(struct table *t, const struct ip_masq_ctl *ctl);
/* autofw.c: equal in all but flags, which is what a delete goes by. */
bool autofw_same(const struct ip_autofw_user *a, const struct ip_autofw_user *b);
/* autofw.c: puts an entry first or last. 0 or -ENOMEM. */
int autofw_insert(struct table *t, bool head, const struct entry *e);

/* How a service's future looks to a kernel that counts connections from 0: first the runs of the
 * prologue, once, then those of the period, for ever. */
struct run {
	size_t target;
	uint32_t length;
};
struct schedule {
	struct run *prologue, *period;
	size_t n_prologue, n_period;
};
/* Both empty if every target is drained. 0 or -ENOMEM; free with schedule_free(). */
int schedule_make(struct schedule *out, const struct service *s);
void schedule_free(struct schedule *s);

#endif
