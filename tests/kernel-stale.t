#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A batch that comes too late is written again. What fails then is what is told, not the first refusal;
# and more refusals than the buffer takes do not hide the first one.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Errno qw(EIO);
use File::Temp ();
use Net;
use Test::More;

plan skip_all => 'nothing can be preloaded into a static program' if ($ENV{STATIC} // '') eq 'yes';
my $net = Net->new;
my $dir = File::Temp->newdir;
my ($preload) = map { s{tests/traffic$}{tests/netfail.so}r } $Net::traffic;
$preload = join ' ', grep { length } $ENV{PRELOAD} // '', $preload;

sub with {
	my ($env, @argv) = @_;
	return run('timeout', 60, 'env', (map { "$_=$env->{$_}" } keys %$env), "LD_PRELOAD=$preload", $Net::program, @argv);
}
sub calls { open my $f, '<', "$dir/count" or return 0; return <$f> =~ /^(\d+)/ ? $1 : 0 }

my @add = qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80);
for my $times (1, 3) {
	my ($status, $out, $err) = with({NETFAIL_STALE => $times, NETFAIL_COUNT => "$dir/count"}, @add);
	is("$status$out$err", '0', "$times too late: written again");
	is(() = ruleset() =~ /tcp \. 198\.51\.100\.1 \. 80/g, 1, '... once');
	must($Net::program, qw(portfw -f));
}

my $all = do { with({NETFAIL_STALE => 1, NETFAIL_COUNT => "$dir/count"}, @add); calls() };
must($Net::program, qw(portfw -f));
my (%told, @wrong);
for my $at (1 .. $all) {
	my ($status, $out, $err) = with({NETFAIL_STALE => 1, NETFAIL_AT => $at, NETFAIL_ERRNO => EIO}, @add);
	my $there = ruleset() =~ /198\.51\.100\.1/;
	$told{$err}++ if $status;
	push @wrong, "call $at: exit $status: $err" if $status > 1 || ($status && $err !~ m{\Aipmasqadm: portfw: [^\n]*Input/output error\n\z});
	push @wrong, "call $at: exit $status, but " . ($there ? 'it is there' : 'it is not there') if !$status && !$there;
	must($Net::program, qw(portfw -f));
}
is_deeply(\@wrong, [], "each of $all calls failed: the message says it");
cmp_ok(scalar keys %told, '>', 0, 'some of them did');

# every service of a flush is refused, since somebody's chain jumps to it; a user namespace caps the buffers
sub spew { my ($name, @lines) = @_; open my $f, '>', "$dir/$name" or die $!; print $f map { Net::to_six("$_\n") } @lines; close $f; return Net::is_translated("$dir/$name") }
my $refused = qr/\Aipmasqadm: portfw: the kernel refused the change to chain tcp-198\.51\.100\.1-\d+: something that is not ours refers to it; look at it with: nft list table ip ipmasqadm\n\z/;
for (['as root', 1_500], ['in a user namespace', 600, qw(unshare -Urn)]) {
	my ($where, $n, @in) = @$_;
	next if @in && (run(@in, 'true'))[0];
	my @files;
	for (my $from = 1; $from <= $n; $from += 50) {
		push @files, spew("forwards-$from", map { my $port = $_; map { "portfw -a -P tcp -L 198.51.100.1 $port -R 10.0.0.$_ 80" } 2, 3 } $from .. $from + 49);
	}
	my $jumps = spew('jumps', "table ip ipmasqadm {\nchain other {", (map { "jump tcp-198.51.100.1-$_" } 1 .. $n), "}\n}");
	my $script = spew('script', 'set -e', (map { "$Net::program restore $_" } @files), "nft -f $jumps", "$Net::program portfw -f");
	my ($status, $out, $err) = run('timeout', 120, @in, 'sh', $script);
	is($status, 1, "$n refusals, $where");
	like($err, $refused, 'the first one is told');
}

done_testing;
