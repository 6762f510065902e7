// SPDX-License-Identifier: GPL-2.0-or-later
#include "cure.h"

#include <stdio.h>
#include <string.h>

#include "address.h"

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : "tcp";
}

static bool is_legacy(const struct check_place *p)
{
	return p->kind == MASQ_PLACE_LEGACY_RULE || p->kind == MASQ_PLACE_LEGACY_POLICY;
}

/* In front of the nat chains a packet does not know yet that it is
 * forwarded. */
static bool by_address(const struct check_place *p)
{
	return p->hook == MASQ_HOOK_INGRESS || p->hook == MASQ_HOOK_PREROUTING;
}

static void pass_nft(char *out, size_t size, const struct check_place *p,
		     const struct cure_packet *what)
{
	char address[ADDRESS_TEXT_MAX], match[128];
	const char *chain = p->user_chain[0] ? p->user_chain : p->base;

	address_text(address, &what->address);
	if (!by_address(p))
		snprintf(match, sizeof(match), "ct status dnat");
	else if (what->too_big)
		snprintf(match, sizeof(match), "%s", what->family->nft_too_big);
	else
		snprintf(match, sizeof(match), "%s %s %s %s %s %u", what->family->word,
			 what->answer ? "saddr" : "daddr", address, protocol_name(what->protocol),
			 what->answer ? "sport" : "dport", what->port);
	snprintf(out, size, "nft insert rule %s %s %s %s accept", p->family, p->table, chain,
		 match);
}

static void pass_iptables(char *out, size_t size, const struct check_place *p,
			  const struct cure_packet *what)
{
	char address[ADDRESS_TEXT_MAX], match[128], table[CHECK_NAME + 8] = "";
	const char *chain = p->user_chain[0] ? p->user_chain : p->base;

	address_text(address, &what->address);
	if (!by_address(p))
		snprintf(match, sizeof(match), "-m conntrack --ctstate DNAT");
	else if (what->too_big)
		snprintf(match, sizeof(match), "%s", what->family->iptables_too_big);
	else
		snprintf(match, sizeof(match), "%s %s -p %s %s %u", what->answer ? "-s" : "-d",
			 address, protocol_name(what->protocol),
			 what->answer ? "--sport" : "--dport", what->port);
	if (strcmp(p->table, "filter"))
		snprintf(table, sizeof(table), "-t %s ", p->table);
	snprintf(out, size, "%s %s-I %s %s -j ACCEPT",
		 p->program[0] ? p->program : what->family->iptables, table, chain, match);
}

void cure_pass(char *out, size_t size, const struct check_place *p, const struct cure_packet *what)
{
	const char *chain = p->user_chain[0] ? p->user_chain : p->base;

	out[0] = '\0';
	if (p->kind == MASQ_PLACE_NONE || p->owned)
		return;
	if (!is_legacy(p) && (!check_is_plain(p->table) || !check_is_plain(chain)))
		return;
	if (p->iptables || is_legacy(p))
		pass_iptables(out, size, p, what);
	else
		pass_nft(out, size, p, what);
}

void cure_lasting(char *out, size_t size, const struct check_place *p)
{
	out[0] = '\0';
	if (p->kind == MASQ_PLACE_NONE)
		return;
	if (!strncmp(p->chain, "ufw", 3))
		snprintf(out, size,
			 "\"ufw reload\" undoes it; to last: that rule in /etc/ufw/before.rules, "
			 "or \"ufw route allow\"");
	else if (!strcmp(p->table, "firewalld"))
		snprintf(out, size,
			 "%s; to last: allow it in firewalld, with firewall-cmd --permanent",
			 p->owned ? "only firewalld can change this table"
				  : "\"firewall-cmd --reload\" undoes it");
	else if (p->owned)
		snprintf(out, size,
			 "only the program that made table %s %s can change it: allow it there",
			 p->family, p->table);
	else if (p->user_chain[0])
		snprintf(out, size,
			 "Docker leaves %s alone, a reboot does not; to last: run it at boot, "
			 "after docker.service",
			 p->user_chain);
	else if (is_legacy(p) || p->iptables)
		snprintf(out, size,
			 "a reboot undoes it; to last: where your iptables rules come from "
			 "(iptables-persistent: netfilter-persistent save)");
	else
		snprintf(out, size,
			 "a reboot or reload undoes it; to last: that rule in /etc/nftables.conf, "
			 "or where table %s %s comes from",
			 p->family, p->table);
}

void cure_place(char *out, size_t size, const struct check_place *p)
{
	const char *policy = "policy drop";

	switch (p->kind) {
	case MASQ_PLACE_NONE:
		snprintf(out, size, "unknown");
		return;
	case MASQ_PLACE_LEGACY_RULE:
		if (p->text[0])
			snprintf(out, size, "iptables-legacy, table %s: %s", p->table, p->text);
		else if (p->number)
			snprintf(out, size, "iptables-legacy, table %s, chain %s, rule %u",
				 p->table, p->chain, p->number);
		else
			snprintf(out, size,
				 "iptables-legacy, table %s: a rule or the policy of chain %s, as "
				 "it was seen before that chain and not behind it",
				 p->table, p->chain);
		return;
	case MASQ_PLACE_LEGACY_POLICY:
		snprintf(out, size, "iptables-legacy, table %s, chain %s: %s", p->table, p->chain,
			 policy);
		return;
	case MASQ_PLACE_POLICY:
		snprintf(out, size, "chain %s %s %s: %s", p->family, p->table, p->base, policy);
		return;
	case MASQ_PLACE_RULE:
		break;
	}
	if (p->text[0])
		snprintf(out, size, "chain %s %s %s: %s", p->family, p->table, p->chain, p->text);
	else if (!check_is_plain(p->table) || !check_is_plain(p->chain))
		snprintf(out, size, "chain \"%s\" of table %s \"%s\", rule with handle %llu",
			 p->chain, p->family, p->table, (unsigned long long)p->handle);
	else
		snprintf(out, size,
			 "chain %s %s %s, rule with handle %llu: nft -a list chain %s %s %s shows "
			 "it",
			 p->family, p->table, p->chain, (unsigned long long)p->handle, p->family,
			 p->table, p->chain);
}
