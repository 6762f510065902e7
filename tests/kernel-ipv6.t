#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Both families at once: a command or a file of both is one transaction, a mark has targets of both, and
# what one family lacks is nothing to the other. What each does by itself: the tests NAME.t and NAME-6.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use File::Temp ();
use JSON::PP ();
use Net;
use Test::More;

my $net = Net->new(local => ['198.51.100.1']);
my $dir = File::Temp->newdir;
must(qw(ip address add 2001:db8::1/128 dev lo));
must('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1');

# A host of both families.
sub host {
	my ($name, $four, $six) = @_;
	my $host = $net->host($name, $four);
	(my $gateway = $six) =~ s/[^:]*$/fe/;
	must(qw(ip address add), "$gateway/128", 'dev', $name, 'nodad');
	must(qw(ip -6 route add), "$six/128", 'dev', $name);
	must(qw(ip neighbour add), $six, qw(lladdr 02:00:00:00:00:02 dev), $name, qw(nud permanent));
	$host->must(qw(ip address add), "$six/128", qw(dev eth0 nodad));
	$host->must(qw(ip -6 route add), "$gateway/128", qw(dev eth0));
	$host->must(qw(ip neighbour add), $gateway, qw(lladdr 02:00:00:00:00:01 dev eth0 nud permanent));
	$host->must(qw(ip -6 route add default via), $gateway);
	return $host;
}
my $client = host('client', '203.0.113.5', '2001:db8:5::5');
my $one = host('one', '10.0.0.2', 'fd00::2')->listen(80, 8080);
my $two = host('two', '10.0.0.3', 'fd00::3')->listen(80, 8080);
$net->firewall->listen(80);

sub did {
	my ($status, $out, $err) = ipmasqadm(@_);
	is("$status$err", '0', "@_");
	return $out;
}
sub refused {
	my ($wanted, $message, @command) = @_;
	my ($status, $out, $err) = ipmasqadm(@command);
	is("$status$out$err", "${wanted}ipmasqadm: $command[0]: $message\n", "@command");
}
sub file { open my $f, '>', "$dir/file" or die $!; print $f map { "$_\n" } @_; close $f; return "$dir/file" }
sub tables { my @tables = must(qw(nft list tables)) =~ /^table (ip6?) ipmasqadm$/mg; return join ' ', sort @tables }
sub clear {
	forget();
	did(qw(portfw -f));
	did(qw(mfw -F));
	did(qw(autofw -F));
	is(tables(), '', 'both tables are gone');
}
sub reaches { my ($where, $port, $who) = @_; is($client->tcp($where, $port)->{at} // '-', $who, "$where port $port") }

subtest 'a table for each family, with the first forward' => sub {
	did(qw(portfw -a -P tcp -L 2001:db8::1 80 -R fd00::2 8080));
	is(tables(), 'ip6', 'one of IPv6');
	reaches('2001:db8::1', 80, '[fd00::2]:8080');
	is($client->tcp('198.51.100.1', 80)->{name}, 'firewall', 'IPv4 is not concerned');
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
	is(tables(), 'ip ip6', 'one of both');
	did(qw(portfw -d -P tcp -L 198.51.100.1 80));
	is(tables(), 'ip6', 'gone with the last forward');
	forget();
	did(qw(portfw -d -P tcp -L 2001:db8::1 80));
	is(tables(), '', 'and that of IPv6');
};

subtest 'listings' => sub {
	is(run($Net::program, 'restore', file('portfw -a -P tcp -L :: 80 -R fd00::3 80', 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80',
		'portfw -a -P udp -L 2001:db8::1 53 -R fd00:0:0::2 53', 'portfw -a -P tcp -L 2001:DB8::1 80 -R fd00::2 8080', 'mfw -A -m 2 -r fd00::2',
		'mfw -A -m 2 -r 10.0.0.3 80', 'mfw -A -m 1 -r fd00::3 80', 'autofw -A -p tcp 81 [fd00::2]:80', 'autofw -A -r udp 6970 7170 -h 10.0.0.2')), 0, 'of both');
	is(did(qw(portfw -l -n)), <<'	END' =~ s/^\t//mgr, 'IPv6 after IPv4 in each protocol, the newest first');
	prot localaddr            rediraddr               lport    rport  pcnt  pref
	UDP  2001:db8::1          fd00::2                    53       53    10    10
	TCP  198.51.100.1         10.0.0.2                   80       80    10    10
	TCP  2001:db8::1          fd00::2                    80     8080    10    10
	TCP  ::                   fd00::3                    80       80    10    10
	END
	is(did(qw(mfw -L -n)), <<'	END' =~ s/^\t//mgr, '... and in each mark');
	fwmark   rediraddr               rport  pcnt  pref
	1        fd00::3                    80    10    10
	2        10.0.0.3                   80    10    10
	2        fd00::2                     0    10    10
	END
	is(did(qw(autofw -L -n)), <<'	END' =~ s/^\t//mgr, '... and of entries');
	kind     prot ports       rediraddr            rport control    flags          outside              seconds
	range    udp  6970-7170   10.0.0.2                 - -          -              -                          -
	port     tcp  81          fd00::2                 80 -          -              -                          -
	END
	for (['portfw -l', 'ipv6 ipv4 ipv6 ipv6'], ['mfw -L', 'ipv6 ipv4 ipv6'], ['autofw -L', 'ipv4 ipv6']) {
		my ($list, $families) = @$_;
		is(join(' ', map { $_->{family} } @{JSON::PP::decode_json(did(split(' ', $list), '--json'))}), $families, "$list --json tells the family");
	}
	my $saved = did('save');
	is($saved, <<'	END' =~ s/^\t//mgr, 'saved in the order of names');
	ipmasqadm portfw -f
	ipmasqadm mfw -F
	ipmasqadm autofw -F
	ipmasqadm reach -f
	ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 10
	ipmasqadm portfw -a -P tcp -L :: 80 -R fd00::3 80 -p 10
	ipmasqadm portfw -a -P tcp -L 2001:db8::1 80 -R fd00::2 8080 -p 10
	ipmasqadm portfw -a -P udp -L 2001:db8::1 53 -R fd00::2 53 -p 10
	ipmasqadm mfw -A -m 1 -r fd00::3 80 -p 10
	ipmasqadm mfw -A -m 2 -r 10.0.0.3 80 -p 10
	ipmasqadm mfw -A -m 2 -r fd00::2 -p 10
	ipmasqadm autofw -A -p tcp 81 '[fd00::2]:80'
	ipmasqadm autofw -A -r udp 6970 7170 -h 10.0.0.2
	END
	my $before = ruleset();
	did('save', "$dir/saved");
	did('restore', "$dir/saved");
	did('restore', "$dir/saved");
	is(did('save'), $saved, 'restored, it is the same');
	must(qw(nft flush ruleset));
	is(scalar run('sh', '-ec', "PATH=\$(dirname $Net::program):\$PATH; . $dir/saved"), 0, 'a shell can run it');
	is(did('save'), $saved, '... to the same effect');
	reaches('2001:db8::1', 81, '[fd00::2]:80');
	clear();
};

subtest 'a file of both is one transaction' => sub {
	my @file = ('portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80', 'portfw -a -P tcp -L 2001:db8::1 80 -R fd00::2 80');
	my ($status, undef, $err) = run($Net::program, 'restore', file(@file, 'mfw -D -m 7'));
	is($status, 1, 'refused');
	like($err, qr/:3: mfw -D -m 7: no forward on mark 7$/, '... by its last line');
	is(tables(), '', 'nothing has changed');
	did('restore', file(@file));
	reaches('198.51.100.1', 80, '10.0.0.2:80');
	reaches('2001:db8::1', 80, '[fd00::2]:80');
	# half of it cannot be: somebody's map has the name of ours
	must(qw(nft delete table ip6 ipmasqadm));
	nft("table ip6 ipmasqadm { map portfw { type inet_service : ipv6_addr; }; }");
	my $before = ruleset();
	($status, undef, $err) = run($Net::program, 'restore', file('portfw -f', 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80', $file[1]));
	is($status, 1, 'one family cannot');
	like($err, qr/^ipmasqadm: restore: [^\n]*map portfw in table ip6 ipmasqadm is not as ipmasqadm makes it; [^\n]*nft delete map ip6 ipmasqadm portfw\n\z/, 'its table is named');
	is(ruleset(), $before, 'and nothing has changed in the other');
	did(qw(portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.3 80));
	must(qw(nft delete table ip6 ipmasqadm));
	clear();
};

subtest 'a mark has targets of both, and each family has turns of its own' => sub {
	nft("table inet marks { chain c { type filter hook prerouting priority mangle; tcp dport 80 meta mark set 1; }; }");
	did(qw(mfw -A -m 1 -r), $_, qw(8080 -p 1)) for '10.0.0.2', 'fd00::2', '10.0.0.3', 'fd00::3';
	my %at;
	for (1 .. 4) {
		for my $where ('198.51.100.1', '2001:db8::1') {
			push @{$at{$where}}, $client->tcp($where, 80)->{name};
		}
	}
	is_deeply(\%at, {map { $_ => [qw(one two one two)] } '198.51.100.1', '2001:db8::1'}, 'in turn');
	did(qw(mfw -S -m 1));
	is($client->tcp($_, 80)->{name}, 'two', '-S ends the turns of both') for '198.51.100.1', '2001:db8::1';
	did(qw(mfw -E -m 1 -p 5));
	is(scalar(() = did(qw(mfw -L -n)) =~ / 5 +5\n/g), 4, '-E edits both');
	did(qw(mfw -E -m 1 -r fd00::2 -p 7));
	is(scalar(() = did(qw(mfw -L -n)) =~ / 7 +7\n/g), 1, 'with a target, its family');
	did(qw(mfw -D -m 1 -r 10.0.0.2));
	did(qw(mfw -D -m 1 -r 10.0.0.3));
	is(tables(), 'ip6', 'those of IPv6 are left');
	did(qw(mfw -q -m 1));
	did(qw(mfw -S -m 1));
	did(qw(mfw -A -m 1 -r 10.0.0.2));
	did(qw(mfw -D -m 1));
	is((ipmasqadm(qw(mfw -q -m 1)))[0], 1, '-D deletes both');
	refused(1, 'no forward on mark 1', qw(mfw -D -m 1));
	refused(1, 'no forward on mark 1', qw(mfw -S -m 1));
	must(qw(nft delete table inet marks));
	clear();
};

subtest 'any address is one of its family' => sub {
	did(qw(portfw -a -P tcp -L :: 80 -R fd00::2 80));
	did(qw(portfw -a -P tcp -L 2001:db8::1 81 -R fd00::2 80));
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	reaches('2001:db8::1', 80, '[fd00::2]:80');
	is($client->tcp('fd00::3', 80)->{name}, 'two', 'what passes through is not captured');
	refused(1, 'no forward on tcp 0.0.0.0:81', qw(portfw -d -P tcp -L 0.0.0.0 81));
	did(qw(portfw -d -P tcp -L 0.0.0.0 80));
	is(tables(), 'ip6', '0.0.0.0 names those of IPv4 alone');
	did(qw(portfw -d -P tcp -L :: 80));
	did(qw(portfw -d -P tcp -L :: 81));
	clear();
};

subtest 'an address that is the link\'s own' => sub {
	my $at = sub { my ($address) = must(qw(ip -6 -o address show dev client scope link)) =~ /inet6 (fe80::\S+)\//; return $address };
	ok(wait_for(5, sub { must(qw(ip -6 -o address show dev client scope link)) =~ /fe80::(?!.*tentative)/ }), 'there is one');
	my $ask = sub { $client->tcp($at->() . '%eth0', 80)->{name} };
	is($ask->(), 'firewall', 'the firewall answers there');
	for my $where ('::', '@client') {
		did(qw(portfw -a -P tcp -L), $where, qw(80 -R fd00::2 80));
		is($ask->(), 'firewall', "also with a forward on $where") for 1, 2;
		is($net->firewall->tcp($at->() . '%client', 80)->{name}, 'firewall', '... to the machine itself');
		clear();
	}
	did(qw(autofw -A -r tcp 80 81 -h fd00::2));
	is($ask->(), 'firewall', 'or a range of autofw');
	clear();
};

subtest 'autofw' => sub {
	did(qw(autofw -A -r tcp 90 91 -h fd00::2));
	did(qw(autofw -A -r udp 90 91 -h fd00::2));
	did(qw(autofw -A -p tcp 80), '[fd00::3]:8080');
	$one->listen(90, 91);
	reaches('2001:db8::1', $_, "[fd00::2]:$_") for 90, 91;
	is($client->udp('2001:db8::1', 90)->{at}, '[fd00::2]:90', 'udp');
	reaches('2001:db8::1', 80, '[fd00::3]:8080');
	is($client->tcp('198.51.100.1', 80)->{name}, 'firewall', 'not of IPv4');
	did(qw(autofw -q -p tcp 80), '[fd00::3]:8080');
	did(qw(autofw -D -p tcp 80), '[fd00::3]:8080');
	refused(1, 'no entry port tcp 80 to [fd00::3]:8080', qw(autofw -D -p tcp 80), '[fd00::3]:8080');
	refused(1, 'only IPv4 has ports that follow a control connection: leave -c out', qw(autofw -A -p tcp 80), '[fd00::3]:8080', qw(-c tcp 21));
	clear();
};

subtest 'what is refused, by name' => sub {
	my @add = qw(portfw -a -P tcp -L 2001:db8::1 80 -R);
	refused(2, "2001:db8::1 is IPv6 and 10.0.0.2 is IPv4, and neither is translated to the other: give the host's IPv6 address", @add, '10.0.0.2', 80);
	refused(2, 'fe80::1 is a link-local address, which needs a scope, and a forward has none: give a global or a unique local address of that host', @add, 'fe80::1', 80);
	refused(2, '-R :: is no host to forward to', @add, '::', 80);
	refused(2, '::1 is the loopback address, no host to forward to', @add, '::1', 80);
	refused(2, 'ff02::1 is a multicast address, no host to forward to', @add, 'ff02::1', 80);
	refused(2, "::ffff:10.0.0.2 is an IPv4 address in IPv6's notation: give 10.0.0.2", @add, '::ffff:10.0.0.2', 80);
	my @local = qw(portfw -a -P tcp -R fd00::2 80 -L);
	refused(2, 'fe80::1 is a link-local address, which needs a scope, and a forward has none: give a global or a unique local address of this machine', @local, 'fe80::1', 80);
	refused(2, '::1 is the loopback address, and nothing that comes to it is forwarded', @local, '::1', 80);
	refused(2, 'ff02::1 is a multicast address, and nothing that comes to it is forwarded', @local, 'ff02::1', 80);
	is(tables(), '', 'nothing has changed');
};

subtest 'names' => sub {
	my $lacking = ($ENV{STATIC} // '') eq 'yes';
	plan skip_all => 'nothing can be preloaded into a static program' if $lacking;
	my $preload = join ' ', grep { length } $ENV{PRELOAD} // '', $Net::traffic =~ s{traffic$}{resolver.so}r;
	my $with = sub {
		my ($names, @command) = @_;
		my ($status, $out, $err) = run('env', "LD_PRELOAD=$preload", "RESOLVER_NAMES=$names", $Net::program, @command);
		return "$status$out$err";
	};
	my $both = 'web=10.0.0.2,web=fd00::2';
	is($with->($both, qw(portfw -a -P tcp -L 2001:db8::1 80 -R web 80)), '0', 'AAAA for AAAA');
	is($with->($both, qw(portfw -a -P tcp -L 198.51.100.1 80 -R web 80)), '0', 'A for A');
	is($with->('fw=198.51.100.1,fw=2001:db8::1', qw(portfw -a -P udp -L fw 80 -R fd00::2 80)), '0', 'the local one, too');
	is($with->($both, qw(mfw -A -m 1 -r web)), '0', 'IPv4 first');
	is($with->('web=fd00::2', qw(mfw -A -m 2 -r web)), '0', 'IPv6 where there is no other');
	like($with->('web=10.0.0.2', qw(portfw -a -P tcp -L 2001:db8::1 80 -R web 80)), qr/^2ipmasqadm: portfw: host web: it has no IPv6 address, as the other address is$/, 'none');
	is(did('save') =~ s/^ipmasqadm \w+ -[fF].*\n//mgr, <<'	END' =~ s/^\t//mgr, 'so it is');
	ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 10
	ipmasqadm portfw -a -P tcp -L 2001:db8::1 80 -R fd00::2 80 -p 10
	ipmasqadm portfw -a -P udp -L 2001:db8::1 80 -R fd00::2 80 -p 10
	ipmasqadm mfw -A -m 1 -r 10.0.0.2 -p 10
	ipmasqadm mfw -A -m 2 -r fd00::2 -p 10
	END
	clear();
};

# A kernel whose module ipv6 is disabled takes rules of IPv6 all the same; one whose nf_tables does not have
# the family refuses the table.
subtest 'a kernel without IPv6' => sub {
	plan skip_all => 'nothing can be preloaded into a static program' if ($ENV{STATIC} // '') eq 'yes';
	my $preload = join ' ', grep { length } $ENV{PRELOAD} // '', $Net::traffic =~ s{traffic$}{no-ipv6.so}r;
	my $without = sub {
		my ($what, @command) = @_;
		my ($status, $out, $err) = run('env', "LD_PRELOAD=$preload", "NO_IPV6=$what", $Net::program, @command);
		return "$status$err";
	};
	for (['module', 'this kernel has no IPv6: it is not built in, or disabled (ipv6.disable=1)'],
		['nf_tables', "this kernel's nf_tables has no ip6 family (CONFIG_NF_TABLES_IPV6): Operation not supported"]) {
		my ($what, $message) = @$_;
		is($without->($what, qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80)), '0', "without $what, IPv4 is what it was");
		is($without->($what, qw(portfw -a -P tcp -L 2001:db8::1 80 -R fd00::2 80)), "1ipmasqadm: portfw: $message\n", 'IPv6 is refused');
		is($without->($what, 'restore', file('portfw -f', 'portfw -a -P tcp -L 2001:db8::1 80 -R fd00::2 80')), "1ipmasqadm: restore: $dir/file: $message\n", '... in a file, too');
		is($without->($what, @$_), '0', "@$_") for [qw(portfw -l -n)], [qw(portfw -q -P tcp -L 198.51.100.1 80)], ['save'], [qw(mfw -F)], [qw(portfw -f)];
		is(tables(), '', 'gone');
	}
};

done_testing;
