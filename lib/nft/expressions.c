// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <stdio.h>

#include <libnftnl/expr.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "expressions.h"

/* Registers of four bytes: NFT_REG_1 begins with the first. */
#define REG(n) (NFT_REG32_00 + (n))

#define CONSTANT_MAX 16 /* a label, an address of IPv6 */

struct builder {
	struct nftnl_rule *rule;
	enum family family;
	uint32_t protocols;
	bool failed;
};

size_t udata_comment(uint8_t out[UDATA_COMMENT_MAX], uint8_t type, const char *text)
{
	size_t n = strnlen(text, COMMENT_MAX - 1);

	out[0] = type;
	out[1] = (uint8_t)(n + 1);
	memcpy(out + 2, text, n);
	out[2 + n] = '\0';
	return n + 3;
}

bool rule_needs_protocols(const struct rule *r)
{
	for (const struct statement *s = r->statement; s->type != STATEMENT_NONE; s++)
		if (s->type == STATEMENT_TEST && (s->test == TEST_OTHER || s->test == TEST_EITHER))
			return true;
	return false;
}

/* A new expression at the rule's end; NULL: it could not be made. */
static struct nftnl_expr *add(struct builder *b, const char *name)
{
	struct nftnl_expr *x = b->failed ? NULL : nftnl_expr_alloc(name);

	if (x)
		nftnl_rule_add_expr(b->rule, x);
	else
		b->failed = true;
	return x;
}

static void put(struct nftnl_expr *x, uint16_t attr, uint32_t value)
{
	if (x)
		nftnl_expr_set_u32(x, attr, value);
}

static void put_data(struct builder *b, struct nftnl_expr *x, uint16_t attr, const void *data,
		     uint32_t len)
{
	if (x && nftnl_expr_set(x, attr, data, len) < 0)
		b->failed = true;
}

static void put_name(struct builder *b, struct nftnl_expr *x, uint16_t attr, const char *name)
{
	if (x && nftnl_expr_set_str(x, attr, name) < 0)
		b->failed = true;
}

static void load_payload(struct builder *b, uint32_t base, const struct field_def *def,
			 uint32_t reg)
{
	struct nftnl_expr *x = add(b, "payload");

	put(x, NFTNL_EXPR_PAYLOAD_BASE, base);
	put(x, NFTNL_EXPR_PAYLOAD_OFFSET, def->what);
	put(x, NFTNL_EXPR_PAYLOAD_LEN, def->len);
	put(x, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void load_ct(struct builder *b, const struct field_def *def, uint32_t reg)
{
	struct nftnl_expr *x = add(b, "ct");

	put(x, NFTNL_EXPR_CT_KEY, def->what);
	put(x, NFTNL_EXPR_CT_DREG, reg);
	if (x && def->direction >= 0)
		nftnl_expr_set_u8(x, NFTNL_EXPR_CT_DIR, (uint8_t)def->direction);
}

static void load_field(struct builder *b, enum field field, uint32_t reg)
{
	const struct field_def *def = field_def(b->family, field);
	struct nftnl_expr *x;

	switch (def->loader) {
	case LOAD_NOTHING:
		break;
	case LOAD_META:
		x = add(b, "meta");
		put(x, NFTNL_EXPR_META_KEY, def->what);
		put(x, NFTNL_EXPR_META_DREG, reg);
		break;
	case LOAD_NETWORK:
		load_payload(b, NFT_PAYLOAD_NETWORK_HEADER, def, reg);
		break;
	case LOAD_TRANSPORT:
		load_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, def, reg);
		break;
	case LOAD_CT:
		load_ct(b, def, reg);
		break;
	case LOAD_FIB:
		x = add(b, "fib");
		put(x, NFTNL_EXPR_FIB_DREG, reg);
		put(x, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
		put(x, NFTNL_EXPR_FIB_FLAGS, def->what);
		break;
	}
}

/* Each part into the next registers from reg on. */
static void load_parts(struct builder *b, const struct parts *p, uint32_t reg)
{
	for (const enum field *f = p->field; *f != FIELD_NONE; f++) {
		load_field(b, *f, reg);
		reg += field_registers(b->family, *f);
	}
}

static void compare(struct builder *b, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *x = add(b, "cmp");

	put(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	put(x, NFTNL_EXPR_CMP_OP, op);
	put_data(b, x, NFTNL_EXPR_CMP_DATA, data, len);
}

static void mask(struct builder *b, const void *bits, uint32_t len)
{
	static const uint8_t zero[CONSTANT_MAX];
	struct nftnl_expr *x = add(b, "bitwise");

	put(x, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	put(x, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	put(x, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	put(x, NFTNL_EXPR_BITWISE_LEN, len);
	put_data(b, x, NFTNL_EXPR_BITWISE_MASK, bits, len);
	put_data(b, x, NFTNL_EXPR_BITWISE_XOR, zero, len);
}

static struct nftnl_expr *look_up(struct builder *b, const char *set)
{
	struct nftnl_expr *x = add(b, "lookup");

	put(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	put_name(b, x, NFTNL_EXPR_LOOKUP_SET, set);
	return x;
}

static void protocol(struct builder *b, uint8_t number)
{
	load_field(b, FIELD_PROTOCOL, NFT_REG_1);
	compare(b, NFT_CMP_EQ, &number, 1);
}

/* One of a set of values: only protocols have one. */
static void test_protocols(struct builder *b, bool unequal)
{
	struct nftnl_expr *x;

	load_field(b, FIELD_PROTOCOL, NFT_REG_1);
	x = look_up(b, PROTOCOLS_SET);
	put(x, NFTNL_EXPR_LOOKUP_SET_ID, b->protocols);
	if (unequal)
		put(x, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

/* A number as a field has it: of one byte or in host order; an address, or how
 * it begins, in network order; of a label the highest 32 bits, which come last
 * where the lowest byte is first. */
static const void *constant(uint8_t out[CONSTANT_MAX], const struct field_def *field,
			    uint32_t number)
{
	uint32_t be = htonl(number);
	bool address = field->order == ORDER_NETWORK, little = htonl(1) != 1;
	size_t size = field->len < sizeof(be) ? field->len : sizeof(be);
	uint8_t *last = out + field->len - size;

	memset(out, 0, CONSTANT_MAX);
	if (field->len == 1)
		*out = (uint8_t)number;
	else if (address)
		memcpy(last, (uint8_t *)&be + sizeof(be) - size, size);
	else
		memcpy(little ? last : out, &number, 4);
	return out;
}

static void test(struct builder *b, enum test t)
{
	const struct test_def *def = test_def(b->family, t);
	const struct field_def *field = field_def(b->family, def->field);
	uint8_t value[CONSTANT_MAX];

	if (def->field == FIELD_NONE) {
		test_protocols(b, def->unequal);
		return;
	}
	if (def->needs_tcp)
		protocol(b, IPPROTO_TCP);
	load_field(b, def->field, NFT_REG_1);
	if (def->mask)
		mask(b, constant(value, field, def->mask), field->len);
	compare(b, def->unequal ? NFT_CMP_NEQ : NFT_CMP_EQ, constant(value, field, def->value),
		field->len);
}

static void port_range(struct builder *b, enum field field, struct masq_ports ports)
{
	uint16_t first = htons(ports.first), last = htons(ports.last);

	load_field(b, field, NFT_REG_1);
	if (first == last) {
		compare(b, NFT_CMP_EQ, &first, sizeof(first));
		return;
	}
	compare(b, NFT_CMP_GTE, &first, sizeof(first));
	compare(b, NFT_CMP_LTE, &last, sizeof(last));
}

static void every(struct builder *b, const struct statement *s)
{
	uint32_t first = htonl(s->first), last = htonl(s->last);
	struct nftnl_expr *x = add(b, "numgen");

	put(x, NFTNL_EXPR_NG_DREG, NFT_REG_1);
	put(x, NFTNL_EXPR_NG_MODULUS, s->modulus);
	put(x, NFTNL_EXPR_NG_TYPE, NFT_NG_INCREMENTAL);
	put(x, NFTNL_EXPR_NG_OFFSET, 0);
	x = add(b, "byteorder");
	put(x, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
	put(x, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
	put(x, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	put(x, NFTNL_EXPR_BYTEORDER_LEN, 4);
	put(x, NFTNL_EXPR_BYTEORDER_SIZE, 4);
	if (s->last == UINT32_MAX) {
		compare(b, NFT_CMP_LT, &first, sizeof(first));
		return;
	}
	x = add(b, "range");
	put(x, NFTNL_EXPR_RANGE_SREG, NFT_REG_1);
	put(x, NFTNL_EXPR_RANGE_OP, NFT_RANGE_NEQ);
	put_data(b, x, NFTNL_EXPR_RANGE_FROM_DATA, &first, sizeof(first));
	put_data(b, x, NFTNL_EXPR_RANGE_TO_DATA, &last, sizeof(last));
}

static void load_constant(struct builder *b, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *x = add(b, "immediate");

	put(x, NFTNL_EXPR_IMM_DREG, reg);
	put_data(b, x, NFTNL_EXPR_IMM_DATA, data, len);
}

/* Where the port is that comes behind the target's address in REG(0). */
static uint32_t port_register(const struct builder *b)
{
	return REG(field_registers(b->family, FIELD_TARGET));
}

static void label(struct builder *b, uint32_t n)
{
	const struct field_def *field = field_def(b->family, FIELD_CT_LABEL);
	uint8_t bits[CONSTANT_MAX];
	struct nftnl_expr *x;

	load_constant(b, NFT_REG_1, constant(bits, field, LABEL_BIT(n)), field->len);
	x = add(b, "ct");
	put(x, NFTNL_EXPR_CT_KEY, NFT_CT_LABELS);
	put(x, NFTNL_EXPR_CT_SREG, NFT_REG_1);
}

static void dnat(struct builder *b, bool with_port)
{
	struct nftnl_expr *x = add(b, "nat");

	put(x, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	put(x, NFTNL_EXPR_NAT_FAMILY, family_defs[b->family].number);
	put(x, NFTNL_EXPR_NAT_REG_ADDR_MIN, with_port ? REG(0) : NFT_REG_1);
	if (with_port)
		put(x, NFTNL_EXPR_NAT_REG_PROTO_MIN, port_register(b));
}

static void dnat_constant(struct builder *b, const struct statement *s)
{
	uint16_t port = htons(s->port);

	load_constant(b, REG(0), &s->addr.in6, (uint32_t)address_size(&s->addr));
	if (port)
		load_constant(b, port_register(b), &port, sizeof(port));
	dnat(b, port);
}

static void map(struct builder *b, const struct statement *s)
{
	struct nftnl_expr *x;

	load_parts(b, s->key, REG(0));
	x = look_up(b, s->name);
	if (s->type == STATEMENT_VERDICT_MAP) {
		put(x, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
		return;
	}
	put(x, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
	if (s->counted)
		add(b, "counter");
	dnat(b, s->data->field[1] != FIELD_NONE);
}

static void interface(struct builder *b, const struct statement *s)
{
	char name[MASQ_INTERFACE_MAX] = "";

	memcpy(name, s->interface, strnlen(s->interface, sizeof(name) - 1));
	load_field(b, s->field, NFT_REG_1);
	compare(b, s->type == STATEMENT_INTERFACE ? NFT_CMP_EQ : NFT_CMP_NEQ, name, sizeof(name));
}

static void set(struct builder *b, const struct statement *s)
{
	struct nftnl_expr *x;

	load_parts(b, s->key, REG(0));
	x = look_up(b, s->name);
	if (s->type == STATEMENT_NOT_IN_SET)
		put(x, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void update(struct builder *b, const struct statement *s)
{
	uint32_t data = REG(parts_registers(b->family, s->key));
	struct nftnl_expr *x;

	load_parts(b, s->key, REG(0));
	if (s->data)
		load_parts(b, s->data, data);
	x = add(b, "dynset");
	put_name(b, x, NFTNL_EXPR_DYNSET_SET_NAME, s->name);
	put(x, NFTNL_EXPR_DYNSET_OP,
	    s->type == STATEMENT_UPDATE ? NFT_DYNSET_OP_UPDATE : NFT_DYNSET_OP_DELETE);
	put(x, NFTNL_EXPR_DYNSET_SREG_KEY, REG(0));
	if (s->data)
		put(x, NFTNL_EXPR_DYNSET_SREG_DATA, data);
}

static void verdict(struct builder *b, int code, const char *chain)
{
	struct nftnl_expr *x = add(b, "immediate");

	put(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	put(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain)
		put_name(b, x, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void helper(struct builder *b, const char *object)
{
	struct nftnl_expr *x = add(b, "objref");

	put(x, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_CT_HELPER);
	put_name(b, x, NFTNL_EXPR_OBJREF_IMM_NAME, object);
}

static void statement(struct builder *b, const struct statement *s)
{
	switch (s->type) {
	case STATEMENT_NONE:
		break;
	case STATEMENT_TEST:
		test(b, s->test);
		break;
	case STATEMENT_PORTS:
		protocol(b, s->protocol);
		port_range(b, FIELD_PORT, s->ports);
		break;
	case STATEMENT_SERVER_PORT:
		port_range(b, FIELD_CT_SERVER_PORT, s->ports);
		break;
	case STATEMENT_EVERY:
		every(b, s);
		break;
	case STATEMENT_INTERFACE:
	case STATEMENT_NOT_INTERFACE:
		interface(b, s);
		break;
	case STATEMENT_IN_SET:
	case STATEMENT_NOT_IN_SET:
		set(b, s);
		break;
	case STATEMENT_COUNTER:
		add(b, "counter");
		break;
	case STATEMENT_LABEL:
		label(b, s->label);
		break;
	case STATEMENT_MASQUERADE:
		add(b, "masq");
		break;
	case STATEMENT_HELPER:
		helper(b, s->name);
		break;
	case STATEMENT_DNAT:
		dnat_constant(b, s);
		break;
	case STATEMENT_DNAT_MAP:
	case STATEMENT_VERDICT_MAP:
		map(b, s);
		break;
	case STATEMENT_JUMP:
		verdict(b, NFT_JUMP, s->name);
		break;
	case STATEMENT_GOTO:
		verdict(b, NFT_GOTO, s->name);
		break;
	case STATEMENT_RETURN:
		verdict(b, NFT_RETURN, NULL);
		break;
	case STATEMENT_ACCEPT:
		verdict(b, NF_ACCEPT, NULL);
		break;
	case STATEMENT_UPDATE:
	case STATEMENT_FORGET:
		update(b, s);
		break;
	}
}

struct nftnl_rule *rule_expressions(enum family f, const struct rule *r, uint32_t protocols)
{
	struct builder b = {.rule = nftnl_rule_alloc(), .family = f, .protocols = protocols};
	uint8_t udata[UDATA_COMMENT_MAX];

	if (!b.rule)
		return NULL;
	b.failed = nftnl_rule_set_str(b.rule, NFTNL_RULE_TABLE, NFT_TABLE) < 0 ||
		   nftnl_rule_set_str(b.rule, NFTNL_RULE_CHAIN, r->chain) < 0;
	for (const struct statement *s = r->statement; s->type != STATEMENT_NONE; s++)
		statement(&b, s);
	if (r->comment && *r->comment && !b.failed)
		b.failed =
			nftnl_rule_set_data(b.rule, NFTNL_RULE_USERDATA, udata,
					    (uint32_t)udata_comment(udata, NFTNL_UDATA_RULE_COMMENT,
								    r->comment)) < 0;
	if (b.failed) {
		nftnl_rule_free(b.rule);
		return NULL;
	}
	return b.rule;
}
