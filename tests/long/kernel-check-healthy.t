#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# check raises no false alarm: five healthy beds, 100 runs each (ROUNDS).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../net";
use Net;
use Bed;
use File::Temp ();
use Test::More;
use Time::HiRes 'time';

Bed->new;
my $rounds = $ENV{ROUNDS} // 100;
my ($client, $web1) = @$bed{qw(client web1)};
my @services = map { $_ eq 'udp' ? [$_, 53, 53] : [$_, 80, 8080] } qw(tcp udp);

sub sh { return must('sh', '-c', $_[0]) }

sub forwards {
	my ($address) = @_;
	for (@services) {
		my ($protocol, $port, $rport) = @$_;
		ipmasqadm(qw(portfw -a -P), $protocol, '-L', $address, $port, '-R', $_, $rport, qw(-p 1)) for '10.0.0.2', '10.0.0.3';
	}
}

my @beds = (
	{name => 'plain', on => '', off => ''},
	{
		name => 'a bridge inside and outside',
		on => 'ip link add br0 type bridge; ip address flush dev lan scope global; ip link set lan master br0; ip link set br0 up; ip address add 10.0.0.1/24 dev br0; '
			. 'ip link add br1 type bridge; ip address flush dev wan scope global; ip link set wan master br1; ip link set br1 up; ip address add 192.0.2.2/25 dev br1; '
			. 'ip address add 198.51.100.1/32 dev br1; ip route replace default via 192.0.2.1 dev br1',
		off => 'ip link del br0; ip link del br1; ip address add 10.0.0.1/24 dev lan; ip address add 192.0.2.2/25 dev wan; '
			. 'ip address add 198.51.100.1/32 dev wan; ip route replace default via 192.0.2.1 dev wan',
	},
	{
		name => 'two uplinks with policy routing', address => '192.168.2.2',
		on => q(sysctl -qw net.ipv4.conf.wan2.rp_filter=2; nft 'add table ip uplinks; add chain ip uplinks prerouting { type filter hook prerouting priority mangle; }; add rule ip uplinks prerouting iifname "wan2" ct state new ct mark set 102; add rule ip uplinks prerouting iifname != "wan2" ct mark 102 meta mark set 102'; ip rule add fwmark 102 table 102; ip route add default via 192.168.2.1 dev wan2 table 102),
		off => 'ip rule del fwmark 102; ip route flush table 102; nft delete table ip uplinks; sysctl -qw net.ipv4.conf.wan2.rp_filter=0',
	},
	{
		name => 'masquerading to the inside',
		on => q(nft 'add table ip back; add chain ip back postrouting { type nat hook postrouting priority srcnat; }; add rule ip back postrouting oifname "lan" ct status dnat masquerade; add rule ip back postrouting oifname "wan" masquerade'),
		off => 'nft delete table ip back', peer => '10.0.0.1',
	},
	{
		name => 'a strict firewall',
		on => q(sysctl -qw net.ipv4.conf.all.rp_filter=1; nft '
			table inet strict {
				chain raw { type filter hook prerouting priority raw; fib saddr . iif oif 0 drop; }
				chain mangle { type filter hook prerouting priority mangle; ct state invalid drop; tcp flags & (fin | syn) == fin | syn drop; }
				chain input { type filter hook input priority 0; policy drop; iifname "lo" accept; ct state established,related accept; iifname "lan" icmp type echo-request accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }
				chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "wan" ct status dnat ct state new limit rate 100/second burst 50 packets accept; }
				chain output { type filter hook output priority 0; policy accept; }
			}'),
		off => 'nft delete table inet strict; sysctl -qw net.ipv4.conf.all.rp_filter=0',
	},
);

for my $bed (@beds) {
	subtest $bed->{name} => sub {
		my $address = $bed->{address} // '198.51.100.1';
		sh($bed->{on}) if $bed->{on};
		forwards($address);
		# until routers have found each other, IPv6 takes other routes
		my $peer;
		wait_for(5, sub { $peer = $client->tcp($address, 80)->{peer_host} });
		is($peer, $bed->{peer} // '203.0.113.9', 'a real connection gets through');
		my ($alarms, $first) = (0, '');
		for (1 .. $rounds) {
			my ($status, $out, $err) = ipmasqadm('check');
			next if !$status && (() = $out =~ /^OK/mg) == 4;
			$alarms++;
			$first ||= "$out$err";
		}
		is($alarms, 0, "no false alarm in $rounds runs") or diag($first);
		ipmasqadm(qw(portfw -f));
		sh($bed->{off}) if $bed->{off};
	};
}

# the best of five runs
sub seconds {
	my @t = sort { $a <=> $b } map { my $begin = time; is((ipmasqadm('check'))[0], 0, 'no alarm'); time - $begin } 1 .. 5;
	return $t[0];
}

sub many {
	my ($count) = @_;
	my $lines = File::Temp->new;
	printf $lines "portfw -a -P tcp -L 198.51.100.1 %d -R 10.0.0.%d 8080\n", 1000 + $_, 2 + $_ % 2 for 1 .. $count;
	close $lines;
	is((ipmasqadm('restore', $lines->filename))[0], 0, "$count forwards");
}

subtest 'many forwards' => sub {
	many(1);
	my $one = seconds();
	many(100);
	my $hundred = seconds();
	diag(sprintf '1 forward %.3f s, 100 forwards %.3f s', $one, $hundred);
	cmp_ok($hundred, '<', 4 * $one, 'a hundred take less than four times as long as one');
	many(1000);
	# of a connection to the same server, an earlier run's, that conntrack remembers: it would get another one
	nft('table ip ports { chain post { type filter hook postrouting priority srcnat + 1; oifname "lan" tcp sport < 32768 counter; }; }');
	my @alarms;
	push @alarms, (ipmasqadm('check'))[1] =~ /^(?:BROKEN|WARN).*\n(?: .*\n)*/mg for 1 .. $rounds / 5;
	is(scalar @alarms, 0, 'no false alarm of a thousand') or diag(@alarms);
	like(must(qw(nft list table ip ports)), qr/counter packets 0 /, 'no packet comes from the port of another connection');
	ipmasqadm(qw(portfw -f));
};

done_testing;
