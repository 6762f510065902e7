#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# mfw on nf_tables, with real packets that the administrator's own rules have marked.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use File::Temp ();
use POSIX ();
use Test::More;
use Time::HiRes 'usleep';

my $net = Net->new(local => ['198.51.100.1', '198.51.100.2']);
my $client = $net->host('clientA', '203.0.113.5', '203.0.113.6');
my $hostA = $net->host('hostA', '10.0.0.2')->listen(22, 80, 8080);
my $hostB = $net->host('hostB', '10.0.0.3')->listen(22, 80, 8080);
my $hostC = $net->host('hostC', '10.0.0.4')->listen(22, 80, 8080);
my $firewall = $net->firewall->listen(22, 80, 8080);

# names, for the commands as the manual has them
my $hosts = File::Temp->new;
print $hosts Net::to_six(<<END);
127.0.0.1 localhost
198.51.100.1 yours.com
203.0.113.5 clientA
10.0.0.2 hostA
10.0.0.3 hostB
10.0.0.4 hostC
END
close $hosts;
must('mount', '--bind', $hosts->filename, '/etc/hosts');

sub mfw {
	my ($status, $out, $err) = ipmasqadm('mfw', @_);
	is("$status$err", '0', "mfw @_");
	return $out;
}

sub clear {
	forget();
	ipmasqadm(qw(mfw -F));
	ipmasqadm(qw(portfw -f));
	run(qw(nft delete table ip admin));
}

sub marking {
	my ($rules, $priority) = @_;
	nft("table ip admin { chain prerouting {\ntype filter hook prerouting priority "
		. ($priority // 'mangle') . "\n$rules\n}\n}");
}

# The manual's examples: what marks, with nft and with iptables; the commands; who is to be reached.
my @examples = (
	{
		what => 'all web traffic, hostB serves twice as many',
		nft => 'ip daddr yours.com tcp dport 80 meta mark set 1',
		iptables => '-p tcp --syn -d yours.com --dport 80 -j MARK --set-mark 1',
		commands => [[qw(-I -m 1 -r hostA 80 -p 10)], [qw(-I -m 1 -r hostB 80 -p 20)]],
		check => sub {
			is_deeply($client->many('tcp', '198.51.100.1', 80, 90), {hostA => 30, hostB => 60}, '90 connections');
			is($client->tcp('198.51.100.1', 80, from => '203.0.113.6')->{peer_host}, '203.0.113.6',
				'the server sees the client');
			is($client->tcp('198.51.100.1', 8080)->{name}, 'firewall', 'other ports stay here');
			is($client->tcp('198.51.100.2', 80)->{name}, 'firewall', 'other addresses too');
		},
	},
	{
		what => 'ssh from one outside client to an inside host',
		nft => 'ip saddr clientA ip daddr yours.com tcp dport 22 meta mark set 2',
		iptables => '-p tcp --syn -s clientA -d yours.com --dport 22 -j MARK --set-mark 2',
		commands => [[qw(-I -m 2 -r hostB 22)]],
		check => sub {
			is($client->tcp('198.51.100.1', 22, from => '203.0.113.5')->{at}, '10.0.0.3:22', 'the client');
			is($client->tcp('198.51.100.1', 22, from => '203.0.113.6')->{name}, 'firewall', 'another client');
		},
	},
	{
		what => 'all traffic from one outside client to an inside host',
		nft => 'ip saddr clientA ip daddr yours.com meta mark set 3',
		iptables => '-s clientA -d yours.com -j MARK --set-mark 3',
		commands => [[qw(-I -m 3 -r hostB)]],
		check => sub {
			for my $port (22, 80, 8080) {
				for my $protocol (qw(tcp udp)) {
					is($client->$protocol('198.51.100.1', $port, from => '203.0.113.5')->{at}, "10.0.0.3:$port",
						"$protocol $port goes to the same port there");
				}
			}
			is($client->tcp('198.51.100.1', 80, from => '203.0.113.6')->{name}, 'firewall', 'another client');
		},
	},
);

for my $kind (qw(nft iptables-nft iptables-legacy)) {
	for my $example (@examples) {
		subtest "the manual: $example->{what}, marked by $kind" => sub {
			my $lacking = lacking($kind, !run($kind eq 'nft' ? qw(nft -v) : ($kind, qw(-t mangle -L -n))));
			plan skip_all => $lacking if $lacking;
			if ($kind eq 'nft') {
				marking($example->{nft});
			} else {
				must($kind, qw(-t mangle -A PREROUTING), split ' ', $example->{iptables});
			}
			mfw(@$_) for @{$example->{commands}};
			$example->{check}->();
			must($kind, qw(-t mangle -F)) if $kind ne 'nft';
			clear();
		};
	}
}

subtest 'a mark of any prerouting chain up to mangle is seen' => sub {
	for my $priority (qw(raw -200 mangle)) {
		marking('ip daddr 198.51.100.1 meta mark set 0x80000001', $priority);
		mfw(qw(-A -m 0x80000001 -r hostA));
		is($client->$_('198.51.100.1', 80)->{name}, 'hostA', "$_, marked at $priority") for qw(tcp udp);
		like(mfw('-L', '-n'), qr/^2147483649 /m, 'listed unsigned');
		clear();
	}
};

subtest 'only what is addressed to this machine' => sub {
	marking('meta mark set 1');
	mfw(qw(-A -m 1 -r hostA));
	is($client->$_('10.0.0.3', 80)->{name}, 'hostB', "$_ that passes through goes its way") for qw(tcp udp);
	is($client->$_('198.51.100.2', 80)->{name}, 'hostA', "$_ to any address of ours") for qw(tcp udp);
	clear();
};

subtest 'TCP only with SYN and without ACK, UDP, nothing else' => sub {
	$client->open(1, 'tcp', '198.51.100.1', 80);
	marking('ip daddr 198.51.100.1 meta mark set 1');
	mfw(qw(-A -m 1 -r hostA));
	# to conntrack the next packet of the running connection is the first of a new one
	forget();
	is($client->say(1)->{name}, 'firewall', 'a packet in mid-connection stays here');
	is($client->tcp('198.51.100.1', 80)->{name}, 'hostA', 'a new connection is forwarded');
	$client->close(1);
	SKIP: {
		my $lacking = lacking('ping', !$client->run(qw(ping -c 1 -W 2 198.51.100.2)));
		skip $lacking, 1 if $lacking;
		# hostA would not answer
		nft("table ip deaf { chain input {\ntype filter hook input priority filter\nmeta l4proto icmp drop\n}\n}", $hostA);
		is($client->run(qw(ping -c 1 -W 2 198.51.100.1)), 0, 'a marked ping is answered here');
	}
	clear();
};

subtest 'a marked packet goes to mfw before portfw' => sub {
	marking('ip saddr 203.0.113.5 meta mark set 1');
	ipmasqadm(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80));
	mfw(qw(-A -m 1 -r hostA 80));
	is($client->tcp('198.51.100.1', 80, from => '203.0.113.5')->{name}, 'hostA', 'marked: mfw');
	is($client->tcp('198.51.100.1', 80, from => '203.0.113.6')->{name}, 'hostB', 'unmarked: portfw');
	mfw(qw(-F));
	is($client->tcp('198.51.100.1', 80, from => '203.0.113.5')->{name}, 'hostB', 'no mfw: portfw');
	mfw(qw(-A -m 1 -r hostA 80));
	is(ipmasqadm(qw(portfw -f)), 0, 'portfw -f');
	is($client->tcp('198.51.100.1', 80, from => '203.0.113.5')->{name}, 'hostA', 'leaves mfw alone');
	is($client->tcp('198.51.100.1', 80, from => '203.0.113.6')->{name}, 'firewall', 'and only that');
	clear();
};

subtest 'pref 0 is never scheduled while another has more' => sub {
	marking('meta mark set 1');
	mfw(qw(-A -m 1 -r hostA -p 0));
	is_deeply($client->many('tcp', '198.51.100.1', 80, 3), {hostA => 3}, 'all are 0: the head serves');
	mfw(qw(-A -m 1 -r hostB -p 0));
	is_deeply($client->many('tcp', '198.51.100.1', 80, 3), {hostA => 3}, 'also of two');
	mfw(qw(-E -m 1 -r hostB -p 2));
	is_deeply($client->many('tcp', '198.51.100.1', 80, 5), {hostB => 5}, 'one has more: all go there');
	mfw(qw(-E -m 1 -r hostA -p 1));
	is_deeply($client->many('tcp', '198.51.100.1', 80, 9), {hostA => 3, hostB => 6}, 'and back in the rota');
	clear();
};

# What became of connections that nobody served: what clients were told; what each side dropped or sent
# again; what conntrack refused. A client that gave up shows as timeout with retransmissions, a change
# that let one fall between as refused, without any.
sub fate {
	my ($sum, @clients) = @_;
	diag('clients were told: ', join ', ', map { "$_ $sum->{$_}" } sort keys %$sum);
	my $drops = sub {
		my ($text) = @_;
		my (%value, @names);
		for (split /\n/, $text) {
			my ($what, @words) = split ' ';
			@names = @words, next if !@words || $words[0] =~ /\D/;
			@value{map { "$what$_" } @names} = @words;
		}
		return join ' ', map { "$_=$value{$_}" } grep { /Drop|Overflow|Abort|SynRetrans|Timeouts|AttemptFails/ && $value{$_} } sort keys %value;
	};
	diag("$_->{name}: ", $drops->(scalar $_->must('cat', '/proc/net/netstat', '/proc/net/snmp'))) for @clients, values %{$net->{hosts}};
	diag('conntrack, hexadecimal: ', scalar must('cat', '/proc/net/stat/nf_conntrack'));
	diag(scalar must(qw(nft list table ip ipmasqadm)));
}

subtest 'draining under load' => sub {
	my @load = map { $net->host("load$_", "203.0.113.10$_") } 1 .. 4;
	my $n = $slow ? 500 : 3000;
	marking('ip daddr 198.51.100.1 meta mark set 1');
	mfw(qw(-A -m 1 -r hostA), '-p', $_) for 3;
	mfw(qw(-A -m 1 -r hostB -p 2));
	mfw(qw(-A -m 1 -r hostC -p 1));
	is($client->open($_, 'tcp', '198.51.100.1', 80)->{name}, 'hostA', 'runs to hostA') for 1 .. 3;
	$_->tell_many('tcp', '198.51.100.1', 80, $n) for @load;
	usleep(20_000);
	mfw(qw(-E -m 1 -r hostA -p 0));
	# what was on its way has arrived
	usleep(50_000);
	my $then = $client->tcp('10.0.0.2', 80)->{count};
	my %sum;
	for my $load (@load) {
		my $got = $load->hear_many;
		$sum{$_} += $got->{$_} for keys %$got;
	}
	my $now = $client->tcp('10.0.0.2', 80)->{count};
	cmp_ok($sum{hostA}, '>', 0, "hostA had got $sum{hostA} of the load");
	cmp_ok($sum{hostA}, '<', 4 * $n / 2, 'before it was drained');
	is($now, $then + 1, 'from then on it got none');
	is($sum{hostA} + $sum{hostB} + $sum{hostC}, 4 * $n, 'every connection was served') or fate(\%sum, @load);
	is($client->say($_)->{name}, 'hostA', 'a running connection goes on') for 1 .. 3;
	clear();
};

subtest '5,000 connections of 8 clients over weighted targets' => sub {
	my @load = map { $net->host("many$_", "203.0.113.20$_") } 1 .. 8;
	my $n = $slow ? 100 : 625;
	my $all = 8 * $n;
	my $spread = sub {
		my ($meanwhile) = @_;
		$_->tell_many('tcp', '198.51.100.1', 80, $n) for @load;
		$meanwhile->() if $meanwhile;
		my %sum;
		for my $load (@load) {
			my $got = $load->hear_many;
			$sum{$_} += $got->{$_} for keys %$got;
		}
		return \%sum;
	};
	marking('ip daddr 198.51.100.1 meta mark set 1');
	mfw(qw(-A -m 1 -r hostA -p 1));
	mfw(qw(-A -m 1 -r hostB -p 2));
	mfw(qw(-A -m 1 -r hostC -p 7));
	my %share = (hostA => $all / 10, hostB => 2 * $all / 10, hostC => 7 * $all / 10);
	is_deeply($spread->(), \%share, "$all connections over prefs 1, 2 and 7");
	is_deeply($spread->(sub {
		for my $i (1 .. 10) {
			ipmasqadm(qw(mfw -A -m 2 -r hostA -p), $i);
			ipmasqadm(qw(mfw -S -m 2));
			ipmasqadm(qw(mfw -L -n));
		}
	}), \%share, 'exact as well beside commands on another mark and listings');
	my $commands = 0;
	my $got = $spread->(sub {
		for my $i (1 .. 10) {
			usleep(2000);
			$commands += !ipmasqadm(qw(mfw -E -m 1 -r hostB -p 2));
		}
	});
	is($commands, 10, '10 edits of the mark itself meanwhile');
	# an edit gives its target a new turn
	for (sort keys %share) {
		cmp_ok(abs($got->{$_} - $share{$_}), '<=', 2 * $commands, "$_: $got->{$_} of $share{$_}");
	}
	clear();
};

subtest 'edits, additions and forced schedules of several processes' => sub {
	my $each = $slow ? 5 : 20;
	mfw(qw(-A -m 1 -r), "10.0.1.$_", '-p', 1) for 1 .. 6;
	my @pids = map {
		my $n = $_;
		my $pid = fork // die "fork: $!\n";
		if (!$pid) {
			my $good = 1;
			for my $i (1 .. $each) {
				$good &&= !ipmasqadm(qw(mfw -E -m 1 -r), "10.0.1.$n", '-p', $i + $n);
				$good &&= !ipmasqadm(qw(mfw -A -m 1 -r), "10.0.2.$n", $i, '-p', $n);
				$good &&= !ipmasqadm(qw(mfw -S -m 1));
				$good &&= !ipmasqadm(qw(mfw -A -m), $n + 1, '-r', "10.0.3.$n", $i, '-p', $i);
			}
			POSIX::_exit($good ? 0 : 1);
		}
		$pid;
	} 1 .. 6;
	my $failed = 0;
	for (@pids) {
		waitpid $_, 0;
		$failed++ if $?;
	}
	is($failed, 0, 'every command succeeded');
	my (undef, @rows) = split /\n/, mfw('-L', '-n');
	my $is = join "\n", sort map { join ' ', (split)[0 .. 2, 4] } @rows;
	my @wanted = map {
		my $n = $_;
		("1 10.0.1.$n 0 " . ($each + $n),
			map { ("1 10.0.2.$n $_ $n", $n + 1 . " 10.0.3.$n $_ $_") } 1 .. $each)
	} 1 .. 6;
	is($is, join("\n", sort @wanted), 'none lost');
	clear();
	unlike(ruleset(), qr/ipmasqadm/, 'nothing is left');
};

subtest 'a target that goes takes its chain along' => sub {
	mfw('-A', '-m', 1, '-r', "10.0.0.$_", 80) for 2 .. 5;
	for (['2', '3 4 5'], ['4', '3 5'], ['5', '3']) {
		my ($gone, $left) = @$_;
		mfw('-D', '-m', 1, '-r', "10.0.0.$gone", 80);
		is(join(' ', sort(ruleset() =~ /chain mark-1-to-10\.0\.0\.(\d)-80 \{/g)), $gone == 5 ? '' : $left, "without 10.0.0.$gone");
	}
	clear();
};

done_testing;
