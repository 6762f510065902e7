// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control message in bytes: fields are set by name and looked for at the
 * recorded offsets, so that the header is compared with the record and not with
 * itself.
 */
#include <netinet/in.h>

#include <linux/ip_masq.h>

#include "tap.h"

static union {
	struct ip_masq_ctl ctl;
	unsigned char byte[296];
} msg;

/* Whether msg holds value, as n bytes in host order at the offset, and nothing
 * else. */
static bool only_at(size_t offset, uint32_t value, size_t n)
{
	unsigned char want[sizeof(msg)] = {0};
	uint16_t half = (uint16_t)value;

	memcpy(want + offset, n == 2 ? (const void *)&half : (const void *)&value, n);
	return !memcmp(msg.byte, want, sizeof(want));
}

#define AT(member, offset, value, n)                                                               \
	do {                                                                                       \
		memset(&msg, 0, sizeof(msg));                                                      \
		msg.ctl.member = (value);                                                          \
		ok(only_at(offset, value, n), "%s: %d bytes at %d", #member, (int)(n),             \
		   (int)(offset));                                                                 \
	} while (0)

int main(void)
{
	/* autofw begins with a pointer */
	const size_t p = 40 + (sizeof(void *) == 8 ? 8 : 4);

	is_int(sizeof(struct ip_masq_ctl), 296, "size of the message");
	is_int(sizeof(struct ip_portfw_edits), 20, "size of portfw's part");
	is_int(sizeof(struct ip_mfw_user), 20, "size of mfw's part");
	is_int(sizeof(struct ip_autofw_user), sizeof(void *) == 8 ? 40 : 32,
	       "size of autofw's part");
	is_int(IP_FW_MASQ_CTL, 76, "socket option");

	AT(m_target, 0, 0x01020304, 4);
	AT(m_cmd, 4, 0x01020304, 4);

	AT(u.portfw_user.protocol, 40, 0x0102, 2);
	AT(u.portfw_user.laddr, 44, 0x01020304, 4);
	AT(u.portfw_user.raddr, 48, 0x01020304, 4);
	AT(u.portfw_user.lport, 52, 0x0102, 2);
	AT(u.portfw_user.rport, 54, 0x0102, 2);
	AT(u.portfw_user.pref, 56, 0x01020304, 4);

	AT(u.mfw_user.fwmark, 40, 0x01020304, 4);
	AT(u.mfw_user.raddr, 44, 0x01020304, 4);
	AT(u.mfw_user.rport, 48, 0x0102, 2);
	AT(u.mfw_user.dummy, 50, 0x0102, 2);
	AT(u.mfw_user.pref, 52, 0x01020304, 4);
	AT(u.mfw_user.flags, 56, 0x01020304, 4);

	AT(u.autofw_user.type, p + 0, 0x0102, 2);
	AT(u.autofw_user.low, p + 2, 0x0102, 2);
	AT(u.autofw_user.hidden, p + 4, 0x0102, 2);
	AT(u.autofw_user.high, p + 6, 0x0102, 2);
	AT(u.autofw_user.visible, p + 8, 0x0102, 2);
	AT(u.autofw_user.protocol, p + 10, 0x0102, 2);
	AT(u.autofw_user.lastcontact, p + 12, 0x01020304, 4);
	AT(u.autofw_user.where, p + 16, 0x01020304, 4);
	AT(u.autofw_user.ctlproto, p + 20, 0x0102, 2);
	AT(u.autofw_user.ctlport, p + 22, 0x0102, 2);
	AT(u.autofw_user.flags, p + 24, 0x0102, 2);

	memset(&msg, 0, sizeof(msg));
	memset(msg.ctl.m_tname, 'x', sizeof(msg.ctl.m_tname));
	is_int(msg.byte[7], 0, "m_tname begins at 8");
	is_int(msg.byte[8] + msg.byte[39], 'x' + 'x', "m_tname is 32 long");
	is_int(msg.byte[40], 0, "m_tname ends at 40");

	is_int(IP_MASQ_TARGET_CORE, 1, "target CORE");
	is_int(IP_MASQ_TARGET_MOD, 2, "target MOD");
	is_int(IP_MASQ_TARGET_USER, 3, "target USER");
	is_int(IP_MASQ_CMD_NONE, 0, "command NONE");
	is_int(IP_MASQ_CMD_INSERT, 1, "command INSERT");
	is_int(IP_MASQ_CMD_ADD, 2, "command ADD");
	is_int(IP_MASQ_CMD_SET, 3, "command SET");
	is_int(IP_MASQ_CMD_DEL, 4, "command DEL");
	is_int(IP_MASQ_CMD_GET, 5, "command GET");
	is_int(IP_MASQ_CMD_FLUSH, 6, "command FLUSH");
	is_int(IP_MASQ_CMD_LIST, 7, "command LIST");
	is_int(IP_MASQ_CMD_ENABLE, 8, "command ENABLE");
	is_int(IP_MASQ_CMD_DISABLE, 9, "command DISABLE");
	is_int(IP_MASQ_MFW_SCHED, 1, "mfw flag SCHED");
	is_int(IP_FWD_RANGE, 1, "autofw type RANGE");
	is_int(IP_FWD_PORT, 2, "autofw type PORT");
	is_int(IP_FWD_DIRECT, 3, "autofw type DIRECT");
	is_int(IP_AUTOFW_ACTIVE, 1, "autofw flag ACTIVE");
	is_int(IP_AUTOFW_USETIME, 2, "autofw flag USETIME");
	is_int(IP_AUTOFW_SECURE, 4, "autofw flag SECURE");
	return done_testing();
}
