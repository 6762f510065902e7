// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>

#include "printable.h"

/* What is in no range here is printed; those who have no glyph for it see a
 * box. */
static bool is_shown(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0x00, 0x1f},       {0x7f, 0x9f},     /* C0, DEL, C1 */
		{0xad, 0xad},       {0x34f, 0x34f},   /* soft hyphen, grapheme joiner */
		{0x61c, 0x61c},     {0x115f, 0x1160}, /* Arabic letter mark, Hangul fillers */
		{0x17b4, 0x17b5},   {0x180b, 0x180f}, /* vowels and separators without a shape */
		{0x200b, 0x200f},   {0x2028, 0x202e}, /* zero width, line ends, direction */
		{0x2060, 0x206f},   {0x3164, 0x3164}, /* joiners, direction; Hangul filler */
		{0xe000, 0xf8ff},                     /* private use */
		{0xfe00, 0xfe0f},   {0xfeff, 0xfeff}, /* variation selectors, byte order mark */
		{0xffa0, 0xffa0},   {0xfff0, 0xfffb}, /* Hangul filler, annotations */
		{0xfffe, 0xffff},   {0x1bca0, 0x1bca3},
		{0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}, /* tags and all beyond */
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return false;
	return true;
}

size_t utf8_decode(const char *text, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char)*text;
	size_t n = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (n < 2) {
		*c = lead;
		return n;
	}
	if (lead >= 0xf8)
		return 0;
	*c = lead & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return 0;
	return n;
}

char *printable(char *text)
{
	char *p = text;

	while (*p) {
		uint32_t c;
		size_t n = utf8_decode(p, &c);
		bool shown = n && is_shown(c);

		for (n += !n; n; n--, p++)
			if (!shown)
				*p = '?';
	}
	return text;
}
