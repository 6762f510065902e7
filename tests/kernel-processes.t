#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Many processes at once, and processes that die in the middle.
use strict;
use warnings;
use File::Temp ();
use FindBin;
use IO::Handle;
use lib "$FindBin::Bin/net";
use Net;
use POSIX ();
use Test::More;
use Time::HiRes qw(time usleep);

my $net = Net->new;

sub forwards {
	my ($status, $out, $err) = ipmasqadm(qw(portfw -l -n));
	return "exit $status: $err" if $status || $err;
	my (undef, @rows) = split /\n/, $out;
	return join "\n", sort map { join ' ', (split)[0 .. 4, 6] } @rows;
}

sub row { my ($lport, $rport, $pref) = @_; return "TCP 198.51.100.1 10.0.0.2 $lport $rport $pref" }

# Runs a function in a process of its own; true is success.
sub spawn {
	my ($what) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	my $good = eval { $what->() };
	print STDERR "# $@" if $@;
	POSIX::_exit($good ? 0 : 1);
}

sub reap {
	my $failed = 0;
	for (@_) {
		waitpid $_, 0;
		$failed++ if $?;
	}
	return $failed;
}

sub portfw {
	my ($status, $out, $err) = ipmasqadm('portfw', @_);
	print STDERR "# portfw @_: exit $status $err\n" if $status;
	return !$status;
}

my $each = $slow ? 4 : 12;

subtest '20 processes add and delete, each its own services' => sub {
	my @pids = map {
		my $n = $_;
		spawn(sub {
			for my $i (1 .. $each) {
				my $port = $n * 100 + $i;
				portfw(qw(-a -P tcp -L 198.51.100.1), $port, qw(-R 10.0.0.2), $port) or return 0;
				next if $i % 2;
				portfw(qw(-d -P tcp -L 198.51.100.1), $port) or return 0;
			}
			return 1;
		});
	} 1 .. 20;
	is(reap(@pids), 0, 'every command succeeded');
	my @left = map { my $n = $_; map { row($n * 100 + $_, $n * 100 + $_, 10) } grep { $_ % 2 } 1 .. $each } 1 .. 20;
	is(forwards(), join("\n", sort @left), 'none lost, none left over');
	ok(portfw('-f'), 'flush');
};

subtest '20 processes add, edit and delete targets of one service' => sub {
	my @pids = map {
		my $n = $_;
		spawn(sub {
			for my $i (1 .. $each) {
				my @forward = (qw(-P tcp -L 198.51.100.1 80 -R 10.0.0.2), $n * 100 + $i);
				portfw('-a', @forward) or return 0;
				portfw('-a', @forward, '-p', $n) or return 0;
				next if $i % 2;
				portfw('-d', @forward) or return 0;
			}
			return 1;
		});
	} 1 .. 20;
	is(reap(@pids), 0, 'every command succeeded');
	my @left = map { my $n = $_; map { row(80, $n * 100 + $_, $n) } grep { $_ % 2 } 1 .. $each } 1 .. 20;
	is(forwards(), join("\n", sort @left), 'none lost, none left over');
	ok(portfw('-f'), 'flush');
	unlike(ruleset(), qr/ipmasqadm/, 'the table is gone');
};

subtest 'the table comes and goes under 8 processes' => sub {
	my @pids = map {
		my $port = $_;
		spawn(sub {
			for (1 .. $each) {
				portfw(qw(-a -P tcp -L 198.51.100.1), $port, qw(-R 10.0.0.2 80)) or return 0;
				portfw(qw(-d -P tcp -L 198.51.100.1), $port) or return 0;
			}
			return 1;
		});
	} 1 .. 8;
	is(reap(@pids), 0, 'every command succeeded');
	is(forwards(), '', 'nothing is left');
	unlike(ruleset(), qr/ipmasqadm/, 'no table either');
};

# Kills a command at some instant of its life: 0 is before it begins, undef never. Returns whether it was hit alive.
sub kill_at {
	my ($seconds, @command) = @_;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		kill 'STOP', $$ if defined $seconds && !$seconds;
		open STDERR, '>', '/dev/null';
		exec $Net::program, @command or POSIX::_exit(127);
	}
	usleep($seconds * 1e6) if $seconds;
	kill 'KILL', $pid if defined $seconds;
	waitpid $pid, 0;
	return ($? & 127) == 9;
}

subtest 'killed at 200 random instants' => sub {
	srand(my $seed = $ENV{SEED} // time);
	diag("SEED=$seed");
	# so many targets of one service that a command has something to do
	for my $port (1 .. 20) {
		portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2), $port, '-p', $port) or die;
	}
	my $start = time;
	portfw('-l') for 1 .. 5;
	my $life = (time - $start) / 5;
	my ($hit, $done, $wrong) = (0, 0);
	# the first ones at once and long after, whatever the machine's pace: hit for sure, and done for sure
	for my $round (1 .. 200) {
		my $before = forwards();
		my $flush = $round % 4 == 0;
		my $balanced = $round % 2;
		my $port = 1000 + $round;
		my @command = $flush ? qw(portfw -f)
			: (qw(portfw -a -P tcp -L 198.51.100.1), $balanced ? 80 : $port, qw(-R 10.0.0.2), $port);
		my $after = $flush ? '' : join "\n", sort(split(/\n/, $before), row($balanced ? 80 : $port, $port, 10));
		my $alive = kill_at($round <= 20 ? 0 : $round <= 40 ? undef : rand($life * 1.2), @command);
		$hit += $alive;
		$life *= $alive ? 1.03 : 0.97 if $round > 40; # a busy machine changes its pace
		my $now = forwards();
		$done += $now eq $after && $now ne $before;
		if ($now ne $before && $now ne $after) {
			$wrong = "round $round, @command: was\n$before\nis\n$now";
			last;
		}
		# what may be there is whole to others as well, and takes the next command
		my ($status, undef, $err) = run(qw(nft list table ip ipmasqadm));
		if ($status && ($now ne '' || $err !~ /No such file/)) {
			$wrong = "round $round: nft: $err";
			last;
		}
		portfw(qw(-a -P tcp -L 198.51.100.1 79 -R 10.0.0.2), $port) and portfw(qw(-d -P tcp -L 198.51.100.1 79)) or
			$wrong = "round $round: the next command fails", last;
		if ($now eq '') {
			portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2), $_, '-p', $_) for 1 .. 5;
		}
	}
	ok(!$wrong, 'always the old state or the new') or diag($wrong);
	# 20 are hit whatever happens, 20 are not; of the others the pace is led to half
	cmp_ok($hit, '>=', 20, "$hit were hit alive");
	cmp_ok($done, '>=', 20, "$done had done their work");
	ok(portfw('-f'), 'flush');
	unlike(ruleset(), qr/ipmasqadm/, 'and nothing is left');
};

# Changes a table of its own, some hundred times a second, until told to stop.
sub noise {
	nft("table ip other {\nset s {\ntype ipv4_addr\n}\n}");
	pipe my $until, my $stop or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		close $stop;
		open my $nft, '|-', 'exec nft -i >/dev/null' or POSIX::_exit(1);
		$nft->autoflush(1);
		my $bits = '';
		vec($bits, fileno $until, 1) = 1;
		for my $i (1 .. 20_000) {
			print $nft $i % 2 ? 'add' : 'delete', Net::to_six(" element ip other s { 192.0.2.1 }\n") or POSIX::_exit(1);
			last if select my $over = $bits, undef, undef, 0.003;
		}
		close $nft;
		POSIX::_exit(0);
	}
	close $until;
	return ($pid, $stop);
}

subtest 'somebody else changes something all the time' => sub {
	my $n = $slow ? 3_000 : 20_000;
	my $file = File::Temp->new;
	print $file map { "portfw -a -P udp -L 198.51.100.1 $_ -R 10.0.0.2 80\n" } 1 .. $n;
	close $file;
	my ($noise, $stop) = noise();
	my $rows = sub { return () = must($Net::program, qw(portfw -l -n)) =~ /^UDP/mg };
	is(join('', ipmasqadm('restore', $file->filename)), '0', 'a large file goes in');
	is($rows->(), $n, 'and is listed');
	ok(portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80)), 'an add');
	is(scalar(() = must($Net::program, 'save') =~ /^ipmasqadm portfw -a/mg), $n + 1, 'a save');
	is(join('', ipmasqadm('restore', $file->filename)), '0', 'the file once more, which edits every one');

	# ours as well: several commands, and somebody with nft
	my @pids = map {
		my $host = "198.51.100.$_";
		spawn(sub {
			portfw(qw(-a -P udp -L), $host, $_, qw(-R 10.0.0.2), $_) or return 0 for 1 .. $each;
			return 1;
		});
	} 2 .. 4;
	push @pids, spawn(sub {
		must('nft', "add element ip ipmasqadm portfw { udp . 198.51.100.5 . $_ : 10.0.0.2 . $_ }") for 1 .. 2 * $each;
		return 1;
	});
	push @pids, spawn(sub { $rows->() >= $n or return 0 for 1 .. 3; return 1 });
	is(reap(@pids), 0, 'many at once');
	is($rows->(), $n + 5 * $each, 'and nothing is lost');
	close $stop;
	waitpid $noise, 0;
	is($?, 0, 'all that time');
	must(qw(nft delete table ip other));
	ok(portfw('-f'), 'flush');
};

# Nobody is told of those, and no generation counts them; still they move what a dump goes by.
subtest 'transactions that somebody prepares and takes back' => sub {
	my ($n, $more) = $slow ? (3_200, 900) : (13_000, 3_500);
	my $lines = sub {
		my $file = File::Temp->new;
		print $file map { "$_\n" } @_;
		close $file;
		return $file;
	};
	my $forwards = sub { my ($host, $count) = @_; map { "portfw -a -P udp -L 198.51.100.$host $_ -R 10.0.0.2 80" } 1 .. $count };
	my @restore = map { $lines->(@$_) } ['portfw -f', $forwards->(1, $n)], [$forwards->(2, $more)];
	my $check = $lines->('flush chain ip ipmasqadm lookup',
		map { "add element ip ipmasqadm portfw { udp . 198.51.100.3 . $_ : 10.0.0.2 . 80 }" } 1 .. $more - 200);
	is(join('', ipmasqadm('restore', $restore[0]->filename)), '0', 'many forwards');
	pipe my $until, my $stop or die "pipe: $!\n";
	my $noise = spawn(sub {
		close $stop;
		my ($bits, $checked) = ('', 0);
		vec($bits, fileno $until, 1) = 1;
		until (select my $over = $bits, undef, undef, 0 or $checked == 2_000) {
			return 0 if run(qw(nft -c -f), $check->filename);
			$checked++;
		}
		return $checked;
	});
	close $until;
	my @wrong;
	for my $round (1 .. ($slow ? 4 : 40)) {
		my %seen = map { $_ => 1 } my @rows = must($Net::program, qw(portfw -l -n)) =~ /^UDP.*/mg;
		push @wrong, @rows . ' with ' . keys(%seen) if @rows != $n || keys %seen != $n;
	}
	is_deeply(\@wrong, [], 'all of them are listed, each once');
	for my $round (1 .. ($slow ? 1 : 4)) {
		is(join('', ipmasqadm('restore', $restore[1]->filename)), '0', 'more than the map takes');
		my $there = () = must($Net::program, qw(portfw -l -n)) =~ /^UDP/mg;
		is($there, $n + $more, 'are all there');
		ok(!ipmasqadm('restore', $restore[0]->filename), 'once more');
	}
	close $stop;
	is(reap($noise), 0, 'all that time');
	is(scalar(() = must(qw(nft list chain ip ipmasqadm lookup)) =~ /dnat ip to/g), 2, 'the rules stand once');
	ok(portfw('-f'), 'flush');
};

done_testing;
