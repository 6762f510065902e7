// SPDX-License-Identifier: GPL-2.0-or-later
/* autofw as chains and rules: ranges and ports, who triggered them, and who receives. */
#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include "nftsend.h"

enum { ORIGINAL, REPLY }; /* enum ip_conntrack_dir, which user space headers keep to themselves */

static void jump(struct emit_netlink *e, const char *chain)
{
	struct rule r = rule_new("autofw");

	rule_verdict(&r, NFT_JUMP, chain);
	send_rule(e, &r, true, NULL);
}

/* Only masqueraded connections trigger. And the kernel follows connections only as long as some
 * rule looks at one: where all entries have gone, this one keeps what still runs running. */
static void trigger_chain(struct emit_netlink *e)
{
	static const uint32_t snat = IPS_SRC_NAT, zero;
	struct rule r = rule_new(CHAIN_TRIGGER);

	send_chain(e, CHAIN_TRIGGER, "filter", NF_INET_POST_ROUTING, PRIORITY_SRCNAT + 1);
	rule_ct(&r, NFT_CT_STATUS, NFT_REG_1);
	rule_bitmask(&r, NFT_REG_1, &snat, 4);
	rule_cmp(&r, NFT_CMP_EQ, NFT_REG_1, &zero, 4);
	rule_verdict(&r, NFT_RETURN, NULL);
	send_rule(e, &r, true, NULL);
}

void autofw_chains(struct emit_netlink *e)
{
	send_chain(e, CHAIN_RANGE, NULL, 0, 0);
	send_chain(e, CHAIN_PORT, NULL, 0, 0);
	send_chain(e, CHAIN_DIRECT, NULL, 0, 0);
	trigger_chain(e);
}

void autofw_hook(struct emit_netlink *e)
{
	jump(e, CHAIN_RANGE);
	jump(e, CHAIN_PORT);
}

/* A contacted outside host is the key; where anyone may connect, there is only one. */
static void load_contact(struct rule *r, const struct ip_autofw_user *user, uint32_t reg)
{
	if (user->flags & IP_AUTOFW_SECURE)
		rule_saddr(r, reg);
	else
		rule_meta(r, NFT_META_PROTOCOL, reg);
}

/* Says of a masqueraded connection whom it reached and who began it, whatever its direction. */
static void contact(struct emit_netlink *e, const struct ip_autofw_user *user, const char *contacts,
		    bool first)
{
	static const uint32_t confirmed = IPS_CONFIRMED, zero;
	struct rule r = rule_new(contacts);

	if (first) { /* a connection is confirmed as its first packet leaves, which is after this */
		rule_ct(&r, NFT_CT_STATUS, NFT_REG_1);
		rule_bitmask(&r, NFT_REG_1, &confirmed, 4);
		rule_cmp(&r, NFT_CMP_EQ, NFT_REG_1, &zero, 4);
	}
	if (user->flags & IP_AUTOFW_SECURE)
		rule_ct_dir(&r, NFT_CT_SRC_IP, REPLY, REG(0));
	else
		rule_meta(&r, NFT_META_PROTOCOL, REG(0));
	rule_ct_dir(&r, NFT_CT_SRC_IP, ORIGINAL, REG(1));
	rule_set_elem(&r, first ? NFT_DYNSET_OP_DELETE : NFT_DYNSET_OP_UPDATE, contacts, REG(0),
		      REG(1));
	send_rule(e, &r, true, NULL);
}

static void trigger_add(struct emit_netlink *e, const struct ip_autofw_user *user,
			const char *contacts, const char *comment)
{
	bool secure = user->flags & IP_AUTOFW_SECURE;
	bool timed = user->flags & IP_AUTOFW_USETIME;
	uint16_t port = htons(user->ctlport);
	struct rule r;

	send_set(e, &(struct set_spec){
			    .name = contacts,
			    .comment = comment,
			    .flags = NFT_SET_MAP | NFT_SET_EVAL | (timed ? NFT_SET_TIMEOUT : 0),
			    .key_type = secure ? TYPE_IPV4_ADDR : TYPE_ETHER_TYPE,
			    .key_len = secure ? 4 : 2,
			    .key_order = ORDER_NETWORK,
			    .data_type = TYPE_IPV4_ADDR,
			    .data_len = 4,
			    .size = CONTACT_MAX,
			    .id = ++e->set_id,
			    .seconds = timed ? CONTACT_SECONDS : 0,
		    });
	/* An update keeps the receiver that is there, so the first packet deletes that before. Not
	 * every packet: what is deleted counts for the map's size until the kernel has tidied up,
	 * and a busy connection would fill the map with its own remains (measured on 6.18). */
	send_chain(e, contacts, NULL, 0, 0);
	contact(e, user, contacts, true);
	contact(e, user, contacts, false);

	r = rule_new(CHAIN_TRIGGER);
	rule_protocol(&r, (uint8_t)user->ctlproto);
	rule_ct_dir(&r, NFT_CT_PROTO_SRC, REPLY, NFT_REG_1);
	rule_cmp(&r, NFT_CMP_EQ, NFT_REG_1, &port, 2);
	rule_verdict(&r, NFT_JUMP, contacts);
	send_rule(e, &r, true, comment);
}

void autofw_entry_add(struct emit_netlink *e, const struct entry *entry)
{
	const struct ip_autofw_user *user = &entry->user;
	uint16_t hidden = htons(user->hidden), visible = htons(user->visible);
	char comment[COMMENT_MAX], contacts[CHAIN_NAME_MAX];
	struct rule r;

	entry_text(comment, user);
	contact_name(contacts, user);
	if (entry_triggered(user))
		trigger_add(e, user, contacts, comment);
	r = rule_new(user->type == IP_FWD_RANGE  ? CHAIN_RANGE
		     : user->type == IP_FWD_PORT ? CHAIN_PORT
						 : CHAIN_DIRECT);
	rule_protocol(&r, (uint8_t)user->protocol);
	if (user->type == IP_FWD_PORT) {
		rule_dport(&r, NFT_REG_1);
		rule_cmp(&r, NFT_CMP_EQ, NFT_REG_1, &visible, 2);
		rule_counter(&r);
		rule_load(&r, REG(0), &user->where, 4);
		rule_load(&r, REG(1), &hidden, 2);
		rule_dnat(&r, REG(0), REG(1));
	} else {
		rule_dport_range(&r, user->low, user->high);
		if (entry_triggered(user)) {
			load_contact(&r, user, REG(0));
			rule_map(&r, REG(0), contacts, 0, REG(0));
		} else if (user->type == IP_FWD_RANGE) {
			rule_load(&r, REG(0), &user->where, 4);
		}
		rule_counter(&r);
		if (user->type == IP_FWD_RANGE)
			rule_dnat(&r, REG(0), 0);
	}
	send_rule(e, &r, false, comment);
}

void autofw_entry_del(struct emit_netlink *e, const struct entry *entry)
{
	const struct ip_autofw_user *user = &entry->user;
	char contacts[CHAIN_NAME_MAX];

	del_rule(e,
		 user->type == IP_FWD_RANGE  ? CHAIN_RANGE
		 : user->type == IP_FWD_PORT ? CHAIN_PORT
					     : CHAIN_DIRECT,
		 entry->handle);
	del_rule(e, CHAIN_TRIGGER, entry->trigger_handle);
	if (!entry_triggered(user))
		return;
	contact_name(contacts, user);
	del_chain(e, contacts);
	del_set(e, contacts);
}
