/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorts large arrays by numbers. Comparing 50,000 services takes a listing
 * longer than printing them; here is nothing to compare.
 */
#ifndef RANK_H
#define RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands for element index of another array; major decides before minor. */
struct rank {
	uint64_t minor;
	uint32_t major, index;
};

#define RANK_DIGITS 12

static inline uint8_t rank_digit(const struct rank *r, unsigned int digit)
{
	return (uint8_t)(digit < 8 ? r->minor >> 8 * digit : r->major >> 8 * (digit - 8));
}

/*
 * Sorts n ranks, the smallest first, and returns where they are then: in v, or
 * in spare, which has as much room. Equal ones keep their order. (A radix sort,
 * by the last byte first; a byte that all have in common is skipped.)
 */
static inline struct rank *rank_sort(struct rank *v, struct rank *spare, size_t n)
{
	struct rank varying = {0};

	for (size_t i = 0; i < n; i++) {
		varying.minor |= v[i].minor ^ v[0].minor;
		varying.major |= v[i].major ^ v[0].major;
	}
	for (unsigned int digit = 0; digit < RANK_DIGITS; digit++) {
		size_t start[257] = {0}; /* of each digit's ranks; counted one further on */
		struct rank *sorted = spare;

		if (!rank_digit(&varying, digit))
			continue;
		for (size_t i = 0; i < n; i++)
			start[rank_digit(&v[i], digit) + 1]++;
		for (size_t i = 1; i < 256; i++)
			start[i] += start[i - 1];
		for (size_t i = 0; i < n; i++)
			sorted[start[rank_digit(&v[i], digit)]++] = v[i];
		spare = v;
		v = sorted;
	}
	return v;
}

/* What one rank is too small for: first decides before second. */
struct order {
	struct rank first, second;
};

/* Whether a comes before b (-1), behind it (1) or is the same (0). */
static inline int order_compare(const struct order *a, const struct order *b)
{
	if (a->first.major != b->first.major)
		return a->first.major < b->first.major ? -1 : 1;
	if (a->first.minor != b->first.minor)
		return a->first.minor < b->first.minor ? -1 : 1;
	if (a->second.major != b->second.major)
		return a->second.major < b->second.major ? -1 : 1;
	return a->second.minor < b->second.minor ? -1 : a->second.minor > b->second.minor;
}

/* The order of the element with this index. */
typedef struct order order_fn(size_t index, const void *arg);

/* Sorts n ranks, of which only the indices count, by the orders of what they
 * stand for; as rank_sort(). */
static inline struct rank *rank_sort_by(struct rank *v, struct rank *spare, size_t n,
					order_fn *order, const void *arg)
{
	struct rank *sorted;
	bool second = false;

	for (size_t i = 0; i < n; i++) {
		struct order o = order(v[i].index, arg);

		v[i].major = o.first.major;
		v[i].minor = o.first.minor;
		second |= o.second.major || o.second.minor;
	}
	if (!second)
		return rank_sort(v, spare, n);
	for (size_t i = 0; i < n; i++) {
		struct order o = order(v[i].index, arg);

		v[i].major = o.second.major;
		v[i].minor = o.second.minor;
	}
	sorted = rank_sort(v, spare, n);
	for (size_t i = 0; i < n; i++) {
		struct order o = order(sorted[i].index, arg);

		sorted[i].major = o.first.major;
		sorted[i].minor = o.first.minor;
	}
	return rank_sort(sorted, sorted == v ? spare : v, n);
}

#endif
