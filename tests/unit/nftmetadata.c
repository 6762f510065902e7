// SPDX-License-Identifier: GPL-2.0-or-later
/* Comments of elements and rules: what is written comes back, and what people
 * make of it does no harm. */
#include "metadata.h"
#include "services.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool same_metadata(const struct metadata *a, const struct metadata *b)
{
	return a->position == b->position && a->pref == b->pref && a->left == b->left &&
	       a->served == b->served && a->born == b->born;
}

static struct metadata parsed(const char *text, size_t len)
{
	struct metadata m;

	memset(&m, 0xa5, sizeof(m));
	metadata_parse(&m, text, len);
	return m;
}

/* The text, and what comes back of it, whether its NUL counts or not. */
static void is_comment(const char *text, const char *want, const struct metadata *back)
{
	struct metadata m = parsed(text, COMMENT_MAX);

	is_str(text, want, "\"%s\"", want);
	ok(same_metadata(&m, back), "... and back");
	/* netlink tells a length, and whether a NUL is in it depends on who
	 * wrote it */
	m = parsed(want, strlen(want));
	ok(same_metadata(&m, back), "... without its NUL");
}

static const struct {
	uint32_t pref, left;
	uint64_t served;
	const char *text;
} targets[] = {
	{10, 10, 0, ""},
	{7, 7, 0, "pref 7"},
	{10, 7, 0, "pref 10 left 7"},
	{0, 0, 0, "pref 0"},
	{10, 10, 12, "served 12"},
	{INT32_MAX, INT32_MAX - 1, UINT64_MAX,
	 "pref 2147483647 left 2147483646 served 18446744073709551615"},
};

static const struct {
	uint64_t born;
	const char *text;
} births[] = {
	{0, ""},
	{17ull << 32, "seq 17.0"},
	{5, "seq 0.5"},
	{(17ull << 32) + 3, "seq 17.3"},
	{UINT64_MAX, "seq 4294967295.4294967295"},
};

static struct service service_of(size_t i, enum masq_kind kind)
{
	struct service s = kind == MASQ_MFW ? mfw_service() : portfw_service();
	struct target t = {
		.pref = targets[i].pref, .left = targets[i].left, .served = targets[i].served};

	if (service_append(&s, &t) < 0)
		abort();
	return s;
}

static void of_services(void)
{
	for (size_t i = 0; i < COUNT(targets); i++) {
		for (size_t k = 0; k < COUNT(births); k++) {
			struct service s = service_of(i, MASQ_PORTFW);
			struct metadata want = {.pref = targets[i].pref,
						.left = targets[i].left,
						.served = targets[i].served,
						.born = births[k].born};
			char text[COMMENT_MAX], wanted[COMMENT_MAX];

			s.born = births[k].born;
			memset(text, 'x', sizeof(text));
			metadata_of_service(text, &s);
			snprintf(wanted, sizeof(wanted), "%s%s%s", targets[i].text,
				 *targets[i].text && *births[k].text ? " " : "", births[k].text);
			is_comment(text, wanted, &want);
			service_free(&s);
		}
	}
}

static void of_marks(void)
{
	for (size_t i = 0; i < COUNT(targets); i++) {
		struct service s = service_of(i, MASQ_MFW);
		struct metadata want = {.pref = targets[i].pref,
					.left = targets[i].left,
					.served = targets[i].served};
		char text[COMMENT_MAX];

		s.born = 17ull << 32;
		metadata_of_service(text, &s);
		is_comment(text, targets[i].text, &want);
		service_free(&s);
	}
}

static void of_pools(void)
{
	struct service s = service_of(0, MASQ_PORTFW);
	struct target last = {.pref = 3, .left = 2, .served = 1};
	char text[COMMENT_MAX];

	if (service_append(&s, &last) < 0)
		abort();
	s.born = 17ull << 32;
	metadata_of_service(text, &s);
	is_comment(text, "seq 17.0", &(struct metadata){.pref = 10, .left = 10, .born = s.born});
	metadata_of_target(text, &s, 0);
	is_comment(text, "target 1", &(struct metadata){.position = 1, .pref = 10, .left = 10});
	metadata_of_target(text, &s, 1);
	is_comment(text, "target 2 pref 3 left 2 served 1",
		   &(struct metadata){.position = 2, .pref = 3, .left = 2, .served = 1});
	service_free(&s);
}

static uint64_t any64(void)
{
	return ((uint64_t)any(UINT32_MAX) << 32 | any(UINT32_MAX)) >> any(64);
}

static void at_random(void)
{
	size_t wrong = 0, longest = 0, tried = 20000;

	for (size_t i = 0; i < tried; i++) {
		struct service s = any(2) ? mfw_service() : portfw_service();
		struct target t = {.pref = any(INT32_MAX) >> any(31), .served = any64()};
		bool pool = any(2);
		struct metadata want, back;
		char text[COMMENT_MAX];

		t.left = t.pref ? 1 + any(t.pref) : 0;
		s.born = any64();
		if (service_append(&s, &t) < 0 || (pool && service_append(&s, &t) < 0))
			abort();
		want = (struct metadata){.pref = t.pref, .left = t.left, .served = t.served};
		if (pool) {
			want.position = 2;
			metadata_of_target(text, &s, 1);
		} else {
			want.born = s.key.kind == MASQ_PORTFW ? s.born : 0;
			metadata_of_service(text, &s);
		}
		back = parsed(text, sizeof(text));
		wrong += !same_metadata(&want, &back);
		longest = strlen(text) > longest ? strlen(text) : longest;
		service_free(&s);
	}
	is_int((long long)wrong, 0, "%zu comments at random come back", tried);
	ok(longest < COMMENT_MAX - 1, "... in %zu characters at most", longest);
}

/* What people make of comments. */
static void foreign(void)
{
	static const struct {
		const char *text;
		struct metadata want;
	} cases[] = {
		{"", {.pref = 10, .left = 10}},
		{" ", {.pref = 10, .left = 10}},
		{"pref", {.pref = 10, .left = 10}},
		{"pref x", {.pref = 10, .left = 10}},
		{"pref ", {.pref = 10, .left = 10}},
		{"pref  7", {.pref = 10, .left = 10}},
		{"pref -7 left - served x target x seq x", {.pref = 10, .left = 10}},
		{"pref left 3", {.pref = 10, .left = 3}},
		{"prefer 7", {.pref = 10, .left = 10}},
		{"xpref 7", {.pref = 10, .left = 10}},
		{"Pref 7", {.pref = 10, .left = 10}},
		{"the web server", {.pref = 10, .left = 10}},
		{"the web server pref 7", {.pref = 7, .left = 7}},
		{"pref 7 the web server seq 3.4", {.pref = 7, .left = 7, .born = 3ull << 32 | 4}},
		{"turns that had begun, once", {.pref = 10, .left = 10}},
		{"left 3", {.pref = 10, .left = 3}},
		{"left 3 pref 7", {.pref = 7, .left = 3}},
		{"pref 7 left 7", {.pref = 7, .left = 7}},
		{"pref 7 left 8", {.pref = 7, .left = 7}},
		{"pref 7 left 0", {.pref = 7, .left = 7}},
		{"pref 0 left 5", {.pref = 0, .left = 0}},
		{"pref 7 pref 8", {.pref = 8, .left = 8}},
		{"pref 007", {.pref = 7, .left = 7}},
		{"pref 2147483647", {.pref = INT32_MAX, .left = INT32_MAX}},
		{"pref 2147483648", {.pref = INT32_MAX, .left = INT32_MAX}},
		{"pref 4294967297", {.pref = INT32_MAX, .left = INT32_MAX}},
		{"pref 99999999999999999999999", {.pref = INT32_MAX, .left = INT32_MAX}},
		{"left 4294967297", {.pref = 10, .left = 10}},
		{"served 18446744073709551609", {.pref = 10, .left = 10, .served = UINT64_MAX - 6}},
		{"served 99999999999999999999999", {.pref = 10, .left = 10, .served = UINT64_MAX}},
		{"target 4294967296", {.pref = 10, .left = 10, .position = UINT32_MAX}},
		{"target 0", {.pref = 10, .left = 10}},
		{"seq 5", {.pref = 10, .left = 10, .born = 5ull << 32}},
		{"seq 5.", {.pref = 10, .left = 10, .born = 5ull << 32}},
		{"seq 4294967296.4294967296", {.pref = 10, .left = 10, .born = UINT64_MAX}},
		{"pref 7,left 3", {.pref = 7, .left = 7}},
		{"pref 7x", {.pref = 7, .left = 7}},
		{"\xff\xfe\n\t", {.pref = 10, .left = 10}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct metadata m = parsed(cases[i].text, strlen(cases[i].text));

		ok(same_metadata(&m, &cases[i].want), "of \"%s\"",
		   strchr(cases[i].text, '\n') ? "no text" : cases[i].text);
	}
}

static void junk(void)
{
	static const char words[][8] = {"target", "pref", "left", "served", "seq", " ",
					" ",      ".",    "0",    "9",      "-",   "\xff"};
	size_t wrong = 0, tried = 20000;

	for (size_t i = 0; i < tried; i++) {
		char line[64], *exact;
		struct metadata m;
		size_t n = 0;

		while (any(16) && n < 50)
			n += (size_t)snprintf(line + n, sizeof(line) - n, "%s",
					      words[any(COUNT(words))]);
		/* exactly as long as it is, so that valgrind and ASan see what
		 * is read beyond */
		exact = malloc(n ? n : 1);
		if (!exact)
			abort();
		memcpy(exact, line, n);
		m = parsed(exact, n);
		wrong += m.pref > INT32_MAX || m.left > m.pref || (m.pref && !m.left);
		free(exact);
	}
	is_int((long long)wrong, 0, "%zu times junk gives a count within its pref", tried);
}

int main(void)
{
	of_services();
	of_marks();
	of_pools();
	at_random();
	foreign();
	junk();
	return done_testing();
}
