#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Commands that stand for several, with real packets: both protocols, ranges of ports. All of one is done
# or nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use File::Temp ();
use Net;
use Test::More;
use Time::HiRes 'time';

my $net = Net->new(local => ['198.51.100.1', '198.51.100.2']);
my $client = $net->host('client', '203.0.113.5');
my $one = $net->host('one', '10.0.0.2')->listen(54, 80, 9000 .. 9004);
my $two = $net->host('two', '10.0.0.3')->listen(54, 80, 9000 .. 9004);

# a line succeeds, or fails as it should
sub did {
	my ($line, $want) = @_;
	my ($status, $out, $err) = ipmasqadm(split / /, $line);
	is("$status$err", $want ? "1ipmasqadm: portfw: $want\n" : '0', $line);
	return $out;
}

sub listed { my @rows = split /\n/, must($Net::program, qw(portfw -l -n)); shift @rows; return join ' ', map { join ':', (split)[0, 3, 4] } @rows }
sub query { return scalar ipmasqadm(split / /, "portfw -q $_[0]") }

subtest 'both protocols' => sub {
	did('portfw -a -P tcp,udp -L 198.51.100.1 53 -R 10.0.0.2 54');
	is(listed(), 'UDP:53:54 TCP:53:54', 'two forwards');
	is($client->$_('198.51.100.1', 53)->{name}, 'one', "$_ goes there") for qw(tcp udp);
	did('portfw -a -P udp,tcp -L 198.51.100.1 53 -R 10.0.0.3 54');
	forget();
	is($client->$_('198.51.100.1', 53)->{name}, 'two', "the newest one serves $_") for qw(tcp udp);
	did('portfw -d -P tcp -L 198.51.100.1 53');
	is(query('-P tcp,udp -L 198.51.100.1 53'), 0, 'one of them is there');
	is(query('-P tcp,udp -L 198.51.100.1 53 -R 10.0.0.9 54'), 1, 'not this');
	did('portfw -a -P tcp,udp -L 198.51.100.1 53 -p 3');
	my $before = ruleset();
	did('portfw -a -P tcp,udp -L 198.51.100.1 53 -R 10.0.0.2 54 -p 4');
	did('portfw -d -P tcp -L 198.51.100.1 53');
	did('portfw -a -P udp -L 198.51.100.1 53 -p 3');
	my $typed = did('portfw -a -P tcp,udp -L 198.51.100.1 80 -R 10.0.0.2 80 --dry-run');
	is(scalar(() = $typed =~ /^add element .* (?:tcp|udp) . 198.51.100.1 . 80 /mg), 2, 'a dry run adds two');
	is(ruleset() =~ s/seq \S+//gr, $before =~ s/seq \S+//gr, '... and nothing has changed');
	did('portfw -d -P tcp,udp -L 198.51.100.1 53');
	is(query('-P tcp,udp -L 198.51.100.1 53'), 1, 'none is there');
	did('portfw -d -P tcp,udp -L 198.51.100.1 53', 'no forward on tcp,udp 198.51.100.1:53');
	did('portfw -a -P tcp,udp -L 198.51.100.1 53 -p 3',
		'no forward on tcp,udp 198.51.100.1:53 to edit, and no target to add: give one with -R RADDR RPORT');
	did('portfw -a -P tcp,udp -L 0.0.0.0 53 -R 10.0.0.2 54');
	did('portfw -a -P tcp,udp -L 198.51.100.2 53 -R 10.0.0.2 54');
	did('portfw -d -P tcp,udp -L 0.0.0.0 53');
	is(listed(), '', '0.0.0.0 is every address');
};

subtest 'one that is refused changes nothing' => sub {
	did('portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.2 54 -p 2147483647');
	did('portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.3 54 -p 2147483647');
	my $before = ruleset();
	did('portfw -a -P tcp,udp -L 198.51.100.1 53 -R 10.0.0.2 80 -p 9',
		'tcp,udp 198.51.100.1:53 to 10.0.0.2:80: the prefs of all targets must add up to less than 4294967296');
	is(ruleset(), $before, 'nothing has changed');
	did('portfw -f');
};

done_testing;
