/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A verdict, and what its texts are made of. Pure. */
#ifndef CHECK_VERDICT_H
#define CHECK_VERDICT_H

#include "address.h"
#include "family.h"

enum verdict_state { VERDICT_OK, VERDICT_WARN, VERDICT_BROKEN };

enum { WARNINGS_MAX = 4 };

/* Texts are one line each. */
struct verdict {
	enum verdict_state state;
	const char *code; /* of ipmasqadm-check(8); "ok" */
	char cause[256];
	char evidence[1024];
	char cure[1024]; /* a command, or what to do elsewhere: "on 10.0.0.2: ..."; may be "" */
	char note[512];  /* how the cure lasts, or another one; may be "" */
	char warning[WARNINGS_MAX][256];
	int warnings;
};

/* Sets state and code. True. */
bool verdict_broken(struct verdict *v, const char *code);
void verdict_warn(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A setting of an interface as sysctl(8) reads it:
 * "net.ipv4.conf.eth0/100.forwarding" is eth0.100's. */
void verdict_conf(char out[64], const char *family, const char *interface, const char *name);
/* The note of a cure by sysctl. */
void verdict_sysctl(struct verdict *v, const char *setting);
void verdict_put(char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define CAUSE(v, ...) verdict_put((v)->cause, sizeof((v)->cause), __VA_ARGS__)
#define EVIDENCE(v, ...) verdict_put((v)->evidence, sizeof((v)->evidence), __VA_ARGS__)
#define CURE(v, ...) verdict_put((v)->cure, sizeof((v)->cure), __VA_ARGS__)
#define NOTE(v, ...) verdict_put((v)->note, sizeof((v)->note), __VA_ARGS__)

/* An address, and one with a port ("[fd00::2]:80"), as text until the end of
 * the block. */
struct verdict_text {
	char s[ADDRESS_TEXT_MAX + 8];
};
const char *verdict_with_port(struct verdict_text *t, const struct masq_address *a, uint16_t port);
const char *verdict_local(struct verdict_text *t, const struct check_forward *f);
/* "198.51.100.1", or "@ppp0" */
#define LOCAL(f) verdict_local(&(struct verdict_text){""}, f)
#define IP(a) address_text((struct verdict_text){""}.s, &(a))
#define IP_PORT(a, port) verdict_with_port(&(struct verdict_text){""}, &(a), port)

const char *verdict_protocol(const struct check_forward *f);
/* "SYN" or "datagram" */
const char *verdict_packet(const struct check_forward *f);
/* The port of the target that the packet goes to. */
uint16_t verdict_port(const struct check_observed *o);
enum { VERDICT_LINE = 192 };
/* The words of a command line that name the forward to this port of its
 * target. */
void verdict_forward(char out[VERDICT_LINE], const struct check_forward *f, uint16_t rport);

/* "tcp 198.51.100.1:80", "mark 7", "udp ports 6970-7170"; "10.0.0.2:8080",
 * "10.0.0.2" */
enum { VERDICT_NAME = 80 };
void verdict_service(char out[VERDICT_NAME], const struct check_forward *f);
void verdict_target(char out[VERDICT_NAME], const struct check_forward *f);

#endif
