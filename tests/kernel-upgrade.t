#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A table as version 0.5.0 made it: read, listed, saved and flushed; the first change converts it, and
# no connection notices. tests/data/table-0.5.0.nft is what `nft list table` showed of one.
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

open my $f, '<', "$FindBin::Bin/data/table-0.5.0.nft" or die "table-0.5.0.nft: $!\n";
my $old = do { local $/; <$f> };

# What 0.5.0 saved of it; a drained target has a comment since.
my $saved = <<'END';
ipmasqadm portfw -f
ipmasqadm mfw -F
ipmasqadm autofw -F
ipmasqadm reach -f
ipmasqadm portfw -a -P tcp -L 0.0.0.0 82 -R 10.0.0.3 80 -p 10
ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 10
ipmasqadm portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80 -p 1
ipmasqadm portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.3 80 -p 2
ipmasqadm portfw -a -P udp -L 0.0.0.0 83 -R 10.0.0.2 80 -p 10
ipmasqadm portfw -a -P udp -L 0.0.0.0 83 -R 10.0.0.3 80 -p 10
ipmasqadm portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.2 53 -p 3
ipmasqadm mfw -A -m 1 -r 10.0.0.2 -p 10
ipmasqadm mfw -A -m 2 -r 10.0.0.2 80 -p 10
ipmasqadm mfw -A -m 3 -r 10.0.0.2 -p 10
ipmasqadm mfw -A -m 3 -r 10.0.0.3 80 -p 0 # drained
ipmasqadm mfw -A -m 3 -r 10.0.0.3 81 -p 3
ipmasqadm autofw -A -d tcp 100 200
ipmasqadm autofw -A -p tcp 8080 10.0.0.2:80
ipmasqadm autofw -A -r udp 6970 7170 -c tcp 7070
ipmasqadm autofw -A -r tcp 60000 65535 -h 10.0.0.2 -u
ipmasqadm autofw -A -r tcp 6970 7170 -c tcp 7071 -i -u
END

sub did {
	my ($status, $out, $err) = ipmasqadm(@_);
	is("$status$err", '0', "@_");
	return $out;
}
sub chains { return join ' ', sort map { /chain (\S+)/ } grep { /^\tchain/ } split /\n/, must(qw(nft list table ip ipmasqadm)) }
my @skeleton = qw(autofw_direct autofw_port autofw_range lookup lookup_mfw prerouting prerouting_again);

subtest 'it is read as it is' => sub {
	nft($old);
	is(did('save'), $saved, 'save');
	is(did(qw(portfw -q -P tcp -L 198.51.100.1 81 -R 10.0.0.3 80)), '', 'query');
	like(chains(), qr/\bportfw\b/, 'nothing has changed');
	did(@$_) for ['portfw', '-f'], ['mfw', '-F'], ['autofw', '-F'];
	unlike(ruleset(), qr/ipmasqadm/, 'flushed');
};

for my $change (
	[qw(portfw -a -P tcp -L 198.51.100.1 84 -R 10.0.0.2 80)], [qw(portfw -d -P tcp -L 0.0.0.0 82)],
	[qw(mfw -S -m 3)], [qw(autofw -A -r tcp 1 2 -h 10.0.0.2)])
{
	subtest "the first change: @$change" => sub {
		nft($old);
		is($client->tcp('198.51.100.1', 81)->{name}, 'two', 'one of two of this turn');
		$client->open($$_[0], @$_[1, 2, 3]) for [1, 'tcp', '198.51.100.1', 80], [2, 'udp', '198.51.100.1', 83];
		did(@$change);
		is($client->say(1)->{name}, 'one', 'a running connection goes on');
		is($client->say(2)->{name}, 'two', '... and datagrams');
		my %there = map { $_ => 1 } split / /, chains();
		is(join(' ', grep { !$there{$_} } @skeleton), '', 'the chains are those of this version');
		is(join(' ', grep { $there{$_} } qw(portfw mfw autofw)), '', 'and no others');
		unlike(must(qw(nft list table ip ipmasqadm)), qr/numgen inc mod \d+ map/, 'no map for a service');
		is(join(' ', map { $client->tcp('198.51.100.1', 81)->{name} } 1 .. 5), 'two one two two one', 'the turn goes on where it was');
		$client->close($_) for 1, 2;
		forget();
		did(@$_) for ['portfw', '-f'], ['mfw', '-F'], ['autofw', '-F'];
		unlike(ruleset(), qr/ipmasqadm/, 'flushed');
	};
}

subtest 'restored over' => sub {
	nft($old);
	my $file = File::Temp->new;
	print $file $saved;
	close $file;
	did('restore', $file->filename);
	is(did('save'), $saved, 'the same');
	unlike(chains(), qr/\bportfw\b/, 'converted');
};

done_testing;
