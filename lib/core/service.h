/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A service and its targets: the scheduling of Linux 2.2 as plain data. No I/O,
 * no kernel, no clock.
 *
 * A service (portfw: protocol, local address and port; mfw: mark) owns an
 * ordered list of targets. The head serves the next connection; when its turn
 * is over its count reloads and it goes to the tail. What was recorded from 2.2
 * and where this differs: ipmasqadm-portfw(8), ipmasqadm-mfw(8).
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "address.h"
#include "rank.h"

struct target {
	struct masq_address addr;
	uint16_t port; /* 0: keep the packet's own */
	uint32_t pref; /* connections a turn; 0: drained */
	uint32_t left; /* connections left of this turn; 0 only if drained */
	uint64_t served;
};

/* Without padding, so that keys compare as bytes. */
struct key {
	uint8_t kind : 7; /* enum masq_kind */
	uint8_t at : 1;   /* portfw: on an interface */
	uint8_t protocol; /* portfw */
	uint16_t port;    /* portfw */
	uint32_t mark;    /* mfw */
	/* portfw; 0.0.0.0: any address of this machine; at: the interface's
	 * name, with zeroes behind it, where else the address is. All kinds:
	 * the family. */
	struct masq_address local;
};
_Static_assert(sizeof(struct key) == 28, "struct key has padding");
_Static_assert(sizeof(struct in6_addr) == MASQ_INTERFACE_MAX, "a name has the room of an address");

static inline bool key_equal(const struct key *a, const struct key *b)
{
	return !memcmp(a, b, sizeof(*a));
}
/* The local address; on an interface: any of the family. */
struct masq_address key_local(const struct key *key);
/* The name of the interface; "": it is on an address. */
static inline const char *key_interface(const struct key *key)
{
	return key->at ? (const char *)key->local.in6.s6_addr : "";
}
/* Puts it on an interface; "": leaves it as it is. The family stays. */
void key_set_interface(struct key *key, const char *name);
/* What orders the keys of a kind: by protocol, family, address and port, or by
 * mark and family. Without a second rank but for addresses of IPv6. */
struct order key_order(const struct key *key);

struct service {
	struct key key;
	uint32_t n;           /* of targets; none: the service is gone */
	uint32_t cap;         /* of more */
	bool counts_alone;    /* connections move the count of a single target, too (portfw) */
	bool dirty;           /* a command changed it */
	uint8_t helper;       /* enum helper (portfw) */
	struct target single; /* where the target of most is: room for one takes no allocation */
	struct target *more;  /* all of them, where there are or were several; or NULL */
	uint64_t born; /* newer services have larger ones; 0: older than those, in key_order() */
};

void service_free(struct service *s);

/* The targets, in serving order; and the i-th of them, which is there if i <
 * s->n or i == 0. Good until one is added. */
struct target *service_targets(struct service *s);
static inline const struct target *service_target(const struct service *s, size_t i)
{
	return s->more ? &s->more[i] : &s->single;
}

/* Puts a target first or last, with a full count. 0, -ENOMEM or -EOVERFLOW. */
int service_insert(struct service *s, bool head, const struct masq_address *addr, uint16_t port,
		   uint32_t pref);
/* Appends a target as given. 0 or -ENOMEM. */
int service_append(struct service *s, const struct target *t);

/* In both, addr NULL or port 0 matches any. Edit restarts the count and keeps
 * the position. 0, -ESRCH if nothing matches, -EOVERFLOW if the prefs would add
 * up to 2^32 or more. */
int service_edit(struct service *s, const struct masq_address *addr, uint16_t port, uint32_t pref);
int service_delete(struct service *s, const struct masq_address *addr, uint16_t port);

/* Ends the head's turn; with one target nothing changes. */
void service_end_turn(struct service *s);

/* n more connections arrived. Takes time in the number of targets, not of
 * connections. */
void service_advance(struct service *s, uint64_t n);

/* Whether connections move the counts. */
bool service_counts(const struct service *s);

/* The sum of the prefs. */
uint64_t service_period(const struct service *s);

#endif
