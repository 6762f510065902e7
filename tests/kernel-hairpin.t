#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside clients reach a forward by the outside address: one on the server's own link is masqueraded, from the
# first packet, and nobody else is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Bed;
use File::Temp ();
use Net qw(:DEFAULT did start);
use Test::More;

Bed->new;
my ($client, $inside, $web1, $web2) = @$bed{qw(client inside web1 web2)};
my $dmz = $bed->{net}->host('dmz', '192.168.1.5');
$_->ask('timeout', 600) for $dmz, $web1;
# behind the inside host, which is their router
for my $far ('10.9.0.5', '203.0.113.77') {
	$inside->must(qw(ip address add), "$far/32", qw(dev eth0));
	must(qw(ip route add), $far, qw(via 10.0.0.9));
}

# who answered, and whom it saw
sub seen {
	my ($host, $how, @where) = @_;
	# of several addresses of IPv6 another one may be nearer
	push @where, from => '10.0.0.9' if $host == $inside && @where == 2;
	my $r = $host->$how(@where);
	return join ' ', grep { defined } @$r{qw(name peer_host)};
}
sub links { return must(qw(nft list set ip ipmasqadm reach_links)) }
my $web = 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080';

# The same for every forward to web1: 198.51.100.1 80
sub everybody {
	my ($what, $how) = @_;
	subtest $what => sub {
		forget();
		is(seen($inside, $how, '198.51.100.1', 80), 'web1 10.0.0.1', 'a client on the server\'s link is masqueraded');
		is(seen($web1, $how, '198.51.100.1', 80), 'web1 10.0.0.1', 'the server itself, too');
		is(seen($client, $how, '198.51.100.1', 80), 'web1 203.0.113.9', 'a client outside is not');
		is(seen($dmz, $how, '198.51.100.1', 80), 'web1 192.168.1.5', 'nor one of another inside network');
		is(seen($inside, $how, '198.51.100.1', 80, from => $_), "web1 $_", "nor one behind a router on the link: $_") for '10.9.0.5', '203.0.113.77';
	};
}

for my $how (qw(tcp udp)) {
	for my $laddr ('198.51.100.1', '0.0.0.0') {
		start("portfw -a -P $how -L $laddr 80 -R 10.0.0.2 8080");
		everybody("$how to $laddr", $how);
	}
}
start($web, "$web -p 2");
everybody('with a pref', 'tcp');
start('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 8080 -p 0', $web);
everybody('balanced', 'tcp');
start('mfw -A -m 7 -r 10.0.0.2 8080');
nft('table ip marks { chain in { type filter hook prerouting priority mangle; tcp dport 80 meta mark set 7; }; }');
everybody('by mark', 'tcp');
start('autofw -A -p tcp 80 10.0.0.2:8080');
everybody('autofw', 'tcp');

subtest 'from the first packet' => sub {
	start($web);
	unlike(links(), qr/elements/, 'nothing is known');
	is(seen($inside, 'tcp', '198.51.100.1', 80), 'web1 10.0.0.1', 'the first one');
	like(links(), qr/"lan" \. "lan"/, 'which is learned from');
	like(did(qw(portfw -l -n -v)), qr/^TCP .* 1$/m, 'and counted once');
};

subtest 'control connections' => sub {
	start('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080', 'autofw -A -r udp 6970 7170 -c tcp 8080', 'autofw -A -r udp 6970 7170 -c tcp 8080 -i');
	is(seen($inside, 'tcp', '198.51.100.1', 80), 'web1 10.0.0.1', 'a client on the link to a control port inside');
	unlike(did(qw(autofw -L -n)), qr/receiver/, 'is nobody\'s contact outside');
};

subtest 'forwards of others' => sub {
	for my $priority (-100, -150) {
		start('portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 8080');
		nft("table ip others { chain in { type nat hook prerouting priority $priority; fib daddr type local tcp dport 80 dnat to 10.0.0.2:8080; }; }");
		is(seen($inside, 'tcp', '198.51.100.1', 80), 'timeout', "at $priority: not masqueraded, so nobody answers");
		is(seen($dmz, 'tcp', '198.51.100.1', 80), 'web1 192.168.1.5', 'other networks keep their address');
		is(seen($inside, 'tcp', '198.51.100.1', 80, from => '10.9.0.5'), 'web1 10.9.0.5', 'and those behind a router');
		is(seen($inside, 'tcp', '198.51.100.1', 81), 'web1 10.0.0.1', 'ours is masqueraded');
	}
};

my %masquerading = (
	(map { ("nft at $_" => "nft 'table ip admin { chain post { type nat hook postrouting priority $_; oifname \"wan*\" masquerade; }; }'") } -150, 0, 99 .. 102, 300),
	'nft, inet' => "nft 'table inet admin { chain post { type nat hook postrouting priority srcnat; oifname \"wan\" masquerade; }; }'",
	(map { ($_ => "$_ -t nat -A POSTROUTING -o wan -j MASQUERADE") } qw(iptables-nft iptables-legacy)),
	(map { ("$_, own hairpin" => "$_ -t nat -A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.0/24 -j MASQUERADE") } qw(iptables-nft iptables-legacy)),
);
for my $what (sort keys %masquerading) {
	SKIP: {
		my $why = $what =~ /legacy/ && lacking('iptables-legacy', !run(qw(iptables-legacy -t nat -L -n)));
		skip $why, 1 if $why;
		for my $first (1, 0) {	# whose chains are there first
			start($first ? () : $web);
			must('sh', '-c', $masquerading{$what});
			did(split ' ', $web) if $first;
			everybody("beside masquerading, $what" . ($first ? '' : ', that comes later'), 'tcp');
		}
		run(qw(iptables-legacy -t nat -F)) if $what =~ /legacy/;
	}
}

subtest 'an administrator\'s own snat' => sub {
	must(qw(ip address add 10.0.0.200/32 dev lan));
	for ("nft 'table ip admin { chain post { type nat hook postrouting priority srcnat; ip saddr 10.0.0.0/24 ip daddr 10.0.0.0/24 snat to 10.0.0.200; }; }'",
		'iptables-nft -t nat -A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.0/24 -j SNAT --to 10.0.0.200')
	{
		start($web);
		must('sh', '-c', $_);
		is(seen($inside, 'tcp', '198.51.100.1', 80), 'web1 10.0.0.200', "goes before ours: $_");
	}
	must(qw(ip address del 10.0.0.200/32 dev lan));
};

subtest 'two networks on one link' => sub {
	must(qw(ip address add 10.1.0.1/24 dev lan));
	$web2->must(qw(ip address add 10.1.0.3/24 dev eth0));
	start('portfw -a -P tcp -L 198.51.100.1 80 -R 10.1.0.3 8080');
	is(seen($inside, 'tcp', '198.51.100.1', 80), 'web2 10.1.0.1', 'masqueraded, by the address of the server\'s network');
	is(seen($client, 'tcp', '198.51.100.1', 80), 'web2 203.0.113.9', 'and only they');
};

# The firewall may have another hardware address now.
sub neighbours_again { $_->must(qw(ip neighbour flush all)) for $inside, $web1, $web2 }

# a bridge of the firewall's own; what crosses it may also pass iptables, which is not what this is about
subtest 'a bridge' => sub {
	must(qw(ip link add br0 type bridge));
	must('sh', '-c', 'cd /proc/sys/net/bridge 2>/dev/null && echo 0 >bridge-nf-call-iptables || true');
	must(qw(ip link set lan master br0));
	my $other = Net::Host::start('other', 'host');
	Bed::prepare($other, 0);
	must(qw(ip link add name port2 type veth peer name eth0 netns), $other->{pid});
	must(qw(ip link set), $_, 'up') for 'br0', 'port2';
	must(qw(ip link set port2 master br0));
	must('ip', 'address', 'del', $_, 'dev', 'lan'), must('ip', 'address', 'add', $_, 'dev', 'br0') for '10.0.0.1/24', '10.1.0.1/24';
	$other->must('sh', '-c', 'ip link set eth0 up; ip address add 10.1.0.77/24 dev eth0; ip route add default via 10.1.0.1');
	$other->ask('timeout', 600);
	neighbours_again();
	start($web, 'portfw -a -P tcp -L 198.51.100.1 81 -R 10.1.0.3 8080');
	is(seen($inside, 'tcp', '198.51.100.1', 80), 'web1 10.0.0.1', 'a client on the server\'s port');
	is(seen($other, 'tcp', '198.51.100.1', 80), 'web1 10.0.0.1', 'on another port, in another network');
	is(seen($other, 'tcp', '198.51.100.1', 81), 'web2 10.1.0.1', 'in the same');
	is(seen($client, 'tcp', '198.51.100.1', 80), 'web1 203.0.113.9', 'and only they');
	must(qw(ip link set lan nomaster));
	must(qw(ip link del port2));
	must(qw(ip link del br0));
	must(qw(ip address add 10.0.0.1/24 dev lan));
	neighbours_again();
	must(qw(ip route replace), $_, qw(via 10.0.0.9)) for '10.9.0.5', '203.0.113.77';
};

subtest 'networks that come and go' => sub {
	start($web);
	my $file = File::Temp->new;
	print $file did('save');
	close $file;
	did('restore', $file->filename);
	my $before = must(qw(nft -a list table ip ipmasqadm));
	did('restore', $file->filename);
	is(must(qw(nft -a list table ip ipmasqadm)), $before, 'the same again changes nothing');
	is(did('restore', '--dry-run', $file->filename), '', 'nor would');
	must(qw(ip address add 10.9.0.1/24 dev lan));
	is(seen($inside, 'tcp', '198.51.100.1', 80, from => '10.9.0.5'), 'web1 10.9.0.5', 'a network that came since: known to no command yet');
	did('restore', $file->filename);
	is(seen($inside, 'tcp', '198.51.100.1', 80, from => '10.9.0.5'), 'web1 10.0.0.1', 'the next command that adds knows it');
	must(qw(ip address del 10.9.0.1/24 dev lan));
	did(split ' ', $web);
	is(seen($inside, 'tcp', '198.51.100.1', 80, from => '10.9.0.5'), 'web1 10.9.0.5', 'and that it has gone');
};

# as at boot: forwards first, addresses later
subtest 'an interface of which nothing is known' => sub {
	must(qw(ip address del 10.0.0.1/24 dev lan));
	start($web);
	must(qw(ip address add 10.0.0.1/24 dev lan));
	is(seen($inside, 'tcp', '198.51.100.1', 80), 'web1 10.0.0.1', 'a client on the link is masqueraded');
	must(qw(ip route replace 10.9.0.5 via 10.0.0.9));
	is(seen($inside, 'tcp', '198.51.100.1', 80, from => '10.9.0.5'), 'web1 10.0.0.1', 'so is one behind a router there');
	is(seen($client, 'tcp', '198.51.100.1', 80), 'web1 203.0.113.9', 'nobody else is');
	did(split ' ', $web);
	is(seen($inside, 'tcp', '198.51.100.1', 80, from => '10.9.0.5'), 'web1 10.9.0.5', 'until a command that adds has seen the network');
};

# "eth*" would be any name with these letters, a quotation mark the end of it
subtest 'interfaces that nft cannot name' => sub {
	my %not = map { $_ => 1 } 'eth*', 'a"};x', "e\e[1m";
	my @names = ('$x', "q'q", 'a;b}', sort keys %not);
	for my $i (0 .. $#names) {
		must(qw(ip link add name), $names[$i], qw(type veth peer name), "peer$i");
		must(qw(ip address add), "10.77.$i.1/24", 'dev', $names[$i]);
		must(qw(ip link set dev), $_, 'up') for $names[$i], "peer$i";
	}
	start();
	my $text = did(split(' ', $web), '--dry-run');
	my $elements = sub { join "\n", sort grep { !/eth\*|\e|a"/ } $_[0] =~ /("\S+" \. [\d.]+-[\d.]+)/g };
	unlike($text, qr/eth\*|\e|a"/, 'what it could not read or a terminal would obey is not printed');
	is(() = $text =~ /^# add element in reach_far: the name of the interface cannot be written for nft$/mg, 6, 'but said');
	nft($text);
	my $read = $elements->(ruleset());
	like($read, qr/"a;b}" \. 10/, 'nft takes the rest');
	did(split ' ', $web);
	is($elements->(ruleset()), $read, 'and it is the same as what the command does');
	did(qw(portfw -f));
	must(qw(ip link del), $_) for @names;
} if $family == 4; # names have no family

done_testing;
