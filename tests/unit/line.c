// SPDX-License-Identifier: GPL-2.0-or-later
/* Cells in lines. */
#include "address.h"
#include "line.h"
#include "tap.h"

static const struct line_column columns[] = {{"left", -6}, {"right", 6}, {"n", 1}, {NULL, 0}};
static const struct line_column none[] = {{NULL, 0}};

static const char *printed(struct line *l)
{
	static char out[sizeof(l->text) + 2];
	FILE *f = fmemopen(out, sizeof(out), "w");

	out[0] = '\0';
	if (line_print(l, f) < 0)
		return "not printed";
	fclose(f);
	return out;
}

static void cells(void)
{
	struct line l;

	line_begin(&l, columns);
	line_names(&l);
	is_str(printed(&l), "left    right n\n", "names");

	line_begin(&l, columns);
	line_text(&l, "a");
	line_text(&l, "b");
	line_text(&l, "c");
	line_text(&l, "behind");
	line_text(&l, "all");
	is_str(printed(&l), "a           b c behind all\n", "padded; not behind the last column");

	line_begin(&l, columns);
	line_text(&l, "longer than six");
	line_text(&l, "longer");
	line_text(&l, "longer");
	is_str(printed(&l), "longer than six longer longer\n", "what is longer stands as it is");

	line_begin(&l, columns);
	line_text(&l, "");
	line_text(&l, "");
	line_continue(&l, columns);
	line_text(&l, "x");
	is_str(printed(&l), "              x     \n", "empty cells; columns that follow");

	line_begin(&l, none);
	is_str(printed(&l), "\n", "an empty line");
}

static void numbers(void)
{
	struct masq_address addr, absent = {0};
	struct line l;

	line_begin(&l, none);
	line_number(&l, 0);
	line_number(&l, 10);
	line_number(&l, UINT64_MAX);
	line_signed(&l, -1);
	line_signed(&l, INT64_MIN);
	line_signed(&l, INT64_MAX);
	is_str(printed(&l),
	       "0 10 18446744073709551615 -1 -9223372036854775808 9223372036854775807\n",
	       "numbers");

	line_begin(&l, columns);
	line_signed(&l, -5);
	line_signed(&l, -5);
	is_str(printed(&l), "-5         -5\n", "in columns");

	line_begin(&l, none);
	addr = address_v4(htonl(0x0a6400ff));
	line_host(&l, &addr, true);
	line_port(&l, 65535, IPPROTO_TCP, true);
	is_str(printed(&l), "10.100.0.255 65535\n", "an address and a port");

	line_begin(&l, none);
	line_host(&l, &absent, false);
	line_port(&l, 0, IPPROTO_TCP, false);
	is_str(printed(&l), "0.0.0.0 0\n", "none of either");
}

/* Whatever is put in, a line stays in its bounds. */
static void bounds(void)
{
	static char text[2 * MASQ_NAME_MAX];
	struct line l;
	const char *out;
	size_t len;

	memset(text, 'x', sizeof(text) - 1);
	line_begin(&l, none);
	line_text(&l, text);
	is_int((long long)strlen(printed(&l)), MASQ_NAME_MAX + 1, "a text ends at MASQ_NAME_MAX");

	line_begin(&l, columns);
	for (int i = 0; i < 1000; i++)
		line_text(&l, text);
	out = printed(&l);
	len = strlen(out);
	ok(len > 15 * (MASQ_NAME_MAX + 1) && len < sizeof(l.text) && out[len - 1] == '\n',
	   "a full line is as long as it may be, %zu", len);
	line_text(&l, text);
	is_int((long long)strlen(printed(&l)), (long long)len, "and takes no more");
}

int main(void)
{
	cells();
	numbers();
	bounds();
	return done_testing();
}
