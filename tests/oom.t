#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Out of memory at every allocation of every kind of command, one by one: a message and exit 1, or it was
# done all the same; never a crash, and nothing half done.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/net";
use Net;
use Fake;
use Test::More;

plan skip_all => 'a sanitizer has an allocator of its own' if ($ENV{SANITIZE} // '') eq 'yes';
plan skip_all => 'nothing can be preloaded into a static program' if ($ENV{STATIC} // '') eq 'yes';
my $net = Net->new;
my $oom = "$Fake::build/tests/oom.so";
my $tmp = File::Temp->newdir;

sub spew { my ($path, @lines) = @_; open my $f, '>', $path or die $!; print $f map { "$_\n" } @lines; close $f; return $path }

my @state = (
	'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80', 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 5',
	'portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.2 53', 'mfw -A -m 1 -r 10.0.0.2', 'mfw -A -m 1 -r 10.0.0.3 80 -p 0',
	'autofw -A -r udp 6970 7170 -c tcp 7070', 'autofw -A -p tcp 8080 10.0.0.2:80',
);
my $file = spew("$tmp/file", 'portfw -f', 'mfw -F', map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.2 80" } 1 .. 300);
my @commands = (
	'portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80', 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.4 80',
	'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 3', 'portfw -d -P tcp -L 198.51.100.1 80', 'portfw -f',
	'portfw -a -P tcp -L 198.51.100.1 21 -R 10.0.0.2 21 -H ftp', 'portfw -d -P tcp -L 198.51.100.1 80 --cut',
	'portfw -l -n', 'portfw -l -n -j', 'portfw -q -P tcp -L 198.51.100.1 80',
	'mfw -I -m 1 -r 10.0.0.4', 'mfw -E -m 1 -r 10.0.0.2 -p 4', 'mfw -S -m 1', 'mfw -D -m 1', 'mfw -F', 'mfw -L -n',
	'autofw -A -r tcp 1 2 -h 10.0.0.2', 'autofw -D -p tcp 8080 10.0.0.2:80', 'autofw -F', 'autofw -L -n',
	'save', "restore $file", "restore --check $file",
);

# Runs a command with no, then with every allocation failing. world: {reset, state, run}
sub exhaust {
	my ($world, $command) = @_;
	my @argv = split / /, $command;
	$world->{reset}->();
	my $before = $world->{state}->();
	my $r = $world->{run}->({OOM_COUNT => "$tmp/count"}, @argv);
	is("$r->{status}$r->{err}", '0', "$command: with memory");
	my ($out, $after) = ($r->{out}, $world->{state}->());
	my ($n) = Fake::slurp("$tmp/count") =~ /^(\d+)$/ or die 'no count';
	my (@bad, %end);
	# thousands of them would be the same few places over and over
	my @at = $n < 400 ? 1 .. $n : (1 .. 200, map { 200 + int $_ * ($n - 200) / 200 } 1 .. 200);
	my $dirty = $after ne $before;
	my $failed = $command =~ / -q / ? 2 : 1; # a query's no is 1, which has no message
	for my $env (map { {OOM_AT => $_}, $_ % 10 == 1 ? {OOM_FROM => $_} : () } @at) {
		if ($dirty) {
			$world->{reset}->();
			$before = $world->{state}->();
		}
		my $r = $world->{run}->($env, @argv);
		my $state = $world->{state}->();
		$dirty = $state ne $before;
		$end{$r->{status}}++;
		my $what = $r->{status} eq '0' ? ($r->{err} eq '' && $r->{out} eq $out && $world->{same}->($state, $after))
			: $r->{status} =~ /^[1$failed]$/ ? ($r->{err} =~ /\Aipmasqadm: [^\n]+\n\z/ && ($state eq $before || $world->{same}->($state, $after)))
			: 0;
		push @bad, "@{[%$env]}: exit $r->{status}: $r->{err}" . ($dirty ? ' (state has changed)' : '') unless $what;
	}
	is_deeply(\@bad, [], "$command: $n allocations, each once without") or diag(join "\n", splice @bad, 0, 5);
	ok(!$n || $end{$failed}, 'some of which it cannot do without');
}

my %nft = (
	reset => sub {
		spew("$tmp/state", 'portfw -f', 'mfw -F', 'autofw -F', @state);
		must($Net::program, 'restore', "$tmp/state");
	},
	# the rules tell whether it was touched, the save whether it is the same
	state => sub { ruleset() . "SAVE\n" . must($Net::program, 'save') },
	same  => sub { my ($x, $y) = map { s/.*SAVE\n//sr } @_; return $x eq $y },
	run   => sub {
		my ($env, @argv) = @_;
		my ($status, $out, $err) = run('timeout', 20, 'env', (map { "$_=$env->{$_}" } keys %$env), "LD_PRELOAD=$oom",
			$Net::program, @argv);
		return {status => $status, out => $out, err => $err};
	},
);
for my $command (@commands) {
	subtest "nft: $command" => sub { exhaust(\%nft, $command) };
}

my $kernel = Fake->new(FAKE_KERNEL => '2.2', IPMASQADM_TRANSPORT => 'sockopt');
my %sockopt = (
	reset => sub {
		$kernel->{env} = {FAKE_KERNEL => '2.2'};
		$kernel->module(qw(portfw mfw autofw));
		$kernel->run('restore', spew("$tmp/state", @state))->{status} and die 'no state';
	},
	state => sub { join '', map { $kernel->state("ip_masq/$_") } qw(portfw mfw autofw) },
	same  => sub { $_[0] eq $_[1] },
	run   => sub {
		my ($env, @argv) = @_;
		$kernel->{env} = {FAKE_KERNEL => '2.2', LD_PRELOAD => "$oom $Fake::build/tests/fake.so", %$env};
		return $kernel->run(@argv);
	},
);
# one at a time there: some of its lines are done; and what it cannot
for my $command (grep { !/^restore \/| -H | --cut/ } @commands) {
	subtest "sockopt: $command" => sub { exhaust(\%sockopt, $command) };
}

done_testing;
