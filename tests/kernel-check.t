#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# check: every fault of the bed is named, with its evidence; every cure that is a command here is carried
# out as printed, and then a real connection gets through and check says so.
use strict;
use warnings;
no warnings 'qw'; # tcp,udp is a word
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use Bed;
use File::Basename 'dirname';
use Test::More;
use Time::HiRes 'time';

Bed->new;
$ENV{PATH} = dirname($Net::program) . ":$ENV{PATH}";
my $only = $ENV{FAULT} // '';
my $six = $family == 6;
my $ip = $six ? 'ip6' : 'ip'; # in JSON
my $played = $six ? '2001:db8::5' : '203.0.113.5';
my ($client, $web1, $web2, $inside) = @$bed{qw(client web1 web2 inside)};
my @web = qw(-P tcp -L 198.51.100.1 80);
my @wan2 = qw(-P tcp -L 192.168.2.2 80);

sub sh { return must('sh', '-c', $_[0]) }
sub portfw { my ($status, $out, $err) = ipmasqadm('portfw', @_); die "portfw @_: $err" if $status }

sub connects {
	my ($protocol, $address, $port, $name) = @_;
	return $client->$protocol($address, $port)->{name} eq ($name // 'web1');
}

# /etc of our own, for what cures write there or read
sub own_etc {
	my $layers = 'lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work';
	must(qw(mkdir /run/etc));
	return 0 if run(qw(mount -t tmpfs none /run/etc)) || run(qw(mkdir /run/etc/upper /run/etc/work))
		|| run(qw(mount -t overlay none -o), $layers, '/etc');
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
	return !(ipmasqadm(qw(save /etc/ipmasqadm.conf)))[0];
}

my $iptables = !run(qw(iptables-nft -L -n)) && run(qw(nft flush ruleset)) == 0;
my $legacy = !run(qw(iptables-legacy -t filter -L -n));

# Each fault: what switches it on and off, on which hosts; the service, if it is not $web; what check has to
# say; and whether its cure is a command for this machine (else it is words, and the fault is switched off).
# six: what is otherwise in IPv6, or why there is no such fault.
my $forced = -e '/proc/sys/net/ipv6/conf/lan/force_forwarding'; # Linux 6.17
my @forced = (off => 'sysctl -qw net.ipv6.conf.all.forwarding=1; '
	. 'sysctl -qw net.ipv6.conf.wan.force_forwarding=0; sysctl -qw net.ipv6.conf.lan.force_forwarding=0');
my @faults = (
	{
		name => 'forwarding off', code => 'forward-off',
		on => 'sysctl -qw net.ipv4.ip_forward=0', evidence => qr/ip_forward is 0/,
		cure => qr/^sysctl -w net\.ipv4\.ip_forward=1$/, note => qr{/etc/sysctl\.d/},
		six => {on => 'sysctl -qw net.ipv6.conf.all.forwarding=0', evidence => qr/net\.ipv6\.conf\.all\.forwarding is 0/,
			cure => qr/^sysctl -w net\.ipv6\.conf\.wan\.accept_ra=2 net\.ipv6\.conf\.all\.forwarding=1$/},
	},
	{
		name => 'forwarding off outside', code => 'forward-off-if',
		on => 'sysctl -qw net.ipv4.conf.wan.forwarding=0', evidence => qr/conf\.wan\.forwarding is 0/,
		cure => qr/^sysctl -w net\.ipv4\.conf\.wan\.forwarding=1$/,
		six => $forced && {on => 'sysctl -qw net.ipv6.conf.all.forwarding=0; sysctl -qw net.ipv6.conf.lan.force_forwarding=1', @forced,
			evidence => qr/conf\.wan\.force_forwarding is 0/, cure => qr/^sysctl -w net\.ipv6\.conf\.wan\.force_forwarding=1$/},
	},
	{
		name => 'forwarding off inside', code => 'forward-off-if',
		on => 'sysctl -qw net.ipv4.conf.lan.forwarding=0', evidence => qr/conf\.lan\.forwarding is 0.*answers/,
		cure => qr/^sysctl -w net\.ipv4\.conf\.lan\.forwarding=1$/,
		six => $forced && {on => 'sysctl -qw net.ipv6.conf.all.forwarding=0; sysctl -qw net.ipv6.conf.wan.force_forwarding=1', @forced,
			evidence => qr/conf\.lan\.force_forwarding is 0.*answers/, cure => qr/^sysctl -w net\.ipv6\.conf\.lan\.force_forwarding=1$/},
	},
	{
		name => 'the default route of the server leads elsewhere', code => 'default-route',
		web1 => 'ip route replace default via 10.0.0.254', evidence => qr/10\.0\.0\.2 asked by (?:ARP|Neighbour Discovery) for 10\.0\.0\.254/,
		cure => qr/^nft .*masquerade/, off => 'nft delete table ip back', web1_off => 'ip route replace default via 10.0.0.1; ip neigh flush dev eth0',
	},
	{
		name => 'the server has no default route', code => 'no-answer-far',
		web1 => 'ip route del default', evidence => qr/answers 10\.0\.0\.1, but not 198\.51\.100\.1/,
		cure => qr/^nft .*masquerade/, off => 'nft delete table ip back', web1_off => 'ip route replace default via 10.0.0.1',
	},
	{
		name => 'the server admits only its network', code => 'no-answer-far', cause => qr/own firewall/,
		web1 => q(nft 'add table ip f; add chain ip f i { type filter hook input priority 0; }; add rule ip f i ip saddr != 10.0.0.0/24 drop'),
		cure => qr/^nft .*masquerade/, off => 'nft delete table ip back', web1_off => 'nft delete table ip f',
	},
	{
		name => 'policy drop', code => 'filter', cause => qr/policy in forward/,
		on => q(nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; }; add rule inet filter forward ct state established accept'),
		evidence => qr/chain inet filter forward: policy drop/,
		cure => qr/^nft insert rule inet filter forward ct status dnat accept$/, note => qr/nftables\.conf/,
		off => 'nft delete table inet filter',
	},
	{
		name => 'reject as firewalld does', code => 'filter', cause => qr/rule in forward/,
		on => q(nft 'add table inet firewalld; add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; }; add rule inet firewalld filter_FORWARD ct state { established, related } accept; add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited'),
		evidence => qr/chain inet firewalld filter_FORWARD: reject with icmpx/,
		cure => qr/^nft insert rule inet firewalld filter_FORWARD ct status dnat accept$/, note => qr/firewall-cmd/,
		off => 'nft delete table inet firewalld',
	},
	{
		name => "Docker's chains", code => 'filter', cause => qr/policy in forward/, skip => !$iptables && 'iptables-nft',
		on => 'iptables-nft -P FORWARD DROP; iptables-nft -N DOCKER-USER; iptables-nft -A FORWARD -j DOCKER-USER; iptables-nft -A DOCKER-USER -j RETURN; iptables-nft -A FORWARD -o lan -m conntrack --ctstate ESTABLISHED -j ACCEPT',
		evidence => qr/chain ip filter FORWARD: policy drop/,
		cure => qr/^iptables\S* -I DOCKER-USER -m conntrack --ctstate DNAT -j ACCEPT$/, note => qr/Docker/,
		off => 'nft delete table ip filter',
	},
	{
		name => "ufw's chains", code => 'filter', skip => !$iptables && 'iptables-nft',
		on => 'iptables-nft -N ufw-before-forward; iptables-nft -A FORWARD -j ufw-before-forward; iptables-nft -A ufw-before-forward -i lan -j ACCEPT; iptables-nft -A ufw-before-forward -i wan -p tcp -m multiport --dports 8000:8999 -j DROP',
		evidence => qr/chain ip filter ufw-before-forward: -A ufw-before-forward -i wan -p tcp -m multiport --dports 8000:8999 -j DROP/,
		cure => qr/^iptables\S* -I FORWARD -m conntrack --ctstate DNAT -j ACCEPT$/, note => qr/ufw/,
		off => 'nft delete table ip filter',
	},
	{
		name => 'policy of iptables-legacy', code => 'legacy', skip => !$legacy && 'iptables-legacy',
		on => 'iptables-legacy -A FORWARD -o wan -j ACCEPT; iptables-legacy -P FORWARD DROP', evidence => qr/iptables-legacy, table filter, chain FORWARD: policy/,
		cure => qr/^iptables-legacy -I FORWARD -m conntrack --ctstate DNAT -j ACCEPT$/,
		off => 'iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F',
	},
	{
		name => 'rule of iptables-legacy', code => 'legacy', skip => !$legacy && 'iptables-legacy',
		on => 'iptables-legacy -N mine; iptables-legacy -A FORWARD -j mine; iptables-legacy -A mine -o wan -j RETURN; iptables-legacy -A mine -p tcp --dport 8080 -j DROP',
		evidence => qr/iptables-legacy, table filter: -A mine -p tcp -m tcp --dport 8080 -j DROP/,
		cure => qr/^iptables-legacy -I FORWARD -m conntrack --ctstate DNAT -j ACCEPT$/,
		off => 'iptables-legacy -F; iptables-legacy -X',
	},
	{
		name => 'a drop in raw', code => 'early-drop', cause => qr/rule in prerouting/,
		on => q(nft 'add table ip r; add chain ip r prerouting { type filter hook prerouting priority raw; }; add rule ip r prerouting tcp dport 80 drop'),
		evidence => qr/chain ip r prerouting: tcp dport 80 drop/,
		cure => qr/^nft insert rule ip r prerouting ip daddr 198\.51\.100\.1 tcp dport 80 accept$/, off => 'nft delete table ip r',
	},
	{
		name => 'a drop at the ingress', code => 'early-drop', cause => qr/rule in ingress/,
		on => q(nft 'add table netdev n; add chain netdev n in { type filter hook ingress device wan priority 0; }; add rule netdev n in tcp dport 80 drop'),
		evidence => qr/chain netdev n in: tcp dport 80 drop/,
		cure => qr/^nft insert rule netdev n in ip daddr 198\.51\.100\.1 tcp dport 80 accept$/, off => 'nft delete table netdev n',
	},
	{
		name => 'the answer is dropped', code => 'filter-back',
		on => q(nft 'add table ip f; add chain ip f forward { type filter hook forward priority 0; }; add rule ip f forward tcp sport 8080 drop'),
		evidence => qr/chain ip f forward: tcp sport 8080 drop/,
		cure => qr/^nft insert rule ip f forward ct status dnat accept$/, off => 'nft delete table ip f',
	},
	{
		name => 'another nat first', code => 'other-nat', cause => qr/10\.0\.0\.3:8080/,
		on => q(nft 'add table ip o; add chain ip o prerouting { type nat hook prerouting priority -110; }; add rule ip o prerouting tcp dport 80 dnat to 10.0.0.3:8080'),
		evidence => qr/chain ip o prerouting: tcp dport 80 dnat to 10\.0\.0\.3:8080/,
		cure => qr/^nft insert rule ip o prerouting ip daddr 198\.51\.100\.1 tcp dport 80 accept$/, off => 'nft delete table ip o',
	},
	{
		name => 'notrack', code => 'notrack',
		on => q(nft 'add table ip r; add chain ip r prerouting { type filter hook prerouting priority raw; }; add rule ip r prerouting tcp dport 80 notrack'),
		evidence => qr/chain ip r prerouting: tcp dport 80 notrack/,
		cure => qr/^nft insert rule ip r prerouting ip daddr 198\.51\.100\.1 tcp dport 80 accept$/, off => 'nft delete table ip r',
	},
	{
		name => 'an address that is not ours', code => 'not-local', service => [qw(-P tcp -L 198.51.100.9 80)],
		on => 'ipmasqadm portfw -a -P tcp -L 198.51.100.9 80 -R 10.0.0.2 8080', cause => qr/198\.51\.100\.9 is not an address/,
		cure => qr{^ip address add 198\.51\.100\.9/(?:32|128) dev wan$}, off => 'ip address del 198.51.100.9/32 dev wan; ipmasqadm portfw -d -P tcp -L 198.51.100.9 80',
		connect => [qw(tcp 198.51.100.9 80)],
	},
	{
		name => 'a stale UDP flow', code => 'stale', service => [qw(-P udp -L 198.51.100.1 53)],
		on => 'ipmasqadm portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.2 53; conntrack -I -p udp -s 203.0.113.9 -d 198.51.100.1 --sport 5353 --dport 53 -r 198.51.100.1 -q 203.0.113.9 --reply-port-src 53 --reply-port-dst 5353 -t 100',
		evidence => qr/203\.0\.113\.9 port 5353/, skip => run(qw(conntrack -V)) && 'conntrack',
		cure => qr/^conntrack -D(?: -f ipv6)? -p udp --orig-dst 198\.51\.100\.1 --orig-port-dst 53$/, off => 'ipmasqadm portfw -d -P udp -L 198.51.100.1 53',
		connect => [qw(udp 198.51.100.1 53)],
	},
	{
		name => 'server down', code => 'host-down', switch => 'ip link set web1 down', evidence => qr/(?:ARP|Neighbour Discovery) for 10\.0\.0\.2/,
		cure => qr/^on 10\.0\.0\.2: /, words => 1, switch_off => 'ip link set web1 up',
	},
	{
		name => 'nothing listens, TCP', code => 'refused', service => [qw(-P tcp -L 198.51.100.1 81)], words => 1,
		on => 'ipmasqadm portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 9999', cause => qr/10\.0\.0\.2, tcp port 9999/,
		cure => qr/^on 10\.0\.0\.2: start/, off => 'ipmasqadm portfw -d -P tcp -L 198.51.100.1 81',
	},
	{
		name => 'nothing listens, UDP', code => 'refused', service => [qw(-P udp -L 198.51.100.1 81)], words => 1,
		on => 'ipmasqadm portfw -a -P udp -L 198.51.100.1 81 -R 10.0.0.2 9999', cause => qr/10\.0\.0\.2, udp port 9999/,
		evidence => qr/port unreachable/, cure => qr/^on 10\.0\.0\.2: start/, off => 'ipmasqadm portfw -d -P udp -L 198.51.100.1 81',
	},
	{
		name => 'wrong port', code => 'refused', service => [qw(-P tcp -L 198.51.100.1 8080)],
		on => 'ipmasqadm portfw -a -P tcp -L 198.51.100.1 8080 -R 10.0.0.2 80', evidence => qr/answer on the local port/,
		cure => qr/^ipmasqadm portfw -a -P tcp -L 198\.51\.100\.1 8080 -R 10\.0\.0\.2 8080 && ipmasqadm portfw -d .* -R 10\.0\.0\.2 80$/,
		off => 'ipmasqadm portfw -d -P tcp -L 198.51.100.1 8080', connect => [qw(tcp 198.51.100.1 8080)],
	},
	{
		name => "the server's own firewall", code => 'no-answer', evidence => qr/neither our packet nor/, words => 1,
		web1 => q(nft 'add table ip f; add chain ip f i { type filter hook input priority 0; }; add rule ip f i tcp dport 8080 drop'),
		cure => qr/^on 10\.0\.0\.2: let tcp port 8080 in/, web1_off => 'nft delete table ip f',
	},
	{
		name => 'rp_filter', code => 'rp-filter', service => \@wan2, next => 'asymmetric', six => 'no rp_filter',
		on => 'sysctl -qw net.ipv4.conf.wan2.rp_filter=1; ipmasqadm portfw -a -P tcp -L 192.168.2.2 80 -R 10.0.0.2 8080',
		evidence => qr/come in by wan2/, cure => qr/^sysctl -w net\.ipv4\.conf\.wan2\.rp_filter=2$/,
		off => 'sysctl -qw net.ipv4.conf.wan2.rp_filter=0; ipmasqadm portfw -d -P tcp -L 192.168.2.2 80',
	},
	{
		name => 'asymmetric uplinks', code => 'asymmetric', service => \@wan2,
		on => 'ipmasqadm portfw -a -P tcp -L 192.168.2.2 80 -R 10.0.0.2 8080', cause => qr/leave by wan, .*come in by wan2/,
		cure => qr/^nft .*ip route add default via 192\.168\.2\.1 dev wan2 table 102$/,
		off => 'ip rule del fwmark 102; ip route flush table 102; nft delete table ip uplinks; ipmasqadm portfw -d -P tcp -L 192.168.2.2 80',
		connect => [qw(tcp 192.168.2.2 80)],
	},
	{
		name => 'ICMP "fragmentation needed" is dropped', code => 'pmtu',
		on => q(nft 'add table ip f; add chain ip f forward { type filter hook forward priority 0; }; add rule ip f forward ip protocol icmp drop'),
		evidence => qr/chain ip f forward: ip protocol icmp drop/, cause => qr/"fragmentation needed"/,
		six => {on => q(nft 'add table ip f; add chain ip f forward { type filter hook forward priority 0; }; add rule ip f forward meta l4proto ipv6-icmp drop'),
			evidence => qr/chain ip f forward: meta l4proto ipv6-icmp drop/, cause => qr/ICMPv6 "packet too big"/},
		cure => qr/^nft insert rule ip f forward ct status dnat accept$/, off => 'nft delete table ip f',
	},
	{
		name => 'no route to the server', code => 'no-route', service => [qw(-P tcp -L 198.51.100.1 82)], words => 1,
		on => 'ip route add unreachable 10.9.0.0/24; ipmasqadm portfw -a -P tcp -L 198.51.100.1 82 -R 10.9.0.2 80',
		cause => qr/no route to 10\.9\.0\.2/, cure => qr/^ip route add/,
		off => 'ip route del unreachable 10.9.0.0/24; ipmasqadm portfw -d -P tcp -L 198.51.100.1 82',
	},
	{
		name => 'a routing rule', code => 'routing', words => 1,
		on => 'ip rule add pref 10 iif wan to 10.0.0.2 blackhole', evidence => qr/behind all prerouting chains, for 10\.0\.0\.2/,
		cure => qr/ip route get 10\.0\.0\.2 from \Q$played\E iif wan$/, off => 'ip rule del pref 10',
	},
	{
		name => 'the target is this machine', code => 'target-here', six => 'portfw refuses loopback', service => [qw(-P tcp -L 198.51.100.1 83)],
		connect => [qw(tcp 198.51.100.1 83 firewall)],
		on => 'ipmasqadm portfw -a -P tcp -L 198.51.100.1 83 -R 127.0.0.1 8083', evidence => qr/route_localnet is 0/,
		cure => qr/^ipmasqadm portfw -a .* -R 198\.51\.100\.1 8083 && ipmasqadm portfw -d /,
		off => 'ipmasqadm portfw -d -P tcp -L 198.51.100.1 83',
	},
	{
		name => 'our own chains were emptied', code => 'not-matched',
		on => 'nft flush table ip ipmasqadm', cause => qr/emptied/, cure => qr/^ipmasqadm save .* && nft delete table ip ipmasqadm && ipmasqadm restore /,
	},
	{
		name => 'the chain that looks up was emptied', code => 'not-matched',
		on => 'nft flush chain ip ipmasqadm lookup', cause => qr/emptied/, evidence => qr/chain lookup/, cure => qr/^ipmasqadm save .* && nft delete table ip ipmasqadm && ipmasqadm restore /,
	},
	(map { my ($chain, $rule) = @$_; {
		name => "a rule of others, first in our chain $chain: $rule", code => 'not-matched',
		on => "nft insert rule ip ipmasqadm $chain $rule", cause => qr/not ours/, evidence => qr/handle \d+ in chain $chain/,
		cure => qr/^nft delete rule ip ipmasqadm $chain handle \d+$/,
	} } ['lookup', 'counter drop'], ['lookup', 'accept'], ['prerouting', 'drop'], ['learn', 'drop']),
	{
		name => 'our table sleeps', code => 'not-matched',
		on => "nft 'add table ip ipmasqadm { flags dormant; }'", cause => qr/dormant/, cure => qr/^nft add table ip ipmasqadm$/,
	},
	{
		name => 'the ruleset was flushed', code => 'none', service => [], words => !own_etc(),
		on => 'nft flush ruleset', evidence => qr/flush/, cure => qr/^ipmasqadm restore/,
		off => 'ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080',
	},
	{
		name => 'a mark that mfw takes', code => 'not-matched',
		on => q(ipmasqadm mfw -A -m 7 -r 10.0.0.3 8080; nft 'add table ip m; add chain ip m p { type filter hook prerouting priority mangle; }; add rule ip m p tcp dport 80 meta mark set 7'),
		cause => qr/mark 7/, cure => qr/^ipmasqadm mfw -D -m 7$/, off => 'nft delete table ip m; ipmasqadm mfw -F',
	},
);

$bed->{net}->firewall->listen(8083);
portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
my $well = check(@web);
is("$well->{status} $well->{code}", '0 ok', 'the bed is healthy') or diag($well->{text});
like($well->{evidence}, qr/a SYN from \Q$played\E to 198\.51\.100\.1:80 came out at lan for 10\.0\.0\.2:8080, its answer at wan/,
	'and it says what was seen');

my @table;
for my $f (@faults) {
	next if $only && $f->{name} !~ /$only/;
	next if $six && exists $f->{six} && !ref $f->{six};
	$f = {%$f, %{$f->{six}}} if $six && $f->{six};
	if ($f->{skip}) {
		my $lacking = lacking($f->{skip});
		SKIP: { skip "$f->{name}: $lacking", 1 }
		next;
	}
	subtest $f->{name} => sub {
		my @service = @{$f->{service} // \@web};
		my @connect = @{$f->{connect} // [qw(tcp 198.51.100.1 80)]};
		my $begin = time;
		sh($f->{on}) if $f->{on};
		$web1->must('sh', '-c', $f->{web1}) if $f->{web1};
		$bed->{switch}->must('sh', '-c', $f->{switch}) if $f->{switch};
		my $r = check(@service);
		is("$r->{status} $r->{state} $r->{code}", "1 broken $f->{code}", 'the code') or diag($r->{text});
		like($r->{$_}, $f->{$_}, "the $_") for grep { $f->{$_} } qw(cause evidence cure note);
		push @table, "$f->{name} | $r->{code} | $r->{cause} | $r->{evidence} | $r->{cure}";
		if (!$f->{words} && $r->{cure}) {
			my ($status, $out, $err) = run('sh', '-c', $r->{cure});
			is($status, 0, 'the cure runs') or diag("$r->{cure}\n$err");
			if ($f->{next}) {
				is(check(@service)->{code}, $f->{next}, 'then the next fault shows');
			} else {
				ok(connects(@connect), 'a real connection gets through');
				my $then = check(@service);
				is($then->{state}, $f->{state} // 'ok', 'check says so') or diag($then->{text});
			}
		}
		run('sh', '-c', $f->{off}) if $f->{off};
		$web1->run('sh', '-c', $f->{web1_off}) if $f->{web1_off};
		$bed->{switch}->run('sh', '-c', $f->{switch_off}) if $f->{switch_off};
		if ($f->{words}) {
			my $then = check(@web);
			is($then->{state}, 'ok', 'and well again') or diag($then->{text});
		}
		note(sprintf '%.1f s', time - $begin);
	};
}

subtest 'what others put into our table and bars nothing' => sub {
	my $long = join ' ', map { "tcp dport != $_" } 1 .. 40; # does not fit into the kernel's first answer
	for ('insert rule ip ipmasqadm prerouting accept', 'insert rule ip ipmasqadm prerouting_again drop',
	     'insert rule ip ipmasqadm lookup counter', "insert rule ip ipmasqadm lookup $long counter",
	     'add chain ip ipmasqadm mine { type nat hook prerouting priority -100; }; add rule ip ipmasqadm mine drop') {
		sh("nft '$_'");
		ok(connects(qw(tcp 198.51.100.1 80)), "$_: a real connection gets through");
		my $r = check(@web);
		is("$r->{status} $r->{code}", '0 ok', 'and check says so') or diag($r->{text});
		sh('saved=$(ipmasqadm save -) && nft delete table ip ipmasqadm && echo "$saved" | ipmasqadm restore -');
	}
};

sub states { return join ' ', map { "$_->{target}=$_->{code}" } @{$_[0]} }

subtest 'of a balanced service the bad target is named' => sub {
	portfw(qw(-a -P tcp -L 198.51.100.1 90 -R), @$_, qw(-p 1)) for ['10.0.0.2', 8080], ['10.0.0.3', 9999], ['10.0.0.3', 8080];
	my ($status, $array) = json_check(qw(-P tcp -L 198.51.100.1 90));
	is("$status " . states($array), '1 10.0.0.3:8080=ok 10.0.0.3:9999=refused 10.0.0.2:8080=ok', 'each target is judged');
	portfw(qw(-d -P tcp -L 198.51.100.1 90));
};

subtest 'two faults: the first is named, after its cure the next' => sub {
	sh(q(sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0; nft 'add table ip f; add chain ip f forward { type filter hook forward priority 0; policy drop; }'));
	my @codes;
	for (1 .. 3) {
		my $r = check(@web);
		push @codes, $r->{code};
		sh($r->{cure}) if $r->{cure};
	}
	is("@codes", 'forward-off filter ok', 'one after the other');
	ok(connects('tcp', '198.51.100.1', 80), 'a real connection gets through');
	sh('sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; nft delete table ip f');
};

subtest 'a rate limit is no fault' => sub {
	portfw(qw(-a -P tcp -L 198.51.100.1), $_, qw(-R 10.0.0.3 8080)) for 2001 .. 2012;
	sh(q(nft 'add table ip f; add chain ip f forward { type filter hook forward priority 0; }; add rule ip f forward iifname wan tcp flags syn limit rate over 25/second burst 5 packets drop'));
	my ($status, $array) = json_check();
	is("$status " . states([grep { $_->{state} ne 'ok' } @$array]), '0 ', 'thirteen at once pass') or diag(explain($array));
	sh('nft delete table ip f');
	portfw(qw(-d -P tcp -L 198.51.100.1), $_) for 2001 .. 2012;
};

subtest 'a rule against the address that is played' => sub {
	nft(<<"END");
table ip admin {
	set bogons { type ipv4_addr; elements = { $played }; }
	chain pre { type filter hook prerouting priority raw; iifname "wan" ip saddr \@bogons drop; }
}
END
	my $r = check(@web);
	is($r->{code}, 'early-drop', 'the code') or diag($r->{text});
	like($r->{cause}, qr/^the packet from \Q$played\E is dropped by another rule in prerouting$/, 'who was played');
	like($r->{note}, qr/; if that rule is meant for addresses like \S+ alone, leave it and play one of your clients: --from ADDRESS$/, 'and how to play another');
	is((check(@web, qw(--from 203.0.113.9)))->{code}, 'ok', 'who gets through');
	nft('delete table ip admin');
	nft('table ip admin { chain f { type filter hook forward priority 0; policy drop; }; }');
	unlike((check(@web))->{note}, qr/--from/, 'of a policy there is nothing to say');
	nft('delete table ip admin');
};

subtest 'command lines' => sub {
	for ([[qw(-P tcp)], qr/-P and -L go together/], [[qw(-L 198.51.100.1 80)], qr/-P and -L go together: -P tcp -L 198\.51\.100\.1 80$/],
		(map { [['--from', $_], qr/--from \Q$_\E: no client has that address/] } $six ? qw(:: ::1 ff02::1) : qw(0.0.0.0 127.0.0.1 224.0.0.1 255.255.255.255)),
		(map { [['--from', $_], qr/no client has the address \Q$_\E: it is this machine's own/] } qw(198.51.100.1 10.0.0.1)),
		[[qw(--from 10.0.0.2)], qr/no client has the address 10\.0\.0\.2: it is the server of tcp 198\.51\.100\.1:80/],
		[[qw(-P tcp -L 198.51.100.1 90-80)], qr/ports "90-80": the lower one comes first/],
		[[qw(-m 1 -P tcp,udp -L 198.51.100.1 80)], qr/with -m, -P and -L name one protocol and one port/],
		[[qw(-m 1 -P tcp -L @wan 80)], qr/with -m, -L names an address/], [[qw(-P tcp -L @ 80)], qr/\@/],
		[[qw(-m 1 -P tcp -L 198.51.100.1 80-81)], qr/with -m, -P and -L name one protocol and one port/],
		[[qw(-L 198.51.100.1)], qr/needs an address and a port/], [[qw(-P upd -L 198.51.100.1 80)], qr/protocol "upd"/],
		[[qw(-P tcp -L 198.51.100.1 65536)], qr/port "65536"/], [[qw(-n -P tcp -L localhost 80)], qr/host localhost: -n allows no look-ups/],
		[[qw(-m 0)], qr/mark "0"/], [[qw(-m)], qr/-m needs a value/], [[qw(--live=0)], qr/--live=0: from 1/],
		[[qw(--live --no-probe)], qr/mutually exclusive/], [['x'], qr/"x": unexpected argument/], [['-x'], qr/unknown option -x/],
		[[qw(--from 203.0.113)], qr/"203\.0\.113" is no address/]) {
		my ($status, $out, $err) = ipmasqadm('check', @{$_->[0]});
		is($status, 2, "@{$_->[0]}: exit 2");
		like($err, $_->[1], '... and says why');
	}
	is((check(@web, qw(--from 203.0.113.9)))->{client}, '203.0.113.9', '--from');
	like((ipmasqadm('check', @web))[1], qr/^OK      tcp 198\.51\.100\.1:80 -> 10\.0\.0\.2:8080\n  evidence  a SYN from /, 'text');
};

subtest 'the observations, in a program of its own' => sub {
	my $api = dirname($Net::traffic) . '/api';
	my $told = sub { my ($status, $out, $err) = run($api, 'check'); return "$status $err$out" };
	my $forwarding = $six ? '1 -1 -1' : '1 1 1';
	my $bits = $six ? 112 : 24;
	my $way = "out 10.0.0.2 8080 lan, last 6 1000, left\nback $played PORT wan, last 6 1000, left, answer 1\n";
	is($told->() =~ s/ \d{5} / PORT /r, <<"END", 'of a forward that works');
0 open: 0
tcp 198.51.100.1:80 ok
portfw 198.51.100.1 80 > 10.0.0.2 8080
client $played dest 198.51.100.1 80, wan > lan 10.0.0.1/$bits, local forwarding $forwarding
${way}check: 0
too short: EINVAL: the options of the check are too short
with more: E2BIG: this libipmasq does not know all of the options
unknown flag: EINVAL: this libipmasq does not know all of the flags
ports: EINVAL: ports 0-0: the first is from 1 and not above the last
no such: none, nothing observed
END
	sh(q(nft 'add table ip f; add chain ip f forward { type filter hook forward priority 0; }; add rule ip f forward tcp sport 8080 drop'));
	my $text = $told->();
	like($text, qr/^tcp 198\.51\.100\.1:80 filter-back$/m, 'of one whose answer is dropped');
	like($text, qr/^back \Q$played\E \d+ wan, last 4 -1$/m, 'how far it came');
	like($text, qr/^dropped by 1 $ip f forward \(forward 0\) handle \d+ number 1: tcp sport 8080 drop$/m, 'and what dropped it');
	sh('nft delete table ip f');
};

subtest 'progress on a terminal' => sub {
	my $on_terminal = sub { run('script', '-qec', "$Net::program check -P tcp -L 198.51.100.1 80", '/dev/null') };
	my ($status, $out) = $on_terminal->();
	is($status, 0, 'a short run');
	unlike($out, qr/checking|\e/, 'says nothing meanwhile');
	$web1->must('sh', '-c', q(nft 'add table ip f; add chain ip f i { type filter hook input priority 0; }; add rule ip f i tcp dport 8080 drop'));
	($status, $out) = $on_terminal->();
	is($status, 1, 'a run of more than a second');
	like($out, qr/\A(?:\rchecking 0 of 1 forwards \.\.\.)+\r\e\[KBROKEN  tcp/, 'says how far it is, and wipes that');
	($status, $out, my $err) = ipmasqadm('check', @web);
	is($err, '', 'without a terminal it is quiet');
	$web1->must(qw(nft delete table ip f));
};

# Runs a BPF program that drops everything there (net/drop.c); undef: this kernel has no such place.
sub dropping {
	my ($place, $what) = @_;
	open my $in, '|-', 'exec ' . dirname($Net::traffic) . "/drop $place >/run/dropping" or die;
	wait_for(10, sub { -s '/run/dropping' }) or die 'no answer';
	$what->() if my $ready = sh('cat /run/dropping') =~ /^ready/;
	close $in;
	unlink '/run/dropping';
	return $ready;
}

subtest 'BPF programs that drop' => sub {
	my $seen = sub {
		my ($place, $code, %want) = @_;
		my $ready = dropping($place, sub {
			is($client->tcp('198.51.100.1', 80)->{name}, 'timeout', "$place: a real connection is dropped");
			my $r = check(@web);
			is($r->{code}, $code, "$place: the code") or diag($r->{text});
			like($r->{$_}, $want{$_}, "$place: the $_") for sort keys %want;
		});
		SKIP: { skip "this kernel has no place for $place", 1 if !$ready; }
		is(check(@web)->{state}, 'ok', 'and well again');
	};
	$seen->('xdp wan', 'early-drop', cause => qr/before the first hook of netfilter/, evidence => qr/came in by wan and was not seen at ingress/,
		cure => qr/ip link show dev wan; tc filter show dev wan ingress/);
	$seen->('tc wan', 'early-drop', evidence => qr/came in by wan and was not seen at ingress/);
	$seen->($six ? 'forward6' : 'forward', 'hook-drop', cause => qr/neither nf_tables nor iptables/, evidence => qr/last seen at forward, priority -149, and not at -1/,
		cure => qr/nft list hooks/);
};

subtest 'an XDP program in the driver is in front of our packets' => sub {
	my $ready = dropping('driver wan', sub {
		my $r = check(@web);
		is("$r->{status} $r->{state}", '0 warn', 'a warning') or diag($r->{text});
		like($r->{warnings}[0], qr/an XDP program runs in the driver of wan, .* --live shows/, 'that says so');
	});
	plan skip_all => 'this kernel has no XDP in the driver of veth' if !$ready;
};

subtest 'ranges and both protocols' => sub {
	portfw(qw(-a -P tcp,udp -L 198.51.100.1 2050-2052 -R 10.0.0.3 2050-2052));
	portfw(qw(-a -P udp -L 198.51.100.1 53 -R 10.0.0.3 53));
	portfw(qw(-a -P tcp -L 0.0.0.0 82 -R 10.0.0.3 8080));
	my ($status, $array, $text) = json_check(qw(-P tcp,udp -L 198.51.100.1 2051-2054));
	is(join(', ', sort map { "$_->{service}=$_->{code}" } @$array),
		'tcp 198.51.100.1:2051=refused, tcp 198.51.100.1:2052=refused, tcp 198.51.100.1:2053-2054=none, '
		. 'udp 198.51.100.1:2051=refused, udp 198.51.100.1:2052=refused, udp 198.51.100.1:2053-2054=none', 'each part is checked, or named') or diag($text);
	is($status, 1, 'exit 1');
	($status, $array, $text) = json_check(qw(-P tcp -L 198.51.100.1 80-83));
	is("$status " . join(', ', map { "$_->{service}=$_->{code}" } @$array),
		'1 tcp 0.0.0.0:82=ok, tcp 198.51.100.1:80=ok, tcp 198.51.100.1:81=none, tcp 198.51.100.1:83=none', 'any address, and holes') or diag($text);
	is((check(qw(-P tcp,udp -L 198.51.100.1 53)))->{code}, 'ok', 'one of both');
	my $r = check(qw(-P tcp -L 10.0.0.1 82));
	is($r->{code}, 'ok', 'any address by one of ours');
	like($r->{evidence}, qr/ to 10\.0\.0\.1:82 came out/, 'which the packet is sent to');
	$r = check(qw(-P tcp -L 198.51.100.9 82));
	is($r->{code}, 'not-local', 'any address is no other machine\'s');
	like($r->{cause}, qr/^198\.51\.100\.9 is not an address of this machine$/, 'which is named');
	portfw(qw(-d -P tcp,udp -L 198.51.100.1 2050-2052));
	portfw(qw(-d -P udp -L 198.51.100.1 53));
	portfw(qw(-d -P tcp -L 0.0.0.0 82));
};

subtest 'no false alarm: ranges, any address, drained targets' => sub {
	portfw(qw(-a -P tcp,udp -L 198.51.100.1 53 -R 10.0.0.2 53));
	portfw(qw(-a -P tcp -L 198.51.100.1 8079-8080 -R 10.0.0.2 8079-8080));
	portfw(qw(-d -P tcp -L 198.51.100.1 8079));
	portfw(qw(-a -P tcp -L 198.51.100.1 90 -R), @$_) for [qw(10.0.0.2 8080 -p 3)], [qw(10.0.0.3 8080 -p 0)];
	portfw(qw(-a -P tcp -L 0.0.0.0 90-91 -R 10.0.0.3 8080-8081));
	portfw(qw(-d -P tcp -L 0.0.0.0 91));
	my ($status, $array, $text) = json_check();
	is("$status " . join(', ', sort map { "$_->{service} $_->{target} $_->{state}" } @$array),
		'0 tcp 0.0.0.0:90 10.0.0.3:8080 ok, tcp 198.51.100.1:53 10.0.0.2:53 ok, tcp 198.51.100.1:80 10.0.0.2:8080 ok, '
		. 'tcp 198.51.100.1:8080 10.0.0.2:8080 ok, tcp 198.51.100.1:90 10.0.0.2:8080 ok, tcp 198.51.100.1:90 10.0.0.3:8080 ok, '
		. 'udp 198.51.100.1:53 10.0.0.2:53 ok', 'every forward') or diag($text);
	portfw('-f');
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
};

# by default somebody there is the client: who is outside comes in elsewhere
subtest 'no false alarm: an address of an inside network' => sub {
	portfw(qw(-a -P tcp -L 10.0.0.1 80 -R 10.0.0.3 8080));
	for my $filter (0, 1) {
		must('sysctl', '-qw', "net.ipv4.conf.all.rp_filter=$filter");
		my $r = check(qw(-P tcp -L 10.0.0.1 80));
		is($r->{code}, 'ok', "it is reached, rp_filter $filter") or diag($r->{text});
		like($r->{evidence}, qr/ came out at lan .* its answer at lan$/, 'from there');
		unlike((check(qw(-P tcp -L 198.51.100.1 80)))->{client}, qr/^10\.0\.0\./, 'one outside has a client outside');
	}
	must(qw(sysctl -qw net.ipv4.conf.all.rp_filter=0));
	nft('table ip admin { chain f { type filter hook forward priority 0; iifname lan oifname lan drop; }; }');
	is((check(qw(-P tcp -L 10.0.0.1 80)))->{code}, 'filter', 'what drops there is found');
	nft('delete table ip admin');
	portfw(qw(-d -P tcp -L 10.0.0.1 80));
};

# as an ipvlan, a netkit or a vxlan may be: Ethernet, and nobody there answers for an address
subtest 'no false alarm: an interface without neighbours' => sub {
	must(qw(ip link add p2p type veth peer name p2p netns), $web1->{pid});
	# what is sent there has the sender's own hardware address
	for ([undef, 1, ''], [$web1, 2, '; ip route replace default via 10.9.0.1']) {
		my ($host, $last, $more) = @$_;
		my @shell = ('sh', '-ec', 'ip link set p2p address 02:00:00:00:00:01 arp off; ip link set p2p up; '
			. "ip address add 10.9.0.$last/24 dev p2p$more");
		$host ? $host->must(@shell) : must(@shell);
	}
	portfw(qw(-a -P tcp -L 198.51.100.1 81 -R 10.9.0.2 8080));
	my $r = check(qw(-P tcp -L 198.51.100.1 81));
	is($r->{code}, 'ok', 'before it has been used') or diag($r->{text});
	ok(connects('tcp', '198.51.100.1', 81), 'a real connection gets through');
	portfw(qw(-d -P tcp -L 198.51.100.1 81));
	must(qw(ip link del p2p));
	$web1->must('sh', '-c', 'ip route replace default via 10.0.0.1');
};

subtest 'root of a user namespace is not root here' => sub {
	plan skip_all => 'no user namespaces' if run(qw(unshare -Ur true));
	my ($status, $out, $err) = run(qw(unshare -Ur), $Net::program, 'check');
	is($status, 2, 'it could not look');
	like($err, qr/^ipmasqadm: check: no permission to use nf_tables: this network namespace belongs to another user namespace/, 'and why');
	($status, $out, $err) = run(qw(setpriv --bounding-set -net_admin), $Net::program, 'check');
	like($err, qr/^ipmasqadm: check: no permission to use nf_tables: it needs root, or CAP_NET_ADMIN$/, 'root without the capability is told that');
};

subtest 'other kinds' => sub {
	sh('ipmasqadm mfw -A -m 9 -r 10.0.0.3 8080; ipmasqadm mfw -A -m 10 -r 10.0.0.3; ipmasqadm autofw -A -r tcp 8000 8100 -h 10.0.0.2; ipmasqadm autofw -A -p udp 99 10.0.0.2:53');
	portfw(qw(-a -P tcp -L 0.0.0.0 88 -R 10.0.0.3 8080));
	portfw(qw(-a -P udp -L 198.51.100.1 5000 -R 10.0.0.2 53));
	my ($status, $array) = json_check();
	is($status, 0, 'nothing is broken') or diag(states($array));
	is(join(', ', sort map { "$_->{service} $_->{target} $_->{state}" } @$array),
		'mark 10 10.0.0.3 warn, mark 9 10.0.0.3:8080 ok, tcp 0.0.0.0:88 10.0.0.3:8080 ok, tcp 198.51.100.1:80 10.0.0.2:8080 ok, '
		. 'tcp ports 8000-8100 10.0.0.2 warn, udp 198.51.100.1:5000 10.0.0.2:53 ok, udp port 99 10.0.0.2:53 ok',
		'every forward of every kind') or diag(explain($array));
	is((check(qw(-m 9)))->{code}, 'ok', 'by mark');
	is((check(qw(-m 10 -P tcp -L 198.51.100.1 8080)))->{state}, 'ok', 'by mark, to a port that somebody serves');
	is((check(qw(-m 10 -P udp -L 198.51.100.1 53)))->{state}, 'ok', 'and of the other protocol');
	is((check(qw(-m 11)))->{code}, 'none', 'no such mark');
	is((check(qw(-P tcp -L 192.0.2.2 88)))->{code}, 'ok', 'an address that the any-address service has');
	is((check(qw(-P tcp -L 198.51.100.1 8080)))->{state}, 'warn', 'a port of a range');
	sh('ipmasqadm mfw -F; ipmasqadm autofw -F; ipmasqadm portfw -d -P tcp -L 0.0.0.0 88; ipmasqadm portfw -d -P udp -L 198.51.100.1 5000');
};

subtest 'both families at once' => sub {
	plan skip_all => 'once is enough' if $six;
	{
		local $Net::family = 6;
		portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
		portfw(qw(-a -P udp -L 0.0.0.0 53 -R 10.0.0.3 53));
		sh('ipmasqadm mfw -A -m 9 -r 10.0.0.2 8080');
	}
	sh('ipmasqadm mfw -A -m 9 -r 10.0.0.3 8080');
	my ($status, $array, $text) = json_check(qw(--from 203.0.113.9));
	is("$status " . join(', ', sort map { "$_->{service} $_->{target} $_->{code} $_->{client}" } @$array), '0 '
		. 'mark 9 10.0.0.3:8080 ok 203.0.113.9, mark 9 [fd00::a2]:8080 ok 2001:db8::5, tcp 198.51.100.1:80 10.0.0.2:8080 ok 203.0.113.9, tcp [2001:db8::a1]:80 [fd00::a2]:8080 ok 2001:db8::5, '
		. 'udp [::]:53 [fd00::a3]:53 ok 2001:db8::5',
		'each in its own') or diag($text);
	is((check(qw(-P tcp -L 2001:db8::a1 80)))->{code}, 'ok', 'one of IPv6');
	my $r = live(10, sub { local $Net::family = 6; $client->tcp('198.51.100.1', 80) });
	($r) = grep { $_->{code} eq 'ok' } @{$r->{all}};
	is("$r->{service} $r->{code} $r->{client}", 'tcp [2001:db8::a1]:80 ok 2001:d:b::9', 'live');
	sh('ipmasqadm mfw -F');
	{
		local $Net::family = 6;
		portfw(qw(-d -P tcp -L 198.51.100.1 80));
		portfw(qw(-d -P udp -L 0.0.0.0 53));
	}
};

subtest 'forwards on an interface' => sub {
	portfw(qw(-a -P tcp -L @wan 95 -R 10.0.0.2 8080));
	portfw(qw(-a -P tcp -L @wan 96 -R 10.0.0.2 8080));
	portfw(qw(-a -P tcp -L), $_, qw(96 -R 10.0.0.3 8080)) for '192.0.2.2', '0.0.0.0';
	my ($status, $array, $text) = json_check();
	is("$status " . join(', ', sort map { "$_->{service} $_->{target} $_->{code}" } @$array), '1 tcp 0.0.0.0:96 10.0.0.3:8080 asymmetric, '
		. 'tcp 192.0.2.2:96 10.0.0.3:8080 ok, tcp 198.51.100.1:80 10.0.0.2:8080 ok, tcp @wan:95 10.0.0.2:8080 ok, tcp @wan:96 10.0.0.2:8080 ok',
		'each is tried on an address that is left to it: what is on any address, on the other uplink') or diag($text);
	for (['@wan', '@wan'], ['198.51.100.1', '@wan'], ['192.0.2.2', '192.0.2.2'], ['192.168.2.2', '0.0.0.0']) {
		my ($local, $want) = @$_;
		my $r = check(qw(-P tcp -L), $local, 96);
		is($r->{service}, "tcp $want:96", "-L $local") or diag($r->{text});
	}
	my $r = live(10, sub { is($client->tcp('198.51.100.1', 96)->{name}, 'web1', 'a real connection') });
	($r) = grep { $_->{client} eq '203.0.113.9' } @{$r->{all}};
	is("$r->{service} $r->{code}", 'tcp @wan:96 ok', 'is taken for that of the interface');
	portfw(qw(-a -P tcp -L 198.51.100.1 96 -R 10.0.0.3 8080));
	$r = check(qw(-P tcp -L @wan 96));
	is($r->{code}, 'not-matched', 'where each address has a forward of its own') or diag($r->{text});
	like($r->{evidence}, qr/every address of the interface/, 'it says so');
	portfw(qw(-d -P tcp -L 0.0.0.0 96)); # and all others of that port
	portfw(qw(-d -P tcp -L @wan 95));
	portfw(qw(-a -P tcp -L @ppp0 97 -R 10.0.0.2 8080));
	$r = check(qw(-P tcp -L @ppp0 97));
	is("$r->{status} $r->{code} $r->{cause}", '1 not-local there is no interface ppp0', 'an interface that is not there');
	like($r->{cure}, qr/^bring ppp0 up/, 'what to do');
	sh('ip link add ppp0 type veth peer name ppp0p; ip link set ppp0p up');
	is((check(qw(-P tcp -L @ppp0 97)))->{cause}, 'interface ppp0 has no address', 'one without an address');
	sh('ip link set ppp0 up; ip address add 192.168.1.7/32 dev ppp0');
	$r = check(qw(-P tcp -L @ppp0 97));
	like("$r->{code} $r->{evidence}", qr/^asymmetric .* with source 192\.168\.1\.7, which belongs to ppp0$/, 'and with one, which has no route of its own');
	sh('ip link del ppp0');
	portfw(qw(-d -P tcp -L @ppp0 97));
};

subtest 'a server here on the same port is a warning' => sub {
	my $firewall = $bed->{net}->firewall->listen(80);
	my $r = check(@web);
	is("$r->{status} $r->{state} $r->{code}", '0 warn ok', 'a warning');
	like($r->{warnings}[0], qr/listens on tcp port 80/, 'that says so');
	is(check(@web, '--no-probe')->{state}, 'warn', 'reading alone is a warning, too');
};

subtest 'what this machine itself has sent is not stale where its own connections are switched off' => sub {
	my $lacking = lacking('conntrack', !run(qw(conntrack -V)));
	plan skip_all => $lacking if $lacking;
	portfw(qw(-a -P udp -L 198.51.100.1 53 -R 10.0.0.2 53));
	sh('conntrack -I -p udp -s 198.51.100.1 -d 198.51.100.1 --sport 5353 --dport 53 -r 198.51.100.1 -q 198.51.100.1 --reply-port-src 53 --reply-port-dst 5353 -t 100');
	is((check(qw(-P udp -L 198.51.100.1 53)))->{code}, 'stale', 'by default it is');
	sh('ipmasqadm reach -d own');
	my $r = check(qw(-P udp -L 198.51.100.1 53));
	is($r->{code}, 'ok', 'then it stays here') or diag($r->{text});
	sh('ipmasqadm reach -e own; conntrack -D -p udp --orig-dst 198.51.100.1 --orig-port-dst 53');
	portfw(qw(-d -P udp -L 198.51.100.1 53));
};

subtest 'a silent UDP service is a warning' => sub {
	$web1->must('sh', '-c', q(nft 'add table ip f; add chain ip f o { type filter hook output priority 0; }; add rule ip f o udp sport 53 drop'));
	portfw(qw(-a -P udp -L 198.51.100.1 53 -R 10.0.0.2 53));
	my $r = check(qw(-P udp -L 198.51.100.1 53));
	is("$r->{status} $r->{state}", '0 warn', 'a warning') or diag($r->{text});
	like($r->{warnings}[0], qr/no answer to an empty datagram/, 'that says so');
	$web1->must(qw(nft delete table ip f));
	portfw(qw(-d -P udp -L 198.51.100.1 53));
};

# check --live while somebody connects
sub live {
	my ($seconds, $meanwhile, @args) = @_;
	open my $pipe, '-|', Net::to_six("exec $Net::program check --json --live=$seconds @args 2>/dev/null") or die;
	wait_for(5, sub { must(qw(nft list tables)) =~ /ipmasqadm-check/ }) or die 'no table';
	$meanwhile->();
	local $/;
	my $array = eval { JSON::PP->new->decode(Net::to_four(<$pipe>)) } // [];
	close $pipe;
	return {status => $? >> 8, all => $array, %{$array->[0] // {code => '?'}}};
}

subtest 'live' => sub {
	my $r = live(1, sub { }, @web);
	is("$r->{status} $r->{code}", '1 no-packet', 'no packet at all');
	like($r->{cause}, qr/within 1 second/, 'in so many seconds');
	$r = live(10, sub { $client->tcp('198.51.100.1', 80) }, @web);
	is("$r->{status} $r->{code} $r->{client}", '0 ok 203.0.113.9', 'a real connection');
	sh(q(nft 'add table ip f; add chain ip f forward { type filter hook forward priority 0; policy drop; }'));
	$r = live(10, sub { $client->tcp('198.51.100.1', 80) }, @web);
	is($r->{code}, 'filter', 'a real connection is dropped');
	sh('nft delete table ip f');
	$web1->must('sh', '-c', 'ip route del default');
	$r = live(10, sub { $client->tcp('198.51.100.1', 80) }, @web);
	is($r->{code}, 'no-answer-far', 'a real connection is not answered');
	$web1->must('sh', '-c', 'ip route add default via 10.0.0.1');
};

# Each is seen with a real connection, named, cured as printed, and gone.
sub in_the_way {
	my ($what, $code, $connect, $off, %want) = @_;
	sh($off);
	my $r = live(10, sub { isnt($connect->()->{name}, 'web1', "$what: a real connection does not get through") }, @web);
	is($r->{code}, $code, "$what: the code") or diag(explain($r));
	like($r->{$_}, $want{$_}, "$what: the $_") for sort keys %want;
	sh($r->{cure});
	$r = live(10, sub { is($connect->()->{name}, 'web1', "$what: then it does") }, @web);
	is($r->{code}, 'ok', "$what: and check says so") or diag(explain($r));
}

subtest 'inside clients and this machine itself' => sub {
	my $firewall = $bed->{net}->firewall;
	my ($near, $own) = (sub { $inside->tcp('198.51.100.1', 80) }, sub { $firewall->tcp('198.51.100.1', 80) });
	$firewall->ask('timeout', 300);
	my $r = live(10, sub { is($near->()->{name}, 'web1', 'an inside client') }, @web);
	is("$r->{code} $r->{client}", 'ok 10.0.0.9', 'is reached');
	$r = live(10, sub { is($own->()->{name}, 'web1', 'this machine') }, @web);
	is($r->{code}, 'ok', 'is, too') or diag(explain($r));
	like($r->{evidence}, qr/came out at lan for 10\.0\.0\.2:8080, its answer at this machine$/, 'and it says so');
	in_the_way('a rule in our chain', 'hairpin', $near, 'nft add rule ip ipmasqadm reach_inside accept', cause => qr/something keeps our rule from masquerading/,
		evidence => qr/^10\.0\.0\.9 came in by lan, where 10\.0\.0\.2 is, too/, cure => qr/^ipmasqadm save .* && nft delete table ip ipmasqadm && ipmasqadm restore /);
	in_the_way('a rule in our chain', 'from-here', $own, 'nft add rule ip ipmasqadm reach_own accept', cause => qr/something keeps it from the forward/,
		evidence => qr/to 198\.51\.100\.1:80, by lo/);
	in_the_way('switched off', 'hairpin', $near, 'ipmasqadm reach -d inside', cause => qr/inside clients are switched off for all forwards/, cure => qr/^ipmasqadm reach -e inside$/);
	in_the_way('switched off', 'from-here', $own, 'ipmasqadm reach -d own', cause => qr/and those are switched off for all forwards/, cure => qr/^ipmasqadm reach -e own$/);
	portfw(qw(-a -P tcp -L 0.0.0.0 85 -R 10.0.0.2 8080));
	$r = live(10, sub { $firewall->tcp('127.0.0.1', 85) }, qw(-P tcp -L 0.0.0.0 85));
	is($r->{code}, 'from-here', 'what is for a loopback address') or diag(explain($r));
	like($r->{cause}, qr/to a loopback address/, 'stays here');
	portfw(qw(-d -P tcp -L 0.0.0.0 85));
	in_the_way("the administrator's snat", 'hairpin', $near, q(nft 'add table ip admin; add chain ip admin post { type nat hook postrouting priority srcnat - 10; }; )
		. q(add rule ip admin post ip saddr 10.0.0.9 oifname lan snat to 10.0.0.3'), cause => qr/another rule gives the client the address 10\.0\.0\.3,/,
		evidence => qr/^chain ip admin post: .*snat to 10\.0\.0\.3$/, cure => qr/^nft insert rule ip admin post ip saddr \S+ ip daddr \S+ ct status dnat accept$/);
	is((check(@web, qw(--from 10.0.0.9)))->{code}, 'ok', 'with a packet of ours, as from an inside client');
	sh('nft delete table ip admin; nft add rule ip ipmasqadm reach_inside accept');
	is((check(@web, qw(--from 10.0.0.9)))->{code}, 'hairpin', 'it shows, too');
	sh('nft flush chain ip ipmasqadm reach_inside');
	return if ($ENV{STATIC} // '') eq 'yes'; # nothing can be preloaded then
	# a kernel without labels
	my $old = 'LD_PRELOAD=' . join ' ', $ENV{PRELOAD} || (), $Net::traffic =~ s{traffic$}{no-labels.so}r;
	my $without = sub { my ($status, $out) = run('env', $old, $Net::program, qw(check --json), @web, @_); return JSON::PP->new->decode($out)->[0] };
	is($without->()->{code}, 'ok', 'a kernel without labels looks all the same');
	$r = $without->(qw(--from 10.0.0.9));
	is($r->{code}, 'hairpin', 'and masquerades nobody') or diag(explain($r));
	like($r->{cause}, qr/CONFIG_NF_CONNTRACK_LABELS/, 'that is said');
	sh($r->{cure});
	is($without->(qw(--from 10.0.0.9))->{code}, 'ok', 'and cured');
	sh('nft delete table ip hairpin');
};


# Binds NFLOG group 0, as ulogd does.
sub take_nflog {
	socket my $s, 16, 3, 12 or die; # AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER
	send $s, pack('LSSLL CCn SSC x3', 28, 4 << 8 | 1, 1 | 4, 1, 0, 2, 0, 0, 5, 1, 1), 0 or die;
	recv $s, my $answer, 256, 0;
	return $s;
}

subtest 'where another program has the log of iptables-legacy, the chain is named' => sub {
	my $lacking = lacking('iptables-legacy', $legacy);
	plan skip_all => $lacking if $lacking;
	my $other = take_nflog();
	sh('iptables-legacy -A FORWARD -p tcp --dport 8080 -j DROP');
	my $r = check(@web);
	is($r->{code}, 'legacy', 'the code') or diag($r->{text});
	like($r->{evidence}, qr/table filter: a rule or the policy of chain FORWARD/, 'the evidence');
	sh($r->{cure});
	ok(connects('tcp', '198.51.100.1', 80), 'the cure works');
	sh('iptables-legacy -F');
	close $other;
};

# As root without these capabilities, BPF cannot be used; without the device no TAP either.
my @no_bpf = ('setpriv', '--bounding-set', '-bpf,-sys_admin,-perfmon');

sub check_without {
	my ($status, $out) = run(@no_bpf, $Net::program, qw(check --json), @_);
	my $array = eval { JSON::PP->new->decode($out) } // [];
	return {status => $status, text => $out, %{$array->[0] // {code => '?', state => '?'}}};
}

subtest 'without BPF a TAP does it' => sub {
	plan skip_all => 'no /dev/net/tun' if !-e '/dev/net/tun';
	my $r = check_without(@web);
	is("$r->{code} $r->{evidence}", "ok $well->{evidence}", 'the same is seen') or diag($r->{text});
	sh(q(nft 'add table netdev n; add chain netdev n in { type filter hook ingress device wan priority 0; }; add rule netdev n in tcp dport 80 drop'));
	is(check_without(@web)->{code}, 'early-drop', 'a fault is found');
	sh('nft delete table netdev n');
	unlike(must(qw(ip link)), qr/ipmasqcheck/, 'the interface is gone');
};

subtest 'without a way to send, it looks and asks the server' => sub {
	plan skip_all => 'no /dev/net/tun' if !-e '/dev/net/tun';
	must(qw(mount --bind /dev/null /dev/net/tun));
	my $r = check_without(@web);
	is("$r->{status} $r->{state}", '0 warn', 'a warning') or diag($r->{text});
	like($r->{warnings}[0], qr/no packet was sent: sending a packet: no permission/, 'that says what could not be done');
	$web1->must('sh', '-c', 'ip route del default');
	is(check_without(@web)->{code}, 'no-answer-far', 'probes find what they can');
	$web1->must('sh', '-c', 'ip route add default via 10.0.0.1');
	sh('sysctl -qw net.ipv4.conf.wan2.rp_filter=1; ipmasqadm portfw -a -P tcp -L 192.168.2.2 80 -R 10.0.0.2 8080');
	is(check_without(@wan2)->{code}, 'rp-filter', 'look-ups, too') if !$six;
	sh('sysctl -qw net.ipv4.conf.wan2.rp_filter=0');
	is(check_without(@wan2)->{code}, 'asymmetric', 'and the next');
	is(check('--no-probe', @wan2)->{code}, 'asymmetric', '--no-probe does not even ask');
	sh('ipmasqadm portfw -d -P tcp -L 192.168.2.2 80');
	must(qw(umount /dev/net/tun));
};

subtest 'a chain whose name reads as a command' => sub {
	my $name = 'a; delete table ip victim';
	my $json = File::Temp->new;
	print $json <<END;
{"nftables": [{"add": {"table": {"family": "$ip", "name": "victim"}}},
 {"add": {"table": {"family": "$ip", "name": "odd"}}},
 {"add": {"chain": {"family": "$ip", "table": "odd", "name": "a"}}},
 {"add": {"chain": {"family": "$ip", "table": "odd", "name": "$name", "type": "filter", "hook": "forward",
  "prio": 0, "policy": "accept"}}},
 {"add": {"rule": {"family": "$ip", "table": "odd", "chain": "$name", "expr": [
  {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8080}},
  {"drop": null}]}}}]}
END
	close $json;
	plan skip_all => 'nft takes no JSON' if run('nft', '-j', '-f', $json->filename);
	my $r = check(@web);
	is($r->{code}, 'filter', 'the drop is found') or diag($r->{text});
	like($r->{evidence}, qr/rule with handle \d+$/, 'by its handle');
	is($r->{cure}, '', 'no command with such a name is proposed');
	like(sh('nft list tables'), qr/ip victim/, 'and none was carried out');
	sh('nft delete table ip odd; nft list table ip victim >/dev/null && nft delete table ip victim');
};

subtest 'a comment that a terminal would obey' => sub {
	my $json = File::Temp->new;
	print $json <<END;
{"nftables": [{"add": {"table": {"family": "$ip", "name": "odd"}}},
 {"add": {"chain": {"family": "$ip", "table": "odd", "name": "f", "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}}},
 {"add": {"rule": {"family": "$ip", "table": "odd", "chain": "f", "comment": "z\\u001b[2J\\u009bx", "expr": [
  {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8080}},
  {"drop": null}]}}}]}
END
	close $json;
	plan skip_all => 'nft takes no JSON' if run('nft', '-j', '-f', $json->filename);
	my ($status, $out) = ipmasqadm('check', @web);
	is($status, 1, 'the drop is found');
	like($out, qr/chain ip odd f/, 'and named');
	unlike($out, qr/[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/, 'nothing is printed but characters');
	sh('nft delete table ip odd');
};

subtest 'a comment that reads as the end of another rule' => sub {
	sh(q(nft 'add table ip odd; add chain ip odd f { type filter hook forward priority 0; }; add rule ip odd f tcp dport 8080 drop'));
	my ($handle) = sh('nft -a list chain ip odd f') =~ /drop # handle (\d+)/ or die;
	my $json = File::Temp->new;
	print $json <<END;
{"nftables": [{"insert": {"rule": {"family": "$ip", "table": "odd", "chain": "f",
  "comment": "innocent # handle $handle\\nx", "expr": [
  {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 1}},
  {"accept": null}]}}}]}
END
	close $json;
	plan skip_all => 'nft takes no JSON' if run('nft', '-j', '-f', $json->filename);
	my $r = check(@web);
	like($r->{evidence}, qr/^chain ip odd f, rule with handle $handle: /, 'the rule is named by its handle');
	unlike($r->{evidence}, qr/innocent/, 'not by the text of the other one');
	sh('nft delete table ip odd');
};

subtest 'conntrack full' => sub {
	my ($max) = sh('cat /proc/sys/net/netfilter/nf_conntrack_max') =~ /(\d+)/;
	plan skip_all => "nf_conntrack_max is $max" if $max > 300_000 || $Net::slow;
	must(dirname($Net::traffic) . '/fill', $max);
	my $r = check(@web);
	is($r->{code}, 'conntrack-full', 'is named') or diag($r->{text});
	like($r->{evidence}, qr/nf_conntrack_max is $max/, 'with the numbers');
	like($r->{cure}, qr/^sysctl -w net\.netfilter\.nf_conntrack_max=\d+$/, 'and a cure');
	forget();
	is(check(@web)->{code}, 'ok', 'and well again');
};

if ($ENV{TABLE}) {
	open my $t, '>', $ENV{TABLE} or die;
	print $t "$_\n" for @table;
	close $t;
}

done_testing;
