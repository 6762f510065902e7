#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# reach: the site's switches for inside clients and the machine's own connections. The table remembers them,
# save writes them, restore and the last flush take them as they are.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net qw(:DEFAULT did start);
use File::Temp ();
use Test::More;

my $net = Net->new(local => ['198.51.100.1']);
my $client = $net->host('client', '203.0.113.5');
# its own client, too: on the link, by another address
my $server = $net->host('server', '10.0.0.2', '10.0.0.3')->listen(80);
my $firewall = $net->firewall;
$server->ask('timeout', 600);
$firewall->listen(80);
my $web = 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80';

sub chain { my ($chain, $family) = @_; return join '', must(qw(nft list chain), $family // 'ip', 'ipmasqadm', $chain) =~ /^\t\t(?!type)(.*)\n/mg }
# whom each sees: the firewall's own connection, a client outside, and the server as its own client
sub works {
	my ($own, $inside, $what) = @_;
	forget();
	is($client->tcp('198.51.100.1', 80)->{peer_host}, '203.0.113.5', "$what: from outside, as ever");
	is($firewall->tcp('198.51.100.1', 80)->{name}, $own ? 'server' : 'firewall', $own ? 'own connections are forwarded' : 'own connections are not');
	is($server->tcp('198.51.100.1', 80, from => '10.0.0.3')->{peer_host}, $inside ? '10.0.0.254' : undef,
		$inside ? 'inside clients are masqueraded' : 'inside clients are not, so the server answers itself');
}
my $listed = sub { join ' ', did(qw(reach -l)) =~ /^(\w+)$/mg };

start($web);
works(1, 1, 'by default');
is($listed->(), 'off', 'nothing is listed');
for (['own', 0, 1], ['inside', 1, 0]) {
	my ($who, $own, $inside) = @$_;
	is(ipmasqadm(qw(reach -q), $who), 1, 'not switched off');
	did(qw(reach -d), $who) for 1, 2;
	works($own, $inside, "without $who");
	is($listed->(), "off $who", 'listed');
	is(ipmasqadm(qw(reach -q), $who), 0, 'switched off');
	like(did(qw(reach -l --json)), qr/\A\[\n \{"off": "$who", "served": null, "transport": "nft"\}\n\]\n\z/, 'JSON');
	is(chain("reach_$who"), "accept comment \"$who\"", 'once, where an administrator sees it');
	did(qw(reach -e), $who) for 1, 2;
	works(1, 1, "$who again");
}
did(qw(reach -d own));
did(qw(reach -d inside));
is($listed->(), 'off inside own', 'both, the newest first');
works(0, 0, 'neither');
did(qw(reach -f)) for 1, 2;
works(1, 1, 'back to how it begins');

subtest 'remembered without a forward' => sub {
	start('reach -d own');
	did(split ' ', $web);
	works(0, 1, 'a forward later');
	did(qw(portfw -f));
	is($listed->(), 'off own', 'the last forward goes, the switch stays');
	did(split ' ', $web);
	works(0, 1, 'and holds');
	did(qw(portfw -f));
	did(qw(reach -e own));
	unlike(must(qw(nft list ruleset)), qr/ipmasqadm/, 'the last switch takes the table along');
};

for (['inside', 'own'], ['own', 'inside']) {
	my @off = map { "reach -d $_" } @$_;
	start($web, @off);
	my $file = File::Temp->new;
	print $file map { "$_\n" } 'portfw -f', 'reach -f', $web, @off;
	close $file;
	is(did('restore', '--dry-run', $file->filename), '', "@off, and a file with the same changes nothing");
}

subtest 'save, restore, dry run' => sub {
	start('reach -d own', $web);
	my $saved = did('save');
	like($saved, qr/^ipmasqadm reach -f\n.*^ipmasqadm reach -d own\n\z/ms, 'saved');
	my $file = File::Temp->new;
	print $file $saved;
	close $file;
	did('restore', $file->filename);
	my $before = must(qw(nft -a list ruleset));
	is(did('restore', '--dry-run', $file->filename), '', 'the same again would change nothing');
	did('restore', $file->filename);
	is(must(qw(nft -a list ruleset)), $before, 'and does not');
	did(qw(reach -d inside));
	did('restore', $file->filename);
	is($listed->(), 'off own', 'what the file does not have is switched on');
	must(qw(nft flush ruleset));
	did('restore', $file->filename);
	works(0, 1, 'in an empty ruleset');
	is(did(qw(reach -d inside --dry-run)), "add rule ip ipmasqadm reach_inside accept comment \"inside\"\n", 'switched off');
	like(did(qw(reach -e own --dry-run)), qr/\Adelete rule ip ipmasqadm reach_own handle \d+\n\z/, 'switched on');
	is(did(qw(reach -e inside --dry-run)), '', 'what is on');
	is($listed->(), 'off own', 'nothing has changed');
};

subtest 'both families' => sub {
	my $six = 'portfw -a -P tcp -L 2001:db8::1 80 -R fd00::2 80';
	start('reach -d own', $six);
	is(chain('reach_own', 'ip6'), 'accept comment "own"', 'a table of IPv6 that is made later has it');
	did(qw(reach -d inside));
	is(chain('reach_inside', 'ip6'), 'accept comment "inside"', 'one that is there gets it');
	is(did(qw(reach -d inside --dry-run)), '', 'once');
	did(qw(reach -e own));
	is(chain('reach_own', 'ip6'), '', 'and loses it');
	did(qw(portfw -f));
	is(must(qw(nft list tables)), "table ip ipmasqadm\n", 'it goes with its last forward');
	did(split ' ', $six);
	is(chain('reach_inside', 'ip6'), 'accept comment "inside"', 'and comes back with the switch');
	did(qw(reach -f));
	is(must(qw(nft list tables)), "table ip6 ipmasqadm\n", 'which goes alone');
	is(chain('reach_inside', 'ip6'), '', 'everywhere');
};

subtest 'other hands' => sub {
	start($web, 'reach -d own');
	nft('insert rule ip ipmasqadm reach_own counter comment "mine"' . "\n" . 'add rule ip ipmasqadm reach_own accept comment "own"');
	did(qw(reach -e own));
	is(chain('reach_own'), 'counter packets 0 bytes 0 comment "mine"', 'copies go, others\' rules stay');
	did(qw(portfw -f));
	is(chain('reach_own'), 'counter packets 0 bytes 0 comment "mine"', 'also after the last forward');
};

# Forwards work; ours cannot be told from others', so nobody is masqueraded.
SKIP: {
	skip 'nothing can be preloaded into a static program', 1 if ($ENV{STATIC} // '') eq 'yes';
	subtest 'a kernel without labels of connections' => sub {
		my $without = sub {
			my ($status, $out, $err) = run('env', 'LD_PRELOAD=' . join(' ', $ENV{PRELOAD} || (), "$Net::traffic/../no-labels.so" =~ s{traffic/\.\./}{}r),
				$Net::program, @_);
			is("$status$err", '0', "@_");
			return $out;
		};
		start();
		$without->(split ' ') for $web, 'autofw -A -r udp 6970 7170 -c tcp 7070';
		unlike(must(qw(nft list table ip ipmasqadm)), qr/label/, 'without any');
		is($client->tcp('198.51.100.1', 80)->{peer_host}, '203.0.113.5', 'from outside it works');
		is($firewall->tcp('198.51.100.1', 80)->{name}, 'server', 'and from this machine, where the server answers its address');
		is($server->tcp('198.51.100.1', 80, from => '10.0.0.3')->{name}, 'timeout', 'nobody is masqueraded');
		my $before = must(qw(nft -a list table ip ipmasqadm)) =~ s/ expires \S+//gr;
		$without->(qw(portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80));
		$without->(qw(portfw -d -P tcp -L 198.51.100.1 81));
		is(must(qw(nft -a list table ip ipmasqadm)) =~ s/ expires \S+//gr, $before, 'the table stands');
		forget();
		$without->(split ' ') for 'portfw -f', 'autofw -F';
		unlike(must(qw(nft list ruleset)), qr/ipmasqadm/, 'and goes');
	};
}

done_testing;
