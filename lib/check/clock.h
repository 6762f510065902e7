/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CHECK_CLOCK_H
#define CHECK_CLOCK_H

/* Milliseconds since some time in the past. */
long clock_ms(void);

#endif
