// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a kernel answers to the nft transport. The input is
 *
 *	u8 what is asked, see ask()
 *	u16 length (host order), bytes of a datagram; ...
 *
 * Length 0 stands for "nothing there yet", 0xffff for a failing recvmsg(2),
 * 0xfffe for a datagram that is cut off. A sequence number in a datagram counts
 * back from the last one that was sent. tests/fuzz/record writes such files out
 * of a real kernel's answers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "linux/ip_masq.h"
#include "masq.h"
#include "fuzz.h"

static const uint8_t *at, *end;
static uint32_t sent;

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
int __wrap_mnl_socket_bind(struct mnl_socket *s, unsigned int groups, pid_t pid);
int __wrap_mnl_socket_setsockopt(const struct mnl_socket *s, int type, void *buf, socklen_t len);
int __wrap_mnl_socket_get_fd(const struct mnl_socket *s);
int __wrap_mnl_socket_close(struct mnl_socket *s);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *s, const void *buf, size_t len);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	(void)bus;
	(void)flags;
	return malloc(1);
}

int __wrap_mnl_socket_bind(struct mnl_socket *s, unsigned int groups, pid_t pid)
{
	(void)s;
	(void)groups;
	(void)pid;
	return 0;
}

int __wrap_mnl_socket_setsockopt(const struct mnl_socket *s, int type, void *buf, socklen_t len)
{
	(void)s;
	(void)type;
	(void)buf;
	(void)len;
	return 0;
}

int __wrap_mnl_socket_get_fd(const struct mnl_socket *s)
{
	(void)s;
	return -1;
}

int __wrap_mnl_socket_close(struct mnl_socket *s)
{
	free(s);
	return 0;
}

/* What we send must be well-formed, whatever the kernel said before. */
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *s, const void *buf, size_t len)
{
	const struct nlmsghdr *nlh = buf;
	int left = (int)len;

	(void)s;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		sent = nlh->nlmsg_seq;
	HOLDS(!left);
	return (ssize_t)len;
}

/* Turns sequence numbers of the input into those that are expected. */
static void answer_what_was_asked(char *buf, size_t size)
{
	while (size >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr nlh;
		size_t n;

		memcpy(&nlh, buf, sizeof(nlh));
		nlh.nlmsg_seq = sent - nlh.nlmsg_seq;
		memcpy(buf, &nlh, sizeof(nlh));
		n = NLMSG_ALIGN(nlh.nlmsg_len);
		if (nlh.nlmsg_len < sizeof(nlh) || nlh.nlmsg_len > size || n > size)
			break;
		buf += n;
		size -= n;
	}
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	char *buf = msg->msg_iov->iov_base;
	uint16_t size;
	size_t n;

	(void)fd;
	(void)flags;
	msg->msg_flags = 0;
	errno = EAGAIN;
	if (end - at < 2)
		return -1;
	memcpy(&size, at, 2);
	at += 2;
	if (size == 0xffff)
		errno = ENOBUFS;
	if (!size || size == 0xffff)
		return -1;
	if (size == 0xfffe)
		msg->msg_flags = MSG_TRUNC;
	n = size < end - at ? size : (size_t)(end - at);
	if (n > msg->msg_iov->iov_len) {
		n = msg->msg_iov->iov_len;
		msg->msg_flags = MSG_TRUNC;
	}
	memcpy(buf, at, n);
	at += size < end - at ? size : end - at;
	answer_what_was_asked(buf, n);
	return (ssize_t)n;
}

static int look(const struct masq_record *record, void *arg)
{
	(void)arg;
	HOLDS(record->size == sizeof(*record));
	HOLDS(record->forward->kind <= MASQ_AUTOFW);
	return 0;
}

static struct ip_masq_ctl message(const char *module, int cmd)
{
	struct ip_masq_ctl ctl;

	memset(&ctl, 0, sizeof(ctl));
	ctl.m_target = IP_MASQ_TARGET_MOD;
	ctl.m_cmd = cmd;
	strcpy(ctl.m_tname, module);
	return ctl;
}

static struct ip_masq_ctl portfw(int cmd, uint32_t laddr, uint32_t raddr)
{
	struct ip_masq_ctl ctl = message("portfw", cmd);

	ctl.u.portfw_user = (struct ip_portfw_edits){
		.protocol = IPPROTO_TCP,
		.laddr = htonl(laddr),
		.lport = htons(80),
		.raddr = htonl(raddr),
		.rport = raddr ? htons(80) : 0,
		.pref = 10,
	};
	return ctl;
}

static struct ip_masq_ctl mfw(int cmd, uint32_t flags)
{
	struct ip_masq_ctl ctl = message("mfw", cmd);

	ctl.u.mfw_user = (struct ip_mfw_user){
		.fwmark = 1,
		.raddr = flags ? 0 : htonl(0x0a000002),
		.pref = 10,
		.flags = flags,
	};
	return ctl;
}

static struct ip_masq_ctl autofw(int cmd)
{
	struct ip_masq_ctl ctl = message("autofw", cmd);

	ctl.u.autofw_user = (struct ip_autofw_user){
		.type = IP_FWD_RANGE,
		.protocol = IPPROTO_UDP,
		.low = 6970,
		.high = 7170,
		.ctlproto = IPPROTO_TCP,
		.ctlport = 7070,
		.flags = IP_AUTOFW_USETIME | IP_AUTOFW_SECURE,
	};
	return ctl;
}

static int ctl(struct masq *m, struct ip_masq_ctl c)
{
	return masq_ctl(m, &c);
}

/* Of IPv6, which the message of 1998 cannot say. */
static int six(struct masq *m, enum masq_kind kind, enum masq_verb verb)
{
	struct masq_command c = {
		.size = sizeof(c),
		.kind = kind,
		.verb = verb,
		.has = MASQ_HAS_TARGET | MASQ_HAS_TARGET_PORTS,
		.target_ports = {80, 80},
	};

	c.has |= kind == MASQ_MFW ? MASQ_HAS_MARK
				  : MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS;
	if (kind == MASQ_MFW) {
		c.mark = 1;
	} else {
		c.protocol = IPPROTO_TCP;
		c.ports = (struct masq_ports){80, 80};
		HOLDS(masq_parse_address(&c.local, "2001:db8::1"));
	}
	HOLDS(masq_parse_address(&c.target, "fd00::2"));
	return masq_command(m, &c);
}

/* tests/fuzz/record knows the same numbers. */
static int ask(struct masq *m, unsigned int what)
{
	struct masq_command c;
	int failed, err;

	switch (what) {
	case 0:
		return masq_list(m, MASQ_KIND(MASQ_PORTFW), look, NULL);
	case 1:
		return masq_list(m, MASQ_KIND(MASQ_MFW), look, NULL);
	case 2:
		return masq_list(m, MASQ_KIND(MASQ_AUTOFW), look, NULL);
	case 3:
		return ctl(m, portfw(IP_MASQ_CMD_ADD, 0xc6336401, 0x0a000002));
	case 4:
		return ctl(m, portfw(IP_MASQ_CMD_DEL, 0xc6336401, 0));
	case 5: /* any local address */
		return ctl(m, portfw(IP_MASQ_CMD_DEL, 0, 0));
	case 6:
		return ctl(m, message("portfw", IP_MASQ_CMD_FLUSH));
	case 7:
		return ctl(m, mfw(IP_MASQ_CMD_ADD, 0));
	case 8:
		return ctl(m, mfw(IP_MASQ_CMD_SET, IP_MASQ_MFW_SCHED));
	case 9:
		return ctl(m, mfw(IP_MASQ_CMD_DEL, 0));
	case 10:
		return ctl(m, autofw(IP_MASQ_CMD_ADD));
	case 11:
		return ctl(m, autofw(IP_MASQ_CMD_DEL));
	case 12:
		c = (struct masq_command){
			.size = sizeof(c),
			.kind = MASQ_PORTFW,
			.has = MASQ_HAS_PROTOCOL | MASQ_HAS_LOCAL | MASQ_HAS_PORTS,
			.protocol = IPPROTO_TCP,
			.ports = {80, 80},
		};
		HOLDS(masq_parse_address(&c.local, "198.51.100.1"));
		err = masq_find(m, &c);
		return err > 0 ? 0 : err;
	case 14:
		return masq_list(m, MASQ_ALL_KINDS, look, NULL);
	case 15:
		return six(m, MASQ_PORTFW, MASQ_ADD);
	case 16:
		return six(m, MASQ_PORTFW, MASQ_DELETE);
	case 17:
		return six(m, MASQ_MFW, MASQ_ADD);
	case 18: /* both families */
		return masq_command(m, &(struct masq_command){.size = sizeof(c),
							      .kind = MASQ_MFW,
							      .verb = MASQ_DELETE,
							      .has = MASQ_HAS_MARK,
							      .mark = 1});
	default:
		err = masq_begin(m);
		if (!err)
			err = ctl(m, message("portfw", IP_MASQ_CMD_FLUSH));
		if (!err)
			err = ctl(m, portfw(IP_MASQ_CMD_ADD, 0xc6336401, 0x0a000002));
		if (!err)
			err = ctl(m, mfw(IP_MASQ_CMD_ADD, 0));
		if (!err)
			return masq_commit(m, &failed);
		masq_abort(m);
		return err;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct masq *m;
	int err;

	if (!nowhere) {
		setenv("IPMASQADM_TRANSPORT", "nft", 1);
		nowhere = fopen("/dev/null", "w");
		HOLDS(nowhere);
	}
	if (!size)
		return 0;
	at = data + 1;
	end = data + size;
	err = masq_open(&m, NULL);
	if (!err && *data & 128)
		err = masq_dry_run(m, nowhere);
	if (!err)
		err = ask(m, *data & 127);
	HOLDS(err <= 0);
	HOLDS(!err || *masq_error(m));
	masq_close(m);
	return 0;
}
