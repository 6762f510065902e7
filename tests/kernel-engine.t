#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What the nf_tables engine promises, seen from outside: with nft, strace and packets.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use File::Temp ();
use Test::More;

my $sanitized = ($ENV{SANITIZE} // '') eq 'yes';
# LeakSanitizer can't work beside strace
$ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // (), 'detect_leaks=0' if $sanitized;

my $net = Net->new(local => ['198.51.100.1']);
my $client = $net->host('client', '203.0.113.5', '203.0.113.6');
$net->host('one', '10.0.0.2')->listen(80);
$net->host('two', '10.0.0.3')->listen(80);

sub portfw {
	my ($status, $out, $err) = ipmasqadm('portfw', @_);
	is("$status$err", '0', "portfw @_");
	return $out;
}

# single-target forwards on ports 10001 and up
sub many_forwards {
	my ($n) = @_;
	my $file = File::Temp->new;
	print $file map { 'portfw -a -P tcp -L 198.51.100.1 ' . (10000 + $_) . " -R 10.0.0.2 80\n" } 1 .. $n;
	close $file;
	my ($status, undef, $err) = ipmasqadm('restore', $file->filename);
	is("$status$err", '0', "$n forwards");
}

sub table { must(qw(nft -s list table ip ipmasqadm)) }

# what is in chains, but for their headers
sub rules {
	my @chains = shift =~ /^\tchain \S+ \{\n(.*?)^\t\}/msg;
	return scalar grep { !/^\t\ttype \w+ hook / } map { split /\n/ } @chains;
}

# Runs the program under strace; the trace.
sub strace {
	my ($what, @command) = @_;
	my $trace = File::Temp->new;
	my ($status, $out, $err) = run('strace', '-f', '-e', "trace=$what", '-o', $trace->filename, $Net::program, @command);
	is("$status$err", '0', "@command under strace");
	local $/;
	return <$trace>;
}

my $no_strace = lacking('strace', !run(qw(strace -o /dev/null true)));

# bytes that came from the kernel over sockets
sub received {
	my ($trace) = @_;
	my $bytes = 0;
	$bytes += $1 while $trace =~ /\brecv\w+\(.*\) = (\d+)$/mg;
	return $bytes;
}

my %bytes;
subtest 'R2: a command hears of its own service only' => sub {
	plan skip_all => $no_strace if $no_strace;
	my @commands = (
		['add a forward', qw(-a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80)],
		['edit it', qw(-a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80 -p 4)],
		['add a target', qw(-a -P tcp -L 198.51.100.1 81 -R 10.0.0.3 80)],
		['delete a target', qw(-d -P tcp -L 198.51.100.1 81 -R 10.0.0.3 80)],
		['delete it', qw(-d -P tcp -L 198.51.100.1 81)],
	);
	my $n = 5000;
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	for my $size (1, $n) {
		many_forwards($size) if $size > 1;
		for (@commands) {
			my ($what, @args) = @$_;
			$bytes{$what}{$size} = received(strace('network', 'portfw', @args));
		}
		$bytes{list}{$size} = received(strace('network', qw(portfw -l -n)));
	}
	for my $what (map { $_->[0] } @commands) {
		my ($few, $many) = @{$bytes{$what}}{1, $n};
		cmp_ok($few, '>', 0, "$what: $few bytes come from the kernel beside 1 forward");
		# Handles grow; and a delete looks whether it was the last: one message of the kernel's
		# with as many elements as fit says enough.
		cmp_ok($many, '<', $few + 4096, "and $many beside $n");
	}
	my ($few, $many) = @{$bytes{list}}{1, $n};
	cmp_ok($many, '>', $few + 20 * $n, "the measure measures: a listing takes $few and $many");
};

subtest 'an add asks the kernel five times' => sub {
	plan skip_all => $no_strace if $no_strace;
	my $ask = sub {
		my ($most, $what, @where) = @_;
		my $trace = strace('network', 'portfw', '-a', @where, qw(-R 10.0.0.2 80));
		# Older kernels (6.1 is one) cannot delete connections by a filter, and are asked for them then.
		$most++ if "@where" =~ /udp/ && $trace =~ /NLMSG_ERROR.*\berror=-EINVAL\b/;
		cmp_ok(scalar(() = $trace =~ /\bsend(?:to|msg)\(/g), '<=', $most, "portfw -a @where$what: $most requests at most");
	};
	$ask->(@$_)
		for [5, '', qw(-P tcp -L 198.51.100.1 82)], [6, '', qw(-P udp -L 198.51.100.1 82)], [5, '', qw(-P tcp -L 0.0.0.0 83)],
		[5, ', the first there', qw(-P tcp -L @lo 84)], [5, ', one more', qw(-P tcp -L @lo 85)], [6, ', the first there', qw(-P udp -L @ppp0 84)];
	for ([5, qw(-P tcp -L 198.51.100.1 82)], [5, qw(-P tcp -L @lo 84)]) {
		portfw('-f');
		$ask->($$_[0], ', the first of all', @$_[1 .. $#$_]);
	}
	# one more finds out whether the kernel has the helper, where that is no module
	$ask->(7, ', the first there', qw(-P udp -L 198.51.100.1 69 -H tftp));
	$ask->(6, ', one more', qw(-P udp -L 198.51.100.1 70 -H tftp));
	portfw('-f');
};

subtest 'R1: forwards add elements, never rules' => sub {
	portfw('-f');
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	my $before = rules(table());
	cmp_ok($before, '>', 0, "$before rules with one forward");
	many_forwards(500);
	is(rules(table()), $before, 'and with many more');
	is($client->tcp('198.51.100.1', 10001)->{name}, 'one', 'the first works');
	is($client->tcp('198.51.100.1', 10500)->{name}, 'one', 'and the last');
	forget();
	portfw('-f');
};

subtest 'R3: one command, one transaction' => sub {
	my $log = File::Temp->new;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open STDOUT, '>', $log->filename;
		exec 'nft', 'monitor' or POSIX::_exit(127);
	}
	my $heard = sub { open my $f, '<', $log->filename; return scalar grep { /^# new generation \d+ by process \d+ \(ipmasqadm\)/ } <$f> };
	# it listens once it hears us
	wait_for(10, sub { nft("add table ip listening\ndelete table ip listening"); -s $log->filename });
	my @commands = (
		[qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80)],
		[qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 3)],
		[qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 4)],
		[qw(-a -P udp -L 198.51.100.1 80 -R 10.0.0.3 80)],
		[qw(-d -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80)],
		[qw(-a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80)],
		[qw(-f)],
	);
	for my $command (@commands) {
		my $before = $heard->();
		portfw(@$command);
		wait_for(5, sub { $heard->() > $before });
		is($heard->() - $before, 1, 'the ruleset changed once');
	}
	my $before = $heard->();
	portfw('-l', '-n');
	select undef, undef, undef, 0.1;
	is($heard->(), $before, 'a listing changes nothing');
	kill 'TERM', $pid;
	waitpid $pid, 0;
};

subtest 'an add asks little: five datagrams' => sub {
	plan skip_all => $no_strace if $no_strace;
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	is(scalar(() = strace('sendto,sendmsg', qw(portfw -a -P tcp -L 198.51.100.1), @$_) =~ /\bsend\w+\(/g), 5, "@$_")
		for [qw(81 -R 10.0.0.2 80)], [qw(80 -R 10.0.0.2 80 -p 4)];
	portfw('-f');
};

subtest 'changes take turns: one waits while another has the namespace' => sub {
	plan skip_all => $no_strace if $no_strace;
	my $pid = open my $holder, '-|', 'exec flock /proc/self/ns/net sh -c "echo; sleep 0.5"' or die "flock: $!\n";
	<$holder>;
	my @tries = strace('flock', qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80)) =~ /\bflock\(.* = (\S+)/g;
	cmp_ok(scalar(grep { $_ eq '-1' } @tries), '>', 1, 'it tries again');
	is($tries[-1], '0', 'until it has it');
	close $holder;
	portfw('-f');
};

subtest 'R4: the kernel is the only database' => sub {
	plan skip_all => $no_strace if $no_strace;
	for my $command ([qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 2)],
			 [qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 3)], [qw(-l -n)]) {
		my $trace = strace('open,openat,creat,rename,renameat,unlink,unlinkat,mkdir,mkdirat', 'portfw', @$command);
		my @writes = grep { /O_WRONLY|O_RDWR|O_CREAT|creat|rename|unlink|mkdir/ && !m{"/dev/(null|tty)"} } split /\n/, $trace;
		is("@writes", '', 'no file is written');
	}
	$client->many('tcp', '198.51.100.1', 80, 4);
	like(portfw('-l', '-n'), qr/10\.0\.0\.2 .*\s1\s+2\n.*10\.0\.0\.3 .*\s3\s+3\n/, 'counts and order come back');
};

subtest 'R5: an administrator reads the table, and nft reads it back' => sub {
	portfw(qw(-a -P udp -L 0.0.0.0 53 -R 10.0.0.3 80));
	portfw(qw(-a -P tcp -L 198.51.100.1 8080 -R 10.0.0.2 80));
	my $table = must(qw(nft list table ip ipmasqadm));
	note($table);
	like($table, qr/comment/, 'it has comments');
	like($table, qr/portfw/, 'and telling names');
	like($table, qr/198\.51\.100\.1 \. (?:8080|http-alt)/, 'the forward can be found');
	my $served = $client->many('tcp', '198.51.100.1', 80, 10);
	must(qw(nft delete table ip ipmasqadm));
	nft($table);
	is($client->tcp('198.51.100.1', 8080)->{name}, 'one', 'read back, it forwards');
	is_deeply($client->many('tcp', '198.51.100.1', 80, 10), $served, 'balanced as before');
	forget();
	portfw('-f');
	unlike(ruleset(), qr/ipmasqadm/, 'and the program still rules it');
};

subtest 'R6: first packets only' => sub {
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 1000));
	portfw(qw(-a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 1000));
	my @hooks = table() =~ /type (\w+) hook/g;
	is_deeply([grep { $_ ne 'nat' } @hooks], [], 'hooks of type nat alone');
	$client->open(1, 'tcp', '198.51.100.1', 80);
	$client->say(1) for 1 .. 50;
	like(portfw('-l', '-n'), qr/\s999\s+1000\n/, 'a hundred packets of one connection count once');
	# an acknowledgement that comes late would be a connection of its own, and need the table of R7
	select undef, undef, undef, 0.3;
	forget();
	portfw('-f');
};

subtest 'R7: nobody else\'s rules: the program names no other table' => sub {
	plan skip_all => $no_strace if $no_strace;
	nft("table ip foreign { chain c { type nat hook prerouting priority -150\n }\n }");
	my $trace = strace('sendmsg,sendto', qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	unlike($trace, qr/foreign/, 'on an add');
	unlike(strace('sendmsg,sendto', qw(portfw -f)), qr/foreign/, 'nor on a flush');
	is(must(qw(nft list tables)), "table ip foreign\n", 'and leaves theirs alone');
};

done_testing;
