// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"
#include "text.h"

#define SIZE_MAX_TRIED 96

static void words(struct text *t)
{
	struct masq_address a = address_v4(0x0100007f);

	text_word(t, "tcp");
	text_option(t, 'L');
	text_address(t, &a);
	text_option(t, 'R');
	text_number(t, UINT64_MAX);
	text_join(t, "-");
	text_join_number(t, 7);
	text_option(t, 'p');
}

/* What does not fit is left out, and the text ends nevertheless. */
static void too_little_room(void)
{
	char buf[SIZE_MAX_TRIED + 1], whole[SIZE_MAX_TRIED];
	size_t open = 0, beyond = 0;
	struct text t;

	text_start(&t, whole, sizeof(whole));
	words(&t);
	for (size_t size = 1; size <= SIZE_MAX_TRIED; size++) {
		memset(buf, 'x', sizeof(buf));
		text_start(&t, buf, size);
		words(&t);
		open += strnlen(buf, size) == size;
		beyond += buf[size] != 'x';
	}
	is_int((long long)open, 0, "in any room a text ends");
	is_int((long long)beyond, 0, "... and nothing is written behind it");
	is_str(buf, whole, "... and with enough it is whole");
}

static void numbers(void)
{
	static const uint64_t tried[] = {
		0, 9, 10, 99, 100, 65535, UINT32_MAX, UINT64_MAX / 10, UINT64_MAX - 1, UINT64_MAX,
	};

	for (size_t i = 0; i < sizeof(tried) / sizeof(*tried); i++) {
		char digits[TEXT_DIGITS_MAX + 1], want[TEXT_DIGITS_MAX + 1];

		*text_digits(digits, tried[i]) = '\0';
		snprintf(want, sizeof(want), "%" PRIu64, tried[i]);
		is_str(digits, want, "%s in digits", want);
	}
}

int main(void)
{
	too_little_room();
	numbers();
	return done_testing();
}
