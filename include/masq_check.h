/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why does a forward not work? masq_check() looks, sends a packet of its own
 * through the kernel's real path as if it had come from outside, traces it,
 * catches the server's answer and says what is wrong. ipmasqadm-check(8) has
 * the codes; they never change their meaning, the texts may.
 *
 *	struct masq_check_options o = {.size = sizeof(o)};
 *
 *	static int print(const struct masq_check_result *r, void *arg)
 *	{
 *		printf("%s -> %s: %s\n", r->service, r->target, r->code);
 *		return 0;
 *	}
 *	...
 *	masq_check(m, &o, print, NULL);
 *
 * On nf_tables only. It needs CAP_NET_ADMIN; without CAP_BPF or a TAP it only
 * looks, and its result says so. While it runs there are tables of its own
 * (ipmasqadm-check-PID), and one child process, which cleans up after a kill.
 */
#ifndef MASQ_CHECK_H
#define MASQ_CHECK_H

#include "masq.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bits of flags. */
#define MASQ_CHECK_NO_PROBE (1u << 0) /* read only: send nothing */
#define MASQ_CHECK_SERVICE (1u << 1)  /* only the portfw service protocol, local, lport */
#define MASQ_CHECK_MARK (1u << 2)     /* only the mfw service mark */

/* Members may be appended; size says which the caller knows. */
struct masq_check_options {
	size_t size;
	uint32_t flags;
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	struct masq_address local;
	uint16_t lport; /* host order; with MASQ_CHECK_MARK: the port to try, 0: its own */
	uint32_t mark;
	struct masq_address from;  /* the client to play; AF_UNSPEC: a TEST-NET address */
	unsigned int live_seconds; /* wait so long for a real connection; 0: do not */
	/* Called now and then with what has been done of all; may be NULL. */
	void (*progress)(unsigned int done, unsigned int all, void *arg);
};

enum masq_check_state {
	MASQ_CHECK_OK,
	MASQ_CHECK_WARN,   /* works; see the warnings */
	MASQ_CHECK_BROKEN, /* does not */
};

/* Hooks of netfilter, in the order in which a forwarded packet meets them. */
enum masq_check_hook {
	MASQ_HOOK_NONE,
	MASQ_HOOK_INGRESS,
	MASQ_HOOK_PREROUTING,
	MASQ_HOOK_INPUT,
	MASQ_HOOK_FORWARD,
	MASQ_HOOK_OUTPUT,
	MASQ_HOOK_POSTROUTING,
};

enum masq_check_place_kind {
	MASQ_PLACE_NONE,
	MASQ_PLACE_RULE,          /* a rule of nf_tables, iptables-nft included */
	MASQ_PLACE_POLICY,        /* the policy of a base chain */
	MASQ_PLACE_LEGACY_RULE,   /* a rule of iptables-legacy */
	MASQ_PLACE_LEGACY_POLICY, /* the policy of one of its chains */
};

enum masq_check_answer {
	MASQ_ANSWER_NONE,
	MASQ_ANSWER_YES,
	MASQ_ANSWER_REFUSED,     /* RST, or ICMP port unreachable */
	MASQ_ANSWER_UNREACHABLE, /* ICMP host unreachable, or no neighbour has the address */
	MASQ_ANSWER_PROHIBITED,  /* ICMP administratively prohibited */
};

/* Of one target of one service. Texts are the library's, of one line each, and
 * valid during the call; "" where there is nothing to say. */
struct masq_check_result {
	size_t size;
	enum masq_check_state state;
	const char *service; /* "tcp 198.51.100.1:80", "mark 7" */
	const char *target;  /* "10.0.0.2:8080"; "" with code "none" */
	const char *code;    /* "ok", "forward-off", ... */
	const char *cause;
	const char *evidence;
	const char *cure; /* a command for this machine; or words that begin "on ADDRESS: " or with
			     what to do */
	const char *note; /* how to make the cure last */
	const char *const *warnings;
	unsigned int warning_count;
	const char *client; /* the address that was played */
};

typedef int masq_check_fn(const struct masq_check_result *result, void *arg);

/*
 * Checks every forward of every kind, or the service that options name, and
 * calls fn once for each target, in the order of the listings. A nonzero result
 * of fn ends it and is returned. If nothing matches there is one result, with
 * code "none".
 *
 * Errors: as masq_list(), -EINVAL (options), -ENETUNREACH (no client can be
 * imagined: neither routes nor addresses; set from), -EPERM, -ENOMEM,
 * -EOPNOTSUPP (transport sockopt).
 */
MASQ_API int masq_check(struct masq *m, const struct masq_check_options *options, masq_check_fn *fn,
			void *arg) __attribute__((nonnull(1, 2, 3), warn_unused_result));

#ifdef __cplusplus
}
#endif
#endif
