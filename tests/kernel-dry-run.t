#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# --dry-run prints what the command does. Commands at random, in transactions of one or several: what
# nft makes of the text in one namespace is what the command makes in another. Packets pass between,
# so that turns have begun and there are counts to carry over.
#
#	DRY_RUN_SEED=7 tests/kernel-dry-run.t
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use File::Temp ();
use Test::More;
use Time::HiRes 'time';

my $seed = $ENV{DRY_RUN_SEED} // 1998;
my ($least, $most, $seconds) = $Net::slow ? (20, 60, 60) : (150, 300, 20);

my $net = Net->new(local => ['198.51.100.1', '198.51.100.2']);
my $client = $net->host('client', '203.0.113.5');
$net->host('server', map { "10.0.0.$_" } 2 .. 5)->listen(80, 81, 9001, 9002);
my $copy = $net->host('copy', '203.0.113.99');
nft('table ip marks { chain c { type filter hook prerouting priority mangle;
	tcp dport 9001 meta mark set 1
	tcp dport 9002 meta mark set 2
}
}');

# xorshift, as the tests in C: the same everywhere
my $state = $seed * 2654435761 % 2**32 || 1;

sub any {
	my ($below) = @_;
	$state ^= $state << 13 & 0xffffffff;
	$state ^= $state >> 17;
	$state ^= $state << 5 & 0xffffffff;
	return ($state >> 4) % $below;
}

sub one_of { return $_[any(scalar @_)] }

# ---- commands ----

sub proto  { one_of(qw(tcp tcp tcp udp)) }
sub target { '10.0.0.' . (2 + any(4)) }
sub pref   { any(2) ? () : ('-p', one_of(0, 1, 1, 2, 3, 10, 1000, 2147483647)) }

sub portfw {
	my $range = !any(4);
	my @service = ('-P', any(5) ? proto() : 'tcp,udp', '-L', one_of('198.51.100.1', '198.51.100.1', '0.0.0.0'),
		$range ? '80-81' : one_of(80, 80, 81));
	my @target = ('-R', target(), $range ? one_of('80-81', '81-82') : one_of(80, 80, 81));
	my $what = any(12);
	return ('-f') if !$what;
	return ('-d', @service, any(2) ? @target : ()) if $what < 4;
	my @helper = any(4) ? () : ('-H', $service[1] eq 'tcp' ? one_of('ftp', 'irc', 'sip') : $service[1] eq 'udp' ? one_of('tftp', 'h323') : 'sip');
	return ('-a', @service, any(8) ? @target : (), pref(), @helper);
}

sub mfw {
	my @mark = ('-m', one_of(1, 1, 2, 4294967295));
	my @target = ('-r', target(), one_of([80], [81], [])->@*);
	my $what = any(16);
	return ('-F') if !$what;
	return ('-D', @mark, any(2) ? @target : ()) if $what < 4;
	return ('-E', @mark, any(2) ? @target : (), pref()) if $what < 6;
	return ('-S', @mark) if $what < 7;
	return (one_of('-A', '-I'), @mark, @target, pref());
}

sub autofw {
	my @range = (proto(), one_of([1000, 1100], [1000, 1000], [1, 65535])->@*);
	my @flags = map { any(3) ? () : $_ } '-u', '-i';
	my $what = any(12);
	return ('-F') if !$what;
	return (one_of('-A', '-A', '-D'), one_of(
		['-r', @range, '-h', target()],
		['-r', @range, '-c', proto(), one_of(21, 7070)],
		['-p', proto(), one_of(80, 443), target() . ':' . one_of(80, 81)],
		['-d', @range],
	)->@*, @flags);
}

sub command {
	my $kind = one_of(qw(portfw portfw mfw autofw));
	return ($kind, main->can($kind)->());
}

sub write_file {
	my $file = File::Temp->new;
	print $file map { "$_\n" } @_;
	close $file;
	return $file;
}

# ---- tables ----

# Elements come in the order of a hash with a seed of its own. How services are numbered does not matter,
# but their order does (services()).
sub normal {
	my ($text) = @_;
	$text =~ s/(set reach_links \{[^}]*)\t\telements = \{[^}]*\}\n/$1/; # packets teach it
	$text =~ s/ comment "seq [\d.]+"//g;
	$text =~ s/ seq [\d.]+"/"/g;
	$text =~ s{elements = \{ (.*?) \}$}{'elements = { ' . join(",\n", sort split /,\s+/, $1) . ' }'}gmse;
	return $text;
}

sub table {
	my ($host) = @_;
	my @list = qw(nft -s list table ip ipmasqadm);
	my ($status, $out, $err) = $host ? $host->run(@list) : run(@list);
	return normal($out) unless $status;
	die $err unless $err =~ /No such file/;
	return '';
}

# The services of portfw in order, which a listing can tell.
sub services {
	my ($host) = @_;
	my @list = ($Net::program, qw(portfw -l -n));
	my (@found, %known);
	for (split /\n/, $host ? $host->must(@list) : must(@list)) {
		my ($protocol, $local, undef, $port) = split;
		my $service = "$protocol $local $port\n";
		push @found, $service if !$known{$service}++;
	}
	return join '', @found;
}

# The handles of a chain's rules, in order.
sub handles {
	my ($chain, $host) = @_;
	my @list = (qw(nft -a -s list chain ip ipmasqadm), $chain);
	my $text = $host ? $host->must(@list) : must(@list);
	return $text =~ /^\t\t.* # handle (\d+)$/mg;
}

# Text for the namespace that the copy is in: rules are named by handle, and those are others there.
# The chains are the same, so a rule is the one at the same place.
sub translated {
	my ($text) = @_;
	my %handle;
	for my $chain ($text =~ /^delete rule ip ipmasqadm (\S+) handle/mg) {
		next if $handle{$chain};
		my @here = handles($chain);
		my @there = handles($chain, $copy);
		die "chain $chain: @here are not @there\n" if @here != @there;
		@{$handle{$chain}}{@here} = @there;
	}
	$text =~ s{^(delete rule ip ipmasqadm (\S+) handle )(\d+)$}{$1 . ($handle{$2}{$3} // die "no rule $3 in $2\n")}mge;
	return $text;
}

# What two texts have in common at first, left out.
sub difference {
	my ($a, $b) = @_;
	my $file = write_file($a);
	my $other = write_file($b);
	my (undef, $out) = run('diff', '-U1', $file->filename, $other->filename);
	return $out;
}

# ---- one step ----

my $done = 0;
my %count;

# Carries out one command. Returns what went wrong, or ''.
sub step {
	my @argv = @_;
	my @dry = $argv[0] eq 'restore' ? ('restore', '--dry-run', $argv[1]) : (@argv, '--dry-run');
	my ($status, $text, $err) = ipmasqadm(@dry);
	my $there = $status ? '' : eval { translated($text) } // return "translation: $@";
	my ($real, $out, $said) = ipmasqadm(@argv);
	return "--dry-run exits with $status ($err), the command with $real ($said)" if $status != $real;
	return "--dry-run says \"$err\", the command \"$said\"" if $err ne $said;
	$count{$status ? 'refused' : length $text ? 'changed' : 'same'}++;
	$count{handle} += $there =~ /handle/;
	$count{once} += $there =~ /had begun/;
	$count{gone} += $there =~ /^delete table/m;
	$count{helper} += $there =~ /^(add|delete) ct helper/m;
	$count{multi} += $argv[0] eq 'restore' && !$status;
	return "printed although it fails: $text" if $status && length $text;
	eval { nft($there, $copy) if length $there; 1 } or return "nft: $@$text";
	my ($here, $copied) = (table(), table($copy));
	return "the command and the text differ:\n" . difference($here, $copied) . "the text was:\n$text"
		if $here ne $copied;
	($here, $copied) = (services(), services($copy));
	return '' if $here eq $copied;
	return "services in another order:\n" . difference($here, $copied) . "the text was:\n$text";
}

sub passes {
	my ($what, @argv) = @_;
	my $wrong = step(@argv);
	is($wrong, '', $what) or return;
	return 1;
}

sub at_random {
	my $before = table();
	my $file;
	my @argv = command();
	if (!any(4)) {
		my @flushes = any(8) ? () : ('portfw -f', 'mfw -F', 'autofw -F');
		$file = write_file(@flushes, map { join ' ', command() } 1 .. any(@flushes ? 2 : 7));
		@argv = ('restore', $file->filename);
	}
	my $shown = $file ? join('; ', map { s/\n//r } do { open my $f, '<', $file->filename; <$f> }) : "@argv";
	if (!any(20)) {
		ipmasqadm($argv[0] eq 'restore' ? ('restore', '--dry-run', $argv[1]) : (@argv, '--dry-run'));
		return "--dry-run changes something: $shown" if $before ne table();
	}
	my $wrong = step(@argv);
	$done++;
	return $wrong && "step $done: $shown: $wrong";
}

# Some connections, which nobody remembers afterwards.
sub traffic {
	my ($address, $port) = one_of(['198.51.100.1', 80], ['198.51.100.2', 80], ['198.51.100.1', 9001],
		['198.51.100.1', 9002])->@*;
	$client->many('tcp', $address, $port, 1 + any(7));
	forget();
	$count{traffic}++;
}

# ---- tests ----

diag("seed $seed (DRY_RUN_SEED)") if $ENV{DRY_RUN_SEED};
note("seed $seed (DRY_RUN_SEED)");

subtest 'commands at random' => sub {
	my $end = time + $seconds;
	my $wrong = '';
	my @wanted = qw(changed refused multi handle gone helper traffic);
	# and on, where it is slow, until there were some of each
	while (!$wrong && ($done < $most && ($done < $least || time < $end) || $done < 300 && grep { !$count{$_} } @wanted)) {
		$wrong = at_random();
		traffic() if !$wrong && !any(5);
	}
	is($wrong, '', "$done commands do what they print, seed $seed");
	note(join ', ', map { "$_ $count{$_}" } sort keys %count);
	# that a bad generator does not pass unseen
	cmp_ok($count{$_} // 0, '>', 0, "$_: some") for @wanted;
	cmp_ok($count{changed}, '>', $done / 3, "$count{changed} of them change something");
	# the next ones begin anew, whatever happened
	for my $flush (['portfw', '-f'], ['mfw', '-F'], ['autofw', '-F']) {
		passes("@$flush", @$flush) if !$wrong;
		ipmasqadm(@$flush);
	}
	is(table(), '', 'the table is gone');
	$copy->run(qw(nft delete table ip ipmasqadm)) if $wrong;
	is(table($copy), '', 'the copy, too');
};

# Maps are made anew where they are full: the kernel says so to the command, the dry run has to know.
subtest 'a map that grows' => sub {
	my $many = sub {
		my ($first, $last) = @_;
		return write_file(map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.2 80 -p 3" } $first .. $last);
	};
	my ($some, $more) = ($many->(1001, 1800), $many->(1801, 2100));
	passes('800 forwards', 'restore', $some->filename);
	my ($size) = table() =~ /map portfw \{.*?size (\d+)/s;
	passes('300 more', 'restore', $more->filename);
	my ($grown) = table() =~ /map portfw \{.*?size (\d+)/s;
	cmp_ok($grown, '>', $size, "... do not fit into $size elements, but into $grown");
	passes('... and one', qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	passes('all are flushed', qw(portfw -f));
};

# Where a connection still runs, something has to stay.
subtest 'what still runs' => sub {
	passes('a forward', qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	is($client->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'server', 'a connection');
	# nobody runs through the copy, but the text comes from where somebody does
	passes('the forward goes', qw(portfw -f));
	like(table(), qr/chain prerouting/, 'the chains stay');
	$client->close(1);
	forget();
	passes('another flush', qw(portfw -f));
	is(table(), '', 'and then they go');
};

subtest 'what others put into the table' => sub {
	passes('a forward', qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	passes('balanced', qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80));
	nft('add chain ip ipmasqadm others', $_) for undef, $copy;
	passes('all forwards go', qw(portfw -f));
	like(table(), qr/chain others/, '... but what is not ours');
	unlike(table(), qr/chain tcp-/, '... and what is ours does');
	passes('a forward again', qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	nft('flush chain ip ipmasqadm autofw_range; delete rule ip ipmasqadm lookup handle ' . (handles('lookup', $_))[0], $_)
		for undef, $copy;
	passes('rules that somebody deleted come back', qw(mfw -A -m 1 -r 10.0.0.2 80));
	nft('delete table ip ipmasqadm', $_) for undef, $copy;
	passes('without the table', qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	passes('nothing is left', qw(portfw -f));
};

done_testing;
