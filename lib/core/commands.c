// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "commands.h"

/* Of a size that malloc(3) takes from its heap and gives again. */
#define PIECE 256

int commands_add(struct commands *list, const struct masq_command *c)
{
	size_t piece = list->n / PIECE;

	if (list->n % PIECE == 0) {
		struct masq_command **v = reallocarray(list->pieces, piece + 1, sizeof(*v));

		if (!v)
			return -ENOMEM;
		list->pieces = v;
		v[piece] = reallocarray(NULL, PIECE, sizeof(**v));
		if (!v[piece])
			return -ENOMEM;
	}
	list->pieces[piece][list->n++ % PIECE] = *c;
	return 0;
}

const struct masq_command *commands_nth(const struct commands *list, size_t i)
{
	return &list->pieces[i / PIECE][i % PIECE];
}

void commands_forget(struct commands *list, size_t i)
{
	for (size_t piece = i / PIECE; piece-- && list->pieces[piece];) {
		free(list->pieces[piece]);
		list->pieces[piece] = NULL;
	}
}

void commands_free(struct commands *list)
{
	for (size_t piece = 0; piece * PIECE < list->n; piece++)
		free(list->pieces[piece]);
	free(list->pieces);
	*list = (struct commands){0};
}
