// SPDX-License-Identifier: GPL-2.0-or-later
/* Of an interface that nobody knows yet: all that may be looked at is the
 * version. */
extern __attribute__((visibility("default"))) const unsigned int future_masqmod[1];
const unsigned int future_masqmod[1] = {4711};
