/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STREAM_H
#define STREAM_H

#include <stdio.h>

/* Lets a stream to which nothing has been written send 64 KiB at once; with the
 * 4 KiB of stdio it is a write for every fifty lines. *buf is to be freed when
 * the stream is closed; NULL: it stays as it is. */
void stream_widen(FILE *f, char **buf);

#endif
