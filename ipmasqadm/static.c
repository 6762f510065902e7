// SPDX-License-Identifier: GPL-2.0-or-later
/* Plugins inside the program. PLUGINS is PLUGIN(autofw) PLUGIN(mfw) ..., from
 * the Makefile: constructors would be dropped by a static link. */
#include <stdio.h>
#include <string.h>

#include "plugin.h"

#define PLUGIN(name) extern const struct masqmod name##_masqmod;
PLUGINS
#undef PLUGIN

#define PLUGIN(name) &name##_masqmod,
static const struct masqmod *const registry[] = {PLUGINS};
#undef PLUGIN

#define COUNT (sizeof(registry) / sizeof(*registry))

int plugin_list(void (*fn)(const char *name, void *arg), void *arg, char error[512])
{
	*error = '\0';
	for (size_t i = 0; i < COUNT; i++)
		fn(registry[i]->name, arg);
	return 0;
}

int plugin_open(struct plugin *out, const char *name, char error[512])
{
	size_t used = (size_t)snprintf(error, 512, "unknown module %s (available:", name);

	for (size_t i = 0; i < COUNT; i++) {
		if (!strcmp(registry[i]->name, name)) {
			*out = (struct plugin){.mod = registry[i]};
			return 0;
		}
		if (used < 512)
			used += (size_t)snprintf(error + used, 512 - used, " %s",
						 registry[i]->name);
	}
	if (used < 512)
		snprintf(error + used, 512 - used, ")");
	return -1;
}
