// SPDX-License-Identifier: GPL-2.0-or-later
#include "table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "expr.h"

/* datatypes of nft(8); the address's is the family's */
enum { T_PROTOCOL = 12, T_SERVICE = 13, T_MARK = 19, T_BITS = 6 };
/* bits of ct state, as nft_ct.c has them */
enum { STATE_INVALID = 1, STATE_ESTABLISHED = 2, STATE_UNTRACKED = 64 };
/* in an ICMP error: the header it quotes, which has no options as we sent it */
enum { QUOTED = 8 };
enum { FLAG_SYN = 2, FLAG_RST = 4 };
/* What our own rules label a connection that they look up with: lib/nft/rule.h
 * has the number. */
enum { LABEL_WORDS = 4, LABEL_SOUGHT = 1 << 126 % 32 };
enum { OWNER = 2, LIVE_RATE = 20, PIN_PRIORITY = -103, MARK_PRIORITY = -149 };

/* A table under construction. */
struct draft {
	struct batch b;
	const struct family *family;
	uint8_t nfproto; /* of the table; netdev's has packets of the family, too */
	const char *table;
	bool live, labels;
};

static const struct hook {
	const char *name;
	enum masq_check_hook hook;
	uint32_t number;
	int priorities[8]; /* ascending, 0 after the last */
} hooks[] = {
	{"prerouting",
	 MASQ_HOOK_PREROUTING,
	 NF_INET_PRE_ROUTING,
	 {-500, -201, -199, -149, -103, -90, 1000}},
	{"input", MASQ_HOOK_INPUT, NF_INET_LOCAL_IN, {-1000, 1000}},
	{"forward", MASQ_HOOK_FORWARD, NF_INET_FORWARD, {-1000, -151, -149, -1, 1, 1000}},
	{"output", MASQ_HOOK_OUTPUT, NF_INET_LOCAL_OUT, {-500, -201, -199, -103, -90, 1000}},
	{"postrouting", MASQ_HOOK_POSTROUTING, NF_INET_POST_ROUTING, {-1000, 99, 101, 1000}},
};
#define HOOKS (sizeof(hooks) / sizeof(*hooks))

enum set { FLOWS_SET, TARGETS_SET, PINS_MAP, MARKS_MAP, HELD_SET, NEAR_SET };

/* Every part of a concatenation fills whole words: address, protocol and
 * port. */
static uint32_t flow_len(const struct family *a)
{
	return a->size + 4u + 4u;
}

/* Registers are counted in words: behind the address, behind a whole flow. */
static int address_words(const struct family *a)
{
	return a->size / 4;
}

static int flow_words(const struct family *a)
{
	return (int)flow_len(a) / 4;
}

static struct set_shape shape_of(const struct family *a, enum set set)
{
	const uint32_t address = a->nft_type;
	struct set_shape s = {.id = 1u + set,
			      .key_type = (address << T_BITS | T_PROTOCOL) << T_BITS | T_SERVICE,
			      .key_len = flow_len(a)};

	switch (set) {
	case FLOWS_SET:
		s.name = "flows";
		break;
	case HELD_SET:
		s.name = "held";
		break;
	case NEAR_SET:
		s.name = "near";
		break;
	case TARGETS_SET:
		s.name = "targets";
		s.key_type = address;
		s.key_len = a->size;
		break;
	case PINS_MAP:
		s.name = "pins";
		s.flags = NFT_SET_MAP;
		s.data_type = address << T_BITS | T_SERVICE;
		s.data_len = a->size + 4u;
		break;
	case MARKS_MAP:
		s.name = "marks";
		s.flags = NFT_SET_MAP;
		s.data_type = T_MARK;
		s.data_len = 4;
		break;
	}
	return s;
}

static void lookup(const struct draft *d, struct nftnl_rule *r, enum set set, bool invert)
{
	const struct set_shape s = shape_of(d->family, set);

	put_lookup(r, &s, 0, s.flags & NFT_SET_MAP ? flow_words(d->family) : -1, invert);
}

static void tap_name(char out[32], const struct hook *h, int priority)
{
	snprintf(out, 32, "%s%d", h->name, priority);
}

bool table_tap(const char *chain, enum masq_check_hook *hook, int *priority)
{
	for (size_t i = 0; i < HOOKS; i++) {
		size_t n = strlen(hooks[i].name);

		if (strncmp(chain, hooks[i].name, n))
			continue;
		*hook = hooks[i].hook;
		return sscanf(chain + n, "%d", priority) == 1;
	}
	if (strncmp(chain, "ingress", 7))
		return false;
	*hook = MASQ_HOOK_INGRESS;
	*priority = -1000;
	return true;
}

bool table_next_tap(enum masq_check_hook hook, int priority, int *next)
{
	for (size_t i = 0; i < HOOKS; i++)
		for (int j = 0; hooks[i].hook == hook && hooks[i].priorities[j]; j++)
			if (hooks[i].priorities[j] > priority) {
				*next = hooks[i].priorities[j];
				return true;
			}
	return false;
}

/* What is compared with the flows: of the packet itself, its opposite
 * direction, the packet that an ICMP error quotes, its opposite, or the packet
 * that began the connection. */
enum side { FROM_CLIENT, TO_CLIENT, QUOTES_CLIENT, QUOTES_ANSWER, OF_CONNECTION };

/* Loads address, protocol and port of a side into the first words. */
static void put_flow(const struct draft *d, struct nftnl_rule *r, enum side side)
{
	const struct family *a = d->family;
	const int protocol = address_words(a), port = protocol + 1;
	const bool client = side == FROM_CLIENT || side == QUOTES_CLIENT;

	switch (side) {
	case FROM_CLIENT:
	case TO_CLIENT:
		put_payload(r, NFT_PAYLOAD_NETWORK_HEADER, client ? a->saddr : a->daddr, a->size,
			    0);
		put_meta(r, NFT_META_L4PROTO, protocol);
		put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, client ? 0 : 2, 2, port);
		break;
	case QUOTES_CLIENT:
	case QUOTES_ANSWER:
		put_meta(r, NFT_META_L4PROTO, protocol);
		put_cmp(r, protocol, NFT_CMP_EQ, &a->icmp, sizeof(a->icmp));
		put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER,
			    QUOTED + (client ? a->saddr : a->daddr), a->size, 0);
		put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, QUOTED + a->protocol, 1, protocol);
		put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, QUOTED + a->header + (client ? 0 : 2),
			    2, port);
		break;
	case OF_CONNECTION:
		put_ct(r, a->ct_src, IP_CT_DIR_ORIGINAL, 0);
		put_ct(r, NFT_CT_PROTOCOL, IP_CT_DIR_ORIGINAL, protocol);
		put_ct(r, NFT_CT_PROTO_SRC, IP_CT_DIR_ORIGINAL, port);
		break;
	}
}

static struct nftnl_rule *begin_rule(struct draft *d, const char *chain)
{
	return rule_begin(&d->b, d->nfproto, d->table, chain);
}

static void end_rule(struct draft *d, struct nftnl_rule *r)
{
	batch_rule(&d->b, d->nfproto, r);
}

static struct nftnl_rule *flow_rule(struct draft *d, const char *chain, enum side side)
{
	struct nftnl_rule *r = begin_rule(d, chain);

	put_flow(d, r, side);
	lookup(d, r, FLOWS_SET, false);
	return r;
}

static void trace(struct draft *d, const char *chain, enum side side)
{
	struct nftnl_rule *r = flow_rule(d, chain, side);

	put_value(r, 1, 1, 0);
	put_meta_set(r, NFT_META_NFTRACE, 0);
	end_rule(d, r);
}

/* Of all sides, but for the reset that ends what we began: nothing is learnt
 * from it. */
static void trace_sides(struct draft *d, const char *chain)
{
	static const uint8_t tcp = IPPROTO_TCP;
	struct nftnl_rule *r = flow_rule(d, chain, FROM_CLIENT);
	const uint32_t none = 0;

	put_meta(r, NFT_META_L4PROTO, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &tcp, sizeof(tcp));
	put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, 0);
	put_mask(r, 0, FLAG_RST);
	put_cmp(r, 0, NFT_CMP_NEQ, &none, sizeof(none));
	put_verdict(r, NF_ACCEPT, NULL);
	end_rule(d, r);
	for (enum side side = FROM_CLIENT; side <= QUOTES_ANSWER; side++)
		trace(d, chain, side);
}

static void drop(struct draft *d, const char *chain, enum side side)
{
	struct nftnl_rule *r = flow_rule(d, chain, side);

	put_verdict(r, NF_DROP, NULL);
	end_rule(d, r);
}

/* A jump that shows in the trace. */
static void tell_state(struct draft *d, const char *chain, uint32_t state, const char *to)
{
	struct nftnl_rule *r = flow_rule(d, chain, FROM_CLIENT);
	const uint32_t none = 0;

	put_ct(r, NFT_CT_STATE, -1, 0);
	put_mask(r, 0, state);
	put_cmp(r, 0, NFT_CMP_NEQ, &none, sizeof(none));
	put_verdict(r, NFT_JUMP, to);
	end_rule(d, r);
}

/* Connections of this machine itself are looked at for --live only. */
static bool is_used(const struct draft *d, const struct hook *h)
{
	return d->live || h->hook != MASQ_HOOK_OUTPUT;
}

static void put_chains(struct draft *d)
{
	static const char *const states[] = {TABLE_UNTRACKED, TABLE_INVALID, TABLE_ESTABLISHED};
	char name[32];

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		batch_chain(&d->b, d->nfproto, d->table, states[i], NULL, 0, 0, NULL);
	for (size_t i = 0; i < HOOKS; i++)
		for (int j = 0; is_used(d, &hooks[i]) && hooks[i].priorities[j]; j++) {
			tap_name(name, &hooks[i], hooks[i].priorities[j]);
			batch_chain(&d->b, d->nfproto, d->table, name, "filter", hooks[i].number,
				    hooks[i].priorities[j], NULL);
		}
}

/* A rule that accepts is one message of a trace, an empty chain with its policy
 * two. */
static void accept_all(struct draft *d, const char *chain)
{
	struct nftnl_rule *r = begin_rule(d, chain);

	put_verdict(r, NF_ACCEPT, NULL);
	end_rule(d, r);
}

/* After all other rules. */
static void end_chains(struct draft *d)
{
	char name[32];

	for (size_t i = 0; i < HOOKS; i++)
		for (int j = 0; is_used(d, &hooks[i]) && hooks[i].priorities[j]; j++) {
			tap_name(name, &hooks[i], hooks[i].priorities[j]);
			accept_all(d, name);
		}
}

static void put_tracing(struct draft *d)
{
	static const uint8_t reply = IP_CT_DIR_REPLY;
	struct nftnl_rule *r;

	trace_sides(d, "prerouting-500");
	/* answers that are masqueraded have another address in front of
	 * conntrack */
	r = flow_rule(d, "prerouting-199", OF_CONNECTION);
	put_ct(r, NFT_CT_DIRECTION, -1, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &reply, sizeof(reply));
	put_value(r, 1, 1, 0);
	put_meta_set(r, NFT_META_NFTRACE, 0);
	end_rule(d, r);
	tell_state(d, "prerouting-199", STATE_UNTRACKED, TABLE_UNTRACKED);
	tell_state(d, "prerouting-199", STATE_INVALID, TABLE_INVALID);
	tell_state(d, "prerouting-199", STATE_ESTABLISHED, TABLE_ESTABLISHED);
}

static void put_label(struct draft *d)
{
	struct nftnl_rule *r = begin_rule(d, "pin");

	put_flow(d, r, FROM_CLIENT);
	lookup(d, r, NEAR_SET, false);
	for (int word = 0; word < LABEL_WORDS; word++)
		put_value(r, word == LABEL_WORDS - 1 ? LABEL_SOUGHT : 0, 4, word);
	put_labels(r, 0);
	end_rule(d, r);
}

/* The packet goes where we say: no count and no turn of the service moves. */
static void put_pins(struct draft *d)
{
	const int data = flow_words(d->family);
	struct nftnl_rule *r;

	batch_chain(&d->b, d->nfproto, d->table, "pin", "nat", NF_INET_PRE_ROUTING, PIN_PRIORITY,
		    NULL);
	if (d->labels)
		put_label(d);
	r = begin_rule(d, "pin");
	put_flow(d, r, FROM_CLIENT);
	lookup(d, r, PINS_MAP, false);
	put_dnat(r, d->nfproto, data, data + address_words(d->family));
	end_rule(d, r);

	r = begin_rule(d, "prerouting-149");
	put_flow(d, r, FROM_CLIENT);
	lookup(d, r, MARKS_MAP, false);
	put_meta_set(r, NFT_META_MARK, data);
	end_rule(d, r);
}

/* Nothing of ours leaves: neither answers, nor what this machine itself has to
 * say about our packets, nor packets that somebody else's rule sends astray. */
static void put_silence(struct draft *d)
{
	static const uint8_t original = IP_CT_DIR_ORIGINAL;
	struct nftnl_rule *r;

	drop(d, "postrouting1000", TO_CLIENT);
	drop(d, "postrouting1000", QUOTES_CLIENT);
	drop(d, "postrouting1000", QUOTES_ANSWER);
	drop(d, "input1000", FROM_CLIENT);
	r = flow_rule(d, "postrouting1000", OF_CONNECTION);
	put_ct(r, NFT_CT_DIRECTION, -1, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &original, sizeof(original));
	put_payload(r, NFT_PAYLOAD_NETWORK_HEADER, d->family->daddr, d->family->size, 0);
	lookup(d, r, TARGETS_SET, true);
	put_verdict(r, NF_DROP, NULL);
	end_rule(d, r);

	r = begin_rule(d, "postrouting1000");
	put_flow(d, r, OF_CONNECTION);
	lookup(d, r, HELD_SET, false);
	put_verdict(r, NF_DROP, NULL);
	end_rule(d, r);
}

/* Elements of one set, as the kernel takes them. */
struct elements {
	uint8_t *bytes;
	size_t used;
	uint32_t n;
};

static void put_bytes(struct elements *e, const void *bytes, size_t n)
{
	memcpy(e->bytes + e->used, bytes, n);
	e->used += (n + 3) / 4 * 4;
}

static void put_key(struct elements *e, const struct table_flow *f)
{
	const uint16_t port = htons(f->port);

	put_bytes(e, &f->client.in6, address_size(&f->client));
	put_bytes(e, &f->protocol, sizeof(f->protocol));
	put_bytes(e, &port, sizeof(port));
	e->n++;
}

static bool is_first_of_target(const struct table_flow *flows, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (address_equal(&flows[i].target, &flows[j].target))
			return false;
	return true;
}

static void put_element(struct elements *e, enum set set, const struct table_flow *flows, size_t i)
{
	const struct table_flow *f = &flows[i];
	const uint16_t port = htons(f->target_port);

	switch (set) {
	case FLOWS_SET:
		put_key(e, f);
		return;
	case HELD_SET:
		if (f->held)
			put_key(e, f);
		return;
	case NEAR_SET:
		if (f->near)
			put_key(e, f);
		return;
	case TARGETS_SET:
		if (!is_first_of_target(flows, i))
			return;
		put_bytes(e, &f->target.in6, address_size(&f->target));
		e->n++;
		return;
	case PINS_MAP:
		put_key(e, f);
		put_bytes(e, &f->target.in6, address_size(&f->target));
		put_bytes(e, &port, sizeof(port));
		return;
	case MARKS_MAP:
		if (!f->mark)
			return;
		put_key(e, f);
		put_bytes(e, &f->mark, sizeof(f->mark));
		return;
	}
}

static void put_set(struct draft *d, enum set set, const struct table_flow *flows, size_t n)
{
	const struct set_shape s = shape_of(d->family, set);
	struct elements e = {.bytes = calloc(n + 1, s.key_len + s.data_len)};

	if (!e.bytes) {
		d->b.err = d->b.err ? d->b.err : -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++)
		put_element(&e, set, flows, i);
	batch_set(&d->b, d->nfproto, d->table, &s, e.n);
	batch_elements(&d->b, d->nfproto, d->table, &s, e.bytes, e.n);
	free(e.bytes);
}

static int draft_begin(struct draft *d, const struct family *a, uint8_t nfproto, const char *table)
{
	*d = (struct draft){.family = a, .nfproto = nfproto, .table = table};
	return batch_begin(&d->b);
}

static int make_main(struct table *t, const struct family *a, const struct table_flow *flows,
		     size_t n)
{
	struct draft d;
	int err = draft_begin(&d, a, a->nfproto, t->name);

	if (err)
		return err;
	d.labels = t->labels;
	batch_table(&d.b, d.nfproto, t->name, OWNER);
	for (enum set set = FLOWS_SET; set <= NEAR_SET; set++)
		put_set(&d, set, flows, n);
	put_chains(&d);
	put_tracing(&d);
	put_pins(&d);
	put_silence(&d);
	end_chains(&d);
	return batch_send(&d.b, &t->nl);
}

static int make_ingress(struct table *t, const struct family *a, const struct table_flow *flows,
			size_t n, const char (*devices)[IF_NAMESIZE], size_t device_count)
{
	struct draft d;
	int err = draft_begin(&d, a, NFPROTO_NETDEV, t->name);
	char name[32];

	if (err)
		return err;
	batch_table(&d.b, d.nfproto, t->name, OWNER);
	put_set(&d, FLOWS_SET, flows, n);
	for (size_t i = 0; i < device_count; i++) {
		snprintf(name, sizeof(name), "ingress%zu", i);
		batch_chain(&d.b, d.nfproto, t->name, name, "filter", NF_NETDEV_INGRESS, -1000,
			    devices[i]);
		trace_sides(&d, name);
		accept_all(&d, name);
	}
	return batch_send(&d.b, &t->nl);
}

static int begin(struct table *t)
{
	*t = (struct table){0};
	snprintf(t->name, sizeof(t->name), "ipmasqadm-check-%d", (int)getpid());
	return nl_open(&t->nl, NETLINK_NETFILTER);
}

int table_open(struct table *t, const struct family *family, const struct table_flow *flows,
	       size_t n, const char (*devices)[IF_NAMESIZE], size_t device_count)
{
	int err = begin(t);

	for (size_t i = 0; i < n; i++)
		t->labels |= flows[i].near;
	if (!err)
		err = make_main(t, family, flows, n);
	/* a kernel without labels of connections, of which our forwards have
	 * none then */
	if (err == -EOPNOTSUPP && t->labels) {
		table_close(t);
		err = begin(t);
		if (!err)
			err = make_main(t, family, flows, n);
	}
	/* a kernel without netdev chains only tells less */
	if (!err && device_count)
		t->ingress = !make_ingress(t, family, flows, n, devices, device_count);
	return err;
}

void table_close(struct table *t)
{
	nl_close(&t->nl);
}

/* Of TCP, what opens or refuses a connection. */
static void put_opening(struct nftnl_rule *r)
{
	static const uint8_t tcp = IPPROTO_TCP;
	const uint32_t none = 0;

	put_meta(r, NFT_META_L4PROTO, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &tcp, sizeof(tcp));
	put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, 0);
	put_mask(r, 0, FLAG_SYN | FLAG_RST);
	put_cmp(r, 0, NFT_CMP_NEQ, &none, sizeof(none));
}

static void put_address(struct nftnl_rule *r, const struct masq_address *a)
{
	put_cmp(r, 0, NFT_CMP_EQ, &a->in6, (uint32_t)address_size(a));
}

static void put_port_range(struct nftnl_rule *r, const struct table_service *s)
{
	uint16_t first = htons(s->first), last = htons(s->last);

	if (!s->first)
		return;
	put_cmp(r, 0, NFT_CMP_GTE, &first, sizeof(first));
	put_cmp(r, 0, NFT_CMP_LTE, &last, sizeof(last));
}

static void end_trace(struct draft *d, struct nftnl_rule *r)
{
	put_limit(r, LIVE_RATE);
	put_value(r, 1, 1, 0);
	put_meta_set(r, NFT_META_NFTRACE, 0);
	end_rule(d, r);
}

/* What is asked for, where packets come in or begin. */
static void trace_question(struct draft *d, const char *chain, const struct table_service *s)
{
	static const uint32_t local = RTN_LOCAL;
	const struct family *a = d->family;
	struct nftnl_rule *r = begin_rule(d, chain);

	if (s->protocol == IPPROTO_TCP)
		put_opening(r);
	put_meta(r, NFT_META_L4PROTO, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &s->protocol, sizeof(s->protocol));
	if (address_is_any(&s->address)) {
		put_type_of_destination(r, 0);
		put_cmp(r, 0, NFT_CMP_EQ, &local, sizeof(local));
	} else {
		put_payload(r, NFT_PAYLOAD_NETWORK_HEADER, a->daddr, a->size, 0);
		put_address(r, &s->address);
	}
	put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 0);
	put_port_range(r, s);
	end_trace(d, r);
}

static void trace_answer(struct draft *d, const struct table_service *s)
{
	static const uint8_t reply = IP_CT_DIR_REPLY;
	const struct family *a = d->family;
	struct nftnl_rule *r = begin_rule(d, "prerouting-199");

	if (s->protocol == IPPROTO_TCP)
		put_opening(r);
	put_ct(r, NFT_CT_DIRECTION, -1, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &reply, sizeof(reply));
	put_ct(r, NFT_CT_PROTOCOL, IP_CT_DIR_ORIGINAL, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &s->protocol, sizeof(s->protocol));
	if (!address_is_any(&s->address)) {
		put_ct(r, a->ct_dst, IP_CT_DIR_ORIGINAL, 0);
		put_address(r, &s->address);
	}
	put_ct(r, NFT_CT_PROTO_DST, IP_CT_DIR_ORIGINAL, 0);
	put_port_range(r, s);
	end_trace(d, r);
}

static void trace_service(struct draft *d, const struct table_service *s)
{
	trace_question(d, "prerouting-500", s);
	trace_question(d, "output-500", s);
	trace_answer(d, s);
}

static int make_live(struct table *t, const struct family *a, const struct table_service *services,
		     size_t n)
{
	struct draft d;
	bool any = false;
	int err;

	for (size_t i = 0; i < n; i++)
		any |= services[i].family == a;
	err = any ? draft_begin(&d, a, a->nfproto, t->name) : 0;
	if (err || !any)
		return err;
	d.live = true;
	batch_table(&d.b, d.nfproto, t->name, OWNER);
	put_chains(&d);
	for (size_t i = 0; i < n; i++)
		if (services[i].family == a)
			trace_service(&d, &services[i]);
	end_chains(&d);
	return batch_send(&d.b, &t->nl);
}

int table_open_live(struct table *t, const struct table_service *services, size_t n)
{
	int err = begin(t);

	if (!err)
		err = make_live(t, &family_ipv4, services, n);
	if (!err)
		err = make_live(t, &family_ipv6, services, n);
	return err;
}
