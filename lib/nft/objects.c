// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <netinet/in.h>

#include "objects.h"

#define MODULES(name, NAME) "nf_conntrack_" name, "nf_nat_" name, "CONFIG_NF_CONNTRACK_" NAME

const struct helper_object helper_objects[HELPER_OBJECTS] = {
	{HELPER_FTP, IPPROTO_TCP, "ftp", "ftp", MODULES("ftp", "FTP"), false},
	{HELPER_TFTP, IPPROTO_UDP, "tftp", "tftp", MODULES("tftp", "TFTP"), false},
	{HELPER_IRC, IPPROTO_TCP, "irc", "irc", MODULES("irc", "IRC"), true},
	{HELPER_SIP, IPPROTO_TCP, "sip-tcp", "sip", MODULES("sip", "SIP"), false},
	{HELPER_SIP, IPPROTO_UDP, "sip-udp", "sip", MODULES("sip", "SIP"), false},
	{HELPER_PPTP, IPPROTO_TCP, "pptp", "pptp", MODULES("pptp", "PPTP"), true},
	{HELPER_H323, IPPROTO_TCP, "h323-tcp", "Q.931", MODULES("h323", "H323"), false},
	{HELPER_H323, IPPROTO_UDP, "h323-udp", "RAS", MODULES("h323", "H323"), false},
};

const struct helper_object *helper_of(const struct service *s)
{
	for (size_t i = 0; s->helper && i < HELPER_OBJECTS; i++)
		if (helper_objects[i].helper == s->helper &&
		    helper_objects[i].protocol == s->key.protocol)
			return &helper_objects[i];
	return NULL;
}

const struct helper_object *helper_named(const char *name)
{
	for (size_t i = 0; i < HELPER_OBJECTS; i++)
		if (!strcmp(name, helper_objects[i].name))
			return &helper_objects[i];
	return NULL;
}
