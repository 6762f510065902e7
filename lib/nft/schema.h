/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nf_tables tables as data, one for each family: what their maps have for
 * keys and values. Bytes, text and register loads follow from the parts. Names
 * and types are visible to administrators and to other programs, so they stay
 * what they are.
 *
 *	map portfw, portfw_any, mfw, ...	services with one target
 *	map portfw_pools, ...			services with more: goto a chain of their own
 *	chain tcp-198.51.100.1-80, mark-7	such a chain (pool.h); in table ip6
 *						tcp-2001_db8__1-80
 *	chain prerouting, lookup, ...		what every packet passes (skeleton.h)
 *	chain autofw_range, ...			autofw's entries (entries.h)
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "families.h"
#include "service.h"

#define NFT_TABLE "ipmasqadm"

/* What a packet, its connection or an element has. */
enum field {
	FIELD_NONE,
	FIELD_PROTOCOL,
	FIELD_LOCAL,
	FIELD_PORT,
	FIELD_MARK,
	FIELD_SOURCE,
	FIELD_ETHER_TYPE, /* the same for every packet of the table: a key where there is none */
	FIELD_CT_STATUS,
	FIELD_CT_LABEL,
	FIELD_CT_STATE,
	FIELD_CT_CLIENT,
	FIELD_CT_SERVER,
	FIELD_CT_SERVER_PORT,
	FIELD_ADDRESS_TYPE,
	FIELD_ADDRESS_TYPE_IN, /* of the interface that the packet came in by */
	FIELD_SOURCE_TYPE,
	FIELD_SOURCE_TYPE_OUT, /* of the interface that the packet leaves by */
	FIELD_NETWORK,         /* the first bytes of FIELD_LOCAL */
	FIELD_IN,
	FIELD_OUT,
	FIELD_IN_NAME,
	FIELD_OUT_NAME,
	FIELD_TCP_FLAGS,
	/* only in data */
	FIELD_TARGET,
	FIELD_TARGET_PORT,
	FIELD_VERDICT,
	FIELD_COUNT,
};

enum loader { LOAD_NOTHING, LOAD_META, LOAD_NETWORK, LOAD_TRANSPORT, LOAD_CT, LOAD_FIB };

enum { ORDER_HOST = 1, ORDER_NETWORK = 2 };

struct field_def {
	const char *text; /* as nft(8) writes it in a rule */
	const char *type_text;
	uint32_t type; /* nft(8)'s number of the type (nftables, datatype.h) */
	uint8_t len;   /* in bytes */
	uint8_t order; /* NFTNL_UDATA_SET_KEYBYTEORDER */
	enum loader loader;
	uint32_t what;    /* NFT_META_, NFT_CT_, NFTA_FIB_F_, or the offset in the header */
	int8_t direction; /* of a connection: IP_CT_DIR_, or -1 */
};

const struct field_def *field_def(enum family f, enum field field);
/* How many registers of 4 bytes it takes. */
uint32_t field_registers(enum family f, enum field field);

/* Parts of a key or of data, up to FIELD_NONE. */
#define PARTS_MAX 3
struct parts {
	enum field field[PARTS_MAX + 1];
};

/* Bytes in an element: of several parts each is padded to registers of 4. */
uint32_t parts_len(enum family f, const struct parts *p);
uint32_t parts_registers(enum family f, const struct parts *p);
/* The number and the byte order of the type, as nft(8) keeps them in a set. */
uint32_t parts_type(enum family f, const struct parts *p);
uint32_t parts_order(enum family f, const struct parts *p);

enum map {
	MAP_NONE,
	MAP_PORTFW,
	MAP_PORTFW_POOLS,
	MAP_PORTFW_ANY,
	MAP_PORTFW_ANY_POOLS,
	MAP_MFW,
	MAP_MFW_KEEP,
	MAP_MFW_POOLS,
	MAP_FIXED, /* those before it are in every table, the others there for each interface */
	MAP_PORTFW_AT = MAP_FIXED,
	MAP_PORTFW_AT_POOLS,
	MAP_COUNT,
};

struct map_def {
	const char *name;
	const char *comment;
	enum masq_kind kind;
	struct parts key, data;
	bool pool; /* data is a verdict */
	bool any;  /* of services on any address */
	bool at;   /* of services on one interface, whose name follows the map's */
};

extern const struct map_def map_defs[MAP_COUNT];

/* The name of a map; of one for each interface, of this interface's: then it is
 * put into buf. */
#define MAP_NAME_MAX 32
const char *map_name(char buf[MAP_NAME_MAX], enum map map, const char *interface)
	__attribute__((warn_unused_result));
/* The map that has this name, and the interface that it is of, or ""; MAP_NONE:
 * none. */
enum map map_named(const char *name, char interface[MASQ_INTERFACE_MAX]);

/* Where a service belongs with the targets it has; MAP_NONE: it has none. */
enum map map_of(const struct service *s);
/* Whether a map may hold this key, whatever its targets. */
bool map_takes(enum map map, const struct key *key);
/* Whether there are services of a kind at all. */
bool kind_has_maps(enum masq_kind kind);

/* The family of a service: that of its local address, which marks have, too. */
static inline enum family key_family(const struct key *key)
{
	return family_by_address(&key->local);
}

/* The longest key: the name of an interface, and an address of 16 bytes. */
#define VALUE_MAX 32
/* An element's key for a service, and back, but for its interface; false: no
 * command could name it. In parts_len() bytes, which key_bytes() returns. */
uint32_t key_bytes(uint8_t out[VALUE_MAX], enum map map, const struct key *key);
bool key_parse(struct key *out, enum family f, enum map map, const uint8_t in[VALUE_MAX]);
/* "tcp . 198.51.100.1 . 80", as nft(8) writes it. */
#define VALUE_TEXT_MAX 64
void key_text(char out[VALUE_TEXT_MAX], enum map map, const struct key *key);

/* The same for the data of a map that is no pool; false: it leads nowhere,
 * since others have written an address or a port of 0. */
uint32_t data_bytes(uint8_t out[VALUE_MAX], enum map map, const struct target *t);
bool data_parse(struct target *out, enum family f, enum map map, const uint8_t in[VALUE_MAX]);
void data_text(char out[VALUE_TEXT_MAX], enum map map, const struct target *t);

/* An address in a name: nft(8) takes no colon there, so it is an underscore. */
const char *name_address(char buf[ADDRESS_TEXT_MAX], const struct masq_address *a);
bool name_address_parse(struct masq_address *out, enum family f, const char *text);

/* The name of a service's own chain, and back; false if it is no such name. */
#define CHAIN_NAME_MAX 72
void chain_name(char out[CHAIN_NAME_MAX], const struct key *key);
bool chain_name_parse(struct key *out, enum family f, const char *name);

#endif
