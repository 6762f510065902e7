/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the check has seen of one target of one forward. Looking, injecting and
 * tracing fill it in; judge() reads it and nothing else. Ports and numbers are
 * in host order.
 */
#ifndef CHECK_OBSERVED_H
#define CHECK_OBSERVED_H

#include <net/if.h>
#include <string.h>

#include "masq_check.h"

enum check_kind { CHECK_PORTFW, CHECK_MFW, CHECK_AUTOFW };

/* One target of one service. */
struct check_forward {
	enum check_kind kind;
	struct masq_command command; /* that adds it */
	uint8_t protocol;            /* IPPROTO_TCP or IPPROTO_UDP */
	struct masq_address laddr;   /* 0.0.0.0, ::: any address of this machine */
	/* instead of laddr: whatever addresses this interface has */
	char interface[MASQ_INTERFACE_MAX];
	uint16_t lport, last; /* the same, or an autofw range */
	uint32_t mark;        /* mfw */
	struct masq_address raddr;
	uint16_t rport; /* 0: the packet's own */
};

#define CHECK_NAME 128

/* The kernel takes any bytes for a name; nft and a shell read "a; flush
 * ruleset" as two commands. And one that fills its room was cut off: it names
 * something else. */
static inline bool check_is_plain(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./";

	return *name && *name != '-' && !name[strspn(name, plain)] && strlen(name) < CHECK_NAME - 1;
}

/* A rule or policy of somebody else. */
struct check_place {
	enum masq_check_place_kind kind;
	enum masq_check_hook hook;
	int priority; /* of the base chain */
	char family[8];
	char table[CHECK_NAME];
	char chain[CHECK_NAME];
	char base[CHECK_NAME]; /* the base chain that led to it */
	uint64_t handle;
	unsigned int number; /* from 1, as iptables counts; 0: unknown */
	bool iptables;       /* made by iptables-nft */
	bool owned;          /* the table belongs to a running program, nft cannot change it */
	char program[24];    /* iptables: the command that changes it */
	char user_chain[32]; /* where the owner of the table wants the administrator's rules */
	char text[512];      /* the rule as its tool prints it; "": unknown */
};

/* What became of one packet. */
struct check_flight {
	bool sent;
	bool seen;                 /* at any hook */
	bool done;                 /* it came to the end of its way */
	bool local;                /* it was delivered to this machine */
	bool own;                  /* it is of this machine itself */
	enum masq_check_hook hook; /* the last tap it has passed */
	int priority;
	struct masq_address saddr, daddr; /* as they were there */
	uint16_t sport, dport;
	struct masq_address nat_daddr; /* behind the nat chains of prerouting */
	uint16_t nat_dport;
	bool past_nat; /* nat_daddr and nat_dport are known */
	char iif[IF_NAMESIZE], oif[IF_NAMESIZE];
	bool untracked, invalid, established;
	uint32_t mark; /* in front of the nat chains */
	struct check_place drop;
	struct check_place early; /* the last rule it matched in front of conntrack */
	struct check_place nat;   /* the last nat rule it matched in another table */
	struct check_place snat;  /* the same at postrouting */
	char reason[48];          /* the kernel's own drop reason; "": unknown */
};

enum check_shadow { SHADOW_NONE, SHADOW_EXACT, SHADOW_PORTFW };

struct check_observed {
	struct check_forward forward;
	bool none;       /* there is no such forward */
	bool everything; /* then: all were asked for */
	size_t others;   /* then: how many there are beside */

	/* reading */
	bool looked;                /* what follows has been filled in */
	bool emptied;               /* our own chains have no rules any more */
	bool dormant;               /* our own table takes no packets */
	char bar_chain[CHECK_NAME]; /* of ours, where a rule of others lets none through; or "" */
	uint64_t bar_handle;        /* of that rule */
	bool local;                 /* laddr is an address of this machine */
	bool target_here;           /* raddr is, too */
	bool target_listens;        /* then: somebody listens there */
	bool route_localnet;        /* of the outside interface, or all */
	enum check_shadow shadow;   /* by a more exact service */
	bool no_interface;          /* there is none of the forward's name */
	struct masq_address dest;   /* where the client's packet goes: laddr, or one of ours */
	uint16_t dport;
	struct masq_address client;
	struct masq_address inside_address;  /* ours on the way to the target */
	unsigned char inside_prefix;         /* the length of its network */
	struct masq_address gateway;         /* the router between, if there is one */
	struct masq_address outside_gateway; /* the router on the outside interface, if known */
	char outside[IF_NAMESIZE], inside[IF_NAMESIZE];
	int ip_forward, outside_forward, inside_forward; /* 0, 1 or -1: unknown; IPv6: of the
							    interfaces only what is forced */
	int accept_ra;                                   /* IPv6, of the outside interface */
	unsigned int conntrack_count, conntrack_max;     /* max 0: unknown */
	int rp_outside, rp_inside;                       /* max(all, interface) */
	int client_error;           /* errno of the look-up of a packet from the client */
	int target_error;           /* errno of the look-up of the target */
	int back_error;             /* errno of the look-up of the client for an answer */
	char back_oif[IF_NAMESIZE]; /* where answers leave by these look-ups */
	bool driver_xdp;            /* an XDP program in the driver of the outside interface */
	bool marks_route;           /* there are routing rules by mark: look-ups do not tell */
	bool stale;
	struct masq_address stale_client, stale_server;
	uint16_t stale_port;
	unsigned int running; /* UDP flows that go on with a server that is no target now */
	bool listener;        /* a program here listens on the forwarded port */

	/* packets of our own */
	char unable[128]; /* why none was sent; "": they were */
	struct check_flight out, back;
	enum masq_check_answer answer; /* what the answer said */
	bool answer_local;             /* this machine made it itself */
	struct check_flight icmp;      /* "fragmentation needed" on its way in */
	bool shadow_mark;              /* out.mark is that of an mfw service */

	/* probes from here */
	bool probed;
	enum masq_check_answer near_answer; /* to a connect from the inside address */
	enum masq_check_answer far_answer;  /* to one from the outside address */
	enum masq_check_answer other_port;  /* to one at the local port, where that differs */
	bool neighbour_failed;              /* nobody answers for the target or the gateway */
	struct masq_address other_gateway;  /* the server was heard asking for this one */

	/* --live */
	bool live;
	unsigned int live_seconds;
	bool live_seen;
	/* inside clients */
	bool near;                /* client and target are in one network */
	bool no_labels;           /* the kernel has no labels, by which our connections are known */
	bool masqueraded;         /* it left with another source */
	bool source_elsewhere;    /* which is no address of this machine */
	bool inside_off, own_off; /* the site has switched them off: ipmasqadm-reach(8) */
};

#endif
