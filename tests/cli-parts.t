#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Commands that stand for several, on a kernel with masquerading modules: one message each, and how far
# it got.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use Socket 'inet_aton';
use Test::More;

sub fresh { return Fake->new(FAKE_KERNEL => '2.2', IPMASQADM_TRANSPORT => 'sockopt', @_)->module(qw(portfw mfw autofw)) }

# The message of one port, as the recorded ones are made: command, protocol, addresses, ports, pref.
sub message {
	my ($command, $protocol, $laddr, $lport, $raddr, $rport, $pref) = @_;
	return unpack 'H*', pack 'l l a32 S x2 a4 a4 n n l x236', 2, $command, 'portfw', $protocol, inet_aton($laddr),
		inet_aton($raddr), $lport, $rport, $pref // 10;
}
my ($ADD, $DEL) = (2, 4);

sub does {
	my ($k, $line, $status, $err, @sent) = @_;
	my $r = $k->run(split / /, $line);
	is("$r->{status} $r->{err}$r->{out}", $status . ' ' . ($err ? "ipmasqadm: portfw: $err\n" : ''), $line);
	is_deeply([grep { command_of($_) ne 'NONE' } @{$r->{sent}}], \@sent, '... ' . @sent . ' messages');
	return $r;
}

sub left { my ($k) = @_; my @rows = split /\n/, $k->state('ip_masq/portfw'); shift @rows; return join ' ', map { join ':', (split)[0, 2] } @rows }

my ($l, $r) = ('198.51.100.1', '10.0.0.2');

subtest 'both protocols' => sub {
	my $k = fresh();
	does($k, "portfw -a -P tcp,udp -L $l 53 -R $r 54 -p 3", 0, '',
		message($ADD, 6, $l, 53, $r, 54, 3), message($ADD, 17, $l, 53, $r, 54, 3));
	is(left($k), 'UDP:53 TCP:53', 'both are there');
	does($k, "portfw -a -P tcp -L $l 80 -R $r 80", 0, '', message($ADD, 6, $l, 80, $r, 80));
	does($k, "portfw -q -P tcp,udp -L $l 80", 0, '');
	does($k, "portfw -q -P tcp,udp -L $l 81", 1, '');
	does($k, "portfw -a -P tcp,udp -L $l 80 -p 7", 0, '', message($ADD, 6, $l, 80, '0.0.0.0', 0, 7));
	does($k, "portfw -d -P tcp,udp -L $l 80", 0, '', message($DEL, 6, $l, 80, '0.0.0.0', 0));
	does($k, "portfw -d -P tcp,udp -L $l 80", 1, "no forward on tcp,udp $l:80");
	does($k, "portfw -a -P tcp,udp -L $l 80 -p 7", 1,
		"no forward on tcp,udp $l:80 to edit, and no target to add: give one with -R RADDR RPORT");
	does($k, "portfw -d -P udp,tcp -L 0.0.0.0 53 -R $r 54", 0, '',
		message($DEL, 6, '0.0.0.0', 53, $r, 54), message($DEL, 17, '0.0.0.0', 53, $r, 54));
	is(left($k), '', 'nothing is left');
};

done_testing;
