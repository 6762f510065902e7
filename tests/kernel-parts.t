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

subtest 'a range' => sub {
	did('portfw -a -P tcp -L 198.51.100.1 8000-8004 -R 10.0.0.2 9000-9004');
	is(listed(), join(' ', map { "TCP:800$_:900$_" } reverse 0 .. 4), 'a forward for each port');
	for (0, 2, 4) {
		my $to = $client->tcp('198.51.100.1', 8000 + $_);
		is("$to->{name} $to->{at}", "one 10.0.0.2:900$_", "port 800$_ goes to 900$_");
	}
	is($client->tcp('198.51.100.1', $_)->{name}, 'refused', "port $_ does not") for 7999, 8005;
	did('portfw -a -P tcp -L 198.51.100.1 8002-8003 -R 10.0.0.3 9002-9003');
	my %served = map { $_ => $client->tcp('198.51.100.1', $_)->{name} } 8001 .. 8004;
	is(join(' ', map { $served{$_} } 8001 .. 8004), 'one two two one', 'a part of it has a second target');
	is(query("-P tcp -L 198.51.100.1 $_"), 0, "$_ is there")
		for '8004-8010', '1-65535', '8002-8003 -R 10.0.0.3 9002-9003', '1-8000 -R 10.0.0.2 1001-9000';
	is(query("-P tcp -L 198.51.100.1 $_"), 1, "$_ is not there")
		for '8005-8010', '8000-8001 -R 10.0.0.3 9000-9001', '1-8000 -R 10.0.0.2 1000-8999';
	is(query("-P tcp -L $_"), 0, "$_ is there") for '0.0.0.0 8004-8010', '0.0.0.0 1-8000 -R 0.0.0.0 1001-9000';
	is(query("-P tcp -L $_"), 1, "$_ is not there") for '0.0.0.0 8005-8010', '198.51.100.2 1-65535';
	did('portfw -a -P tcp -L 198.51.100.1 8001-8010 -p 7');
	is(scalar(() = must($Net::program, qw(portfw -l -n)) =~ / 7\n/g), 6, 'an edit changes what is there');
	did('portfw -d -P tcp -L 198.51.100.1 8002-8010 -R 10.0.0.2 9002-9010');
	is(listed(), 'TCP:8003:9003 TCP:8002:9002 TCP:8001:9001 TCP:8000:9000', 'a delete as well, of one target');
	did('portfw -d -P tcp -L 198.51.100.1 8004-8010', 'no forward on tcp 198.51.100.1:8004-8010');
	my $typed = did('portfw -d -P tcp -L 198.51.100.1 8000-8001 --dry-run');
	like($typed, qr/^delete element .*tcp \. 198\.51\.100\.1 \. 8000.*tcp \. 198\.51\.100\.1 \. 8001/s, 'a dry run');
	nft($typed);
	is(listed(), 'TCP:8003:9003 TCP:8002:9002', '... which nft takes');
	did('portfw -d -P tcp,udp -L 0.0.0.0 1-65535');
	is(listed(), '', 'all of them');
	forget();
	did('portfw -a -P tcp,udp -L 0.0.0.0 8000-8001 -R 10.0.0.2 9000-9001 -p 3');
	is(listed(), 'UDP:8001:9001 UDP:8000:9000 TCP:8001:9001 TCP:8000:9000', 'both protocols, any address');
	is($client->$_('198.51.100.2', 8001)->{name}, 'one', $_) for qw(tcp udp);
	did('portfw -f');
	forget();
	did('portfw -f');
};

# More than are asked for at once; read by name where there are more others, as a whole where there are fewer.
subtest 'balanced ranges' => sub {
	for my $others (0, 300) {
		did("portfw -a -P udp -L 198.51.100.1 1-$others -R 10.0.0.2 1-$others") if $others;
		did("portfw -a -P tcp -L 198.51.100.1 7901-8100 -R 10.0.0.$_ 8901-9100 -p 1") for 2, 3;
		is(join(' ', map { $client->tcp('198.51.100.1', 8003)->{name} } 1 .. 3), 'two one two', 'they take turns');
		my @turns = grep { / 8003 / } split /\n/, did('portfw -l -n');
		is(scalar(@turns), 2, 'two targets');
		did('portfw -a -P tcp -L 198.51.100.1 7901-8100 -R 10.0.0.2 8901-9100 -p 2');
		is(join(' ', map { $client->tcp('198.51.100.1', 8003)->{name} } 1 .. 3), 'one one two', 'edited, the turn goes on');
		did('portfw -d -P tcp -L 198.51.100.1 7901-8100 -R 10.0.0.3 8901-9100');
		is(join(' ', map { $client->tcp('198.51.100.1', 8003)->{name} } 1 .. 2), 'one one', 'one of them is left');
		is(scalar(() = did('portfw -l -n') =~ /^TCP/mg), 200, '... of each');
		did('portfw -d -P tcp -L 198.51.100.1 7901-8100');
		is(scalar(() = did('portfw -l -n') =~ /^UDP/mg), $others, 'the others are there');
		did('portfw -f');
		forget();
	}
	did('portfw -f');
};

sub save { return must($Net::program, 'save') =~ s/^ipmasqadm \w+ -[fF]\n//gmr }

sub restore {
	my $file = File::Temp->new;
	print $file @_;
	close $file;
	my ($status, $out, $err) = ipmasqadm('restore', $file->filename);
	is("$status$out$err", '0', 'restored');
}

subtest 'save and restore' => sub {
	restore(map { "portfw -a -P $_\n" } 'tcp,udp -L 198.51.100.1 100-199 -R 10.0.0.2 1100-1199', 'tcp -L 0.0.0.0 100-199 -R 10.0.0.2 100-199',
		'tcp -L 198.51.100.1 150 -R 10.0.0.3 1150', 'tcp -L 198.51.100.1 160-161 -p 0', 'tcp -L 198.51.100.1 200 -R 10.0.0.2 1201',
		'tcp -L 198.51.100.2 201-202 -R 10.0.0.2 1201-1202');
	did('portfw -d -P tcp -L 198.51.100.1 170');
	my $text = save();
	is($text, join('', map { "ipmasqadm portfw -a -P $_\n" } 'tcp -L 0.0.0.0 100-199 -R 10.0.0.2 100-199 -p 10',
		'tcp -L 198.51.100.1 100-149 -R 10.0.0.2 1100-1149 -p 10', 'tcp -L 198.51.100.1 150 -R 10.0.0.2 1150 -p 10',
		'tcp -L 198.51.100.1 150 -R 10.0.0.3 1150 -p 10', 'tcp -L 198.51.100.1 151-159 -R 10.0.0.2 1151-1159 -p 10',
		'tcp -L 198.51.100.1 160-161 -R 10.0.0.2 1160-1161 -p 0 # drained',
		'tcp -L 198.51.100.1 162-169 -R 10.0.0.2 1162-1169 -p 10', 'tcp -L 198.51.100.1 171-199 -R 10.0.0.2 1171-1199 -p 10',
		'tcp -L 198.51.100.1 200 -R 10.0.0.2 1201 -p 10', 'tcp -L 198.51.100.2 201-202 -R 10.0.0.2 1201-1202 -p 10',
		'udp -L 198.51.100.1 100-199 -R 10.0.0.2 1100-1199 -p 10'), 'ranges are saved where they are whole');
	my $rows = sub { return join "\n", sort split /\n/, must($Net::program, qw(portfw -l -n)) };
	my $before = $rows->();
	restore("portfw -f\n$text");
	is($rows->(), $before, 'every forward is as it was');
	is(save(), $text, 'and so is what is saved');
	my $once = must($Net::program, qw(portfw -l -n));
	restore("portfw -f\n", map {
		my ($head, $from, $to, $mid, $target, $tail) = /^(.* )(\d+)-(\d+)( -R \S+ )(\d+)-\d+( .*\n)/;
		defined $from ? map { $head . $_ . $mid . ($target + $_ - $from) . $tail } $from .. $to : $_;
	} split /^/, $text);
	is(must($Net::program, qw(portfw -l -n)), $once, 'line by line it is the same, and in the same order');
	did('portfw -f');
};

subtest 'what is refused, changes nothing' => sub {
	did('portfw -a -P udp -L 198.51.100.1 8050 -R 10.0.0.2 54 -p 2147483647');
	did('portfw -a -P udp -L 198.51.100.1 8050 -R 10.0.0.3 54 -p 2147483647');
	my $before = ruleset();
	did('portfw -a -P tcp,udp -L 198.51.100.1 8000-8100 -R 10.0.0.2 9000-9100 -p 9', 'tcp,udp 198.51.100.1:8000-8100 to '
		. '10.0.0.2:9000-9100: the prefs of all targets must add up to less than 4294967296');
	my ($status, undef, $err) = ipmasqadm(qw(portfw -a -P tcp -L 198.51.100.1 8000-8100 -R 10.0.0.2 9000));
	is("$status$err", "2ipmasqadm: portfw: port 9000 for the ports 8000-8100: give as many, 9000-9100\n", 'one port for a range');
	is(ruleset(), $before, 'nothing has changed');
	did('portfw -f');
};

# What one command for so many ports takes, against the same as lines in a file, beside few forwards and
# beside as many others.
subtest 'many ports at once' => sub {
	my $n = $Net::slow ? 1000 : 10000;
	my $last = 20000 + $n - 1;
	my $best = sub {
		my ($undo, @command) = @_;
		my $best = 1e9;
		for (1 .. 5) {
			my $start = time;
			must($Net::program, @command);
			my $took = time - $start;
			$best = $took if $took < $best;
			must($Net::program, @$undo);
		}
		return $best;
	};
	my $file = File::Temp->new;
	print $file map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.2 $_\n" } 20000 .. $last;
	close $file;
	my @range = (qw(-P tcp -L 198.51.100.1), "20000-$last");
	my @add = ('portfw', '-a', @range, '-R', '10.0.0.2', "20000-$last");
	my @delete = ('portfw', '-d', @range);
	did('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80');
	for my $others (0, $n) {
		restore(map { "portfw -a -P udp -L 198.51.100.1 $_ -R 10.0.0.2 $_\n" } 20000 .. 19999 + $others);
		my $lines = $best->(\@delete, 'restore', $file->filename);
		my $range = $best->(\@delete, @add);
		cmp_ok($range, '<', 2 * $lines, sprintf '%d ports beside %d others: %.1f ms, as lines %.1f ms', $n, $others, $range * 1e3, $lines * 1e3);
	}
	did('portfw -f');
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
