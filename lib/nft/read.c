// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "read.h"

/* nft's type-length-value lists in userdata: type 0 is a comment, for rules and
 * elements alike. */
#define UDATA_COMMENT 0

struct comment read_comment(const struct nlattr *attr)
{
	const uint8_t *p = attr ? mnl_attr_get_payload(attr) : NULL;
	size_t left = attr ? mnl_attr_get_payload_len(attr) : 0;

	while (left >= 2 && left - 2 >= p[1]) {
		if (p[0] == UDATA_COMMENT)
			return (struct comment){(const char *)p + 2, p[1]};
		left -= 2u + p[1];
		p += 2u + p[1];
	}
	return (struct comment){"", 0};
}

static const char *end_of(const struct nlattr *nest)
{
	return (const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest);
}

/* mnl_attr_for_each_nested(), which asks for the end each time: a listing reads
 * a million attributes. */
#define attr_for_each_before(attr, nest, end)                                                      \
	for (const struct nlattr *attr = mnl_attr_get_payload(nest);                               \
	     mnl_attr_ok(attr, (int)((end) - (const char *)attr)); attr = mnl_attr_next(attr))

const struct nlattr *attr_in(const struct nlattr *nest, uint16_t type)
{
	const char *end;

	if (!nest)
		return NULL;
	end = end_of(nest);
	attr_for_each_before (attr, nest, end)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

const struct nlattr *attr_of(const struct nlmsghdr *nlh, uint16_t type)
{
	struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

size_t attr_copy(uint8_t *out, size_t size, const struct nlattr *attr)
{
	size_t n = mnl_attr_get_payload_len(attr);

	n = n < size ? n : size;
	memcpy(out, mnl_attr_get_payload(attr), n);
	return n;
}

uint64_t attr_be64(const struct nlattr *attr)
{
	uint64_t v = 0;

	if (attr)
		attr_copy((uint8_t *)&v, sizeof(v), attr);
	return be64toh(v);
}

uint32_t attr_be32(const struct nlattr *attr)
{
	uint32_t v = 0;

	if (attr)
		attr_copy((uint8_t *)&v, sizeof(v), attr);
	return ntohl(v);
}

const char *attr_text(const struct nlattr *attr)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(attr)
									 : "";
}

bool attr_is(const struct nlattr *attr, const char *text)
{
	size_t n = strlen(text);

	return attr && mnl_attr_get_payload_len(attr) > n &&
	       !memcmp(mnl_attr_get_payload(attr), text, n + 1);
}

const struct nlattr *read_expr(const struct nlattr *expr, const char *name)
{
	const struct nlattr *data = NULL, *named = NULL;
	const char *end = end_of(expr);

	attr_for_each_before (attr, expr, end) {
		if (mnl_attr_get_type(attr) == NFTA_EXPR_DATA)
			data = attr;
		else if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME)
			named = attr;
	}
	return attr_is(named, name) ? data : NULL;
}

bool read_counter(const struct nlattr *expr, uint64_t *packets)
{
	const struct nlattr *data = read_expr(expr, "counter");
	const struct nlattr *attr = data ? attr_in(data, NFTA_COUNTER_PACKETS) : NULL;

	if (attr)
		*packets = attr_be64(attr);
	return attr != NULL;
}

const char *read_goto(const struct nlattr *data)
{
	const struct nlattr *verdict = attr_in(data, NFTA_DATA_VERDICT);

	int code = verdict ? (int)attr_be32(attr_in(verdict, NFTA_VERDICT_CODE)) : NFT_CONTINUE;

	if (code != NFT_GOTO && code != NFT_JUMP)
		return NULL;
	return attr_text(attr_in(verdict, NFTA_VERDICT_CHAIN));
}

static void read_element(struct element *e, const struct nlattr *nest)
{
	const char *end = end_of(nest);
	const struct nlattr *value;
	struct nlattr *expr;

	*e = (struct element){.comment = {"", 0}};
	attr_for_each_before (attr, nest, end) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_ELEM_KEY:
			value = attr_in(attr, NFTA_DATA_VALUE);
			if (value)
				e->key_len = attr_copy(e->key, sizeof(e->key), value);
			break;
		case NFTA_SET_ELEM_KEY_END:
			value = attr_in(attr, NFTA_DATA_VALUE);
			e->key_end = value ? mnl_attr_get_payload(value) : NULL;
			e->end_len = value ? mnl_attr_get_payload_len(value) : 0;
			break;
		case NFTA_SET_ELEM_DATA:
			value = attr_in(attr, NFTA_DATA_VALUE);
			if (value)
				e->data_len = attr_copy(e->data, sizeof(e->data), value);
			else
				e->chain = read_goto(attr);
			break;
		case NFTA_SET_ELEM_FLAGS:
			e->end = attr_be32(attr) & NFT_SET_ELEM_INTERVAL_END;
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			e->expires = attr_be64(attr);
			break;
		case NFTA_SET_ELEM_USERDATA:
			e->comment = read_comment(attr);
			break;
		case NFTA_SET_ELEM_EXPR:
			read_counter(attr, &e->packets);
			break;
		case NFTA_SET_ELEM_EXPRESSIONS:
			mnl_attr_for_each_nested (expr, attr)
				read_counter(expr, &e->packets);
			break;
		}
	}
}

int read_elements(const struct nlmsghdr *nlh, element_fn *fn, void *arg)
{
	const struct nlattr *list = attr_of(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *nest;
	int err = 0;

	if (!list)
		return 0;
	mnl_attr_for_each_nested (nest, list) {
		struct element e;

		read_element(&e, nest);
		if (!e.end && !err)
			err = fn(&e, arg);
	}
	return err;
}
