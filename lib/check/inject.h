/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts frames on the way that arriving ones take, with an interface of the
 * caller's choice as the one they came in by. Nothing of it outlives the
 * process.
 */
#ifndef CHECK_INJECT_H
#define CHECK_INJECT_H

#include <stddef.h>
#include <stdint.h>

enum inject_way { INJECT_NONE, INJECT_BPF, INJECT_TAP };

struct inject {
	enum inject_way way;
	int fd;               /* the program, or the TAP */
	unsigned int ifindex; /* TAP: the interface it leads to */
	uint8_t mac[6];       /* TAP: its hardware address */
};

/* Finds a way for frames that shall come in by the interface. 0 or negative
 * errno; inject_close() after either. */
int inject_open(struct inject *in, unsigned int ifindex);
void inject_close(struct inject *in);

/* The frame must be addressed to inject_mac(), where that is not NULL, else to
 * the interface. 0 or negative errno. */
int inject_send(struct inject *in, const void *frame, size_t n);
const uint8_t *inject_mac(const struct inject *in);

#endif
