/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control message of Linux 2.2's masquerading modules.
 *
 * This is wire format: a 2.2 kernel copies it from user space as it stands.
 * Member names are those that plugin sources of the time use; the layout was
 * recorded from the running originals and is asserted below for both word
 * sizes. Zero every byte that carries nothing.
 */
#ifndef _LINUX_IP_MASQ_H
#define _LINUX_IP_MASQ_H

#include <stddef.h>
#include <stdint.h>

/* setsockopt(fd, IPPROTO_IP, IP_FW_MASQ_CTL, &ctl, sizeof(ctl)) on a raw
 * socket. 64 is the base of the firewall options, 12 the masquerading one. The
 * kernel wants CAP_NET_ADMIN. */
#define IP_FW_MASQ_CTL (64 + 12)

#define IP_MASQ_TNAME_MAX 32
#define IP_MASQ_TARGET_SIZE 256

/* m_target: who the message is for. Modules are named in m_tname. */
#define IP_MASQ_TARGET_CORE 1
#define IP_MASQ_TARGET_MOD 2
#define IP_MASQ_TARGET_USER 3

/* m_cmd */
#define IP_MASQ_CMD_NONE 0 /* just peek: succeeds where the module is there */
#define IP_MASQ_CMD_INSERT 1
#define IP_MASQ_CMD_ADD 2
#define IP_MASQ_CMD_SET 3
#define IP_MASQ_CMD_DEL 4
#define IP_MASQ_CMD_GET 5
#define IP_MASQ_CMD_FLUSH 6
#define IP_MASQ_CMD_LIST 7 /* never sent: listings come from /proc */
#define IP_MASQ_CMD_ENABLE 8
#define IP_MASQ_CMD_DISABLE 9

/* portfw. Addresses and ports in network order, the rest in host order. On
 * delete and edit a zero laddr, raddr or rport means any. */
struct ip_portfw_edits {
	uint16_t protocol; /* IPPROTO_TCP or IPPROTO_UDP; 65535 where none was given */
	uint32_t laddr;
	uint32_t raddr;
	uint16_t lport;
	uint16_t rport;
	int32_t pref; /* connections a turn */
};

#define IP_MASQ_MFW_SCHED 1 /* flags: end the head's turn now */

/* mfw. Address and port in network order, the rest in host order. rport 0: keep
 * the packet's. */
struct ip_mfw_user {
	uint32_t fwmark;
	uint32_t raddr;
	uint16_t rport;
	uint16_t dummy;
	int32_t pref;
	uint32_t flags;
};

/* type */
#define IP_FWD_RANGE 1
#define IP_FWD_PORT 2
#define IP_FWD_DIRECT 3

/* flags */
#define IP_AUTOFW_ACTIVE 1
#define IP_AUTOFW_USETIME 2
#define IP_AUTOFW_SECURE 4

/* autofw. Ports in host order, addresses in network order. */
struct ip_autofw_user {
	void *next; /* meaningless outside the kernel: NULL */
	uint16_t type;
	uint16_t low;
	uint16_t hidden;
	uint16_t high;
	uint16_t visible;
	uint16_t protocol;
	uint32_t lastcontact;
	uint32_t where;
	uint16_t ctlproto;
	uint16_t ctlport;
	uint16_t flags;
};

struct ip_masq_ctl {
	int m_target;
	int m_cmd;
	char m_tname[IP_MASQ_TNAME_MAX]; /* NUL-padded */
	union {
		struct ip_portfw_edits portfw_user;
		struct ip_mfw_user mfw_user;
		struct ip_autofw_user autofw_user;
		unsigned char m_raw[IP_MASQ_TARGET_SIZE];
	} u;
};

#ifndef __cplusplus
#define IP_MASQ_AT(type, member, offset)                                                           \
	_Static_assert(offsetof(struct type, member) == (offset), #type "." #member " has moved")
#define IP_MASQ_SIZE(type, size)                                                                   \
	_Static_assert(sizeof(struct type) == (size), #type " has another size")

IP_MASQ_AT(ip_masq_ctl, m_target, 0);
IP_MASQ_AT(ip_masq_ctl, m_cmd, 4);
IP_MASQ_AT(ip_masq_ctl, m_tname, 8);
IP_MASQ_AT(ip_masq_ctl, u, 40);
IP_MASQ_SIZE(ip_masq_ctl, 296);

IP_MASQ_AT(ip_portfw_edits, protocol, 0);
IP_MASQ_AT(ip_portfw_edits, laddr, 4);
IP_MASQ_AT(ip_portfw_edits, raddr, 8);
IP_MASQ_AT(ip_portfw_edits, lport, 12);
IP_MASQ_AT(ip_portfw_edits, rport, 14);
IP_MASQ_AT(ip_portfw_edits, pref, 16);
IP_MASQ_SIZE(ip_portfw_edits, 20);

IP_MASQ_AT(ip_mfw_user, fwmark, 0);
IP_MASQ_AT(ip_mfw_user, raddr, 4);
IP_MASQ_AT(ip_mfw_user, rport, 8);
IP_MASQ_AT(ip_mfw_user, dummy, 10);
IP_MASQ_AT(ip_mfw_user, pref, 12);
IP_MASQ_AT(ip_mfw_user, flags, 16);
IP_MASQ_SIZE(ip_mfw_user, 20);

IP_MASQ_AT(ip_autofw_user, next, 0);
IP_MASQ_AT(ip_autofw_user, type, sizeof(void *));
IP_MASQ_AT(ip_autofw_user, low, sizeof(void *) + 2);
IP_MASQ_AT(ip_autofw_user, hidden, sizeof(void *) + 4);
IP_MASQ_AT(ip_autofw_user, high, sizeof(void *) + 6);
IP_MASQ_AT(ip_autofw_user, visible, sizeof(void *) + 8);
IP_MASQ_AT(ip_autofw_user, protocol, sizeof(void *) + 10);
IP_MASQ_AT(ip_autofw_user, lastcontact, sizeof(void *) + 12);
IP_MASQ_AT(ip_autofw_user, where, sizeof(void *) + 16);
IP_MASQ_AT(ip_autofw_user, ctlproto, sizeof(void *) + 20);
IP_MASQ_AT(ip_autofw_user, ctlport, sizeof(void *) + 22);
IP_MASQ_AT(ip_autofw_user, flags, sizeof(void *) + 24);
IP_MASQ_SIZE(ip_autofw_user, sizeof(void *) == 8 ? 40 : 32);

#undef IP_MASQ_AT
#undef IP_MASQ_SIZE
#endif

#endif
