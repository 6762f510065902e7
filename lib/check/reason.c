// SPDX-License-Identifier: GPL-2.0-or-later
#include "reason.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RING_PAGES = 8, FORMAT_MAX = 65536 };

#define EVENT "events/skb/kfree_skb/format"

/* A mount of our own that nobody else sees; it goes with its descriptor (Linux
 * 5.2). */
static int open_private(void)
{
	int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC), mount = -1, fd = -1;

	if (fs < 0)
		return -1;
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mount >= 0) {
		fd = openat(mount, EVENT, O_RDONLY | O_CLOEXEC);
		close(mount);
	}
	close(fs);
	return fd;
}

static char *read_format(void)
{
	static const char *const places[] = {"/sys/kernel/tracing/" EVENT,
					     "/sys/kernel/debug/tracing/" EVENT};
	char *text = calloc(1, FORMAT_MAX);
	size_t n = 0;
	ssize_t got = 1;
	int fd = -1;

	for (int i = 0; fd < 0 && i < 2; i++)
		fd = open(places[i], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = open_private();
	while (text && fd >= 0 && got > 0 && n < FORMAT_MAX - 1) {
		got = read(fd, text + n, FORMAT_MAX - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0)
		close(fd);
	if (n)
		return text;
	free(text);
	return NULL;
}

/* "field:enum skb_drop_reason reason; offset:36; size:4;" since Linux 5.17 */
static bool find_field(struct reason *r, unsigned int *id)
{
	const char *field = strstr(r->format, "skb_drop_reason reason;");
	const char *number = strstr(r->format, "ID: ");

	return field && number && sscanf(number, "ID: %u", id) == 1 &&
	       sscanf(field, "skb_drop_reason reason; offset:%u; size:%u;", &r->offset, &r->size) ==
		       2 &&
	       r->size == 4;
}

void reason_open(struct reason *r)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.exclude_hv = 1,
	};
	unsigned int id = 0;

	*r = (struct reason){.fd = -1};
	r->format = read_format();
	if (!r->format || !find_field(r, &id))
		return;
	attr.config = id;
	r->fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (r->fd < 0)
		return;
	r->ring_size = (size_t)sysconf(_SC_PAGESIZE) * (1 + RING_PAGES);
	r->ring = mmap(NULL, r->ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->ring == MAP_FAILED)
		r->ring = NULL;
}

void reason_close(struct reason *r)
{
	if (r->ring)
		munmap(r->ring, r->ring_size);
	if (r->fd >= 0)
		close(r->fd);
	free(r->format);
	*r = (struct reason){.fd = -1};
}

/* { 16, "IP_RPFILTER" } in the print format */
static void name_of(const struct reason *r, uint32_t number, char *out, size_t size)
{
	char key[24];
	const char *at;
	size_t n;

	snprintf(key, sizeof(key), "{ %u, \"", number);
	at = strstr(r->format, key);
	if (!at) {
		snprintf(out, size, "%u", number);
		return;
	}
	at += strlen(key);
	n = strcspn(at, "\"");
	snprintf(out, size, "%.*s", (int)n, at);
}

/* Bytes of the ring, which may wrap. */
static void copy(const char *data, size_t ring, uint64_t from, void *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)out)[i] = data[(from + i) % ring];
}

void reason_last(struct reason *r, char *out, size_t size)
{
	struct perf_event_mmap_page *page = r->ring;
	size_t ring = r->ring_size - (size_t)sysconf(_SC_PAGESIZE);
	const char *data;
	uint64_t head, tail;

	if (size)
		out[0] = '\0';
	if (!page)
		return;
	data = (const char *)page + sysconf(_SC_PAGESIZE);
	head = page->data_head;
	atomic_thread_fence(memory_order_acquire);
	tail = page->data_tail;
	while (tail < head) {
		struct perf_event_header h;
		uint32_t number;

		copy(data, ring, tail, &h, sizeof(h));
		if (h.size < sizeof(h))
			break;
		/* behind the header: the size of the raw sample, and the
		 * sample */
		if (h.type == PERF_RECORD_SAMPLE && size &&
		    h.size >= sizeof(h) + 4 + r->offset + sizeof(number)) {
			copy(data, ring, tail + sizeof(h) + 4 + r->offset, &number, sizeof(number));
			name_of(r, number, out, size);
		}
		tail += h.size;
	}
	atomic_thread_fence(memory_order_seq_cst);
	page->data_tail = head;
}
