// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of each plugin, one word a line; the first is the plugin. */
#include "cli.h"
#include "fuzz.h"

#define MOST 64

static const struct {
	const char *name;
	int (*parse)(struct request *req, int argc, char *argv[]);
} modules[] = {
	{"portfw", portfw_parse},
	{"mfw", mfw_parse},
	{"autofw", autofw_parse},
};

static void check(const char *name, int result, const struct request *req)
{
	HOLDS(result == 0 || result == 2);
	HOLDS(memchr(req->error, 0, sizeof(req->error)));
	if (result) {
		HOLDS(*req->error);
		return;
	}
	HOLDS(req->action > ACT_NONE && req->action <= ACT_HELP);
	if (req->action != ACT_CTL)
		return;
	HOLDS(req->ctl.m_target == IP_MASQ_TARGET_MOD && !strcmp(req->ctl.m_tname, name));
	if (req->ctl.m_cmd == IP_MASQ_CMD_FLUSH)
		return;
	if (!strcmp(name, "portfw"))
		HOLDS(req->ctl.u.portfw_user.lport && req->ctl.u.portfw_user.pref > 0);
	else if (!strcmp(name, "mfw"))
		HOLDS(req->ctl.u.mfw_user.fwmark && req->ctl.u.mfw_user.pref >= 0);
	else
		HOLDS(req->ctl.u.autofw_user.low <= req->ctl.u.autofw_user.high);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *word[MOST + 1], *before[MOST + 1], *text = malloc(size + 1), *p = text;
	struct request req;
	int n = 0;

	HOLDS(text);
	memcpy(text, data, size);
	text[size] = 0;
	while (p && n < MOST)
		word[n++] = strsep(&p, "\n");
	word[n] = NULL;
	memcpy(before, word, sizeof(before));
	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		if (strcmp(*word, modules[i].name) != 0)
			continue;
		check(*word, modules[i].parse(&req, n, word), &req);
		HOLDS(!memcmp(before, word, (size_t)(n + 1) * sizeof(*word)));
	}
	free(text);
	return 0;
}
