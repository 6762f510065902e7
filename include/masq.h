/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libipmasq: port forwards, whatever the kernel underneath.
 *
 * One handle, a few verbs. A command is a struct masq_command; the library
 * sends it to a kernel with masquerading modules as the message of 1998
 * (transport "sockopt"), or carries out what it means in nf_tables (transport
 * "nft"). Listings come back as records, the same from both.
 *
 *	struct masq_command c = {
 *		.size = sizeof(c), .kind = MASQ_PORTFW, .verb = MASQ_ADD,
 *		.has = MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS |
 *		       MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS,
 *		.protocol = IPPROTO_TCP, .ports = {80, 80}, .target_ports = {8080, 8080},
 *	};
 *	struct masq *m;
 *
 *	masq_parse_address(&c.local, "198.51.100.1");
 *	masq_parse_address(&c.target, "10.0.0.2");
 *	if (masq_open(&m, "portfw") < 0 || masq_command(m, &c) < 0)
 *		warnx("%s", masq_error(m));
 *	masq_close(m);
 *
 * The library never prints, never exits, keeps no global state (but for
 * libnftnl, once it is loaded) and starts no thread. A handle is for one thread
 * at a time. Functions that return int give 0 or a negative errno value;
 * masq_error() has the text. Ports and numbers are in host byte order,
 * addresses are what inet_pton(3) writes.
 */
#ifndef MASQ_H
#define MASQ_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MASQ_API __attribute__((visibility("default")))

struct masq;
struct ip_masq_ctl; /* <linux/ip_masq.h>, for masq_ctl() alone */

/* An address with its family: AF_INET, or AF_UNSPEC where there is none. */
struct masq_address {
	int family;
	union {
		struct in6_addr in6; /* first, so that an initialiser zeroes all of it */
		struct in_addr in;
	};
};

/* Ports in host order, first <= last; a single port has first == last. */
struct masq_ports {
	uint16_t first, last;
};

/* What is forwarded by what. ipmasqadm-portfw(8), -mfw(8), -autofw(8),
 * -reach(8). */
enum masq_kind {
	MASQ_PORTFW, /* protocol, local address and port */
	MASQ_MFW,    /* firewall mark */
	MASQ_AUTOFW, /* port ranges, and ports that follow a control connection */
	MASQ_REACH,  /* whom forwards do not reach, for the site: to add one switches off */
};

/* A set of kinds, for masq_list(). */
#define MASQ_KIND(kind) (1u << (kind))
#define MASQ_ALL_KINDS                                                                             \
	(MASQ_KIND(MASQ_PORTFW) | MASQ_KIND(MASQ_MFW) | MASQ_KIND(MASQ_AUTOFW) |                   \
	 MASQ_KIND(MASQ_REACH))

enum masq_verb {
	MASQ_PROBE,    /* changes nothing; succeeds where the kind is there */
	MASQ_ADD,      /* portfw: or edit what is there; mfw: as the last of its mark */
	MASQ_INSERT,   /* mfw: as the first of its mark */
	MASQ_DELETE,   /* all that match */
	MASQ_EDIT,     /* mfw: give all that match a new pref */
	MASQ_SCHEDULE, /* mfw: end the present turn */
	MASQ_FLUSH,    /* everything of the kind */
};

/* The three forms of an autofw entry, and the two of reach. */
enum masq_form {
	MASQ_RANGE = 1, /* ports go to a host, or to whoever opened the control connection */
	MASQ_PORT,      /* one port goes to one port of a host */
	MASQ_DIRECT,    /* source ports to keep when masquerading; nft needs no rule for it */
	MASQ_INSIDE,    /* inside clients on the server's own link */
	MASQ_OWN,       /* connections of this machine */
};

/* The protocol of a command for tcp and udp at once (portfw); no forward has
 * it. */
#define MASQ_TCP_UDP 255

/* What is given: bits of has in struct masq_command. */
#define MASQ_HAS_PROTOCOL (1u << 0)
#define MASQ_HAS_LOCAL (1u << 1)
#define MASQ_HAS_PORTS (1u << 2)
#define MASQ_HAS_MARK (1u << 3)
#define MASQ_HAS_TARGET (1u << 4)
#define MASQ_HAS_TARGET_PORTS (1u << 5)
#define MASQ_HAS_PREF (1u << 6)
#define MASQ_HAS_TRIGGER (1u << 7)
#define MASQ_HAS_INTERFACE (1u << 8)
#define MASQ_HAS_HELPER (1u << 9)
/* Options without a value. */
#define MASQ_UNTIMED (1u << 16) /* autofw: a receiver has no time limit (else 15 s) */
#define MASQ_ANYONE (1u << 17) /* autofw: anyone may connect to it (else only the contacted host) */

/* Room for the name of a helper, with its NUL. */
#define MASQ_HELPER_MAX 16
/* Of an interface, IFNAMSIZ. */
#define MASQ_INTERFACE_MAX 16

/* The pref of a command without MASQ_HAS_PREF. */
#define MASQ_PREF_DEFAULT 10

/*
 * One command. A member counts only if its bit of has is set; size, kind, verb
 * and, for autofw and reach, form always do. Which members a kind and a verb
 * need, take and refuse is what the manual page of the kind says of the
 * options.
 *
 * A portfw command for both protocols, or for a range of ports, stands for one
 * command for each protocol and port, its parts. The first of target_ports
 * belongs to the first of ports and so on: they are as many, or -EINVAL. Where
 * kinds take one port, first == last. All parts are one transaction. One that
 * adds a target does so for every part; one that deletes, edits or finds takes
 * the parts that are there, and fails only if none is. Records have forwards
 * with one protocol and port.
 *
 * size is sizeof(struct masq_command) as the caller was compiled. The library
 * takes the members that a smaller one lacks as not given. It refuses a larger
 * one whose further bytes are not zero, and bits of has that it does not know
 * (-E2BIG).
 */
struct masq_command {
	size_t size;
	enum masq_kind kind;
	enum masq_verb verb;
	uint32_t has;
	enum masq_form form;
	/* what is forwarded */
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP; portfw: or MASQ_TCP_UDP */
	struct masq_ports
		ports; /* portfw: the local port or ports; autofw: the range, or the visible port */
	struct masq_address local; /* portfw; the any address: any address of this machine */
	uint32_t mark;             /* mfw, from 1 */
	/* where it goes; on delete and edit what is not given matches any */
	struct masq_address target;
	struct masq_ports target_ports; /* mfw: not given is the packet's own port */
	int32_t pref;                   /* connections a turn; 0: drained */
	/* autofw: the control connection */
	uint8_t trigger_protocol;
	uint16_t trigger_port;
	/* portfw: the kernel's helper of the service, by name: ftp, tftp, irc,
	 * sip, pptp, h323; adding a target without one leaves the service's as
	 * it is */
	char helper[MASQ_HELPER_MAX];
	/* portfw, instead of local: an interface of this machine, by name, with
	 * all addresses that it has or gets */
	char interface[MASQ_INTERFACE_MAX];
};

/*
 * Opens a handle and chooses the transport: IP_FW_MASQ_CTL with
 * IP_MASQ_CMD_NONE succeeds where masquerading modules are; ENOPROTOOPT, which
 * every kernel since 2.4 answers (measured on 6.18), means nf_tables; so does a
 * missing CAP_NET_RAW. IPMASQADM_TRANSPORT=sockopt or nft forces one, unless
 * the process runs with raised privileges.
 *
 * kind is "portfw", "mfw", "autofw" or "reach" and names the kernel module that
 * is probed; NULL stands for "portfw". *out is set even on failure, so that
 * masq_error() can say why, except after -ENOMEM with *out NULL. Close it in
 * every case.
 *
 * Errors: -EPERM, -ENOMEM, -EINVAL (IPMASQADM_TRANSPORT names neither),
 * -EPROTONOSUPPORT (the kernel has neither interface, or the library was built
 * without nf_tables).
 */
MASQ_API int masq_open(struct masq **out, const char *kind) __attribute__((warn_unused_result));

/* Releases the handle and everything it owns; an open transaction is dropped.
 * NULL is allowed. */
MASQ_API void masq_close(struct masq *m);

/* The last error: one line without newline or program name, owned by the handle
 * and valid until the next call on it. Never NULL; m may be NULL (out of
 * memory). */
MASQ_API const char *masq_error(const struct masq *m);

/* "sockopt" or "nft". Static storage. */
MASQ_API const char *masq_transport(const struct masq *m) __attribute__((nonnull));

/* Whether masq_begin() to masq_commit() is one transaction: true on nft; on
 * sockopt every command takes effect by itself. */
MASQ_API bool masq_atomic(const struct masq *m) __attribute__((nonnull));

/*
 * Carries out one command. Outside masq_begin()/masq_commit() it is a
 * transaction of its own: afterwards either all of it or nothing has happened;
 * on sockopt every part takes effect by itself, and the text tells how many are
 * done.
 * Inside, it is applied to the library's own picture and can be refused at
 * once; on nft that ends the transaction: all that follows, masq_commit()
 * included, is -ECANCELED and does nothing.
 *
 * Errors: -ESRCH (no such forward or mark), -EINVAL (out of range, or not
 * something to forward to), -EOVERFLOW (the prefs of a service add up to 2^32
 * or more), -EOPNOTSUPP (the transport cannot do it), -E2BIG (see struct
 * masq_command), -EPERM, -ENOMEM, -EAGAIN (others kept changing the ruleset),
 * -ENOENT (the module, or the helper, is not in this kernel), -ELIBACC
 * (libnftnl, which is loaded where it is needed, is not there), and what the
 * kernel answers.
 */
MASQ_API int masq_command(struct masq *m, const struct masq_command *command)
	__attribute__((nonnull, warn_unused_result));

/* The same from the control message of Linux 2.2, for programs of 1998:
 * m_target IP_MASQ_TARGET_MOD, m_tname the kind, m_cmd and u as
 * <linux/ip_masq.h> describes. */
MASQ_API int masq_ctl(struct masq *m, const struct ip_masq_ctl *ctl)
	__attribute__((nonnull, warn_unused_result));

/* Opens a transaction of several commands. -EBUSY if one is open. */
MASQ_API int masq_begin(struct masq *m) __attribute__((nonnull, warn_unused_result));

/*
 * Carries the open transaction out and closes it, whatever the result. If
 * somebody else changed the ruleset meanwhile, the commands are applied again,
 * in order, to the new state; a command that is then refused fails the whole,
 * and *failed (if not NULL) is its index from 0; -1 where no single command is
 * to blame. Errors as for masq_command().
 */
MASQ_API int masq_commit(struct masq *m, int *failed)
	__attribute__((nonnull(1), warn_unused_result));

/* Drops the open transaction; nothing has changed (on sockopt: what was sent,
 * stays). */
MASQ_API void masq_abort(struct masq *m) __attribute__((nonnull));

/*
 * From now on commands change nothing and write to out the nft(8) commands that
 * do the same. out stays the caller's; NULL ends it. -EOPNOTSUPP on sockopt.
 */
MASQ_API int masq_dry_run(struct masq *m, FILE *out) __attribute__((nonnull(1)));

/*
 * From now on a commit also ends, for TCP and UDP, the running connections to
 * the address and port of every portfw service that it changes whose target is
 * no longer one of that service: access that is taken away ends, a peer that
 * has moved is found at its new place by the next packet. Nobody else's
 * connections are ended. false: running connections go on, as they do from the
 * start.
 *
 * If connections cannot be ended, a commit fails before it changes anything
 * (-EOPNOTSUPP); if that turns out only afterwards, the forwards have changed,
 * and the text says so. -EOPNOTSUPP on sockopt.
 */
MASQ_API int masq_cut(struct masq *m, bool on) __attribute__((nonnull, warn_unused_result));

/* Bits of has in struct masq_record. */
#define MASQ_HAS_LEFT (1u << 0)
#define MASQ_HAS_SERVED (1u << 1)
#define MASQ_HAS_RECEIVER (1u << 2)

/*
 * One target of one service, one autofw entry, or a receiver of the autofw
 * entry before it. A member below forward counts only if its bit is set. The
 * library may append members: read none that lies beyond size.
 */
struct masq_record {
	size_t size;
	uint32_t has;
	/* The command that adds it: verb MASQ_ADD, with all that it has. */
	const struct masq_command *forward;
	int32_t left;    /* connections left of this turn */
	uint64_t served; /* connections sent here so far; sockopt cannot tell */
	/* MASQ_HAS_RECEIVER: an inside host that opened the control
	 * connection */
	struct masq_address inside;
	struct masq_address outside; /* who may connect; AF_UNSPEC: anyone */
	uint32_t seconds;            /* until it is forgotten; 0: never */
};

/* Called once a record. A nonzero result ends the listing and is what
 * masq_list() returns. The record and its forward are the library's and valid
 * during the call, in which the handle may be used for anything but
 * masq_close(): the listing stays what it was. */
typedef int masq_record_fn(const struct masq_record *record, void *arg);

/*
 * Lists kinds, a set of MASQ_KIND() bits, one kind after the other in the order
 * of enum masq_kind. Services come in the order of ipmasqadm-portfw(8) and
 * -mfw(8); within one, targets come in the order in which they will serve. On
 * nft all kinds together are one state that really was. On sockopt each is
 * /proc/net/ip_masq/KIND (portfw: or /proc/net/ip_portfw); with several kinds
 * those whose module is not loaded are left out. fn is not called before
 * everything has been read and understood.
 *
 * Errors: -ENOENT (no such file: none of the modules is loaded), -EBADMSG (a
 * line that does not parse), -EINVAL (no such kind), -EPERM, -ENOMEM, and what
 * reading gives.
 */
MASQ_API int masq_list(struct masq *m, unsigned int kinds, masq_record_fn *fn, void *arg)
	__attribute__((nonnull(1, 3)));

/* Whether a delete with this command would find something: 1 yes, of one part
 * at least, 0 no, else as masq_list() and masq_command(). -EBUSY if a
 * transaction is open. The verb does not matter. */
MASQ_API int masq_find(struct masq *m, const struct masq_command *command)
	__attribute__((nonnull, warn_unused_result));

/*
 * Parsers: pure and total. They return false and leave *out alone for anything
 * but exactly the text described: no sign, blank, junk, overflow or empty
 * string gets through.
 */

/* Decimal digits, min <= value <= max. Leading zeros are decimal too, as in
 * 1998. */
MASQ_API bool masq_parse_number(uint32_t *out, const char *s, uint32_t min, uint32_t max)
	__attribute__((nonnull));
/* 1 to 65535. */
MASQ_API bool masq_parse_port(uint16_t *out, const char *s) __attribute__((nonnull));
/* 1 to 4294967295, decimal or 0x hexadecimal. */
MASQ_API bool masq_parse_mark(uint32_t *out, const char *s) __attribute__((nonnull));
/* tcp, udp, t, u (case-insensitive), 6, 17. */
MASQ_API bool masq_parse_protocol(uint8_t *out, const char *s) __attribute__((nonnull));
/* Four decimal numbers and three dots, or an address of IPv6 without a scope,
 * as inet_pton(3) reads them. */
MASQ_API bool masq_parse_address(struct masq_address *out, const char *s) __attribute__((nonnull));

/* Names, through the system's resolver and services file. */

/* A host's first IPv4 address, or where it has none its first IPv6 address;
 * what masq_parse_address() reads is taken as it stands, without a look-up.
 * Returns 0 or an EAI_ value for gai_strerror(3), after which *out is as it
 * was. */
MASQ_API int masq_host_address(struct masq_address *out, const char *name) __attribute__((nonnull));
/* The same of one family, AF_INET or AF_INET6; EAI_FAMILY if the text is an
 * address of the other. AF_UNSPEC: as masq_host_address(). */
MASQ_API int masq_host_address_of(struct masq_address *out, const char *name, int family)
	__attribute__((nonnull));
/* The port of a service of this protocol; false if there is none. */
MASQ_API bool masq_service_port(uint16_t *out, const char *name, uint8_t protocol)
	__attribute__((nonnull));
/* Longest text that the two below write, with its NUL. */
#define MASQ_NAME_MAX 256
/* Writes the host's name, or its address in numbers where it has none or
 * numeric is set. */
MASQ_API void masq_host_name(char buf[MASQ_NAME_MAX], const struct masq_address *addr,
			     bool numeric);
/* Writes the service name of a port, or its number; protocol 0: of tcp. */
MASQ_API void masq_port_name(char buf[MASQ_NAME_MAX], uint16_t port, uint8_t protocol,
			     bool numeric);
/* "tcp", "udp", "tcp,udp" or "?". Static storage. */
MASQ_API const char *masq_protocol_name(uint8_t protocol);

/* Diagnosis. "masq_check.h" has the structures, with what they mean. */
struct masq_check_options;
struct masq_check_result;

typedef int masq_check_fn(const struct masq_check_result *result, void *arg);

/*
 * Says why forwards do not work. Checks every forward of every kind, or the
 * service that options name, and calls fn once for each target, in the order of
 * the listings, with the verdict and all that was observed. A nonzero result of
 * fn ends it and is returned. If nothing matches there is one result, with code
 * "none".
 *
 * It needs CAP_NET_ADMIN; without CAP_BPF or a TAP it only looks, and its
 * result says so. While it runs there are tables of its own
 * (ipmasqadm-check-PID), and one child process, which cleans up after a kill.
 *
 * Errors: as masq_list(), -EINVAL, -E2BIG (options), -ENETUNREACH (no client
 * can be imagined: neither routes nor addresses; set from), -EADDRNOTAVAIL
 * (from is an address of this machine or a target's), -EOPNOTSUPP (transport
 * sockopt, or a library without nf_tables).
 */
MASQ_API int masq_check(struct masq *m, const struct masq_check_options *options, masq_check_fn *fn,
			void *arg) __attribute__((nonnull(1, 2, 3), warn_unused_result));

/* The version of the library, "0.6.0". Static storage. */
MASQ_API const char *masq_version(void);

#ifdef __cplusplus
}
#endif
#endif
