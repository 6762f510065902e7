/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our temporary tables: taps that show where a packet was, what pins a flow to
 * its target, and what keeps answers from leaving. They belong to the socket
 * that made them and go with it, also after kill -9; nobody else can change
 * them (NFT_TABLE_F_OWNER, Linux 5.12).
 */
#ifndef CHECK_TABLE_H
#define CHECK_TABLE_H

#include "family.h"
#include "nl.h"

/* A packet of ours: client, protocol and source port are its name. */
struct table_flow {
	uint8_t protocol;
	struct masq_address client;
	uint16_t port;
	struct masq_address target;
	uint16_t target_port;
	uint32_t mark; /* 0: none */
	bool held;     /* is dropped where it would leave: the server's host does not answer,
			  and the kernel would tell the client so when we are gone */
	bool near;     /* client and target are on one link: our rules masquerade it, as if they had
		      looked it up */
};

/* The names of the regular chains that are jumped to by what they tell. */
#define TABLE_UNTRACKED "untracked"
#define TABLE_INVALID "invalid"
#define TABLE_ESTABLISHED "established"

struct table {
	struct nl nl;
	char name[40];
	bool labels;  /* flows with near have our label */
	bool ingress; /* there are taps at the ingress of the devices */
};

/* Makes the tables, for flows of one family. devices: those whose ingress gets
 * a tap, if the kernel can. 0 or negative errno; table_close() after either,
 * which removes them. */
int table_open(struct table *t, const struct family *family, const struct table_flow *flows,
	       size_t n, const char (*devices)[IF_NAMESIZE], size_t device_count);
void table_close(struct table *t);

/* Whether a chain name of ours is a tap; where it is. */
bool table_tap(const char *chain, enum masq_check_hook *hook, int *priority);
/* The tap behind this one at the same hook; false if it is the last. */
bool table_next_tap(enum masq_check_hook hook, int priority, int *next);

/* For --live: traces new connections to these services instead, at most 20
 * packets a second, and neither pins nor drops anything. */
struct table_service {
	uint8_t protocol;
	const struct family *family;
	struct masq_address address; /* 0.0.0.0, ::: any */
	uint16_t first, last;        /* 0: any */
};
int table_open_live(struct table *t, const struct table_service *services, size_t n);

#endif
