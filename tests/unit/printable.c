// SPDX-License-Identifier: GPL-2.0-or-later
/* What reaches a terminal: one line, one case. */
#include "printable.h"
#include "tap.h"

static void cases(void)
{
	static const struct {
		const char *text, *shown, *what;
	} c[] = {
		{"", "", "nothing"},
		{" !\"#%~", " !\"#%~", "ASCII"},
		{"a\x01"
		 "b\x1b[31mc\x1f",
		 "a?b?[31mc?", "C0"},
		{"\t\n\r", "???", "line ends and tabs"},
		{"a\x7f"
		 "b",
		 "a?b", "DEL"},
		{"\x80\x9b"
		 "31m\x9f",
		 "??31m?", "C1 as bytes"},
		{"a\xc2\x80"
		 "b\xc2\x9b"
		 "31m\xc2\x9f",
		 "a??b??31m??", "C1 as UTF-8"},
		{"\xc2\xa0\xc3\xbf", "\xc2\xa0\xc3\xbf", "the rest of Latin-1 as UTF-8"},
		{"\xa0\xe9\xff", "???", "the rest of Latin-1 as bytes"},
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7",
		 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7", "two, three and four bytes"},
		{"\xc1\x9b"
		 "\xe0\x82\x9b"
		 "\xf0\x80\x82\x9b",
		 "?????????", "C1, longer than it must be"},
		{"\xc0\x80", "??", "NUL, longer than it must be"},
		{"\xed\xa0\x80", "???", "a surrogate"},
		{"\xee\x80\x80", "???", "private use"},
		{"\xf4\x90\x80\x80", "????", "beyond Unicode"},
		{"\xf8\x88\x80\x80\x80", "?????", "five bytes"},
		{"a\xc3", "a?", "cut after one byte of two"},
		{"a\xe2\x82", "a??", "cut after two bytes of three"},
		{"a\xf0\x9f\x90", "a???", "cut after three bytes of four"},
		{"\xc3"
		 "A\xe2\x82"
		 "B",
		 "?A??B", "cut in the middle"},
		{"a\xe2\x80\xae"
		 "b\xe2\x81\xa6"
		 "c",
		 "a???b???c", "other directions"},
		{"a\xe2\x80\xa8"
		 "b\xe2\x80\xa9",
		 "a???b???", "Unicode's line ends"},
		{"a\xe2\x80\x8b"
		 "b\xef\xbb\xbf",
		 "a???b???", "zero width"},
		{"\xc2\xad", "??", "soft hyphen"},
	};

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		char text[64];

		strcpy(text, c[i].text);
		is_str(printable(text), c[i].shown, "%s", c[i].what);
	}
}

/* Whatever the bytes: as long as before, no control, and nothing left to
 * replace. */
static void all_pairs(void)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < 1U << 24; i += 7) {
		char text[] = {(char)i, (char)(i >> 8), (char)(i >> 16), 'x', '\0'}, again[5];
		size_t length = strlen(text);

		printable(text);
		strcpy(again, text);
		printable(again);
		bad += strlen(text) != length || strcmp(again, text) != 0;
		for (size_t k = 0; text[k]; k++) {
			unsigned char b = (unsigned char)text[k];

			bad += b < 0x20 || b == 0x7f ||
			       (b >= 0x80 && b < 0xa0 && (!k || (unsigned char)text[k - 1] < 0x80));
		}
	}
	is_int(bad, 0, "any three bytes");
}

int main(void)
{
	cases();
	all_pairs();
	return done_testing();
}
