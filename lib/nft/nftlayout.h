/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the model lies in nf_tables: one table, and in it
 *
 *	chain portfw, mfw, autofw	base chains, made with a module's first forward
 *	map portfw, portfw_any, ...	services with one target, as elements
 *	map portfw_pools, ...		services with more: a verdict, to a chain of their own
 *	chain tcp-198.51.100.1-80	such a chain: its schedule as numgen maps
 *
 * The facts that packets don't need ride in comments, as text that an administrator can read and
 * that survives `nft list ruleset >file; nft -f file`.
 */
#ifndef NFTLAYOUT_H
#define NFTLAYOUT_H

#include "model.h"

#define NFT_TABLE "ipmasqadm"

/* Base chains: mfw first, since the administrator marked that packet on purpose, then portfw, then
 * autofw; all three before those that others hang in at dstnat. */
enum { PRIORITY_DSTNAT = -100, PRIORITY_SRCNAT = 100 };     /* as nft(8) names them */
enum { MFW_ORDER = 3, PORTFW_ORDER = 2, AUTOFW_ORDER = 1 }; /* before dstnat */

/* autofw's chains: the base chain jumps to the ranges, then to the ports; entries of kind direct
 * need no rule and only have to be remembered; the trigger sees masqueraded packets leave. */
#define CHAIN_RANGE "autofw_range"
#define CHAIN_PORT "autofw_port"
#define CHAIN_DIRECT "autofw_direct"
#define CHAIN_TRIGGER "autofw_trigger"

enum map {
	MAP_NONE,
	MAP_PORTFW,
	MAP_PORTFW_POOLS,
	MAP_PORTFW_ANY,
	MAP_PORTFW_ANY_POOLS,
	MAP_MFW,
	MAP_MFW_KEEP,
	MAP_MFW_POOLS,
	MAP_COUNT,
};

struct map_def {
	const char *name;
	const char *comment;
	enum module module;
	/* as nft(8) writes them, and as it numbers them (NFTA_SET_KEY_TYPE) */
	const char *key_text, *data_text;
	uint32_t key_type, data_type;
	/* In bytes, every part of a concatenation padded to 4. */
	uint8_t key_len, data_len;
	uint8_t key_order; /* NFTNL_UDATA_SET_KEYBYTEORDER: 0 concatenation, 1 host */
	bool pool;         /* data is a verdict */
};

extern const struct map_def map_defs[MAP_COUNT];

/* Where a service belongs with the targets it has; MAP_NONE: it has none. */
enum map service_map(const struct service *s);

/* Whether a map may hold this key, whatever its targets. */
bool map_takes(enum map map, const struct key *key);

/* An element's key for a service, and back. Both in map_defs[map].key_len bytes. */
#define MAP_KEY_MAX 12
void map_key(uint8_t out[MAP_KEY_MAX], enum map map, const struct key *key);
void map_key_parse(struct key *out, enum map map, const uint8_t in[MAP_KEY_MAX]);
/* "tcp . 198.51.100.1 . 80", as nft(8) writes it. */
#define MAP_KEY_TEXT_MAX 48
void map_key_text(char out[MAP_KEY_TEXT_MAX], enum map map, const struct key *key);

/* The name of a service's own chain. */
#define CHAIN_NAME_MAX 48
void chain_name(char out[CHAIN_NAME_MAX], const struct key *key);
/* Back; false if it is no such name. */
bool chain_name_parse(struct key *out, const char *name);

/* What a comment says. Members that are not there have the defaults that facts_parse() sets. */
struct facts {
	uint32_t position; /* of a target in its service, from 1 */
	uint32_t pref;     /* 10 */
	uint32_t left;     /* pref */
	uint64_t served;   /* 0: when the kernel's counter was 0 */
	uint64_t seq;      /* of a service, struct service.born */
	bool has_pref;
};

#define PREF_DEFAULT 10u
#define COMMENT_MAX 128 /* nft's own limit */
/* Only what has another value than the default is written: "pref 10 left 7 seq 17.0". */
void facts_text(char out[COMMENT_MAX], const struct facts *f);
/* Unknown words are passed over: people may edit what they can read. */
void facts_parse(struct facts *out, const char *text, size_t len);

/* The facts of a target that is its service's only one, and of target i of several. */
struct facts facts_of_service(const struct service *s);
struct facts facts_of_target(const struct service *s, size_t i);

/* An autofw entry as its options, "-r udp 6970 7170 -c tcp 7070", and back; false if it is none. */
void entry_text(char out[COMMENT_MAX], const struct ip_autofw_user *user);
bool entry_parse(struct ip_autofw_user *out, const char *text, size_t len);
/* The map of an entry's receivers: "udp-6970-7170-by-tcp-7070". */
void contact_name(char out[CHAIN_NAME_MAX], const struct ip_autofw_user *user);
/* Whether an entry is triggered by a control connection. */
bool entry_triggered(const struct ip_autofw_user *user);

#define CONTACT_SECONDS 15
#define CONTACT_MAX 4096 /* contacted hosts an entry can remember at once */

#endif
