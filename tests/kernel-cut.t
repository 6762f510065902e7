#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# --cut ends the running connections to a changed service whose target is no longer its own, at once and
# for both ends, and no others.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use File::Temp ();
use Net;
use Test::More;

my $net = Net->new(local => ['198.51.100.1', '198.51.100.2']);
my $client = $net->host('client', '203.0.113.5');
my $one = $net->host('one', '10.0.0.2')->listen(80, 81, 8080);
my $two = $net->host('two', '10.0.0.3')->listen(80, 81, 8080);
my $dir = File::Temp->newdir;
my ($preload) = map { s{tests/traffic$}{tests/ctask.so}r } $Net::traffic;
$preload = join ' ', grep { length } $ENV{PRELOAD} // '', $preload;
$client->ask('timeout', 500);

sub did {
	my ($status, $out, $err) = ipmasqadm(@_);
	is("$status$err", '0', "@_");
	return $out;
}
sub file { open my $f, '>', "$dir/file" or die $!; print $f map { "$_\n" } @_; close $f; return "$dir/file" }
sub ours { return (run(qw(nft list table ip ipmasqadm)))[0] ? 'gone' : 'there' }

# Opens connections ID => [PROTOCOL, ADDRESS, PORT], which the server of that name has to take.
sub opened {
	my ($server, %open) = @_;
	is($client->open($_, @{$open{$_}})->{name}, $server, "connection $_, @{$open{$_}}") for sort keys %open;
}
my %ended = map { $_ => 1 } qw(reset closed timeout refused);
sub end_is  { my ($id, $what) = @_; my $now = $client->say($id)->{name}; ok($ended{$now}, $what // "$id has ended") or diag($now) }
sub runs { my ($id, $server, $what) = @_; is($client->say($id)->{name}, $server, $what // "$id runs on") }
sub over {
	$client->close($_) for 1 .. 9;
	did(qw(portfw -f));
	run('nft', 'delete', 'table', 'ip', $_) for qw(other marks);
	forget();
	did(qw(portfw -f));
	is(ours(), 'gone', 'nothing is left');
}

for my $protocol (qw(tcp udp)) {
	my @forward = ('portfw', '-a', '-P', $protocol);
	my @delete = ('portfw', '-d', '-P', $protocol);

	subtest "$protocol, access is taken away" => sub {
		# what is like it: another port, another address, another target
		did(@forward, qw(-L 198.51.100.1 80 -R 10.0.0.2 80));
		did(@forward, qw(-L 198.51.100.1 81 -R 10.0.0.2 80));
		did(@forward, qw(-L 198.51.100.2 80 -R 10.0.0.2 80));
		nft("table ip other { chain c { type nat hook prerouting priority -100; $protocol dport 9 dnat to 10.0.0.2:80; }; }");
		opened('one', 1 => [$protocol, '198.51.100.1', 80], 2 => [$protocol, '198.51.100.1', 81],
			3 => [$protocol, '198.51.100.2', 80], 4 => [$protocol, '198.51.100.1', 9]);
		did(@delete, qw(-L 198.51.100.1 80 --cut));
		end_is(1);
		runs($_, 'one') for 2 .. 4;
		over();
	};

	subtest "$protocol, a delete without it, and one that comes later" => sub {
		did(@forward, qw(-L 198.51.100.1 80 -R 10.0.0.2 80));
		did(@forward, qw(-L 198.51.100.1 80 -R 10.0.0.3 80));
		opened('two', 1 => [$protocol, '198.51.100.1', 80]);
		did(@delete, qw(-L 198.51.100.1 80 -R 10.0.0.3 80));
		runs(1, 'two', 'without --cut it runs on');
		did(@forward, qw(-L 198.51.100.1 80 -R 10.0.0.2 80 -p 5));
		runs(1, 'two', 'and on');
		opened('one', 2 => [$protocol, '198.51.100.1', 80]);
		did(@forward, qw(-L 198.51.100.1 80 -R 10.0.0.2 80 --cut));
		if ($protocol eq 'udp') {
			runs(1, 'one', 'the next datagram goes to the target that is there');
		} else {
			end_is(1);
		}
		runs(2, 'one', 'one to its target runs on');
		over();
	};

	subtest "$protocol, a target that changes its port" => sub {
		did(@forward, qw(-L 198.51.100.1 80 -R 10.0.0.2 80));
		opened('one', 1 => [$protocol, '198.51.100.1', 80]);
		my $f = file("portfw -f", "@forward -L 198.51.100.1 80 -R 10.0.0.2 81");
		did('restore', '--cut', $f);
		if ($protocol eq 'udp') {
			like($client->say(1)->{at}, qr/:81$/, 'its next datagram goes to the new one');
		} else {
			end_is(1);
		}
		opened('one', 2 => [$protocol, '198.51.100.1', 80]);
		did('restore', '--cut', $f);
		runs(2, 'one', 'the same once more ends nothing');
		over();
	};

	subtest "$protocol, any address" => sub {
		did(@forward, qw(-L 0.0.0.0 80 -R 10.0.0.2 80));
		did(@forward, qw(-L 198.51.100.2 80 -R 10.0.0.2 80));
		# routed by others' rules, and not addressed to this machine
		nft("table ip other { chain c { type nat hook prerouting priority -100; ip daddr 192.0.2.9 dnat to 10.0.0.2; }; }");
		opened('one', 1 => [$protocol, '198.51.100.1', 80], 2 => [$protocol, '198.51.100.2', 80],
			3 => [$protocol, '192.0.2.9', 80]);
		did(@delete, qw(-L 198.51.100.2 80 --cut));
		runs(2, 'one', 'what any address would serve alike runs on');
		did(@forward, qw(-L 198.51.100.2 80 -R 10.0.0.2 80));
		did('restore', '--cut', file("@delete -L 0.0.0.0 80", "@forward -L 198.51.100.2 80 -R 10.0.0.2 80"));
		end_is(1);
		runs(2, 'one', 'a service of its own keeps its connections');
		runs(3, 'one', 'transit runs on');
		did(@forward, qw(-L 0.0.0.0 80 -R 10.0.0.3 80));
		did('restore', '--cut', file("portfw -d -P $protocol -L 198.51.100.2 80"));
		$protocol eq 'udp' ? runs(2, 'two', 'any address serves, elsewhere') : end_is(2);
		over();
	};

	subtest "$protocol, an exact address that was not touched" => sub {
		did(@forward, qw(-L 198.51.100.2 80 -R 10.0.0.3 80));
		opened('two', 1 => [$protocol, '198.51.100.2', 80]);
		did(@forward, qw(-L 198.51.100.2 80 -R 10.0.0.2 80));
		did(@delete, qw(-L 198.51.100.2 80 -R 10.0.0.3 80));
		did(@forward, qw(-L 0.0.0.0 80 -R 10.0.0.2 80 --cut));
		runs(1, 'two');
		over();
	};

	subtest "$protocol, the same port by others' rules" => sub {
		for my $priority (-120, -100) {
			nft("table ip other { chain c { type nat hook prerouting priority $priority; $protocol dport 80 dnat to 10.0.0.3; }; }");
			did(@forward, qw(-L 198.51.100.1 81 -R 10.0.0.2 80)); # we look before them, or behind
			opened('two', 1 => [$protocol, '198.51.100.1', 80]);
			did(@forward, qw(-L 198.51.100.1 80 -R 10.0.0.2 80 --cut));
			did(@delete, qw(-L 198.51.100.1 80 --cut));
			runs(1, 'two', "at priority $priority");
			over();
		}
	};

	subtest "$protocol, an interface" => sub {
		# the firewall's own address on the client's link
		my @there = ($protocol, '203.0.113.254', 80);
		did(@forward, qw(-L @client 80 -R 10.0.0.3 80));
		opened('two', 1 => \@there);
		did(@forward, qw(-L @client 80 -R 10.0.0.2 80));
		did(@delete, qw(-L @client 80 -R 10.0.0.3 80));
		did(@forward, qw(-L 0.0.0.0 80 -R 10.0.0.2 80 --cut));
		runs(1, 'two', 'what was not touched runs on');
		opened('one', 2 => \@there);
		did(@delete, qw(-L @client 80 --cut));
		$protocol eq 'udp' ? runs(1, 'one', 'any address serves, elsewhere') : end_is(1);
		runs(2, 'one', 'what any address would serve alike runs on');
		did('restore', '--cut', file("@delete -L 0.0.0.0 80", "@forward -L \@client 80 -R 10.0.0.2 80"));
		runs(2, 'one', 'and what the interface serves');
		did(@delete, qw(-L @client 80 --cut));
		end_is(2);
		over();
	};

	subtest "$protocol, marks and ranges of autofw" => sub {
		nft("table ip marks { chain c { type filter hook prerouting priority mangle; $protocol dport 80 meta mark set 7; }; }");
		did(qw(mfw -A -m 7 -r 10.0.0.2 8080));
		did('autofw', '-A', '-r', $protocol, qw(81 99 -h 10.0.0.2));
		opened('one', 1 => [$protocol, '198.51.100.1', 80], 2 => [$protocol, '198.51.100.1', 81]);
		did(@forward, qw(-L 198.51.100.1 80-81 -R 10.0.0.3 80-81));
		opened('two', 3 => [$protocol, '198.51.100.1', 81]);
		did(@delete, qw(-L 198.51.100.1 80-81 --cut));
		runs(1, 'one', 'one of a mark runs on');
		runs(2, 'one', 'one of a range runs on');
		$protocol eq 'udp' ? runs(3, 'one', 'the range serves') : end_is(3);
		did(qw(mfw -F));
		did(qw(autofw -F));
		over();
	};

	subtest "$protocol, all" => sub {
		did(@forward, qw(-L 198.51.100.1 80-81 -R 10.0.0.2 80-81));
		did(@forward, qw(-L 0.0.0.0 8080 -R 10.0.0.3 8080));
		opened('one', 1 => [$protocol, '198.51.100.1', 80], 2 => [$protocol, '198.51.100.1', 81]);
		opened('two', 3 => [$protocol, '198.51.100.2', 8080]);
		like(did(qw(portfw -f --cut --dry-run)), qr/\n# and end the running connections to these forwards whose target is no longer theirs\n\z/, '--dry-run says so');
		runs(1, 'one', '... and ends none');
		did(qw(portfw -f --cut));
		is(ours(), 'gone', 'the table goes with them');
		end_is($_) for 1 .. 3;
		over();
	};
}

subtest 'both protocols and a range' => sub {
	did(qw(portfw -a -P), 'tcp,udp', qw(-L 198.51.100.1 80-81 -R 10.0.0.2 80-81));
	opened('one', 1 => ['tcp', '198.51.100.1', 80], 2 => ['udp', '198.51.100.1', 81], 3 => ['tcp', '198.51.100.1', 81]);
	did(qw(portfw -d -P), 'tcp,udp', qw(-L 198.51.100.1 80-81 --cut));
	end_is($_) for 1 .. 3;
	over();
};

subtest 'many' => sub {
	my @ports = (1000 .. 1199);
	$one->listen(@ports);
	did('portfw', '-a', '-P', 'tcp', '-L', '198.51.100.1', '1000-1199', '-R', '10.0.0.2', '1000-1199');
	is((grep { $client->open($_ - 990, 'tcp', '198.51.100.1', $_)->{name} eq 'one' } @ports), 200, '200 connections');
	did(qw(portfw -f --cut));
	is((grep { $client->say($_ - 990)->{name} eq 'one' } @ports), 0, 'all have ended');
	$client->close($_ - 990) for @ports;
	over();
};

subtest 'a conntrack zone' => sub {
	nft('table ip other { chain c { type filter hook prerouting priority -300; iifname client ct zone set 5; iifname one ct zone set 5; }; }');
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	opened('one', 1 => ['tcp', '198.51.100.1', 80]);
	did(qw(portfw -d -P tcp -L 198.51.100.1 80 --cut));
	end_is(1);
	over();
};

# A download: the server's packets come first, and what is masqueraded to the same address and port would
# be the old connection to the client (the kernel picks connections up in the middle).
subtest 'a server that goes on sending, behind masquerading' => sub {
	nft('table ip other { chain c { type nat hook postrouting priority srcnat; oifname client snat to 198.51.100.1; }; }');
	my $program = sub {
		my ($host, $out, $perl) = @_;
		unlink "$dir/$out";
		my $pid = fork // die;
		if (!$pid) {
			open STDOUT, '>', "$dir/$out";
			exec qw(nsenter --net -t), $host->{pid}, qw(-- timeout 30), $^X, '-MIO::Socket::IP', '-we', "alarm 30; \$| = 1; \$SIG{PIPE} = 'IGNORE'; $perl";
		}
		return $pid;
	};
	my $size = sub { (-s "$dir/$_[0]") // 0 };
	my ($any, $address) = map { Net::to_six($_) } '0.0.0.0', '198.51.100.1';
	for my $ports ([82, 82], [83, 84]) {
		my ($local, $port) = @$ports;
		did(qw(portfw -a -P tcp -L 198.51.100.1), $local, qw(-R 10.0.0.2), $port);
		my $server = $program->($one, 'sent', "my \$l = IO::Socket::IP->new(LocalHost => '$any', LocalPort => $port, Listen => 9, ReuseAddr => 1) or die;
			print 'ready'; accept(my \$c, \$l); while (syswrite(\$c, 'x' x 100)) { select undef, undef, undef, 0.01 } print ' its end'; sleep 30");
		ok(wait_for(10, sub { $size->('sent') }), 'a server');
		my $reader = $program->($client, 'got', "my \$s = IO::Socket::IP->new(PeerHost => '$address', PeerPort => $local) or die; while (sysread(\$s, my \$b, 999)) { print \$b } sleep 30");
		ok(wait_for(10, sub { $size->('got') > 1000 }), "a download, $local to $port");
		did(qw(portfw -d -P tcp -L 198.51.100.1), $local, '--cut');
		my $then = $size->('got');
		ok(wait_for(10, sub { $size->('sent') > 5 }), 'the server sees its end');
		cmp_ok($size->('got') - $then, '<', 500, 'and the client gets nothing more');
		kill 'TERM', $server, $reader;
		waitpid $_, 0 for $server, $reader;
	}
	over();
};

subtest 'a kernel without labels' => sub {
	plan skip_all => 'nothing can be preloaded into a static program' if ($ENV{STATIC} // '') eq 'yes';
	my $without = $Net::traffic =~ s{traffic$}{no-labels.so}r;
	my $program = sub { my ($status, $out, $err) = run('env', 'LD_PRELOAD=' . join(' ', grep { length } $ENV{PRELOAD} // '', $without), $Net::program, @_); is("$status$err", '0', "@_") };
	$program->(qw(portfw -a -P tcp -L 198.51.100.1 80-81 -R 10.0.0.2 80-81));
	opened('one', 1 => ['tcp', '198.51.100.1', 80], 2 => ['tcp', '198.51.100.1', 81]);
	$program->(qw(portfw -d -P tcp -L 198.51.100.1 80 --cut));
	end_is(1);
	runs(2, 'one');
	over();
};

subtest 'a kernel that does not tell of connections' => sub {
	plan skip_all => 'nothing can be preloaded into a static program' if ($ENV{STATIC} // '') eq 'yes';
	did(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
	my ($status, $out, $err) = run('env', "LD_PRELOAD=$preload", 'CTASK_FAIL=yes', $Net::program, qw(portfw -d -P tcp -L 198.51.100.1 80 --cut));
	is("$status $err", "1 ipmasqadm: portfw: running connections cannot be ended, this kernel does not tell of them (CONFIG_NF_CT_NETLINK): Invalid argument; leave --cut out\n", 'it says so');
	like(did(qw(portfw -l -n)), qr/10\.0\.0\.2/, 'and nothing has changed');
	over();
};

done_testing;
