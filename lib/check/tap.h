/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A TAP interface whose frames come in by another interface: for kernels before
 * 5.18 and where BPF is not allowed. It goes with its descriptor. */
#ifndef CHECK_TAP_H
#define CHECK_TAP_H

#include <stdint.h>

/* The descriptor to write frames to, addressed to mac; or negative errno. */
int tap_open(unsigned int ifindex, uint8_t mac[6]);

#endif
