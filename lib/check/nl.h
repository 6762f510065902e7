/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One netlink socket for requests that are answered at once. */
#ifndef CHECK_NL_H
#define CHECK_NL_H

#include <libmnl/libmnl.h>

/* No request is longer. */
#define NL_REQUEST_MAX 4096

struct nl {
	struct mnl_socket *socket;
	unsigned int seq;
};

/* bus is NETLINK_ROUTE, ... 0 or negative errno; nl_close() after either. */
int nl_open(struct nl *nl, int bus);
void nl_close(struct nl *nl);

/* A request in buf, which has NL_REQUEST_MAX bytes. */
struct nlmsghdr *nl_request(char *buf, uint16_t type, uint16_t flags);
/* The same with the extra header of nfnetlink. */
struct nlmsghdr *nl_nf_request(char *buf, uint16_t subsystem, uint16_t message, uint16_t flags,
			       uint8_t family, uint16_t resource);

/* Sends the request and hands every message of the answer to fn (which may be
 * NULL) until it is complete. 0 or negative errno; -ETIME after five
 * seconds. */
int nl_ask(struct nl *nl, struct nlmsghdr *request, mnl_cb_t fn, void *arg);

/* Fills table[0..max] with the attributes of a message that begins with a
 * header of so many bytes, or of those inside an attribute (NULL: none); NULL
 * where there is none. */
void nl_attributes(const struct nlmsghdr *h, size_t header, const struct nlattr **table, int max);
void nl_nested(const struct nlattr *nest, const struct nlattr **table, int max);

#endif
