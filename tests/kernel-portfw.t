#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# portfw on nf_tables, with real packets: who gets the connection, whom the server sees, and what
# commands leave alone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use Test::More;
use Time::HiRes 'sleep';

my $net = Net->new(local => ['198.51.100.1', '198.51.100.2']);
my $client = $net->host('client', '203.0.113.5', '203.0.113.6');
my $one = $net->host('one', '10.0.0.2')->listen(80, 8080);
my $two = $net->host('two', '10.0.0.3')->listen(80, 8080);
$net->firewall->listen(80, 81);

sub portfw {
	my ($status, $out, $err) = ipmasqadm('portfw', @_);
	is("$status$err", '0', "portfw @_");
	return $out;
}

# nobody is in the way when there is nothing of ours
sub clear {
	forget();
	ipmasqadm(qw(portfw -f));
}

sub settle {
	my ($host) = @_;
	for (1 .. 5) {
		sleep(0.6);
		$host->say(1);
	}
}

subtest 'TCP and UDP, replies, and the client is seen as itself' => sub {
	for my $protocol (qw(tcp udp)) {
		portfw('-a', '-P', $protocol, qw(-L 198.51.100.1 80 -R 10.0.0.2 8080));
		for my $from ('203.0.113.5', '203.0.113.6') {
			my $got = $client->$protocol('198.51.100.1', 80, from => $from);
			is($got->{name}, 'one', "$protocol from $from is answered by the server");
			is($got->{peer_host}, $from, 'who saw the client');
			is($got->{at}, '10.0.0.2:8080', 'at its own port');
		}
		is($client->$protocol('198.51.100.1', 81)->{name}, 'firewall', 'another port stays here');
		is($client->$protocol('198.51.100.2', 80)->{name}, 'firewall', 'another address stays here');
	}
	portfw(qw(-d -P tcp -L 198.51.100.1 80));
	is($client->tcp('198.51.100.1', 80)->{name}, 'firewall', 'deleted: not forwarded');
	is($client->udp('198.51.100.1', 80)->{name}, 'one', 'the other protocol stays');
	clear();
};

# Every command that takes a target away, with a connection running to it.
my %change = (
	'an edit' => [[qw(-a -P PROTO -L 198.51.100.1 80 -R 10.0.0.2 8080 -p 7)], 'one'],
	'another target' => [[qw(-a -P PROTO -L 198.51.100.1 80 -R 10.0.0.3 8080 -p 9)], 'two'],
	'a delete of one of two' => [[qw(-d -P PROTO -L 198.51.100.1 80 -R 10.0.0.2 8080)], 'two'],
	'a delete of the last forward' => [[qw(-d -P PROTO -L 198.51.100.1 80)], 'firewall'],
	'a flush' => [['-f'], 'firewall'],
);

for my $protocol (qw(tcp udp)) {
	for my $what (sort keys %change) {
		subtest "$what leaves a running $protocol connection alone" => sub {
			my ($command, $next) = @{$change{$what}};
			my @forward = ('-a', '-P', $protocol, '-L', '198.51.100.1', 80, '-R');
			portfw(@forward, '10.0.0.3', 8080) if $what =~ /one of two/;
			portfw(@forward, '10.0.0.2', 8080);
			is($client->open(1, $protocol, '198.51.100.1', 80)->{name}, 'one', 'it runs');
			# conntrack's notion of a running flow: both have spoken for more than two seconds
			settle($client) if $protocol eq 'udp' && $next eq 'firewall';
			portfw(map { s/PROTO/$protocol/r } @$command);
			is($client->say(1)->{name}, 'one', 'it still runs');
			is($client->$protocol('198.51.100.1', 80)->{name}, $next, "a new one goes to $next");
			is($client->say(1)->{name}, 'one', 'and beside that, it still runs');
			$client->close(1);
			clear();
		};
	}
}

subtest 'the table stays for a running connection, and goes after it' => sub {
	my $ours = sub { ruleset() =~ /table ip ipmasqadm/ ? 'there' : 'gone' };
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
	is($client->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'one', 'a connection');
	portfw(qw(-d -P tcp -L 198.51.100.1 80));
	is($ours->(), 'there', 'deleted: the chains stay, since nobody else has one');
	is(scalar(() = portfw(qw(-l -n)) =~ /\n/g), 1, 'without a forward');
	$client->close(1);
	for (1 .. 20) {    # both ends have to say so
		portfw('-f');
		last if $ours->() eq 'gone';
		sleep(0.1);
	}
	is($ours->(), 'gone', 'it is over: the next flush takes them away');

	must(qw(nft add table ip other));
	must('nft', 'add chain ip other post { type nat hook postrouting priority srcnat; }');
	must(qw(nft add rule ip other post ip saddr 192.0.2.1 masquerade));
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
	is($client->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'one', 'beside a nat chain of others');
	portfw(qw(-d -P tcp -L 198.51.100.1 80));
	is($ours->(), 'gone', 'the table goes at once');
	is($client->say(1)->{name}, 'one', 'and the connection runs on');
	$client->close(1);
	must(qw(nft delete table ip other));
	clear();
};

subtest '0.0.0.0 is any address of this machine' => sub {
	portfw(qw(-a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 8080 -p 1));
	is($client->tcp($_, 80)->{at}, '10.0.0.2:8080', $_) for '198.51.100.1', '198.51.100.2';
	$net->local('198.51.100.9');
	is($client->tcp('198.51.100.9', 80)->{at}, '10.0.0.2:8080', 'also one that came later');
	is($client->tcp('10.0.0.3', 80)->{name}, 'two', 'what only passes through is not captured');
	is($client->udp('198.51.100.1', 80)->{name}, 'firewall', 'nor the other protocol');
	portfw(qw(-a -P tcp -L 198.51.100.2 80 -R 10.0.0.3 8080));
	is($client->tcp('198.51.100.2', 80)->{name}, 'two', 'an exact address wins');
	is($client->tcp('198.51.100.1', 80)->{name}, 'one', 'elsewhere any address stays');
	portfw(qw(-d -P tcp -L 198.51.100.2 80));
	is($client->tcp('198.51.100.2', 80)->{name}, 'one', 'back to any address');
	portfw(qw(-a -P tcp -L 0.0.0.0 80 -R 10.0.0.3 8080 -p 1));
	is_deeply($client->many('tcp', '198.51.100.1', 80, 10), {one => 5, two => 5}, 'balanced too');
	portfw(qw(-d -P tcp -L 0.0.0.0 80));
	is($client->tcp('198.51.100.1', 80)->{name}, 'firewall', 'deleted');
	$net->not_local('198.51.100.9');
	clear();
};

subtest 'balanced by pref, over any number of targets' => sub {
	my $three = $net->host('three', '10.0.0.4')->listen(8080);
	portfw(qw(-a -P udp -L 198.51.100.1 80 -R), "10.0.0.$_", 8080, '-p', $_) for 2 .. 4;
	is_deeply($client->many('udp', '198.51.100.1', 80, 900), {one => 200, two => 300, three => 400},
		'900 flows over prefs 2, 3 and 4');
	clear();
};

subtest 'routed past us: a forwarded port of another host' => sub {
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
	for my $protocol (qw(tcp udp)) {
		is($client->$protocol('10.0.0.3', 80)->{at}, '10.0.0.3:80', "$protocol gets there");
		is($one->$protocol('10.0.0.3', 80)->{peer_host}, '10.0.0.2', 'between inside hosts as well');
	}
	clear();
};

subtest 'foreign rules stay as they were, and our table comes and goes' => sub {
	nft(<<'	END');
	table ip nat {
		map targets { type inet_service : ipv4_addr; elements = { 8081 : 10.0.0.3 } }
		chain prerouting {
			type nat hook prerouting priority dstnat
			tcp dport 8081 dnat to 10.0.0.3:8080
		}
		chain postrouting {
			type nat hook postrouting priority srcnat
			ip saddr 10.0.0.0/24 oifname "uplink" masquerade
		}
	}
	table inet filter {
		chain forward {
			type filter hook forward priority filter
			ct state established,related accept
		}
	}
	END
	my $before = ruleset();
	my $add = sub { portfw(qw(-a -P tcp -L 198.51.100.1), 80 + $_[0], qw(-R 10.0.0.2 8080)) };
	$add->($_) for 0 .. 9;
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 8080));
	isnt(ruleset(), $before, 'our table is there');
	is($client->tcp('198.51.100.1', 8081)->{name}, 'two', 'their rule works on');
	forget();
	portfw(qw(-d -P tcp -L 198.51.100.1), 80 + $_) for 0 .. 9;
	is(ruleset(), $before, 'after the last delete only what was there before');
	$add->($_) for 0 .. 9;
	portfw('-f');
	is(ruleset(), $before, 'after a flush as well');
	portfw('-f');
	is(ruleset(), $before, 'and after a flush of nothing');
	my ($status) = ipmasqadm(qw(portfw -d -P tcp -L 198.51.100.1 80));
	is($status, 1, 'a delete of nothing fails');
	is(ruleset(), $before, 'and leaves nothing either');
	must(qw(nft flush ruleset));
};

for my $iptables (qw(iptables-legacy iptables-nft)) {
	my $lacking = lacking($iptables, !run($iptables, qw(-t nat -L -n)));
	SKIP: {
		skip $lacking, 1 if $lacking;
		subtest "beside $iptables" => sub {
			must($iptables, qw(-t nat -A PREROUTING -p tcp -d 198.51.100.1 --dport 8081 -j DNAT --to 10.0.0.3:8080));
			my $before = must("$iptables-save", '-t', 'nat');
			portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
			is($client->tcp('198.51.100.1', 80)->{name}, 'one', "ours works beside $iptables");
			is($client->tcp('198.51.100.1', 8081)->{name}, 'two', 'theirs too');
			portfw('-f');
			s/^#.*\n//mg for $before, my $after = must("$iptables-save", '-t', 'nat');
			is($after =~ s/\[\d+:\d+\]//gr, $before =~ s/\[\d+:\d+\]//gr, 'theirs is as it was');
			must($iptables, qw(-t nat -F));
		};
	}
}

done_testing;
