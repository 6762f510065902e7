// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Command lines and what becomes of them: one line, one case. Words are split
 * at blanks; '' is an empty one. The result is the command, then the flags; or
 * "! " and the error. What is not given is "-".
 *
 *	portfw	VERB PROTOCOL LADDR LPORT[-LPORT] RADDR RPORT[-RPORT] PREF [HELPER]
 *	mfw	VERB MARK RADDR RPORT PREF
 *	autofw	VERB FORM PROTOCOL FIRST-LAST HOST PORT CTLPROTO CTLPORT FLAGS
 */
#include <errno.h>
#include <netdb.h>

#include "request.h"
#include "tap.h"

struct args_case {
	const char *line, *result;
};

static const struct args_case cases[] = {
	/* every order, cluster and glue of 1998 */
	{"portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 8080", "ADD 6 10.0.0.1 80 10.0.0.2 8080 -"},
	{"portfw -R 10.0.0.2 8080 -L 10.0.0.1 80 -P udp -a", "ADD 17 10.0.0.1 80 10.0.0.2 8080 -"},
	{"portfw -p 7 -a -Ptcp -L10.0.0.1 80 -R10.0.0.2 8080", "ADD 6 10.0.0.1 80 10.0.0.2 8080 7"},
	{"portfw -aL 10.0.0.1 80 -R 10.0.0.2 80 -P u", "ADD 17 10.0.0.1 80 10.0.0.2 80 -"},
	{"portfw -naL10.0.0.1 80 -R 10.0.0.2 80 -PT", "ADD 6 10.0.0.1 80 10.0.0.2 80 - n"},
	{"portfw -anPtcp -L 10.0.0.1 80 -R 10.0.0.2 80", "ADD 6 10.0.0.1 80 10.0.0.2 80 - n"},
	{"portfw -a -P 6 -L 10.0.0.1 80 -R 10.0.0.2 80 -p010", "ADD 6 10.0.0.1 80 10.0.0.2 80 10"},
	{"portfw -a -P 17 -L 10.0.0.1 80 -R 10.0.0.2 80 -p5", "ADD 17 10.0.0.1 80 10.0.0.2 80 5"},
	{"portfw -d -P tcp -L 10.0.0.1 80", "DEL 6 10.0.0.1 80 - - -"},
	{"portfw -d -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80 -p 3", "DEL 6 10.0.0.1 80 10.0.0.2 80 3"},
	{"portfw -d -P tcp -L 0.0.0.0 80 -R 0.0.0.0 80", "DEL 6 0.0.0.0 80 - 80 -"},
	{"portfw -q -P tcp -L 10.0.0.1 80", "query DEL 6 10.0.0.1 80 - - -"},
	{"portfw -nq -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "query DEL 6 10.0.0.1 80 10.0.0.2 80 - n"},
	{"portfw -f", "FLUSH"},
	{"portfw -fn", "FLUSH n"},
	{"portfw -f --dry-run", "FLUSH dry"},
	{"portfw -f --cut", "FLUSH cut"},
	{"portfw --cut -d -P tcp -L 10.0.0.1 80 --cut", "DEL 6 10.0.0.1 80 - - - cut"},
	{"portfw -a -P udp -L 10.0.0.1 80 -R 10.0.0.2 80 --cut --dry-run",
	 "ADD 17 10.0.0.1 80 10.0.0.2 80 - dry cut"},
	{"portfw -a -P tcp -L 10.0.0.1 21 -R 10.0.0.2 21 -H ftp",
	 "ADD 6 10.0.0.1 21 10.0.0.2 21 - ftp"},
	{"portfw -a -P tcp -L 10.0.0.1 21 -H irc -Hftp", "ADD 6 10.0.0.1 21 - - - ftp"},
	{"portfw -d -P tcp,udp -L 10.0.0.1 5060 -H sip", "DEL 255 10.0.0.1 5060 - - - sip"},
	{"portfw -q -P udp -L 10.0.0.1 69 -H tftp", "query DEL 17 10.0.0.1 69 - - - tftp"},
	{"portfw -a -P tcp -L 10.0.0.1 1 -H", "! -H takes HELPER: HELPER is missing"},
	{"portfw -a -P tcp -L 10.0.0.1 1 -H FTP",
	 "! helper \"FTP\": give one of ftp, tftp, irc, sip, pptp, h323"},
	{"portfw -a -P tcp -L 10.0.0.1 1 -H ''",
	 "! helper \"\": give one of ftp, tftp, irc, sip, pptp, h323"},
	{"portfw -a -P tcp -L 10.0.0.1 1 -H ftpftpftpftpftpftpftpftpftpftpftpftpftp",
	 "! helper \"ftpftpftpftpftpftpftpftpftpftpft\": give one of ftp, tftp, irc, sip, pptp, "
	 "h323"},
	{"portfw -a -P udp -L 10.0.0.1 1 -H ftp",
	 "! helper ftp is for tcp; those for udp are tftp, sip, h323"},
	{"portfw -a -P udp -L 10.0.0.1 1 -H irc",
	 "! helper irc is for tcp; those for udp are tftp, sip, h323"},
	{"portfw -a -P udp -L 10.0.0.1 1 -H pptp",
	 "! helper pptp is for tcp; those for udp are tftp, sip, h323"},
	{"portfw -a -P tcp -L 10.0.0.1 1 -H tftp",
	 "! helper tftp is for udp; those for tcp are ftp, irc, sip, pptp, h323"},
	{"portfw -a -P tcp,udp -L 10.0.0.1 1 -H tftp",
	 "! helper tftp is for udp; those for tcp,udp are sip, h323"},
	{"portfw -a -P tcp,udp -L 10.0.0.1 1 -H h323", "ADD 255 10.0.0.1 1 - - - h323"},
	{"portfw -f -H sip", "FLUSH"},
	{"portfw -l -H sip", "! -H does not go with -l"},
	{"portfw -l", "list"},
	{"portfw -nl", "list n"},
	{"portfw -lnvj", "list n v j"},
	{"portfw -v -l --json", "list v j"},
	{"portfw --dry-run -a -P tcp -L 10.0.0.1 1 -R 10.0.0.2 65535",
	 "ADD 6 10.0.0.1 1 10.0.0.2 65535 - dry"},
	{"portfw -h", "help"},
	{"portfw --help", "help"},
	{"portfw -a -h", "help"},
	{"portfw -lh", "help"},
	{"portfw -L 10.0.0.1 80 -h", "help"},
	{"portfw --help --nonsense", "help"},
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
	 "! ports \"-1\": a range is two ports from 1 to 65535, such as 8000-8100"},
	{"portfw -a -P udp -L 10.0.0.1 80x -R 10.0.0.2 80",
	 "! port \"80x\": neither a number from 1 to 65535 nor a udp service"},
	{"portfw -n -a -P udp -L 10.0.0.1 domain -R 10.0.0.2 80",
	 "! port \"domain\": -n allows no look-ups, give a number from 1 to 65535"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p 2147483647",
	 "ADD 17 10.0.0.1 80 10.0.0.2 80 2147483647"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p 2147483648",
	 "! pref \"2147483648\": give a whole number from 0 to 2147483647"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p 0", "ADD 17 10.0.0.1 80 10.0.0.2 80 0"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p -1",
	 "! pref \"-1\": give a whole number from 0 to 2147483647"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p 1.5",
	 "! pref \"1.5\": give a whole number from 0 to 2147483647"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80 -P udp -p ''",
	 "! pref \"\": give a whole number from 0 to 2147483647"},
	{"portfw -a -P upd -L 10.0.0.1 80 -R 10.0.0.2 80", "! protocol \"upd\": did you mean udp?"},
	{"portfw -a -P TPC -L 10.0.0.1 80 -R 10.0.0.2 80", "! protocol \"TPC\": did you mean tcp?"},
	{"portfw -a -P tcpp -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"tcpp\": did you mean tcp?"},
	{"portfw -a -P icmp -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"icmp\": give tcp or udp, nothing else is forwarded"},
	{"portfw -a -P 1 -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"1\": give tcp or udp, nothing else is forwarded"},
	{"portfw -a -P tcp,udp -L 10.0.0.1 80 -R 10.0.0.2 81", "ADD 255 10.0.0.1 80 10.0.0.2 81 -"},
	{"portfw -q -PUDP,t -L 10.0.0.1 80", "query DEL 255 10.0.0.1 80 - - -"},
	{"portfw -d -P 6,17 -L 10.0.0.1 80", "DEL 255 10.0.0.1 80 - - -"},
	{"portfw -a -P tcp, -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"tcp,\": both together are tcp,udp"},
	{"portfw -a -P , -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \",\": both together are tcp,udp"},
	{"portfw -a -P tcp,tcp -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"tcp,tcp\": both together are tcp,udp"},
	{"portfw -a -P tcp,udp,tcp -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"tcp,udp,tcp\": both together are tcp,udp"},
	{"portfw -a -P tcptcptcp,udp -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"tcptcptcp,udp\": both together are tcp,udp"},
	{"portfw -a -P 255 -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"255\": give tcp or udp, nothing else is forwarded"},
	{"portfw -a -P tcp,udp -L 10.0.0.1 80x -R 10.0.0.2 80",
	 "! port \"80x\": neither a number from 1 to 65535 nor a service of tcp or udp"},
	{"autofw -A -r tcp,udp 1 2 -h 10.0.0.2",
	 "! protocol \"tcp,udp\": give tcp or udp, nothing else is forwarded"},
	{"portfw -a -P '' -L 10.0.0.1 80 -R 10.0.0.2 80",
	 "! protocol \"\": give tcp or udp, nothing else is forwarded"},
	{"portfw -a -P tcp -L 10.0.0.256 80 -R 10.0.0.2 80",
	 "! \"10.0.0.256\" is no address: give four numbers from 0 to 255 with dots"},
	{"portfw -a -P tcp -L 10.0.1 80 -R 10.0.0.2 80",
	 "! \"10.0.1\" is no address: give four numbers from 0 to 255 with dots"},
	{"portfw -a -P tcp -L '' 80 -R 10.0.0.2 80",
	 "! \"\" is no address: give four numbers from 0 to 255 with dots"},
	{"portfw -a -P tcp -L @ 80 -R 10.0.0.2 80",
	 "! \"@\": the name of an interface is missing, as in @ppp0"},
	{"portfw -a -P tcp -L @abcdefghijklmnop 80 -R 10.0.0.2 80",
	 "! @abcdefghijklmnop: the name of an interface has at most 15 characters"},
	{"portfw -a -P tcp -L @a/b 80 -R 10.0.0.2 80",
	 "! @a/b: forwards can be on interfaces whose names have letters, digits, '.', '_' and "
	 "'-' alone"},
	{"portfw -a -P tcp -L @.. 80 -R 10.0.0.2 80",
	 "! @..: forwards can be on interfaces whose names have letters, digits, '.', '_' and "
	 "'-' alone"},
	{"portfw -a -P tcp -L ppp0 80 -R 10.0.0.2 80 -n",
	 "! host ppp0: -n allows no look-ups, give its address, or for an interface write @ppp0"},
	{"portfw -a -P tcp -L @198.51.100.1 80 -R 10.0.0.2 80",
	 "! @198.51.100.1: an address stands without @"},
	{"portfw -a -P tcp -L @2001:db8::1 80 -R fd00::2 80",
	 "! @2001:db8::1: an address stands without @"},
	{"portfw -a -P tcp -L @eth0:1 80 -R 10.0.0.2 80",
	 "! @eth0:1: interface and port are two words, @eth0 1, and instead of the label of an "
	 "address give that address"},
	{"portfw -a -P tcp -L 10.0.0.1 80 -R @ppp0 80 -n",
	 "! @ppp0: an interface is no host: give a host's address"},
	{"mfw -A -m 1 -r @ppp0 80", "! @ppp0: an interface is no host: give a host's address"},
	{"portfw -a -P tcp -L 10.0.0.1 80 -R web 80 -n",
	 "! host web: -n allows no look-ups, give its address"},
	{"portfw -a -P tcp -L 10.0.0.1 80 -R we;b 80", "! host we;b: Name or service not known"},
	{"portfw -a -P tcp -L 10.0.0.0/24 80 -R 10.0.0.2 80",
	 "! 10.0.0.0/24: a single address is meant, without a netmask: 10.0.0.0"},
	{"portfw -a -P tcp -L 10.0.0.0/255.255.255.0 80 -R 10.0.0.2 80",
	 "! 10.0.0.0/255.255.255.0: a single address is meant, without a netmask: 10.0.0.0"},

	/* portfw: ranges */
	{"portfw -a -P tcp -L 10.0.0.1 8000-8100 -R 10.0.0.2 9000-9100",
	 "ADD 6 10.0.0.1 8000-8100 10.0.0.2 9000-9100 -"},
	{"portfw -a -P tcp,udp -L10.0.0.1 1-65535 -R 10.0.0.2 1-65535 -n -p 0",
	 "ADD 255 10.0.0.1 1-65535 10.0.0.2 1-65535 0 n"},
	{"portfw -a -P tcp -L 10.0.0.1 80-80 -R 10.0.0.2 8080",
	 "ADD 6 10.0.0.1 80 10.0.0.2 8080 -"},
	{"portfw -a -P tcp -L 10.0.0.1 0080-081 -R 10.0.0.2 65534-65535",
	 "ADD 6 10.0.0.1 80-81 10.0.0.2 65534-65535 -"},
	{"portfw -d -P tcp -L 10.0.0.1 80-90", "DEL 6 10.0.0.1 80-90 - - -"},
	{"portfw -q -P tcp -L 0.0.0.0 80-90 -R 0.0.0.0 180-190",
	 "query DEL 6 0.0.0.0 80-90 - 180-190 -"},
	{"portfw -a -P tcp -L 10.0.0.1 8000-8100 -R 10.0.0.2 9000",
	 "! port 9000 for the ports 8000-8100: give as many, 9000-9100"},
	{"portfw -d -P tcp -L 10.0.0.1 8000-8100 -R 10.0.0.2 9000",
	 "! port 9000 for the ports 8000-8100: give as many, 9000-9100"},
	{"portfw -a -P tcp -L 10.0.0.1 8000-8100 -R 10.0.0.2 65500",
	 "! port 65500 for the ports 8000-8100: so many end beyond 65535, begin at 65435 or below"},
	{"portfw -a -P tcp -L 10.0.0.1 8000-8100 -R 10.0.0.2 65435",
	 "! port 65435 for the ports 8000-8100: give as many, 65435-65535"},
	{"portfw -a -P tcp -L 10.0.0.1 8000-8100 -R 10.0.0.2 9000-9099",
	 "! ports 9000-9099 for the ports 8000-8100: give as many, 9000-9100"},
	{"portfw -a -P tcp -L 10.0.0.1 8000 -R 10.0.0.2 9000-9099",
	 "! ports 9000-9099 for port 8000: give as many, 9000"},
	{"portfw -a -P tcp -L 10.0.0.1 8100-8000 -R 10.0.0.2 9000-9100",
	 "! ports \"8100-8000\": the lower one comes first: 8000-8100"},
	{"portfw -a -P tcp -L 10.0.0.1 8000-8100 -R 10.0.0.2 9100-9000",
	 "! ports \"9100-9000\": the lower one comes first: 9000-9100"},
	{"portfw -d -P tcp -L 10.0.0.1 65000-65536",
	 "! ports \"65000-65536\": a range is two ports from 1 to 65535, such as 8000-8100"},
	{"portfw -d -P tcp -L 10.0.0.1 0-9",
	 "! ports \"0-9\": a range is two ports from 1 to 65535, such as 8000-8100"},
	{"portfw -d -P tcp -L 10.0.0.1 80-",
	 "! ports \"80-\": a range is two ports from 1 to 65535, such as 8000-8100"},
	{"portfw -d -P tcp -L 10.0.0.1 -80",
	 "! ports \"-80\": a range is two ports from 1 to 65535, such as 8000-8100"},
	{"portfw -n -d -P tcp -L 10.0.0.1 80--90",
	 "! ports \"80--90\": a range is two ports from 1 to 65535, such as 8000-8100"},
	{"portfw -d -P tcp -L 10.0.0.1 80-90-100",
	 "! ports \"80-90-100\": a range is two ports from 1 to 65535, such as 8000-8100"},
	{"portfw -d -P tcp -L 10.0.0.1 4294967376-4294967377",
	 "! ports \"4294967376-4294967377\": a range is two ports from 1 to 65535, such as "
	 "8000-8100"},
	{"portfw -d -P tcp -L 10.0.0.1 00000000000000000080-90",
	 "! ports \"00000000000000000080-90\": a range is two ports from 1 to 65535, such as "
	 "8000-8100"},
	{"portfw -d -P tcp -L 10.0.0.1 80-x",
	 "! port \"80-x\": neither a tcp service nor a range of two ports from 1 to 65535, such as "
	 "8000-8100"},
	{"portfw -d -n -P tcp -L 10.0.0.1 80-x",
	 "! port \"80-x\": -n allows no look-ups, give a number from 1 to 65535"},
	{"portfw -d -P tcp -L 10.0.0.1 80 - 90", "! unexpected argument \"-\""},
	{"portfw -d -P tcp -L 10.0.0.1:80-90", "! -L takes LADDR LPORT: LPORT is missing"},
	/* ... are portfw's alone, where ports are words */
	{"mfw -A -m 1 -r 10.0.0.2 80-90",
	 "! port \"80-90\": neither a number from 1 to 65535 nor a tcp service"},
	{"autofw -A -p tcp 80-90 10.0.0.2:80",
	 "! port \"80-90\": neither a number from 1 to 65535 nor a tcp service"},

	/* portfw: what belongs together */
	{"portfw -a -P tcp -L 10.0.0.1 80", "ADD 6 10.0.0.1 80 - - -"},
	{"portfw -a -L 10.0.0.1 80 -R 10.0.0.2 80", "! -a needs -P PROTO"},
	{"portfw -d -P tcp", "! -d needs -L LADDR LPORT"},
	{"portfw -q", "! -q needs -P PROTO"},
	{"portfw -f -P tcp", "FLUSH"},
	{"portfw -l -p 10", "! -p does not go with -l"},
	{"portfw -l --dry-run", "! --dry-run does not go with -l"},
	{"portfw -fj", "! --json does not go with -f"},
	{"portfw -l --cut", "! --cut does not go with -l"},
	{"portfw -q -P tcp -L 10.0.0.1 80 --cut", "! --cut does not go with -q"},
	{"portfw -+", "! unknown option -+ (see \"ipmasqadm portfw --help\")"},
	{"mfw -F --cut", "! unknown option --cut (see \"ipmasqadm mfw --help\")"},
	{"autofw -F --cut", "! unknown option --cut (see \"ipmasqadm autofw --help\")"},
	{"portfw -fv", "! -v does not go with -f"},
	{"portfw -q -P tcp -L 10.0.0.1 80 --dry-run", "! --dry-run does not go with -q"},
	{"portfw -a -d -P tcp -L 10.0.0.1 80", "! -a and -d are mutually exclusive"},
	{"portfw -ll", "list"},
	{"portfw -l -n -n", "list n"},
	{"portfw -l --json --json", "list j"},
	{"portfw -l -j --json", "list j"},
	{"portfw -d -P tcp -P udp -L 10.0.0.1 80", "DEL 17 10.0.0.1 80 - - -"},
	{"portfw -d -P tcp -L 10.0.0.1 80 -L 10.0.0.1 81", "DEL 6 10.0.0.1 81 - - -"},
	{"portfw -n", "! no command; give one of -a, -d, -q, -f, -l"},
	{"portfw -d -L 10.0.0.1 -P tcp", "! -L takes LADDR LPORT: LPORT is missing"},
	{"portfw -d -P tcp -L", "! -L takes LADDR LPORT: LADDR is missing"},
	{"portfw -d -P -L 10.0.0.1 80", "! -P takes PROTO: PROTO is missing"},
	{"portfw -d -P tcp -L 10.0.0.1 80 90", "! unexpected argument \"90\""},
	{"portfw l", "! unexpected argument \"l\""},
	{"portfw -l ''", "! unexpected argument \"\""},
	{"portfw -l -", "! unexpected argument \"-\""},
	{"portfw -l --", "! unknown option -- (see \"ipmasqadm portfw --help\")"},
	{"portfw -lx", "! unknown option -x (see \"ipmasqadm portfw --help\")"},
	{"portfw -l -5", "! unknown option -5 (see \"ipmasqadm portfw --help\")"},
	{"portfw --list", "! unknown option --list (see \"ipmasqadm portfw --help\")"},
	{"portfw --jso", "! unknown option --jso (see \"ipmasqadm portfw --help\")"},

	/* what 0.4.2 accepted: the last value counts, a flag may be repeated, a
	 * flush has no use for operands */
	{"portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80 -p 3 -p 4",
	 "ADD 6 10.0.0.1 80 10.0.0.2 80 4"},
	{"portfw -a -p 4 -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80 -p3",
	 "ADD 6 10.0.0.1 80 10.0.0.2 80 3"},
	{"portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80 -R 10.0.0.3 81",
	 "ADD 6 10.0.0.1 80 10.0.0.3 81 -"},
	{"portfw -aa -P tcp -L 10.0.0.1 80 -n -a -R 10.0.0.2 80 -n",
	 "ADD 6 10.0.0.1 80 10.0.0.2 80 - n"},
	{"portfw -lnn", "list n"},
	{"portfw -lvv -v -jj", "list v j"},
	{"portfw -f -P tcp -L 10.0.0.1 80 -R 10.0.0.2 80 -p 3", "FLUSH"},
	{"portfw -f -P nonsense -L 300.0.0.1 x", "FLUSH"},
	{"portfw -f -L 10.0.0.1", "! -L takes LADDR LPORT: LPORT is missing"},
	{"portfw -f -f --dry-run --dry-run", "FLUSH dry"},
	{"mfw -F -p 0", "FLUSH"},
	{"mfw -F -r 0.0.0.0", "FLUSH"},
	{"mfw -F -nn", "FLUSH n"},
	{"mfw -A -m 1 -r 10.0.0.2 80 -r 10.0.0.3", "ADD 1 10.0.0.3 - -"},
	{"autofw -F -i -u", "FLUSH"},
	{"autofw -A -d tcp 1 2 -d udp 3 4", "ADD direct 17 3-4 - - - - -"},

	/* portfw: a drained target; who gets a notice */
	{"portfw -a -P tcp -L 10.0.0.1 80 -p 0", "ADD 6 10.0.0.1 80 - - 0"},
	{"portfw -a -v -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80", "ADD 6 0.0.0.0 80 10.0.0.2 80 - v"},
	{"portfw -d -v -P tcp -L 0.0.0.0 80", "! -v does not go with -d"},

	/* another family is named, with look-ups and without */
	{"portfw -a -P tcp -L ::1 80 -R 10.0.0.2 80",
	 "! ::1 is IPv6 and 10.0.0.2 is IPv4, and neither is translated to the other: give the "
	 "host's IPv6 address"},
	{"portfw -n -a -P tcp -L ::1 80 -R 10.0.0.2 80",
	 "! ::1 is IPv6 and 10.0.0.2 is IPv4, and neither is translated to the other: give the "
	 "host's IPv6 address"},
	{"portfw -a -P tcp -L 10.0.0.1 80 -R 2001:db8::2 80 -n",
	 "! 10.0.0.1 is IPv4 and 2001:db8::2 is IPv6, and neither is translated to the other: give "
	 "the host's IPv4 address"},
	{"portfw -a -P tcp -L :: 80 -R 10.0.0.2 80",
	 "! :: is IPv6 and 10.0.0.2 is IPv4, and neither is translated to the other: any address "
	 "of this machine is 0.0.0.0"},
	{"portfw -a -P tcp -L 0.0.0.0 80 -R fd00::2 80",
	 "! 0.0.0.0 is IPv4 and fd00::2 is IPv6, and neither is translated to the other: any "
	 "address of this machine is ::"},
	{"portfw -d -P tcp -L 10.0.0.1 80 -R fd00::2 80", "DEL 6 10.0.0.1 80 fd00::2 80 -"},

	/* IPv6 */
	{"portfw -a -P tcp -L 2001:db8::1 80 -R fd00::2 8080",
	 "ADD 6 2001:db8::1 80 fd00::2 8080 -"},
	{"portfw -a -Pudp -L2001:DB8:0::1 80-81 -R fd00:0:0::2 8080-8081 -n",
	 "ADD 17 2001:db8::1 80-81 fd00::2 8080-8081 - n"},
	{"portfw -a -P tcp -L :: 80 -R fd00::2 80", "ADD 6 :: 80 fd00::2 80 -"},
	{"portfw -d -P tcp -L :: 80", "DEL 6 :: 80 - - -"},
	{"portfw -q -P tcp -L 2001:db8::1 80 -R :: 80", "query DEL 6 2001:db8::1 80 - 80 -"},
	{"portfw -d -P tcp -L fe80::1 80", "DEL 6 fe80::1 80 - - -"},
	{"portfw -a -P tcp -L 127.0.0.1 80 -R 10.0.0.2 80", "ADD 6 127.0.0.1 80 10.0.0.2 80 -"},
	{"mfw -A -m 1 -r fd00::2", "ADD 1 fd00::2 - -"},
	{"mfw -I -m 1 -r fd00::2 80 -p 3", "INSERT 1 fd00::2 80 3"},
	{"mfw -D -m 1 -r fd00::2", "DEL 1 fd00::2 - -"},
	{"autofw -A -r tcp 1 2 -h fd00::2", "ADD range 6 1-2 fd00::2 - - - -"},
	{"autofw -A -p tcp 80 [fd00::2]:8080", "ADD port 6 80-80 fd00::2 8080 - - -"},
	{"autofw -A -p tcp 80 [10.0.0.2]:8080", "ADD port 6 80-80 10.0.0.2 8080 - - -"},

	/* what IPv6 cannot be forwarded to, and what is meant otherwise */
	{"portfw -a -P tcp -L 2001:db8::1 80 -R :: 80", "! -R :: is no host to forward to"},
	{"portfw -a -P tcp -L ::1 80 -R fd00::2 80",
	 "! ::1 is the loopback address, and nothing that comes to it is forwarded"},
	{"portfw -a -P tcp -L ff02::1 80 -R fd00::2 80",
	 "! ff02::1 is a multicast address, and nothing that comes to it is forwarded"},
	{"portfw -a -P udp -L ff05::1:3 80 -R fd00::2 80",
	 "! ff05::1:3 is a multicast address, and nothing that comes to it is forwarded"},
	{"portfw -a -P tcp -L fe80::1 80 -R fd00::2 80",
	 "! fe80::1 is a link-local address, which needs a scope, and a forward has none: give a "
	 "global or a unique local address of this machine"},
	{"portfw -a -P tcp -L fe80::1%eth0 80 -R fd00::2 80",
	 "! fe80::1%eth0: a forward has no scope: give a global or a unique local address"},
	{"portfw -a -P tcp -L fe80::1 80 -p 3",
	 "! fe80::1 is a link-local address, which needs a scope, and a forward has none: give a "
	 "global or a unique local address of this machine"},
	{"mfw -A -m 1 -r ::", "! -r :: is no host to forward to"},
	{"autofw -A -r tcp 1 2 -h ::", "! :: is no host to forward to"},
	{"portfw -a -P tcp -L 2001:db8::1 80 -R ::1 80",
	 "! ::1 is the loopback address, no host to forward to"},
	{"mfw -A -m 1 -r ff02::1", "! ff02::1 is a multicast address, no host to forward to"},
	{"mfw -A -m 1 -r fe80::1",
	 "! fe80::1 is a link-local address, which needs a scope, and a forward has none: give a "
	 "global or a unique local address of that host"},
	{"mfw -D -m 1 -r fe80::1", "DEL 1 fe80::1 - -"},
	{"autofw -A -p tcp 80 [fe80::1%eth0]:80",
	 "! fe80::1%eth0: a forward has no scope: give a global or a unique local address"},
	{"mfw -A -m 1 -r ::ffff:10.0.0.2",
	 "! ::ffff:10.0.0.2 is an IPv4 address in IPv6's notation: give 10.0.0.2"},
	{"portfw -a -P tcp -L ::ffff:10.0.0.1 80 -R 10.0.0.2 80",
	 "! ::ffff:10.0.0.1 is an IPv4 address in IPv6's notation: give 10.0.0.1"},
	{"portfw -a -P tcp -L [2001:db8::1]:80 -R fd00::2 80",
	 "! [2001:db8::1]:80: address and port are two words, 2001:db8::1 80"},
	{"portfw -a -P tcp -L 2001:db8::1 80 -R [fd00::2]:8080",
	 "! [fd00::2]:8080: address and port are two words, fd00::2 8080"},
	{"portfw -a -P tcp -L [2001:db8::1]:80 80 -R fd00::2 80",
	 "! [2001:db8::1]:80: address and port are two words, 2001:db8::1 80"},
	{"mfw -A -m 1 -r [fd00::2]", "! [fd00::2]: an address stands without brackets: fd00::2"},
	{"mfw -A -m 1 -r [", "! \"[\" is no address: give four numbers from 0 to 255 with dots"},
	{"mfw -A -m 1 -r fd00::/64",
	 "! fd00::/64: a single address is meant, without a netmask: fd00::"},
	{"mfw -A -m 1 -r fd00::2::3", "! \"fd00::2::3\" is no address: give up to eight "
				      "hexadecimal numbers with colons, such as "
				      "2001:db8::1"},
	{"autofw -A -p tcp 80 fd00::2:8080",
	 "! \"fd00::2:8080\": HOST:HIDDEN is one word, of IPv6 [fd00::2]:8080"},
	{"autofw -A -p tcp 80 [fd00::2]",
	 "! \"[fd00::2]\": HOST:HIDDEN is one word, as in 192.168.1.2:80"},
	{"autofw -A -p tcp 80 [fd00::2]:",
	 "! \"[fd00::2]:\": HOST:HIDDEN is one word, as in 192.168.1.2:80"},
	{"autofw -A -p tcp 80 [fd00::2]:80 -c tcp 21", "ADD port 6 80-80 fd00::2 80 6 21 -"},

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
	{"mfw -A -m 1 -r 10.0.0.2 80", "ADD 1 10.0.0.2 80 -"},
	{"mfw -A -m1 -r10.0.0.2", "ADD 1 10.0.0.2 - -"},
	{"mfw -r 10.0.0.2 -p 5 -m 0xff -I", "INSERT 255 10.0.0.2 - 5"},
	{"mfw -r 10.0.0.2 -nIm 4294967295 -p0", "INSERT 4294967295 10.0.0.2 - 0 n"},
	{"mfw -D -m 1", "DEL 1 - - -"},
	{"mfw -D -m 1 -r 10.0.0.2 65535 -p 3", "DEL 1 10.0.0.2 65535 3"},
	{"mfw -E -m 1 -p 0", "EDIT 1 - - 0"},
	{"mfw -E -m 1 -r 0.0.0.0 80", "EDIT 1 - 80 -"},
	{"mfw -S -m 1", "SCHEDULE 1 - - -"},
	{"mfw -S -m 1 -r 10.0.0.2 -p 7", "SCHEDULE 1 10.0.0.2 - 7"},
	{"mfw -q -m 1 -r 10.0.0.2", "query DEL 1 10.0.0.2 - -"},
	{"mfw -F --dry-run", "FLUSH dry"},
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
	{"mfw -F -m 1", "FLUSH"},
	{"mfw -L -m 1", "! -m does not go with -L"},
	{"mfw -E -S -m 1", "! -E and -S are mutually exclusive"},
	{"mfw -A -m 1 -m 2 -r 10.0.0.2", "ADD 2 10.0.0.2 - -"},
	{"mfw -A -m 1 -r 10.0.0.2 -r 10.0.0.3", "ADD 1 10.0.0.3 - -"},
	{"mfw -A -m 1 -r 10.0.0.2 80 81", "! unexpected argument \"81\""},
	{"mfw -a -m 1 -r 10.0.0.2", "! unknown option -a (see \"ipmasqadm mfw --help\")"},
	{"mfw -m 1 -r 10.0.1.5",
	 "! no command; to append a host: ipmasqadm mfw -A -m 1 -r 10.0.1.5; to insert it before "
	 "the others: ipmasqadm mfw -I -m 1 -r 10.0.1.5"},

	/* autofw */
	{"autofw -A -r udp 6970 7170 -c tcp 7070", "ADD range 17 6970-7170 - - 6 7070 -"},
	{"autofw -c tcp 7070 -r udp 6970 7170 -A", "ADD range 17 6970-7170 - - 6 7070 -"},
	{"autofw -A -rudp 6970 7170 -ctcp 7070 -ui", "ADD range 17 6970-7170 - - 6 7070 ui"},
	{"autofw -Ai -r udp 1 65535 -c udp 1", "ADD range 17 1-65535 - - 17 1 i"},
	{"autofw -Au -r udp 5 5 -c udp 1", "ADD range 17 5-5 - - 17 1 u"},
	{"autofw -A -r tcp 1 2 -h 10.0.0.2", "ADD range 6 1-2 10.0.0.2 - - - -"},
	{"autofw -h 10.0.0.2 -A -r tcp 1 2", "ADD range 6 1-2 10.0.0.2 - - - -"},
	{"autofw -Ah10.0.0.2 -r tcp 1 2 -iv", "ADD range 6 1-2 10.0.0.2 - - - - v"},
	{"autofw -D -r tcp 1 2 -h 10.0.0.2 -n", "DEL range 6 1-2 10.0.0.2 - - - - n"},
	{"autofw -q -r tcp 1 2 -h 10.0.0.2", "query DEL range 6 1-2 10.0.0.2 - - - -"},
	{"autofw -A -p tcp 8080 10.0.0.2:80", "ADD port 6 8080-8080 10.0.0.2 80 - - -"},
	{"autofw -A -p tcp 8080 10.0.0.2:80 -h 10.0.0.3", "ADD port 6 8080-8080 10.0.0.3 80 - - -"},
	/* the last word names the host */
	{"autofw -A -h 10.0.0.3 -p tcp 8080 10.0.0.2:80", "ADD port 6 8080-8080 10.0.0.2 80 - - -"},
	{"autofw -D -h 10.0.0.3 -p tcp 8080 10.0.0.2:80", "DEL port 6 8080-8080 10.0.0.2 80 - - -"},
	{"autofw -D -p tcp 8080 10.0.0.2:80 -h 10.0.0.3", "DEL port 6 8080-8080 10.0.0.3 80 - - -"},
	{"autofw -A -p tcp 8080 10.0.0.2:80 -h 10.0.0.3 -p tcp 81 10.0.0.4:82",
	 "ADD port 6 81-81 10.0.0.4 82 - - -"},
	{"autofw -A -h 10.0.0.3 -p tcp 8080 10.0.0.2:80 -h 10.0.0.5",
	 "ADD port 6 8080-8080 10.0.0.5 80 - - -"},
	{"autofw -A -h 10.0.0.256 -p tcp 8080 10.0.0.2:80",
	 "! \"10.0.0.256\" is no address: give four numbers from 0 to 255 with dots"},
	{"autofw -A -d udp 1024 2048 -h 10.0.0.2", "ADD direct 17 1024-2048 10.0.0.2 - - - -"},
	{"autofw -A -d udp 1024 2048 -c tcp 21 -i", "ADD direct 17 1024-2048 - - 6 21 i"},
	{"autofw -A -r tcp 1 2 -h 10.0.0.2 -h 10.0.0.3", "ADD range 6 1-2 10.0.0.3 - - - -"},
	{"autofw -A -p tcp 65535 10.0.0.2:1 -c udp 177 -u",
	 "ADD port 6 65535-65535 10.0.0.2 1 17 177 u"},
	{"autofw -A -d udp 1024 2048", "ADD direct 17 1024-2048 - - - - -"},
	{"autofw -A -d udp 1024 2048 --dry-run", "ADD direct 17 1024-2048 - - - - - dry"},
	{"autofw -F", "FLUSH"},
	{"autofw -F -v", "FLUSH v"},
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
	{"autofw -A -r udp 1 2 3 -h 10.0.0.2", "! unexpected argument \"3\""},
	{"autofw -A -r udp 1 2", "! -r needs -h HOST or -c PROTO PORT: where shall it go?"},
	{"autofw -D -r udp 1 2", "! -r needs -h HOST or -c PROTO PORT: where shall it go?"},
	{"autofw -A -r udp 1 2 -h 10.0.0.2 -c tcp 7070",
	 "! -h and -c are mutually exclusive: one host, or whoever asked for it"},
	{"autofw -A -p udp 1 10.0.0.2:2 -h 10.0.0.2 -c tcp 7070",
	 "! -h and -c are mutually exclusive: one host, or whoever asked for it"},
	{"autofw -A -r udp 1 2 -d udp 1 2", "! -r and -d are mutually exclusive"},
	{"autofw -A -p udp 1 10.0.0.2:2 -d udp 1 2", "! -p and -d are mutually exclusive"},
	{"autofw -A -r udp 1 2 -p udp 1 10.0.0.2:2 -h 10.0.0.2",
	 "! -r and -p are mutually exclusive"},
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
	{"autofw -F -r tcp 1 2", "FLUSH"},
	{"autofw -L -u", "! -u does not go with -L"},
	{"autofw -A -uu -d tcp 1 2", "ADD direct 6 1-2 - - - - u"},
	{"autofw -A -D -d tcp 1 2", "! -A and -D are mutually exclusive"},
	{"autofw -r tcp 1 2 -h 10.0.0.2", "! no command; give one of -A, -D, -q, -F, -L"},
	{"autofw -x", "! unknown option -x (see \"ipmasqadm autofw --help\")"},
};

static const struct args_case name_cases[] = {
	{"portfw -a -L 10.0.0.1 domain -R 10.0.0.2 tftp -P udp",
	 "ADD 17 10.0.0.1 53 10.0.0.2 69 -"},
	{"portfw -a -L 10.0.0.1 domain -R 10.0.0.2 tftp -P tcp",
	 "! port \"tftp\": neither a number from 1 to 65535 nor a tcp service"},
	{"portfw -a -L 10.0.0.1 ftp-data -R 10.0.0.2 20 -P tcp", "ADD 6 10.0.0.1 20 10.0.0.2 20 -"},
	{"portfw -a -L 10.0.0.1 8000-8001 -R 10.0.0.2 ftp-data -P tcp",
	 "! port 20 for the ports 8000-8001: give as many, 20-21"},
	{"portfw -a -L 10.0.0.1 domain -R 10.0.0.2 tftp -P tcp,udp",
	 "ADD 255 10.0.0.1 53 10.0.0.2 69 -"},
	{"mfw -A -m 1 -r 10.0.0.2 domain", "ADD 1 10.0.0.2 53 -"},
	{"autofw -A -r udp tftp 7170 -c tcp domain", "ADD range 17 69-7170 - - 6 53 -"},
	{"autofw -A -p udp tftp 10.0.0.2:domain", "ADD port 17 69-69 10.0.0.2 53 - - -"},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int split(char *line, char *argv[16])
{
	int argc = 0;

	for (char *word = strtok(line, " "); word && argc < 15; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "''") ? word : word + 2;
	argv[argc] = NULL;
	return argc;
}

static void show_address(struct text *t, const struct masq_command *c, uint32_t bit,
			 const struct masq_address *addr)
{
	if (c->has & bit)
		text_address(t, addr);
	else
		text_word(t, "-");
}

static void show_number(struct text *t, const struct masq_command *c, uint32_t bit, uint32_t number)
{
	if (c->has & bit)
		text_number(t, number);
	else
		text_word(t, "-");
}

static void show_ports(struct text *t, const struct masq_command *c, uint32_t bit,
		       const struct masq_ports *ports)
{
	text_word(t, c->has & bit ? "" : "-");
	if (c->has & bit)
		command_join_ports(t, ports);
}

static void show_target(struct text *t, const struct masq_command *c)
{
	show_address(t, c, MASQ_HAS_TARGET, &c->target);
	show_ports(t, c, MASQ_HAS_TARGET_PORTS, &c->target_ports);
}

static void show_portfw(struct text *t, const struct masq_command *c)
{
	show_number(t, c, MASQ_HAS_PROTOCOL, c->protocol);
	show_address(t, c, MASQ_HAS_LOCAL, &c->local);
	show_ports(t, c, MASQ_HAS_PORTS, &c->ports);
	show_target(t, c);
	show_number(t, c, MASQ_HAS_PREF, (uint32_t)c->pref);
	if (c->has & MASQ_HAS_HELPER)
		text_word(t, c->helper);
}

static void show_mfw(struct text *t, const struct masq_command *c)
{
	show_number(t, c, MASQ_HAS_MARK, c->mark);
	show_target(t, c);
	show_number(t, c, MASQ_HAS_PREF, (uint32_t)c->pref);
}

static void show_autofw(struct text *t, const struct masq_command *c)
{
	static const char *const forms[] = {"?", "range", "port", "direct"};
	bool untimed = c->has & MASQ_UNTIMED, anyone = c->has & MASQ_ANYONE;

	text_word(t, forms[c->form]);
	show_number(t, c, MASQ_HAS_PROTOCOL, c->protocol);
	show_number(t, c, MASQ_HAS_PORTS, c->ports.first);
	text_join(t, "-");
	text_join_number(t, c->ports.last);
	show_target(t, c);
	show_number(t, c, MASQ_HAS_TRIGGER, c->trigger_protocol);
	show_number(t, c, MASQ_HAS_TRIGGER, c->trigger_port);
	text_word(t, untimed ? "u" : anyone ? "i" : "-");
	text_join(t, untimed && anyone ? "i" : "");
}

static void show_command(struct text *t, const struct masq_command *c)
{
	static const char *const verbs[] = {"PROBE", "ADD",      "INSERT", "DEL",
					    "EDIT",  "SCHEDULE", "FLUSH"};
	static void (*const show[])(struct text *, const struct masq_command *) = {
		[MASQ_PORTFW] = show_portfw,
		[MASQ_MFW] = show_mfw,
		[MASQ_AUTOFW] = show_autofw,
	};

	text_word(t, verbs[c->verb]);
	if (c->verb != MASQ_FLUSH)
		show[c->kind](t, c);
	else if (c->has)
		text_word(t, "and more");
	if (c->size != sizeof(*c))
		text_word(t, "of another size");
}

static const char *show(char *out, size_t size, int result, const struct request *req)
{
	struct text t;

	text_start(&t, out, size);
	if (result) {
		text_word(&t, result == -EINVAL ? "!" : "?");
		text_word(&t, req->error.text);
		return out;
	}
	if (req->action == ACT_HELP || req->action == ACT_LIST)
		text_word(&t, req->action == ACT_HELP ? "help" : "list");
	if (req->action == ACT_QUERY)
		text_word(&t, "query");
	if (req->action == ACT_QUERY || req->action == ACT_DO)
		show_command(&t, &req->command);
	text_join(&t, req->numeric ? " n" : "");
	text_join(&t, req->verbose ? " v" : "");
	text_join(&t, req->json ? " j" : "");
	text_join(&t, req->dry_run ? " dry" : "");
	text_join(&t, req->cut ? " cut" : "");
	return out;
}

static int parse(struct request *req, int argc, char *argv[])
{
	return request_read(req, kind_find(argv[0]), argc, argv);
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
		ok(parse(&req, argc, argv) == -EINVAL && *req.error.text &&
			   memchr(req.error.text, 0, sizeof(req.error.text)),
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
