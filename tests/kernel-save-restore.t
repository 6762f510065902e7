#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# save and restore on nf_tables: a file is one transaction, whoever looks, dies or interferes meanwhile.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use File::Temp ();
use POSIX ();
use Test::More;
use Time::HiRes qw(time usleep);

my $net = Net->new(local => ['198.51.100.1']);
my $dir = File::Temp->newdir;

sub file {
	my ($name, @lines) = @_;
	open my $f, '>', "$dir/$name" or die "$dir/$name: $!";
	print $f map { Net::to_six("$_\n") } @lines;
	close $f or die "$dir/$name: $!";
	return Net::is_translated("$dir/$name");
}

sub slurp { open my $f, '<', shift or return undef; local $/; return Net::to_four(<$f> // '') }
sub save { my ($status, $out, $err) = ipmasqadm('save'); return $status || $err ? "exit $status: $err" : $out }
# but for the age of services, which is the generation of the ruleset that they came with
sub ageless { return ruleset() =~ s/\bseq \d+/seq N/gr }
sub restored { my ($status, $out, $err) = ipmasqadm('restore', @_); return "$status$out$err" }

# What a listing shows of each service, in its order; the order of services is not saved.
sub serving {
	my %service;
	for my $row (split /\n/, must($Net::program, qw(portfw -l -n)) =~ s/\A.*\n//r) {
		my ($prot, $laddr, $raddr, $lport, $rport, undef, $pref) = split ' ', $row;
		push @{$service{"$prot $laddr $lport"}}, "$raddr $rport $pref";
	}
	push @{$service{'mfw ' . (split)[0]}}, $_ for map { join ' ', (split)[0 .. 2, 4] }
		split /\n/, must($Net::program, qw(mfw -L -n)) =~ s/\A.*\n//r;
	$service{autofw} = [split /\n/, must($Net::program, qw(autofw -L -n))];
	return \%service;
}

my @everything = (
	'portfw -f', 'mfw -F', 'autofw -F',
	'portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.9 80',
	(map { "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.$_ 8080 -p $_" } 2, 9, 3, 7),
	'portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.2 53',
	'portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.3 53 -p 0',
	'mfw -A -m 1 -r 10.0.0.2', 'mfw -A -m 1 -r 10.0.0.3 80 -p 0', 'mfw -A -m 1 -r 10.0.0.2 -p 3',
	'mfw -A -m 4294967295 -r 10.0.0.2 -p 3',
	'autofw -A -r udp 6970 7170 -c tcp 7070', 'autofw -A -r tcp 60000 65535 -h 10.0.0.2 -u',
	'autofw -A -r tcp 6970 7170 -c tcp 7070 -i -u', 'autofw -A -p tcp 8080 10.0.0.2:80',
	'autofw -A -d tcp 100 200',
);

subtest 'what is saved comes back' => sub {
	is(restored(file('all', @everything)), '0', 'restored');
	my ($before, $text) = (serving(), save());
	is(scalar(() = $text =~ /^ipmasqadm \w+ -[aA] /mg), 16, 'all of it is saved');
	is(join(' ', sort $text =~ /^ipmasqadm (\w+) .* -p 0 # drained$/mg), 'mfw portfw', 'drained targets as such');
	is(scalar(() = $text =~ /#/g), 2, '... and no other');
	is((ipmasqadm(qw(save -)))[1], $text, '- is standard output');
	is(scalar @{$before->{'TCP 198.51.100.1 80'}}, 4, 'four targets');
	is(restored(file('saved', $text)), '0', 'the save is restored over it');
	is(save(), $text, 'saved again');
	is_deeply(serving(), $before, 'targets serve in the same order');
	ok(!ipmasqadm($_, $_ eq 'portfw' ? '-f' : '-F'), "flush $_") for qw(portfw mfw autofw);
	is(save(), join('', map { "ipmasqadm $_\n" } 'portfw -f', 'mfw -F', 'autofw -F', 'reach -f'), 'nothing is there');
	is(restored("$dir/saved"), '0', 'the save is restored over nothing');
	is(save(), $text, 'saved again');
	is_deeply(serving(), $before, 'in the same order');

	is(ipmasqadm('save', "$dir/file"), 0, 'into a file');
	is(slurp("$dir/file"), $text, 'the same');
	my ($status, $out) = run('sh', '-ec', "PATH=\$(dirname $Net::program):\$PATH; . $dir/file");
	is($status, 0, 'a shell can run it');
	is(save(), $text, 'to the same effect');
};

subtest 'random states come back' => sub {
	srand 20061;
	for my $round (1 .. ($slow ? 3 : 10)) {
		my @lines = map {
			my @host = map { 1 + int rand 5 } 0 .. 1;
			my ($port, $pref, $mark) = (1 + int rand 3, 1 + int rand 20, 1 + int rand 4);
			my $laddr = rand() < 0.3 ? '0.0.0.0' : "198.51.100.$host[0]";
			rand() < 0.6
				? "portfw -a -P @{[rand() < 0.5 ? 'tcp' : 'udp']} -L $laddr $port -R 10.0.0.$host[1] $port -p $pref"
				: "mfw -@{[rand() < 0.5 ? 'A' : 'I']} -m $mark -r 10.0.0.$host[1] @{[rand() < 0.5 ? '' : $port]} -p @{[$pref - 1]}";
		} 1 .. 60;
		is(restored(file('random', 'portfw -f', 'mfw -F', @lines)), '0', "round $round");
		my ($before, $text) = (serving(), save());
		is(restored(file('saved', $text)), '0', 'restored');
		is(save(), $text, 'the same');
		is_deeply(serving(), $before, 'in the same order');
	}
};

# The newest first, and UDP before TCP. Services that come in the order of their keys need no age to say so.
subtest 'services are listed in the order in which they came' => sub {
	my $order = sub { join ' ', map { "$_->[0]$_->[3]" } map { [split] } (split /\n/, must($Net::program, qw(portfw -l -n)))[1 .. $_[0]] };
	my $add = sub { map { "portfw -a -P $_->[0] -L 198.51.100.1 $_->[1] -R 10.0.0.2 80" } @_ };
	my $ages = sub { scalar(() = ruleset() =~ /\bseq \d/g) };

	is(restored(file('rising', 'portfw -f', $add->(map { ['tcp', $_] } 1 .. 6), map { $add->(['udp', $_]) } 1 .. 3)), '0', 'in order');
	is($order->(9), 'UDP3 UDP2 UDP1 TCP6 TCP5 TCP4 TCP3 TCP2 TCP1', 'listed');
	is($ages->(), 0, 'without an age');
	is(restored(file('one', $add->(['tcp', 9], ['tcp', 7]))), '0', 'two more');
	is($order->(11), 'UDP3 UDP2 UDP1 TCP7 TCP9 TCP6 TCP5 TCP4 TCP3 TCP2 TCP1', 'they are the newest');
	is($ages->(), 2, 'and have an age');
	is(restored(file('again', 'portfw -d -P tcp -L 198.51.100.1 3', $add->(['tcp', 3], ['udp', 2]))), '0', 'one taken away and made anew, one edited');
	is($order->(11), 'UDP3 UDP2 UDP1 TCP3 TCP7 TCP9 TCP6 TCP5 TCP4 TCP2 TCP1', 'only the first is new');

	# over what is there, whose order in the kernel is another
	is(restored(file('mixed', 'portfw -f', $add->(['tcp', 5], ['tcp', 6], ['tcp', 2], ['tcp', 9], ['udp', 1], ['tcp', 1]))), '0', 'out of order');
	is($order->(6), 'UDP1 TCP1 TCP9 TCP2 TCP6 TCP5', 'listed');
	is($ages->(), 4, 'from the first that is out of order they have an age');
	my $dump = ruleset();
	must(qw(nft flush ruleset));
	nft($dump);
	is($order->(6), 'UDP1 TCP1 TCP9 TCP2 TCP6 TCP5', 'which survives nft');
	is(restored(file('pools', 'portfw -f', map { ($add->(['tcp', $_]), "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.3 80") } 1 .. 3)), '0', 'with two targets each');
	is($order->(6), 'TCP3 TCP3 TCP2 TCP2 TCP1 TCP1', 'the same');
	is($ages->(), 0, 'without an age');
	ok(!ipmasqadm(qw(mfw -A -m 1 -r 10.0.0.2)) && !ipmasqadm(qw(mfw -I -m 1 -r 10.0.0.3)), 'marks');
	is($ages->(), 0, 'never have one');
};

subtest 'without a flush, a file adds' => sub {
	is(restored(file('one', 'portfw -f', 'mfw -F', 'autofw -F', 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80')), '0', 'one');
	is(restored(file('more', 'portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80', 'mfw -A -m 1 -r 10.0.0.2')), '0', 'more');
	like(save(), qr/ 80 .*\n.* 81 .*\n.*mfw -A -m 1 /, 'all there');
	is(restored(file('deletes', 'mfw -D -m 1', 'portfw -d -P tcp -L 198.51.100.1 81')), '0', 'deletes');
	unlike(save(), qr/ 81 |mfw -A/, 'gone');
};

subtest 'after an error nothing has changed' => sub {
	my @good = map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.3 80" } 1 .. 2000;
	my $before = ruleset();
	for (['portfw -d -P udp -L 198.51.100.1 80', 1, 'no forward on udp 198\.51\.100\.1:80'],
	     ['mfw -E -m 9 -r 10.0.0.2', 1, 'no forward on mark 9 to 10\.0\.0\.2'],
	     ['autofw -D -r tcp 1 2 -h 10.0.0.2', 1, 'no entry range tcp 1-2 to 10\.0\.0\.2'],
	     ['portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3', 2, '-R takes RADDR RPORT: RPORT is missing'],
	     ['portfw -l', 2, 'only commands that change something']) {
		my ($line, $exit, $why) = @$_;
		my $file = file('bad', 'portfw -f', @good, '', "ipmasqadm $line", @good);
		for my $how ([], ['--dry-run']) {
			my ($status, $out, $err) = ipmasqadm('restore', @$how, $file);
			is("$status$out", $exit, "@$how $line");
			like($err, qr/\Aipmasqadm: restore: \Q$file:2003: $line\E: [^\n]*$why[^\n]*\n\z/, 'the message');
		}
		my ($status, undef, $err) = ipmasqadm(qw(restore --check), $file);
		is($status, $exit == 2 ? 2 : 0, '--check sees what is wrong in itself');
		is(ruleset(), $before, 'nothing has changed');
	}
};

subtest '--dry-run' => sub {
	for my $module (qw(portfw mfw autofw)) {
		must($Net::program, $module, $module eq 'portfw' ? '-f' : '-F');
	}
	my $file = file('all', @everything);
	my ($status, $out, $err) = ipmasqadm(qw(restore --dry-run), $file);
	is("$status$err", '0', 'into an empty table');
	unlike(ruleset(), qr/ipmasqadm/, 'nothing has changed');
	nft($out);
	my $typed = ageless();
	must(qw(nft delete table ip ipmasqadm));
	is(restored($file), '0', 'restored');
	is($typed, ageless(), 'nft makes the same of it');

	($status, $out, $err) = ipmasqadm(qw(restore --dry-run), file('less', 'portfw -f', 'mfw -D -m 1'));
	is("$status$err", '0', 'deletes');
	is(ageless(), $typed, 'nothing has changed');
	nft($out);
	my $without = save();
	unlike($without, qr/portfw -a|-m 1 /, 'nft has deleted them');
	is(scalar(() = $without =~ /^ipmasqadm \w+ -A /mg), 6, 'and nothing else');

	($status, undef, $err) = run('sh', '-c', "exec $Net::program restore --dry-run $file >/dev/full");
	is($status, 1, 'no room for it');
	is($err, "ipmasqadm: restore: cannot write: No space left on device\n", 'the message');
};

subtest "the administrator's own way to save" => sub {
	is(restored(file('all', @everything)), '0', 'restored');
	my ($text, $rules) = (save(), ruleset());
	must(qw(nft flush ruleset));
	nft($rules);
	is(save(), $text, 'what nft lists, nft takes');
	is(ruleset(), $rules, 'to the letter');
};

# A command that was right when it was read, and is refused when others have changed the table.
subtest 'refused at the last moment' => sub {
	plan skip_all => 'no strace' if run(qw(strace -o /dev/null true));
	my $file = file('late', 'portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80', '', '  ipmasqadm  portfw -d -P tcp -L 198.51.100.1 80');
	is(restored(file('one', 'portfw -f', 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80')), '0', 'one');
	my $late = $slow ? 1_500_000 : 300_000;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		# a leak check can't trace what is traced already
		$ENV{ASAN_OPTIONS} = 'detect_leaks=0';
		# whichever it is, it comes late
		open STDOUT, '>', "$dir/out";
		open STDERR, '>&', \*STDOUT;
		exec qw(strace -o), "$dir/trace", "-e", "trace=sendto,sendmsg", "-e", "inject=sendto,sendmsg:delay_enter=$late",
			$Net::program, 'restore', $file or POSIX::_exit(127);
	}
	usleep 100_000;
	my $end = time + 60;
	my $deleted = 0;
	until (waitpid $pid, POSIX::WNOHANG()) {
		# what it has read is there; the batch is on its way
		$deleted ||= (slurp("$dir/trace") // '') =~ /NFT_MSG_GET/ && !ipmasqadm(qw(portfw -d -P tcp -L 198.51.100.1 80));
		kill 'KILL', $pid if time > $end;
		usleep 20_000;
	}
	my $status = $? >> 8;
	SKIP: {
		skip 'strace cannot show what is sent', 3 unless slurp("$dir/trace") =~ /NFT_MSG_/;
		is($status, 1, 'exit 1');
		is(slurp("$dir/out"), "ipmasqadm: restore: $file:3: portfw -d -P tcp -L 198.51.100.1 80: no forward on tcp 198.51.100.1:80\n", 'the line');
		unlike(save(), qr/ 81 /, 'nothing has changed');
	}
};

subtest 'nobody sees half' => sub {
	my $n = $slow ? 50 : 500;
	# of every kind, so that a save which reads one after the other shows
	my @state = map {
		my $to = "10.0.0.$_";
		[(map { "portfw -a -P tcp -L 198.51.100.1 $_ -R $to 80 -p 10" } 1 .. $n), "mfw -A -m 1 -r $to -p 10",
			"autofw -A -r tcp 1000 1999 -h $to"];
	} 2, 3;
	my @flushes = ('portfw -f', 'mfw -F', 'autofw -F', 'reach -f');
	my @file = map { file("state$_", @flushes, @{$state[$_]}) } 0, 1;
	my @text = map { join '', map { "ipmasqadm $_\n" } @flushes, @{$state[$_]} } 0, 1;
	is(restored($file[0]), '0', 'the first');
	my $writer = fork // die "fork: $!";
	if (!$writer) {
		for (1 .. 2000) {
			restored($file[$_ % 2]) eq '0' or POSIX::_exit(1);
			last if $_ >= 10 && -e "$dir/enough";
		}
		POSIX::_exit(0);
	}
	my ($looks, %seen) = 0;
	until (waitpid $writer, POSIX::WNOHANG()) {
		my $text = save();
		my ($which) = grep { $text eq $text[$_] } 0, 1;
		$seen{$which // 'half'}++;
		# at least 50, and of both
		file('enough') if ++$looks == 2000 || ($looks >= 50 && $seen{0} && $seen{1});
	}
	is($? >> 8, 0, 'every restore succeeded');
	is($seen{half}, undef, 'old or new in ' . $looks . ' looks');
	cmp_ok($looks, '>=', 50, 'enough of them');
	ok($seen{0} && $seen{1}, 'both were seen');
};

subtest 'nobody waits for a resolver' => sub {
	plan skip_all => 'a static program takes no preloaded library' if ($ENV{STATIC} // '') eq 'yes';
	my $file = file('slow', map { "portfw -a -P tcp -L 198.51.100.1 $_ 80" } '2000 -R 10.0.0.2', '2001 -R slow');
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		$ENV{LD_PRELOAD} = join ' ', grep { length } $ENV{PRELOAD} // '', $Net::traffic =~ s{traffic$}{resolver.so}r;
		$ENV{RESOLVER_NAMES} = 'slow=' . Net::to_six('10.0.0.2');
		$ENV{RESOLVER_RECORD} = "$dir/lookups";
		$ENV{RESOLVER_SECONDS} = 5;
		exec $Net::program, 'restore', $file or POSIX::_exit(127);
	}
	my $end = time + 30;
	usleep 20_000 until -s "$dir/lookups" || time > $end;
	my $start = time;
	is((ipmasqadm(qw(portfw -a -P tcp -L 198.51.100.1 2002 -R 10.0.0.2 80)))[0], 0, 'another command');
	# the lock is waited for during two seconds
	cmp_ok(time - $start, '<', 1.5, '... does not wait') if !$slow;
	waitpid $pid, 0;
	is($?, 0, 'restored');
	is(slurp("$dir/lookups"), "lookup slow\n", '... after one look-up');
	like(save(), qr/ 2000 .*\n.* 2001 -R 10\.0\.0\.2 .*\n.* 2002 /, 'both took effect');
};

subtest 'killed at 100 random instants under traffic' => sub {
	my %host = map { $_ => $net->host($_, "10.0.0." . ord)->listen(8080) } qw(A B);
	my $client = $net->host('client', '203.0.113.5');
	my @file = map {
		my $to = $host{$_}{address};
		file("to$_", 'portfw -f', map { "portfw -a -P tcp -L 198.51.100.1 $_ -R $to 8080" } 1 .. 300);
	} qw(A B);
	is(restored($file[0]), '0', 'to A');
	my $start = time;
	is(restored($file[1]), '0', 'to B');
	my $takes = time - $start;
	my (%answer, $half, $killed);
	srand 20062;
	my $rounds = $slow ? 20 : 100;
	for my $round (1 .. $rounds) {
		my $pid = fork // die "fork: $!";
		if (!$pid) {
			open STDERR, '>', '/dev/null';
			exec $Net::program, 'restore', $file[$round % 2] or POSIX::_exit(127);
		}
		$client->tell('tcp', '-', '198.51.100.1', 80);
		usleep rand() * 1.2e6 * $takes;
		kill 'KILL', $pid;
		waitpid $pid, 0;
		$killed += $? == 9;
		$answer{Net::Host::parse($client->hear)->{name}}++;
		my %to;
		$to{$_}++ for save() =~ /^ipmasqadm portfw -a .* -R (\S+)/mg;
		$half++ if join(' ', values %to) ne '300';
	}
	ok($killed > $rounds / 4, "$killed of $rounds were hit alive");
	is($half, undef, 'all of one file, every time');
	is_deeply([sort keys %answer], [qw(A B)], 'every connection went to the old or the new target')
		or diag explain \%answer;
	is(restored($file[0]), '0', 'the next one works');
	is($client->tcp('198.51.100.1', 80)->{name}, 'A', 'to A');
};

subtest 'a killed save has left its file behind' => sub {
	mkdir "$dir/left";
	my ($status, $out, $err) = run('sh', '-ec', "cd $dir/left; echo old >.ipmasqadm.\$\$.0; exec $Net::program save file");
	is("$status$out$err", '0', 'another process of that number saves all the same');
	is(slurp("$dir/left/file"), save(), 'what there is');
};

subtest 'a full disk, a read-only one' => sub {
	is(restored(file('many', 'portfw -f', map { "portfw -a -P tcp -L 198.51.100.1 $_ -R 10.0.0.2 80" } 1 .. 2000)), '0', 'many');
	mkdir "$dir/disk";
	must(qw(mount -t tmpfs none -o size=64k), "$dir/disk");
	file('disk/old', 'old');
	my $listing = sub { join ' ', sort grep { !/^\.{1,2}$/ } map { s{.*/}{}r } glob "$dir/disk/{.,}*" };
	for (['No space left on device', sub {}],
	     ['Read-only file system', sub { must("mount", "-o", "remount,ro", "$dir/disk") }]) {
		my ($why, $prepare) = @$_;
		$prepare->();
		for my $name (qw(old new)) {
			my ($status, $out, $err) = ipmasqadm('save', "$dir/disk/$name");
			is("$status$out", '1', "$name: $why");
			is($err, "ipmasqadm: save: $dir/disk/$name: $why\n", 'the message');
		}
		is(slurp("$dir/disk/old"), "old\n", 'the older save stays');
		is($listing->(), 'old', 'and nothing else');
	}
	must('umount', "$dir/disk");
};

done_testing;
