#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Two firewalls as ipmasqadm-ha(7) sets them up, with the real keepalived, conntrackd and sshd: its
# commands and files are run as they stand.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../net", "$FindBin::Bin/../lib", $FindBin::Bin;
use Net;
use Node;
use POSIX ();
use Page;
use Test::More;
use Time::HiRes qw(sleep time);

my $page = 'ipmasqadm-ha.7';
for my $needed (qw(keepalived conntrackd sshd ssh-keyscan nsenter)) {
	my $lacking = lacking($needed, !run('sh', '-c', "command -v $needed"));
	plan skip_all => $lacking if $lacking;
}

my $net = Net->new;
Node::switch($_) for qw(outside inside between);

# ---- who there is ----

my %own = (first => [qw(198.51.100.2/24 10.0.0.2/24 192.168.9.1/24)],
	second => [qw(198.51.100.3/24 10.0.0.3/24 192.168.9.2/24)]);
my %node = map { $_ => Node->new($_) } keys %own;
my ($first, $second) = @node{qw(first second)};
my $vip = '198.51.100.7';

sub host {
	my ($name, $switch, @addresses) = @_;
	my $host = Net::Host::start($name, 'host');
	Node::plug_in($host->{pid}, $name, 'eth0', $switch, @addresses);
	$host->must(qw(ip route add default via 10.0.0.254)) if $switch eq 'inside';
	return $host;
}

my $client = host('client', 'outside', '198.51.100.50/24');
my $web1 = host('web1', 'inside', '10.0.0.11/24')->listen(8080, 53, 7001, 9001);
my $web2 = host('web2', 'inside', '10.0.0.12/24')->listen(8080, 53);
my $inner = host('inner', 'inside', '10.0.0.20/24');

my @helpers;
END { local $?; kill KILL => $_ for @helpers }

sub helper {
	my ($host, @args) = @_;
	pipe my $in, my $tell or die;
	pipe my $hear, my $out or die;
	my $pid = fork // die;
	if (!$pid) {
		open STDIN, '<&', $in;
		open STDOUT, '>&', $out;
		exec qw(nsenter --net -t), $host->{pid}, '--', "$FindBin::Bin/flow", @args or POSIX::_exit(127);
	}
	push @helpers, $pid;
	$tell->autoflush(1);
	return bless {name => "flow $args[0]", pid => $pid, tell => $tell, hear => $hear}, 'Net::Host';
}

my $marking = "table ip admin {\nchain prerouting {\ntype filter hook prerouting priority mangle\n"
	. "ip daddr $vip tcp dport 9001 meta mark set 1\n}\n}\n";
my $forwards = join '', map { "ipmasqadm $_\n" } 'portfw -f', 'mfw -F', 'autofw -F',
	"portfw -a -P tcp -L $vip 80 -R 10.0.0.11 8080",
	(map { "portfw -a -P tcp -L $vip 81 -R 10.0.0.$_ 8080 -p 1" } 11, 12),
	"portfw -a -P tcp -L $vip 82 -R 10.0.0.11 9000",
	(map { "portfw -a -P udp -L $vip 53 -R 10.0.0.$_ 53 -p 2" } 11, 12),
	(map { "mfw -A -m 1 -r 10.0.0.$_->[0] $_->[1] -p 3" } [11, 9001], [12, 8080]),
	'autofw -A -r tcp 7000 7010 -h 10.0.0.11';
my $count = 9;

# What a firewall does at boot before the units that the page enables.
sub boot {
	my ($node) = @_;
	$node->boot;
	my $own = $own{$node->{name}};
	$node->plug('eth0', 'outside', $own->[0]);
	$node->plug('eth1', 'inside', $own->[1]);
	$node->plug('eth2', 'between', $own->[2]);
	$node->must('sh', '-c', "printf '%s' '$marking' | nft -f -");
	$node->must('/usr/sbin/sshd');
	$node->sh('[ -e /etc/ipmasqadm-hairpin.nft ] && nft -f /etc/ipmasqadm-hairpin.nft;
		[ -e /etc/ipmasqadm.conf ] && ipmasqadm restore /etc/ipmasqadm.conf;
		[ -d /etc/enabled ] && sysctl -q -p /etc/sysctl.d/80-ipmasqadm-pair.conf &&
		systemctl start conntrackd && systemctl start keepalived ipmasqadm-pull.timer');
}

sub serves { my ($node) = @_; return ($node->run('ip', 'address', 'show', 'to', "$vip/32"))[1] ne '' }
sub gate   { my ($node) = @_; return !$node->sh('nft list table ip pair_gate >/dev/null 2>&1') }

# root of the first may log in at the second and at itself
for my $node ($first, $second) {
	$node->boot;
	$node->must('sh', '-c', "mkdir -p -m 700 /root/.ssh /etc/ssh; rm -f /etc/ssh/ssh_host_*
		ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
		rm -f /etc/ssh/ssh_known_hosts /root/.ssh/*
		printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nListenAddress $own{$node->{name}}[2]\nPidFile none\nPermitRootLogin yes\nUsePAM no\n' |
		sed 's,/24,,' >/etc/ssh/sshd_config");
	$node->crash;
	boot($node);
}
$first->must('sh', '-c', "ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
	printf 'Host *\nStrictHostKeyChecking accept-new\n' >/root/.ssh/config");
my $login = $first->must('cat', '/root/.ssh/id_ed25519.pub');
$_->must('sh', '-c', "echo '$login' >>/root/.ssh/authorized_keys; chmod 600 /root/.ssh/*") for $first, $second;

# ---- the page ----

my $set_up = subtest 'the page, command by command' => sub {
	is(run('mandoc', '-Tlint', '-Wwarning', "$FindBin::Bin/../../man/$page"), 0, 'mandoc finds nothing')
		unless lacking('mandoc', !run('sh', '-c', 'command -v mandoc'));
	is(($first->sh("printf '%s' '$forwards' | ipmasqadm restore -"))[2], '', 'forwards to begin with');
	my @all = map { commands($_) } literals($page, 'INSTALL');
	cmp_ok(scalar @all, '>=', 10, scalar(@all) . ' commands');
	for (grep { $_->[0] !~ /apt-get/ } @all) {
		my ($status, $out, $err) = $first->sh($_->[0]);
		is("$status$out", '0', $_->[0] =~ s/\n.*//sr) or diag $err;
	}
	ok(wait_for(15, sub { serves($first) && !gate($first) && gate($second) }), 'the first one serves');
	sleep 1;
	for (map { commands($_) } literals($page, 'TEST')) {
		my ($command, $output) = @$_;
		my $end = time + 40;
		my ($status, $out, $err) = $first->sh($command);
		while ("$status$out" ne "0$output" && $command =~ /check-pair/ && time < $end) {
			sleep 1;
			($status, $out, $err) = $first->sh($command);
		}
		$output =~ s/\b6 forwards/$count forwards/;
		is("$status$out", "0$output", $command =~ s/\n//r) or diag $err;
	}
	# for what follows the first one serves again
	$second->must(qw(systemctl restart keepalived));
	ok(wait_for(10, sub { serves($first) && !serves($second) && gate($second) }), 'and back');
};

# Without a pair there is nothing to see.
if (!$set_up) {
	diag "$_->{name}\n" . ($_->log_of)[1] for $first, $second;
	done_testing;
	exit 1;
}

# ---- load ----

helper($web1, 'source', 9000);
my $flow = helper($client, 'client', 10_000, 60_000);
my $inside = helper($inner, 'client', 10_000, 60_000);

# 45 connections from outside and 5 from inside, 12 flows
sub begin {
	my @wrong;
	for (['portfw', 'tcp', 80, 10], ['balanced', 'tcp', 81, 10], ['mfw', 'tcp', 9001, 10], ['autofw', 'tcp', 7001, 10],
		['download', 'get', 82, 5], ['udp', 'udp', 53, 12]) {
		my ($kind, $protocol, $port, $n) = @$_;
		my $answer = $flow->ask('open', $kind, $protocol, '198.51.100.50', $vip, $port, $n);
		push @wrong, "$kind: $answer" if $answer ne 'ok';
	}
	my $answer = $inside->ask(qw(open hairpin tcp 10.0.0.20), $vip, 80, 5);
	push @wrong, "hairpin: $answer" if $answer ne 'ok';
	is("@wrong", '', '50 connections and 12 flows run');
	is($flow->ask('probe', '198.51.100.50', $vip, 80), 'ok', 'a new one every 50 ms');
}

# What has become of them, $seconds after $event
sub survive {
	my ($what, $limit, $seconds, $event) = @_;
	$_->ask('mark') for $flow, $inside;
	my $begin = time;
	$event->();
	my $left = $begin + $seconds - time;
	sleep $left if $left > 0;
	my $passed = time - $begin;
	my $in = $inside->ask('report');
	my $out = $flow->ask('report');
	my ($served, $refused, $lost, $all) = $out =~ /served=(\S+) refused=(\d+) lost=(\d+) all=(\d+)/;
	my %wrong = (%{{"$out $in" =~ /(\w+) (\d+\/\d+)/g}});
	my ($alive, $total, $udp) = (0, 0, $wrong{udp});
	for (grep { $_ ne 'udp' } keys %wrong) {
		my ($n, $of) = split m{/}, $wrong{$_};
		$alive += $n;
		$total += $of;
	}
	is("$alive of $total", '50 of 50', "$what: running connections live on") or diag "$out $in";
	is($udp, '12/12', "$what: UDP flows too");
	cmp_ok($served, '<', $limit, "$what: new ones are served after $served s");
	is("$refused $lost", '0 0', "$what: none of $all that began 4 s after it failed");
	cmp_ok($all, '>', 10, "$what: there were such") if $seconds > 6;
}

# The backup knows what runs.
sub told {
	my ($node) = @_;
	return wait_for(20, sub {
		my (undef, $out) = $node->sh("timeout 5 conntrackd -e 2>/dev/null | grep -c '$vip'");
		return $out >= 62 && gate($node);
	});
}

# ---- what happens ----

subtest 'crash, return, crash of the other' => sub {
	begin();
	ok(told($second), 'the backup knows them');
	survive('crash', 3, 12, sub { $first->crash });
	# what was answered since the mark was so after the takeover
	survive('crash, 12 s later', 3, 4, sub { });
	boot($first);
	ok(told($first), 'the first one is back, and has been told');
	ok(!serves($first), 'as the backup');
	survive('crash of the other', 3, 12, sub { $second->crash });
	survive('crash of the other, 12 s later', 3, 4, sub { });
	boot($second);
	ok(told($second), 'the second one is back');
};

subtest 'keepalived ends by TERM' => sub {
	survive('TERM', 1, 10, sub {
		$first->must(qw(systemctl stop keepalived));
	});
	ok(serves($second) && gate($first), 'the second one serves, the gate of the first is closed');
	survive('TERM, 10 s later', 3, 4, sub { });
	$first->must(qw(systemctl start keepalived));
	ok(told($first), 'the first one is backup and has been told');
};

# First VRRP alone is cut, then the sync link as well, which is a cable of its own.
sub split_brain {
	my ($cut) = @_;
	my @cables = map { "$_->{name}-eth2" } $first, $second;
	$_->must('nft', 'table ip split { chain in { type filter hook input priority filter; ip protocol 112 drop; }; }')
		for $first, $second;
	if ($cut) {
		Net::must(qw(ip link set), $_, 'down') for @cables;
		is(($first->sh('ping -n -q -c 1 -W 1 192.168.9.2 >/dev/null'))[0], 1, 'the sync link is cut');
	}
	sleep 5;
	ok(serves($first) && serves($second), 'both serve');
	$_->must(qw(nft delete table ip split)) for $first, $second;
	Net::must(qw(ip link set), $_, 'up') for $cut ? @cables : ();
}

for my $cut (0, 1) {
	my $what = $cut ? 'split brain, without the sync link' : 'split brain';
	subtest $what => sub {
		survive("$what of 5 s", 3, 16, sub { split_brain($cut) });
		survive("$what, 16 s later", 3, 4, sub { });
		is((serves($first) ? 1 : 0) + (serves($second) ? 1 : 0), 1, 'one of them serves in the end');
		# the other one knows again what runs
		ok(told(serves($first) ? $second : $first), 'and the backup has been told');
	};
}

# from here on these may change places
my ($master, $backup) = serves($first) ? ($first, $second) : ($second, $first);

subtest 'keepalived and conntrackd killed' => sub {
	survive('conntrackd killed', 1, 6, sub {
		$master->must('sh', '-c', 'kill -9 $(cat /run/systemctl/conntrackd.service.pid)');
	});
	ok(wait_for(10, sub { !$master->sh('timeout 5 conntrackd -s >/dev/null 2>&1') }), 'it is back, in spite of its lock');
	survive('keepalived killed with all its processes', 3, 12, sub {
		$master->must('sh', '-c', 'kill -9 -$(cat /run/systemctl/keepalived.service.pid)');
	});
	survive('12 s later', 3, 4, sub { });
	is((serves($first) ? 1 : 0) + (serves($second) ? 1 : 0), 1, 'one of them serves in the end');
};
($master, $backup) = serves($first) ? ($first, $second) : ($second, $first);

subtest 'the backup heals itself' => sub {
	my $same = sub { ($master->sh('ipmasqadm save'))[1] eq ($backup->sh('ipmasqadm save'))[1] };
	ok(wait_for(30, $same), 'the same on both');
	my @all = grep { !/^ssh / } map { $_->[0] } map { commands($_) } literals($page, 'EVERY DAY');
	is(scalar @all, 2, "the page's commands for a change");
	$master->must('sh', '-c', $_) for @all;
	ok(!$same->(), 'a change on the serving one');
	ok(wait_for(30, $same), 'arrives');
	$backup->must(qw(nft flush ruleset));
	ok(wait_for(30, sub { $same->() && gate($backup) }), 'a flushed ruleset comes back, with the gate');
	$backup->must('sh', '-c', "nft -f /etc/ipmasqadm-hairpin.nft; printf '%s' '$marking' | nft -f -");
	$backup->must('sh', '-c', 'echo rubbish >/etc/ipmasqadm.conf; ipmasqadm portfw -f');
	ok(wait_for(30, $same), 'a broken file of its own');
	my $good = $master->must('cat', '/etc/ipmasqadm.conf');
	$master->must('sh', '-c', "echo 'portfw -a -P upd -L $vip 98 -R 10.0.0.11 80' >>/etc/ipmasqadm.conf");
	ok(wait_for(30, sub { ($backup->log_of)[1] =~ /upd/ }), 'a broken file of the serving one');
	like(($backup->log_of)[1], qr/is wrong, staying with the old one: .*:15: portfw -a -P upd .*did you mean udp\?/,
		'is refused with its line');
	ok($same->(), 'and what was in force stays');
	is($backup->must('cat', '/etc/ipmasqadm.conf'), $good, 'so does the file');
	$master->must('sh', '-c', 'ipmasqadm save /etc/ipmasqadm.conf');
};

subtest 'check-pair names mistakes' => sub {
	my $is = sub {
		my ($what, $pattern, $break, $mend) = @_;
		for my $node ($backup, $master) {
			$backup->must('sh', '-c', $break);
			my ($status, $out, $err) = $node->sh('check-pair');
			is($status, 1, "$what, asked on the " . ($node == $backup ? 'backup' : 'serving one'));
			my $who = $node == $backup ? 'this firewall' : 'the other one \(\S+\)';
			like($out, qr/^$who: $pattern/m, 'is named') or diag $err;
			$backup->sh($mend);
		}
	};
	ok(wait_for(30, sub { !$backup->sh('check-pair') }), 'nothing wrong') or diag(($backup->sh('check-pair'))[1]);
	$_->must(qw(systemctl stop ipmasqadm-pull.timer)) for $first, $second;
	$is->('no forwards', qr/no forwards here \(backup\)/, 'ipmasqadm portfw -f; ipmasqadm mfw -F; ipmasqadm autofw -F', 'ipmasqadm-pull');
	$is->('masquerade', qr/masquerade in ip masq: .*10\.0\.0\.0.*snat to 10\.0\.0\.254/,
		'nft "table ip masq { chain p { type nat hook postrouting priority srcnat; ip saddr 10.0.0.0/24 masquerade; }; }"',
		'nft delete table ip masq');
	$is->('no hairpin', qr{no snat to 10\.0\.0\.254: .*nft -f /etc/ipmasqadm-hairpin\.nft, or ipmasqadm reach -d inside},
		'nft delete table ip pair_hairpin', 'nft -f /etc/ipmasqadm-hairpin.nft');
	$is->('the address filtered', qr{/etc/conntrackd/conntrackd\.conf ignores \Q$vip\E},
		"sed -i.good 's/IPv4_address 127.0.0.1/&\\n\\t\\t\\tIPv4_address $vip/' /etc/conntrackd/conntrackd.conf",
		'mv /etc/conntrackd/conntrackd.conf.good /etc/conntrackd/conntrackd.conf');
	$is->('no gate', qr/no gate/, 'nft delete table ip pair_gate', 'ipmasqadm-notify check-gate');
	$is->('a stale lock', qr{conntrackd does not run, and with a stale lock it will not start: rm /var/lock/conntrackd\.lock},
		'systemctl stop conntrackd; : >/var/lock/conntrackd.lock', 'rm /var/lock/conntrackd.lock; systemctl start conntrackd');
	$is->('strict windows', qr/.*be_liberal is not 1/, 'sysctl -q -w net.netfilter.nf_conntrack_tcp_be_liberal=0',
		'sysctl -q -w net.netfilter.nf_conntrack_tcp_be_liberal=1');
	$is->('no keepalived', qr/keepalived does not run/, 'systemctl stop keepalived', 'systemctl start keepalived; sleep 2');
	is(($backup->sh('check-pair'))[0], 0, 'nothing wrong in the end') or diag(($backup->sh('check-pair'))[1]);
	my ($status) = $backup->sh('ssh -i /etc/ipmasqadm-pair.key -o BatchMode=yes root@' .
		($backup == $first ? '192.168.9.2' : '192.168.9.1') . ' id');
	isnt($status, 0, "the pair's key runs nothing else");
};

if ($ENV{HA_LOG}) { diag "$_->{name}\n" . ($_->log_of)[1] for $first, $second }
done_testing;
