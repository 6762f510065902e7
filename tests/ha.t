#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The scripts of doc/ha and doc/health where something is in their way, on one firewall without a pair:
# what it asks the other one is answered by a stand-in for ssh. The pair itself is in tests/long/kernel-ha.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net", "$FindBin::Bin/lib", "$FindBin::Bin/long";
use Net;
use Node;
use Page;
use Test::More;

for my $needed (qw(nft nsenter flock)) {
	my $lacking = lacking($needed, !run('sh', '-c', "command -v $needed"));
	plan skip_all => $lacking if $lacking;
}
my $net = Net->new;
my $node = Node->new('firewall');
# /etc has files and folders of root's
my $root = do { open my $f, '<', '/proc/self/uid_map'; <$f> } =~ /^\s*0\s+0\s+4294967295$/;
my $lacking = lacking('root, with an overlay of /etc', $root && !run(qw(unshare -m sh -c), 'mount -t tmpfs none /run && mkdir /run/u /run/w &&
	mount -t overlay -o lowerdir=/etc,upperdir=/run/u,workdir=/run/w none /etc'));
plan skip_all => $lacking if $lacking;
$node->boot;
$node->must('sh', '-c', 'cp -r /usr/share/doc/ipmasqadm/ha/etc /usr/share/doc/ipmasqadm/ha/usr \
	/usr/share/doc/ipmasqadm/health/usr /; ip address add 192.168.77.1/32 dev lo');
sub put { my ($path, $text) = @_; $node->must('sh', '-c', 'printf %s "$1" >"$2"', 'sh', $text, $path) }
sub slurp { my ($path) = @_; return ($node->sh("cat $path 2>/dev/null"))[1] }

# what is logged meanwhile
sub logs {
	my (@command) = @_;
	put('/var/log/logger', '');
	$node->run(@command);
	return slurp('/var/log/logger');
}

my $forward = 'ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80';
my $mine = "portfw -f\n$forward -p 10\n";
my $other = "portfw -f\n" . join '', map { "$forward$_ -p 10\n" } 80 .. 89;

subtest 'a pull' => sub {
	# as ssh: what it cannot write is no fault of its own
	put('/usr/local/bin/ssh', "#!/bin/sh\ncat /var/peer 2>/dev/null\nexit 0\n");
	$node->must(qw(chmod 755 /usr/local/bin/ssh));
	put('/var/peer', $other);
	put('/etc/ipmasqadm.conf', $mine);
	like(logs('ipmasqadm-pull'), qr/took over the forwards of 192\.168\.77\.2/, 'takes over');
	is(slurp('/etc/ipmasqadm.conf'), $other, 'the whole file');
	like($node->must(qw(ipmasqadm save)), qr/-R 10\.0\.0\.2 8089/, 'and it is in force');

	put('/var/peer', '');
	like(logs('ipmasqadm-pull'), qr/the file of 192\.168\.77\.2 is empty, staying with the old one/, 'an empty file');
	is(slurp('/etc/ipmasqadm.conf'), $other, 'is not taken over');

	put('/etc/ipmasqadm.conf', "portfw -f\nportfw -a -P upd\n");
	put('/usr/local/bin/ssh', "#!/bin/sh\necho no route >&2\nexit 255\n");
	my $said = logs('ipmasqadm-pull');
	like($said, qr/192\.168\.77\.2 does not tell its forwards: no route/, 'the other one does not answer');
	like($said, qr{cannot restore: .*/etc/ipmasqadm\.conf:2: portfw -a -P upd}, 'a mistake in its own file has the line that it has there');
	like($node->must(qw(ipmasqadm save)), qr/-R 10\.0\.0\.2 8089/, 'what is in force stays');

	put('/etc/ipmasqadm.conf', $mine);
	$node->must(qw(chown 1000 /etc/ipmasqadm.conf));
	like(logs('ipmasqadm-pull'), qr/cannot restore: .*refusing to read as root: it belongs to uid 1000/, 'nor is a file restored that is somebody else\'s');
	like($node->must(qw(ipmasqadm save)), qr/-R 10\.0\.0\.2 8089/, 'what is in force stays again');
	$node->must(qw(chown 0 /etc/ipmasqadm.conf));
};

subtest 'a pull to a disk that is full' => sub {
	put('/usr/local/bin/ssh', "#!/bin/sh\ncat /var/peer 2>/dev/null\nexit 0\n");
	put('/var/peer', $other);
	$node->must('sh', '-ec', 'mkdir /var/etc; cp /etc/ipmasqadm-pair.conf /etc/passwd /etc/group /var/etc/
		mount -t tmpfs -o size=64k none /etc; cp /var/etc/* /etc/');
	put('/etc/ipmasqadm.conf', $mine);
	$node->sh('dd if=/dev/zero of=/etc/filler bs=4k 2>/dev/null');
	like(logs('ipmasqadm-pull'), qr{cannot be written to /etc/ipmasqadm\.conf\.pulled, staying with the old one}, 'is told');
	is(slurp('/etc/ipmasqadm.conf'), $mine, 'the file stays');
	is(slurp('/etc/ipmasqadm.conf.pulled'), '', 'nothing is left beside it');
	like($node->must(qw(ipmasqadm save)), qr/-R 10\.0\.0\.2 80 /, 'and is in force');
	$node->must(qw(umount /etc));
};

subtest 'check-pair' => sub {
	my $says = sub {
		my ($file, $script) = @_;
		$node->must('sed', '-i.good', $script, $file);
		my (undef, $out) = $node->sh('check-pair --local');
		$node->must('mv', "$file.good", $file);
		return $out;
	};
	my $conntrackd = '/etc/conntrackd/conntrackd.conf';
	my $ignore = sub { return $says->($conntrackd, "s,\\(IPv4_address \\)127.0.0.1,&\\n\\1$_[0],") };
	for (qw(198.51.100.1 198.51.100.1/32 198.51.100.0/24 198.51.0.0/16 0.0.0.0/0)) {
		like($ignore->($_), qr{^wrong: \Q$conntrackd\E ignores \Q$_\E: what is addressed to 198\.51\.100\.1 is not told}m, "the sync ignores $_");
	}
	like($ignore->('10.0.0.0/24'), qr{ignores 10\.0\.0\.0/24: what is addressed to 10\.0\.0\.1 is not told}, 'that of the inside address');
	for (qw(198.51.100.2 198.51.100.128/25 198.51.100.2/31 127.0.0.0/8 10.0.0.2/32)) {
		unlike($ignore->($_), qr/ignores/, "$_ is another address");
	}
	unlike($says->('/etc/keepalived/keepalived.conf', 's/^[[:blank:]]*//'), qr/does not have/, 'a keepalived.conf that is not indented');
	like($says->('/etc/keepalived/keepalived.conf', 's/198\.51\.100\.1/198.51.100.11/'),
		qr{keepalived\.conf does not have 198\.51\.100\.1 }, 'one with another address');
};

subtest 'a health check that could not read the file' => sub {
	put('/etc/ipmasqadm.conf', "portfw -f\nportfw -a -P tcp -L fw.example.org 80 -R 10.0.0.2 80\n");
	put('/etc/hosts', '');
	put('/etc/nsswitch.conf', "hosts: files\n");
	my $said = qr{cannot read /etc/ipmasqadm\.conf: .*fw\.example\.org};
	like(logs('ipmasqadm-health'), $said, 'says so');
	unlike(logs('ipmasqadm-health'), $said, 'once');
	put('/etc/hosts', "198.51.100.1 fw.example.org\n");
	$node->run('ipmasqadm-health');
	like(slurp('/run/ipmasqadm-health/wanted'), qr/-L 198\.51\.100\.1 80/, 'and reads it in the next round, when it can');
};

done_testing;
