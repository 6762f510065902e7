// SPDX-License-Identifier: GPL-2.0-or-later
#include "batch.h"

bool map_spec_counts(const struct map_spec *spec)
{
	return spec->data && !spec->dynamic && spec->data->field[0] != FIELD_VERDICT;
}

void batch_chain_remove(struct batch *b, const char *name)
{
	b->ops->chain_flush(b, name);
	b->ops->chain_del(b, name);
}
