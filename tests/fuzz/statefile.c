// SPDX-License-Identifier: GPL-2.0-or-later
/* A state file of each kind; every record that is understood is a command with
 * a message. */
#include "fuzz.h"
#include "statefile.h"
#include "wire.h"

static void look(const struct record_pair *r, enum masq_kind kind)
{
	struct masq_command back;
	struct ip_masq_ctl ctl;
	struct error e;

	HOLDS(r->forward.kind == kind && r->forward.verb == MASQ_ADD);
	HOLDS(kind == MASQ_AUTOFW || r->record.has == MASQ_HAS_LEFT);
	HOLDS(!(r->record.has & MASQ_HAS_RECEIVER) || r->record.inside.family == AF_INET);
	/* a portfw pref below 1 is listed, and cannot be added */
	if (wire_encode(&e, &ctl, &r->forward)) {
		HOLDS(kind == MASQ_PORTFW && r->forward.pref < 1);
		return;
	}
	HOLDS(!wire_decode(&e, &back, &ctl));
	HOLDS(kind_of(kind)->matches(&back, &r->forward) && back.has == r->forward.has);
}

static void fuzz(enum masq_kind kind, const char *text, size_t size)
{
	struct records records = {0};
	struct bad_line bad = {0};
	int err = statefile_read(kind, text, size, &records, &bad);

	HOLDS(!err ||
	      (bad.number && bad.why && bad.text >= text && bad.text + bad.size <= text + size));
	for (size_t i = 0; i < records.n; i++)
		look(&records.v[i], kind);
	records_free(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);

	HOLDS(text);
	memcpy(text, data, size);
	for (unsigned int i = 0; i < kind_count(); i++)
		if (!kinds[i]->says_no) /* those that have a module have a state file */
			fuzz((enum masq_kind)i, text, size);
	free(text);
	return 0;
}
