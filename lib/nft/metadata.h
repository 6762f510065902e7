/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What packets do not need rides in comments, as text that an administrator can
 * read and that survives `nft list ruleset >file; nft -f file`.
 */
#ifndef METADATA_H
#define METADATA_H

#include "service.h"

/* Members that a comment does not name have the defaults that metadata_parse()
 * sets. */
struct metadata {
	uint32_t position; /* of a target in its service, from 1; 0: it is no target */
	uint32_t pref;     /* MASQ_PREF_DEFAULT */
	uint32_t left;     /* pref */
	uint64_t served;   /* 0: when the kernel's counters were 0 */
	uint64_t born;     /* of a service */
};

/* Also for entries, whose comments are options. nft(8)'s own limit. */
#define COMMENT_MAX 128

/* The comment of a service that is an element; with targets of its own if it
 * has one. */
void metadata_of_service(char out[COMMENT_MAX], const struct service *s);
/* The comment of target i of several. */
void metadata_of_target(char out[COMMENT_MAX], const struct service *s, size_t i);

/* Not terminated. Unknown words are ignored: people may edit what they can
 * read. What is parsed is in range. */
void metadata_parse(struct metadata *out, const char *text, size_t len);

#endif
