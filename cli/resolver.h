/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks names up through the system's resolver and services file. */
#ifndef RESOLVER_H
#define RESOLVER_H

#include "values.h"

extern const struct lookup resolver_system;

#endif
