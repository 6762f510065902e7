/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands as control messages of Linux 2.2, and back. */
#ifndef WIRE_H
#define WIRE_H

#include <linux/ip_masq.h>

#include "kind.h"

/* The message of a command: the bytes that carry something, all others zero
 * (padding, too). 0; -EOPNOTSUPP with the error set: the message cannot say
 * it. */
int wire_encode(struct error *e, struct ip_masq_ctl *out, const struct masq_command *c);

/*
 * The command of a message: a zero target address or port is not given; a zero
 * local address is given as 0.0.0.0. 0; -EINVAL with the error set: no kind or
 * command is named, or a protocol is above 255. kind_validate() is the
 * caller's.
 */
int wire_decode(struct error *e, struct masq_command *out, const struct ip_masq_ctl *ctl);

#endif
