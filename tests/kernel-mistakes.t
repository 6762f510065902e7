#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Mistakes that were made once: many deletes in one transaction, maps that grow, a table that somebody
# else has had his hands in.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use File::Temp;
use Net;
use Test::More;

my $net = Net->new(local => ['198.51.100.1']);
my $client = $net->host('client', '203.0.113.5');
my $one = $net->host('one', '10.0.0.2')->listen(80);
$net->firewall->listen(80);

sub did {
	my ($status, $out, $err) = ipmasqadm(@_);
	is("$status$err", '0', "@_");
	return $out;
}

sub rows { return (() = did(@_) =~ /\n/g) - 1 }

sub restore {
	my $file = File::Temp->new;
	print $file map { "$_\n" } @_;
	close $file;
	did('restore', $file->filename);
}

for my $n (45, 100, 500) {
	subtest "$n forwards, all but one deleted at once" => sub {
		restore(map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.2 $_" } 1 .. $n);
		restore(map { "portfw -d -P tcp -L 198.51.100.1 $_" } 1 .. $n - 1);
		is(rows(qw(portfw -l -n)), 1, 'one stays');
		restore(map { "mfw -A -m $_ -r 10.0.0.2" } 1 .. $n);
		restore(map { "mfw -D -m $_" } 2 .. $n);
		is(rows(qw(mfw -L -n)), 1, 'of marks as well');
		restore(map { ("mfw -A -m $_ -r 10.0.0.2", "mfw -A -m $_ -r 10.0.0.3") } 2 .. $n);
		restore('mfw -D -m 1', 'portfw -f', map { "mfw -D -m $_" } 3 .. $n);
		is(rows(qw(mfw -L -n)), 2, 'and of those with two targets');
		did(qw(mfw -F));
		unlike(ruleset(), qr/ipmasqadm/, 'then nothing is left');
	};
}

subtest 'a map grows as it has to' => sub {
	did(qw(portfw -a -P tcp -L 198.51.100.1 1 -R 10.0.0.2 1));
	restore(map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.2 $_" } 2 .. 1024);
	like(ruleset(), qr/map portfw \{[^}]*size 1024/, 'it is full');
	is($client->udp('198.51.100.1', 80)->{name}, 'firewall', 'not for this protocol');
	is($client->tcp('198.51.100.1', 80)->{name}, 'one', 'a connection is counted');
	did(qw(portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.2 80));
	is(rows(qw(portfw -l -n)), 1025, 'one more fits');
	like(did(qw(portfw -l -n)), qr/^TCP +198.51.100.1 +10.0.0.2 +80 +80 +9 +10$/m, 'the count goes on');
	is($client->udp('198.51.100.1', 80)->{name}, 'one', 'and it works');
	did(qw(portfw -f));
	forget();
	did(qw(portfw -f)); # what still runs has kept the map, as large as it is

	# a dry run knows it, too
	restore(map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.2 $_" } 1 .. 819);
	restore(map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.2 $_" } 820 .. 1024);
	like(ruleset(), qr/map portfw \{[^}]*size 1024/, 'full again');
	is($client->tcp('198.51.100.1', 80)->{name}, 'one', 'a connection is counted');
	nft(did(qw(portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.2 80 --dry-run)));
	is(rows(qw(portfw -l -n)), 1025, 'its text adds one more');
	like(did(qw(portfw -l -n)), qr/^TCP +198.51.100.1 +10.0.0.2 +80 +80 +9 +10$/m, 'the count goes on');
	is($client->udp('198.51.100.1', 80)->{name}, 'one', 'and it works');
	did(qw(portfw -f));
};

subtest 'an edit of all that are there, without a target' => sub {
	my ($status, undef, $err) = ipmasqadm(qw(portfw -a -P tcp -L 198.51.100.1 80 -p 3));
	is($status, 1, 'there is none');
	like($err, qr/no forward on tcp 198\.51\.100\.1:80 to edit/, 'which it says');
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R), $_, 80) for '10.0.0.2', '10.0.0.3';
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -p 3));
	is(() = did(qw(portfw -l -n)) =~ / 3 +3\n/g, 2, 'both have the new pref');
	did(qw(portfw -f));
};

subtest 'a query' => sub {
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	did(qw(portfw -q -P tcp -L 198.51.100.1 80));
	did(qw(portfw -q -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80));
	is((ipmasqadm(qw(portfw -q -P tcp), @$_))[0], 1, "@$_: no")
		for [qw(-L 198.51.100.1 81)], [qw(-L 198.51.100.1 80 -R 10.0.0.3 80)], [qw(-L 0.0.0.0 81)];
	did(qw(portfw -f));
};

subtest 'somebody deletes our chain' => sub {
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	must(qw(nft flush chain ip ipmasqadm lookup));
	did(qw(portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80));
	is($client->tcp('198.51.100.1', $_)->{name}, 'one', "the rules are made anew: $_") for 80, 81;
	must('nft', "$_ chain ip ipmasqadm prerouting") for 'flush', 'delete';
	did(qw(mfw -A -m 1 -r 10.0.0.2));
	did(qw(mfw -D -m 1));
	is(rows(qw(portfw -l -n)), 2, 'the last mark takes nothing else with it');
	forget();
	did(qw(portfw -f));
	unlike(ruleset(), qr/ipmasqadm/, 'a flush still clears up');
};

subtest 'somebody empties our chain, and an order is kept' => sub {
	did(qw(portfw -a -P tcp -L 198.51.100.1), $_, qw(-R 10.0.0.2 80)) for 80, 83;
	must(qw(nft flush chain ip ipmasqadm lookup));
	did(qw(portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80));
	is(join(' ', map { (split)[3] } (split /\n/, did(qw(portfw -l -n)))[1 .. 3]), '81 83 80', 'the newest first');
	did(qw(portfw -f));
};

subtest 'somebody empties a chain of autofw' => sub {
	my @entry = qw(-r tcp 7000 7010 -c tcp 21);
	my $rules = sub { scalar(() = must(qw(nft list chain ip ipmasqadm), $_[0]) =~ /"-r tcp 7000 7010 -c tcp 21"/g) };
	for my $chain (qw(autofw_trigger autofw_range)) {
		for my $again ('a restore', 'the same line') {
			did(qw(autofw -A), @$_) for \@entry, [qw(-d udp 5 6)];
			my @saved = split /\n/, did('save');
			must(qw(nft flush chain ip ipmasqadm), $chain);
			$again eq 'a restore' ? restore(@saved) : did(qw(autofw -A), @entry);
			is($rules->($_), 1, "$chain: $again makes its rule anew, $_ has one") for qw(autofw_trigger autofw_range);
			did(qw(autofw -F));
		}
	}
	unlike(ruleset(), qr/ipmasqadm/, 'a flush clears up');
};

subtest 'somebody adds elements that are no forwards' => sub {
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	must('nft', 'add element ip ipmasqadm portfw { icmp . 198.51.100.1 . 0 : 10.0.0.9 . 1 }');
	is(rows(qw(portfw -l -n)), 1, 'they are not listed');
	unlike(did('save'), qr/\?/, 'nor saved');
	must('nft', 'add element ip ipmasqadm portfw { tcp . 198.51.100.1 . 82 comment "pref 0" : 10.0.0.9 . 80 }');
	must('nft', 'add element ip ipmasqadm portfw { tcp . 0.0.0.0 . 80 : 10.0.0.9 . 80 }');
	did(qw(portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80));
	unlike(did('save'), qr/ -L 0\.0\.0\.0 80 -R 10\.0\.0\.9/, 'nobody can have that address');
	restore(split /\n/, did('save'));
	like(did('save'), qr/ -L 198\.51\.100\.1 82 -R 10\.0\.0\.9 80 -p 0 # drained$/m, 'a pref of 0 is a drained target');
	must('nft', 'add element ip ipmasqadm portfw { tcp . 198.51.100.1 . 81 : 10.0.0.9 . 0 }');
	like(did('save'), qr/^# leads nowhere: ipmasqadm portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.9 0 -p 10$/m, 'what leads nowhere is a comment');
	must(qw(nft delete table ip ipmasqadm));
};

subtest 'somebody refers to what is ours' => sub {
	my $refused = sub {
		my ($words, @argv) = @_;
		my ($status, undef, $err) = ipmasqadm(@argv);
		is($status, 1, "@argv: not possible");
		like($err, qr/^ipmasqadm: portfw: $words\n\z/, 'which it says');
	};
	my $busy = 'something that is not ours refers to it; look at it with: nft list table ip ipmasqadm';
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R), $_, 80) for '10.0.0.2', '10.0.0.3';
	my $before = did('save');
	nft("table ip ipmasqadm {\nchain other {\njump tcp-198.51.100.1-80\n}\n}");
	$refused->("the kernel refused the change to chain tcp-198\\.51\\.100\\.1-80: $busy", qw(portfw -d -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80));
	is(did('save'), $before, 'nothing has changed');
	must(qw(nft delete table ip ipmasqadm));
	nft("table ip ipmasqadm {\nmap portfw {\ntype ipv4_addr : ipv4_addr\n}\n}");
	$refused->('map portfw in table ip ipmasqadm is not as ipmasqadm makes it; delete what refers to it, and then it, with: nft delete map ip ipmasqadm portfw', qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	must(qw(nft delete table ip ipmasqadm));
};

done_testing;
