/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single values and lists of the kernel: sysctls, listeners, connections. */
#ifndef CHECK_STATE_H
#define CHECK_STATE_H

#include "family.h"

/* The number in /proc/sys/NAME; -1: cannot be read. */
long state_sysctl(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Programs that wait for connections or datagrams. */
struct state_listener {
	uint8_t protocol;
	struct masq_address address;
	bool both; /* the address is ::, and IPv4 is taken, too */
	uint16_t port;
};
struct state_listeners {
	struct state_listener *v;
	size_t n, cap;
};
int state_listeners(struct state_listeners *list);
void state_listeners_free(struct state_listeners *list);
bool state_listens(const struct state_listeners *list, uint8_t protocol,
		   const struct masq_address *address, uint16_t port);

/* UDP flows: who sends to what, and who the kernel believes answers. */
struct state_flow {
	struct masq_address client, dest, server;
	uint16_t client_port, dport, server_port;
	bool replied; /* the server has answered */
};
typedef void state_flow_fn(const struct state_flow *flow, void *arg);
/* Calls fn for every UDP entry that conntrack has of the family. 0 or negative
 * errno. */
int state_udp_flows(const struct family *family, state_flow_fn *fn, void *arg);

/* Whether conntrack has an entry of a packet with these addresses and ports. */
struct nl;
struct state_tuple {
	uint8_t protocol;
	struct masq_address src, dst;
	uint16_t sport, dport;
};
bool state_is_known(struct nl *nl, const struct state_tuple *t);

#endif
