#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# On a kernel where nf_tables is modules that nobody has loaded: what commands say when these cannot be
# loaded, and that the first one loads them when they can.
use strict;
use warnings;
use Test::More;

sub slurp { open my $f, '<', $_[0] or die "$_[0]: $!\n"; local $/; return <$f> }
plan skip_all => 'not a kernel of our own (make check-vm)' unless slurp('/proc/cmdline') =~ /\bipmasqadm-vm\b/;

sub loaded { return {map { (split)[0] => 1 } split /\n/, slurp('/proc/modules')} }
sub ipmasqadm { my $out = qx($ENV{IPMASQADM} @_ 2>&1); return ($? >> 8) . $out }

# what the kernel runs when it wants a module
sub loader {
	open my $f, '>', '/proc/sys/kernel/modprobe' or die "$!\n";
	print $f @_;
	close $f or die "$!\n";
}

chomp(my $modprobe = slurp('/proc/sys/kernel/modprobe'));
my @add = qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080);
my @list = qw(portfw -l -n);

ok(!loaded()->{$_}, "$_ is not loaded") for qw(nfnetlink nf_tables nft_chain_nat nft_nat nf_nat nf_conntrack ip_tables);

loader('/nonexistent');
like(ipmasqadm(@$_), qr/\A1ipmasqadm: portfw: [^\n]*nf_tables[^\n]*CONFIG_NF_TABLES[^\n]*\n\z/, "@$_ without nf_tables")
	for \@add, \@list;
is(system('modprobe', 'nf_tables'), 0, 'with nf_tables');
like(ipmasqadm(@add), qr/\A1ipmasqadm: portfw: [^\n]*CONFIG_NFT_(?:NAT|COUNTER)[^\n]*\n\z/, '... but without all else');
is(qx(nft list ruleset), '', 'nothing is half done');
is(system('modprobe', '-r', 'nf_tables'), 0, 'away again');

loader($modprobe);
is(ipmasqadm(@add), '0', 'the first command that may load modules succeeds');
my $after = loaded();
ok($after->{$_}, "it has loaded $_") for qw(nfnetlink nf_tables nft_chain_nat nft_nat nf_nat nf_conntrack);
diag('loaded: ', join ' ', sort keys %$after);
like(ipmasqadm(@list), qr/^TCP +198\.51\.100\.1 +10\.0\.0\.2 +80 +8080/m, 'the forward is listed');

# helpers: two modules each, of which making the helper alone loads one
my @ftp = qw(portfw -a -P tcp -L 198.51.100.1 21 -R 10.0.0.2 21 -H ftp);
my $lacking = "1ipmasqadm: portfw: helper ftp needs the kernel modules nf_conntrack_ftp and nf_nat_ftp (CONFIG_NF_CONNTRACK_FTP), which could not be loaded: load them with: modprobe nf_nat_ftp\n";
my $before = qx(nft list ruleset);
ok(!loaded()->{$_}, "$_ is not loaded") for qw(nf_conntrack_ftp nf_nat_ftp);
loader('/nonexistent');
is(ipmasqadm(@ftp), $lacking, 'a helper whose modules nobody can load');
is(qx(nft list ruleset), $before, 'and nothing has changed');
my $file = '/run/ipmasqadm.lines';
open my $lines, '>', $file or die "$file: $!";
print $lines "portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 81\n@ftp\n";
close $lines or die "$file: $!";
is(ipmasqadm('restore', $file), $lacking =~ s/portfw: /restore: $file:2: @ftp: /r, 'in a file it has its line');
is(qx(nft list ruleset), $before, 'and nothing has changed');
loader($modprobe);
my $program = $ENV{IPMASQADM};
for my $caps ('-sys_module') { # as the sandboxed unit
	local $ENV{IPMASQADM} = "setpriv --bounding-set $caps --inh-caps $caps $program";
	is(ipmasqadm(@ftp), $lacking, 'by a caller that may load none');
	is(qx(nft list ruleset), $before, 'and nothing has changed');
	ok(!loaded()->{nf_nat_ftp}, 'nf_nat_ftp is not loaded');
	is(system('modprobe', 'nf_nat_ftp'), 0, 'somebody loads it');
	is(ipmasqadm(@ftp), '0', 'then it does');
	is(ipmasqadm(qw(portfw -d -P tcp -L 198.51.100.1 21)), '0', 'deleted');
}
is(system('modprobe', '-r', 'nf_nat_ftp', 'nf_conntrack_ftp'), 0, 'away again');
is(ipmasqadm(@ftp), '0', 'a caller that may');
ok(loaded()->{$_}, "it has loaded $_") for qw(nf_conntrack_ftp nf_nat_ftp);
my %others = (tftp => 'udp', irc => 'tcp', sip => 'udp', pptp => 'tcp', h323 => 'tcp');
for (sort keys %others) {
	is(ipmasqadm(qw(portfw -a -P), $others{$_}, qw(-L 198.51.100.1 99 -R 10.0.0.2 99 -H), $_), '0', "-H $_");
	ok(loaded()->{"nf_nat_$_"}, "it has loaded nf_nat_$_");
	is(ipmasqadm(qw(portfw -d -P), $others{$_}, qw(-L 198.51.100.1 99)), '0', 'deleted');
}
is(ipmasqadm(qw(portfw -f)), '0', 'and flushed');
is(qx(nft list ruleset), '', 'which leaves nothing');

done_testing;
