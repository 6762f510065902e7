#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# autofw on nf_tables, with real packets: inside hosts behind a masquerading firewall contact outside
# hosts, which then connect back.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

# The firewall: 203.0.113.254 and 192.0.2.254 are what others see of it when it masquerades.
my $us = '203.0.113.254';
my $net = Net->new(local => ['198.51.100.1']);
my @ports = (22, 80, 5999, 6000, 6969, 6970, 7170, 7171, 8080, 59999, 60000, 65535);
my @inside = map { $net->host("inside$_", "10.0.0.$_")->listen(@ports) } 1 .. 10;
my @servers = map { "203.0.113.$_" } 1 .. 10;
my $stranger = '203.0.113.66';
my $outside = $net->host('outside', @servers, $stranger)->listen(7070, 7071, 8000);
$net->firewall->listen(@ports, 20000, 20200);

my %secure = (udp => [qw(-r udp 6970 7170 -c tcp 7070)], tcp => [qw(-r tcp 6970 7170 -c tcp 7070)]);

# The ruleset without receivers, which come and go.
sub rules { return ruleset() =~ s/\n\t\telements = \{[^}]*\}//gr }

sub masquerade {
	nft("table ip admin {\nchain post {\ntype nat hook postrouting priority srcnat\n"
		. "ip saddr 10.0.0.0/8 ip daddr != 10.0.0.0/8 masquerade\n}\n}");
}

sub autofw {
	my ($status, $out, $err) = ipmasqadm('autofw', @_);
	is("$status$err", '0', "autofw @_");
	return $out;
}

# Rows of the listing, without its title: [kind, protocol, ports, rediraddr, rport, control, flags, outside, seconds]
sub rows {
	my ($status, $out, $err) = ipmasqadm(qw(autofw -L -n));
	die "autofw -L: exit $status: $err" if $status || $err;
	my (undef, @rows) = map { [split] } split /\n/, $out;
	return @rows;
}

# An inside host opens a connection to the control port of an outside one.
sub contact {
	my ($host, $server, $port, $protocol) = @_;
	$protocol //= 'tcp';
	my $got = $host->$protocol($server, $port // 7070);
	return $got->{name} eq 'outside' ? $got->{peer_host} : "nowhere: $got->{name}";
}

# Where an outside host gets when it connects back.
sub back {
	my ($from, $port, $protocol, $to) = @_;
	$protocol //= 'udp';
	my $got = $outside->$protocol($to // $us, $port, from => $from);
	return $got->{name} eq 'firewall' ? 'firewall' : $got->{at} // $got->{name};
}

# Runs perl code in a host's namespace, bounded in time.
my $bound = $slow ? 300 : 60;
sub perl {
	my ($host, $code, @args) = @_;
	return (qw(nsenter --net -t), $host->{pid}, '--', $^X, '-MIO::Socket::INET', '-MTime::HiRes=time,sleep',
		'-e', "use strict; use warnings; alarm $bound; $code", @args);
}

sub background {
	my @command = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
	open STDOUT, '>', '/dev/null';
	exec { $command[0] } @command or POSIX::_exit(127);
}

# Nothing of a subtest is left for the next. What the slow ones use (ports 20000 to 20999) stays, and so
# do connections, of which theirs are some.
sub clear {
	my $status = 0;
	for my $row (grep { $_->[0] ne 'receiver' && $_->[2] !~ /^20[0-9]{3}-/ } rows()) {
		my ($kind, $protocol, $ports, $raddr, $rport, $control) = @$row;
		my ($low, $high) = split /-/, $ports;
		my @entry = $kind eq 'port' ? ('-p', $protocol, $low, "$raddr:$rport")
			: ($kind eq 'range' ? '-r' : '-d', $protocol, $low, $high);
		push @entry, '-h', $raddr if $kind eq 'range' && $raddr ne '-';
		push @entry, '-c', split m{/}, $control if $control ne '-';
		$status ||= ipmasqadm(qw(autofw -n -D), @entry);
	}
	die "autofw -D: exit $status\n" if $status;
}

# First, as iptables-legacy would keep conntrack going from its first command on.
subtest 'a running connection survives, also where nobody else looks at connections' => sub {
	for my $way (['-D', qw(-r tcp 6000 7000 -h 10.0.0.1)], ['-F']) {
		autofw(qw(-A -r tcp 6000 7000 -h 10.0.0.1));
		is($outside->open(1, 'tcp', $us, 6970, from => $stranger)->{name}, 'inside1', 'it runs');
		autofw(@$way);
		is_deeply([rows()], [], 'nothing is listed');
		is($outside->say(1)->{name}, 'inside1', 'it runs on') for 1, 2;
		is(back($stranger, 6970, 'tcp'), 'firewall', 'a new one stays here');
		autofw('-A', @{$secure{udp}});
		is($outside->say(1)->{name}, 'inside1', 'and on, beside another entry');
		autofw('-D', @{$secure{udp}});
		is($outside->say(1)->{name}, 'inside1', 'and without it');
		$outside->close(1);
		# the last packets of a close have to get there
		ok(wait_for(5, sub { !ipmasqadm(qw(autofw -F)) && ruleset() !~ /ipmasqadm/ }),
			'when it is over, a flush takes the rest') or diag(ruleset());
	}
};

masquerade();

# ---- what takes its time, beside everything else ----

# Receivers of the entries on ports 20000 to 20299, which nobody else uses: one whose connection falls
# silent at once, one whose connection speaks for some seconds, one whose outside host alone speaks.
my $far = $net->host('far', '192.0.2.1', '192.0.2.2', '192.0.2.3')->listen(2000);
my ($silent, $talker, $quiet) = map { $net->host("sleeper$_", "10.0.1.$_")->listen(20000, 20200) } 1 .. 3;
autofw(qw(-A -r udp 20000 20100 -c tcp 2000));
autofw(qw(-A -r udp 20200 20299 -c udp 2001));

sub watch_receivers {
	my %seen;
	my $last = sub { $seen{$_[0]}{silent} = [@_[1, 2]] };
	my $spoken = sub {
		my ($name, $what) = @_;
		my $begin = time;
		my $got = $what->();
		$last->($name, $begin, time);
		return $got;
	};
	$spoken->(silent => sub { $silent->open(1, 'tcp', '192.0.2.1', 2000) });
	$spoken->(talker => sub { $talker->open(1, 'tcp', '192.0.2.2', 2000) });

	# one question, and answers for some seconds; when the last one was sent
	open my $answers, '-|', perl($far, <<'	END') or die "perl: $!\n";
		my $s = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '192.0.2.3', LocalPort => 2001) or die $!;
		my $peer = recv $s, my $hello, 100, 0;
		my $begin;
		for (0 .. 10) {
			sleep 0.5 if $_;
			$begin = time;
			send $s, 'data', 0, $peer;
		}
		print $begin, ' ', time, "\n";
	END
	my $asker = background(perl($quiet, <<'	END'));
		my $s = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '192.0.2.3', PeerPort => 2001) or die $!;
		my $answer = '';
		until (length $answer) {	# the other side may not be up yet
			send $s, 'hello', 0;
			vec(my $ready = '', fileno $s, 1) = 1;
			recv $s, $answer, 100, 0 if select $ready, undef, undef, 0.2;
			sleep 0.1;
		}
		sleep 40;
	END
	wait_for(10, sub { ($far->udp('192.0.2.254', 20200, from => '192.0.2.3')->{at} // '') eq '10.0.1.3:20200' });

	my %way = (
		silent => ['192.0.2.1', 20000, '10.0.1.1:20000'],
		talker => ['192.0.2.2', 20000, '10.0.1.2:20000'],
		quiet  => ['192.0.2.3', 20200, '10.0.1.3:20200'],
	);
	my $running = $far->open(9, 'udp', '192.0.2.254', 20000, from => '192.0.2.1');
	$seen{running}{before} = $running->{at};
	my @words = map { time + $_ } 3, 7;
	my $end = time + 40;
	while (%way && time < $end) {
		if (@words && time > $words[0]) {
			shift @words;
			my $said = $spoken->(talker => sub { $talker->say(1) });
			push @{$seen{talker}{said}}, $said->{name};
		}
		for my $name (sort keys %way) {
			my ($from, $port, $to) = @{$way{$name}};
			my $begin = time;
			my $got = $far->udp('192.0.2.254', $port, from => $from);
			my $reached = $got->{at} // $got->{name};
			if ($reached eq $to) {
				$seen{$name}{in} = $begin;
				next;
			}
			$seen{$name}{out} = [$begin, time, $got->{name}];
			delete $way{$name};
		}
		sleep 0.1;
	}
	$seen{running}{after} = $far->say(9)->{at};
	$seen{running}{silent} = $silent->say(1)->{name};
	$last->(quiet => split ' ', <$answers> // '0 0');
	kill 'TERM', $asker;
	waitpid $asker, 0;
	return \%seen;
}

# It has hosts of its own, so it can run in a process of its own.
pipe my $from_watcher, my $to_test or die "pipe: $!\n";
my $watcher = fork // die "fork: $!\n";
if (!$watcher) {
	alarm 100;
	my $seen = eval { watch_receivers() } // {error => $@};
	print $to_test JSON::PP->new->encode($seen);
	close $to_test;
	POSIX::_exit(0);
}
close $to_test;

# ---- triggered ranges ----

# everything that a triggered entry promises, whoever set up masquerading
sub triggered {
	for my $protocol (qw(udp tcp)) {
		autofw('-A', @{$secure{$protocol}});
		is(back($servers[0], 6970, $protocol), 'firewall', "$protocol: nobody has asked for it");
		is(contact($inside[0], $servers[0]), $us, 'an inside host contacts a server, masqueraded');
		for my $port (6970, 7170) {
			my $got = $outside->$protocol($us, $port, from => $servers[0]);
			is($got->{at}, "10.0.0.1:$port", "the server gets through to it at $port");
			is($got->{peer_host}, $servers[0], 'and is seen as itself');
		}
		is(back($servers[0], 6970, $protocol, '198.51.100.1'), '10.0.0.1:6970', 'at any address of ours');
		is(back($servers[0], $_, $protocol), 'firewall', "not at $_, beside the range") for 6969, 7171;
		is(back($servers[0], 6970, $protocol eq 'tcp' ? 'udp' : 'tcp'), 'firewall', 'nor with the other protocol');
		is(back($stranger, 6970, $protocol), 'firewall', 'a stranger does not');
		is(back($servers[1], 6970, $protocol), 'firewall', 'nor does another server');
		is(contact($inside[1], $servers[1]), $us, 'until it is contacted');
		is(back($servers[1], 6970, $protocol), '10.0.0.2:6970', 'by another inside host, which it reaches');
		is(back($servers[0], 6970, $protocol), '10.0.0.1:6970', 'while the first one still reaches the first');
		clear();
	}
}

# Linux 6.1 takes no look-up in a map that leaves what it finds there, 6.18 does.
subtest 'each look-up in a map of receivers takes the receiver; a count is of those who have one' => sub {
	autofw('-A', @{$secure{udp}});
	autofw(qw(-A -r tcp 6970 7170 -c tcp 7071 -i));
	my @seen = must(qw(nft --debug=netlink list chain ip ipmasqadm autofw_range)) =~ /^ *(\[ (?:lookup|counter|nat) .*)$/mg;
	s/pkts \d+ bytes \d+|addr_min.*/.../ for @seen;
	my @one = map { ("[ lookup reg 1 set $_ dreg 1 0x0 ]", '[ counter ... ]', '[ nat dnat ip ...') }
		'tcp-6970-7170-by-tcp-7071', 'udp-6970-7170-by-tcp-7070';
	is_deeply([@seen[0 .. 5]], \@one, 'as the kernel has it');
	is(back($stranger, 6970), 'firewall', 'a stranger stays outside');
	is(contact($inside[0], $servers[0]), $us, 'contact');
	is(back($servers[0], 6970), '10.0.0.1:6970', 'the server gets through');
	like(must(qw(nft list chain ip ipmasqadm autofw_range)),
		qr/^\t\tudp dport 6970-7170 counter packets 1 bytes \d+ dnat to ip saddr map/m, 'which counts, and the stranger not');
	clear();
};

subtest 'triggered, masqueraded by nft' => \&triggered;

for my $iptables (qw(iptables-nft iptables-legacy)) {
	subtest "triggered, masqueraded by $iptables" => sub {
		my $lacking = lacking($iptables, !run($iptables, qw(-t nat -L -n)));
		plan skip_all => $lacking if $lacking;
		must($iptables, qw(-t nat -A POSTROUTING -s 10.0.0.0/8 -o outside -j MASQUERADE));
		must(qw(nft delete chain ip admin post));
		triggered();
		masquerade();
		must($iptables, qw(-t nat -F POSTROUTING));
	};
}

subtest 'what is not masqueraded triggers nothing' => sub {
	autofw('-A', @{$secure{udp}});
	nft("flush chain ip admin post");
	is(contact($inside[0], $servers[0]), '10.0.0.1', 'a contact with its own address');
	is(back($servers[0], 6970), 'firewall', 'opens nothing');
	masquerade();
	is(contact($inside[0], $servers[0], 7071), $us, 'a masqueraded one of another port');
	is(back($servers[0], 6970), 'firewall', 'nor does that');
	is(contact($inside[0], $servers[0], 7070, 'udp'), $us, 'one of another protocol');
	is(back($servers[0], 6970), 'firewall', 'nor that');
	$net->firewall->tcp($servers[0], 7070);
	is(back($servers[0], 6970), 'firewall', "nor the firewall's own");
	is_deeply([grep { $_->[0] eq 'receiver' && $_->[2] eq '6970-7170' } rows()], [], 'none is listed');
	is(contact($inside[0], $servers[0]), $us, 'the right one');
	is(back($servers[0], 6970), '10.0.0.1:6970', 'does');
	clear();
};

subtest 'ten inside hosts with ten servers at once' => sub {
	autofw('-A', @{$secure{udp}});
	for my $i (0 .. 9) {
		is($inside[$i]->open(1, 'tcp', $servers[$i], 7070)->{peer_host}, $us, "$inside[$i]{name} contacts $servers[$i]");
	}
	is(back($servers[$_], 6970 + 20 * $_ % 2), '10.0.0.' . ($_ + 1) . ':6970', "$servers[$_] reaches its own") for 0 .. 9;
	is_deeply({map { ("$_->[3] $_->[7]" => 1) } grep { $_->[0] eq 'receiver' && $_->[2] eq '6970-7170' } rows()},
		{map { ("10.0.0.$_ 203.0.113.$_" => 1) } 1 .. 10}, 'all are listed');
	# the first host turns to the last one's server
	is($inside[0]->open(2, 'tcp', $servers[9], 7070)->{peer_host}, $us, 'two with the same server');
	is(back($servers[9], 6970), '10.0.0.1:6970', 'the later contact wins');
	$inside[9]->say(1) for 1 .. 3;
	is(back($servers[9], 6970), '10.0.0.1:6970', 'whatever the earlier one still says');
	is(back($servers[0], 6970), '10.0.0.1:6970', 'of its first server it is the receiver as well');
	is($inside[9]->open(2, 'tcp', $servers[9], 7070)->{peer_host}, $us, 'contacted anew');
	is(back($servers[9], 6970), '10.0.0.10:6970', 'it is the later one');
	$_->close(1) for @inside;
	$_->close(2) for @inside[0, 9];
	clear();
};

subtest 'insecure: anyone, and the last contact of all wins' => sub {
	autofw(qw(-A -r tcp 6970 7170 -c tcp 7070 -i));
	is(back($stranger, 6970, 'tcp'), 'firewall', 'without a contact nobody');
	is(contact($inside[0], $servers[0]), $us, 'contact');
	is(back($_, 6970, 'tcp'), '10.0.0.1:6970', "$_ gets through") for $stranger, $servers[0], $servers[5];
	is(contact($inside[1], $servers[1]), $us, 'another inside host contacts another server');
	is(back($_, 6970, 'tcp'), '10.0.0.2:6970', "$_ gets through to that one") for $stranger, $servers[0], $servers[1];
	my ($receiver, @more) = grep { $_->[0] eq 'receiver' && $_->[1] eq 'tcp' } rows();
	is_deeply([@$receiver[3, 7]], ['10.0.0.2', 'anyone'], 'as listed');
	is(scalar @more, 0, 'once');

	# the same with other flags
	is(autofw('-A', @{$secure{tcp}}), '', 'made secure');
	is(back($stranger, 6970, 'tcp'), 'firewall', 'nobody gets through');
	is(contact($inside[0], $servers[0]), $us, 'contact');
	is(back($servers[0], 6970, 'tcp'), '10.0.0.1:6970', 'the contacted one');
	is(back($stranger, 6970, 'tcp'), 'firewall', 'no stranger');
	is_deeply([map { $_->[6] } grep { $_->[0] eq 'range' && $_->[1] eq 'tcp' } rows()], ['timed,secure'],
		'it is the only entry');
	clear();
};

subtest 'untimed' => sub {
	autofw(qw(-A -r udp 6970 7170 -c tcp 7070 -u));
	autofw(qw(-A -r tcp 6970 7170 -c tcp 7070 -u -i));
	is(contact($inside[0], $servers[0]), $us, 'contact');
	is(back($servers[0], 6970), '10.0.0.1:6970', 'the server gets through');
	is(back($stranger, 6970), 'firewall', 'a stranger does not');
	is(back($stranger, 6970, 'tcp'), '10.0.0.1:6970', 'but for the insecure one');
	is(contact($inside[1], $servers[0]), $us, 'a later contact');
	is(back($servers[0], 6970), '10.0.0.2:6970', 'wins here as well');
	my @receivers = grep { $_->[0] eq 'receiver' && $_->[2] eq '6970-7170' } rows();
	is_deeply([map { $_->[8] } @receivers], ['-', '-'], 'no end is listed');
	my @maps = must(qw(nft list table ip ipmasqadm)) =~ /^(\tmap \S+-6970-7170-by-tcp-7070 \{.*?^\t\})/msg;
	is(scalar(grep { !/timeout|expires/ && /elements/ } @maps), 2, 'the elements have none');
	clear();
};

subtest 'a busy control connection stays a receiver' => sub {
	autofw(qw(-A -r tcp 6970 7170 -c udp 7071));
	my $flow = background(perl($inside[0], <<'	END', $servers[0]));
		my $s = IO::Socket::INET->new(Proto => 'udp', PeerAddr => $ARGV[0], PeerPort => 7071) or die $!;
		send $s, '?', 0;
		recv $s, my $answer, 200, 0;
		for (1 .. 10000) {
			send $s, '?', 0;
			sleep 0.001 unless $_ % 50;
		}
	END
	waitpid $flow, 0;
	is($?, 0, '10,000 packets within a second or so');
	is(back($servers[0], 6970, 'tcp'), '10.0.0.1:6970', 'it still is');
	clear();
};

# What the map looks like when far more are contacted than it holds.
subtest '10,000 contacts' => sub {
	$outside->must(qw(ip route add local 100.64.0.0/16 dev lo));
	must(qw(ip route add 100.64.0.0/16 via 203.0.113.1 dev outside));
	autofw(qw(-A -r udp 20500 20600 -c udp 177));
	autofw('-A', @{$secure{udp}});
	my @portfw = qw(-P tcp -L 198.51.100.1 22 -R 10.0.0.5 22);
	is(ipmasqadm('portfw', '-a', @portfw), 0, 'a forward beside it');
	# one that was there before, and lives on
	my $control = background(perl($inside[1], <<'	END', $servers[1]));
		my $s = IO::Socket::INET->new(Proto => 'udp', PeerAddr => $ARGV[0], PeerPort => 177) or die $!;
		while () { send $s, '?', 0; sleep 0.2 }
	END
	wait_for(5, sub { grep { $_->[0] eq 'receiver' && $_->[7] eq $servers[1] } rows() }) or fail('a first contact');
	my $flood = background(perl($inside[0], <<'	END'));
		my $s = IO::Socket::INET->new(Proto => 'udp') or die $!;
		for my $i (0 .. 9999) {
			send $s, '?', 0, pack_sockaddr_in(177, inet_aton('100.64.' . ($i >> 8) . '.' . ($i & 255)));
			sleep 0.01 unless $i % 100;
		}
	END
	my ($beside, $good) = (0, 0);
	my $try = sub {
		my ($what, $got, $wanted) = @_;
		$beside++;
		$got eq $wanted ? $good++ : diag("$what: $got instead of $wanted");
	};
	my $more = 2;
	while ($more) {
		$more-- if waitpid($flood, POSIX::WNOHANG()) != 0;
		$try->('a forward', back($stranger, 22, 'tcp', '198.51.100.1'), '10.0.0.5:22');
		$try->('another inside host', contact($inside[2], $servers[2], 8000), $us);
		$try->('another entry', contact($inside[3], $servers[3]), $us);
		$try->('another entry, back', back($servers[3], 6970), '10.0.0.4:6970');
		sleep 0.1;
	}
	is($good, $beside, "$beside other connections meanwhile");
	my @receivers = grep { $_->[0] eq 'receiver' && $_->[2] eq '20500-20600' } rows();
	cmp_ok(scalar @receivers, '<=', 4096, @receivers . ' contacts are remembered');
	cmp_ok(scalar @receivers, '>', 3000, '... which is what the map holds');
	is(scalar(grep { $_->[7] eq $servers[1] } @receivers), 1, 'one that was there before still is');
	is(contact($inside[2], $servers[2], 8000), $us, 'the contacts that did not fit are connections like any');
	kill 'TERM', $control;
	waitpid $control, 0;
	is(ipmasqadm('portfw', '-d', @portfw), 0, 'the forward goes');
	clear();
};

# ---- the other kinds ----

subtest 'a range to one host, at the same port' => sub {
	autofw(qw(-A -r tcp 60000 65535 -h 10.0.0.1));
	for my $port (60000, 65535) {
		my $got = $outside->tcp($us, $port, from => $stranger);
		is($got->{at}, "10.0.0.1:$port", "port $port");
		is($got->{peer_host}, $stranger, 'the host sees the client');
	}
	is(back($stranger, 60000, 'tcp', '198.51.100.1'), '10.0.0.1:60000', 'any address of ours');
	is(back($stranger, 59999, 'tcp'), 'firewall', 'a port below');
	is(back($stranger, 60000, 'udp'), 'firewall', 'another protocol');
	is($outside->tcp('10.0.0.2', 60000)->{name}, 'inside2', 'what only passes through is not captured');
	autofw(qw(-A -r udp 6000 6000 -h 10.0.0.2));
	is(back($stranger, 6000), '10.0.0.2:6000', 'a range of one port, UDP');
	is(back($stranger, 5999), 'firewall', 'and no other');
	clear();
};

subtest 'a port to a port' => sub {
	for my $protocol (qw(tcp udp)) {
		autofw('-A', '-p', $protocol, 8080, '10.0.0.1:80');
		my $got = $outside->$protocol($us, 8080, from => $stranger);
		is($got->{at}, '10.0.0.1:80', $protocol);
		is($got->{peer_host}, $stranger, 'the host sees the client');
		is(back($stranger, 80, $protocol), 'firewall', 'the hidden port is not visible');
	}
	is(back($stranger, 8080, 'udp', '198.51.100.1'), '10.0.0.1:80', 'any address of ours');
	is($outside->tcp('10.0.0.2', 8080)->{name}, 'inside2', 'what only passes through is not captured');
	autofw(qw(-D -p tcp 8080 10.0.0.1:80));
	is(back($stranger, 8080, 'tcp'), 'firewall', 'deleted');
	is(back($stranger, 8080, 'udp'), '10.0.0.1:80', 'that protocol alone');
	clear();
};

subtest 'direct: source ports are kept' => sub {
	my @recorded = qw(-d tcp 1024 2048);
	is(autofw('-A', '-v', @recorded), "recorded; netfilter keeps source ports wherever it can, so no rule is needed\n", 'it says so');
	autofw(qw(-A -d udp 1024 2048));
	is_deeply([grep { $_->[0] eq 'direct' } rows()],
		[map { ['direct', $_, '1024-2048', ('-') x 6] } qw(udp tcp)], 'listed');
	for my $protocol (qw(tcp udp)) {
		for my $port (1024, 1500, 2048) {
			my (undef, $out) = run(perl($inside[0], <<'			END', $protocol, $port, $servers[0]));
				my ($protocol, $port, $server) = @ARGV;
				my $s = IO::Socket::INET->new(Proto => $protocol, LocalPort => $port, ReuseAddr => 1,
					PeerAddr => $server, PeerPort => 8000) or die $!;
				$s->send('?');
				$s->recv(my $answer, 200);
				print $answer;
			END
			is((split ' ', $out)[1], "$us:$port", "$protocol $port, masqueraded");
		}
	}
	clear();
};

subtest 'the newest entry first, ranges before ports' => sub {
	autofw(qw(-A -r tcp 6000 7000 -h 10.0.0.1));
	autofw(qw(-A -p tcp 6970 10.0.0.3:80));
	is(back($stranger, 6970, 'tcp'), '10.0.0.1:6970', 'a range before a newer port');
	autofw(qw(-A -r tcp 6970 6970 -h 10.0.0.2));
	is(back($stranger, 6970, 'tcp'), '10.0.0.2:6970', 'the newest range');
	is(back($stranger, 6000, 'tcp'), '10.0.0.1:6000', 'where it is one');
	is(join(' ', map { "$_->[0] $_->[2] $_->[3]" } grep { $_->[1] eq 'tcp' } rows()),
		'range 6970-6970 10.0.0.2 range 6000-7000 10.0.0.1 port 6970 10.0.0.3', 'listed in that order');
	autofw('-A', @{$secure{tcp}});
	is(back($servers[0], 6970, 'tcp'), '10.0.0.2:6970', 'a triggered one without a receiver is none');
	is(contact($inside[3], $servers[0]), $us, 'contact');
	is(back($servers[0], 6970, 'tcp'), '10.0.0.4:6970', 'with one, it is the newest');
	is(back($stranger, 6970, 'tcp'), '10.0.0.2:6970', 'for its server');
	autofw(qw(-A -r tcp 6000 7000 -h 10.0.0.1));
	is(back($servers[0], 6970, 'tcp'), '10.0.0.4:6970', 'adding an older one again does not make it newer');
	autofw(qw(-D -r tcp 6970 6970 -h 10.0.0.2));
	autofw('-D', @{$secure{tcp}});
	is(back($servers[0], 6970, 'tcp'), '10.0.0.1:6970', 'the next');
	autofw(qw(-D -r tcp 6000 7000 -h 10.0.0.1));
	is(back($stranger, 6970, 'tcp'), '10.0.0.3:80', 'then the port');
	autofw(qw(-A -p tcp 6970 10.0.0.5:22));
	is(back($stranger, 6970, 'tcp'), '10.0.0.5:22', 'a newer port');
	clear();
};

subtest 'after mfw and portfw' => sub {
	autofw(qw(-A -r tcp 6000 7000 -h 10.0.0.1));
	autofw(qw(-A -p tcp 8080 10.0.0.1:80));
	is(ipmasqadm(qw(portfw -a -P tcp -L), $us, $_, qw(-R 10.0.0.2 80)), 0, "portfw $_") for 6970, 8080;
	is(back($stranger, $_, 'tcp'), '10.0.0.2:80', "portfw before autofw: $_") for 6970, 8080;
	is(back($stranger, 6000, 'tcp'), '10.0.0.1:6000', 'where it has a forward');
	nft("table ip marks {\nchain prerouting {\ntype filter hook prerouting priority mangle\nip saddr $servers[0] meta mark set 1\n}\n}");
	is(ipmasqadm(qw(mfw -A -m 1 -r 10.0.0.3)), 0, 'mfw');
	is(back($servers[0], $_, 'tcp'), "10.0.0.3:$_", "mfw before both: $_") for 6000, 6970, 8080;
	is(back($stranger, 6970, 'tcp'), '10.0.0.2:80', 'for what is marked');
	must(qw(nft delete table ip marks));
	is(ipmasqadm(qw(mfw -F)), 0, 'mfw -F');
	is(ipmasqadm(qw(portfw -f)), 0, 'portfw -f');
	is(back($stranger, $_->[0], 'tcp'), $_->[1], "autofw is left: $_->[0]") for [6970, '10.0.0.1:6970'], [8080, '10.0.0.1:80'];
	clear();
};

# ---- commands ----

subtest 'a running connection survives -D' => sub {
	for (['-r tcp 6000 7000 -h 10.0.0.1', 6970], ['-p tcp 8080 10.0.0.1:80', 8080], ['-r tcp 6970 7170 -c tcp 7070', 6970]) {
		my ($entry, $port) = @$_;
		my @entry = split ' ', $entry;
		autofw('-A', @entry);
		is(contact($inside[0], $servers[0]), $us, 'contact') if $entry =~ /-c/;
		is($outside->open(1, 'tcp', $us, $port, from => $servers[0])->{name}, 'inside1', 'it runs');
		autofw('-D', @entry);
		is($outside->say(1)->{name}, 'inside1', 'and runs on');
		is(back($servers[0], $port, 'tcp'), 'firewall', 'beside a new one, which stays here');
		is($outside->say(1)->{name}, 'inside1', 'and on');
		$outside->close(1);
	}
	clear();
};

subtest 'the same twice, and what is not there' => sub {
	my @twice = ([@{$secure{udp}}], [qw(-r tcp 6000 7000 -h 10.0.0.1)], [qw(-p tcp 8080 10.0.0.1:80)], [qw(-d tcp 1 2)]);
	autofw('-A', @$_) for @twice;
	is(contact($inside[0], $servers[0]), $us, 'contact');
	my $before = rules();
	my $entries = grep { $_->[0] ne 'receiver' } rows();
	autofw('-A', @$_) for @twice;
	is(rules(), $before, 'a second time changes nothing');
	is(back($servers[0], 6970), '10.0.0.1:6970', 'the receiver is still one');
	is(scalar(grep { $_->[0] ne 'receiver' } rows()), $entries, 'the listing neither');
	is(ipmasqadm(qw(autofw -q), @$_), 0, "autofw -q @$_ finds it") for @twice;
	autofw('-D', @$_) for @twice;
	for (@twice) {
		my ($status, $out, $err) = ipmasqadm(qw(autofw -D), @$_);
		is("$status$out", '1', "autofw -D @$_: not there any more");
		like($err, qr/\Aipmasqadm: autofw: no entry (?:range|port|direct) [^\n]+\n\z/, 'the message');
		is(ipmasqadm(qw(autofw -q), @$_), 1, 'autofw -q neither');
	}
};

subtest 'the listing' => sub {
	autofw('-A', @{$secure{udp}});
	autofw(qw(-A -r tcp 6000 6100 -c udp 177 -u -i));
	autofw(qw(-A -r tcp 60000 65535 -h 10.0.0.2));
	autofw(qw(-A -p tcp 8080 10.0.0.1:80));
	autofw(qw(-A -d udp 1024 2048));
	is(contact($inside[0], $servers[0]), $us, 'contact');
	is(contact($inside[1], $servers[1], 177, 'udp'), 'nowhere: refused', 'one that nobody answers');
	is(back($servers[0], 6970), '10.0.0.1:6970', 'a connection') for 1 .. 3;
	my ($status, $out, $err) = ipmasqadm(qw(autofw -L -n));
	is("$status$err", '0', 'autofw -L -n');
	# seconds pass; what the long subtest has is its own
	$out = join '', map { s/ \K(?:1[345])$/14/r } grep { !/ 20\d00-/ } $out =~ /^.*\n/mg;
	is($out, <<'	END' =~ s/^\t//mgr, 'entries and receivers');
	kind     prot ports       rediraddr            rport control    flags          outside              seconds
	range    tcp  60000-65535 10.0.0.2                 - -          -              -                          -
	range    tcp  6000-6100   -                        - udp/177    untimed,anyone -                          -
	receiver tcp  6000-6100   10.0.0.2                 - udp/177    -              anyone                     -
	range    udp  6970-7170   -                        - tcp/7070   timed,secure   -                          -
	receiver udp  6970-7170   10.0.0.1                 - tcp/7070   -              203.0.113.1               14
	port     tcp  8080        10.0.0.1                80 -          -              -                          -
	direct   udp  1024-2048   -                        - -          -              -                          -
	END
	like(autofw(qw(-L -n -v)), qr/^range    udp  6970-7170 .* timed,secure .*\s3$/m, 'with -v, how many connections there were');
	my $receivers = sub { [map { "$_->[3] $_->[7]" } grep { $_->[0] eq 'receiver' && $_->[1] eq 'udp' && $_->[2] eq '6970-7170' } rows()] };
	is(contact($inside[2], $servers[2]), $us, 'another contact');
	is_deeply([sort @{$receivers->()}], ['10.0.0.1 203.0.113.1', '10.0.0.3 203.0.113.3'], 'one line each');
	SKIP: {
		my ($status, $json) = ipmasqadm(qw(autofw -L --json));
		skip 'built without JSON', 1 if $status;
		my ($receiver) = grep { $_->{kind} eq 'receiver' && ($_->{outside} // '') eq $servers[2] } @{JSON::PP->new->decode($json)};
		is("$receiver->{rediraddr} $receiver->{lowport} $receiver->{ctlport}", '10.0.0.3 6970 7070', 'as JSON');
	}
	clear();
};

subtest 'dry runs' => sub {
	my $before = rules();
	my $text = autofw('-A', @{$secure{udp}}, '--dry-run');
	is(rules(), $before, 'change nothing');
	autofw('-A', @{$secure{udp}});
	my $done = rules();
	autofw('-D', @{$secure{udp}});
	nft($text);
	is(rules(), $done, 'what nft makes of an add is the same');
	is(contact($inside[0], $servers[0]), $us, 'contact');
	is(back($servers[0], 6970), '10.0.0.1:6970', 'to the same effect');
	nft(autofw('-A', @{$secure{udp}}, '-i', '--dry-run'));
	is_deeply([map { $_->[6] } grep { $_->[0] eq 'range' && $_->[2] eq '6970-7170' } rows()], ['timed,anyone'], 'of other flags');
	nft(autofw('-D', @{$secure{udp}}, '--dry-run'));
	is(rules(), $before, 'and of a delete');
	clear();
};

# ---- what took its time ----

subtest 'expiry and renewal' => sub {
	my $seen = do { local $/; JSON::PP->new->decode(<$from_watcher>) };
	waitpid $watcher, 0;
	is($seen->{error}, undef, 'it was watched');
	# the kernel counts in ticks of up to 10 ms
	my %what = (
		silent => 'a connection that fell silent at once',
		talker => 'one on which both sides spoke for some seconds',
		quiet => 'one on which the outside host alone did',
	);
	for my $name (qw(silent talker quiet)) {
		my ($earliest, $latest) = @{$seen->{$name}{silent}};
		my ($begin, $end, $who) = @{$seen->{$name}{out} // [0, 0, '']};
		is($who, 'firewall', "$what{$name}: it ends");
		cmp_ok($end - $earliest, '>=', 14.98, sprintf 'not before 15 seconds of silence: %.2f', $end - $earliest);
		cmp_ok($begin - $latest, '<', 16.5, sprintf 'and not much after: %.2f', $begin - $latest);
		cmp_ok($seen->{$name}{in} - $earliest, '>', 13, 'until then the server gets through');
	}
	is_deeply($seen->{talker}{said}, ['far', 'far'], 'the control connection runs');
	is_deeply($seen->{running}, {before => '10.0.1.1:20000', after => '10.0.1.1:20000', silent => 'far'},
		'what runs survives the expiry');
	is(contact($silent, '192.0.2.1', 2000), "nowhere: far", 'a new contact');
	is($far->udp('192.0.2.254', 20000, from => '192.0.2.1')->{at}, '10.0.1.1:20000', 'makes it a receiver again');
};

subtest 'after the flood' => sub {
	my $left = sub { scalar grep { $_->[0] eq 'receiver' && $_->[2] eq '20500-20600' } rows() };
	ok(wait_for(40, sub { !$left->() }), 'its contacts have expired, and those since') or diag($left->());
	is(contact($inside[4], $servers[4], 177, 'udp'), 'nowhere: refused', 'a new contact');
	is_deeply([map { "$_->[3] $_->[7]" } grep { $_->[0] eq 'receiver' && $_->[2] eq '20500-20600' } rows()],
		["10.0.0.5 $servers[4]"], 'is remembered');
};

subtest 'flush, and the last delete' => sub {
	autofw('-A', @{$secure{tcp}});
	is(contact($inside[0], $servers[0]), $us, 'contact');
	is($outside->open(1, 'tcp', $us, 6970, from => $servers[0])->{name}, 'inside1', 'a connection runs');
	autofw('-F');
	is_deeply([rows()], [], 'nothing is listed');
	unlike(ruleset(), qr/ipmasqadm/, 'nor in the kernel');
	is($outside->say(1)->{name}, 'inside1', 'the connection runs on');
	is(back($servers[0], 6970, 'tcp'), 'firewall', 'beside a new one, which stays here');
	is($outside->say(1)->{name}, 'inside1', 'and on');
	$outside->close(1);
	autofw('-F');
	for ($secure{udp}, [qw(-r tcp 6000 7000 -h 10.0.0.1)], [qw(-p tcp 8080 10.0.0.1:80)], [qw(-d tcp 1 2)]) {
		autofw('-A', @$_);
		like(ruleset(), qr/ipmasqadm/, 'the table comes');
		autofw('-D', @$_);
		unlike(ruleset(), qr/ipmasqadm/, 'and goes');
	}
	autofw('-A', @{$secure{udp}});
	is(ipmasqadm(qw(portfw -a -P tcp -L 198.51.100.1 22 -R 10.0.0.5 22)), 0, 'a forward');
	autofw('-F');
	is(back($stranger, 22, 'tcp', '198.51.100.1'), '10.0.0.5:22', 'is left alone by autofw -F');
	is(ipmasqadm(qw(portfw -f)), 0, 'portfw -f');
	unlike(ruleset(), qr/ipmasqadm/, 'takes the rest');
};

done_testing;
