/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operands for plugins that read their command line by themselves. */
#ifndef OPERAND_H
#define OPERAND_H

#include "masq.h"

/* Each reads one operand, or reports for who what is wrong with it and returns
 * false. Names are looked up unless numeric is set. */
bool operand_address(const char *who, struct masq_address *out, const char *word, bool numeric);
/* The same, or the name of an interface, "@ppp0". */
bool operand_local(const char *who, struct masq_address *out, char interface[MASQ_INTERFACE_MAX],
		   const char *word, bool numeric);
bool operand_protocols(const char *who, uint8_t *out, const char *word);
bool operand_ports(const char *who, struct masq_ports *out, const char *word, uint8_t protocol,
		   bool numeric);
bool operand_mark(const char *who, uint32_t *out, const char *word);

#endif
