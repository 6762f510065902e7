#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# doc/health as ipmasqadm-ha(7) sets it up: servers that die and come back under load, seen by a
# systemd timer and by keepalived.
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
my $vip = '198.51.100.1';
my $limit = 4;
my $net = Net->new;
Node::switch($_) for qw(outside inside);

my $firewall = Node->new('firewall');
$firewall->boot;
$firewall->plug('eth0', 'outside', '198.51.100.2/24', "$vip/24");
$firewall->plug('eth1', 'inside', '10.0.0.2/24', '10.0.0.1/24');
$firewall->must('sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
$firewall->must('nft', "table ip admin { chain prerouting { type filter hook prerouting priority mangle; ip daddr $vip tcp dport 88 meta mark set 1; }; }");

my %port;

sub host {
	my ($name, $switch, @addresses) = @_;
	my $host = Net::Host::start($name, 'host');
	$port{$name} = Node::plug_in($host->{pid}, $name, 'eth0', $switch, @addresses);
	$host->must(qw(ip route add default via 10.0.0.1)) if $switch eq 'inside';
	return $host;
}

my %web = map { my $n = $_; "web$n" => host("web$n", 'inside', "10.0.0.1$n/24") } 1 .. 3;
my $client = host('client', 'outside', '198.51.100.50/24');

# Servers are processes of their own: Net::Host's keeps its sockets when its server is killed.
my (%server, @helpers);
END { local $?; kill KILL => $_ for @helpers, values %server }

sub new_server {
	my ($name) = @_;
	$server{$name} = fork // die "fork: $!\n";
	if (!$server{$name}) {
		exec qw(nsenter --net -t), $web{$name}{pid}, '--', $Net::traffic, 'serve', $name, 8080, 53 or POSIX::_exit(127);
	}
	wait_for(5, sub { $web{$name}->tcp('127.0.0.1', 8080)->{name} eq $name }) or die "$name does not serve\n";
}

sub end_server {
	my ($name) = @_;
	kill KILL => $server{$name};
	waitpid $server{$name}, 0;
}

new_server($_) for sort keys %web;

my $port = 10_000;

sub flow {
	$port += 2000;
	pipe my $in, my $tell or die;
	pipe my $hear, my $out or die;
	my $pid = fork // die;
	if (!$pid) {
		open STDIN, '<&', $in;
		open STDOUT, '>&', $out;
		exec qw(nsenter --net -t), $client->{pid}, '--', "$FindBin::Bin/flow", 'client', $port, $port + 1999 or POSIX::_exit(127);
	}
	push @helpers, $pid;
	$tell->autoflush(1);
	return bless {name => 'flow', pid => $pid, tell => $tell, hear => $hear}, 'Net::Host';
}

# ---- ways to die ----

# The server takes no connection any more; those it has go on.
sub refuse {
	my ($name) = @_;
	$web{$name}->must('nft', 'table ip dying { chain in { type filter hook input priority filter; tcp flags & (syn | ack) == syn reject with tcp reset; udp dport 53 drop; }; }');
}
sub take_again { my ($name) = @_; $web{$name}->must(qw(nft delete table ip dying)) }

# Its cable is out: it does not answer at all.
sub unplug { my ($name) = @_; must(qw(ip link set), $port{$name}, 'down') }
sub plug   { my ($name) = @_; must(qw(ip link set), $port{$name}, 'up') }

# ---- what there is ----

my %service = (
	mfw => [88, map { "mfw -A -m 1 -r 10.0.0.1$_ 8080 -p $_" } 1 .. 3],
	portfw => [80, map { "portfw -a -P tcp -L $vip 80 -R 10.0.0.1$_ 8080 -p $_" } 1 .. 3],
);
my $udp = join '', map { "ipmasqadm portfw -a -P udp -L $vip 53 -R 10.0.0.1$_ 53 -p 2\n" } 1, 2;

sub forwards {
	my (@lines) = @_;
	return join '', map { "ipmasqadm $_\n" } 'portfw -f', 'mfw -F', 'autofw -F', @lines;
}

# portfw's -p 0 is as young as this test
my $drains = !$firewall->sh("ipmasqadm portfw -a -P tcp -L $vip 9 -R 10.0.0.11 9 && ipmasqadm portfw -a -P tcp -L $vip 9 -R 10.0.0.11 9 -p 0");
$firewall->must('sh', '-c', 'ipmasqadm portfw -f');
my @kinds = $drains ? qw(portfw mfw) : 'mfw';
diag 'portfw takes no -p 0 here: mfw alone is tested' unless $drains;

sub config {
	my ($text) = @_;
	$firewall->must('sh', '-c', "printf '%s' '$text' >/etc/ipmasqadm.conf; ipmasqadm restore /etc/ipmasqadm.conf; touch -d '2026-01-01' /etc/ipmasqadm.conf");
	return scalar $firewall->must('sh', '-c', 'stat -c "%i %s %y %z" /etc/ipmasqadm.conf; cksum </etc/ipmasqadm.conf');
}

# PREF of target 10.0.0.1N of a kind
sub pref {
	my ($kind, $n) = @_;
	my (undef, $out) = $firewall->sh('ipmasqadm save');
	my ($pref) = $out =~ /^ipmasqadm $kind .*10\.0\.0\.1$n .*-p (\d+)/m;
	return $pref;
}

sub logged { return ($firewall->log_of)[1] // '' }

# What every probe of all loads met: later than 4 s after mark, and when the last of them failed
sub report {
	my (@loads) = @_;
	my ($served, $refused, $lost, $all, @lives) = (0, 0, 0, 0);
	for (@loads) {
		my $line = $_->ask('report');
		my @n = $line =~ /served=(\S+) refused=(\d+) lost=(\d+) all=(\d+)/ or die $line;
		$served = $n[0] if $n[0] > $served;
		$refused += $n[1];
		$lost += $n[2];
		$all += $n[3];
		diag $line if $n[1] + $n[2];
		push @lives, $line =~ m{(\w+) (\d+/\d+)}g;
	}
	return ($served, $refused, $lost, $all, @lives);
}

# ---- under load ----

sub under_load {
	my ($scheduler) = @_;
	for my $kind (@kinds) {
		my ($port, @lines) = @{$service{$kind}};
		my $file = config(forwards(@lines));
		my @loads = map { flow() } 1 .. 3;
		is($loads[0]->ask('open', 'running', 'tcp', '198.51.100.50', $vip, $port, 12), 'ok', "$scheduler, $kind: 12 connections run");
		$_->ask('probe', '198.51.100.50', $vip, $port) for @loads;
		sleep 1;
		for (['takes none any more', \&refuse, \&take_again, 1], ['is killed', \&end_server, \&new_server, 0],
			['is unplugged', \&unplug, \&plug, 0]) {
			my ($how, $die, $return, $lives) = @$_;
			my $what = "$scheduler, $kind: a server that $how";
			$_->ask('mark') for @loads;
			my $then = time;
			$die->('web3');
			ok(wait_for(8, sub { (pref($kind, 3) // '') eq '0' }), "$what is drained");
			my $after = time - $then;
			cmp_ok($after, '<', $limit, sprintf '%s after %.1f s', $what, $after);
			sleep 10 - (time - $then);
			my ($served, $refused, $lost, $all, @lives) = report(@loads);
			is("$refused refused, $lost lost", '0 refused, 0 lost', "$what: of $all connections begun after 4 s (the last failed at $served s)");
			cmp_ok($all, '>', 100, "$what: there were such");
			is($lives[1], '12/12', "$what: those that run go on") if $lives;
			$_->ask('mark') for @loads;
			$then = time;
			$return->('web3');
			ok(wait_for(8, sub { (pref($kind, 3) // '') eq '3' }), sprintf '%s comes back by itself, with its pref, after %.1f s', $what, time - $then);
			my $had = $client->tcp($vip, $port) && $web{web3}->tcp('127.0.0.1', 8080)->{count};
			sleep 5 - (time - $then) if time - $then < 5;
			($served, $refused, $lost, $all) = report(@loads);
			is("$refused $lost", '0 0', "$what: none fails when it comes back");
			cmp_ok($web{web3}->tcp('127.0.0.1', 8080)->{count}, '>', $had + 10, "$what is served again") if $how !~ /killed/;
		}
		is($firewall->must('sh', '-c', 'stat -c "%i %s %y %z" /etc/ipmasqadm.conf; cksum </etc/ipmasqadm.conf'), $file,
			"$scheduler, $kind: the file is as it was");
		for (@loads) {
			kill KILL => $_->{pid};
			waitpid $_->{pid}, 0;
		}
		@helpers = ();
	}
}

# ---- the commands it gives ----

# With a stand-in for ipmasqadm, which tells what is in force and keeps what it is asked for.
subtest 'the commands' => sub {
	my $node = $firewall;
	$node->must('sh', '-c', "readlink /proc/self/ns/net >/var/netns; cp /usr/local/sbin/ipmasqadm /var/real; cat >/usr/local/sbin/ipmasqadm <<'SH'
#!/bin/sh
case \$1 in
restore) [ \$2 = /etc/ipmasqadm.conf ] || cp \$2 /var/asked ;;
save) if [ \$(readlink /proc/self/ns/net) = \$(cat /var/netns) ]; then cat /var/now; else cat /etc/ipmasqadm.conf; fi ;;
esac
SH
cp /usr/share/doc/ipmasqadm/health/usr/local/sbin/ipmasqadm-health /usr/local/sbin/
printf '%s\\n' 'udp 10.0.0.11 53 true' 'udp 10.0.0.12 53 sleep 30' 'tcp 10.0.0.12 8080 exit 1' >/etc/ipmasqadm-health.conf");
	my $t = "ipmasqadm portfw -a -P tcp -L $vip 80 -R";
	my $u = "ipmasqadm portfw -a -P udp -L 0.0.0.0 53 -R";
	my $m = 'ipmasqadm mfw -A -m 1 -r';
	my $asked = sub {
		my ($what, $file, $now, $wanted) = @_;
		my ($f, $n) = map { join '', map { "$_\n" } 'ipmasqadm portfw -f', @$_ } $file, $now;
		my ($status, $out, $err) = $node->sh("rm -f /var/asked; printf '%s' '$f' >/etc/ipmasqadm.conf; printf '%s' '$n' >/var/now; ipmasqadm-health; cat /var/asked 2>/dev/null; true");
		is($err . $out, join('', map { "$_\n" } @$wanted), $what);
	};
	my @file = ("$t 10.0.0.11 8080 -p 5", "$t 10.0.0.12 8080 -p 7");
	$asked->('a dead target of portfw', \@file, \@file, ["portfw -a -P tcp -L $vip 80 -R 10.0.0.12 8080 -p 0"]);
	$asked->('nothing when that is done', \@file, [$file[0], "$t 10.0.0.12 8080 -p 0 # drained"], []);
	$asked->('another service is none of its business', [@file[0, 1], "ipmasqadm portfw -a -P tcp -L $vip 81 -R 10.0.0.12 8080 -p 1"],
		[$file[0], "$t 10.0.0.12 8080 -p 0", "ipmasqadm portfw -a -P tcp -L $vip 81 -R 10.0.0.12 8080 -p 1"], []);
	$asked->('back to the pref of the file', \@file, ["$t 10.0.0.11 8080 -p 0 # drained", "$t 10.0.0.12 8080 -p 0"],
		["portfw -a -P tcp -L $vip 80 -R 10.0.0.11 8080 -p 5"]);
	$asked->('UDP: a command that hangs means dead', ["$u 10.0.0.11 53 -p 2", "$u 10.0.0.12 53 -p 2"],
		["$u 10.0.0.11 53 -p 2", "$u 10.0.0.12 53 -p 2"], ['portfw -a -P udp -L 0.0.0.0 53 -R 10.0.0.12 53 -p 0']);
	$asked->('UDP without a command is never taken out', ["$u 10.0.0.11 53 -p 2", "$u 10.0.0.99 53 -p 2"],
		["$u 10.0.0.11 53 -p 2", "$u 10.0.0.99 53 -p 2"], []);
	$asked->('mfw is edited', ["$m 10.0.0.11 8080 -p 1", "$m 10.0.0.12 8080 -p 1"], ["$m 10.0.0.11 8080 -p 1", "$m 10.0.0.12 8080 -p 1"],
		['mfw -E -m 1 -r 10.0.0.12 8080 -p 0']);
	$asked->('all dead: nothing', [$file[1]], [$file[1]], []);
	$asked->('not in force: not added', \@file, [$file[0]], []);
	$asked->('not in the file: left alone', [$file[0]], \@file, []);
	$asked->('drained in the file: left alone', ["$t 10.0.0.11 8080 -p 0", "$t 10.0.0.13 8080 -p 7"],
		["$t 10.0.0.11 8080 -p 0", "$t 10.0.0.13 8080 -p 7"], []);
	$node->must('sh', '-c', 'mv /var/real /usr/local/sbin/ipmasqadm; rm -rf /etc/ipmasqadm-health.conf /run/ipmasqadm-health /usr/local/sbin/ipmasqadm-health; : >/var/log/logger');
};

# ---- by a timer ----

my @setup = map { $_->[0] } grep { $_->[0] !~ /-hairpin/ } map { commands($_) } literals($page, 'DEAD SERVERS');
subtest 'the page, command by command' => sub {
	cmp_ok(scalar @setup, '>=', 3, scalar(@setup) . ' commands');
	for (@setup) {
		my ($status, $out, $err) = $firewall->sh($_);
		is("$status$out$err", '0', s/\n//r);
	}
};

subtest 'by systemd' => sub { under_load('systemd') };

subtest 'UDP by a command' => sub {
	plan skip_all => 'portfw takes no -p 0 here' unless $drains;
	config(forwards() . $udp);
	refuse('web2');
	sleep 5;
	is(pref('portfw', 2), 2, 'without one it stays');
	$firewall->must('sh', '-c', "echo 'udp 10.0.0.12 53 $Net::traffic connect -u 10.0.0.12 53 | grep -q ^web2' >>/etc/ipmasqadm-health.conf");
	ok(wait_for(6, sub { pref('portfw', 2) eq '0' }), 'with one it is drained');
	is_deeply([sort keys %{$client->many('udp', $vip, 53, 10)}], ['web1'], 'the other one gets all');
	take_again('web2');
	ok(wait_for(6, sub { pref('portfw', 2) eq '2' }), 'and comes back');
};

for my $kind (@kinds) {
	subtest "$kind: nobody is left" => sub {
		my ($port, @lines) = @{$service{$kind}};
		my $file = config(forwards(@lines));
		my $before = () = logged() =~ /stays as it is/g;
		refuse("web$_") for 1 .. 3;
		ok(wait_for(8, sub { logged() =~ /stays as it is: $kind/ }), 'the log says so');
		sleep 5;
		is(scalar(() = logged() =~ /stays as it is/g), $before + 1, 'once');
		my @prefs = map { pref($kind, $_) } 1 .. 3;
		ok(scalar(grep { $_ > 0 } @prefs), "the service stays (@prefs)");
		take_again('web2');
		ok(wait_for(8, sub { join(' ', map { pref($kind, $_) } 1 .. 3) eq '0 2 0' }), 'one comes back: the others are drained');
		is_deeply([keys %{$client->many('tcp', $vip, $port, 5)}], ['web2'], 'and it serves');
		take_again("web$_") for 1, 3;
		ok(wait_for(8, sub { join(' ', map { pref($kind, $_) } 1 .. 3) eq '1 2 3' }), 'all are back');
	};

	subtest "$kind: what the administrator does is not undone" => sub {
		my ($port, @lines) = @{$service{$kind}};
		my $delete = $kind eq 'mfw' ? 'mfw -D -m 1 -r 10.0.0.12 8080' : "portfw -d -P tcp -L $vip 80 -R 10.0.0.12 8080";
		config(forwards($lines[0] =~ s/-p \d/-p 0/r, @lines[1, 2]));
		sleep 5;
		is(pref($kind, 1), 0, 'drained in the file: stays so');
		$firewall->must('sh', '-c', "ipmasqadm $delete");
		refuse('web2');
		sleep 5;
		is(pref($kind, 2), undef, 'deleted: stays so');
		take_again('web2');
		sleep 5;
		is(pref($kind, 2), undef, 'also when it answers again');
		$firewall->must('sh', '-c', 'echo "portfw -a -P upd" >>/etc/ipmasqadm.conf');
		ok(wait_for(8, sub { logged() =~ m{cannot read /etc/ipmasqadm\.conf: .*upd} }), 'a mistake in the file is logged');
	};
}

# ---- by keepalived ----

$firewall->must(qw(systemctl stop ipmasqadm-health.timer));

subtest 'by keepalived' => sub {
	my $lacking = lacking('keepalived', !run('sh', '-c', 'command -v keepalived'));
	plan skip_all => $lacking if $lacking;
	my ($block) = grep { /track_script/ } literals($page, 'DEAD SERVERS');
	my ($include, $instance) = split /\n\n/, $block;
	$firewall->must('sh', '-c', 'mkdir -p /etc/keepalived; cp /usr/share/doc/ipmasqadm/ha/etc/keepalived/keepalived.conf /etc/keepalived/; : >/usr/local/sbin/ipmasqadm-notify; chmod 755 /usr/local/sbin/ipmasqadm-notify');
	my $conf = $firewall->must('cat', '/etc/keepalived/keepalived.conf');
	$conf =~ s/^vrrp_instance outside \{\n/$include\n\n$instance/m or die;
	$firewall->must('sh', '-c', 'printf %s "$1" >/etc/keepalived/keepalived.conf', 'sh', $conf);
	$firewall->must(qw(systemctl start keepalived));
	ok(wait_for(10, sub { ($firewall->sh("ip address show to $vip"))[1] ne '' }), 'keepalived has the address');
	sleep 2;
	under_load('keepalived');
	$firewall->must(qw(systemctl stop keepalived));
};

if ($ENV{HA_LOG}) { diag logged() }
done_testing;
