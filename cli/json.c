// SPDX-License-Identifier: GPL-2.0-or-later
/* As RFC 8259 has it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "printable.h"

static void put_character(FILE *out, uint32_t c)
{
	static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = c && c < 0x80 ? strchr(special, (int)c) : NULL;

	if (at)
		fprintf(out, "\\%c", letters[at - special]);
	else if (c >= 0x20 && c < 0x80)
		putc((int)c, out);
	else if (c < 0x10000)
		fprintf(out, "\\u%04X", (unsigned int)c);
	else /* in two halves, as in UTF-16 */
		fprintf(out, "\\u%04X\\u%04X", 0xd800 + (unsigned int)((c - 0x10000) >> 10),
			0xdc00 | (unsigned int)(c & 0x3ff));
}

static void put_text(FILE *out, const char *text)
{
	putc('"', out);
	while (*text) {
		uint32_t c;
		size_t n = utf8_decode(text, &c);

		put_character(out, n ? c : 0xfffd);
		text += n ? n : 1;
	}
	putc('"', out);
}

static void put_name(struct object *o, const char *name)
{
	if (o->begun)
		fputs(", ", o->out);
	o->begun = true;
	put_text(o->out, name);
	fputs(": ", o->out);
}

void object_begin(struct object *o, FILE *out)
{
	*o = (struct object){.out = out};
	putc('{', out);
}

void object_null(struct object *o, const char *name)
{
	put_name(o, name);
	fputs("null", o->out);
}

void object_text(struct object *o, const char *name, const char *text)
{
	put_name(o, name);
	put_text(o->out, text);
}

void object_texts(struct object *o, const char *name, const char *const *texts, size_t n)
{
	put_name(o, name);
	putc('[', o->out);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", o->out);
		put_text(o->out, texts[i]);
	}
	putc(']', o->out);
}

void object_number(struct object *o, const char *name, uint64_t number)
{
	put_name(o, name);
	fprintf(o->out, "%" PRIu64, number);
}

void object_bool(struct object *o, const char *name, bool value)
{
	put_name(o, name);
	fputs(value ? "true" : "false", o->out);
}

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

int object_end(struct object *o)
{
	errno = 0;
	if (putc('}', o->out) != EOF && !ferror(o->out))
		return 0;
	return errno ? -errno : -EIO;
}
