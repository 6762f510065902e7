#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The library in a program of its own (net/api.c): what it may do with a handle, and what it gets.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use Test::More;

my $net = Net->new;
my $api = $Net::traffic =~ s{traffic$}{api}r;

sub is_told {
	my ($case, $want, @under) = @_;
	my ($status, $out, $err) = run(@under, $api, $case);
	is("$status $err", '0 ', $case);
	is($out =~ s/\(\d+\.\d+\.\d+\)/(VERSION)/gr, $want, 'as it should be');
	ipmasqadm(qw(portfw -f));
}

is_told('nested', <<'END');
open: 0
add: 0
add: 0
add: 0
add: 0
10.0.0.2 > 10.1.0.3 5/5
delete: 0
find: 0
10.0.0.1 > 10.1.0.1 5/5
list: 0
10.0.0.2 > 10.1.0.2 5/5
delete: ESRCH: no forward on tcp 10.0.0.2:80
find: 0
10.0.0.1 > 10.1.0.1 5/5
list: 0
10.0.0.2 > 10.1.0.1 5/5
delete: ESRCH: no forward on tcp 10.0.0.2:80
find: 0
10.0.0.1 > 10.1.0.1 5/5
list: 0
10.0.0.1 > 10.1.0.1 5/5
delete: 0
find: 0
list: 0
list: 0
END

is_told('descriptors', <<'END');
open: 0
begin: 0
socket: closed
net: closed
END

is_told('stopped', <<'END');
open: 0
add: 0
add: 0
add: 0
add: 0
10.0.0.2 > 10.1.0.3 5/5
list: yes
10.0.0.2 > 10.1.0.3 5/5
ENOTTY
END

is_told('refused', <<'END');
open: 0
add: 0
add: 0
add: 0
add: 0
begin: 0
begin: EBUSY: a transaction is open
list: EBUSY: a transaction is open
add: 0
edit: EOVERFLOW: tcp 0.0.0.0:80: the prefs of all targets must add up to less than 4294967296
add: ECANCELED: a command of this transaction was refused
commit: ECANCELED: a command of this transaction was refused, so nothing has changed
failed -1
10.0.0.2 > 10.1.0.3 5/5
10.0.0.2 > 10.1.0.2 5/5
10.0.0.2 > 10.1.0.1 5/5
10.0.0.1 > 10.1.0.1 5/5
list: 0
begin: 0
delete: ESRCH: no forward on tcp 10.0.0.9:80
add: ECANCELED: a command of this transaction was refused
add: 0
10.0.0.3 > 10.1.0.1 5/5
10.0.0.2 > 10.1.0.3 5/5
10.0.0.2 > 10.1.0.2 5/5
10.0.0.2 > 10.1.0.1 5/5
10.0.0.1 > 10.1.0.1 5/5
list: 0
END

is_told('sizes', <<'END');
open: 0
larger: 0
with more: E2BIG: this libipmasq (VERSION) is older than the program: a command has members that it does not know
find: E2BIG: this libipmasq (VERSION) is older than the program: a command has members that it does not know
smaller: EINVAL: 8 bytes are no struct masq_command
no kinds: EINVAL: no kinds 0x0
unknown kinds: EINVAL: no kinds 0x80
10.0.0.1 > 10.1.0.1 5/5
list: 0
END

is_told('members', <<'END');
open: 0
add: 0
edit: 0
10.0.0.1 > 10.1.0.1 7/7
list: 0
delete: 0
list: 0
unknown bit: E2BIG: this libipmasq (VERSION) is older than the program: a command has members that it does not know
another kind's: EINVAL: portfw takes nothing of what is given with 0x80
no local address: EINVAL: either a local address, 0.0.0.0 for any, or an interface: one of them
IPv6, local: EINVAL: a00:1:: is IPv6 and 10.1.0.1 is IPv4, and neither is translated to the other: give the host's IPv6 address
IPv6, target: EINVAL: 10.0.0.1 is IPv4 and a01:1:: is IPv6, and neither is translated to the other: give the host's IPv4 address
no IP, target: EINVAL: an address of family 2 or 1: give AF_INET, AF_INET6 or AF_UNSPEC
no target: EINVAL: 0.0.0.0 is no host to forward to
any target: EINVAL: 0.0.0.0 is no host to forward to
no port of the target: EINVAL: port 0 of a host: give one from 1 to 65535
list: 0
END

is_told('message', <<'END');
open: 0
add: 0
10.0.0.1 > 10.1.0.1 5/5
list: 0
delete: 0
delete: ESRCH: no forward on tcp 10.0.0.1:80 to 10.1.0.1:80
flush: 0
EINVAL
list: 0
END

my $told = sub { my ($error, $transport) = @_; return <<"END" };
open: $error
begin: EINVAL: the handle was not opened
command: EINVAL: the handle was not opened
commit: EINVAL: no transaction is open
list: EINVAL: the handle was not opened
find: EINVAL: the handle was not opened
dry run: EOPNOTSUPP: a dry run shows nft commands, and this kernel takes none
$transport 0
END
is_told('unopened', $told->('EINVAL: IPMASQADM_TRANSPORT=x is neither sockopt nor nft', 'none'), qw(env IPMASQADM_TRANSPORT=x));

done_testing;
