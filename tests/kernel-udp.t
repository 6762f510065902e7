#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# UDP clients that kept sending before a forward was there: their next datagram is forwarded, and no
# other connection is forgotten.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use File::Temp ();
use Net;
use Test::More;

my $net = Net->new(local => ['198.51.100.1']);
my $client = $net->host('client', '203.0.113.5');
my ($one, $two) = map { $net->host($$_[0], $$_[1])->listen(80) } ['one', '10.0.0.2'], ['two', '10.0.0.3'];

sub did {
	my ($status, $out, $err) = ipmasqadm(@_);
	is("$status$err", '0', "@_");
}

# one datagram from this port of the client; who answers
sub from {
	my ($source, $address, $port) = @_;
	my $script = 'use Socket qw(:DEFAULT getaddrinfo IN6ADDR_ANY pack_sockaddr_in6); my ($s, $a, $p) = @ARGV;'
		. 'my (undef, $to) = getaddrinfo($a, $p, {socktype => SOCK_DGRAM}); socket(my $f, $to->{family}, SOCK_DGRAM, 0) or die;'
		. 'my $any = $to->{family} == AF_INET ? sockaddr_in($s, INADDR_ANY) : pack_sockaddr_in6($s, IN6ADDR_ANY);'
		. 'setsockopt($f, SOL_SOCKET, SO_REUSEADDR, 1); bind($f, $any) or die;'
		. 'send($f, "x\n", 0, $to->{addr}); vec(my $r = "", fileno $f, 1) = 1;'
		. 'select($r, undef, undef, 0.3) and recv($f, my $got, 99, 0); print defined $got ? $got : "nobody"';
	my ($status, $out) = $client->run($^X, '-e', $script, $source, $address, $port);
	return $out =~ /^(\S+)/ ? $1 : "exit $status";
}

# a forward of another port: the firewall follows connections
did(qw(portfw -a -P udp -L 198.51.100.1 9 -R 10.0.0.3 80));

for my $case (
	['its address', '198.51.100.1', [qw(-L 198.51.100.1 80)]], ['any address', '198.51.100.1', [qw(-L 0.0.0.0 80)]],
	['an interface', '198.51.100.1', [qw(-L lo 80)]])
{
	my ($name, $address, $where) = @$case;
	subtest "a forward on $name" => sub {
		is(from(4000 + $_, $address, 80), 'nobody', 'a client sends, and goes on') for 1, 2;
		is(from(4003, $address, 81), 'nobody', 'another one to another port');
		is(from(4004, $address, 9), 'two', 'one to another forward');
		did(qw(portfw -a -P udp), @$where, qw(-R 10.0.0.2 80));
		is(from(4000 + $_, $address, 80), 'one', 'its next datagram is forwarded') for 1, 2;
		is(from(4003, $address, 81), 'nobody', 'the other one is where it was');
		did(qw(portfw -a -P udp -L 198.51.100.1 9 -R 10.0.0.2 80), '-p', 100);
		is(from(4004, $address, 9), 'two', 'one that was answered stays');
		did(qw(portfw -d -P udp -L 198.51.100.1 9 -R 10.0.0.2 80));
		did(qw(portfw -d -P udp), @$where);
		forget();
	};
}

for my $entry ('-r udp 80 82 -h 10.0.0.2', '-p udp 80 10.0.0.2:80') {
	subtest "autofw -A $entry" => sub {
		is(from(4005, '198.51.100.1', 80), 'nobody', 'a client sends');
		is(from(4006, '198.51.100.1', 83), 'nobody', 'another one to another port');
		is(from(4007, '198.51.100.1', 9), 'two', 'one to a forward');
		did('autofw', '-A', split / /, $entry);
		is(from(4005, '198.51.100.1', 80), 'one', 'its next datagram is forwarded');
		is(scalar(() = must('conntrack', qw(-L -p udp --orig-port-src 4006)) =~ /sport=4006/g), 1, 'the other one is where it was');
		is(from(4007, '198.51.100.1', 9), 'two', 'what was answered stays');
		did(qw(autofw -F));
		forget();
	};
}

subtest 'datagrams that pass by' => sub {
	# routed through the firewall to a host that does not answer
	my $silent = $net->host('silent', '10.0.0.9');
	$silent->must(qw(nft add table ip quiet));
	$silent->must('nft', 'add chain ip quiet in { type filter hook input priority 0; policy drop; }');
	is(from(4010, '10.0.0.9', 80), 'nobody', 'to a host behind the firewall');
	my $there = sub { return scalar(() = must('conntrack', qw(-L -p udp --orig-port-src 4010)) =~ /sport=4010/g) };
	is($there->(), 1, 'it is followed');
	did(qw(portfw -a -P udp -L 0.0.0.0 80 -R 10.0.0.2 80));
	is($there->(), 1, 'and not forgotten: it is not for us');
	did(qw(portfw -d -P udp -L 0.0.0.0 80));
};

subtest 'a file with many forwards' => sub {
	my $port = 20000;
	is(from(4020 + $_, '198.51.100.1', 82), 'nobody', 'a client sends') for 1 .. 3;
	my $f = File::Temp->new;
	print $f "portfw -a -P tcp -L 198.51.100.1 82 -R 10.0.0.2 80\n"; # another protocol comes first
	print $f "portfw -a -P udp -L 198.51.100.1 $_ -R 10.0.0.2 80\n" for 82, 30000 .. 30099;
	close $f;
	did('restore', $f->filename);
	is(from(4020 + $_, '198.51.100.1', 82), 'one', 'and is forwarded') for 1 .. 3;
};

done_testing;
