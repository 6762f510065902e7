/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libipmasq: forwards, whatever the kernel underneath.
 *
 * One handle, a few verbs. A command is a struct ip_masq_ctl, exactly what a 2.2 kernel is sent;
 *the library hands it to that kernel (transport "sockopt") or carries out what it means in
 *nf_tables (transport "nft"). Listings come back as records, the same from both.
 *
 *	struct masq *m;
 *	if (masq_open(&m, "portfw") < 0 || masq_ctl(m, &ctl) < 0)
 *		warnx("%s", masq_error(m));
 *	masq_close(m);
 *
 * The library never prints, never exits, keeps no global state and starts no thread. A handle is
 *for one thread at a time. Functions that return int give 0 or a negative errno value; the text
 *behind it is masq_error(). Unless a comment says otherwise, addresses and ports are in network
 *byte order and everything else is in host order, as in struct ip_masq_ctl.
 */
#ifndef MASQ_H
#define MASQ_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/ip_masq.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MASQ_API __attribute__((visibility("default")))

struct masq;

/*
 * Opens a handle and chooses the transport: IP_FW_MASQ_CTL with IP_MASQ_CMD_NONE succeeds where
 * masquerading modules are; ENOPROTOOPT, which every kernel since 2.4 answers (measured on 6.18),
 * means nf_tables; so does a missing CAP_NET_RAW. IPMASQADM_TRANSPORT=sockopt or nft forces one,
 * unless the process runs with raised privileges.
 *
 * module is "portfw", "mfw" or "autofw" and names the module that is probed; NULL stands for
 * "portfw". *out is set even on failure, so that masq_error() can say why, except after -ENOMEM
 * with *out NULL. Close it in every case.
 *
 * Errors: -EPERM, -ENOMEM, -EINVAL (IPMASQADM_TRANSPORT names neither), -EPROTONOSUPPORT (the
 * kernel has neither interface, or the library was built without nf_tables).
 */
MASQ_API int masq_open(struct masq **out, const char *module) __attribute__((warn_unused_result));

/* Releases the handle and everything it owns; an open transaction is dropped. NULL is allowed. */
MASQ_API void masq_close(struct masq *m);

/* What went wrong last, one line without newline or program name; owned by the handle and valid
 * until the next call on it. Never NULL; m itself may be NULL (out of memory). */
MASQ_API const char *masq_error(const struct masq *m);

/* "sockopt" or "nft". Static storage. */
MASQ_API const char *masq_transport(const struct masq *m) __attribute__((nonnull));

/* Whether masq_begin() to masq_commit() is one transaction: true on nft; on sockopt every command
 * takes effect by itself. */
MASQ_API bool masq_atomic(const struct masq *m) __attribute__((nonnull));

/*
 * Carries out one command: m_target IP_MASQ_TARGET_MOD, m_tname the module, m_cmd and u as
 * <linux/ip_masq.h> and ipmasqadm-portfw(8), -mfw(8), -autofw(8) describe. Outside
 * masq_begin()/masq_commit() it is a transaction of its own: afterwards either all of it or nothing
 * has happened. Inside, it is applied to the library's own picture and can still be refused at
 * once; on nft that ends the transaction: what follows, masq_commit() too, is -ECANCELED and does
 * nothing.
 *
 * Errors: -ESRCH (no such forward or mark), -EINVAL (out of range, or not something to forward to),
 * -EOVERFLOW (the prefs of a service add up to 2^32 or more), -EPERM, -ENOMEM, -EAGAIN (others kept
 * changing the ruleset), -ENOENT (the module is not in this kernel), and what the kernel answers.
 */
MASQ_API int masq_ctl(struct masq *m, const struct ip_masq_ctl *ctl)
	__attribute__((nonnull, warn_unused_result));

/* Opens a transaction of several masq_ctl(). -EBUSY if one is open. */
MASQ_API int masq_begin(struct masq *m) __attribute__((nonnull, warn_unused_result));

/*
 * Carries the open transaction out and closes it, whatever the result. If somebody else changed the
 * ruleset meanwhile the commands are applied again, in order, to the new state; a command that is
 * then refused fails the whole, and *failed (if not NULL) is its index from 0; -1 where no single
 * command is to blame. Errors as for masq_ctl().
 */
MASQ_API int masq_commit(struct masq *m, int *failed)
	__attribute__((nonnull(1), warn_unused_result));

/* Drops the open transaction; nothing has changed (on sockopt: what was sent, stays). */
MASQ_API void masq_abort(struct masq *m) __attribute__((nonnull));

/*
 * From now on masq_ctl() and masq_commit() change nothing and write to out what they would have
 * done, as lines for nft(8) to read. out stays the caller's; NULL ends it. -EOPNOTSUPP on sockopt.
 */
MASQ_API int masq_dry_run(struct masq *m, FILE *out) __attribute__((nonnull(1)));

/* served in struct masq_record where the transport can't tell */
#define MASQ_UNKNOWN UINT64_MAX

enum masq_kind {
	MASQ_PORTFW,   /* protocol laddr lport raddr rport pref left served */
	MASQ_MFW,      /* mark raddr rport pref left served; rport 0: the packet's own */
	MASQ_AUTOFW,   /* autofw served */
	MASQ_RECEIVER, /* a receiver of the MASQ_AUTOFW record before it: autofw raddr laddr seconds
			*/
};

/* One target of one service, or one autofw entry or receiver. Members not named for a kind are 0.
 */
struct masq_record {
	enum masq_kind kind;
	uint8_t protocol;     /* IPPROTO_TCP or IPPROTO_UDP */
	struct in_addr laddr; /* 0.0.0.0: any address of this machine. MASQ_RECEIVER: the outside
				 host that may connect, 0.0.0.0 for anyone */
	struct in_addr raddr; /* where it goes; MASQ_RECEIVER: the inside host */
	uint16_t lport;
	uint16_t rport;
	uint32_t mark;
	int32_t pref;                 /* connections a turn */
	int32_t left;                 /* connections left of this turn */
	uint64_t served;              /* connections sent here so far, or MASQ_UNKNOWN */
	struct ip_autofw_user autofw; /* as in <linux/ip_masq.h> */
	uint32_t seconds;             /* until the receiver is forgotten; 0: never */
};

/* Called once a record. A nonzero result ends the listing and is what masq_list() returns. The
 * record is the library's and valid during the call, in which the handle may be used for anything
 * but masq_close(): the listing stays what it was. */
typedef int masq_record_fn(const struct masq_record *record, void *arg);

/*
 * Lists a module ("portfw", "mfw", "autofw") in its documented order. Services keep the order of
 * ipmasqadm-portfw(8) and -mfw(8); within one, targets come in the order in which they will serve.
 * On nft it is one consistent state. On sockopt it is /proc/net/ip_masq/MODULE (portfw: or
 * /proc/net/ip_portfw). fn is not called before everything has been read and understood.
 *
 * Errors: -ENOENT (no such file: module not loaded), -EBADMSG (a line that does not parse), -EPERM,
 * -ENOMEM, and what reading gives.
 */
MASQ_API int masq_list(struct masq *m, const char *module, masq_record_fn *fn, void *arg)
	__attribute__((nonnull(1, 2, 3)));

/* Whether a delete with this message would find something: 1 yes, 0 no, else as masq_list(). m_cmd
 * is not looked at. */
MASQ_API int masq_find(struct masq *m, const struct ip_masq_ctl *ctl)
	__attribute__((nonnull, warn_unused_result));

/*
 * Parsers: pure and total. They return false and leave *out alone for anything but exactly the text
 * described: no sign, blank, junk, overflow or empty string gets through.
 */

/* Decimal digits, min <= value <= max. Leading zeros are decimal too, as in 1998. */
MASQ_API bool masq_parse_number(uint32_t *out, const char *s, uint32_t min, uint32_t max)
	__attribute__((nonnull));
/* 1 to 65535, in HOST byte order. */
MASQ_API bool masq_parse_port(uint16_t *out, const char *s) __attribute__((nonnull));
/* 1 to 4294967295, decimal or 0x hexadecimal. */
MASQ_API bool masq_parse_mark(uint32_t *out, const char *s) __attribute__((nonnull));
/* tcp, udp, t, u in any case, 6, 17. */
MASQ_API bool masq_parse_protocol(uint8_t *out, const char *s) __attribute__((nonnull));
/* Four decimal numbers and three dots, as inet_pton(3) reads them. */
MASQ_API bool masq_parse_address(struct in_addr *out, const char *s) __attribute__((nonnull));

/* Names, through the system's resolver and services file. */

/* A host's first IPv4 address; dotted text is taken as it stands, without a look-up. Returns 0 or
 * an EAI_ value for gai_strerror(3). */
MASQ_API int masq_host_address(struct in_addr *out, const char *name) __attribute__((nonnull));
/* The port of a service of this protocol, in HOST byte order; false if there is none. */
MASQ_API bool masq_service_port(uint16_t *out, const char *name, uint8_t protocol)
	__attribute__((nonnull));
/* Longest text that the two below write, with its NUL. */
#define MASQ_NAME_MAX 256
/* Writes the host's name, or its dotted address where it has none or numeric is set. */
MASQ_API void masq_host_name(char buf[MASQ_NAME_MAX], struct in_addr addr, bool numeric);
/* Writes the service name of a port in NETWORK byte order, or its number; protocol 0: of tcp. */
MASQ_API void masq_port_name(char buf[MASQ_NAME_MAX], uint16_t port, uint8_t protocol,
			     bool numeric);
/* "tcp", "udp" or "?". Static storage. */
MASQ_API const char *masq_protocol_name(uint8_t protocol);

/* The version of the library, "0.5.0". Static storage. */
MASQ_API const char *masq_version(void);

#ifdef __cplusplus
}
#endif
#endif
