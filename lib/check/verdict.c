// SPDX-License-Identifier: GPL-2.0-or-later
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>

const char *verdict_ip(struct verdict_text *t, struct in_addr a)
{
	inet_ntop(AF_INET, &a, t->s, sizeof(t->s));
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

void verdict_service(char out[64], const struct check_forward *f)
{
	switch (f->kind) {
	case CHECK_PORTFW:
		snprintf(out, 64, "%s %s:%u", verdict_protocol(f), IP(f->laddr), f->lport);
		return;
	case CHECK_MFW:
		snprintf(out, 64, "mark %u", f->mark);
		return;
	case CHECK_AUTOFW:
		if (f->lport == f->last)
			snprintf(out, 64, "%s port %u", verdict_protocol(f), f->lport);
		else
			snprintf(out, 64, "%s ports %u-%u", verdict_protocol(f), f->lport, f->last);
		return;
	}
}

void verdict_target(char out[64], const struct check_forward *f)
{
	if (f->rport)
		snprintf(out, 64, "%s:%u", IP(f->raddr), f->rport);
	else
		snprintf(out, 64, "%s", IP(f->raddr));
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

void verdict_sysctl(struct verdict *v, const char *setting)
{
	NOTE(v, "a reboot undoes it; to last: %s in a file in /etc/sysctl.d/", setting);
}

/* The command line that names the forward, for -a and -d. */
void verdict_forward(char out[128], const struct check_forward *f, uint16_t rport)
{
	if (f->kind == CHECK_MFW)
		snprintf(out, 128, "-m %u -r %s %u", f->mark, IP(f->raddr), rport);
	else
		snprintf(out, 128, "-P %s -L %s %u -R %s %u", verdict_protocol(f), IP(f->laddr),
			 f->lport, IP(f->raddr), rport);
}
