#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Changes under a flood of new connections: every one of them goes to the old or to the new target,
# none falls between two states. The flood comes from bench/packets on each of two processors; the
# firewall looks at each packet behind the translation, and drops it before conntrack would keep it,
# so that every packet is a new connection.
#
#	FLOOD_CHANGES=1000 FLOOD_RESTORES=100 FLOOD_CONVERSIONS=20 FLOOD_SECONDS=60
#
# So many of each kind, or as many as fit into the seconds. FLOOD=REGEX: only the kinds it matches.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../net";
use Net;
use POSIX ();
use Test::More;
use Time::HiRes qw(time usleep);

my $changes = $ENV{FLOOD_CHANGES} // 1000;
my $restores = $ENV{FLOOD_RESTORES} // 100;
my $conversions = $ENV{FLOOD_CONVERSIONS} // 20;
my $limit = $ENV{FLOOD_SECONDS} // 60;
my $only = $ENV{FLOOD} // '';

my $packets = $Net::traffic =~ s{/tests/traffic$}{/bench/packets}r;
-x $packets or plan skip_all => "$packets is not built";

my $local = '198.51.100.1';
my $net = Net->new(local => [$local]);
my $client = $net->host('client', '203.0.113.5');
must(qw(ip route add 198.18.0.0/15 dev client));
my ($mac) = must(qw(ip -o link show dev client)) =~ m{link/ether (\S+)};
my @processors = grep { run('taskset', '-c', $_, 'true') == 0 } 0, 1;

# Of all that the flood sends: what arrived, and what of it has none of the targets.
nft(<<'END');
table ip watch {
	counter arrived { }
	counter lost { }
	chain marks {
		type filter hook prerouting priority raw;
		iifname client meta mark set 1
	}
	chain look {
		type filter hook prerouting priority 0;
		iifname != client return
		counter name arrived
		ip daddr != { 10.0.0.2, 10.0.0.3, 10.0.0.4 } counter name lost
		drop
	}
}
END

# when, arrived, lost
sub counted {
	usleep(5_000); # what is under way gets through
	return time, map { must('nft', 'list', 'counter', 'ip', 'watch', $_) =~ /packets (\d+)/ } qw(arrived lost);
}

my (@senders, @rates);

sub stop {
	kill 'KILL', @senders;
	waitpid $_, 0 for @senders;
	@senders = ();
}
END { stop() }

sub start {
	my (undef, $before) = counted();
	for my $processor (@processors) {
		my $pid = fork // die "fork: $!\n";
		if (!$pid) {
			open STDOUT, '>', '/dev/null';
			exec('nsenter', '--net', '-t', $client->{pid}, '--', 'taskset', '-c', $processor, $packets,
				'eth0', $mac, $local, 80, 0, 1000 * ($limit + 300)) or POSIX::_exit(127);
		}
		push @senders, $pid;
	}
	wait_for(10, sub { (counted())[1] > $before }) or die "nothing arrives\n";
}

sub masq {
	my ($status, undef, $err) = ipmasqadm(@_);
	die "ipmasqadm @_: exit $status, $err" if $status || $err;
}

sub write_file {
	my ($name, @lines) = @_;
	my $path = "/run/$name"; # a file system of this test alone
	open my $f, '>', $path or die "$path: $!\n";
	print $f map { "$_\n" } @lines;
	close $f or die "$path: $!\n";
	return $path;
}

# What $begin makes is changed in a circle by @change, words or functions, until there were $most
# changes. With $again it begins anew each time around, and nothing is looked at meanwhile.
sub flood {
	my ($name, $most, $begin, $again, @change) = @_;
	my ($done, $seconds, $arrived, $lost) = (0, 1e-9, 0, 0);
	return if $name !~ /(?:$only)/;
	my $end;
	my $more = sub { $done < $most && time < $end && grep { kill 0, $_ } @senders };
	my $around = sub {
		ref eq 'CODE' ? $_->() : masq(@$_) for @change;
		$done += @change;
	};
	my $look = sub {
		my @before = counted();
		$_[0]->();
		my @after = counted();
		$seconds += $after[0] - $before[0];
		$arrived += $after[1] - $before[1];
		$lost += $after[2] - $before[2];
	};
	my $failed = eval {
		run(qw(nft delete table ip ipmasqadm));
		$begin->();
		start();
		$end = time + $limit;
		$look->(sub { $around->() while $more->() }) unless $again;
		while ($again && $more->()) {
			$again->();
			$look->($around);
		}
		1;
	} ? '' : $@;
	stop();
	push @rates, int($arrived / $seconds);
	my $said = "$done changes, $rates[-1] connections a second: $lost lost\n$failed";
	ok($done && $arrived && !$lost && !$failed, $name) ? note($said) : diag($said);
}

# ---- portfw ----

sub portfw {
	my ($verb, $host, @rest) = @_;
	return ['portfw', $verb, qw(-P udp -L), $local, qw(80 -R), "10.0.0.$host", 8080, @rest];
}
sub any { return [map { $_ eq $local ? '0.0.0.0' : $_ } @{portfw(@_)}] }
sub begin { my @commands = @_; return sub { masq(@$_) for @commands } }

flood('portfw: one target, two, and back', $changes, begin(portfw('-a', 2)), undef, portfw('-a', 3), portfw('-d', 3));
flood('portfw: two targets, three, and back', $changes, begin(portfw('-a', 2), portfw('-a', 3)), undef,
	portfw('-a', 4), portfw('-d', 4));
flood('portfw: prefs', $changes, begin(portfw('-a', 2), portfw('-a', 3)), undef,
	portfw('-a', 2, qw(-p 3)), portfw('-a', 2, qw(-p 7)));
flood('portfw: drained, and back', $changes, begin(portfw('-a', 2), portfw('-a', 3)), undef,
	portfw('-a', 2, qw(-p 0)), portfw('-a', 2, qw(-p 10)));
flood('portfw: any address: one target, two, and back', $changes, begin(any('-a', 2)), undef, any('-a', 3), any('-d', 3));
flood('portfw: any address, an exact one above it, and back', $changes, begin(any('-a', 2)), undef,
	portfw('-a', 3), portfw('-d', 3));

# The interface that has the address; all of it comes and goes with its first and last service.
sub at { return [map { $_ eq $local ? '@lo' : $_ } @{portfw(@_)}] }
flood('portfw: interface: one target, two, and back', $changes, begin(at('-a', 2)), undef, at('-a', 3), at('-d', 3));
flood('portfw: interface: an exact address above it, and back', $changes, begin(at('-a', 2)), undef,
	portfw('-a', 3), portfw('-d', 3));
flood('portfw: any address, an interface above it, and back', $changes, begin(any('-a', 2)), undef,
	at('-a', 3), at('-d', 3));
flood('portfw: any address, an interface of two targets above it, and back', $changes, begin(any('-a', 2)), undef,
	[qw(portfw -a -P udp -L @lo 80 -R 10.0.0.3 8080)], at('-a', 4), [qw(portfw -d -P udp -L @lo 80)]);
flood('portfw: interface: its chain is lost and mended', $changes, begin(any('-a', 3), at('-a', 2)), undef,
	sub { nft('flush chain ip ipmasqadm lookup_at'); }, at('-a', 2));

# ---- mfw ----

for my $port ([], [8080]) {
	my $name = @$port ? 'mfw, with ports' : 'mfw';
	my $mfw = sub {
		my ($verb, $host, @rest) = @_;
		return ['mfw', $verb, qw(-m 1 -r), "10.0.0.$host", @$port, @rest];
	};
	my $two = begin($mfw->('-A', 2), $mfw->('-A', 3));
	flood("$name: one target, two, and back", $changes, begin($mfw->('-A', 2)), undef, $mfw->('-A', 3), $mfw->('-D', 3));
	flood("$name: two targets, three, and back", $changes, $two, undef, $mfw->('-I', 4), $mfw->('-D', 4));
	flood("$name: prefs", $changes, $two, undef, $mfw->('-E', 2, qw(-p 3)), $mfw->('-E', 2, qw(-p 7)));
	flood("$name: drained, and back", $changes, $two, undef, $mfw->('-E', 2, qw(-p 0)), $mfw->('-E', 2, qw(-p 10)));
	flood("$name: next turn", $changes, $two, undef, [qw(mfw -S -m 1)]);
}
flood('mfw: a target with a port beside one without, and back', $changes, begin([qw(mfw -A -m 1 -r 10.0.0.2)]), undef,
	[qw(mfw -A -m 1 -r 10.0.0.3 8080)], [qw(mfw -D -m 1 -r 10.0.0.3 8080)]);
flood('mfw: a mark above portfw, and back', $changes, begin(portfw('-a', 2)), undef,
	[qw(mfw -A -m 1 -r 10.0.0.3)], [qw(mfw -D -m 1)]);

# ---- files ----

my @flush = ('portfw -f', 'mfw -F', 'autofw -F');
my @others = map { "portfw -a -P udp -L $local " . ($_ + 1000) . ' -R 10.0.0.9 80' } 1 .. 50;
my @balanced = map { "@{portfw('-a', $_)}" } 2 .. 4;

my $one = write_file('one', @flush, @balanced[0, 1], @others, 'mfw -A -m 2 -r 10.0.0.9');
flood('restore: the same', $restores, begin(['restore', $one]), undef, ['restore', $one]);

my %file = (
	balanced => write_file('balanced', @flush, @balanced, @others[0 .. 9], 'autofw -A -r udp 81 90 -h 10.0.0.9'),
	single => write_file('single', @flush, @others, $balanced[0], 'mfw -A -m 2 -r 10.0.0.9'),
	any => write_file('any', @flush, "@{any('-a', 3)}", @others[20 .. 49]),
	marked => write_file('marked', @flush, 'mfw -A -m 1 -r 10.0.0.3 8080', 'mfw -A -m 1 -r 10.0.0.4', @others),
	mark => write_file('mark', @flush, 'mfw -A -m 1 -r 10.0.0.2'),
	range => write_file('range', @flush, 'autofw -A -r udp 70 90 -h 10.0.0.4', @others),
);
for (['single', 'balanced'], ['single', 'any'], ['balanced', 'any'], ['balanced', 'marked'], ['mark', 'marked'],
	['mark', 'single'], ['range', 'single'], ['range', 'balanced'])
{
	my ($a, $b) = @$_;
	flood("restore: $a, $b", $restores, begin(['restore', $file{$a}]), undef, ['restore', $file{$b}], ['restore', $file{$a}]);
}

# ---- maps that grow, tables that are converted ----

# [what fills the map, how many targets each]
for (['portfw', 1], ['portfw_pools', 2]) {
	my ($map, $targets) = @$_;
	my @more = map {
		my ($first, $last) = @$_;
		['restore', write_file("$map.$last", map {
			my $port = $_ + 1000;
			map { "portfw -a -P udp -L $local $port -R 10.0.0.$_ 80" } 2 .. 1 + $targets;
		} $first .. $last)];
	} [1, 1200], [1201, 4800];
	my $served = begin(map { portfw('-a', $_ + 1) } 1 .. $targets);
	flood("growth of $map", $conversions, sub { }, sub {
		run(qw(nft delete table ip ipmasqadm));
		$served->();
	}, @more);
}

open my $f, '<', "$FindBin::Bin/../data/table-0.5.0.nft" or die "table-0.5.0.nft: $!\n";
my $old = do { local $/; <$f> };
# [what the flood comes to, what it is in that table]
for (['one target', qr/tcp \. 198\.51\.100\.1 \. 80\b/, 'udp . 198.51.100.1 . 80'],
	['two targets', qr/udp \. 83\b/, 'udp . 80'], ['a mark', qr/0x00000001 (?=counter)/, '0x00000001 '])
{
	my ($what, $from, $to) = @$_;
	(my $table = $old) =~ s/$from/$to/ or die "$what is not there\n";
	# the mark goes before all else: of the other two it must not be there
	$table =~ s/0x00000001 (?=counter)/0x00000009 / if $what ne 'a mark';
	flood("a table of 0.5.0: $what", $conversions, sub { }, sub {
		run(qw(nft delete table ip ipmasqadm));
		nft($table);
	}, [qw(portfw -a -P tcp -L 198.51.100.1 84 -R 10.0.0.2 80)]);
}

@rates = sort { $a <=> $b } @rates;
diag("$rates[0] to $rates[-1] new connections a second, on " . @processors . ' processors') if @rates;
done_testing;
