// SPDX-License-Identifier: GPL-2.0-or-later
/* Sorting by numbers, against qsort(). */
#include "rank.h"
#include "tap.h"

static int compare(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index; /* equal ones keep their order */
}

static uint64_t any(void)
{
	static uint64_t seed = 88172645463325252u;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* How many of n random ranks are not where qsort() has them. Bits not in the
 * masks are those of their complement in all of them. */
static size_t wrong(size_t n, uint32_t major, uint64_t minor)
{
	struct rank *v = calloc(2 * n + 1, sizeof(*v)), *same = calloc(n + 1, sizeof(*same)),
		    *sorted;
	size_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		v[i].major = ((uint32_t)any() & major) | (0xa5a5a5a5u & ~major);
		v[i].minor = (any() & minor) | (0xa5a5a5a55a5a5a5au & ~minor);
		v[i].index = (uint32_t)i;
		same[i] = v[i];
	}
	sorted = rank_sort(v, v + n, n);
	qsort(same, n, sizeof(*same), compare);
	for (size_t i = 0; i < n; i++)
		bad += compare(&sorted[i], &same[i]) != 0;
	free(v);
	free(same);
	return bad;
}

static struct order order_of(size_t index, const void *arg)
{
	return ((const struct order *)arg)[index];
}

/* The same of orders of two ranks, of which the second varies in some or in
 * none. */
static size_t wrong_orders(size_t n, uint32_t major, uint64_t minor)
{
	struct order *orders = calloc(n + 1, sizeof(*orders));
	struct rank *v = calloc(2 * n + 1, sizeof(*v)), *sorted;
	size_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		v[i].index = (uint32_t)(n - 1 - i);
		orders[i].first.major = (uint32_t)any() & 3;
		orders[i].first.minor = any() & 7;
		orders[i].second.major = (uint32_t)any() & major;
		orders[i].second.minor = any() & minor;
	}
	sorted = rank_sort_by(v, v + n, n, order_of, orders);
	for (size_t i = 1; i < n; i++) {
		int c = order_compare(&orders[sorted[i - 1].index], &orders[sorted[i].index]);

		bad += c > 0 || (!c && sorted[i - 1].index < sorted[i].index);
	}
	free(orders);
	free(v);
	return bad;
}

int main(void)
{
	static const struct {
		uint32_t major;
		uint64_t minor;
	} masks[] = {
		{0, 0},
		{0, 1},
		{0, 0xff00},
		{0, UINT64_C(0xff) << 56},
		{1, 0},
		{UINT32_C(0xff) << 24, 3},
		{0, 0xffff},
		{3, UINT64_C(0xffffffffffff)},
		{UINT32_MAX, UINT64_MAX},
	};
	static const size_t sizes[] = {0, 1, 2, 3, 255, 256, 257, 5000};

	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++)
		for (size_t j = 0; j < sizeof(sizes) / sizeof(*sizes); j++)
			is_int((long long)wrong(sizes[j], masks[i].major, masks[i].minor), 0,
			       "%zu that vary in %#x and %#llx", sizes[j], masks[i].major,
			       (unsigned long long)masks[i].minor);
	for (size_t j = 0; j < sizeof(sizes) / sizeof(*sizes); j++) {
		is_int((long long)wrong_orders(sizes[j], 0, 0), 0, "%zu orders of one rank",
		       sizes[j]);
		is_int((long long)wrong_orders(sizes[j], 0, 3), 0, "%zu of two", sizes[j]);
		is_int((long long)wrong_orders(sizes[j], UINT32_MAX, UINT64_MAX), 0,
		       "%zu of two in all bits", sizes[j]);
	}
	return done_testing();
}
