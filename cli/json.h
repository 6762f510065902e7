/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds a flat JSON object. object_print() returns the first error. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "masq.h"

struct object {
	void *json;
	bool failed;
};

/* Each adds a member. */
void object_null(struct object *o, const char *name);
void object_text(struct object *o, const char *name, const char *text);
/* An array of n texts. */
void object_texts(struct object *o, const char *name, const char *const *texts, size_t n);
void object_number(struct object *o, const char *name, uint64_t number);
void object_bool(struct object *o, const char *name, bool value);
/* In numbers; "0.0.0.0" where there is none. */
void object_address(struct object *o, const char *name, const struct masq_address *addr);

/* "family": "ipv6" if one of these is of it, else "ipv4". */
void object_family(struct object *o, const struct masq_address *a, const struct masq_address *b);

/* True if this was built with JSON. Otherwise the others do nothing or fail. */
bool object_available(void);
/* 0 or -ENOMEM */
int object_begin(struct object *o);
/* Prints it to stdout and frees it. 0 or negative errno. */
int object_print(struct object *o);

#endif
