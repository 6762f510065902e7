/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules as data. Each is described once, and a batch makes of it a netlink
 * message or a line of text (batch.h).
 */
#ifndef RULE_H
#define RULE_H

#include "metadata.h"
#include "schema.h"

/* Tests that rules of ours make, of constants. */
enum test {
	TEST_NOT_LOCAL, /* not addressed to this machine */
	TEST_MARKED,    /* has a firewall mark */
	TEST_NO_SYN,    /* of TCP, and not the first packet of a connection */
	TEST_OTHER,     /* neither TCP nor UDP */
	TEST_EITHER,    /* TCP or UDP */
	TEST_TCP,
	TEST_UDP,
	TEST_NO_SNAT,     /* not masqueraded */
	TEST_UNCONFIRMED, /* the first packet of its connection */
	TEST_COUNT,
};

enum statement_type {
	STATEMENT_NONE,
	STATEMENT_TEST,
	STATEMENT_PORTS,       /* protocol, and first to last of its destination port */
	STATEMENT_SERVER_PORT, /* ports.first is where the connection went to */
	STATEMENT_EVERY,       /* so many of every modulus connections that get here */
	STATEMENT_COUNTER,
	STATEMENT_DNAT,     /* to addr, and port if it is not 0 */
	STATEMENT_DNAT_MAP, /* to what a map has for the key */
	STATEMENT_VERDICT_MAP,
	STATEMENT_JUMP,
	STATEMENT_GOTO,
	STATEMENT_RETURN,
	STATEMENT_UPDATE, /* an element of a map of receivers: refresh or add it */
	STATEMENT_FORGET, /* the same: delete it */
};

struct statement {
	enum statement_type type;
	union {
		enum test test;
		struct {
			uint8_t protocol;
			struct masq_ports ports;
		};
		/* those whose count modulo modulus is below first, or beyond last */
		struct {
			uint32_t modulus, first, last;
		};
		struct {
			struct masq_address addr;
			uint16_t port;
		};
		/* to a map or a chain; key and data of a map; what is found in it is counted,
		 * for which nft(8) has no words: it writes the counter first */
		struct {
			const char *name;
			const struct parts *key, *data;
			bool counted;
		};
	};
};

#define STATEMENTS_MAX 6
struct rule {
	const char *chain;
	struct statement statement[STATEMENTS_MAX]; /* up to STATEMENT_NONE */
	bool first;                                 /* of its chain; else last */
	const char *comment;                        /* or NULL */
};

/* What a test is: the value of field, masked, is or is not this one. */
struct test_def {
	const char *text; /* as nft(8) writes it */
	enum field field;
	bool needs_tcp; /* nft(8) tests the protocol first */
	bool unequal;
	uint32_t mask; /* 0: all of it */
	uint32_t value;
};

/* TEST_OTHER and TEST_EITHER are a set of values, and have no field. */
extern const struct test_def test_defs[TEST_COUNT];

/* Appends a statement. Further ones than fit are a programming error. */
void rule_add(struct rule *r, struct statement s);

#endif
