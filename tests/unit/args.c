// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Command lines and what becomes of them: one line, one case. Words are split at blanks; '' is an
 * empty one. The result is the message in numbers, then the flags; or "! " and the error.
 *
 *	portfw	COMMAND PROTOCOL LADDR LPORT RADDR RPORT PREF
 *	mfw	COMMAND MARK RADDR RPORT PREF FLAGS
 *	autofw	COMMAND TYPE PROTOCOL LOW-HIGH VISIBLE HIDDEN WHERE CTLPROTO CTLPORT FLAGS
 */
#include <arpa/inet.h>
#include <netdb.h>

#include "cli.h"
#include "tap.h"

struct args_case {
	const char *line, *result;
};

static const struct args_case cases[] = {
	/* every order, cluster and glue of 1998 */
	{"portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 8080", "ADD 6 10.0.0.1 80 10.0.0.2 8080 10"},
	{"portfw -R 10.0.0.2 8080 -L 10.0.0.1 80 -P udp -a", "ADD 17 10.0.0.1 80 10.0.0.2 8080 10"},
	{"portfw -p 7 -a -Ptcp -L10.0.0.1 80 -R10.0.0.2 8080", "ADD 6 10.0.0.1 80 10.0.0.2 8080 7"},
	{"portfw -aL 10.0.0.1 80 -R 10.0.0.2 80 -P u", "ADD 17 10.0.0.1 80 10.0.0.2 80 10"},
	{"portfw -naL10.0.0.1 80 -R 10.0.0.2 80 -PT", "ADD 6 10.0.0.1 80 10.0.0.2 80 10 n"},
	{"portfw -anPtcp -L 10.0.0.1 80 -R 10.0.0.2 80", "ADD 6 10.0.0.1 80 10.0.0.2 80 10 n"},
	{"portfw -a -P 6 -L 10.0.0.1 80 -R 10.0.0.2 80 -p010", "ADD 6 10.0.0.1 80 10.0.0.2 80 10"},
	{"portfw -a -P 17 -L 10.0.0.1 80 -R 10.0.0.2 80 -p5", "ADD 17 10.0.0.1 80 10.0.0.2 80 5"},
	{"portfw -d -P tcp -L 10.0.0.1 80", "DEL 6 10.0.0.1 80 0.0.0.0 0 10"},
	{"portfw -d -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80 -p 3", "DEL 6 10.0.0.1 80 10.0.0.2 80 3"},
	{"portfw -d -P tcp -L 0.0.0.0 80 -R 0.0.0.0 80", "DEL 6 0.0.0.0 80 0.0.0.0 80 10"},
	{"portfw -q -P tcp -L 10.0.0.1 80", "query DEL 6 10.0.0.1 80 0.0.0.0 0 10"},
	{"portfw -nq -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "query DEL 6 10.0.0.1 80 10.0.0.2 80 10 n"},
	{"portfw -f", "FLUSH 0 0.0.0.0 0 0.0.0.0 0 0"},
	{"portfw -fn", "FLUSH 0 0.0.0.0 0 0.0.0.0 0 0 n"},
	{"portfw -f --dry-run", "FLUSH 0 0.0.0.0 0 0.0.0.0 0 0 dry"},
	{"portfw -l", "list"},
	{"portfw -nl", "list n"},
	{"portfw -lnvj", "list n v j"},
	{"portfw -v -l --json", "list v j"},
	{"portfw --dry-run -a -P tcp -L 10.0.0.1 1 -R 10.0.0.2 65535",
	 "ADD 6 10.0.0.1 1 10.0.0.2 65535 10 dry"},
	{"portfw -h", "help"},
	{"portfw --help", "help"},
	{"portfw -a -h", "help"},
	{"portfw -lh", "help"},
	{"portfw -L 10.0.0.1 80 -h", "help"},
	{"mfw -m 1 -h", "help"},
	{"autofw -A -p tcp 1 10.0.0.1:1 --help", "help"},

	/* portfw: values */
	{"portfw -a -P tcp -L 10.0.0.1 65535 -R 10.0.0.2 1 -p 1",
	 "ADD 6 10.0.0.1 65535 10.0.0.2 1 1"},
	{"portfw -a -P tcp -L 10.0.0.1 65536 -R 10.0.0.2 1",
	 "! port \"65536\": give one from 1 to 65535"},
	{"portfw -a -P tcp -L 10.0.0.1 0 -R 10.0.0.2 1", "! port \"0\": give one from 1 to 65535"},
	{"portfw -a -P tcp -L 10.0.0.1 '' -R 10.0.0.2 1", "! port \"\": give one from 1 to 65535"},
	{"portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 -1",
	 "! port \"-1\": neither a number from 1 to 65535 nor a tcp service"},
	{"portfw -a -P udp -L 10.0.0.1 80x -R 10.0.0.2 80",
	 "! port \"80x\": neither a number from 1 to 65535 nor a udp service"},
	{"portfw -n -a -P udp -L 10.0.0.1 domain -R 10.0.0.2 80",
	 "! port \"domain\": -n allows no look-ups, give a number from 1 to 65535"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p 2147483647",
	 "ADD 17 10.0.0.1 80 10.0.0.2 80 2147483647"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p 2147483648",
	 "! pref \"2147483648\": give a whole number from 1 to 2147483647"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p 0",
	 "! pref \"0\": give a whole number from 1 to 2147483647"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p -1",
	 "! pref \"-1\": give a whole number from 1 to 2147483647"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p 1.5",
	 "! pref \"1.5\": give a whole number from 1 to 2147483647"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p ''",
	 "! pref \"\": give a whole number from 1 to 2147483647"},
	{"portfw -a -P upd -L 10.0.0.1 80 -R 10.0.0.2 80", "! protocol \"upd\": did you mean udp?"},
	{"portfw -a -P TPC -L 10.0.0.1 80 -R 10.0.0.2 80", "! protocol \"TPC\": did you mean tcp?"},
	{"portfw -a -P tcpp -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"tcpp\": did you mean tcp?"},
	{"portfw -a -P icmp -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"icmp\": give tcp or udp, nothing else is forwarded"},
	{"portfw -a -P 1 -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"1\": give tcp or udp, nothing else is forwarded"},
	{"portfw -a -P '' -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"\": give tcp or udp, nothing else is forwarded"},
	{"portfw -a -P tcp -L 10.0.0.256 80 -R 10.0.0.2 80",
	 "! \"10.0.0.256\" is no address: give four numbers from 0 to 255 with dots"},
	{"portfw -a -P tcp -L 10.0.1 80 -R 10.0.0.2 80",
	 "! \"10.0.1\" is no address: give four numbers from 0 to 255 with dots"},
	{"portfw -a -P tcp -L '' 80 -R 10.0.0.2 80",
	 "! \"\" is no address: give four numbers from 0 to 255 with dots"},
	{"portfw -a -P tcp -L 10.0.0.1 80 -R web 80 -n",
	 "! host web: -n allows no look-ups, give its address"},
	{"portfw -a -P tcp -L 10.0.0.1 80 -R we;b 80", "! host we;b: Name or service not known"},
	{"portfw -a -P tcp -L 10.0.0.0/24 80 -R 10.0.0.2 80",
	 "! 10.0.0.0/24: a single address is meant, without a netmask: 10.0.0.0"},
	{"portfw -a -P tcp -L 10.0.0.0/255.255.255.0 80 -R 10.0.0.2 80",
	 "! 10.0.0.0/255.255.255.0: a single address is meant, without a netmask: 10.0.0.0"},

	/* portfw: what belongs together */
	{"portfw -a -P tcp -L 10.0.0.1 80", "ADD 6 10.0.0.1 80 0.0.0.0 0 10"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80", "! -a needs -P PROTO"},
	{"portfw -d -P tcp", "! -d needs -L LADDR LPORT"},
	{"portfw -q", "! -q needs -P PROTO"},
	{"portfw -f -P tcp", "! -P does not go with -f"},
	{"portfw -l -p 10", "! -p does not go with -l"},
	{"portfw -l --dry-run", "! --dry-run does not go with -l"},
	{"portfw -fj", "! --json does not go with -f"},
	{"portfw -fv", "! -v does not go with -f"},
	{"portfw -q -P tcp -L 10.0.0.1 80 --dry-run", "! --dry-run does not go with -q"},
	{"portfw -a -d -P tcp -L 10.0.0.1 80", "! -a and -d are two commands: give one of them"},
	{"portfw -ll", "! -l is given twice"},
	{"portfw -l -n -n", "! -n is given twice"},
	{"portfw -l --json --json", "! --json is given twice"},
	{"portfw -l -j --json", "! --json is given twice"},
	{"portfw -d -P tcp -P udp -L 10.0.0.1 80", "! -P is given twice"},
	{"portfw -d -P tcp -L 10.0.0.1 80 -L 10.0.0.1 81", "! -L is given twice"},
	{"portfw -n", "! no command; give one of -a, -d, -q, -f, -l"},
	{"portfw -d -L 10.0.0.1 -P tcp", "! -L takes LADDR LPORT: LPORT is missing"},
	{"portfw -d -P tcp -L", "! -L takes LADDR LPORT: LADDR is missing"},
	{"portfw -d -P -L 10.0.0.1 80", "! -P takes PROTO: PROTO is missing"},
	{"portfw -d -P tcp -L 10.0.0.1 80 90", "! \"90\" belongs to no option"},
	{"portfw l", "! \"l\" belongs to no option"},
	{"portfw -l ''", "! \"\" belongs to no option"},
	{"portfw -l -", "! \"-\" belongs to no option"},
	{"portfw -l --", "! no option --; \"ipmasqadm portfw --help\" shows what there is"},
	{"portfw -lx", "! no option -x; \"ipmasqadm portfw --help\" shows what there is"},
	{"portfw -l -5", "! no option -5; \"ipmasqadm portfw --help\" shows what there is"},
	{"portfw --list", "! no option --list; \"ipmasqadm portfw --help\" shows what there is"},
	{"portfw --jso", "! no option --jso; \"ipmasqadm portfw --help\" shows what there is"},

	/* portfw: old spellings */
	{"portfw -A -t 198.51.100.1/80 -R 10.0.0.2/8080",
	 "! -A is old syntax, now it is: ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 "
	 "-R 10.0.0.2 8080"},
	{"portfw -A -u 198.51.100.1/53 -R 10.0.0.2/53",
	 "! -A is old syntax, now it is: ipmasqadm portfw -a -P udp -L 198.51.100.1 53 "
	 "-R 10.0.0.2 53"},
	{"portfw -t 198.51.100.1/80 -A -R 10.0.0.2/80",
	 "! -t is old syntax, now it is: ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 "
	 "-R 10.0.0.2 80"},
	{"portfw -D -t 198.51.100.1/80",
	 "! -D is old syntax, now it is: ipmasqadm portfw -d -P tcp -L 198.51.100.1 80"},
	{"portfw -D -t 198.51.100.1/80 -R 10.0.0.2/80",
	 "! -D is old syntax, now it is: ipmasqadm portfw -d -P tcp -L 198.51.100.1 80 "
	 "-R 10.0.0.2 80"},
	{"portfw -A",
	 "! -A is old syntax, now it is: ipmasqadm portfw -a -P tcp -L LADDR LPORT -R RADDR RPORT"},
	{"portfw -C", "! -C is old syntax, now it is: ipmasqadm portfw -f"},
	{"portfw -a -P tcp -L 10.0.0.1:80 -R 10.0.0.2:80",
	 "! 10.0.0.1:80: address and port are two words, 10.0.0.1 80"},
	{"portfw -a -P tcp -L 10.0.0.1/80 -R 10.0.0.2/80",
	 "! 10.0.0.1/80: address and port are two words, 10.0.0.1 80"},
	{"portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2/25",
	 "! 10.0.0.2/25: address and port are two words, 10.0.0.2 25"},
	{"portfw -a -P tcp -L 10.0.0.1:80 80 -R 10.0.0.2 80",
	 "! 10.0.0.1:80: address and port are two words, 10.0.0.1 80"},

	/* mfw */
	{"mfw -A -m 1 -r 10.0.0.2 80", "ADD 1 10.0.0.2 80 10 0"},
	{"mfw -A -m1 -r10.0.0.2", "ADD 1 10.0.0.2 0 10 0"},
	{"mfw -r 10.0.0.2 -p 5 -m 0xff -I", "INSERT 255 10.0.0.2 0 5 0"},
	{"mfw -r 10.0.0.2 -nIm 4294967295 -p0", "INSERT 4294967295 10.0.0.2 0 0 0 n"},
	{"mfw -D -m 1", "DEL 1 0.0.0.0 0 10 0"},
	{"mfw -D -m 1 -r 10.0.0.2 65535 -p 3", "DEL 1 10.0.0.2 65535 3 0"},
	{"mfw -E -m 1 -p 0", "SET 1 0.0.0.0 0 0 0"},
	{"mfw -E -m 1 -r 0.0.0.0 80", "SET 1 0.0.0.0 80 10 0"},
	{"mfw -S -m 1", "SET 1 0.0.0.0 0 10 1"},
	{"mfw -S -m 1 -r 10.0.0.2 -p 7", "SET 1 10.0.0.2 0 7 1"},
	{"mfw -q -m 1 -r 10.0.0.2", "query DEL 1 10.0.0.2 0 10 0"},
	{"mfw -F --dry-run", "FLUSH 0 0.0.0.0 0 0 0 dry"},
	{"mfw -L", "list"},
	{"mfw -jLnv", "list n v j"},
	{"mfw -h", "help"},
	{"mfw -A -m 0 -r 10.0.0.2",
	 "! mark \"0\": give one from 1 to 4294967295, or 0x and hexadecimal"},
	{"mfw -A -m 4294967296 -r 10.0.0.2",
	 "! mark \"4294967296\": give one from 1 to 4294967295, or 0x and hexadecimal"},
	{"mfw -A -m -1 -r 10.0.0.2",
	 "! mark \"-1\": give one from 1 to 4294967295, or 0x and hexadecimal"},
	{"mfw -A -m 0x -r 10.0.0.2",
	 "! mark \"0x\": give one from 1 to 4294967295, or 0x and hexadecimal"},
	{"mfw -A -m 1 -r 10.0.0.2 0", "! port \"0\": give one from 1 to 65535"},
	{"mfw -A -m 1 -r 10.0.0.2 65536", "! port \"65536\": give one from 1 to 65535"},
	{"mfw -A -m 1 -r 10.0.0.2 -1",
	 "! port \"-1\": neither a number from 1 to 65535 nor a tcp service"},
	{"mfw -A -m 1 -r 10.0.0.2 80 -p -1",
	 "! pref \"-1\": give a whole number from 0 to 2147483647"},
	{"mfw -A -m 1 -r 10.0.0.2 80 -p 2147483648",
	 "! pref \"2147483648\": give a whole number from 0 to 2147483647"},
	{"mfw -A -m 1 -r 0.0.0.0 80", "! -r 0.0.0.0 is no host to forward to"},
	{"mfw -I -m 1 -r 0.0.0.0", "! -r 0.0.0.0 is no host to forward to"},
	{"mfw -A -m 1 -r 10.0.0.2:80",
	 "! 10.0.0.2:80: address and port are two words, 10.0.0.2 80"},
	{"mfw -A -m 1 -r 10.0.0.0/24",
	 "! 10.0.0.0/24: a single address is meant, without a netmask: 10.0.0.0"},
	{"mfw -A -m 1", "! -A needs -r RADDR [RPORT]"},
	{"mfw -I -r 10.0.0.2", "! -I needs -m MARK"},
	{"mfw -E", "! -E needs -m MARK"},
	{"mfw -A -m 1 -r -p 5", "! -r takes RADDR [RPORT]: RADDR is missing"},
	{"mfw -A -m", "! -m takes MARK: MARK is missing"},
	{"mfw -F -m 1", "! -m does not go with -F"},
	{"mfw -L -m 1", "! -m does not go with -L"},
	{"mfw -E -S -m 1", "! -E and -S are two commands: give one of them"},
	{"mfw -A -m 1 -m 2 -r 10.0.0.2", "! -m is given twice"},
	{"mfw -A -m 1 -r 10.0.0.2 -r 10.0.0.3", "! -r is given twice"},
	{"mfw -A -m 1 -r 10.0.0.2 80 81", "! \"81\" belongs to no option"},
	{"mfw -a -m 1 -r 10.0.0.2", "! no option -a; \"ipmasqadm mfw --help\" shows what there is"},
	{"mfw -m 1 -r 10.0.1.5",
	 "! no command; to append a host: ipmasqadm mfw -A -m 1 -r 10.0.1.5; to insert it before "
	 "the others: ipmasqadm mfw -I -m 1 -r 10.0.1.5"},

	/* autofw */
	{"autofw -A -r udp 6970 7170 -c tcp 7070", "ADD 1 17 6970-7170 0 0 0.0.0.0 6 7070 6"},
	{"autofw -c tcp 7070 -r udp 6970 7170 -A", "ADD 1 17 6970-7170 0 0 0.0.0.0 6 7070 6"},
	{"autofw -A -rudp 6970 7170 -ctcp 7070 -ui", "ADD 1 17 6970-7170 0 0 0.0.0.0 6 7070 0"},
	{"autofw -Ai -r udp 1 65535 -c udp 1", "ADD 1 17 1-65535 0 0 0.0.0.0 17 1 2"},
	{"autofw -Au -r udp 5 5 -c udp 1", "ADD 1 17 5-5 0 0 0.0.0.0 17 1 4"},
	{"autofw -A -r tcp 1 2 -h 10.0.0.2", "ADD 1 6 1-2 0 0 10.0.0.2 0 0 2"},
	{"autofw -h 10.0.0.2 -A -r tcp 1 2", "ADD 1 6 1-2 0 0 10.0.0.2 0 0 2"},
	{"autofw -Ah10.0.0.2 -r tcp 1 2 -iv", "ADD 1 6 1-2 0 0 10.0.0.2 0 0 2 v"},
	{"autofw -D -r tcp 1 2 -h 10.0.0.2 -n", "DEL 1 6 1-2 0 0 10.0.0.2 0 0 2 n"},
	{"autofw -q -r tcp 1 2 -h 10.0.0.2", "query DEL 1 6 1-2 0 0 10.0.0.2 0 0 2"},
	{"autofw -A -p tcp 8080 10.0.0.2:80", "ADD 2 6 0-0 8080 80 10.0.0.2 0 0 2"},
	{"autofw -A -p tcp 8080 10.0.0.2:80 -h 10.0.0.3", "ADD 2 6 0-0 8080 80 10.0.0.3 0 0 2"},
	{"autofw -A -p tcp 65535 10.0.0.2:1 -c udp 177 -u",
	 "ADD 2 6 0-0 65535 1 10.0.0.2 17 177 4"},
	{"autofw -A -d udp 1024 2048", "ADD 3 17 1024-2048 0 0 0.0.0.0 0 0 2"},
	{"autofw -A -d udp 1024 2048 --dry-run", "ADD 3 17 1024-2048 0 0 0.0.0.0 0 0 2 dry"},
	{"autofw -F", "FLUSH 0 0 0-0 0 0 0.0.0.0 0 0 0"},
	{"autofw -F -v", "FLUSH 0 0 0-0 0 0 0.0.0.0 0 0 0 v"},
	{"autofw -L", "list"},
	{"autofw -Lnjv", "list n v j"},
	{"autofw -h", "help"},
	{"autofw --help", "help"},
	{"autofw -A --help", "help"},
	{"autofw -A -h", "! -h takes HOST: HOST is missing"},
	{"autofw -A -r udp 7170 6970 -h 10.0.0.2",
	 "! ports 7170 to 6970: the lower one comes first"},
	{"autofw -A -d udp 2 1", "! ports 2 to 1: the lower one comes first"},
	{"autofw -A -r udp 0 1 -h 10.0.0.2", "! port \"0\": give one from 1 to 65535"},
	{"autofw -A -r udp 1 65536 -h 10.0.0.2", "! port \"65536\": give one from 1 to 65535"},
	{"autofw -A -r udp 1 -h 10.0.0.2", "! -r takes PROTO LOW HIGH: HIGH is missing"},
	{"autofw -A -r udp", "! -r takes PROTO LOW HIGH: LOW is missing"},
	{"autofw -A -r", "! -r takes PROTO LOW HIGH: PROTO is missing"},
	{"autofw -A -r upd 1 2 -h 10.0.0.2", "! protocol \"upd\": did you mean udp?"},
	{"autofw -A -r udp 1 2 3 -h 10.0.0.2", "! \"3\" belongs to no option"},
	{"autofw -A -r udp 1 2", "! -r needs -h HOST or -c PROTO PORT: where shall it go?"},
	{"autofw -D -r udp 1 2", "! -r needs -h HOST or -c PROTO PORT: where shall it go?"},
	{"autofw -A -r udp 1 2 -h 10.0.0.2 -c tcp 7070",
	 "! -h and -c exclude each other: one host, or whoever asked for it"},
	{"autofw -A -p udp 1 10.0.0.2:2 -h 10.0.0.2 -c tcp 7070",
	 "! -h and -c exclude each other: one host, or whoever asked for it"},
	{"autofw -A -r udp 1 2 -d udp 1 2", "! -r and -d exclude each other"},
	{"autofw -A -p udp 1 10.0.0.2:2 -d udp 1 2", "! -p and -d exclude each other"},
	{"autofw -A -r udp 1 2 -p udp 1 10.0.0.2:2 -h 10.0.0.2", "! -r and -p exclude each other"},
	{"autofw -A",
	 "! -A needs -r PROTO LOW HIGH or -p PROTO VISIBLE HOST:HIDDEN or -d PROTO LOW HIGH"},
	{"autofw -A -h 10.0.0.2",
	 "! -A needs -r PROTO LOW HIGH or -p PROTO VISIBLE HOST:HIDDEN or -d PROTO LOW HIGH"},
	{"autofw -A -p tcp 8080", "! -p takes PROTO VISIBLE HOST:HIDDEN: HOST:HIDDEN is missing"},
	{"autofw -A -p tcp 8080 10.0.0.2",
	 "! \"10.0.0.2\": HOST:HIDDEN is one word, as in 192.168.1.2:80"},
	{"autofw -A -p tcp 8080 10.0.0.2:",
	 "! \"10.0.0.2:\": HOST:HIDDEN is one word, as in 192.168.1.2:80"},
	{"autofw -A -p tcp 8080 :80", "! \":80\": HOST:HIDDEN is one word, as in 192.168.1.2:80"},
	{"autofw -A -p tcp 8080 10.0.0.2:0", "! port \"0\": give one from 1 to 65535"},
	{"autofw -A -p tcp 8080 10.0.0.2:65536", "! port \"65536\": give one from 1 to 65535"},
	{"autofw -A -p tcp 0 10.0.0.2:80", "! port \"0\": give one from 1 to 65535"},
	{"autofw -A -p tcp 8080 0.0.0.0:80", "! 0.0.0.0 is no host to forward to"},
	{"autofw -A -p tcp 8080 1.2.3:80",
	 "! \"1.2.3\" is no address: give four numbers from 0 to 255 with dots"},
	{"autofw -n -A -p tcp 8080 web:80", "! host web: -n allows no look-ups, give its address"},
	{"autofw -A -r tcp 1 2 -h 0.0.0.0", "! 0.0.0.0 is no host to forward to"},
	{"autofw -A -r tcp 1 2 -c tcp", "! -c takes PROTO PORT: PORT is missing"},
	{"autofw -A -r tcp 1 2 -c tcp 0", "! port \"0\": give one from 1 to 65535"},
	{"autofw -A -r tcp 1 2 -c 7070 tcp",
	 "! protocol \"7070\": give tcp or udp, nothing else is forwarded"},
	{"autofw -F -r tcp 1 2", "! -r does not go with -F"},
	{"autofw -L -u", "! -u does not go with -L"},
	{"autofw -A -uu -d tcp 1 2", "! -u is given twice"},
	{"autofw -A -D -d tcp 1 2", "! -A and -D are two commands: give one of them"},
	{"autofw -r tcp 1 2 -h 10.0.0.2", "! no command; give one of -A, -D, -q, -F, -L"},
	{"autofw -x", "! no option -x; \"ipmasqadm autofw --help\" shows what there is"},
};

static const struct args_case name_cases[] = {
	{"portfw -a -L 10.0.0.1 domain -R 10.0.0.2 tftp -P udp",
	 "ADD 17 10.0.0.1 53 10.0.0.2 69 10"},
	{"portfw -a -L 10.0.0.1 domain -R 10.0.0.2 tftp -P tcp",
	 "! port \"tftp\": neither a number from 1 to 65535 nor a tcp service"},
	{"mfw -A -m 1 -r 10.0.0.2 domain", "ADD 1 10.0.0.2 53 10 0"},
	{"autofw -A -r udp tftp 7170 -c tcp domain", "ADD 1 17 69-7170 0 0 0.0.0.0 6 53 6"},
	{"autofw -A -p udp tftp 10.0.0.2:domain", "ADD 2 17 0-0 69 53 10.0.0.2 0 0 2"},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *address(uint32_t addr)
{
	static char buf[2][INET_ADDRSTRLEN];
	static int turn;

	turn = !turn;
	return inet_ntop(AF_INET, &addr, buf[turn], sizeof(*buf));
}

static int split(char *line, char *argv[16])
{
	int argc = 0;

	for (char *word = strtok(line, " "); word && argc < 15; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "''") ? word : word + 2;
	argv[argc] = NULL;
	return argc;
}

static size_t show_message(char *out, size_t size, const struct ip_masq_ctl *ctl)
{
	static const char *const commands[] = {"NONE", "INSERT", "ADD",  "SET",
					       "DEL",  "GET",    "FLUSH"};
	const struct ip_portfw_edits *p = &ctl->u.portfw_user;
	const struct ip_mfw_user *m = &ctl->u.mfw_user;
	const struct ip_autofw_user *a = &ctl->u.autofw_user;
	const char *command = commands[ctl->m_cmd];

	if (!strcmp(ctl->m_tname, "portfw"))
		return (size_t)snprintf(out, size, "%s %u %s %u %s %u %d", command, p->protocol,
					address(p->laddr), ntohs(p->lport), address(p->raddr),
					ntohs(p->rport), p->pref);
	if (!strcmp(ctl->m_tname, "mfw"))
		return (size_t)snprintf(out, size, "%s %u %s %u %d %u", command, m->fwmark,
					address(m->raddr), ntohs(m->rport), m->pref, m->flags);
	return (size_t)snprintf(out, size, "%s %u %u %u-%u %u %u %s %u %u %u", command, a->type,
				a->protocol, a->low, a->high, a->visible, a->hidden,
				address(a->where), a->ctlproto, a->ctlport, a->flags);
}

static const char *show(char *out, size_t size, int result, const struct request *req)
{
	size_t used = 0;

	if (result) {
		snprintf(out, size, "! %s", req->error);
		return out;
	}
	*out = '\0';
	if (req->action == ACT_HELP || req->action == ACT_LIST)
		used = (size_t)snprintf(out, size, req->action == ACT_HELP ? "help" : "list");
	if (req->action == ACT_QUERY)
		used = (size_t)snprintf(out, size, "query ");
	if (req->action == ACT_QUERY || req->action == ACT_CTL)
		used += show_message(out + used, size - used, &req->ctl);
	snprintf(out + used, size - used, "%s%s%s%s", req->numeric ? " n" : "",
		 req->verbose ? " v" : "", req->json ? " j" : "", req->dry_run ? " dry" : "");
	return out;
}

static int parse(struct request *req, int argc, char *argv[])
{
	if (!strcmp(argv[0], "portfw"))
		return portfw_parse(req, argc, argv);
	return !strcmp(argv[0], "mfw") ? mfw_parse(req, argc, argv) : autofw_parse(req, argc, argv);
}

static void run(const struct args_case *c)
{
	char line[256], copy[256], result[640], *argv[16], *before[16];
	struct request req;
	int argc;

	snprintf(line, sizeof(line), "%s", c->line);
	argc = split(line, argv);
	memcpy(copy, line, sizeof(copy));
	memcpy(before, argv, sizeof(before));
	memset(&req, 0xa5, sizeof(req));
	is_str(show(result, sizeof(result), parse(&req, argc, argv), &req), c->result, "%s",
	       c->line);
	if (memcmp(before, argv, (size_t)(argc + 1) * sizeof(*argv)) ||
	    memcmp(copy, line, strlen(c->line)))
		ok(false, "argv is as it was");
}

/* Nothing of one command line is left in the next: restore reads thousands. */
static void again(void)
{
	char line[256], result[640], *argv[16];
	struct request req;
	size_t different = 0;

	for (size_t i = 0; i < 20 * COUNT(cases); i++) {
		const struct args_case *c = &cases[i * 7919 % COUNT(cases)];
		int argc;

		snprintf(line, sizeof(line), "%s", c->line);
		argc = split(line, argv);
		different += strcmp(show(result, sizeof(result), parse(&req, argc, argv), &req),
				    c->result) != 0;
	}
	is_int((long long)different, 0, "the same again, in another order");
}

/* Words longer than every buffer. */
static void long_words(void)
{
	static char word[100000], endpoint[100000];
	static const char *const lines[] = {
		"portfw -P @",
		"portfw -d -P tcp -L @ 80",
		"portfw -d -P tcp -L 10.0.0.1 @",
		"portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80 -p @",
		"portfw @",
		"portfw --@",
		"portfw -A -t @",
		"mfw -m @",
		"mfw -A -m @ -r 10.0.0.1",
		"autofw -A -p tcp 80 @",
		"portfw -d -P @ -L 10.0.0.1 80",
	};

	memset(word, 'a', sizeof(word) - 1);
	memset(endpoint, '1', sizeof(endpoint) - 1);
	endpoint[50000] = ':';
	for (size_t i = 0; i < 2 * COUNT(lines); i++) {
		char line[256], *argv[16];
		struct request req;
		int argc;

		snprintf(line, sizeof(line), "%s", lines[i / 2]);
		argc = split(line, argv);
		for (int j = 1; j < argc; j++)
			if (strchr(argv[j], '@'))
				argv[j] = i % 2 ? endpoint : word;
		ok(parse(&req, argc, argv) == 2 && strlen(req.error) < sizeof(req.error) &&
			   *req.error,
		   "%s with a word of 100000 characters", lines[i / 2]);
	}
}

int main(void)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		run(&cases[i]);
	if (getservbyname("tftp", "udp") && getservbyname("domain", "tcp"))
		for (size_t i = 0; i < COUNT(name_cases); i++)
			run(&name_cases[i]);
	else
		ok(true, "service names # SKIP no /etc/services");
	again();
	long_words();
	return done_testing();
}
