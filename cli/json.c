// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The only file that knows jansson. It is loaded by the first command that
 * prints JSON: most print none, and loading it is a third of what an add does
 * (instructions, by callgrind).
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "printable.h"

#ifdef WITH_JSON
#include <jansson.h>

#define SONAME "libjansson.so.4"

#define FUNCTIONS(x)                                                                               \
	x(json_array) x(json_array_append_new) x(json_delete) x(json_dumpf) x(json_false)          \
		x(json_integer) x(json_null) x(json_object) x(json_object_set_new) x(json_string)  \
			x(json_true)

#define MEMBER(name) __typeof__(&name) name;
static struct {
	FUNCTIONS(MEMBER)
} jansson;

/* NULL, or why not. */
#ifdef NO_DLOPEN
static const char *load(void)
{
#define TAKE(name) jansson.name = name;
	FUNCTIONS(TAKE)
	return NULL;
}
#else
static bool take(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found));
	return found;
}

static const char *load(void)
{
	void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	const char *why;

#define TAKE(name) &&take(library, #name, &jansson.name)
	if (library FUNCTIONS(TAKE))
		return NULL;
	why = dlerror();
	return why ? why : SONAME " cannot be loaded";
}
#endif

bool object_available(const char **why)
{
	*why = jansson.json_true ? NULL : load();
	return !*why;
}

/* Takes over value, also NULL: jansson's way to run out of memory. */
static void set(struct object *o, const char *name, json_t *value)
{
	o->failed |= jansson.json_object_set_new(o->json, name, value) < 0;
}

/* A copy of a text in UTF-8; NULL: out of memory. */
static char *utf8(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	char *copy = malloc(3 * strlen(text) + 1), *p = copy;

	while (copy && *text) {
		uint32_t c;
		size_t n = utf8_decode(text, &c);

		memcpy(p, n ? text : replacement, n ? n : 3);
		p += n ? n : 3;
		text += n ? n : 1;
	}
	if (copy)
		*p = '\0';
	return copy;
}

static json_t *string(const char *text)
{
	char *copy = utf8(text);
	json_t *value = copy ? jansson.json_string(copy) : NULL;

	free(copy);
	return value;
}

void object_begin(struct object *o, FILE *out)
{
	*o = (struct object){.out = out, .json = jansson.json_object()};
	o->failed = !o->json;
}

void object_null(struct object *o, const char *name)
{
	set(o, name, jansson.json_null());
}

void object_text(struct object *o, const char *name, const char *text)
{
	set(o, name, string(text));
}

void object_texts(struct object *o, const char *name, const char *const *texts, size_t n)
{
	json_t *array = jansson.json_array();

	for (size_t i = 0; i < n; i++)
		o->failed |= jansson.json_array_append_new(array, string(texts[i])) < 0;
	set(o, name, array);
}

void object_number(struct object *o, const char *name, uint64_t number)
{
	set(o, name, jansson.json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number));
}

void object_bool(struct object *o, const char *name, bool value)
{
	set(o, name, value ? jansson.json_true() : jansson.json_false());
}

int object_end(struct object *o)
{
	int err = 0;

	errno = 0;
	if (o->failed)
		err = -ENOMEM;
	else if (jansson.json_dumpf(o->json, o->out, JSON_ENSURE_ASCII) < 0)
		err = errno ? -errno : -EIO;
	if (o->json)
		jansson.json_delete(o->json);
	return err;
}
#else
bool object_available(const char **why)
{
	*why = "this program was built without it";
	return false;
}

void object_begin(struct object *o, FILE *out)
{
	(void)o, (void)out;
}

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

int object_end(struct object *o)
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
