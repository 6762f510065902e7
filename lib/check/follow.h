/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the events of a trace together: which packet of which flow they are
 * about, how far it came and who dropped it. No input or output.
 */
#ifndef CHECK_FOLLOW_H
#define CHECK_FOLLOW_H

#include <stddef.h>

#include "ruleset.h"
#include "trace.h"

/* One connection of ours. */
struct follow_flow {
	uint8_t protocol;
	struct masq_address client;
	uint16_t port;            /* the client's */
	struct masq_address dest; /* what it asked for, where it was adopted */
	uint16_t dport;
	uint16_t id; /* of all our packets of this flow */
	bool closed; /* what the client sends from now on is not looked at */
	struct check_flight out, back, icmp;
	struct check_place out_line, back_line, icmp_line; /* the last of iptables-legacy's log */
	enum masq_check_answer answer;
	uint32_t answer_seq;
};

/* A line of iptables-legacy's log: "TRACE: filter:FORWARD:rule:2 ". */
struct follow_line {
	char table[32], chain[CHECK_NAME];
	bool policy;
	unsigned int number;
};

struct follow {
	const char *table; /* our table's name */
	const struct ruleset *ruleset;
	struct follow_flow *flows;
	size_t flow_count;
	struct follow_thread *threads;
	size_t thread_count, thread_cap;
	bool (*interface)(char *name, unsigned int index); /* the name of an interface */
	struct follow_interface {
		unsigned int index;
		char name[IF_NAMESIZE];
	} interfaces[16]; /* those asked for last; asking costs more than all the rest */
	size_t interface_count;
	bool adopt; /* --live: a flow without a client takes the first that comes */
};

void follow_event(struct follow *f, const struct trace_event *e);
/* A line of the log about a packet. */
void follow_legacy(struct follow *f, const struct trace_packet *p, const struct follow_line *line);
/* Says who dropped what, as far as it can be known when nothing comes any
 * more. */
void follow_end(struct follow *f);
void follow_free(struct follow *f);

/* "TRACE: filter:FORWARD:rule:2 "; false: something else */
bool follow_parse_line(struct follow_line *line, const char *prefix);

#endif
