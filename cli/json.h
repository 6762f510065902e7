/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a flat JSON object in ASCII. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "masq.h"

struct object {
	FILE *out;
	void *json;
	bool failed;
};

/* Whether objects can be written. If not, *why is the reason, good until
 * something is loaded. */
bool object_available(const char **why);

/* Only where they can. Errors show at the end. */
void object_begin(struct object *o, FILE *out);

/* Each adds a member. What is not UTF-8 in a text is U+FFFD there, a byte
 * each. */
void object_null(struct object *o, const char *name);
void object_text(struct object *o, const char *name, const char *text);
/* An array of n texts. */
void object_texts(struct object *o, const char *name, const char *const *texts, size_t n);
/* At most 2^63 - 1. */
void object_number(struct object *o, const char *name, uint64_t number);
void object_bool(struct object *o, const char *name, bool value);
/* In numbers; "0.0.0.0" where there is none. */
void object_address(struct object *o, const char *name, const struct masq_address *addr);
/* "family": "ipv6" if one of these is of it, else "ipv4". */
void object_family(struct object *o, const struct masq_address *a, const struct masq_address *b);

/* Writes it. 0 or negative errno. */
int object_end(struct object *o);

#endif
