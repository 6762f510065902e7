#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The program where system calls answer as those of 1998 did (old-kernel.c), on a 2.2 (fake.c).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use Test::More;

my @add = qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080);
my @del = qw(portfw -d -P tcp -L 198.51.100.1 80);
my $row = sprintf "%-63s\n", 'TCP  C6336401    80 > 0A000002  8080    10    10';
my $title = "prot localaddr            rediraddr               lport    rport  pcnt  pref\n";

$ENV{PRELOAD} = join ' ', grep { length } $ENV{PRELOAD} // '', "$Fake::build/tests/old-kernel.so";

# A 2.2 with all modules; the transport is chosen by asking it.
sub fresh {
	return Fake->new(FAKE_KERNEL => '2.2', @_)->module(qw(portfw mfw autofw));
}

sub is_run {
	my ($k, $argv, $status, $err, $sent, $out) = @_;
	my $r = $k->run(@$argv);
	is_deeply([@$r{qw(status err out)}], [$status, $err, $out // ''], "@$argv");
	is(join(' ', map { command_of($_) } @{ $r->{sent} }), $sent, '... sent') if defined $sent;
}

subtest 'sockets without SOCK_CLOEXEC' => sub {
	my $k = fresh();
	is_run($k, \@add, 0, '', 'NONE ADD');
	is($k->state('ip_masq/portfw'), $header{portfw} . $row, 'as the kernel has it');
	is_run($k, [qw(portfw -l -n)], 0, '', 'NONE NONE', $title
		. sprintf("%-4s %-20s %-20s %8s %8s %5d %5d\n", 'TCP', '198.51.100.1', '10.0.0.2', 80,
			8080, 10, 10));
	is_run($k, \@del, 0, '', 'NONE DEL');

	# A kernel between 2.4 and 2.6.26 has no masquerading modules, and the socket option says
	# so. What it lacks is nf_tables.
	$k = fresh(FAKE_ANSWER => '*=ENOPROTOOPT');
	my $r = $k->run(qw(portfw -l -n));
	is($r->{status}, 1, 'neither interface');
	like($r->{err}, qr/nf_tables/, '... says what is missing');
	unlike($r->{err}, qr/IPMASQADM_TRANSPORT/, '... not what was not set');
	ok(@{ $r->{sent} } && !grep({ command_of($_) ne 'NONE' } @{ $r->{sent} }), '... after a peek');
};

subtest 'without /proc' => sub {
	my $k = fresh(OLD_KERNEL_NO_PROC => 1);
	my $why = 'there is no /proc/net, so /proc/net/ip_masq/%s cannot be read; '
		. "try mount -t proc proc /proc\n";
	my $sent = 'sent, but the result could not be verified: ';
	is_run($k, \@add, 1, "ipmasqadm: portfw: $sent" . sprintf($why, 'portfw'), 'NONE ADD');
	is_run($k, [qw(mfw -F)], 1, "ipmasqadm: mfw: $sent" . sprintf($why, 'mfw'), 'NONE FLUSH');
	is_run($k, [qw(portfw -l -n)], 1, 'ipmasqadm: portfw: ' . sprintf($why, 'portfw'), 'NONE NONE');
	# a save without forwards would be a lie
	my $r = $k->run('save');
	is_deeply([@$r{qw(status out)}], [1, ''], 'save');
	like($r->{err}, qr{there is no /proc/net}, '... says why');
};

subtest 'a file to save to' => sub {
	my $k = fresh();
	$k->file('ip_masq/portfw', $header{portfw} . $row);
	my $dir = $k->{dir};
	my $line = 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080';
	is_run($k, ['save', "$dir/new"], 0, '');
	like(Fake::slurp("$dir/new"), qr/\Q$line\E/, 'a new file');
	is(((stat "$dir/new")[2] // 0) & 0777, 0600, '... its mode');
	symlink 'new', "$dir/link" or die $!;
	chmod 0640, "$dir/new";
	open my $f, '>', "$dir/new" or die $!;
	close $f;
	is_run($k, ['save', "$dir/link"], 0, '');
	ok(-l "$dir/link", 'a link stays one');
	like(Fake::slurp("$dir/new") // '', qr/\Q$line\E/, '... and its file is written');
	is(((stat "$dir/new")[2] // 0) & 0777, 0640, '... and keeps its mode');
	is_deeply([glob "$dir/.ipmasqadm*"], [], 'nothing is left behind');
	is_run($k, [qw(restore), "$dir/link"], 0, '');
};

done_testing;
