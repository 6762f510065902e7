// SPDX-License-Identifier: GPL-2.0-or-later
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *verdict_with_port(struct verdict_text *t, const struct masq_address *a, uint16_t port)
{
	char text[ADDRESS_TEXT_MAX];

	snprintf(t->s, sizeof(t->s), a->family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 address_text(text, a), port);
	return t->s;
}

const char *verdict_local(struct verdict_text *t, const struct check_forward *f)
{
	if (f->interface[0])
		snprintf(t->s, sizeof(t->s), "@%s", f->interface);
	else
		address_text(t->s, &f->laddr);
	return t->s;
}

const char *verdict_protocol(const struct check_forward *f)
{
	return f->protocol == IPPROTO_UDP ? "udp" : "tcp";
}

const char *verdict_packet(const struct check_forward *f)
{
	return f->protocol == IPPROTO_UDP ? "datagram" : "SYN";
}

uint16_t verdict_port(const struct check_observed *o)
{
	return o->forward.rport ? o->forward.rport : o->dport;
}

void verdict_service(char out[VERDICT_NAME], const struct check_forward *f)
{
	size_t n;

	switch (f->kind) {
	case CHECK_PORTFW:
		if (f->interface[0])
			snprintf(out, VERDICT_NAME, "%s %s:%u", verdict_protocol(f), LOCAL(f),
				 f->lport);
		else
			snprintf(out, VERDICT_NAME, "%s %s", verdict_protocol(f),
				 IP_PORT(f->laddr, f->lport));
		n = strlen(out);
		if (f->last != f->lport)
			snprintf(out + n, VERDICT_NAME - n, "-%u", f->last);
		return;
	case CHECK_MFW:
		snprintf(out, VERDICT_NAME, "mark %u", f->mark);
		return;
	case CHECK_AUTOFW:
		if (f->lport == f->last)
			snprintf(out, VERDICT_NAME, "%s port %u", verdict_protocol(f), f->lport);
		else
			snprintf(out, VERDICT_NAME, "%s ports %u-%u", verdict_protocol(f), f->lport,
				 f->last);
		return;
	}
}

void verdict_target(char out[VERDICT_NAME], const struct check_forward *f)
{
	if (f->rport)
		snprintf(out, VERDICT_NAME, "%s", IP_PORT(f->raddr, f->rport));
	else
		snprintf(out, VERDICT_NAME, "%s", IP(f->raddr));
}

void verdict_put(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, size, fmt, ap);
	va_end(ap);
}

bool verdict_broken(struct verdict *v, const char *code)
{
	v->state = VERDICT_BROKEN;
	v->code = code;
	return true;
}

void verdict_warn(struct verdict *v, const char *fmt, ...)
{
	va_list ap;

	if (v->warnings == WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(v->warning[v->warnings++], sizeof(v->warning[0]), fmt, ap);
	va_end(ap);
	if (v->state == VERDICT_OK)
		v->state = VERDICT_WARN;
}

/* sysctl(8) takes the first separator for the one that parts, and the other one
 * then stands for a dot of a name. */
void verdict_conf(char out[64], const char *family, const char *interface, const char *name)
{
	int n = snprintf(out, 64, "net.%s.conf.", family);

	snprintf(out + n, 64 - (size_t)n, "%s.%s", interface, name);
	for (size_t i = 0; interface[i]; i++)
		if (interface[i] == '.')
			out[(size_t)n + i] = '/';
}

void verdict_sysctl(struct verdict *v, const char *setting)
{
	NOTE(v, "a reboot undoes it; to last: %s in a file in /etc/sysctl.d/", setting);
}

/* The command line that names the forward, for -a and -d. */
void verdict_forward(char out[VERDICT_LINE], const struct check_forward *f, uint16_t rport)
{
	if (f->kind == CHECK_MFW)
		snprintf(out, VERDICT_LINE, "-m %u -r %s %u", f->mark, IP(f->raddr), rport);
	else
		snprintf(out, VERDICT_LINE, "-P %s -L %s %u -R %s %u", verdict_protocol(f),
			 LOCAL(f), f->lport, IP(f->raddr), rport);
}
