// SPDX-License-Identifier: GPL-2.0-or-later
/* A library that is no plugin. */
__attribute__((visibility("default"))) int nothing_at_all;
