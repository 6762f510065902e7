/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule as the kernel's expressions, in nft(8)'s own shape, so that it lists
 * them as it would. */
#ifndef EXPRESSIONS_H
#define EXPRESSIONS_H

#include <stdio.h> /* libnftnl has FILE in its headers */

#include <libnftnl/rule.h>

#include "rule.h"

/* A set that a rule names and that its batch makes: { tcp, udp }. */
#define PROTOCOLS_SET "__set%d"

/* Whether a rule needs such a set. */
bool rule_needs_protocols(const struct rule *r);

/* NULL: out of memory, or errno is ELIBACC (nftnl.c). protocols: the id of its
 * set. The caller frees it. */
struct nftnl_rule *rule_expressions(enum family f, const struct rule *r, uint32_t protocols);

/* nft(8)'s userdata: type, length, text with its NUL. Returns the length in
 * all. */
#define UDATA_COMMENT_MAX (2 + COMMENT_MAX)
size_t udata_comment(uint8_t out[UDATA_COMMENT_MAX], uint8_t type, const char *text);

#endif
