/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's messages say: attributes, comments, counters, elements. All
 * pointers are into the message, all lengths are checked. */
#ifndef READ_H
#define READ_H

#include "link.h"
#include "schema.h"

/* The attribute of this type of a message, or in a nest; or NULL. nest may be
 * NULL. */
const struct nlattr *attr_of(const struct nlmsghdr *nlh, uint16_t type);
const struct nlattr *attr_in(const struct nlattr *nest, uint16_t type);
/* At most size bytes of an attribute's payload; how many. */
size_t attr_copy(uint8_t *out, size_t size, const struct nlattr *attr);
/* A number that the kernel has in network order, in host order; 0 of NULL. */
uint64_t attr_be64(const struct nlattr *attr);
uint32_t attr_be32(const struct nlattr *attr);
/* An attribute's text; "" of NULL and of what is none. */
const char *attr_text(const struct nlattr *attr);
/* Whether an attribute, or NULL, is this text. */
bool attr_is(const struct nlattr *attr, const char *text);

/* The data of an expression of this name, or NULL. */
const struct nlattr *read_expr(const struct nlattr *expr, const char *name);
/* The packets of a counter expression; false if it is another expression. */
bool read_counter(const struct nlattr *expr, uint64_t *packets);
/* The chain that data, a verdict, goes or jumps to; NULL: it is none or another
 * verdict. */
const char *read_goto(const struct nlattr *data);

/* Not terminated; empty where there is none. */
struct comment {
	const char *text;
	size_t len;
};

/* One set element as the kernel tells it. */
struct element {
	uint8_t key[VALUE_MAX];
	size_t key_len;
	const uint8_t *key_end; /* of a range of several parts, end_len bytes */
	size_t end_len;
	uint8_t data[VALUE_MAX];
	size_t data_len;   /* 0: none, or a verdict */
	const char *chain; /* that a verdict goes or jumps to, or NULL */
	uint64_t packets;
	uint64_t expires; /* ms; 0: never */
	bool end;         /* of an interval: no element of its own */
	struct comment comment;
};

/* The comment in the userdata of a rule or an element; NULL: no userdata. */
struct comment read_comment(const struct nlattr *attr);

/* Calls fn for every element of a message, up to a negative result, which is
 * returned. */
typedef int element_fn(const struct element *e, void *arg);
int read_elements(const struct nlmsghdr *nlh, element_fn *fn, void *arg);

#endif
