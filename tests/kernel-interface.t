#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# portfw -L IFACE: whatever addresses the interface has at the moment, also one that does not exist yet. Packets
# for another interface's address are left alone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Bed;
use Net qw(:DEFAULT did start);
use File::Temp ();
use Test::More;

Bed->new;
my ($client, $isp, $inside, $web1, $web2) = @$bed{qw(client isp inside web1 web2)};
my $dmz = $bed->{net}->host('dmz', '192.168.1.5');
my $firewall = $bed->{net}->firewall;
$_->ask('timeout', 600) for $dmz, $web1, $firewall;
$firewall->listen(80);

# who answers
sub who { my ($host, $address, %how) = @_; return $host->tcp($address, 80, %how)->{name} }
sub table { return must(qw(nft -s list table ip ipmasqadm)) }
sub known {
	my ($name) = @_;
	my $set = must(qw(nft list set ip ipmasqadm), "addresses-$name");
	return join ' ', sort { $a cmp $b } $set =~ /(\d+\.\d+\.\d+\.\d+) (?:timeout \S+ )?expires/g;
}
# without what time changes, chains in order of their names
sub sorted_table {
	my ($table) = must(qw(nft -s list table ip ipmasqadm)) =~ s/ expires \S+//gr =~ /\{\n(.*)^\}/ms;
	return join '', sort map { s/\n*\z/\n/r } split /^(?=\t\w)/m, $table;
}
my @to_web1 = qw(-R 10.0.0.2 8080);

for my $what ('one target', 'balanced') {
	subtest $what => sub {
		start("portfw -a -P tcp -L wan 80 @to_web1", $what eq 'balanced' ? 'portfw -a -P tcp -L @wan 80 -R 10.0.0.3 8080 -p 0' : ());
		is(known('wan'), '192.0.2.2 198.51.100.1', 'the command knows the present addresses');
		for my $address ('198.51.100.1', '192.0.2.2') {
			is(who($client, $address), 'web1', "from outside to $address");
			is(who($inside, $address), 'web1', '... by a client on the server\'s link');
			is(who($dmz, $address), 'web1', '... of another inside network');
			is(who($firewall, $address), 'web1', '... and by the machine itself');
		}
		is(who($client, '192.168.2.2'), 'firewall', 'another interface\'s address is left alone');
		is(who($_, '10.0.0.1'), 'firewall', '... and the inside address') for $inside, $dmz, $firewall;
		is(who($inside, '192.168.2.2'), 'firewall', '... from inside, too');
		is(who($firewall, '127.0.0.1'), 'firewall', '... and 127.0.0.1');
		like(did(qw(portfw -l -n -v)), qr/^TCP  \@wan {16,}10\.0\.0\.2 .* 8$/m, 'listed as @wan, each counted');
	};
}

subtest 'udp' => sub {
	start();
	my $ask = sub { return $_[0]->udp('198.51.100.1', 53)->{name} };
	did(qw(portfw -a -P udp -L wan 53 -R 10.0.0.3 53));
	is($ask->($_), 'web2', 'forwarded') for $client, $inside, $dmz, $firewall;
};

subtest 'exact address, interface, any' => sub {
	start("portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.9 1");
	did(qw(portfw -a -P tcp -L wan 80), @to_web1);
	is(who($client, '198.51.100.1'), 'web1', 'the interface goes before any');
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 8080));
	is(who($client, '198.51.100.1'), 'web2', 'an exact address before the interface');
	is(who($client, '192.0.2.2'), 'web1', 'which has the others');
	did(qw(portfw -d -P tcp -L 198.51.100.1 80));
	did(qw(portfw -d -P tcp -L @wan 80));
	is(who($client, '198.51.100.1'), 'refused', 'and then any');
};

subtest 'an interface that comes later' => sub {
	start("portfw -a -P tcp -L \@ppp0 80 @to_web1");
	is(who($client, '198.51.100.1'), 'firewall', 'nothing is captured');
	my $far = Net::Host::start('far', 'host');
	Bed::prepare($far, 0);
	$far->ask('timeout', 3000); # neighbours look for each other first
	my $up = sub {
		my ($address) = @_;
		must(qw(ip link add name ppp0 type veth peer name eth0 netns), $far->{pid});
		must(qw(ip link set ppp0 up));
		must('ip', 'address', 'add', $address, qw(peer 10.9.0.201 dev ppp0));
		$far->must('sh', '-c', "ip link set eth0 up; ip address add 10.9.0.201 peer $address dev eth0; ip route replace default via $address dev eth0 onlink");
		wait_for(5, sub { must(qw(ip -o link show ppp0)) =~ /state UP/ && $far->must(qw(ip -o link show eth0)) =~ /state UP/ });
	};
	$up->('10.9.0.200');
	is(who($far, '10.9.0.200'), 'web1', 'the first packet from outside');
	is(known('ppp0'), '10.9.0.200', 'shows the address');
	is(who($inside, '10.9.0.200'), 'web1', 'then inside clients reach it');
	is(who($firewall, '10.9.0.200'), 'web1', 'and the machine itself');
	must(qw(ip link del ppp0));
	$up->('10.9.0.210');
	is(who($inside, '10.9.0.210'), 'firewall', 'with another address, which nothing has shown');
	$firewall->tcp('10.9.0.201', 9);
	is(known('ppp0'), '10.9.0.200 10.9.0.210', 'what leaves from it shows it');
	is(who($inside, '10.9.0.210'), 'web1', 'then inside clients reach it');
	must(qw(ip link del ppp0));
	$up->('10.9.0.220');
	nft('table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "ppp0" masquerade; }; }');
	$inside->tcp('10.9.0.201', 9);
	is(who($inside, '10.9.0.220'), 'web1', 'what is masqueraded shows it, too');
	must(qw(nft delete table ip nat));
	must(qw(ip link del ppp0));
	$up->('10.9.0.230');
	did('portfw', qw(-a -P tcp -L @ppp0 80), @to_web1);
	is(who($inside, '10.9.0.230'), 'web1', 'and so does the command, run again');
	must(qw(ip link del ppp0));
};

subtest 'an address that moves' => sub {
	start("portfw -a -P tcp -L wan 80 @to_web1");
	is(who($client, '198.51.100.1'), 'web1', 'here');
	must(qw(ip address del 198.51.100.1/32 dev wan));
	must(qw(ip address add 198.51.100.1/32 dev wan2));
	$isp->must(qw(ip route replace 198.51.100.0/24 via 192.168.2.2));
	is(who($inside, '198.51.100.1'), 'web1', 'it stays for those who do not know');
	is(who($client, '198.51.100.1'), 'firewall', 'what comes in where it is now is left alone');
	is(known('wan'), '192.0.2.2', 'and shows that it has moved');
	is(who($inside, '198.51.100.1'), 'firewall', 'to everybody');
	$isp->must(qw(ip route replace 198.51.100.0/24 via 192.0.2.2));
	must(qw(ip address del 198.51.100.1/32 dev wan2));
	must(qw(ip address add 198.51.100.1/32 dev wan));
	is(who($client, '198.51.100.1'), 'web1', 'and back');
};

subtest 'save, restore, query, dry run' => sub {
	start('portfw -a -P tcp,udp -L wan 8000-8010 -R 10.0.0.2 9000-9010', "portfw -a -P tcp -L \@ppp0 80 @to_web1",
		'portfw -a -P tcp -L @ppp0 80 -R 10.0.0.3 8080 -p 3', 'portfw -a -P tcp -L @eth0.100 80 -R 10.0.0.3 8080 -p 3');
	my $saved = did('save');
	like($saved, qr/^ipmasqadm portfw -a -P tcp -L \@eth0\.100 80 .*\n.*-L \@ppp0 80 .*\n.*-L \@ppp0 80 .*\nipmasqadm portfw -a -P tcp -L \@wan 8000-8010 -R 10\.0\.0\.2 9000-9010 -p 10\n/m, 'with @, as ranges');
	my $file = File::Temp->new;
	print $file $saved;
	close $file;
	did('restore', $file->filename);
	my $before = must(qw(nft -a -s list table ip ipmasqadm)) =~ s/expires \S+//gr;
	did('restore', $file->filename);
	is(must(qw(nft -a -s list table ip ipmasqadm)) =~ s/expires \S+//gr, $before, 'the same again changes nothing');
	is(did('save'), $saved, 'nor what is saved');
	must(qw(nft delete table ip ipmasqadm));
	did('restore', $file->filename);
	is(did('save'), $saved, 'it is made again');
	is(ipmasqadm(qw(portfw -q -P tcp -L), $$_[0], $$_[1]), $$_[2], "-q $$_[0] $$_[1]")
		for ['wan', 8010, 0], ['@wan', 8011, 1], ['@ppp0', 80, 0], ['@ppp1', 80, 1], ['0.0.0.0', 8000, 0], ['192.0.2.2', 8000, 1];
	my $text = did(qw(portfw -d -P tcp -L @ppp0 80 --dry-run));
	did(qw(portfw -d -P tcp -L @ppp0 80));
	unlike(table(), qr/ppp0/, 'nothing of it is left');
	my $after = table() =~ s/expires \S+//gr;
	must(qw(nft flush ruleset));
	did('restore', $file->filename);
	$text = did(qw(portfw -d -P tcp -L @ppp0 80 --dry-run));
	nft($text);
	is(join("\n", sort split /\n/, table() =~ s/expires \S+//gr), join("\n", sort split /\n/, $after), 'and the dry run says how');
	must(qw(nft flush ruleset));
	$text = did(qw(portfw -a -P tcp -L wan 80), @to_web1, '--dry-run');
	nft($text);
	is(did(qw(portfw -a -P tcp -L wan 80), @to_web1, '--dry-run'), '', 'made by its dry run, it is whole');
	is(who($_, '198.51.100.1'), 'web1', 'and works') for $client, $inside, $firewall;
	did('portfw', '-f');
	is(did(qw(save)), join('', map { "ipmasqadm $_\n" } 'portfw -f', 'mfw -F', 'autofw -F', 'reach -f'), 'flushed');
};

subtest 'many' => sub {
	start('portfw -a -P tcp,udp -L wan 1-3000 -R 10.0.0.2 5001-8000');
	is(scalar(() = did(qw(portfw -l -n)) =~ /\@wan/g), 6000, 'more than a map of other services begins with');
	did(qw(portfw -a -P tcp -L wan 2000), '-R', qw(10.0.0.2 8080));
	is($client->tcp('198.51.100.1', 2000)->{name}, 'web1', 'one of them');
};

subtest 'many addresses' => sub {
	# as many as are asked for one by one, one more, and more than fit into a receive buffer
	for my $n (32, 33, 1000) {
		start();
		must(qw(ip link add name many type veth peer name other));
		must(qw(ip link set many up));
		my $file = File::Temp->new;
		print $file map { $Net::family == 6 ? sprintf "address add fd77::%x/128 dev many nodad\n", $_ : sprintf "address add 10.77.%d.%d/32 dev many\n", $_ >> 8, $_ & 255 } 1 .. $n;
		close $file;
		must(qw(ip -b), $file->filename);
		my $count = sub { scalar(() = must(qw(nft list set ip ipmasqadm addresses-many)) =~ /expires/g) };
		did(qw(portfw -a -P tcp -L @many 80-143), '-R', qw(10.0.0.2 80-143));
		is($count->(), $n, "$n are known");
		is(did(qw(portfw -a -P tcp -L @many 80-143), '-R', qw(10.0.0.2 80-143), '--dry-run'), '', '... and not added again');
		must(qw(nft flush set ip ipmasqadm addresses-many));
		did(qw(portfw -a -P tcp -L @many 81), @to_web1);
		is($count->(), $n, '... but where they were forgotten');
		must(qw(ip link del many));
	}
};

subtest 'both families' => sub {
	start("portfw -a -P tcp -L \@wan 80 @to_web1", 'portfw -a -P tcp -L @wan 80 -R fd00::2 8080');
	is(did('save') =~ s/.*reach -f\n//sr, "ipmasqadm portfw -a -P tcp -L \@wan 80 -R 10.0.0.2 8080 -p 10\nipmasqadm portfw -a -P tcp -L \@wan 80 -R fd00::2 8080 -p 10\n", 'one of each');
	did(qw(portfw -d -P tcp -L @wan 80 -R fd00::2 8080));
	is(ipmasqadm(qw(portfw -q -P tcp -L @wan 80 -R 10.0.0.2 8080)), 0, 'a target names its family');
	did(qw(portfw -a -P tcp -L @wan 80 -R fd00::2 8080));
	did(qw(portfw -d -P tcp -L @wan 80));
	unlike(must(qw(nft list ruleset)), qr/ipmasqadm/, 'without one, both are meant');
};

subtest 'other hands' => sub {
	start("portfw -a -P tcp -L wan 80 @to_web1");
	my $whole = sorted_table();
	my $at = 'chain ip ipmasqadm at-wan';
	for my $edit ('flush chain ip ipmasqadm lookup_at', "flush $at", "flush chain ip ipmasqadm lookup_at\ndelete $at",
		(map { "flush chain ip ipmasqadm $_" } qw(learn learn_leaving)), 'delete chain ip ipmasqadm learn_leaving',
		'add rule ip ipmasqadm lookup_at ip daddr @addresses-wan jump at-wan comment "@wan"') {
		nft($edit);
		isnt(sorted_table(), $whole, $edit);
		did(qw(portfw -a -P tcp -L wan 80), @to_web1);
		is(sorted_table(), $whole, 'mended');
	}
	is(who($client, '198.51.100.1'), 'web1', 'and works');
	nft('add rule ip ipmasqadm learn_leaving counter comment "mine"');
	did(qw(portfw -f));
	like(table(), qr/counter comment "mine"/, 'others\' rules stay');
};

subtest 'others refer to an interface, or use its chain' => sub {
	my $other = 'add chain ip ipmasqadm other';
	for (['add rule ip ipmasqadm at-wan counter comment "mine"', 'delete rule ip ipmasqadm at-wan handle'],
		["$other\nadd rule ip ipmasqadm other jump at-wan comment \"mine\"", 'delete rule ip ipmasqadm other handle'],
		["$other\nadd rule ip ipmasqadm other ip daddr \@addresses-wan counter comment \"mine\"", 'delete rule ip ipmasqadm other handle'],
		["$other\nadd rule ip ipmasqadm other dnat ip to meta l4proto . th dport map \@portfw-wan comment \"mine\"", 'delete rule ip ipmasqadm other handle']) {
		my ($edit, $undo) = @$_;
		for my $last (0, 1) {
			start("portfw -a -P tcp -L wan 80 @to_web1", $last ? () : "portfw -a -P tcp -L 192.0.2.2 81 @to_web1");
			nft($edit);
			did(qw(portfw -a -P tcp -L wan 80), @to_web1);
			like(table(), qr/comment "mine"/, "stays when a forward is added: $edit");
			is(who($client, '198.51.100.1'), 'web1', '... which works');
			did(qw(portfw -d -P tcp -L wan 80));
			like(table(), qr/comment "mine"/, 'stays when the forward goes' . ($last ? ', the last one' : ''));
			is(ipmasqadm(qw(portfw -q -P tcp -L @wan 80)), 1, '... which is gone');
			is(who($client, '198.51.100.1'), 'firewall', '... also for packets');
			did(qw(portfw -a -P tcp -L wan 80), @to_web1);
			is(who($client, '198.51.100.1'), 'web1', 'and comes back');
			my ($handle) = must(qw(nft -a list table ip ipmasqadm)) =~ /comment "mine" # handle (\d+)/;
			nft("$undo $handle");
			did(qw(portfw -d -P tcp -L wan 80));
			unlike(must(qw(nft list ruleset)), qr/\@?(?:at|addresses|portfw|portfw_pools)-wan/, 'without it, all of the interface goes') unless $last && $edit =~ /other/;
		}
	}
	for my $element ('portfw-wan { tcp . 0 : 10.0.0.9 . 80 }', 'portfw_pools-wan { tcp . 0 : drop }') {
		for my $command ('-f', '-d -P tcp -L wan 80') {
			start("portfw -a -P tcp -L wan 80 @to_web1");
			nft("add element ip ipmasqadm $element");
			did('portfw', split ' ', $command);
			like(must(qw(nft list ruleset)), qr/tcp \. 0 /, "portfw $command leaves others' elements: $element");
		}
	}
};

done_testing;
