#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What people ran autofw for, with the README's own lines and real packets: RealAudio, X, a fixed range.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use Test::More;

my $us = '203.0.113.254';
my $net = Net->new(local => ['198.51.100.1']);
my $hostA = $net->host('hostA', '10.0.0.2')->listen(6000, 6001, 6970, 6980, 60000, 65535);
my $hostB = $net->host('hostB', '10.0.0.3')->listen(6000, 6970);
my ($radio, $other_radio, $login, $xdm, $stranger) = map { "203.0.113.$_" } 80 .. 84;
my $outside = $net->host('outside', $radio, $other_radio, $login, $xdm, $stranger)->listen(23, 177, 7070);
$net->firewall->listen(6000, 6001, 6970, 6980, 59999, 60000, 65535);

# Where an outside host gets.
sub reach {
	my ($from, $protocol, $port) = @_;
	my $got = $outside->$protocol($us, $port, from => $from);
	return $got->{name} if $got->{name} eq 'firewall' || !$got->{at};
	return "$got->{at} sees $got->{peer_host}";
}

# The lines of the README that begin so, and its listing.
my ($section) = do {
	open my $f, '<', "$FindBin::Bin/../README" or die "README: $!\n";
	local $/;
	<$f> =~ /^## autofw.*?\n(.*?)^## /ms;
};
my @commands = map { [split] } $section =~ /^    (?:# )?ipmasqadm (autofw -A .*)$/mg;
my ($listing) = $section =~ /^    # ipmasqadm autofw -L -n\n((?:    \S.*\n)+)/m;

subtest 'as the README has it' => sub {
	must(qw(nft add table ip masq));
	must(qw(nft add chain ip masq postrouting), '{ type nat hook postrouting priority srcnat; }');
	must(qw(nft add rule ip masq postrouting ip saddr 10.0.0.0/24 ip daddr != 10.0.0.0/24 masquerade));
	cmp_ok(scalar @commands, '>=', 4, 'commands');
	for (@commands) {
		my ($status, $out, $err) = ipmasqadm(@$_);
		is("$status$out$err", '0', "@$_");
	}
	is((ipmasqadm(qw(autofw -L -n)))[1], ($listing // '') =~ s/^    //mgr, 'listed as it says');
};

subtest 'RealAudio' => sub {
	is(reach($radio, 'udp', 6970), 'firewall', 'no sound yet');
	is($hostA->open(1, 'tcp', $radio, 7070)->{peer_host}, $us, 'hostA turns on the radio');
	is(reach($radio, 'udp', $_), "10.0.0.2:$_ sees $radio", "sound on port $_") for 6970, 6980;
	is($outside->open(1, 'udp', $us, 6970, from => $radio)->{name}, 'hostA', 'that goes on');
	is($hostB->open(1, 'tcp', $other_radio, 7070)->{peer_host}, $us, 'hostB listens to another station');
	is(reach($other_radio, 'udp', 6970), "10.0.0.3:6970 sees $other_radio", 'and hears it');
	is(reach($radio, 'udp', 6970), "10.0.0.2:6970 sees $radio", 'hostA hears its own');
	is($outside->say(1)->{name}, 'hostA', 'and on');
	is(reach($stranger, 'udp', 6970), 'firewall', 'nobody else is heard');
	is($hostA->say(1)->{name}, 'outside', 'the radio can be told to stop');
};

subtest 'X' => sub {
	is(reach($_, 'tcp', 6000), 'firewall', "no window from $_") for $login, $xdm;
	is($hostA->open(2, 'tcp', $login, 23)->{peer_host}, $us, 'hostA logs in by telnet');
	is(reach($login, 'tcp', $_), "10.0.0.2:$_ sees $login", "a window on port $_") for 6000, 6001;
	is(reach($xdm, 'tcp', 6000), 'firewall', 'none from where nobody is');
	is($hostB->open(2, 'udp', $xdm, 177)->{peer_host}, $us, 'hostB asks for a login window');
	is($outside->open(2, 'tcp', $us, 6000, from => $xdm)->{name}, 'hostB', 'and gets it');
	is(reach($login, 'tcp', 6000), "10.0.0.2:6000 sees $login", 'hostA gets its own');
	is(reach($stranger, 'tcp', 6000), 'firewall', 'nobody else opens windows');
	is(reach($login, 'udp', 6000), 'firewall', 'nor by udp');
	is($outside->say(2)->{name}, 'hostB', 'the window works');
};

subtest 'a fixed range' => sub {
	for my $from ($radio, $stranger) {
		is(reach($from, 'tcp', $_), "10.0.0.2:$_ sees $from", "port $_") for 60000, 65535;
	}
	is(reach($stranger, 'tcp', 59999), 'firewall', 'no port below');
	is(reach($stranger, 'udp', 60000), 'firewall', 'no udp');
};

subtest 'all over' => sub {
	is(ipmasqadm(qw(autofw -F)), 0, 'autofw -F');
	unlike(ruleset(), qr/ipmasqadm/, 'nothing is left');
	is($outside->say($_)->{name}, $_ == 1 ? 'hostA' : 'hostB', 'what runs, runs on') for 1, 2;
	is(reach($login, 'tcp', 6000), 'firewall', 'what comes, does not get through');
};

done_testing;
