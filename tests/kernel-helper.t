#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Helpers: FTP and TFTP through a forward, with real servers and clients, in each way a data connection
# can be agreed on. The firewall lets in what is forwarded or belongs to it, and nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Bed;
use File::Temp ();
use JSON::PP ();
use Net;
use Test::More;

Bed->new;
my $python = (grep { !run($_, '-c', 'import pyftpdlib') } qw(python3 /usr/bin/python3))[0];
my $lacking = lacking('pyftpdlib', $python) // lacking('curl', !run(qw(curl --version)));
plan skip_all => $lacking if $lacking;

# from outside, from the server's own link, and from another inside network
my ($client, $inside, $server) = @$bed{qw(client inside web1)};
my $dmz = $bed->{net}->host('dmz', '172.16.0.5');
my $dir = File::Temp->newdir;
chmod 0755, $dir;
my $content = join '', map { "$_ line of the file\n" } 1 .. 2000;
sub spew { my ($name, $text) = @_; open my $f, '>', "$dir/$name" or die $!; print $f $text; close $f; chmod 0644, "$dir/$name" }
sub slurp { open my $f, '<', $_[0] or return ''; local $/; return <$f> // '' }
spew('file', $content);
nft('table ip guard { chain forward { type filter hook forward priority 0; policy drop;
	ct state established,related accept
	ct status dnat accept
}
}');

sub did {
	my ($status, $out, $err) = ipmasqadm(@_);
	is("$status$err", '0', "@_");
	return $out;
}
sub refused {
	my ($message, @argv) = @_;
	my ($status, $out, $err) = ipmasqadm(@argv);
	is("$status $err", $message, "@argv");
}

my @servers;
sub serve {
	my ($host, @argv) = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM);
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$dir/log";
		open STDERR, '>&', \*STDOUT;
		exec qw(setpriv --pdeathsig KILL nsenter --net -t), $host->{pid}, '--', @argv or exit 127;
	}
	push @servers, $pid;
}
END { kill 'TERM', @servers if @servers }
for my $port (21, 2121) {
	serve($server, $python, '-m', 'pyftpdlib', '-i', '0.0.0.0', '-p', $port, '-d', $dir);
}
ok(wait_for(20, sub { my @there = $server->must(qw(ss -Hltn)) =~ /:(?:21|2121) /g; @there == 2 }), 'FTP servers') or diag(slurp("$dir/log"));

# What a client gets of the file: "all", or how curl failed.
my %modes = (
	EPSV => [],
	PASV => [qw(--disable-epsv --no-ftp-skip-pasv-ip)],
	EPRT => [qw(-P -)],
	PORT => [qw(-P - --disable-eprt)],
);
sub get {
	my ($host, $mode, $port, $seconds, $address) = @_;
	$address //= '198.51.100.1';
	my ($status, $out) = $host->run('curl', '-gs', '--max-time', $seconds // 10, @{$modes{$mode}}, "ftp://$address:$port/file");
	return $out eq $content ? 'all' : "exit $status";
}

for ([21, 21], [8021, 2121]) {
	my ($port, $there) = @$_;
	subtest "FTP, port $port to $there" => sub {
		my @forward = (qw(portfw -a -P tcp -L 198.51.100.1), $port, qw(-R 10.0.0.2), $there);
		did(@forward);
		isnt(get($client, $_, $port, 2), 'all', "$_ from outside, without a helper") for sort keys %modes;
		did(@forward, qw(-H ftp));
		for my $host ($client, $inside, $dmz, $bed->{net}->firewall) {
			is(get($host, $_, $port), 'all', "$_, from $host->{name}") for sort keys %modes;
		}
		did(qw(portfw -d -P tcp -L 198.51.100.1), $port);
		forget();
	};
}

subtest 'any address, an interface, and balanced' => sub {
	did(qw(portfw -a -P tcp -L @wan 21 -R 10.0.0.2 21 -H ftp));
	is(get($client, $_, 21), 'all', "$_, an interface") for qw(EPSV PORT);
	did(qw(portfw -f));
	forget();
	did(qw(portfw -a -P tcp -L 0.0.0.0 21 -R 10.0.0.2 21 -H ftp));
	is(get($client, $_, 21), 'all', "$_, any address") for qw(EPSV PORT);
	did(qw(portfw -a -P tcp -L 0.0.0.0 21 -R 10.0.0.2 2121 -p 1));
	is(get($client, $_, 21), 'all', "$_, two targets") for qw(EPSV PORT);
	did(qw(portfw -f));
	forget();
};

# What is agreed on in a connection ends with it.
subtest 'a file under way, and --cut' => sub {
	spew('large', 'x' x 20_000_000);
	for my $mode (qw(PASV PORT)) {
		did(qw(portfw -a -P tcp -L 198.51.100.1 21 -R 10.0.0.2 21 -H ftp));
		unlink "$dir/got";
		my $size = sub { (-s "$dir/got") // 0 };
		my $pid = fork // die "fork: $!";
		if (!$pid) {
			open STDERR, '>', '/dev/null';
			exec qw(nsenter --net -t), $client->{pid}, qw(-- curl -s --max-time 30 --limit-rate 500k), @{$modes{$mode}}, '-o', "$dir/got", 'ftp://198.51.100.1:21/large' or exit 127;
		}
		ok(wait_for(10, sub { $size->() > 100_000 }), "$mode, a download");
		did(qw(portfw -d -P tcp -L 198.51.100.1 21 --cut));
		# what has arrived is read slowly: it ends when that is over
		my $last = -1;
		ok(wait_for(25, sub { my $same = $size->() == $last; $last = $size->(); sleep 3 unless $same; return $same }), 'it stops');
		cmp_ok($last, '<', 15_000_000, "... after $last bytes");
		unlike(must(qw(conntrack -L -p tcp)), qr/src=203\.0\.113\.9 dst=198\.51\.100\.1 [^\n]*src=10\.0\.0\.2|src=10\.0\.0\.2 [^\n]*dst=198\.51\.100\.1/, 'no connection is left');
		kill 'TERM', $pid;
		waitpid $pid, 0;
		forget();
	}
	unlink "$dir/large", "$dir/got";
	did(qw(portfw -f));
};

subtest 'FTP over IPv6' => sub {
	# the bed's addresses (Bed.pm)
	my ($local, $there) = ('2001:db8::a1', 'fd00::a2');
	nft('table ip6 guard { chain forward { type filter hook forward priority 0; policy drop;
		ct state established,related accept
		ct status dnat accept
	}
	}');
	# the kernel writes the client's address at full length, and this server compares addresses as text
	serve($server, $python, '-c', "from pyftpdlib import authorizers, handlers, servers\n"
		. "a = authorizers.DummyAuthorizer()\na.add_anonymous('$dir')\n"
		. "h = handlers.FTPHandler\nh.authorizer = a\nh.permit_foreign_addresses = True\n"
		. "servers.FTPServer(('::', 2122), h).serve_forever()\n");
	ok(wait_for(20, sub { $server->must(qw(ss -Hltn)) =~ /:2122 / }), 'a server');
	my @forward = (qw(portfw -a -P tcp -L), $local, 21, '-R', $there, 2122);
	did(@forward);
	isnt(get($client, $_, 21, 2, "[$local]"), 'all', "$_ from outside, without a helper") for qw(EPRT EPSV);
	did(@forward, qw(-H ftp));
	for my $host ($client, $inside, $bed->{net}->firewall) {
		is(get($host, $_, 21, 10, "[$local]"), 'all', "$_, from $host->{name}") for qw(EPRT EPSV);
	}
	did(qw(portfw -f));
	forget();
	did(qw(portfw -f));
};

subtest 'TFTP' => sub {
	my $lacking = lacking('dnsmasq', !run('sh', '-c', 'command -v dnsmasq'));
	plan skip_all => $lacking if $lacking;
	serve($server, qw(dnsmasq -d -C /dev/null -p 0 --enable-tftp), "--tftp-root=$dir");
	ok(wait_for(10, sub { $server->must(qw(ss -Hlun)) =~ /:69 / }), 'a server');
	my $fetch = sub {
		unlink "$dir/got";
		$client->run('curl', '-s', '--max-time', $_[0], '-o', "$dir/got", 'tftp://198.51.100.1/file');
		return slurp("$dir/got") eq $content ? 'all' : 'not all';
	};
	did(qw(portfw -a -P udp -L 198.51.100.1 69 -R 10.0.0.2 69));
	nft('add rule ip guard forward ip saddr 10.0.0.2 counter drop');
	is($fetch->(3), 'not all', 'without a helper');
	did(qw(portfw -a -P udp -L 198.51.100.1 69 -R 10.0.0.2 69 -H tftp));
	forget();
	is($fetch->(15), 'all', 'with it');
	did(qw(portfw -f));
	like(must(qw(nft list table ip ipmasqadm)), qr/\A(?!.*ct helper)/s, 'no helper stays with the chains that a connection needs');
	forget();
	did(qw(portfw -f));
};

subtest 'what is in the kernel, and when' => sub {
	my @objects = sub { return (run(qw(nft list table ip ipmasqadm)))[1] =~ /^\tct helper (\S+)/mg };
	my $there = sub { return join ' ', sort $objects[0]->() };
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	is($there->(), '', 'no helper, no object');
	did(qw(portfw -a -P tcp -L 198.51.100.1 21 -R 10.0.0.2 21 -H ftp));
	did(qw(portfw -a -P tcp -L 198.51.100.1 2121 -R 10.0.0.2 2121 -H ftp));
	is($there->(), 'ftp', 'one for both');
	did(qw(portfw -d -P tcp -L 198.51.100.1 21));
	is($there->(), 'ftp', 'there as long as one needs it');
	did(qw(portfw -a -P tcp -L 198.51.100.1 2121 -H irc));
	is($there->(), 'irc', 'another helper');
	like(did(qw(portfw -l -n)), qr/^TCP  198\.51\.100\.1         10\.0\.0\.2                 2121     2121    10    10$/m, 'a listing keeps its columns');
	did(qw(portfw -d -P tcp -L 198.51.100.1 2121 -R 10.0.0.2 2121 -H irc));
	is($there->(), '', 'gone with the last');
	did('portfw', '-a', '-P', 'tcp,udp', qw(-L 198.51.100.1 5060 -R 10.0.0.2 5060 -H sip));
	did('portfw', '-a', '-P', 'tcp,udp', qw(-L 0.0.0.0 1719-1720 -R 10.0.0.2 1719-1720 -H h323));
	did(qw(portfw -a -P tcp -L 198.51.100.1 1723 -R 10.0.0.2 1723 -H pptp));
	is($there->(), 'h323-tcp h323-udp pptp sip-tcp sip-udp', 'all of them');
	my $saved = did('save');
	like($saved, qr/^ipmasqadm portfw -a -P udp -L 198\.51\.100\.1 5060 -R 10\.0\.0\.2 5060 -p 10 -H sip$/m, 'save');
	like($saved, qr/^ipmasqadm portfw -a -P tcp -L 0\.0\.0\.0 1719-1720 -R 10\.0\.0\.2 1719-1720 -p 10 -H h323$/m, '... a range');
	spew('saved', $saved);
	did(qw(portfw -f));
	is($there->(), '', 'flushed');
	did('restore', "$dir/saved");
	is(did('save'), $saved, 'restored');
	my $before = must(qw(nft -a list table ip ipmasqadm));
	did('restore', "$dir/saved");
	is(must(qw(nft -a list table ip ipmasqadm)), $before, 'the same file again changes nothing');
	my %helper = map { ("$_->{protocol} $_->{localport}" => $_->{helper}) } @{JSON::PP::decode_json(did(qw(portfw -l --json)))};
	is_deeply({%helper{'udp 5060', 'tcp 1720', 'tcp 80'}}, {'udp 5060' => 'sip', 'tcp 1720' => 'h323', 'tcp 80' => undef}, '--json');
	did(qw(portfw -q -P tcp -L 198.51.100.1 1723 -H pptp));
	did(qw(portfw -f));
};

subtest 'a helper stays, and prefs stay where it alone is given' => sub {
	did(qw(portfw -a -P tcp -L 198.51.100.1 21 -R 10.0.0.2 21 -p 3));
	did(qw(portfw -a -P tcp -L 198.51.100.1 21 -R 10.0.0.3 21 -p 4));
	did(qw(portfw -a -P tcp -L 198.51.100.1 21 -H ftp));
	is(did(qw(save)) =~ s/.*-[fF]\n//sr, join('', map { "ipmasqadm portfw -a -P tcp -L 198.51.100.1 21 -R 10.0.0.$_ 21 -p " . ($_ + 1) . " -H ftp\n" } 2, 3), 'given to a service');
	did(qw(portfw -d -P tcp -L 198.51.100.1 21 -R 10.0.0.3 21));
	did(qw(portfw -a -P tcp -L 198.51.100.1 21 -R 10.0.0.2 21 -p 5));
	like(did(qw(save)), qr/10\.0\.0\.2 21 -p 5 -H ftp$/m, 'and kept by a line without it');
	is(did(qw(portfw -a -v -P tcp -L 198.51.100.1 21 -R 10.0.0.2 21 -H ftp)), '', 'no hint with it');
	did(qw(portfw -d -P tcp -L 198.51.100.1 21));
	is(did(qw(portfw -a -v -P tcp -L 198.51.100.1 21 -R 10.0.0.2 21)), "if this is FTP, give -H ftp, too: else the data connections find no way\n", 'a hint without');
	unlike(did('save'), qr/-H/, 'a new service has none');
	did(qw(portfw -f));
};

subtest 'other hands' => sub {
	my @forward = qw(portfw -a -P tcp -L 198.51.100.1 21 -R 10.0.0.2 21 -H ftp);
	my $chain = 'tcp-198.51.100.1-21';
	did(@forward);
	my ($handle) = must(qw(nft -a list chain ip ipmasqadm), $chain) =~ /ct helper set "ftp" # handle (\d+)/;
	must(qw(nft delete rule ip ipmasqadm), $chain, 'handle', $handle);
	unlike(did('save'), qr/-H/, 'a helper that somebody has taken away');
	did(@forward);
	like(did('save'), qr/-H ftp$/m, 'given again');
	nft('add counter ip ipmasqadm mine');
	did(qw(portfw -f));
	is(must(qw(nft -s list table ip ipmasqadm)), "table ip ipmasqadm {\n\tcounter mine {\n\t}\n}\n", 'a counter of others stays, and no helper');
	nft('delete table ip ipmasqadm');
	did(@forward);
	nft('add chain ip ipmasqadm other; add rule ip ipmasqadm other ct helper set "ftp"');
	did(qw(portfw -f));
	like(must(qw(nft list table ip ipmasqadm)), qr/ct helper ftp \{.*chain other \{\n\t\tct helper set "ftp"/s, 'one that a rule of others names stays');
	nft('delete chain ip ipmasqadm other');
	did(qw(portfw -f));
	is((run(qw(nft list table ip ipmasqadm)))[0], 1, '... until it does not');
	for my $other ('"irc" protocol tcp', '"tftp" protocol udp') {
		nft("table ip ipmasqadm {\n\tct helper ftp {\n\t\ttype $other;\n\t}\n}\n");
		my $before = ruleset();
		refused("1 ipmasqadm: portfw: ct helper ftp of table ip ipmasqadm is another helper than ftp, and not ours: delete it, or rename it\n", @forward);
		refused("1 ipmasqadm: portfw: ct helper ftp of table ip ipmasqadm is another helper than ftp, and not ours: delete it, or rename it\n", @forward, '--dry-run');
		is(ruleset(), $before, 'and nothing has changed');
		my $ftp = "@forward";
		spew('lines', "mfw -A -m 1 -r 10.0.0.2\n# two forwards\nportfw -a -P tcp -L 198.51.100.1 22 -R 10.0.0.2 22\n$ftp -p 2\nportfw -a -P tcp -L 198.51.100.1 22 -R 10.0.0.3 22\n");
		refused("1 ipmasqadm: restore: $dir/lines:4: $ftp -p 2: ct helper ftp of table ip ipmasqadm is another helper than ftp, and not ours: delete it, or rename it\n", 'restore', "$dir/lines");
		is(ruleset(), $before, 'nor has a file, which names the line');
		nft('delete table ip ipmasqadm');
	}
};

subtest 'what is refused' => sub {
	my @forward = qw(portfw -a -L 198.51.100.1 21 -R 10.0.0.2 21);
	refused("2 ipmasqadm: portfw: helper \"fpt\": give one of ftp, tftp, irc, sip, pptp, h323\n", @forward, qw(-P tcp -H fpt));
	refused("2 ipmasqadm: portfw: helper ftp is for tcp; those for udp are tftp, sip, h323\n", @forward, qw(-P udp -H ftp));
	refused("2 ipmasqadm: portfw: helper tftp is for udp; those for tcp are ftp, irc, sip, pptp, h323\n", @forward, qw(-P tcp -H tftp));
	refused("2 ipmasqadm: portfw: helper ftp is for tcp; those for tcp,udp are sip, h323\n", @forward, '-P', 'tcp,udp', qw(-H ftp));
	refused("1 ipmasqadm: portfw: helper irc: the kernel has it for IPv4 alone\n", qw(portfw -a -P tcp -L 2001:db8::1 6667 -R fd00::2 6667 -H irc));
	spew('lines', "portfw -a -P tcp -L 198.51.100.1 6667 -R 10.0.0.2 6667 -H irc\nportfw -a -P tcp -L ::1:2 6667-6668 -R fd00::2 6667-6668 -H irc\n");
	refused("1 ipmasqadm: restore: $dir/lines:2: portfw -a -P tcp -L ::1:2 6667-6668 -R fd00::2 6667-6668 -H irc: helper irc: the kernel has it for IPv4 alone\n", 'restore', "$dir/lines");
	spew('lines', "portfw -a -P tcp -L 2001:db8::1 6667 -R fd00::2 6667 -H irc\nportfw -a -P tcp -L :: 6667 -R fd00::2 6667 -H irc -p 3\nportfw -a -P tcp -L :: 6667 -R fd00::2 6667 -H ftp\nportfw -a -P tcp -L 2001:db8::1 6667 -p 5\n");
	refused("1 ipmasqadm: restore: $dir/lines:1: portfw -a -P tcp -L 2001:db8::1 6667 -R fd00::2 6667 -H irc: helper irc: the kernel has it for IPv4 alone\n", 'restore', "$dir/lines");
	is((run(qw(nft list table ip ipmasqadm)))[0], 1, 'and nothing is there');
};

done_testing;
