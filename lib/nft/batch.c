// SPDX-License-Identifier: GPL-2.0-or-later
#include "batch.h"

void batch_chain_remove(struct batch *b, const char *name)
{
	b->ops->chain_flush(b, name);
	b->ops->chain_del(b, name);
}
