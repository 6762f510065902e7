// SPDX-License-Identifier: GPL-2.0-or-later
/* Host and service names, through the system's resolver. Re-entrant calls
 * only. */
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Names come from the network: nothing but the characters that host names are
 * made of may reach a resolver, a listing that programs split at blanks, or a
 * terminal. */
static bool is_host_name(const char *s)
{
	return *s && strspn(s, LETTERS DIGITS ".-_") == strlen(s);
}

static bool is_hexadecimal(const char *s)
{
	return s[0] == '0' && (s[1] == 'x' || s[1] == 'X') &&
	       strspn(s + 2, DIGITS "abcdefABCDEF") == strlen(s + 2);
}

/* Whether the last label is a number. Then it is an address gone wrong, as
 * 10.0.0.256 or 10.1, which the resolver would take in its own way. */
static bool is_numeric(const char *s)
{
	const char *dot = strrchr(s, '.');
	const char *last = dot ? dot + 1 : s;

	return is_hexadecimal(last) || strspn(last, DIGITS) == strlen(last);
}

/* Whether a listing may show the name of an address or port: it cannot be taken
 * for another address or port, for an option, or for "-", which is none. */
static bool shows_host(const char *s)
{
	return is_host_name(s) && *s != '-' && !is_numeric(s);
}

/* 914c/g and z39.50 are names; 22, 0x16, 22/tcp and 1-9 are not. */
static bool shows_service(const char *s)
{
	size_t digits = strspn(s, DIGITS);

	return s[digits] && strchr(LETTERS, s[digits]) && !is_hexadecimal(s) &&
	       strspn(s, LETTERS DIGITS "+-./_*") == strlen(s);
}

static struct masq_address address_of(const struct addrinfo *info)
{
	struct masq_address a = {.family = info->ai_family};
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (a.family == AF_INET6) {
		memcpy(&six, info->ai_addr, sizeof(six));
		a.in6 = six.sin6_addr;
	} else {
		memcpy(&four, info->ai_addr, sizeof(four));
		a.in = four.sin_addr;
	}
	return a;
}

static const struct addrinfo *first_of(const struct addrinfo *info, int family)
{
	while (info && info->ai_family != family)
		info = info->ai_next;
	return info;
}

int masq_host_address_of(struct masq_address *out, const char *name, int family)
{
	/* one socket type, or every address comes three times */
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	struct masq_address numeric;
	const struct addrinfo *info;
	struct addrinfo *found;
	int err;

	if (family != AF_INET && family != AF_INET6 && family != AF_UNSPEC)
		return EAI_FAMILY;
	if (masq_parse_address(&numeric, name)) {
		if (family != AF_UNSPEC && numeric.family != family)
			return EAI_FAMILY;
		*out = numeric;
		return 0;
	}
	if (!is_host_name(name) || is_numeric(name))
		return EAI_NONAME;
	err = getaddrinfo(name, NULL, &hints, &found);
	if (err)
		return err;
	info = family == AF_INET6 ? NULL : first_of(found, AF_INET);
	if (!info && family != AF_INET)
		info = first_of(found, AF_INET6);
	if (info)
		*out = address_of(info);
	freeaddrinfo(found);
	return info ? 0 : EAI_ADDRFAMILY;
}

int masq_host_address(struct masq_address *out, const char *name)
{
	return masq_host_address_of(out, name, AF_UNSPEC);
}

bool masq_service_port(uint16_t *out, const char *name, uint8_t protocol)
{
	struct servent entry, *found = NULL;
	char buf[4096];

	if (getservbyname_r(name, masq_protocol_name(protocol), &entry, buf, sizeof(buf), &found) ||
	    !found)
		return false;
	*out = ntohs((uint16_t)found->s_port);
	return true;
}

static bool look_up_name(char buf[MASQ_NAME_MAX], const struct masq_address *addr)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = addr->in};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = addr->in6};
	bool is_six = addr->family == AF_INET6;

	return !getnameinfo(is_six ? (const struct sockaddr *)&six : (const struct sockaddr *)&four,
			    is_six ? sizeof(six) : sizeof(four), buf, MASQ_NAME_MAX, NULL, 0,
			    NI_NAMEREQD);
}

void masq_host_name(char buf[MASQ_NAME_MAX], const struct masq_address *addr, bool numeric)
{
	/* 0.0.0.0 means any address, whatever some resolver calls it */
	if (!numeric && !address_is_any(addr) && look_up_name(buf, addr) && shows_host(buf))
		return;
	address_text(buf, addr);
}

void masq_port_name(char buf[MASQ_NAME_MAX], uint16_t port, uint8_t protocol, bool numeric)
{
	const char *protocol_name = masq_protocol_name(protocol ? protocol : IPPROTO_TCP);
	struct servent entry, *found = NULL;
	char store[4096];

	if (!numeric && port &&
	    !getservbyport_r(htons(port), protocol_name, &entry, store, sizeof(store), &found) &&
	    found && strlen(found->s_name) < MASQ_NAME_MAX && shows_service(found->s_name))
		strcpy(buf, found->s_name);
	else
		*text_digits(buf, port) = '\0';
}
