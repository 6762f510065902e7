// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON to the byte. */
#include <errno.h>
#include <stdlib.h>

#include "json.h"
#include "tap.h"

static void texts(void)
{
	static const struct {
		const char *text, *json, *what;
	} c[] = {
		{"", "", "nothing"},
		{" !#'/[]{}~", " !#'/[]{}~", "ASCII"},
		{"a\"b\\c", "a\\\"b\\\\c", "a quote, a backslash"},
		{"\b\f\n\r\t", "\\b\\f\\n\\r\\t", "those with a letter"},
		{"\x01\x1b\x1f\x7f", "\\u0001\\u001B\\u001F\x7f", "C0 and DEL"},
		{"\xc2\x80\xc2\x9b", "\\u0080\\u009B", "C1"},
		{"\xc3\xbc\xe2\x82\xac", "\\u00FC\\u20AC", "two bytes, three bytes"},
		{"\xef\xbf\xbf", "\\uFFFF", "the last of three bytes"},
		{"\xf0\x90\x80\x80", "\\uD800\\uDC00", "the first of four bytes"},
		{"\xf0\x9f\x90\xa7x", "\\uD83D\\uDC27x", "two halves"},
		{"\xf4\x8f\xbf\xbf", "\\uDBFF\\uDFFF", "the last of all"},
		{"\xed\x9f\xbf\xee\x80\x80", "\\uD7FF\\uE000", "around the surrogates"},
		{"\xed\xa0\x80", "\\uFFFD\\uFFFD\\uFFFD", "a surrogate"},
		{"a\xff"
		 "b",
		 "a\\uFFFDb", "no UTF-8"},
		{"\xc3", "\\uFFFD", "cut after one byte of two"},
	};

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		char *text, want[128];
		struct object o;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		if (!out)
			abort();
		object_begin(&o, out);
		object_text(&o, "t", c[i].text);
		object_end(&o);
		fclose(out);
		snprintf(want, sizeof(want), "{\"t\": \"%s\"}", c[i].json);
		is_str(text, want, "%s", c[i].what);
		free(text);
	}
}

static void members(void)
{
	static const char *const list[] = {"a", "b\n"};
	struct masq_address addr, none = {0};
	struct object o;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out || !masq_parse_address(&addr, "198.51.100.1"))
		abort();
	object_begin(&o, out);
	is_int(object_end(&o), 0, "no member");
	object_begin(&o, out);
	object_null(&o, "null");
	object_bool(&o, "yes", true);
	object_bool(&o, "no", false);
	object_number(&o, "zero", 0);
	object_number(&o, "most", UINT64_MAX);
	object_texts(&o, "none", list, 0);
	object_texts(&o, "two", list, 2);
	object_address(&o, "address", &addr);
	object_address(&o, "any", &none);
	is_int(object_end(&o), 0, "a member of each sort");
	fclose(out);
	is_str(text,
	       "{}{\"null\": null, \"yes\": true, \"no\": false, \"zero\": 0, "
	       "\"most\": 9223372036854775807, \"none\": [], \"two\": [\"a\", \"b\\n\"], "
	       "\"address\": \"198.51.100.1\", \"any\": \"0.0.0.0\"}",
	       "... as it is written");
	free(text);
}

static void full(void)
{
	FILE *out = fopen("/dev/full", "w");
	struct object o;

	if (!out)
		abort();
	setvbuf(out, NULL, _IONBF, 0);
	object_begin(&o, out);
	is_int(object_end(&o), -ENOSPC, "what cannot be written is an error");
	fclose(out);
}

int main(void)
{
	const char *why;

	if (!object_available(&why)) {
		printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	texts();
	members();
	full();
	return done_testing();
}
