#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# ipmasqadm-ha(7)'s command to start, where Debian's package has already started conntrackd with a configuration of
# its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../net", "$FindBin::Bin/../lib", $FindBin::Bin;
use Net;
use Node;
use Page;
use Test::More;

for my $needed (qw(keepalived conntrackd nsenter)) {
	my $lacking = lacking($needed, !run('sh', '-c', "command -v $needed"));
	plan skip_all => $lacking if $lacking;
}
my $net = Net->new;
my $node = Node->new('firewall');
$node->boot;
for (['eth0', 'outside', '198.51.100.2/24'], ['eth1', 'inside', '10.0.0.2/24'], ['eth2', 'between', '192.168.77.1/24']) {
	Node::switch($_->[1]);
	$node->plug(@$_);
}
$node->must('sh', '-c', 'cp -r /usr/share/doc/ipmasqadm/ha/etc /usr/share/doc/ipmasqadm/ha/usr /');
sub put { my ($path, $text) = @_; $node->must('sh', '-c', 'printf %s "$1" >"$2"', 'sh', $text, $path) }

put('/var/conntrackd.conf', "General {\n\tHashSize 8192\n\tHashLimit 65535\n\tSyslog on\n\tLockFile /var/lock/conntrackd.lock\n"
	. "\tUNIX {\n\t\tPath /var/run/conntrackd.sock\n\t}\n\tSystemd on\n}\nStats {\n\tLogFile off\n}\n");
$node->must('sh', '-ec', 'cd /etc/conntrackd; cp conntrackd.conf /var/pair.conf; cp /var/conntrackd.conf .
	systemctl start conntrackd; cp /var/pair.conf conntrackd.conf; systemctl is-active conntrackd');
put('/usr/local/bin/ssh', "#!/bin/sh\nshift\nexec sh -c \"\$*\"\n");
$node->must(qw(chmod 755 /usr/local/bin/ssh));
my ($start) = grep { /^for firewall/ } map { $_->[0] } map { commands($_) } literals('ipmasqadm-ha.7', 'INSTALL');
is(($start =~ s/ in [\d. ]+;/ in 192.168.77.1;/), 1, 'the command');
my ($status, $out, $err) = $node->sh($start);
is("$status$out", '0', 'is run') or diag $err;
is(($node->sh('timeout 5 conntrackd -s >/dev/null'))[0], 0, "conntrackd answers, as the pair's configuration has it");
$node->run(qw(systemctl stop keepalived conntrackd ipmasqadm-pull.timer));

done_testing;
