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

subtest 'an interface: the address that it has at the moment' => sub {
	my $k = fresh(FAKE_ADDRESS => "eth0=$l");
	does($k, "portfw -a -P tcp -L \@eth0 80 -R $r 81", 0, '', message($ADD, 6, $l, 80, $r, 81));
	does($k, "portfw -q -P tcp -L \@eth0 80$_", 0, '') for '', " -R $r 81";
	does($k, "portfw -q -P tcp -L \@eth0 $_", 1, '') for 81, "80 -R $r 80";
	does($k, "portfw -q -P udp -L \@eth0 80", 1, '');
	does($k, "portfw -q -P tcp -L $l 80", 0, '');
	my $now = 'this kernel knows no forwards on interfaces: the address that eth0 has at the moment was taken';
	is($k->run(qw(portfw -a -v -P tcp -L @eth0 80 -p 3))->{out}, "$now\n", '-v says so, of a new pref');
	is($k->run(qw(portfw -a -v -P tcp -L @eth0 8000-8001 -R), $r, '9000-9001')->{out}, "$now\n", '... of a range');
	does($k, "portfw -d -P tcp -L \@eth0 80", 0, '', message($DEL, 6, $l, 80, '0.0.0.0', 0));
	does($k, "portfw -d -P tcp -L \@eth0 80", 1, "no forward on tcp $l:80", message($DEL, 6, $l, 80, '0.0.0.0', 0));
	is($k->run('save')->{out} =~ s/.*autofw -F\n//sr, "ipmasqadm portfw -a -P tcp -L $l 8000-8001 -R $r 9000-9001 -p 10\n", 'saved with the address');
	$k->file('rules', "portfw -f\nportfw -a -P udp -L \@eth0 53 -R $r 53\n");
	is($k->run('restore', $k->path('rules'))->{status}, 0, 'restore');
	is(left($k), 'UDP:53', 'takes it as well');
	$k->{env}{FAKE_ADDRESS} = 'eth0=198.51.100.9';
	does($k, "portfw -q -P udp -L \@eth0 53", 1, '');
	does($k, "portfw -d -P udp -L \@eth0 53", 1, 'no forward on udp 198.51.100.9:53', message($DEL, 17, '198.51.100.9', 53, '0.0.0.0', 0));
	for (['eth0=', 'eth0', 'Cannot assign requested address'], ["eth0=$l", 'eth1', 'No such device'], ["eth0=$l", 'eth', 'No such device']) {
		my ($address, $name, $why) = @$_;
		$k->{env}{FAKE_ADDRESS} = $address;
		my $none = "\@$name: this kernel forwards what comes to an address, and the interface has none: $why";
		does($k, "portfw -a -P tcp -L \@$name 80 -R $r 80", 1, $none);
		does($k, "portfw -d -P tcp -L \@$name 80", 1, $none);
		does($k, "portfw -q -P tcp -L \@$name 80", 1, '');
	}
};

subtest 'a range' => sub {
	my $k = fresh();
	does($k, "portfw -a -P tcp -L $l 8000-8002 -R $r 9000-9002", 0, '',
		map { message($ADD, 6, $l, 8000 + $_, $r, 9000 + $_) } 0 .. 2);
	is(left($k), 'TCP:8002 TCP:8001 TCP:8000', 'all are there');
	does($k, "portfw -q -P tcp -L $l 1-8000 -R $r 1001-9000", 0, '');
	does($k, "portfw -q -P tcp -L $l 1-8000 -R $r 1000-8999", 1, '');
	does($k, "portfw -q -P tcp -L $l 8003-65535", 1, '');
	is($k->run('save')->{out}, "ipmasqadm portfw -f\nipmasqadm mfw -F\nipmasqadm autofw -F\n"
		. "ipmasqadm portfw -a -P tcp -L $l 8000-8002 -R $r 9000-9002 -p 10\n", 'saved as a range');
	does($k, "portfw -a -P tcp -L $l 1-8001 -p 3", 0, '',
		map { message($ADD, 6, $l, 8000 + $_, '0.0.0.0', 0, 3) } 0, 1);
	does($k, "portfw -d -P tcp,udp -L $l 8001-65535 -R $r 9001-66535", 2,
		'ports "9001-66535": a range is two ports from 1 to 65535, such as 8000-8100');
	does($k, "portfw -d -P tcp,udp -L $l 8001-65535", 0, '', map { message($DEL, 6, $l, $_, '0.0.0.0', 0) } 8001, 8002);
	is(left($k), 'TCP:8000', 'one is left');
	does($k, "portfw -d -P tcp -L $l 8001-8100", 1, "no forward on tcp $l:8001-8100");
	does($k, "portfw -a -P tcp -L $l 8001-8100 -p 3", 1,
		"no forward on tcp $l:8001-8100 to edit, and no target to add: give one with -R RADDR RPORT");
	does($k, "portfw -a -P tcp,udp -L $l 8000-8001 -R $r 9000-9001", 0, '',
		map { my $protocol = $_; map { message($ADD, $protocol, $l, 8000 + $_, $r, 9000 + $_) } 0, 1 } 6, 17);
	does($k, "portfw -a -P tcp -L $l 8000-8100 -R $r 9000", 2, 'port 9000 for the ports 8000-8100: give as many, 9000-9100');
};

subtest 'how far it got' => sub {
	my $k = fresh();
	my $why = 'the kernel did not add tcp 198.51.100.1:61000 to 10.0.0.2:61000: it takes local ports from 1 to 60999, not 61000';
	does($k, "portfw -a -P tcp -L $l 60998-61001 -R $r 60998-61001", 1,
		"$why (this kernel takes one port at a time: the 2 before it are done, none after it)",
		map { message($ADD, 6, $l, $_, $r, $_) } 60998 .. 61000);
	is(left($k), 'TCP:60999 TCP:60998', 'those before it');
	does($k, "portfw -a -P tcp -L $l 61000-61001 -R $r 61000-61001", 1, $why, message($ADD, 6, $l, 61000, $r, 61000));
	open my $f, '>', "$k->{dir}/forwards";
	print $f "portfw -f\nportfw -a -P tcp -L $l 60999-61000 -R $r 60999-61000\n";
	close $f;
	my $result = $k->run('restore', "$k->{dir}/forwards");
	is($result->{err}, "ipmasqadm: restore: $k->{dir}/forwards:2: portfw -a -P tcp -L $l 60999-61000 -R $r 60999-61000: $why "
		. "(this kernel takes one port at a time: the 1 before it is done, none after it) "
		. "(this kernel takes one command at a time: the 1 before it is done, none after it)\n", 'of a file, too');
	# without its state file nothing is known beforehand
	$k = fresh()->file('ip_masq/portfw', undef);
	my $module = 'this kernel has no module ip_masq_portfw, or has not loaded it: there is no /proc/net/ip_masq/portfw; '
		. 'try modprobe ip_masq_portfw';
	does($k, "portfw -a -P tcp -L $l 80-90 -R $r 80-90", 1, $module, message($ADD, 6, $l, 80, $r, 80));
	does($k, "portfw -d -P tcp -L $l 80-90", 1, $module, message($DEL, 6, $l, 80, '0.0.0.0', 0));
};

done_testing;
