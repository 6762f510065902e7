// SPDX-License-Identifier: GPL-2.0-or-later
#include "legacy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GROUP = 0, HEAD = 64, READ_MAX = 65536, RECEIVE_BUFFER = 4 << 20 };

static int configure(struct nl *nl, uint16_t type, const void *data, size_t n)
{
	char buf[NL_REQUEST_MAX];
	struct nlmsghdr *h =
		nl_nf_request(buf, NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG, 0, AF_UNSPEC, GROUP);

	mnl_attr_put(h, type, n, data);
	return nl_ask(nl, h, NULL, NULL);
}

/* The name of the logger; "" if it cannot be read. */
static void read_logger(const struct family *a, char out[64])
{
	int fd = open(a->logger, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, 63);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static bool write_logger(const struct family *a, const char *name)
{
	int fd = open(a->logger, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, name, strlen(name)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

bool legacy_open(struct legacy *l, const struct family *family)
{
	const struct nfulnl_msg_config_cmd bind_it = {.command = NFULNL_CFG_CMD_BIND};
	const struct nfulnl_msg_config_mode mode = {.copy_range = htonl(HEAD),
						    .copy_mode = NFULNL_COPY_PACKET};
	const uint32_t at_once = htonl(1);
	int size = RECEIVE_BUFFER;

	*l = (struct legacy){.family = family};
	read_logger(family, l->before);
	if (!l->before[0] || nl_open(&l->nl, NETLINK_NETFILTER) < 0 ||
	    configure(&l->nl, NFULA_CFG_CMD, &bind_it, sizeof(bind_it)) < 0 ||
	    configure(&l->nl, NFULA_CFG_MODE, &mode, sizeof(mode)) < 0 ||
	    configure(&l->nl, NFULA_CFG_QTHRESH, &at_once, sizeof(at_once)) < 0) {
		nl_close(&l->nl);
		return false;
	}
	setsockopt(mnl_socket_get_fd(l->nl.socket), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		   sizeof(size));
	l->open = true;
	return true;
}

bool legacy_start(struct legacy *l)
{
	l->changed = l->open && strcmp(l->before, "nfnetlink_log") &&
		     write_logger(l->family, "nfnetlink_log");
	return l->changed;
}

void legacy_restore(const struct legacy *l)
{
	if (l->changed)
		write_logger(l->family, l->before);
}

void legacy_close(struct legacy *l)
{
	nl_close(&l->nl);
	l->open = false;
}

static int read_line(const struct nlmsghdr *h, void *arg)
{
	struct follow *f = arg;
	const struct nfgenmsg *nf = mnl_nlmsg_get_payload(h);
	const struct nlattr *a[NFULA_PREFIX + 1];
	struct follow_line line;
	struct trace_packet p;
	const uint8_t *ip;
	size_t n, head;

	if (h->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return MNL_CB_OK;
	nl_attributes(h, sizeof(*nf), a, NFULA_PREFIX);
	if (!a[NFULA_PREFIX] || !a[NFULA_PAYLOAD] ||
	    !follow_parse_line(&line, mnl_attr_get_str(a[NFULA_PREFIX])))
		return MNL_CB_OK;
	ip = mnl_attr_get_payload(a[NFULA_PAYLOAD]);
	n = mnl_attr_get_payload_len(a[NFULA_PAYLOAD]);
	head = trace_header(ip, n);
	if (head && trace_parse(&p, ip, n, ip + head, n - head))
		follow_legacy(f, &p, &line);
	return MNL_CB_OK;
}

void legacy_read(struct legacy *l, struct follow *f)
{
	char buf[32768];

	for (int i = 0; l->open && i < READ_MAX; i++) {
		ssize_t n = recv(mnl_socket_get_fd(l->nl.socket), buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS)
			continue;
		if (n < 0)
			return;
		mnl_cb_run(buf, (size_t)n, 0, 0, read_line, f);
	}
}
