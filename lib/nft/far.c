// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "far.h"

void fars_free(struct fars *f)
{
	free(f->v);
	*f = (struct fars){0};
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct far));
}

static int append(struct fars *f, const struct far *far)
{
	struct far *v = reallocarray(f->v, f->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	f->v = v;
	v[f->n++] = *far;
	return 0;
}

bool fars_have(const struct fars *f, const struct far *far)
{
	return f->n && bsearch(far, f->v, f->n, sizeof(*f->v), compare);
}

/* The network of an address: its first and its last one. */
static struct far network_of(const struct interface_address *a)
{
	struct far n = {.first = a->peer, .last = a->peer};
	uint8_t *first = (uint8_t *)&n.first.in6, *last = (uint8_t *)&n.last.in6;

	memcpy(n.interface, a->interface, sizeof(n.interface));
	for (size_t i = 0; i < address_size(&a->peer); i++) {
		size_t bits = a->prefix > i * 8 ? a->prefix - i * 8 : 0;
		uint8_t host = bits < 8 ? (uint8_t)(0xff >> bits) : 0;

		first[i] &= (uint8_t)~host;
		last[i] |= host;
	}
	return n;
}

/* The next one up or down; false: there is none. */
static bool step(struct masq_address *a, bool up)
{
	uint8_t *p = (uint8_t *)&a->in6;

	for (size_t i = address_size(a); i--;)
		if ((p[i] = (uint8_t)(p[i] + (up ? 1 : 0xff))) != (up ? 0 : 0xff))
			return true;
	return false;
}

/* What lies beside the networks of one interface, which are in order. */
static int gaps(struct fars *out, const struct far *networks, size_t n)
{
	struct far gap = networks[0];
	struct masq_address edge;
	int err = 0;

	memset(&gap.first.in6, 0, sizeof(gap.first.in6));
	for (size_t i = 0; !err && i < n; i++) {
		size_t size = address_size(&gap.first);

		gap.last = networks[i].first;
		if (step(&gap.last, false) && memcmp(&gap.first.in6, &gap.last.in6, size) <= 0)
			err = append(out, &gap);
		edge = networks[i].last;
		if (!step(&edge, true))
			return err;
		if (memcmp(&edge.in6, &gap.first.in6, size) > 0)
			gap.first = edge;
	}
	memset(&gap.last.in6, 0xff, address_size(&gap.last));
	return err ? err : append(out, &gap);
}

/* An address without a network says nothing of who is near. */
static int networks_of(struct fars *out, const struct addresses *a)
{
	int err = 0;

	for (size_t i = 0; !err && i < a->n; i++) {
		struct far network = network_of(&a->v[i]);

		if (strcmp(a->v[i].interface, "lo") != 0 &&
		    a->v[i].prefix < 8 * address_size(&a->v[i].peer))
			err = append(out, &network);
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare);
	return err;
}

int fars_of(struct fars *out, const struct addresses *a)
{
	struct fars networks = {0};
	int err = networks_of(&networks, a);

	*out = (struct fars){0};
	for (size_t i = 0, n; !err && i < networks.n; i += n) {
		const struct far *first = &networks.v[i];

		for (n = 1; i + n < networks.n; n++)
			if (memcmp(first[n].interface, first->interface, sizeof(first->interface)))
				break;
		err = gaps(out, first, n);
	}
	fars_free(&networks);
	if (err)
		fars_free(out);
	return err;
}

size_t far_bytes(uint8_t first[FAR_KEY_MAX], uint8_t last[FAR_KEY_MAX], const struct far *far)
{
	size_t size = address_size(&far->first);

	memcpy(first, far->interface, IF_NAMESIZE);
	memcpy(last, far->interface, IF_NAMESIZE);
	memcpy(first + IF_NAMESIZE, &far->first.in6, size);
	memcpy(last + IF_NAMESIZE, &far->last.in6, size);
	return IF_NAMESIZE + size;
}

struct reader {
	struct fars *out;
	enum family family;
};

static int read_far(const struct element *e, void *arg)
{
	const struct reader *r = arg;
	struct masq_address none = {.family = family_defs[r->family].number};
	struct far far = {.first = none, .last = none};
	size_t size = address_size(&none);

	if (e->key_len != IF_NAMESIZE + size || e->end_len != e->key_len)
		return -EBADMSG;
	memcpy(far.interface, e->key, IF_NAMESIZE);
	memcpy(&far.first.in6, e->key + IF_NAMESIZE, size);
	memcpy(&far.last.in6, e->key_end + IF_NAMESIZE, size);
	return append(r->out, &far);
}

static int read_message(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, read_far, arg);
}

int fars_load(struct link *l, struct buf *b, enum family f, struct fars *out)
{
	struct reader r = {.out = out, .family = f};
	int err;

	*out = (struct fars){0};
	buf_reset(b);
	ask_elements(b, f, NLM_F_DUMP, SET_FAR);
	err = ask_nothing_is_no_error(link_dump(l, b, read_message, &r));
	if (err)
		fars_free(out);
	else if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare);
	return err;
}
