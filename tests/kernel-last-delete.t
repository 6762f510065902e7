#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The last forward goes while connections run: the chains stay where the kernel would cut them, and
# where that cannot be found out; and they go when nothing needs them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use File::Temp ();
use IO::Handle;
use IO::Select;
use Net;
use Test::More;

my $net = Net->new(local => ['198.51.100.1']);
my $client = $net->host('client', '203.0.113.5');
my $server = $net->host('server', '10.0.0.2')->listen(8080);
my $dir = File::Temp->newdir;
my ($preload) = map { s{tests/traffic$}{tests/ctask.so}r } $Net::traffic;
$preload = join ' ', grep { length } $ENV{PRELOAD} // '', $preload;

sub did {
	my ($status, $out, $err) = ipmasqadm(@_);
	is("$status$err", '0', "@_");
	return $out;
}
sub ours { return (run(qw(nft list table ip ipmasqadm)))[0] ? 'gone' : 'there' }
sub forward { my ($protocol) = @_; did('portfw', '-a', '-P', $protocol, qw(-L 198.51.100.1 80 -R 10.0.0.2 8080)) }
sub slurp { my ($path) = @_; open my $f, '<', $path or return ''; local $/; return <$f> // '' }

# Nothing of a case is left for the next one.
sub end {
	run('nft', 'delete', 'table', @$_) for [qw(ip other)], [qw(inet other)], [qw(ip6 other)];
	forget();
	did(qw(portfw -f));
	is(ours(), 'gone', 'over: a flush takes the chains away');
}

# A program in a host's namespace that tells in lines and is told by a line.
sub program {
	my ($host, $perl, @args) = @_;
	pipe my $in, my $tell or die "pipe: $!\n";
	pipe my $hear, my $out or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open STDIN, '<&', $in;
		open STDOUT, '>&', $out;
		close $_ for $tell, $hear;
		exec qw(nsenter --net -t), $host->{pid}, '--', 'timeout', 60, $^X, '-MSocket', '-MIO::Handle', '-we', "STDOUT->autoflush(1); alarm 60; $perl", @args
			or POSIX::_exit(127);
	}
	$tell->autoflush(1);
	return {pid => $pid, tell => $tell, hear => $hear};
}
sub hears {
	my ($p, $seconds) = @_;
	return 'nothing' unless IO::Select->new($p->{hear})->can_read($seconds // 20);
	my $line = readline $p->{hear};
	return 'its end' unless defined $line;
	chomp $line;
	return $line;
}
sub go_on { my ($p) = @_; print {$p->{tell}} "go\n" }
sub over { my ($p) = @_; close $p->{tell}; kill 'TERM', $p->{pid}; waitpid $p->{pid}, 0 }

# What others have, and whether the kernel would cut our connections without our chains.
my @beside = (
	['nothing', '', 'there'],
	['a nat chain that only counts', 'table ip other { chain c { type nat hook postrouting priority 100; counter; }; }', 'there'],
	['masquerade in ip6 only', 'table ip6 other { chain c { type nat hook postrouting priority 100; masquerade; }; }', 'there'],
	['masquerade in a dormant table', 'table ip other { flags dormant; chain c { type nat hook postrouting priority 100; masquerade; }; }', 'there'],
	['a nat chain, and a rule that nothing leads to in ip6',
		'table ip other { chain c { type nat hook postrouting priority 100; accept; }; }
table ip6 other { chain c { type nat hook prerouting priority -100; redirect; }; }', 'there'],
	['conntrack, without nat', 'table ip other { chain c { type filter hook forward priority 0; ct state established counter; }; }', 'there'],
	['masquerade in ip', 'table ip other { chain c { type nat hook postrouting priority 100; ip saddr 192.0.2.1 masquerade; }; }', 'gone'],
	['masquerade in inet', 'table inet other { chain c { type nat hook postrouting priority 100; ip saddr 192.0.2.1 masquerade; }; }', 'gone'],
);
for (@beside) {
	my ($what, $rules, $then) = @$_;
	subtest "beside $what" => sub {
		nft($rules) if $rules;
		forward('tcp');
		forward('udp');
		is($client->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'server', 'a connection');
		is($client->open(2, 'udp', '198.51.100.1', 80)->{name}, 'server', 'datagrams');
		did(qw(portfw -f));
		is(ours(), $then, "deleted: the chains are $then");
		is($client->say(1)->{name}, 'server', 'the connection runs on');
		is($client->say(2)->{name}, 'server', '... and the datagrams');
		$client->close($_) for 1, 2;
		end();
	};
}

SKIP: {
	my $lacking = lacking('iptables-nft', !run(qw(iptables-nft -t nat -L -n)));
	skip $lacking, 1 if $lacking;
	subtest 'beside an xt target that only logs' => sub {
		must(qw(iptables-nft -t nat -A POSTROUTING -s 192.0.2.1 -j LOG));
		forward('tcp');
		is($client->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'server', 'a connection');
		did(qw(portfw -d -P tcp -L 198.51.100.1 80));
		is(ours(), 'there', 'the chains stay');
		is($client->say(1)->{name}, 'server', 'it runs on');
		must(qw(iptables-nft -t nat -A POSTROUTING -s 192.0.2.1 -j MASQUERADE));
		did(qw(portfw -f));
		is(ours(), 'gone', 'beside MASQUERADE they go');
		is($client->say(1)->{name}, 'server', 'it runs on');
		$client->close(1);
		must(qw(nft flush ruleset));
		end();
	};
}

subtest 'conntrack that cannot be read, and what is asked of it' => sub {
	plan skip_all => 'nothing can be preloaded into a static program' if ($ENV{STATIC} // '') eq 'yes';
	my $log = "$dir/log";
	my $flush = sub {
		unlink $log;
		my ($status, undef, $err) = run('env', "LD_PRELOAD=$preload", "CTASK_LOG=$log", @_, $Net::program, qw(portfw -f));
		is("$status$err", '0', "@_ portfw -f");
		return slurp($log);
	};
	forward('tcp');
	is($client->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'server', 'a connection');
	is($flush->('CTASK_FAIL=yes'), "dump status\n", 'one dump, of those that were translated');
	is(ours(), 'there', 'unknown: the chains stay');
	is($client->say(1)->{name}, 'server', 'and the connection runs on');
	$client->close(1);
	forget();
	$flush->('CTASK_FAIL=yes');
	is(ours(), 'there', 'still unknown, although it is over');
	is($flush->(), "dump status\n", 'where it can be read');
	is(ours(), 'gone', '... they go');
	forward('tcp');
	nft('table ip other { chain c { type nat hook postrouting priority 100; ip saddr 192.0.2.1 masquerade; }; }');
	is($flush->(), '', 'beside a masquerade nothing is asked');
	end();
};

my $ask = Net::endpoint('SOCK_DGRAM', '198.51.100.1', 80) . 'connect($s, $at) or die;';
my $serve = Net::endpoint('SOCK_DGRAM', '0.0.0.0', 9000) . 'bind($s, $at) or die; print "ready\n";';

subtest 'datagrams that nobody answers' => sub {
	my $sink = program($server, "$serve while (recv(\$s, my \$m, 99, 0)) { print \"\$m\\n\" }; print \"\$!\\n\"");
	is(hears($sink), 'ready', 'a server that says nothing');
	did(qw(portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.2 9000));
	my $source = program($client, "$ask send(\$s, 'one', 0); <STDIN>; send(\$s, 'two', 0); print \"sent\\n\"; <STDIN>");
	is(hears($sink), 'one', 'the first one');
	did(qw(portfw -d -P udp -L 198.51.100.1 80));
	is(ours(), 'there', 'the chains stay');
	go_on($source);
	is(hears($source), 'sent', 'another one');
	is(hears($sink), 'two', '... gets there');
	over($_) for $source, $sink;
	end();
};

subtest 'an answer that comes a second later' => sub {
	my $late = program($server, "$serve my \$from = recv(\$s, my \$m, 99, 0); print \"\$m\\n\"; select undef, undef, undef, 1; send(\$s, 'late', 0, \$from); <STDIN>");
	is(hears($late), 'ready', 'a slow server');
	did(qw(portfw -a -P udp -L 198.51.100.1 80 -R 10.0.0.2 9000));
	my $source = program($client, "$ask send(\$s, 'one', 0); recv(\$s, my \$m, 99, 0); print \"\$m\\n\"; <STDIN>");
	is(hears($late), 'one', 'a question');
	did(qw(portfw -f));
	is(ours(), 'there', 'the chains stay');
	is(hears($source), 'late', 'the answer comes');
	over($_) for $source, $late;
	end();
};

my $connect = Net::endpoint('SOCK_STREAM', '198.51.100.1', 80) . 'print "begins\n"; connect($s, $at) or die;' .
	' print +(split / /, readline $s)[0], "\n"; <STDIN>';
for (['SYN_SENT', $server, 'input', 'tcp dport 8080 tcp flags & (syn | ack) == syn drop'],
     ['SYN_RECV', $client, 'input', 'tcp flags & (syn | ack) == syn | ack drop'])
{
	my ($state, $host, $hook, $rule) = @$_;
	subtest "a handshake in retransmission, $state" => sub {
		nft("table ip loss { chain c { type filter hook $hook priority 0; counter; $rule; }; }", $host);
		forward('tcp');
		my $peer = program($client, $connect);
		is(hears($peer), 'begins', 'a connection begins');
		ok(wait_for(5, sub { slurp('/proc/net/nf_conntrack') =~ /\b$state\b/ || $host->must(qw(nft list table ip loss)) =~ /packets [1-9]/ }), 'and gets no further');
		did(qw(portfw -d -P tcp -L 198.51.100.1 80));
		is(ours(), 'there', 'the chains stay');
		nft('delete table ip loss', $host);
		is(hears($peer), 'server', 'then it gets there');
		over($peer);
		end();
	};
}

# TIME_WAIT and CLOSE are over: nothing is lost with the chains.
subtest 'what is over' => sub {
	for (['TIME_WAIT', sub { $client->close(1) }],
	     ['CLOSE', sub { $client->run($^X, '-MSocket', '-we', Net::endpoint('SOCK_STREAM', '198.51.100.1', 80) . 'connect($s, $at) or die;
			readline $s; setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close $s'); $client->close(1) }])
	{
		my ($state, $over) = @$_;
		forward('tcp');
		is($client->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'server', $state);
		did(qw(portfw -d -P tcp -L 198.51.100.1 80));
		is(ours(), 'there', 'the chains stay while it runs');
		$over->();
		ok(wait_for(10, sub { ipmasqadm(qw(portfw -f)); ours() eq 'gone' }), 'over: a flush takes them away');
		forget();
	}
};

done_testing;
