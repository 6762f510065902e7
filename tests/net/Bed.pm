# SPDX-License-Identifier: GPL-2.0-or-later
#
# A firewall as people have them, with networks around it, for tests of the check:
#
#	client 203.0.113.9 ---- isp 192.0.2.1 -- wan 192.0.2.2, 198.51.100.1  firewall
#	                         \- 192.168.2.1 -- wan2 192.168.2.2               |
#	                                              lan 10.0.0.1 ---- switch: web1 10.0.0.2, web2 10.0.0.3,
#	                                                                inside 10.0.0.9, other router 10.0.0.254
#
# The bed has both families, whichever the test is run with: beside each address stands the one that
# Net.pm has for it.
#
# The test is the firewall (see Net.pm). Everything is a bridge, a route or a server of its own
# namespace; faults are switched on by commands and taken back by reset().
package Bed;
use strict;
use warnings;
use Exporter 'import';
use Net;

our @EXPORT = qw($bed check json_check);
our $bed;

sub veth {
	my ($name, $pid, $theirs) = @_;
	must(qw(ip link add name), $name, qw(type veth peer name), $theirs, 'netns', $pid);
	must(qw(ip link set dev), $name, 'up');
}

# Runs commands in both families, on the firewall or on a host.
sub both {
	my ($host, $commands) = @_;
	for (4, 6) {
		local $Net::family = $_;
		my @shell = ('sh', '-ec', $commands);
		$host ? $host->must(@shell) : must(@shell);
	}
}

# Whether it forwards; it has its addresses at once.
sub prepare {
	my ($host, $forwards) = @_;
	my @shell = ('sh', '-ec', join "\n", map { "echo $$_[1] >/proc/sys/net/$$_[0]" } ['ipv4/ip_forward', $forwards],
		['ipv6/conf/all/forwarding', $forwards], map { ["ipv6/conf/$_/accept_dad", 0] } qw(all default));
	return $host ? $host->must(@shell) : must(@shell);
}

sub new {
	my ($class) = @_;
	my $net = Net->new;
	$bed = bless {net => $net}, $class;
	my %h = map { $_ => Net::Host::start($_, 'host') } qw(isp client switch web1 web2 inside);
	$bed->{$_} = $h{$_} for keys %h;
	for my $host (values %h) {
		$host->must(qw(ip link set lo up));
		prepare($host, $host == $h{isp} || 0);
	}
	prepare(undef, 1);

	# outside
	veth('wan', $h{isp}{pid}, 'wan');
	veth('wan2', $h{isp}{pid}, 'wan2');
	both(undef, <<'END');
ip address add 192.0.2.2/25 dev wan
ip address add 198.51.100.1/32 dev wan
ip address add 192.168.2.2/25 dev wan2
ip route add default via 192.0.2.1 dev wan
ip route add default via 192.168.2.1 dev wan2 metric 2000
END
	$h{isp}->must('sh', '-c', <<END);
set -e
ip link set wan up; ip link set wan2 up
ip link add name client type veth peer name eth0 netns $h{client}{pid}
ip link set client up
END
	both($h{isp}, <<'END');
ip address add 192.0.2.1/25 dev wan
ip address add 192.168.2.1/25 dev wan2
ip route add 198.51.100.0/24 via 192.0.2.2
ip address add 203.0.113.1/24 dev client
END
	$h{client}->must(qw(ip link set eth0 up));
	both($h{client}, <<'END');
ip address add 203.0.113.9/24 dev eth0
ip route add default via 203.0.113.1
END
	# inside
	veth('lan', $h{switch}{pid}, 'uplink');
	both(undef, 'ip address add 10.0.0.1/24 dev lan');
	$h{switch}->must('sh', '-c', <<END);
set -e
ip link add br0 type bridge
ip link set br0 up
ip link set uplink master br0 up
for host in web1:$h{web1}{pid} web2:$h{web2}{pid} inside:$h{inside}{pid}; do
	ip link add name \${host%:*} type veth peer name eth0 netns \${host#*:}
	ip link set \${host%:*} master br0 up
done
END
	my %address = (web1 => '10.0.0.2', web2 => '10.0.0.3', inside => '10.0.0.9');
	for my $name (sort keys %address) {
		$h{$name}->must(qw(ip link set eth0 up));
		both($h{$name}, "ip address add $address{$name}/24 dev eth0\nip route add default via 10.0.0.1\n");
		$h{$name}{address} = $address{$name};
	}
	$h{$_}->listen(8080, 53) for qw(web1 web2);
	$_->ask('timeout', 600) for @h{qw(client inside)};
	return $bed;
}

# check with these arguments, and the array it printed
sub json_check {
	require JSON::PP;
	my ($status, $out, $err) = ipmasqadm('check', '--json', @_);
	my $array = eval { JSON::PP->new->decode($out) };
	return ($status, $array // [], "$err$out");
}

# the first object
sub check {
	my ($status, $array, $text) = json_check(@_);
	return {status => $status, text => $text, %{$array->[0] // {code => '?', state => '?'}}};
}

1;
