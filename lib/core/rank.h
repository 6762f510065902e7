/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorts large arrays by numbers. Comparing 50,000 services takes a listing longer than printing
 * them; here is nothing to compare.
 */
#ifndef RANK_H
#define RANK_H

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
 * Sorts n ranks, the smallest first, and returns where they are then: in v, or in spare, which has
 * as much room. Equal ones keep their order. (A radix sort, by the last byte first; a byte that all
 * have in common is skipped.)
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

#endif
