#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The machine's own connections to what it forwards: they go to the forward, the same counts and turns for
# them as for everybody; masqueraded where the server would not answer them otherwise, and nobody else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net qw(:DEFAULT did start);
use Test::More;

my $net = Net->new(local => ['198.51.100.1']);
my $client = $net->host('client', '203.0.113.5');
my ($one, $two) = map { $net->host($$_[0], $$_[1])->listen(80, 7070, 8000) } ['one', '10.0.0.2'], ['two', '10.0.0.3'];
my $firewall = $net->firewall;
$firewall->listen(80);
# a second address of the interface that leads to server one, which answers nobody else
must(qw(ip address add 10.0.0.250/32 dev one preferred_lft 0));
$one->must(qw(ip route add 10.0.0.250/32 dev eth0));
$one->must(qw(ip neighbour add 10.0.0.250 lladdr 02:00:00:00:00:01 dev eth0 nud permanent));
$one->must(qw(ip route del default));

# who answered, and whom it saw
sub own { my ($how, @where) = @_; my $r = $firewall->$how(@where); return join ' ', grep { defined } @$r{qw(name peer_host)} }

for my $how (qw(tcp udp)) {
	for my $laddr ('198.51.100.1', '0.0.0.0') {
		start("portfw -a -P $how -L $laddr 80 -R 10.0.0.2 80");
		is(own($how, '198.51.100.1', 80), 'one 10.0.0.254', "$how to $laddr: the forward, masqueraded");
		is(own($how, '198.51.100.1', 80, from => '203.0.113.254'), 'one 10.0.0.254', '... so is another address of the machine');
		is(own($how, '198.51.100.1', 80, from => '10.0.0.250'), 'one 10.0.0.250', 'an address of the interface that leads there stays');
		is(own($how, '127.0.0.1', 80), 'firewall 127.0.0.1', '127.0.0.1 stays here');
		is(own($how, '203.0.113.254', 80), $laddr eq '0.0.0.0' ? 'one 10.0.0.254' : 'firewall 203.0.113.254', 'another address of this machine');
		start("portfw -a -P $how -L $laddr 80 -R 10.0.0.3 80");
		is(own($how, '198.51.100.1', 80), 'two 10.0.0.254', 'also where the server would answer');
		is(($client->$how('198.51.100.1', 80))->{peer_host}, '203.0.113.5', 'a client outside stays itself');
	}
}

subtest 'one count, and the same turns' => sub {
	start('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 3', 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 2',
		'portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.3 80');
	$one->must(qw(ip route add default via 10.0.0.254));
	my @who = map { ($_ % 2 ? $firewall : $client)->tcp('198.51.100.1', 80)->{name} } 1 .. 20;
	is("@who", join(' ', ('one one two two two') x 4), 'turns go on over both');
	$_->tcp('198.51.100.1', 81) for ($client, $firewall) x 3;
	is_deeply([did(qw(portfw -l -n -v)) =~ /^TCP .* (\d+)$/mg], [6, 8, 12], 'counted exactly');
	$one->must(qw(ip route del default));
};

subtest 'marks' => sub {
	start('mfw -A -m 7 -r 10.0.0.2 80');
	nft('table ip marks { chain out { type route hook output priority -150; tcp dport { 80, 81 } meta mark set 7; }; }');
	is(own('tcp', '198.51.100.1', 81), 'one 10.0.0.254', 'a connection of a mark');
	is(own('tcp', '127.0.0.1', 80), 'firewall 127.0.0.1', 'not to 127.0.0.1');
	did(qw(portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.3 80));
	is(own('tcp', '198.51.100.1', 81), 'one 10.0.0.254', 'marks go first');
};

subtest 'ranges and control connections' => sub {
	start('autofw -A -r tcp 8000 8010 -h 10.0.0.2', 'autofw -A -p udp 9000 10.0.0.2:80');
	is(own('tcp', '198.51.100.1', 8000), 'one 10.0.0.254', 'a range');
	is(own('udp', '198.51.100.1', 9000), 'one 10.0.0.254', 'a port');
	start('autofw -A -r udp 6970 7170 -c tcp 7070', 'autofw -A -r udp 6970 7170 -c tcp 7071 -i',
		'portfw -a -P tcp -L 198.51.100.1 7070 -R 10.0.0.2 7070', 'portfw -a -P tcp -L 198.51.100.1 7071 -R 10.0.0.2 7070');
	is(own('tcp', '198.51.100.1', 7070), 'one 10.0.0.254', 'a connection to a control port inside');
	unlike(did(qw(autofw -L -n)), qr/receiver/, 'is nobody\'s contact outside');
};

# In chains of others at their usual place, and at one before ours: the address they have is theirs to say.
subtest 'forwards of others' => sub {
	for my $priority (-100, -150) {
		start('portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80', 'portfw -a -P tcp -L 0.0.0.0 82 -R 10.0.0.2 80');
		nft("table ip others { chain out { type nat hook output priority $priority; ip daddr 198.51.100.1 tcp dport { 80, 82 } dnat to 10.0.0.3:80; }; }");
		is(own('tcp', '198.51.100.1', 80), 'two 198.51.100.1', "at $priority: not masqueraded");
		is(own('tcp', '198.51.100.1', 81), 'one 10.0.0.254', 'ours is') ;
		is(own('tcp', '198.51.100.1', 82), $priority < -102 ? 'two 198.51.100.1' : 'one 10.0.0.254', 'who comes first has it');
	}
};

subtest 'an administrator\'s own snat' => sub {
	for my $rule ('type nat hook postrouting priority srcnat; ip daddr 10.0.0.2 snat to 10.0.0.250',
			'type nat hook postrouting priority -5; ip daddr 10.0.0.2 snat to 10.0.0.250') {
		start('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80');
		nft("table ip admin { chain post { $rule; }; }");
		is(own('tcp', '198.51.100.1', 80), 'one 10.0.0.250', "goes before ours: $rule");
	}
};

subtest 'running connections' => sub {
	start('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80', 'portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.2 80');
	is($firewall->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'one', 'begun');
	is($firewall->open(2, 'udp', '198.51.100.1', 80)->{name}, 'one', 'begun');
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80));
	is($firewall->say($_)->{name}, 'one', 'goes on beside another target') for 1, 2;
	did(qw(portfw -f));
	is($firewall->say($_)->{name}, 'one', 'and after the last flush') for 1, 2;
	is(own('tcp', '198.51.100.1', 80), 'firewall 198.51.100.1', 'which a new one notices');
	$firewall->close($_) for 1, 2;
};

subtest 'what it teaches nft can read' => sub {
	start('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80', 'portfw -a -P tcp -L @lo 81 -R 10.0.0.2 80');
	is(own('tcp', '198.51.100.1', $_), 'one 10.0.0.254', 'forwarded') for 80, 81;
	is(own('tcp', '198.51.100.1', 80, from => '10.0.0.250'), 'one 10.0.0.250', 'and not masqueraded');
	$client->tcp('198.51.100.1', 80);
	my $table = must(qw(nft list table ip ipmasqadm));
	must(qw(nft delete table ip ipmasqadm));
	nft($table);
	is(own('tcp', '198.51.100.1', $_), 'one 10.0.0.254', 'and again') for 80, 81;
};

subtest 'a server of this machine' => sub {
	start('portfw -a -P tcp -L 198.51.100.1 8080 -R 203.0.113.254 80');
	is(own('tcp', '198.51.100.1', 8080), 'firewall 198.51.100.1', 'the address stays');
};

done_testing;
