// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A BPF program that drops every IP packet, where nf_tables does not see it:
 *
 *	drop xdp|driver|tc INTERFACE	XDP behind or in the driver; tc ingress
 *	drop forward|forward6		the forward hook of netfilter, IPv4 or IPv6
 *
 * Says "ready", and goes with its program when its input ends. "lacking" and
 * exit 1: the kernel has no such place.
 */
#include <err.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <linux/bpf.h> has these since 6.4 and 6.6 */
enum { PROG_NETFILTER = 32, AT_NETFILTER = 45, AT_TCX_INGRESS = 46, TC_DROP = 2 };

static const struct place {
	const char *name;
	uint32_t type, at, flags; /* of netfilter: the family */
	int32_t verdict;
} places[] = {
	{"xdp", BPF_PROG_TYPE_XDP, BPF_XDP, XDP_FLAGS_SKB_MODE, XDP_DROP},
	{"driver", BPF_PROG_TYPE_XDP, BPF_XDP, XDP_FLAGS_DRV_MODE, XDP_DROP},
	{"tc", BPF_PROG_TYPE_SCHED_CLS, AT_TCX_INGRESS, 0, TC_DROP},
	{"forward", PROG_NETFILTER, AT_NETFILTER, NFPROTO_IPV4, NF_DROP},
	{"forward6", PROG_NETFILTER, AT_NETFILTER, NFPROTO_IPV6, NF_DROP},
};

static int bpf(int command, void *attr, unsigned int size)
{
	return (int)syscall(SYS_bpf, command, attr, size);
}

/* return VERDICT; */
static int load(const struct place *p)
{
	const struct bpf_insn always[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = p->verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = p->type;
	attr.expected_attach_type = p->type == BPF_PROG_TYPE_SCHED_CLS ? 0 : p->at;
	attr.insns = (uintptr_t)always;
	attr.insn_cnt = sizeof(always) / sizeof(*always);
	attr.license = (uintptr_t) "GPL";
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int attach(const struct place *p, int program, const char *interface)
{
	struct {
		uint32_t program, target, at, flags;
		uint32_t family, hook;
		int32_t priority;
		uint32_t netfilter_flags;
	} attr = {.program = (uint32_t)program, .at = p->at};

	if (p->type == PROG_NETFILTER) {
		attr.family = p->flags;
		attr.hook = NF_INET_FORWARD;
		attr.priority = -50;
	} else {
		attr.flags = p->flags;
		attr.target = if_nametoindex(interface);
	}
	return bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

int main(int argc, char *argv[])
{
	char byte;
	int program;

	for (size_t i = 0; argc > 1 && i < sizeof(places) / sizeof(*places); i++) {
		if (strcmp(argv[1], places[i].name) != 0)
			continue;
		program = load(&places[i]);
		if (program < 0 || attach(&places[i], program, argc > 2 ? argv[2] : "") < 0) {
			printf("lacking: %s\n", strerror(errno));
			return 1;
		}
		printf("ready\n");
		fflush(stdout);
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
		return 0;
	}
	errx(2, "drop what?");
}
