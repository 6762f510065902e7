/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What masq_check() of masq.h takes and gives: why does a forward not work? It
 * looks, sends a packet of its own through the kernel's real path as if it had
 * come from outside, traces it, catches the server's answer and says what is
 * wrong. ipmasqadm-check(8) has the codes; they never change their meaning, the
 * texts may. Beside the verdict there is what it follows from, for programs
 * that judge by themselves.
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
#define MASQ_CHECK_SERVICE (1u << 1)  /* only what is on protocol, local and ports */
#define MASQ_CHECK_MARK (1u << 2)     /* only the mfw service mark */

/*
 * size is sizeof(struct masq_check_options) as the caller was compiled. Members
 * may be appended. The library refuses further bytes that are not zero
 * (-E2BIG), and flags that it does not know (-EINVAL).
 */
struct masq_check_options {
	size_t size;
	uint32_t flags;
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP or MASQ_TCP_UDP */
	struct masq_address local;
	struct masq_ports ports; /* with MASQ_CHECK_MARK: the one to try, 0: its own */
	uint32_t mark;
	/* The client to play; AF_UNSPEC, and for forwards of the other family:
	 * an address for documentation. */
	struct masq_address from;
	unsigned int live_seconds;          /* wait so long for a real connection; 0: do not */
	char interface[MASQ_INTERFACE_MAX]; /* with MASQ_CHECK_SERVICE, instead of local */
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

/*
 * What was observed. The structures below are the library's, valid during the
 * call of masq_check_fn. Each begins with its size and may get members at its
 * end: read none that lies beyond size. Texts are never NULL; "" is unknown.
 * Ports and numbers are in host order, addresses have their family.
 */

/* A rule or policy of somebody else. */
struct masq_check_place {
	size_t size;
	enum masq_check_place_kind kind;
	enum masq_check_hook hook;
	int priority;       /* of the base chain */
	const char *family; /* of the table, as nft(8) writes it: "ip", "inet", "netdev" */
	const char *table;
	const char *chain;
	const char *base;    /* the base chain that led to it */
	uint64_t handle;     /* of nf_tables */
	unsigned int number; /* of the rule in its chain from 1, as iptables counts; 0: unknown */
	bool iptables;       /* iptables-nft made it */
	bool owned;          /* the table belongs to a running program, nft cannot change it */
	const char *text;    /* the rule as its own tool prints it */
};

/* What became of one packet. */
struct masq_check_flight {
	size_t size;
	bool sent;                 /* by us, or, seen with live, by a client */
	bool seen;                 /* at any hook; without it nothing below counts */
	bool done;                 /* it passed the last chain of postrouting: it left */
	bool local;                /* it was delivered to this machine */
	bool own;                  /* it is of this machine itself (seen with live) */
	enum masq_check_hook hook; /* the last place where it was seen */
	int priority;
	struct masq_address saddr, daddr; /* as they were there */
	uint16_t sport, dport;
	bool past_nat; /* it was seen behind the nat chains of prerouting, with: */
	struct masq_address nat_daddr;
	uint16_t nat_dport;
	const char *iif, *oif;
	bool untracked, invalid, established; /* what conntrack made of it */
	uint32_t mark;                        /* in front of the nat chains */
	const struct masq_check_place *drop;  /* who dropped it; NULL: nobody, or unknown */
	const struct masq_check_place *early; /* the last rule that it matched in front of
						 conntrack, or NULL */
	const struct masq_check_place *nat;   /* the last nat rule of others that it matched, or
						 NULL */
	const struct masq_check_place *snat;  /* the same at postrouting */
	const char *reason;                   /* the kernel's own drop reason */
};

/* Of one target of one service. */
struct masq_check_observed {
	size_t size;
	const struct masq_command *forward; /* a command that adds it */

	/* reading */
	struct masq_address client; /* the one that is played, or was seen with live */
	struct masq_address dest;   /* where its packet goes: the local address, or one of
						ours that the service has */
	uint16_t dport;
	const char *outside;                 /* the interface that clients come in by */
	const char *inside;                  /* the one towards the target */
	struct masq_address inside_address;  /* ours there */
	unsigned char inside_prefix;         /* the length of its network */
	struct masq_address gateway;         /* the router towards the target, or AF_UNSPEC */
	struct masq_address outside_gateway; /* the one on the outside interface, or AF_UNSPEC */
	bool local;                          /* dest is an address of this machine */
	bool target_here;                    /* the target is, too */
	bool target_listens;                 /* then: a program listens there */
	bool route_localnet;                 /* of the outside interface, or all */
	bool emptied;                        /* our own chains have no rules any more */
	bool dormant;                        /* our own table takes no packets */
	bool shadowed; /* a more exact service takes all that this one could get */
	/* sysctls: 0, 1 or more, -1: unknown. In IPv6 those of interfaces are
	 * force_forwarding */
	int ip_forward, outside_forward, inside_forward;
	int accept_ra;             /* IPv6, of the outside interface */
	int rp_outside, rp_inside; /* rp_filter, the larger of all and the interface's */
	unsigned int conntrack_count, conntrack_max; /* max 0: unknown */
	/* look-ups: errno that the kernel answers */
	int client_error;     /* for a packet from the client */
	int target_error;     /* for one to the target */
	int back_error;       /* for an answer */
	const char *back_oif; /* where answers leave by these look-ups */
	bool marks_route;     /* there are routing rules by mark: look-ups do not tell */
	bool driver_xdp;      /* an XDP program runs in the driver of the outside interface, in
				 front of what our packets come by */
	bool listener;        /* a program here listens on the forwarded port */
	/* UDP: an entry of conntrack that keeps a sender from the forward */
	bool stale;
	struct masq_address stale_client, stale_server;
	uint16_t stale_port;
	unsigned int running; /* flows that go on with a server that is no target now */

	/* packets of our own */
	const char *unable;                  /* why none was sent */
	const struct masq_check_flight *out; /* to the target; never NULL, as those below */
	const struct masq_check_flight *back;
	const struct masq_check_flight *icmp; /* "fragmentation needed" about the answer, inwards */
	enum masq_check_answer answer;        /* what the answer said */
	bool marked_for_mfw;                  /* out->mark is that of another service, by mark */

	/* probes from here */
	bool probed;
	enum masq_check_answer near_answer; /* to a connection from inside_address */
	enum masq_check_answer far_answer;  /* to one from dest */
	enum masq_check_answer other_port;  /* to one at dport, where the target's differs */
	bool neighbour_failed;              /* nobody answers for the target or the gateway */
	struct masq_address other_gateway;  /* the target was heard asking for this one */

	/* live */
	bool live;
	unsigned int live_seconds;
	bool live_seen;

	/* clients that are reached in a way of their own */
	bool near;             /* client and target are in one network */
	bool no_labels;        /* the kernel has no labels, by which our connections are known */
	bool masqueraded;      /* the packet left with another source */
	bool source_elsewhere; /* which is no address of this machine */
	bool inside_off;       /* the site has switched off inside clients, ipmasqadm-reach(8) */
	bool own_off;          /* or connections of this machine itself */

	/* a rule of others in front of all of ours that no packet gets past:
	 * the chain of ours where it stands, "" if there is none; and its
	 * handle */
	const char *bar_chain;
	uint64_t bar_handle;
};

/* Of one target of one service. It and its texts, of one line each, are the
 * library's and valid during the call; "" where there is nothing to say. */
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
	const char *client;                         /* the address that was played */
	const struct masq_check_observed *observed; /* NULL with code "none" */
};

#ifdef __cplusplus
}
#endif
#endif
