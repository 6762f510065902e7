// SPDX-License-Identifier: GPL-2.0-or-later
/* The only file that knows jansson. */
#include <errno.h>
#include <stdio.h>

#include "json.h"

#ifdef WITH_JSON
#include <jansson.h>

/* Takes over value, also NULL: jansson's way to run out of memory. */
static void set(struct object *o, const char *name, json_t *value)
{
	o->failed |= json_object_set_new(o->json, name, value) < 0;
}

void object_null(struct object *o, const char *name)
{
	set(o, name, json_null());
}

void object_text(struct object *o, const char *name, const char *text)
{
	set(o, name, json_string(text));
}

void object_texts(struct object *o, const char *name, const char *const *texts, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		o->failed |= json_array_append_new(array, json_string(texts[i])) < 0;
	set(o, name, array);
}

void object_number(struct object *o, const char *name, uint64_t number)
{
	set(o, name, json_integer((json_int_t)number));
}

void object_bool(struct object *o, const char *name, bool value)
{
	set(o, name, json_boolean(value));
}

bool object_available(void)
{
	return true;
}

int object_begin(struct object *o)
{
	*o = (struct object){.json = json_object()};
	return o->json ? 0 : -ENOMEM;
}

int object_print(struct object *o)
{
	int err = 0;

	errno = 0;
	if (o->failed)
		err = -ENOMEM;
	else if (json_dumpf(o->json, stdout, JSON_ENSURE_ASCII) < 0)
		err = errno ? -errno : -EIO;
	json_decref(o->json);
	return err;
}
#else
void object_null(struct object *o, const char *name)
{
	(void)o, (void)name;
}

void object_text(struct object *o, const char *name, const char *text)
{
	(void)o, (void)name, (void)text;
}

void object_texts(struct object *o, const char *name, const char *const *texts, size_t n)
{
	(void)o, (void)name, (void)texts, (void)n;
}

void object_number(struct object *o, const char *name, uint64_t number)
{
	(void)o, (void)name, (void)number;
}

void object_bool(struct object *o, const char *name, bool value)
{
	(void)o, (void)name, (void)value;
}

bool object_available(void)
{
	return false;
}

int object_begin(struct object *o)
{
	(void)o;
	return -EOPNOTSUPP;
}

int object_print(struct object *o)
{
	(void)o;
	return -EOPNOTSUPP;
}
#endif

void object_address(struct object *o, const char *name, const struct masq_address *addr)
{
	char text[MASQ_NAME_MAX];

	masq_host_name(text, addr, true);
	object_text(o, name, text);
}

void object_family(struct object *o, const struct masq_address *a, const struct masq_address *b)
{
	bool six = a->family == AF_INET6 || b->family == AF_INET6;

	object_text(o, "family", six ? "ipv6" : "ipv4");
}
