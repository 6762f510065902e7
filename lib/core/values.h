/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operands to values, and the errors for those that are none. */
#ifndef VALUES_H
#define VALUES_H

#include "address.h"
#include "error.h"

/* Who looks names up. NULL instead of one: names are not allowed. */
struct lookup {
	/* an address of this family, of AF_UNSPEC any; NULL, or why there is
	 * none */
	const char *(*host)(struct masq_address *out, const char *name, int family);
	bool (*service)(uint16_t *out, const char *name, uint8_t protocol);
	/* whether there is an interface of this name at the moment */
	bool (*interface)(const char *name);
};

/* 0, or -EINVAL with the error set. */
int value_protocol(struct error *e, uint8_t *out, const char *word);
/* The same, or both as MASQ_TCP_UDP: "tcp,udp". */
int value_protocols(struct error *e, uint8_t *out, const char *word);
/* family: of what a name stands for, AF_UNSPEC: of any, IPv4 first. An address
 * may have another. */
int value_address(struct error *e, const struct lookup *l, struct masq_address *out,
		  const char *word, int family);
/* The same, or an interface: "@ppp0", or the name of one that exists. Then *out
 * is left alone. A name stands for an address of the family of the other word,
 * which may be NULL. */
int value_local(struct error *e, const struct lookup *l, struct masq_address *out,
		char interface[MASQ_INTERFACE_MAX], const char *word, const char *other);
/* Refuses what is no name of an interface, or none that nf_tables can have in
 * names. */
int value_check_interface(struct error *e, const char *name);
/* HOST:PORT or [ADDRESS]:PORT in one word: where the host is, and its length,
 * and the port; false: it is not that. */
bool value_split(const char *word, const char **host, size_t *len, const char **port);
int value_port(struct error *e, const struct lookup *l, uint16_t *out, const char *word,
	       uint8_t protocol);
/* The same, or a range "8000-8100"; names may have a hyphen. */
int value_ports(struct error *e, const struct lookup *l, struct masq_ports *out, const char *word,
		uint8_t protocol);
int value_pref(struct error *e, int32_t *out, const char *word);
int value_mark(struct error *e, uint32_t *out, const char *word);

/* Whether "10.0.0.1:80", "[fd00::1]:80" or "10.0.0.1/80" was given where two
 * words are meant; then the error says so. After a slash, a number below
 * slash_from is taken for a netmask. */
bool value_is_address_port(struct error *e, const char *word, uint32_t slash_from);

#endif
