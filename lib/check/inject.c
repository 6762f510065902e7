// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

/* <linux/bpf.h> has these since 5.18; older headers, newer kernels */
enum { LIVE_FRAMES = 1 << 1 };

struct run_attr {
	uint32_t prog_fd, retval, data_size_in, data_size_out;
	uint64_t data_in, data_out;
	uint32_t repeat, duration, ctx_size_in, ctx_size_out;
	uint64_t ctx_in, ctx_out;
	uint32_t flags, cpu, batch_size;
};

static int bpf(int command, void *attr, unsigned int size)
{
	long r = syscall(SYS_bpf, command, attr, size);

	return r < 0 ? -errno : (int)r;
}

/* return XDP_PASS; */
static int load_pass(void)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)pass;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t) "GPL";
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int send_live(int program, unsigned int ifindex, const void *frame, size_t n)
{
	struct xdp_md context = {.data_end = (uint32_t)n, .ingress_ifindex = ifindex};
	struct run_attr attr = {
		.prog_fd = (uint32_t)program,
		.data_size_in = (uint32_t)n,
		.data_in = (uintptr_t)frame,
		.repeat = 1,
		.ctx_size_in = sizeof(context),
		.ctx_in = (uintptr_t)&context,
		.flags = LIVE_FRAMES,
		.batch_size = 1,
	};

	return bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
}

/* A frame that nobody listens to: whether live frames work is seen by sending
 * one. */
static int try_live(int program, unsigned int ifindex)
{
	uint8_t frame[60] = {[12] = 0x88, [13] = 0xb5}; /* a type for local experiments */

	return send_live(program, ifindex, frame, sizeof(frame));
}

int inject_open(struct inject *in, unsigned int ifindex)
{
	int err;

	*in = (struct inject){.way = INJECT_BPF, .ifindex = ifindex};
	in->fd = load_pass();
	err = in->fd < 0 ? in->fd : try_live(in->fd, ifindex);
	if (!err)
		return 0;
	inject_close(in);
	in->fd = tap_open(ifindex, in->mac);
	if (in->fd < 0)
		return err; /* why the better way is closed says more */
	in->way = INJECT_TAP;
	in->ifindex = ifindex;
	return 0;
}

void inject_close(struct inject *in)
{
	if (in->fd >= 0)
		close(in->fd);
	*in = (struct inject){.fd = -1};
}

const uint8_t *inject_mac(const struct inject *in)
{
	return in->way == INJECT_TAP ? in->mac : NULL;
}

int inject_send(struct inject *in, const void *frame, size_t n)
{
	if (in->way == INJECT_BPF)
		return send_live(in->fd, in->ifindex, frame, n);
	if (in->way != INJECT_TAP)
		return -EBADF;
	return write(in->fd, frame, n) == (ssize_t)n ? 0 : -errno;
}
