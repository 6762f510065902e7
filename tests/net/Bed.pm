# SPDX-License-Identifier: GPL-2.0-or-later
#
# A firewall as people have them, with networks around it, for tests of the check:
#
#	client 203.0.113.9 ---- isp 192.0.2.1 -- wan 192.0.2.2, 198.51.100.1  firewall
#	                         \- 192.0.2.129 -- wan2 192.0.2.130               |
#	                                              lan 10.0.0.1 ---- switch: web1 10.0.0.2, web2 10.0.0.3,
#	                                                                inside 10.0.0.9, other router 10.0.0.254
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

sub new {
	my ($class) = @_;
	my $net = Net->new;
	$bed = bless {net => $net}, $class;
	my %h = map { $_ => Net::Host::start($_, 'host') } qw(isp client switch web1 web2 inside);
	$bed->{$_} = $h{$_} for keys %h;
	$_->must(qw(ip link set lo up)) for values %h;

	# outside
	veth('wan', $h{isp}{pid}, 'wan');
	veth('wan2', $h{isp}{pid}, 'wan2');
	must(qw(ip address add 192.0.2.2/25 dev wan));
	must(qw(ip address add 198.51.100.1/32 dev wan));
	must(qw(ip address add 192.0.2.130/25 dev wan2));
	must(qw(ip route add default via 192.0.2.1 dev wan));
	must(qw(ip route add default via 192.0.2.129 dev wan2 metric 100));
	$h{isp}->must('sh', '-c', <<END);
set -e
echo 1 >/proc/sys/net/ipv4/ip_forward
ip link set wan up; ip link set wan2 up
ip address add 192.0.2.1/25 dev wan
ip address add 192.0.2.129/25 dev wan2
ip route add 198.51.100.0/24 via 192.0.2.2
ip link add name client type veth peer name eth0 netns $h{client}{pid}
ip link set client up
ip address add 203.0.113.1/24 dev client
END
	$h{client}->must('sh', '-c', <<END);
set -e
ip link set eth0 up
ip address add 203.0.113.9/24 dev eth0
ip route add default via 203.0.113.1
END
	# inside
	veth('lan', $h{switch}{pid}, 'uplink');
	must(qw(ip address add 10.0.0.1/24 dev lan));
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
		$h{$name}->must('sh', '-c', "ip link set eth0 up; ip address add $address{$name}/24 dev eth0; "
			. 'ip route add default via 10.0.0.1');
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
