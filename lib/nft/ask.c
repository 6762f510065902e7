// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter/nf_tables.h>

#include "ask.h"

struct nlmsghdr *ask_elements(struct buf *b, enum family f, uint16_t flags, const char *set)
{
	struct nlmsghdr *nlh = buf_msg(b, f, NFT_MSG_GETSETELEM, flags);

	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	return nlh;
}

void ask_key(struct buf *b, enum family f, const char *set, const void *key, uint32_t len)
{
	struct nlmsghdr *nlh = ask_elements(b, f, 0, set);
	struct nlattr *list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *elem = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, elem);
	mnl_attr_nest_end(nlh, list);
}

void ask_element(struct buf *b, enum map map, const struct key *key)
{
	uint8_t bytes[VALUE_MAX];
	char name[MAP_NAME_MAX];

	ask_key(b, key_family(key), map_name(name, map, key_interface(key)), bytes,
		key_bytes(bytes, map, key));
}

void ask_chain(struct buf *b, enum family f, const char *chain)
{
	struct nlmsghdr *nlh = buf_msg(b, f, NFT_MSG_GETCHAIN, 0);

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, chain);
}

void ask_set(struct buf *b, enum family f, const char *set)
{
	struct nlmsghdr *nlh = buf_msg(b, f, NFT_MSG_GETSET, 0);

	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_NAME, set);
}

void ask_rules(struct buf *b, enum family f, const char *chain)
{
	struct nlmsghdr *nlh;

	buf_reset(b);
	nlh = buf_msg(b, f, NFT_MSG_GETRULE, NLM_F_DUMP);
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_TABLE);
	if (chain)
		mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
}

static void add_up(struct census *c, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t word;

	/* FNV-1a, but for the size of a step: the parts of a key have 4 bytes
	 * each */
	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		c->sum = (c->sum ^ word) * 0x100000001b3u;
	}
	while (len--)
		c->sum = (c->sum ^ *p++) * 0x100000001b3u;
}

void census_element(struct census *c, const struct element *e)
{
	c->n++;
	add_up(c, e->key, e->key_len);
}

void census_rule(struct census *c, const struct nlmsghdr *rule)
{
	const struct nlattr *handle = attr_of(rule, NFTA_RULE_HANDLE);

	c->n++; /* a handle is unique in its table */
	if (handle)
		add_up(c, mnl_attr_get_payload(handle), mnl_attr_get_payload_len(handle));
}

static int count_element(const struct element *e, void *arg)
{
	census_element(arg, e);
	return 0;
}

static int count_elements(const struct nlmsghdr *nlh, void *arg)
{
	return read_elements(nlh, count_element, arg);
}

static int count_rule(const struct nlmsghdr *nlh, void *arg)
{
	census_rule(arg, nlh);
	return 0;
}

static int again(struct link *l, struct buf *b, link_fn *fn, const struct census *first)
{
	struct census now = {0};
	int err = link_dump(l, b, fn, &now);

	if (err)
		return err == -ENOENT ? -EINTR : err; /* gone meanwhile */
	return now.sum == first->sum && now.n == first->n ? 0 : -EINTR;
}

int census_elements_again(struct link *l, struct buf *b, enum family f, const char *set,
			  const struct census *c)
{
	buf_reset(b);
	ask_elements(b, f, NLM_F_DUMP, set);
	return again(l, b, count_elements, c);
}

int census_rules_again(struct link *l, struct buf *b, enum family f, const char *chain,
		       const struct census *c)
{
	ask_rules(b, f, chain);
	return again(l, b, count_rule, c);
}
