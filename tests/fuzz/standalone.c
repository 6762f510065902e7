// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instead of a fuzzer, and for what none needs to be searched for: every file
 * given, every beginning of it, and it with every byte made 0, 255, or one
 * more.
 */
#include "fuzz.h"

#define MOST 1024 /* places at which a file is cut and changed */

static void each(uint8_t *data, size_t size)
{
	static const int change[] = {0, 255, -1};

	LLVMFuzzerTestOneInput(data, size);
	for (size_t i = 0; i < size; i += 1 + size / MOST) {
		LLVMFuzzerTestOneInput(data, i);
		for (int j = 0; j < 3; j++) {
			uint8_t old = data[i];

			data[i] = change[j] < 0 ? (uint8_t)(old + 1) : (uint8_t)change[j];
			LLVMFuzzerTestOneInput(data, size);
			data[i] = old;
		}
	}
}

int main(int argc, char *argv[])
{
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");
		static uint8_t data[1 << 20];
		size_t n;

		HOLDS(f);
		n = fread(data, 1, sizeof(data), f);
		fclose(f);
		/* beside it nothing may be read */
		uint8_t *exact = malloc(n ? n : 1);

		HOLDS(exact);
		memcpy(exact, data, n);
		each(exact, n);
		free(exact);
	}
	return 0;
}
