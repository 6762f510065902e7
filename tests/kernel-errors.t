#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Every system call on a netlink socket fails once, in several ways: exit 1 and the message for that call, or the command
# got over it; never a crash or a hang, and nothing half done.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use Errno qw(EINTR ENOBUFS EPERM);
use File::Temp ();
use Test::More;

plan skip_all => 'nothing can be preloaded into a static program' if ($ENV{STATIC} // '') eq 'yes';
my $net = Net->new;
my $dir = File::Temp->newdir;
my ($preload) = map { s{tests/traffic$}{tests/netfail.so}r } $Net::traffic;
$preload = join ' ', grep { length } $ENV{PRELOAD} // '', $preload;

sub spew { my ($path, @lines) = @_; open my $f, '>', $path or die $!; print $f map { "$_\n" } @lines; close $f; return $path }
sub slurp { open my $f, '<', shift or return ''; local $/; return <$f> // '' }

my $state = spew("$dir/state",
	'portfw -f', 'mfw -F', 'autofw -F',
	'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80', 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 5',
	'portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.2 53', 'mfw -A -m 1 -r 10.0.0.2', 'mfw -A -m 1 -r 10.0.0.3 80 -p 0',
	'autofw -A -r udp 6970 7170 -c tcp 7070', 'autofw -A -p tcp 8080 10.0.0.2:80');
my $file = spew("$dir/file", 'portfw -f', 'mfw -F', map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.2 80" } 1 .. 300);

sub with {
	my ($env, @argv) = @_;
	return run('timeout', 60, 'env', (map { "$_=$env->{$_}" } keys %$env), "LD_PRELOAD=$preload", $Net::program, @argv);
}

# The one message for a call that fails so: "at" counts from 1, and "batch" is the call that sends the
# change. Opening and asking for the generation take the first three.
sub message {
	my ($argv, $errno, $at, $batch) = @_;
	my $why = $errno == EPERM ? 'no permission to use nf_tables: it needs root, or CAP_NET_ADMIN'
		: $errno == EINTR ? ($at <= 3 ? 'cannot read nf_tables: Interrupted system call' : 'got over it')
		: $at == $batch ? 'the change is too large for the socket buffer; raise net.core.wmem_max'
		: 'cannot read nf_tables: No buffer space available';
	# a restore names its file where it has read it, and the line where one is at fault
	my $where = $$argv[0] eq 'restore' ? qr/(?:\Q$file\E: |\Q$file\E:1: portfw -f: |\Q$file\E:2: mfw -F: )?/ : qr//;
	return qr/\Aipmasqadm: $$argv[0]: $where\Q$why\E\n\z/;
}

my @errors = $slow ? (ENOBUFS) : (ENOBUFS, EINTR, EPERM);
for my $command ('portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80', 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.4 80',
		 'portfw -d -P tcp -L 198.51.100.1 80', 'portfw -l -n', 'mfw -S -m 1', 'mfw -F',
		 'autofw -A -r tcp 1 2 -c tcp 3', 'autofw -D -p tcp 8080 10.0.0.2:80', 'save', "restore $file") {
	my @argv = split / /, $command;
	must($Net::program, 'restore', $state);
	my $before = must($Net::program, 'save');
	my ($status, $out, $err) = with({NETFAIL_COUNT => "$dir/count"}, @argv);
	is("$status$err", '0', "$command: where nothing fails");
	my $after = must($Net::program, 'save');
	my ($n, $batch) = slurp("$dir/count") =~ /^(\d+) (\d+)$/ or die 'no count';
	my ($now, @bad, $failed) = $after;
	for my $at (1 .. $n) {
		for my $errno (@errors) {
			must($Net::program, 'restore', $state) if $now ne $before;
			my ($status, $got, $err) = with({NETFAIL_AT => $at, NETFAIL_ERRNO => $errno}, @argv);
			$now = must($Net::program, 'save');
			my $good = $status == 0 ? $err eq '' && $got eq $out && $now eq $after
				: $status == 1 && $err =~ message(\@argv, $errno, $at, $batch) && ($now eq $before || $now eq $after);
			$failed++ if $status;
			push @bad, "call $at, errno $errno: exit $status: $err" unless $good;
		}
	}
	is_deeply(\@bad, [], "$command: $n calls, each failed once") or diag(join '', splice @bad, 0, 5);
	ok($failed, 'not all of them for nothing');
}

done_testing;
