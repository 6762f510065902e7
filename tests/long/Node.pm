# SPDX-License-Identifier: GPL-2.0-or-later
#
# Machines for long tests, within what Net.pm makes: besides a network each has processes, /etc, /root,
# /usr/local, /var and /run of its own, so that packages' daemons and the files of doc/ run in it as they
# are. When its first process is killed, as in a crash, all of them are, and its interfaces go.
#
#	my $node = Node->new('first');		# its disk
#	$node->boot;				# its processes
#	$node->plug('eth0', 'outside', '198.51.100.2/24');
#	$node->must('systemctl', 'start', 'keepalived');
#	$node->crash;
package Node;
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use File::Path 'make_path';
use File::Temp ();
use Net ();
use Time::HiRes 'sleep';

my $here = abs_path(dirname(__FILE__));
my $top = abs_path("$here/../..");

sub spew {
	my ($path, $text, $mode) = @_;
	make_path(dirname($path));
	open my $f, '>', $path or die "$path: $!\n";
	print $f $text;
	close $f or die "$path: $!\n";
	chmod $mode, $path if $mode;
}

# A switch, whose ports are the other ends of what is plugged in.
sub switch {
	my ($name) = @_;
	Net::must(qw(ip link add name), $name, qw(type bridge stp_state 0 forward_delay 0));
	Net::must(qw(ip link set), $name, 'up');
	for my $file (glob '/proc/sys/net/bridge/bridge-nf-call-*') {
		open my $f, '>', $file or next;
		print $f 0;
	}
}

sub plug_in {
	my ($pid, $name, $interface, $switch, @addresses) = @_;
	my $port = substr("$name-$interface", 0, 15);
	Net::must(qw(ip link add), $port, qw(type veth peer name), $interface, 'netns', $pid);
	Net::must(qw(ip link set), $port, 'master', $switch, 'up');
	my @in = (qw(nsenter --net -t), $pid, '--');
	Net::must(@in, qw(ip address add), $_, 'dev', $interface) for @addresses;
	Net::must(@in, qw(ip link set), $interface, 'up');
	return $port;
}

# The disk is in memory, since an overlay cannot be what another one writes to, as the root of a guest is.
sub new {
	my ($class, $name) = @_;
	my $node = bless {name => $name, disk => File::Temp->newdir(DIR => '/run'), ports => []}, $class;
	my $disk = $node->{disk};
	for my $dir (qw(etc root usr-local var)) {
		make_path("$disk/$dir", "$disk/$dir.work");
	}
	my $local = "$disk/usr-local";
	# what an install would bring
	spew("$local/sbin/ipmasqadm", "#!/bin/sh\nIPMASQADM_MODDIR='$ENV{IPMASQADM_MODDIR}' exec '$Net::program' \"\$@\"\n", 0755);
	# and what has no journal
	spew("$local/bin/logger", "#!/bin/sh\necho \"\$(date +%T.%N | cut -c 1-12) \$*\" >>/var/log/logger\n", 0755);
	spew("$local/bin/modprobe", "#!/bin/sh\n", 0755);
	make_path("$disk/var/log");
	return $node;
}

sub boot {
	my ($node) = @_;
	my $disk = $node->{disk};
	pipe my $in, $node->{life} or die;
	pipe $node->{hear}, my $out or die;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		close $node->{life};
		open STDIN, '<&', $in;
		open STDOUT, '>&', $out;
		# unshare complains when its child is killed
		open STDERR, '>', "$disk/stderr";
		no warnings 'exec';
		exec qw(unshare -nmpf --kill-child --propagation private sh -ec), <<'SH', 'sh', $disk, $top, $node->{name};
			disk=$1 top=$2
			for dir in etc root usr/local var; do
				d=$(echo $dir | tr / -)
				mount -t overlay -o "lowerdir=/$dir,upperdir=$disk/$d,workdir=$disk/$d.work" overlay /$dir
			done
			mount -t tmpfs none /run
			mkdir -p /run/lock /run/sshd
			mount -t tmpfs none /usr/share/doc
			mkdir -p /usr/share/doc/ipmasqadm
			cp -r "$top/doc/ha" "$top/doc/health" /usr/share/doc/ipmasqadm/
			cp "$top/tests/long/systemctl" /usr/local/bin/systemctl
			mount -t proc none /proc
			ip link set lo up
			# as an init does: end with the test, and leave no zombie that looks alive
			exec perl -e '$SIG{CHLD} = "IGNORE"; $| = 1; print "ready\n"; <STDIN>'
SH
	}
	close $in;
	close $out;
	my $ready = readline $node->{hear};
	($ready // '') eq "ready\n" or die "$node->{name} does not boot\n";
	# unshare's child is the first process of the node
	open my $f, '<', "/proc/$pid/task/$pid/children" or die;
	$node->{pid} = (split ' ', <$f>)[0];
	$node->{outer} = $pid;
	return $node;
}

sub plug {
	my ($node, $interface, $switch, @addresses) = @_;
	push @{$node->{ports}}, plug_in($node->{pid}, $node->{name}, $interface, $switch, @addresses);
}

sub command {
	my ($node, @command) = @_;
	return ('env', "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		qw(timeout 120 nsenter --net --mount --pid -t), $node->{pid}, '--', @command);
}

sub run  { my ($node, @command) = @_; return Net::run($node->command(@command)) }
sub must { my ($node, @command) = @_; return Net::must($node->command(@command)) }
sub sh   { my ($node, $command) = @_; return $node->run('sh', '-c', $command) }

# All cables out, and everything killed.
sub crash {
	my ($node) = @_;
	Net::run(qw(ip link set), $_, 'down') for @{$node->{ports}};
	kill KILL => $node->{pid};
	waitpid $node->{outer}, 0;
	Net::run(qw(ip link del), $_) for @{$node->{ports}};
	$node->{ports} = [];
	delete $node->{pid};
	close $node->{life};
}

sub log_of { my ($node) = @_; return $node->sh('cat /var/log/logger 2>/dev/null') }

sub DESTROY {
	my ($node) = @_;
	local ($?, $!, $@);
	$node->crash if $node->{pid};
}

1;
