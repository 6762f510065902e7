// SPDX-License-Identifier: GPL-2.0-or-later
/* A control message: what is understood is the same command after it was sent
 * and read. */
#include "fuzz.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip_masq_ctl ctl, sent, again;
	struct masq_command first, second;
	char what[KIND_WORDS_MAX];
	struct error e;

	memset(&ctl, 0, sizeof(ctl));
	memcpy(&ctl, data, size < sizeof(ctl) ? size : sizeof(ctl));
	if (wire_decode(&e, &first, &ctl)) {
		HOLDS(*e.text);
		return 0;
	}
	HOLDS(first.size == sizeof(first) && kind_of(first.kind));
	kind_describe(what, &first);
	kind_validate(&e, &first);
	if (wire_encode(&e, &sent, &first)) {
		HOLDS(first.kind == MASQ_PORTFW && first.verb == MASQ_ADD && first.pref < 1);
		return 0;
	}
	HOLDS(!wire_decode(&e, &second, &sent));
	HOLDS(first.kind == second.kind && first.verb == second.verb && first.has == second.has);
	HOLDS(!wire_encode(&e, &again, &second));
	HOLDS(!memcmp(&sent, &again, sizeof(sent)));
	return 0;
}
