// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "entries.h"
#include "kind.h"
#include "skeleton.h"

#define RECEIVER_SECONDS 15
#define RECEIVERS_MAX 4096 /* contacted hosts that an entry can remember at once */

/* A contacted outside host is the key; where anyone may connect, there is only
 * one. */
static const struct parts outside_host = {{FIELD_CT_SERVER}}, nobody = {{FIELD_ETHER_TYPE}},
			  source = {{FIELD_SOURCE}}, inside_host = {{FIELD_CT_CLIENT}};

enum family entry_family(const struct masq_command *forward)
{
	return family_by_address(&forward->target);
}

bool entry_is_triggered(const struct masq_command *forward)
{
	return forward->form == MASQ_RANGE && forward->has & MASQ_HAS_TRIGGER;
}

void entry_receivers_name(char out[CHAIN_NAME_MAX], const struct masq_command *forward)
{
	snprintf(out, CHAIN_NAME_MAX, "%s-%u-%u-by-%s-%u", masq_protocol_name(forward->protocol),
		 forward->ports.first, forward->ports.last,
		 masq_protocol_name(forward->trigger_protocol), forward->trigger_port);
}

bool entry_owns(const char *name)
{
	struct masq_command f = {0};
	char protocol[2][4], again[CHAIN_NAME_MAX];

	if (sscanf(name, "%3[a-z]-%hu-%hu-by-%3[a-z]-%hu", protocol[0], &f.ports.first,
		   &f.ports.last, protocol[1], &f.trigger_port) != 5 ||
	    !masq_parse_protocol(&f.protocol, protocol[0]) ||
	    !masq_parse_protocol(&f.trigger_protocol, protocol[1]))
		return false;
	entry_receivers_name(again, &f);
	return !strcmp(again, name);
}

static const char *chain_of(const struct masq_command *f)
{
	switch (f->form) {
	case MASQ_RANGE:
		return CHAIN_RANGE;
	case MASQ_PORT:
		return CHAIN_PORT;
	case MASQ_DIRECT:
		return CHAIN_DIRECT;
	case MASQ_INSIDE:
		return CHAIN_INSIDE;
	case MASQ_OWN:
		return CHAIN_OWN;
	}
	return "";
}

const struct entry_chain entry_chains[ENTRY_CHAINS] = {
	{CHAIN_RANGE, MASQ_AUTOFW},   {CHAIN_PORT, MASQ_AUTOFW},  {CHAIN_DIRECT, MASQ_AUTOFW},
	{CHAIN_TRIGGER, MASQ_AUTOFW}, {CHAIN_INSIDE, MASQ_REACH}, {CHAIN_OWN, MASQ_REACH},
};

/* The kind whose entries a chain has; NULL: none. */
static const struct kind *kind_in(const char *chain)
{
	for (size_t i = 0; i < ENTRY_CHAINS; i++)
		if (!strcmp(chain, entry_chains[i].name))
			return kinds[entry_chains[i].kind];
	return NULL;
}

void entry_drop_control(struct masq_command *forward)
{
	forward->has &= ~(MASQ_HAS_TRIGGER | MASQ_ANYONE);
	forward->trigger_protocol = 0;
	forward->trigger_port = 0;
}

/* Version 0.5.0 took a control port for a single port, and forwarded it for
 * everybody. */
bool entry_parse(struct masq_command *out, enum family f, const char *chain, const char *comment,
		 size_t len)
{
	const struct kind *kind = kind_in(chain);

	if (!kind || !kind_read_text(kind, out, comment, len) ||
	    (kind != &kind_reach && entry_family(out) != f))
		return false;
	if (out->form == MASQ_PORT)
		entry_drop_control(out);
	return !strcmp(chain, chain_of(out)) ||
	       (entry_is_triggered(out) && !strcmp(chain, CHAIN_TRIGGER));
}

/* Only masqueraded connections trigger. And the kernel follows connections only
 * as long as some rule looks at one: where all entries have gone, this one
 * keeps what still runs running. */
void entry_make_trigger(struct batch *b)
{
	struct rule r = {.chain = CHAIN_TRIGGER, .first = true};

	b->ops->chain_add(b, CHAIN_TRIGGER, &trigger_hook);
	rule_add(&r, (struct statement){.type = STATEMENT_TEST, .test = TEST_NO_SNAT});
	rule_add(&r, (struct statement){.type = STATEMENT_RETURN});
	b->ops->rule_add(b, &r);
}

/* Says of a masqueraded connection whom it reached and who began it, whatever
 * its direction. */
static void write_contact(struct batch *b, const struct masq_command *f, const char *receivers,
			  bool first)
{
	struct rule r = {.chain = receivers};

	if (first) /* a connection is confirmed as its first packet leaves, which is after this */
		rule_add(&r, (struct statement){.type = STATEMENT_TEST, .test = TEST_UNCONFIRMED});
	rule_add(&r, (struct statement){
			     .type = first ? STATEMENT_FORGET : STATEMENT_UPDATE,
			     .name = receivers,
			     .key = f->has & MASQ_ANYONE ? &nobody : &outside_host,
			     .data = &inside_host,
		     });
	b->ops->rule_add(b, &r);
}

/* Nor is what we forward to a server inside, and masquerade, an inside host's
 * contact. */
static void write_exception(struct batch *b, const char *receivers)
{
	struct rule r = {.chain = receivers};

	if (b->unlabelled) /* nothing of ours is masqueraded */
		return;
	rule_add(&r, (struct statement){.type = STATEMENT_TEST, .test = TEST_OURS});
	rule_add(&r, (struct statement){.type = STATEMENT_RETURN});
	b->ops->rule_add(b, &r);
}

/* An update keeps the receiver that is there, so the first packet deletes that
 * before. Not every packet: what is deleted counts for the map's size until the
 * kernel has tidied up, and a busy connection would fill the map with its own
 * remains (measured on 6.18). */
static void write_trigger(struct batch *b, const struct masq_command *f, const char *receivers,
			  const char *comment, bool chain_is_there)
{
	struct rule r = {.chain = CHAIN_TRIGGER, .comment = comment};

	b->ops->map_add(b, &(struct map_spec){
				   .name = receivers,
				   .comment = comment,
				   .key = f->has & MASQ_ANYONE ? &nobody : &source,
				   .data = &inside_host,
				   .size = RECEIVERS_MAX,
				   .seconds = f->has & MASQ_UNTIMED ? 0 : RECEIVER_SECONDS,
				   .dynamic = true,
			   });
	b->ops->chain_add(b, receivers, NULL);
	if (chain_is_there)
		b->ops->chain_flush(b, receivers);
	write_exception(b, receivers);
	write_contact(b, f, receivers, true);
	write_contact(b, f, receivers, false);
	rule_add(&r, (struct statement){.type = STATEMENT_TEST,
					.test = f->trigger_protocol == IPPROTO_TCP ? TEST_TCP
										   : TEST_UDP});
	rule_add(&r, (struct statement){.type = STATEMENT_SERVER_PORT,
					.ports = {f->trigger_port, f->trigger_port}});
	rule_add(&r, (struct statement){.type = STATEMENT_JUMP, .name = receivers});
	b->ops->rule_add(b, &r);
}

void entry_write_switch(struct batch *b, const struct masq_command *f)
{
	char comment[COMMENT_MAX];
	struct rule r = {.chain = chain_of(f), .comment = comment};
	struct text t;

	text_start(&t, comment, sizeof(comment));
	kind_reach.print(&t, f);
	rule_add(&r, (struct statement){.type = STATEMENT_ACCEPT});
	b->ops->rule_add(b, &r);
}

void entry_write(struct batch *b, const struct masq_command *f, const struct stored_entry *stored)
{
	char comment[COMMENT_MAX], receivers[CHAIN_NAME_MAX];
	struct rule r = {.chain = chain_of(f), .first = true, .comment = comment};
	struct statement receiver = {.type = STATEMENT_DNAT_MAP,
				     .name = receivers,
				     .key = f->has & MASQ_ANYONE ? &nobody : &source,
				     .data = &inside_host,
				     .counted = true};
	struct text t;

	if (f->kind == MASQ_REACH) {
		entry_write_switch(b, f);
		return;
	}
	text_start(&t, comment, sizeof(comment));
	kind_autofw.print(&t, f);
	entry_receivers_name(receivers, f);
	if (entry_is_triggered(f))
		write_trigger(b, f, receivers, comment, stored->chain);
	if (f->form == MASQ_DIRECT) /* no rule refers to it, so it may be gone */
		b->ops->chain_add(b, CHAIN_DIRECT, NULL);
	rule_add(&r, (struct statement){
			     .type = STATEMENT_PORTS, .protocol = f->protocol, .ports = f->ports});
	rule_add(&r,
		 entry_is_triggered(f) ? receiver : (struct statement){.type = STATEMENT_COUNTER});
	if (f->form != MASQ_DIRECT && !entry_is_triggered(f))
		rule_add(&r, (struct statement){.type = STATEMENT_DNAT,
						.addr = f->target,
						.port = f->target_ports.first});
	b->ops->rule_add(b, &r);
}

void entry_remove_rules(struct batch *b, const struct entry *e, const struct stored_entry *stored)
{
	if (stored->handle)
		b->ops->rule_del(b, chain_of(&e->forward), stored->handle);
	if (stored->trigger_handle)
		b->ops->rule_del(b, CHAIN_TRIGGER, stored->trigger_handle);
}

void entry_remove(struct batch *b, const struct entry *e, const struct stored_entry *stored)
{
	char receivers[CHAIN_NAME_MAX];

	entry_remove_rules(b, e, stored);
	if (!entry_is_triggered(&e->forward))
		return;
	entry_receivers_name(receivers, &e->forward);
	if (stored->chain)
		batch_chain_remove(b, receivers);
	if (stored->map)
		b->ops->map_del(b, receivers);
}
