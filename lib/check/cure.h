/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that let a packet pass where it is dropped. Pure. */
#ifndef CHECK_CURE_H
#define CHECK_CURE_H

#include <stddef.h>

#include "family.h"

/* What shall be let through. */
struct cure_packet {
	const struct family *family;
	uint8_t protocol;
	struct masq_address address;
	uint16_t port;
	bool answer;  /* address and port are the source */
	bool too_big; /* or it is the ICMP that says so, and none of these counts */
};

/* Lets it pass the chain of the place; "" where only the owner of the table
 * can. */
void cure_pass(char *out, size_t size, const struct check_place *p, const struct cure_packet *what);
/* Where that has to stand to outlast a reboot, or the other tool. */
void cure_lasting(char *out, size_t size, const struct check_place *p);
/* "chain ip filter forward: tcp dport 8080 drop" */
void cure_place(char *out, size_t size, const struct check_place *p);

#endif
