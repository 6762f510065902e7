// SPDX-License-Identifier: GPL-2.0-or-later
#include "table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "expr.h"

/* datatypes of nft(8) */
enum { T_ADDRESS = 7, T_PROTOCOL = 12, T_SERVICE = 13, T_MARK = 19, T_BITS = 6 };
enum { T_FLOW = (T_ADDRESS << T_BITS | T_PROTOCOL) << T_BITS | T_SERVICE };
/* bits of ct state, as nft_ct.c has them */
enum { STATE_INVALID = 1, STATE_ESTABLISHED = 2, STATE_UNTRACKED = 64 };
/* in an ICMP error: the header it quotes, which has no options as we sent it */
enum { QUOTED = 8, QUOTED_PORTS = QUOTED + 20 };
enum { FLAG_SYN = 2, FLAG_RST = 4 };
enum { OWNER = 2, LIVE_RATE = 20, PIN_PRIORITY = -103, MARK_PRIORITY = -149 };

static const struct hook {
	const char *name;
	enum check_hook hook;
	uint32_t number;
	int priorities[8]; /* ascending, 0 after the last */
} hooks[] = {
	{"prerouting",
	 HOOK_PREROUTING,
	 NF_INET_PRE_ROUTING,
	 {-500, -201, -199, -149, -103, -90, 1000}},
	{"input", HOOK_INPUT, NF_INET_LOCAL_IN, {-1000, 1000}},
	{"forward", HOOK_FORWARD, NF_INET_FORWARD, {-1000, -151, -149, -1, 1, 1000}},
	{"postrouting", HOOK_POSTROUTING, NF_INET_POST_ROUTING, {-1000, 99, 101, 1000}},
};
#define HOOKS (sizeof(hooks) / sizeof(*hooks))

static const struct set_shape flows_set = {
	.name = "flows", .id = 1, .key_type = T_FLOW, .key_len = 12};
static const struct set_shape targets_set = {
	.name = "targets", .id = 2, .key_type = T_ADDRESS, .key_len = 4};
static const struct set_shape held_set = {
	.name = "held", .id = 5, .key_type = T_FLOW, .key_len = 12};
static const struct set_shape pins_map = {.name = "pins",
					  .id = 3,
					  .flags = NFT_SET_MAP,
					  .key_type = T_FLOW,
					  .key_len = 12,
					  .data_type = T_ADDRESS << T_BITS | T_SERVICE,
					  .data_len = 8};
static const struct set_shape marks_map = {.name = "marks",
					   .id = 4,
					   .flags = NFT_SET_MAP,
					   .key_type = T_FLOW,
					   .key_len = 12,
					   .data_type = T_MARK,
					   .data_len = 4};

/* Elements as the kernel takes them: every part of a concatenation fills whole words. */
struct flow_key {
	struct in_addr address;
	uint8_t protocol, pad[3];
	uint16_t port, more;
};

static struct flow_key key_of(const struct table_flow *f)
{
	return (struct flow_key){
		.address = f->client, .protocol = f->protocol, .port = htons(f->port)};
}

static void tap_name(char out[32], const struct hook *h, int priority)
{
	snprintf(out, 32, "%s%d", h->name, priority);
}

bool table_tap(const char *chain, enum check_hook *hook, int *priority)
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
	*hook = HOOK_INGRESS;
	*priority = -1000;
	return true;
}

bool table_next_tap(enum check_hook hook, int priority, int *next)
{
	for (size_t i = 0; i < HOOKS; i++)
		for (int j = 0; hooks[i].hook == hook && hooks[i].priorities[j]; j++)
			if (hooks[i].priorities[j] > priority) {
				*next = hooks[i].priorities[j];
				return true;
			}
	return false;
}

/* What is compared with the flows: of the packet itself, its opposite direction, the packet that an
 * ICMP error quotes, its opposite, or the packet that began the connection. */
enum side { FROM_CLIENT, TO_CLIENT, QUOTES_CLIENT, QUOTES_ANSWER, OF_CONNECTION };

/* Loads address, protocol and port of a side into words 0 to 2. */
static void put_flow(struct nftnl_rule *r, enum side side)
{
	static const uint8_t icmp = IPPROTO_ICMP;

	switch (side) {
	case FROM_CLIENT:
		put_payload(r, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 0);
		put_meta(r, NFT_META_L4PROTO, 1);
		put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, 2);
		break;
	case TO_CLIENT:
		put_payload(r, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 0);
		put_meta(r, NFT_META_L4PROTO, 1);
		put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 2);
		break;
	case QUOTES_CLIENT:
	case QUOTES_ANSWER:
		put_meta(r, NFT_META_L4PROTO, 1);
		put_cmp(r, 1, NFT_CMP_EQ, &icmp, sizeof(icmp));
		put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER,
			    QUOTED + (side == QUOTES_CLIENT ? 12 : 16), 4, 0);
		put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, QUOTED + 9, 1, 1);
		put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER,
			    QUOTED_PORTS + (side == QUOTES_CLIENT ? 0 : 2), 2, 2);
		break;
	case OF_CONNECTION:
		put_ct(r, NFT_CT_SRC_IP, IP_CT_DIR_ORIGINAL, 0);
		put_ct(r, NFT_CT_PROTOCOL, IP_CT_DIR_ORIGINAL, 1);
		put_ct(r, NFT_CT_PROTO_SRC, IP_CT_DIR_ORIGINAL, 2);
		break;
	}
}

static struct nftnl_rule *flow_rule(struct batch *b, uint8_t family, const char *table,
				    const char *chain, enum side side)
{
	struct nftnl_rule *r = rule_begin(b, family, table, chain);

	put_flow(r, side);
	put_lookup(r, &flows_set, 0, -1, false);
	return r;
}

static void trace(struct batch *b, uint8_t family, const char *table, const char *chain,
		  enum side side)
{
	struct nftnl_rule *r = flow_rule(b, family, table, chain, side);

	put_value(r, 1, 1, 0);
	put_meta_set(r, NFT_META_NFTRACE, 0);
	batch_rule(b, family, r);
}

static void drop(struct batch *b, const char *table, const char *chain, enum side side)
{
	struct nftnl_rule *r = flow_rule(b, NFPROTO_IPV4, table, chain, side);

	put_verdict(r, NF_DROP, NULL);
	batch_rule(b, NFPROTO_IPV4, r);
}

/* A jump that shows in the trace. */
static void tell_state(struct batch *b, const char *table, const char *chain, uint32_t state,
		       const char *to)
{
	struct nftnl_rule *r = flow_rule(b, NFPROTO_IPV4, table, chain, FROM_CLIENT);
	const uint32_t none = 0;

	put_ct(r, NFT_CT_STATE, -1, 0);
	put_mask(r, 0, state);
	put_cmp(r, 0, NFT_CMP_NEQ, &none, sizeof(none));
	put_verdict(r, NFT_JUMP, to);
	batch_rule(b, NFPROTO_IPV4, r);
}

static void put_chains(struct batch *b, const char *table)
{
	static const char *const states[] = {TABLE_UNTRACKED, TABLE_INVALID, TABLE_ESTABLISHED};
	char name[32];

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		batch_chain(b, NFPROTO_IPV4, table, states[i], NULL, 0, 0, NULL);
	for (size_t i = 0; i < HOOKS; i++)
		for (int j = 0; hooks[i].priorities[j]; j++) {
			tap_name(name, &hooks[i], hooks[i].priorities[j]);
			batch_chain(b, NFPROTO_IPV4, table, name, "filter", hooks[i].number,
				    hooks[i].priorities[j], NULL);
		}
}

static void put_tracing(struct batch *b, const char *table)
{
	for (enum side side = FROM_CLIENT; side <= QUOTES_ANSWER; side++)
		trace(b, NFPROTO_IPV4, table, "prerouting-500", side);
	/* answers that are masqueraded have another address in front of conntrack */
	trace(b, NFPROTO_IPV4, table, "prerouting-199", OF_CONNECTION);
	tell_state(b, table, "prerouting-199", STATE_UNTRACKED, TABLE_UNTRACKED);
	tell_state(b, table, "prerouting-199", STATE_INVALID, TABLE_INVALID);
	tell_state(b, table, "prerouting-199", STATE_ESTABLISHED, TABLE_ESTABLISHED);
}

/* The packet goes where we say: no count and no turn of the service moves. */
static void put_pins(struct batch *b, const char *table)
{
	struct nftnl_rule *r;

	batch_chain(b, NFPROTO_IPV4, table, "pin", "nat", NF_INET_PRE_ROUTING, PIN_PRIORITY, NULL);
	r = rule_begin(b, NFPROTO_IPV4, table, "pin");
	put_flow(r, FROM_CLIENT);
	put_lookup(r, &pins_map, 0, 4, false);
	put_dnat(r, 4, 5);
	batch_rule(b, NFPROTO_IPV4, r);

	r = rule_begin(b, NFPROTO_IPV4, table, "prerouting-149");
	put_flow(r, FROM_CLIENT);
	put_lookup(r, &marks_map, 0, 4, false);
	put_meta_set(r, NFT_META_MARK, 4);
	batch_rule(b, NFPROTO_IPV4, r);
}

/* Nothing of ours leaves: neither answers, nor what this machine itself has to
 * say about our packets, nor packets that somebody else's rule sends astray. */
static void put_silence(struct batch *b, const char *table)
{
	static const uint8_t original = IP_CT_DIR_ORIGINAL;
	struct nftnl_rule *r;

	drop(b, table, "postrouting1000", TO_CLIENT);
	drop(b, table, "postrouting1000", QUOTES_CLIENT);
	drop(b, table, "postrouting1000", QUOTES_ANSWER);
	drop(b, table, "input1000", FROM_CLIENT);
	r = flow_rule(b, NFPROTO_IPV4, table, "postrouting1000", OF_CONNECTION);
	put_ct(r, NFT_CT_DIRECTION, -1, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &original, sizeof(original));
	put_payload(r, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 0);
	put_lookup(r, &targets_set, 0, -1, true);
	put_verdict(r, NF_DROP, NULL);
	batch_rule(b, NFPROTO_IPV4, r);

	r = rule_begin(b, NFPROTO_IPV4, table, "postrouting1000");
	put_flow(r, OF_CONNECTION);
	put_lookup(r, &held_set, 0, -1, false);
	put_verdict(r, NF_DROP, NULL);
	batch_rule(b, NFPROTO_IPV4, r);
}

static int put_flows(struct batch *b, uint8_t family, const char *table,
		     const struct table_flow *flows, size_t n)
{
	struct flow_key *keys = calloc(n + 1, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		keys[i] = key_of(&flows[i]);
	batch_set(b, family, table, &flows_set, (uint32_t)n);
	batch_elements(b, family, table, &flows_set, keys, (uint32_t)n);
	free(keys);
	return 0;
}

static int put_maps(struct batch *b, const char *table, const struct table_flow *flows, size_t n)
{
	struct pin {
		struct flow_key key;
		struct in_addr address;
		uint16_t port, pad;
	} *pins = calloc(n + 1, sizeof(*pins));
	struct mark {
		struct flow_key key;
		uint32_t mark;
	} *marks = calloc(n + 1, sizeof(*marks));
	struct in_addr *targets = calloc(n + 1, sizeof(*targets));
	struct flow_key *held = calloc(n + 1, sizeof(*held));
	uint32_t marked = 0, targeted = 0, holding = 0;
	int err = pins && marks && targets && held ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < n; i++) {
		uint32_t j = 0;

		pins[i] = (struct pin){.key = key_of(&flows[i]),
				       .address = flows[i].target,
				       .port = htons(flows[i].target_port)};
		if (flows[i].mark)
			marks[marked++] = (struct mark){key_of(&flows[i]), flows[i].mark};
		if (flows[i].held)
			held[holding++] = key_of(&flows[i]);
		while (j < targeted && targets[j].s_addr != flows[i].target.s_addr)
			j++;
		targets[j] = flows[i].target;
		targeted += j == targeted;
	}
	if (!err) {
		batch_set(b, NFPROTO_IPV4, table, &pins_map, (uint32_t)n);
		batch_elements(b, NFPROTO_IPV4, table, &pins_map, pins, (uint32_t)n);
		batch_set(b, NFPROTO_IPV4, table, &marks_map, marked);
		batch_elements(b, NFPROTO_IPV4, table, &marks_map, marks, marked);
		batch_set(b, NFPROTO_IPV4, table, &targets_set, targeted);
		batch_elements(b, NFPROTO_IPV4, table, &targets_set, targets, targeted);
	}
	if (!err) {
		batch_set(b, NFPROTO_IPV4, table, &held_set, holding);
		batch_elements(b, NFPROTO_IPV4, table, &held_set, held, holding);
	}
	free(held);
	free(pins);
	free(marks);
	free(targets);
	return err;
}

static int make_main(struct table *t, const struct table_flow *flows, size_t n)
{
	struct batch b;
	int err = batch_begin(&b);

	batch_table(&b, NFPROTO_IPV4, t->name, OWNER);
	if (!err)
		err = put_flows(&b, NFPROTO_IPV4, t->name, flows, n);
	if (!err)
		err = put_maps(&b, t->name, flows, n);
	put_chains(&b, t->name);
	put_tracing(&b, t->name);
	put_pins(&b, t->name);
	put_silence(&b, t->name);
	if (err && !b.err)
		b.err = err;
	return batch_send(&b, &t->nl);
}

static int make_ingress(struct table *t, const struct table_flow *flows, size_t n,
			const char (*devices)[IF_NAMESIZE], size_t device_count)
{
	struct batch b;
	int err = batch_begin(&b);
	char name[32];

	batch_table(&b, NFPROTO_NETDEV, t->name, OWNER);
	if (!err)
		err = put_flows(&b, NFPROTO_NETDEV, t->name, flows, n);
	for (size_t i = 0; i < device_count; i++) {
		snprintf(name, sizeof(name), "ingress%zu", i);
		batch_chain(&b, NFPROTO_NETDEV, t->name, name, "filter", NF_NETDEV_INGRESS, -1000,
			    devices[i]);
		for (enum side side = FROM_CLIENT; side <= QUOTES_ANSWER; side++)
			trace(&b, NFPROTO_NETDEV, t->name, name, side);
	}
	if (err && !b.err)
		b.err = err;
	return batch_send(&b, &t->nl);
}

static int begin(struct table *t)
{
	*t = (struct table){0};
	snprintf(t->name, sizeof(t->name), "ipmasqadm-check-%d", (int)getpid());
	return nl_open(&t->nl, NETLINK_NETFILTER);
}

int table_open(struct table *t, const struct table_flow *flows, size_t n,
	       const char (*devices)[IF_NAMESIZE], size_t device_count)
{
	int err = begin(t);

	if (!err)
		err = make_main(t, flows, n);
	/* a kernel without netdev chains only tells less */
	if (!err && device_count)
		t->ingress = !make_ingress(t, flows, n, devices, device_count);
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

static void put_port_range(struct nftnl_rule *r, const struct table_service *s)
{
	uint16_t first = htons(s->first), last = htons(s->last);

	if (!s->first)
		return;
	put_cmp(r, 0, NFT_CMP_GTE, &first, sizeof(first));
	put_cmp(r, 0, NFT_CMP_LTE, &last, sizeof(last));
}

static void end_trace(struct batch *b, struct nftnl_rule *r)
{
	put_limit(r, LIVE_RATE);
	put_value(r, 1, 1, 0);
	put_meta_set(r, NFT_META_NFTRACE, 0);
	batch_rule(b, NFPROTO_IPV4, r);
}

static void trace_service(struct batch *b, const char *table, const struct table_service *s)
{
	static const uint8_t reply = IP_CT_DIR_REPLY;
	struct nftnl_rule *r = rule_begin(b, NFPROTO_IPV4, table, "prerouting-500");

	if (s->protocol == IPPROTO_TCP)
		put_opening(r);
	put_meta(r, NFT_META_L4PROTO, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &s->protocol, sizeof(s->protocol));
	if (s->address.s_addr) {
		put_payload(r, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 0);
		put_cmp(r, 0, NFT_CMP_EQ, &s->address, sizeof(s->address));
	}
	put_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 0);
	put_port_range(r, s);
	end_trace(b, r);

	r = rule_begin(b, NFPROTO_IPV4, table, "prerouting-199");
	if (s->protocol == IPPROTO_TCP)
		put_opening(r);
	put_ct(r, NFT_CT_DIRECTION, -1, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &reply, sizeof(reply));
	put_ct(r, NFT_CT_PROTOCOL, IP_CT_DIR_ORIGINAL, 0);
	put_cmp(r, 0, NFT_CMP_EQ, &s->protocol, sizeof(s->protocol));
	if (s->address.s_addr) {
		put_ct(r, NFT_CT_DST_IP, IP_CT_DIR_ORIGINAL, 0);
		put_cmp(r, 0, NFT_CMP_EQ, &s->address, sizeof(s->address));
	}
	put_ct(r, NFT_CT_PROTO_DST, IP_CT_DIR_ORIGINAL, 0);
	put_port_range(r, s);
	end_trace(b, r);
}

int table_open_live(struct table *t, const struct table_service *services, size_t n)
{
	struct batch b;
	int err = begin(t);

	if (err)
		return err;
	err = batch_begin(&b);
	if (err)
		return err;
	batch_table(&b, NFPROTO_IPV4, t->name, OWNER);
	put_chains(&b, t->name);
	for (size_t i = 0; i < n; i++)
		trace_service(&b, t->name, &services[i]);
	return batch_send(&b, &t->nl);
}
