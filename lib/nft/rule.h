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
	TEST_NO_SNAT,      /* not masqueraded */
	TEST_NO_DNAT,      /* not forwarded */
	TEST_OURS,         /* looked up by our rules and found (skeleton.h) */
	TEST_UNCONFIRMED,  /* the first packet of its connection */
	TEST_LOOPBACK,     /* to the machine itself, whatever its addresses are */
	TEST_LINK_LOCAL,   /* to an address that is the link's own; of IPv6 */
	TEST_BORN_HERE,    /* came in by no interface */
	TEST_LEAVES,       /* and goes out by one that leads somewhere */
	TEST_FROM_HERE,    /* from an address of this machine */
	TEST_FROM_OTHER,   /* but none of the interface that it leaves by */
	TEST_FROM_LEAVING, /* from one of the interface that it leaves by */
	TEST_ON_INTERFACE, /* to an address of the interface that it came in by */
	TEST_NEW,          /* opens a connection */
	TEST_COUNT,
};

enum statement_type {
	STATEMENT_NONE,
	STATEMENT_TEST,
	STATEMENT_PORTS,       /* protocol, and first to last of its destination port */
	STATEMENT_SERVER_PORT, /* ports.first is where the connection went to */
	STATEMENT_EVERY,       /* so many of every modulus connections that get here */
	STATEMENT_INTERFACE,   /* the field is this interface */
	STATEMENT_NOT_INTERFACE,
	STATEMENT_IN_SET, /* a set has the key */
	STATEMENT_NOT_IN_SET,
	STATEMENT_COUNTER,
	STATEMENT_LABEL, /* the connection gets this label, besides those that it has */
	STATEMENT_MASQUERADE,
	STATEMENT_HELPER,   /* the connection gets the helper of this name */
	STATEMENT_DNAT,     /* to addr, and port if it is not 0 */
	STATEMENT_DNAT_MAP, /* to what a map has for the key */
	STATEMENT_VERDICT_MAP,
	STATEMENT_JUMP,
	STATEMENT_GOTO,
	STATEMENT_RETURN,
	STATEMENT_ACCEPT, /* what follows in other chains is not ours to say */
	STATEMENT_UPDATE, /* an element of a map or a set: refresh or add it */
	STATEMENT_FORGET, /* the same: delete it */
};

struct statement {
	enum statement_type type;
	union {
		enum test test;
		uint32_t label;
		struct {
			enum field field;
			const char *interface;
		};
		struct {
			uint8_t protocol;
			struct masq_ports ports;
		};
		/* those whose count modulo modulus is below first, or beyond
		 * last */
		struct {
			uint32_t modulus, first, last;
		};
		struct {
			struct masq_address addr;
			uint16_t port;
		};
		/* to a map, a set or a chain; key and data of a map, key of a
		 * set; what is found in it is counted, for which nft(8) has no
		 * words: it writes the counter first */
		struct {
			const char *name;
			const struct parts *key, *data;
			bool counted;
		};
	};
};

/* Labels of connections, of 128 that there are: those that we use. */
#define LABEL_SOUGHT 126 /* our rules looked it up... */
#define LABEL_MISSED 127 /* ...twice, and found nothing */
/* In the highest 32 of the 128 bits, which nft(8) takes for one number. */
#define LABEL_BIT(n) (1u << ((n) % 32))

#define STATEMENTS_MAX 8
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
	uint32_t mask; /* 0: all of it; of a label the highest 32 bits */
	uint32_t value;
};

/* TEST_OTHER and TEST_EITHER are a set of values, and have no field. NULL: the
 * family has no such test. */
const struct test_def *test_def(enum family f, enum test test);

/* Appends a statement. Further ones than fit are a programming error. */
void rule_add(struct rule *r, struct statement s);

#endif
