#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Others' hands in our table: what they put there is left alone, or is named with a way out; and whatever
# they did, what save writes is what restore takes. At the end some tables at random (net/Hands.pm).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use File::Temp ();
use Hands;
use IO::Handle;
use Net;
use Test::More;

my $net = Net->new(local => ['198.51.100.1']);
my $client = $net->host('client', '203.0.113.5');
my $copy = $net->host('copy', '192.0.2.78');
my $dir = File::Temp->newdir;

my @state = ('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80', 'portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80',
	'portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.3 80 -p 5', 'mfw -A -m 1 -r 10.0.0.2 80', 'mfw -A -m 1 -r 10.0.0.3',
	'autofw -A -r udp 6970 7170 -c tcp 7070', 'autofw -A -p tcp 8080 10.0.0.2:80');
my $four_only = 'only IPv4 has control connections';
my @flushes = ([qw(portfw -f)], [qw(mfw -F)], [qw(autofw -F)]);

sub spew { my ($name, @lines) = @_; open my $f, '>', "$dir/$name" or die; print $f map { "$_\n" } @lines; close $f; return "$dir/$name" }
sub slurp { my ($path) = @_; open my $f, '<', $path or return ''; local $/; return <$f> // '' }
sub table { my ($status, $out) = run(qw(nft -s list table ip ipmasqadm)); return $status ? '' : $out }
sub start { run(qw(nft delete table ip ipmasqadm)); must($Net::program, 'restore', spew('state', @_ ? @_ : @state)) }
sub ours { nft(join "\n", 'table ip ipmasqadm {', @_, '}') }

sub did {
	my ($status, $out, $err) = ipmasqadm(@_);
	is("$status$err", '0', "@_");
	return $out;
}
sub refused {
	my ($message, @argv) = @_;
	my $before = table();
	my ($status, $out, $err) = ipmasqadm(@argv);
	is("$status$out", '1', "@argv: refused");
	is($err, "ipmasqadm: $argv[0]: $message\n", '... which it says');
	is(table(), $before, '... and nothing has changed');
}
# What is saved now can be restored, also where there is nothing.
sub saves {
	did('save', "$dir/saved");
	is(($copy->run($Net::program, 'restore', "$dir/saved"))[2], '', '... which can be restored');
	return slurp("$dir/saved");
}
# The dry run of a command agrees with the command: nft takes its text, and makes the same of it.
sub flushes {
	my ($what) = @_;
	did(@$_) for @flushes[0, 1];
	my $before = must(qw(nft list ruleset));
	my $text = did(@{$flushes[2]}, '--dry-run');
	nft($text);
	my $after = table();
	must(qw(nft flush ruleset));
	nft($before);
	did(@{$flushes[2]});
	is(table(), $after, "$what: the last flush does what its dry run says");
	return $after;
}

subtest 'elements that lead elsewhere' => sub {
	for my $verdict ('goto mine', 'drop', 'jump mine') {
		start();
		ours('chain mine { counter accept; }');
		nft("add element ip ipmasqadm portfw_pools { tcp . 198.51.100.1 . 85 : $verdict }");
		unlike(saves(), qr/ 85 /, "$verdict: no forward");
		did(qw(portfw -a -P tcp -L 198.51.100.1 85 -R 10.0.0.4 80));
		like(saves(), qr/ 85 -R 10\.0\.0\.4 80 /, 'a forward takes its place');
		nft("add element ip ipmasqadm portfw_pools { tcp . 198.51.100.1 . 86 : $verdict }");
		did('restore', "$dir/saved");
		unlike(table(), qr/ 86 :/, 'a restore takes it away');
		nft("add element ip ipmasqadm portfw_pools { tcp . 198.51.100.1 . 86 : $verdict }");
		is(flushes($verdict), "table ip ipmasqadm {\n\tchain mine {\n\t\tcounter accept\n\t}\n}\n", 'the chain stays');
	}
};

subtest 'what goes with a service, and the dry run shows' => sub {
	start();
	nft('add rule ip ipmasqadm tcp-198.51.100.1-81 counter comment "mine"
add element ip ipmasqadm portfw_pools { tcp . 198.51.100.1 . 86 : drop }');
	my @add = qw(portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.4 80);
	like(did(@add, '--dry-run'), qr/^flush chain ip ipmasqadm tcp-198\.51\.100\.1-81$/m, 'the chain of a service is written anew');
	like(table(), qr/comment "mine"/, '... by no dry run');
	did(@add);
	unlike(table(), qr/comment "mine"/, '... with all that was in it');
	like(did(qw(portfw -f --dry-run)), qr/^delete element ip ipmasqadm portfw_pools \{[^}]*tcp \. 198\.51\.100\.1 \. 86\b/m, 'an element with a key of ours');
	did(qw(portfw -f));
	unlike(table(), qr/\. 86 /, '... goes');
};

subtest 'keys that no command can name' => sub {
	start();
	nft('add element ip ipmasqadm portfw { icmp . 198.51.100.1 . 0 : 10.0.0.9 . 1 }
add element ip ipmasqadm mfw_pools { 0 : drop }');
	unlike(saves(), qr/-m 0 |icmp|\?/, 'they are not saved');
	my $left = flushes('they stay');
	like($left, qr/icmp \. 198\.51\.100\.1 \. 0/, 'this one');
	like($left, qr/elements = \{ 0x00000000 : drop \}/, 'and that one');
	unlike($left, qr/chain (?:tcp|mark)-|6970/, 'of ours only the skeleton');
};

subtest 'chains, sets and objects beside ours' => sub {
	start();
	ours('chain mine { type filter hook forward priority 0; counter accept; }; chain third { }; chain other { jump third; }',
		'set s { type ipv4_addr; elements = { 192.0.2.1 }; }', 'counter c { }');
	my @mine = sort grep { /^\t(?:chain|set|counter) (?:mine|other|third|s|c)\b/ } split /\n/, table();
	my $left = flushes('they stay');
	is(join("\n", sort grep { /^\t\w/ } split /\n/, $left), join("\n", @mine), 'and nothing else');
	did(qw(mfw -A -m 1 -r 10.0.0.2));
	did(qw(mfw -D -m 1));
	is(table(), $left, 'also after another forward');
};

subtest 'rules in our chains' => sub {
	plan skip_all => $four_only if $family == 6;
	for my $chain (qw(lookup lookup_mfw prerouting autofw_port autofw_trigger)) {
		start();
		nft("insert rule ip ipmasqadm $chain counter comment \"mine\"");
		saves();
		like(flushes("in $chain"), qr/chain $chain \{\n(?:\t\ttype.*\n)?\t\tcounter comment "mine"/, 'it stays');
	}
	# as many rules as there ought to be, and still one of others
	start();
	my ($handle) = must(qw(nft -a list chain ip ipmasqadm lookup)) =~ /\@portfw_any # handle (\d+)/;
	nft("replace rule ip ipmasqadm lookup handle $handle counter drop");
	like(flushes('in place of ours'), qr/chain lookup \{.*?\n\t\tcounter drop\n/s, 'it stays');
	start();
	($handle) = must(qw(nft -a list chain ip ipmasqadm autofw_trigger)) =~ /snat return # handle (\d+)/;
	nft("replace rule ip ipmasqadm autofw_trigger handle $handle counter accept");
	like(flushes('in place of that of triggers'), qr/chain autofw_trigger \{\n.*\n\t\tcounter accept\n/, 'it stays');
	start('mfw -A -m 1 -r 10.0.0.2');
	nft("delete rule ip ipmasqadm lookup handle " . (must(qw(nft -a list chain ip ipmasqadm lookup)) =~ /\@portfw # handle (\d+)/)[0] .
		"\nadd rule ip ipmasqadm prerouting ip saddr 192.0.2.1 return");
	refused('chain prerouting in table ip ipmasqadm has to be made anew, but has a rule that is not ours; find it and delete it with: '
		. 'nft -a list chain ip ipmasqadm prerouting', @$_) for [qw(mfw -A -m 2 -r 10.0.0.2)], [qw(mfw -A -m 2 -r 10.0.0.2 --dry-run)];
	nft('flush chain ip ipmasqadm prerouting');
	did(qw(mfw -A -m 2 -r 10.0.0.2));
	like(table(), qr/chain prerouting \{\n.*\n.*return\n\t\tct label set 126\n\t\tjump learn\n\t\tjump lookup\n/, 'then it is made anew');
};

subtest 'a full map, and a rule of others' => sub {
	start(map { "mfw -A -m $_ -r 10.0.0.2" } 1 .. 819);
	did('restore', spew('more', map { "mfw -A -m $_ -r 10.0.0.2" } 820 .. 1024));
	nft('insert rule ip ipmasqadm lookup_mfw counter');
	refused('chain lookup_mfw in table ip ipmasqadm has to be made anew, but has a rule that is not ours; find it and delete it with: '
		. 'nft -a list chain ip ipmasqadm lookup_mfw', @$_) for [qw(mfw -A -m 5000 -r 10.0.0.2)], [qw(mfw -A -m 5000 -r 10.0.0.2 --dry-run)];
	did(qw(mfw -D -m 7));
	did(qw(mfw -A -m 5000 -r 10.0.0.2));
};

subtest 'rules and maps that refer to ours' => sub {
	for my $refers ('chain mine { goto lookup; }', 'chain mine { ip saddr vmap { 192.0.2.1 : goto lookup }; }',
		'map mine { type ipv4_addr : verdict; elements = { 192.0.2.1 : jump lookup } }', 'chain mine { meta mark vmap @mfw_pools; }',
		'chain mine { type nat hook prerouting priority 0; ip saddr vmap { 192.0.2.1 : jump autofw_port, 192.0.2.2 : drop }; }')
	{
		start();
		ours($refers);
		saves();
		my $left = flushes($refers);
		like($left, qr/ mine \{/, 'it stays');
		like($left, qr/chain lookup \{/, 'and what it refers to');
		unlike($left, qr/chain (?:tcp|mark)-/, 'the forwards do not');
	}
	start();
	ours('chain mine { goto tcp-198.51.100.1-81; }');
	my $busy = 'the kernel refused the change to chain tcp-198.51.100.1-81: something that is not ours refers to it; look at it with: nft list table ip ipmasqadm';
	refused($busy, @$_) for [qw(portfw -d -P tcp -L 198.51.100.1 81)], [qw(portfw -f)];
	saves();
	did('restore', "$dir/saved");
};

subtest 'edited comments' => sub {
	my $rule = sub { my ($chain, $comment) = @_; nft("add rule ip ipmasqadm $chain tcp dport 9 counter comment \"$comment\"") };
	for (['autofw_port', '-p tcp 8081 0.0.0.0:80'], ['autofw_port', '-p tcp 0 10.0.0.2:80'], ['autofw_port', '-p tcp 8081 10.0.0.2:0'],
	     ['autofw_range', '-r tcp 200 100 -h 10.0.0.2'], ['autofw_range', '-r tcp 100 200 -h 0.0.0.0'], ['autofw_range', '-r tcp 1 65536 -h 10.0.0.2'],
	     ['autofw_range', '-r tcp 100 200 -c tcp 0'], ['autofw_direct', '-d tcp 300 200'], ['autofw_direct', '-r tcp 100 200 -h 10.0.0.2'],
	     ['autofw_port', '-d tcp 1 2'])
	{
		my ($chain, $comment) = @$_;
		start();
		my $before = did('save');
		$rule->($chain, $comment);
		is(saves(), $before, "$chain: $comment: is no entry");
		is(scalar(() = did(qw(autofw -L -n)) =~ /\n/g), 3, 'nor listed');
		like(flushes($comment), qr/\Q$comment\E/, 'and stays');
	}
	start();
	nft('add element ip ipmasqadm portfw { tcp . 198.51.100.1 . 85 comment "pref 99999999999" : 10.0.0.2 . 80 }
add element ip ipmasqadm mfw { 7 comment "pref 4294967295 left 99" : 10.0.0.2 . 80 }
add rule ip ipmasqadm tcp-198.51.100.1-81 meta l4proto tcp counter dnat to 10.0.0.9:80 comment "target 9 pref 2147483647"
add rule ip ipmasqadm tcp-198.51.100.1-81 meta l4proto tcp counter dnat to 10.0.0.8:80 comment "target 10 pref 2147483647"
add rule ip ipmasqadm tcp-198.51.100.1-81 meta l4proto tcp counter dnat to 10.0.0.7:80 comment "target 11 pref 2147483647"
add rule ip ipmasqadm tcp-198.51.100.1-81 meta l4proto tcp counter dnat to 0.0.0.0:80 comment "target 12 pref 1"');
	my $saved = saves();
	is($saved =~ / 85 .* -p (\d+)/ && $1, 2147483647, 'a pref has a limit');
	is($saved =~ /-m 7 .* -p (\d+)/ && $1, 2147483647, 'of a mark as well');
	is(join(' ', sort $saved =~ / 81 -R 10\.0\.0\.[789] 80 -p (\d+(?: #)?)/g), '0 # 0 # 2147483647', 'what a schedule cannot hold is drained');
	unlike($saved, qr/-R 0\.0\.0\.0/, 'nothing leads to no address');
	did('restore', "$dir/saved");
	flushes('prefs');
};

subtest 'a rule of ours that somebody copied' => sub {
	plan skip_all => $four_only if $family == 6;
	start();
	nft('add rule ip ipmasqadm autofw_port tcp dport 8080 counter dnat to 10.0.0.2:80 comment "-p tcp 8080 10.0.0.2:80"
add rule ip ipmasqadm autofw_range udp dport 6970-7170 counter comment "-r udp 6970 7170 -c tcp 7070"
add rule ip ipmasqadm autofw_trigger meta l4proto tcp jump udp-6970-7170-by-tcp-7070 comment "-r udp 6970 7170 -c tcp 7070"');
	is(scalar(() = saves() =~ / autofw -A /g), 2, 'is one entry');
	did(qw(autofw -D -p tcp 8080 10.0.0.2:80));
	unlike(table(), qr/8080/, 'both go at once');
	did(qw(autofw -F));
	unlike(table(), qr/6970/, 'of a triggered one, too');
	did('restore', "$dir/saved");
	my ($target) = table() =~ /dnat to 10\.0\.0\.3:80 comment "(target[^"]*)"/;
	nft("add rule ip ipmasqadm tcp-198.51.100.1-81 meta l4proto tcp counter dnat to 10.0.0.3:80 comment \"$target\"");
	is(scalar(() = saves() =~ / 81 -R /g), 2, 'of a target, it is one target');
	did(qw(portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80 -p 7));
	is(scalar(() = table() =~ /dnat to 10\.0\.0\.3:80/g), 1, 'and gone with the next change');
	is(flushes('then'), '', 'nothing is left');
};

subtest 'receivers of which something was deleted' => sub {
	plan skip_all => $four_only if $family == 6;
	my @entry = qw(-r udp 6970 7170 -c tcp 7070);
	my $name = 'ip ipmasqadm udp-6970-7170-by-tcp-7070';
	my $whole = do { start('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80', "autofw -A @entry"); table() };
	for my $edit ("flush chain ip ipmasqadm autofw_trigger\ndelete chain $name",
		"flush chain $name\nflush chain ip ipmasqadm autofw_range\ndelete map $name",
		"flush chain ip ipmasqadm autofw_trigger\nflush chain $name\nflush chain ip ipmasqadm autofw_range\ndelete chain $name")
	{
		for my $command ([qw(autofw -D), @entry], [qw(autofw -F)], [qw(autofw -A), @entry]) {
			must($Net::program, 'restore', spew('entry', 'portfw -f', 'autofw -F',
				'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80', "autofw -A @entry"));
			nft($edit);
			next if $$command[1] ne '-A' && did(qw(autofw -L -n)) !~ /6970/;
			did(@$command);
			$$command[1] eq '-A' ? is(table() =~ s/\tchain autofw_trigger.*//sr, $whole =~ s/\tchain autofw_trigger.*//sr, 'it is whole again')
				: unlike(table(), qr/7070/, 'nothing of it is left');
		}
	}
	nft("flush chain ip ipmasqadm autofw_trigger\nflush chain ip ipmasqadm autofw_range");
	did(qw(autofw -A), @entry);
	is(scalar(() = table() =~ /update \@udp/g), 1, 'what was left in a chain does not come twice');
};

subtest 'a chain of others that has a name of ours' => sub {
	start('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80', map { "mfw -A -m 3 -r 10.0.0.$_ 80" } 2, 3);
	ours('chain mark-77 { goto mark-3; }');
	refused('the kernel refused the change to chain mark-3: something that is not ours refers to it; look at it with: nft list table ip ipmasqadm',
		@$_) for [qw(mfw -F)], [qw(mfw -D -m 3)];
	did(qw(mfw -A -m 3 -r 10.0.0.4 80));
	nft('flush chain ip ipmasqadm mark-77');
	did(qw(mfw -F));
};

subtest 'a map of ours has another name' => sub {
	start('mfw -A -m 1 -r 10.0.0.2 80');
	my ($handle) = must(qw(nft -a list chain ip ipmasqadm lookup_mfw)) =~ /\@mfw_keep_port # handle (\d+)/;
	ours('map mine { type mark : ipv4_addr; }');
	nft("replace rule ip ipmasqadm lookup_mfw handle $handle dnat to meta mark map \@mine\ndelete map ip ipmasqadm mfw_keep_port");
	refused('map mfw_keep_port is missing in table ip ipmasqadm; have it made anew by emptying a chain, with: nft flush chain ip ipmasqadm lookup',
		qw(mfw -A -m 2 -r 10.0.0.2));
	nft('flush chain ip ipmasqadm lookup');
	refused('chain lookup_mfw in table ip ipmasqadm has to be made anew, but has a rule that is not ours; find it and delete it with: '
		. 'nft -a list chain ip ipmasqadm lookup_mfw', qw(mfw -A -m 2 -r 10.0.0.2));
	nft('flush chain ip ipmasqadm lookup_mfw');
	did(qw(mfw -A -m 2 -r 10.0.0.2));
	saves();
	like(flushes('then'), qr/\A[^\n]*\n\tmap mine \{[^}]*\}\n\}\n\z/, 'theirs is left');
};

subtest 'a dormant table' => sub {
	start();
	my $dormant = 'table ip ipmasqadm is dormant: it forwards nothing; wake it with: nft add table ip ipmasqadm';
	my $before = saves();
	nft('add table ip ipmasqadm { flags dormant; }');
	is(saves(), $before, 'is saved');
	refused($dormant, qw(portfw -a -P tcp -L 198.51.100.1 90 -R 10.0.0.2 80));
	my ($status, undef, $err) = ipmasqadm('restore', "$dir/saved");
	is("$status $err", "1 ipmasqadm: restore: $dir/saved: $dormant\n", 'a restore says so, too');
	did(qw(portfw -d -P tcp -L 198.51.100.1 81));
	nft('add table ip ipmasqadm');
	did(qw(portfw -a -P tcp -L 198.51.100.1 90 -R 10.0.0.2 80));
	nft('add table ip ipmasqadm { flags dormant; }');
	is(flushes('it goes'), '', 'nothing is left');
};

subtest 'a table that a process owns' => sub {
	run(qw(nft delete table ip ipmasqadm));
	open my $nft, '|-', 'exec nft -i >/dev/null 2>&1' or die "nft: $!\n";
	$nft->autoflush(1);
	print $nft "add table ip ipmasqadm { flags owner; }\n";
	SKIP: {
		skip 'this nft or kernel has no owners', 1 unless wait_for(5, sub { table() =~ /flags owner/ });
		my $owned = 'table ip ipmasqadm belongs to another process (flags owner), which alone may change it; look at it with: nft list table ip ipmasqadm';
		saves();
		did(qw(portfw -l -n));
		refused($owned, @$_) for [qw(portfw -a -P tcp -L 198.51.100.1 90 -R 10.0.0.2 80)], [qw(portfw -f)];
		print $nft "add table ip ipmasqadm { flags owner; }\nadd chain ip ipmasqadm lookup\n";
		wait_for(5, sub { table() =~ /chain lookup/ });
		refused($owned, @$_) for [qw(mfw -A -m 1 -r 10.0.0.2)], [qw(mfw -F)];
	}
	close $nft;
	run(qw(nft delete table ip ipmasqadm));
};

subtest 'a chain of our name that is something else' => sub {
	for (['lookup', 'type filter hook forward priority 0;'], ['prerouting', 'type filter hook prerouting priority 0;'],
	     ['prerouting', 'type nat hook prerouting priority 0;'], ['prerouting_again', ''], ['autofw_trigger', 'type nat hook postrouting priority 101;'])
	{
		my ($chain, $hook) = @$_;
		run(qw(nft delete table ip ipmasqadm));
		ours("chain $chain { $hook counter; }");
		refused("chain $chain in table ip ipmasqadm is not as ipmasqadm makes it; rename it, or delete it with: nft delete chain ip ipmasqadm $chain",
			@$_) for [qw(portfw -a -P tcp -L 198.51.100.1 90 -R 10.0.0.2 80)], [qw(mfw -A -m 1 -r 10.0.0.2 --dry-run)];
		my $before = table();
		is(flushes("$chain $hook"), $before, 'a flush leaves it') if $hook;
		must(qw(nft rename chain ip ipmasqadm), $chain, 'mine');
		did(qw(portfw -a -P tcp -L 198.51.100.1 90 -R 10.0.0.2 80));
	}
};

subtest 'a map of our name that is something else' => sub {
	my $exact = 'inet_proto . ipv4_addr . inet_service';
	for (['map portfw', "type ipv4_addr . inet_service : ipv4_addr . inet_service"], ['set portfw', "type $exact"], ['map portfw', "type $exact : verdict"],
	     ['map portfw', "type $exact : ipv4_addr"], ['map mfw_pools', 'type mark : verdict; flags timeout; timeout 1h'],
	     ['map portfw_pools', "type $exact : verdict; flags interval"], ['map mfw', 'type ipv4_addr : ipv4_addr . inet_service'])
	{
		my ($map, $type) = @$_;
		my ($name) = $map =~ /(\w+)$/;
		run(qw(nft delete table ip ipmasqadm));
		ours("$map { $type; }");
		saves();
		refused("map $name in table ip ipmasqadm is not as ipmasqadm makes it; delete what refers to it, and then it, with: nft delete map ip ipmasqadm $name",
			@$_) for [$name =~ /mfw/ ? qw(mfw -A -m 1 -r 10.0.0.2) : qw(portfw -a -P tcp -L 198.51.100.1 90 -R 10.0.0.2 80)];
		my $before = table();
		is(flushes("$map { $type }"), $before, 'a flush leaves it');
	}
	for my $size ('size 4;', '') {
		run(qw(nft delete table ip ipmasqadm));
		ours("map portfw { type $exact : ipv4_addr . inet_service; counter; $size }");
		did(qw(portfw -a -P tcp -L 198.51.100.1), $_, qw(-R 10.0.0.2 80)) for 1 .. 6;
		is(scalar(() = saves() =~ / portfw -a /g), 6, "a map of another size ($size) will do");
		is(flushes($size), '', 'and goes');
	}
};

subtest 'at random' => sub {
	my $bad = hands($net, $slow ? 5 : 40, 1998);
	is(scalar @$bad, 0, 'everything goes on') or diag(join "\n", splice @$bad, 0, 30);
};

done_testing;
