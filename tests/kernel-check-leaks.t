#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# check leaves nothing behind and disturbs nobody: no packet outside, no count, no turn, no table, no
# logger setting; also not after SIGINT and kill -9. ROUNDS=100 is what check-long runs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use Bed;
use Test::More;
use List::Util 'sum';
use Time::HiRes qw(time usleep);

Bed->new;
my $rounds = $ENV{ROUNDS} // ($Net::slow ? 3 : 12);
my ($client, $isp, $web1) = @$bed{qw(client isp web1)};
my $legacy = !run(qw(iptables-legacy -t filter -L -n));

sub portfw { my ($status, $out, $err) = ipmasqadm('portfw', @_); die "portfw @_: $err" if $status }
my $pf = $family == 6 ? 10 : 2;
sub logger { open my $f, '<', "/proc/sys/net/netfilter/nf_log/$pf" or die; return scalar <$f> }

# what comes over the links to the provider, but for what neighbours ask each other
my $all = $family == 6 ? "meta l4proto != ipv6-icmp counter\niifname { wan, wan2 } icmpv6 type < 128 counter" : 'counter';
nft("table ip count { chain p {\ntype filter hook prerouting priority -500\niifname { wan, wan2 } $all\n}\n}", $isp);
sub outside {
	my @packets = $isp->must(qw(nft list table ip count)) =~ /packets (\d+)/g or die;
	return sum(@packets);
}

# working, balanced, refused, silent, sent astray, reached by a drop
portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
portfw(qw(-a -P tcp -L 198.51.100.1 90 -R), $_, qw(8080 -p 1)) for '10.0.0.2', '10.0.0.3';
portfw(qw(-a -P tcp -L 198.51.100.1 91 -R 10.0.0.2 9999));
portfw(qw(-a -P udp -L 198.51.100.1 53 -R 10.0.0.3 53));
portfw(qw(-a -P udp -L 198.51.100.1 54 -R 10.0.0.3 9999));
portfw(qw(-a -P tcp -L 198.51.100.1 92 -R 10.0.0.99 80)); # nobody there: the router says so by ICMP
portfw(qw(-a -P tcp -L 198.51.100.1 93 -R 10.0.0.3 8080));
portfw(qw(-a -P tcp -L 198.51.100.1 94 -R 10.0.0.3 8080));
nft(<<'END');
table ip admin {
	chain nat { type nat hook prerouting priority -110; tcp dport 93 dnat to 203.0.113.77:80; }
	chain forward { type filter hook forward priority 0; meta l4proto tcp ct original proto-dst 94 reject with tcp reset; }
}
END
run('iptables-legacy', qw(-A FORWARD -p tcp --dport 7777 -j DROP)) if $legacy;
$client->many('tcp', '198.51.100.1', 90, 3); # in the middle of a turn

sub state {
	return join "\n", must(qw(nft list ruleset)) =~ s/ expires \w+//gr, ipmasqadm(qw(portfw -l -n -v)), must(qw(ip -o link)), logger(), ;
}

my %want = (80 => 'ok', 91 => 'refused', 53 => 'ok', 54 => 'refused', 92 => 'host-down', 93 => 'other-nat', 94 => 'filter');
my $before = state();
my $start = outside();
cmp_ok($start, '>', 0, 'packets outside are counted');
for my $round (1 .. 2) {
	my ($status, $array, $text) = json_check();
	my %got = map { $_->{service} =~ /:(\d+)$/ ? ($1 => $_->{code}) : () } @$array;
	is_deeply({map { $_ => $got{$_} } keys %want}, \%want, 'the verdicts') or diag($text);
}
is(state(), $before, 'no count, turn, element, table, interface or logger has changed');
is(outside() - $start, 0, 'no packet has left');
is($web1->must(qw(ss -Htn state syn-recv)), '', 'the server has nothing half open');
is_deeply($client->many('tcp', '198.51.100.1', 90, 3), {web1 => 2, web2 => 1}, 'the turn goes on where it was')
	or diag(ipmasqadm(qw(portfw -l -n)));

sub tables { return must(qw(nft list tables)) =~ /ipmasqadm-check/ }

# Starts check and sends it the signal after so long.
sub stop {
	my ($signal, $after) = @_;
	my $pid = fork // die;
	if (!$pid) {
		$SIG{INT} = 'DEFAULT';
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';
		exec $Net::program, qw(check -P tcp -L), Net::to_six('198.51.100.1'), rand() < 0.3 ? 92 : 90;
	}
	usleep($after);
	kill $signal, $pid;
	waitpid $pid, 0;
}

for my $signal (qw(INT KILL)) {
	subtest "SIG$signal at $rounds instants" => sub {
		my $from = outside();
		$before = state();
		my ($tables, $slow) = (0, 0);
		for (1 .. $rounds) {
			stop($signal, 1000 + int rand(rand() < 0.7 ? 120_000 : 600_000));
			$slow += !wait_for(0.15, sub { logger() !~ /nfnetlink_log/ });
			$tables += !wait_for(3, sub { !tables() });
		}
		is($tables, 0, 'no table stays');
		is($slow, 0, 'the logger is restored at once');
		usleep(300_000);
		is(state(), $before, 'nothing has changed');
		is(outside() - $from, 0, 'no packet has left');
		is($web1->must(qw(ss -Htn state syn-recv)), '', 'the server has nothing half open');
	};
}

# its answer comes when check is gone; 90 bytes a second, of which a ping takes the first 120
subtest 'a server that takes its time' => sub {
	my ($device) = $web1->must(qw(ip -o link show type veth)) =~ /^\d+: (\w+)/ or die;
	$web1->must('tc', 'qdisc', 'add', 'dev', $device, qw(root tbf rate 720bit burst 120 latency 9s));
	$web1->run('ping', '-c', 1, '-W', 1, Net::to_six('10.0.0.1'));
	my $from = outside();
	my $pid = fork // die;
	if (!$pid) {
		open STDOUT, '>', '/dev/null';
		exec $Net::program, qw(check -P tcp -L), Net::to_six('198.51.100.1'), 80;
	}
	ok(wait_for(10, sub { $web1->must(qw(ss -Htn state syn-recv)) ne '' }), 'it has begun to answer');
	kill KILL => $pid;
	waitpid $pid, 0;
	ok(wait_for(3, sub { !tables() }), 'no table stays');
	usleep(1_500_000);
	is(outside() - $from, 0, 'no packet has left');
	$web1->must('tc', 'qdisc', 'del', 'dev', $device, 'root');
};

subtest 'others go on undisturbed' => sub {
	$client->open('a', 'tcp', '198.51.100.1', 80);
	my $pid = fork // die;
	if (!$pid) {
		open STDOUT, '>', '/dev/null';
		# not 92, which waits
		for (1 .. 10) {
			system $Net::program, qw(check -P tcp -L), Net::to_six('198.51.100.1'), $_ for 80, 90;
		}
		POSIX::_exit(0);
	}
	my ($failed, $wrong) = (0, 0);
	for my $port (1000 .. 1049) {
		$failed += 0 != ipmasqadm(qw(portfw -a -P tcp -L 198.51.100.1), $port, qw(-R 10.0.0.3 8080));
		$wrong += $client->tcp('198.51.100.1', $port)->{name} ne 'web2' if $port % 5 == 0;
		$failed += 0 != ipmasqadm(qw(portfw -d -P tcp -L 198.51.100.1), $port);
	}
	is($failed, 0, '100 adds and deletes beside it');
	is($wrong, 0, 'whose connections get through');
	is($client->say('a')->{name}, 'web1', 'a connection that runs goes on');
	waitpid $pid, 0;
	ok(!tables(), 'and no table stays');
};

subtest 'several checks at once' => sub {
	my @pids = map {
		my $pid = fork // die;
		if (!$pid) {
			open STDOUT, '>', '/dev/null';
			exec $Net::program, qw(check -P tcp -L), Net::to_six('198.51.100.1'), 80;
		}
		$pid;
	} 1 .. 8;
	is(join(' ', map { waitpid $_, 0; $? } @pids), join(' ', (0) x 8), 'all say OK');
	unlike(logger(), qr/nfnetlink_log/, 'and the logger is what it was');
};

run(qw(iptables-legacy -F)) if $legacy;
done_testing;
