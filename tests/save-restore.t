#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# save and restore where nothing depends on nf_tables: what is read, what is written, files, and a
# kernel with masquerading modules.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use File::Temp ();
use Test::More;

my $dir = File::Temp->newdir;

sub kernel { return Fake->new(FAKE_KERNEL => '2.2', @_)->module(qw(portfw mfw autofw)) }

sub spew {
	my ($path, $text) = @_;
	open my $f, '>:raw', $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
	return $path;
}

sub file { return spew("$dir/forwards", shift) }

sub read_file { return Fake::slurp(shift) }
sub mode { return sprintf '%04o', (stat shift)[2] & 07777 }
sub leftovers { return join ' ', grep { !/^\.{1,2}$/ } map { s{.*/}{}r } glob "$dir/{.,}*.ipmasqadm* $dir/.ipmasqadm*" }

my $mine = "$dir/forwards";
my @flushes = map { "ipmasqadm $_\n" } 'portfw -f', 'mfw -F', 'autofw -F';

subtest 'lines as people have them' => sub {
	my $k = kernel();
	my $r = $k->run('restore', file(<<'END'));
#!/bin/sh
# forwards of this site

ipmasqadm portfw -f
/sbin/ipmasqadm	portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080
  /usr/sbin/ipmasqadm portfw -a -P udp -L 198.51.100.1 53 \
	-R 10.0.0.3 53 -p 5	# name server
portfw -a -P "tcp" -L '198.51.100.1' 4"4"3 -R 10.0.0.2 44\3 # -p 7
mfw -F
ipmasqadm mfw -A -m 1 -r 10.0.0.2
autofw -A -r udp 6970 7170 -c tcp 7070
END
	is("$r->{status}$r->{err}$r->{out}", '0', 'restored, and nothing is said');
	my @single = map { @{$k->run(split)->{sent}} } split /\n/, <<'END';
portfw -f
portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080
portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.3 53 -p 5
portfw -a -P tcp -L 198.51.100.1 443 -R 10.0.0.2 443
mfw -F
mfw -A -m 1 -r 10.0.0.2
autofw -A -r udp 6970 7170 -c tcp 7070
END
	my @changes = grep { command_of($_) ne 'NONE' } @{$r->{sent}};
	is(scalar @changes, 7, 'seven messages');
	is_deeply(\@changes, [grep { command_of($_) ne 'NONE' } @single], 'the same as of seven commands');
};

subtest 'from standard input, from an empty file, from a DOS file' => sub {
	my $k = kernel();
	file("portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80\r\n\r\nmfw -A -m 1 \\\r\n -r 10.0.0.2\r\n");
	for my $how ("restore $mine", "restore - <$mine", "restore <$mine", "restore --check <$mine") {
		my $r = $k->under(['sh', '-c', "exec \"\$0\" $how"]);
		is("$r->{status}$r->{err}$r->{out}", '0', $how);
	}
	like($k->state('ip_masq/mfw'), qr/^0x1 > 0A000002     0    10    10 /m, 'done');
	is($k->run('restore', file(''))->{status}, 0, 'nothing to do');
	is($k->run('restore', file("# nothing\n"))->{status}, 0, 'nothing but a comment');
};

# text, what the message says after the file's name
my @wrong = (
	["portfw -f\n\nportfw -a -P upd -L 198.51.100.1 80 -R 10.0.0.2 80 # x\n", '3: portfw -a -P upd .*: protocol "upd": did you mean udp\?'],
	["ipmasqadm portfw -a -P tcp -L 198.51.100.1 0 -R 10.0.0.2 80", '1: portfw -a .*: port "0"'],
	["portfw -f \\\n -x\nmfw -F\n", '1: portfw -f  -x: unknown option -x'],
	["portfw -l -n\n", '1: portfw -l -n: only commands that change something'],
	["mfw -L\n", '1: mfw -L: only commands that change something'],
	["autofw -L\n", '1: autofw -L: only commands that change something'],
	["autofw -h\n", '1: autofw -h: only commands that change something'],
	["portfw --help\n", '1: portfw --help: only commands that change something'],
	["portfw -q -P tcp -L 198.51.100.1 80\n", '1: portfw -q .*: only commands that change something'],
	["portfw -f --dry-run\n", '1: portfw -f --dry-run: --dry-run is for the whole file'],
	["portfw -f --cut\n", '1: portfw -f --cut: --cut is for the whole file'],
	["ipmasqadm\n", '1: ipmasqadm: after ipmasqadm comes'],
	["ipmasqadm restore x\n", '1: restore x: after ipmasqadm comes'],
	["/xbin/ipmasqadm portfw -f\n", '1: /xbin/ipmasqadm portfw -f: neither ipmasqadm nor'],
	["/tmp/ipmasqadm portfw -f\n", '1: /tmp/ipmasqadm portfw -f: neither ipmasqadm nor'],
	["insmod ip_masq_portfw\n", '1: insmod ip_masq_portfw: neither ipmasqadm nor'],
	["EXTIP=198.51.100.1\n", '1: EXTIP=198.51.100.1: neither ipmasqadm nor'],
	["\nportfw -a -P tcp -L \$EXTIP 80 -R 10.0.0.2 80\n", q{2: portfw .*: '\$EXTIP' is a variable}],
	["portfw -f; mfw -F\n", q{1: portfw -f; mfw -F: ';' is a second command}],
	["portfw -f && mfw -F\n", q{1: portfw -f && mfw -F: '&' is a second command}],
	["portfw -f >/dev/null 2>&1\n", q{1: .*: '>/dev/null' is a redirection}],
	["portfw -a -P tcp -L `hostname` 80\n", q{1: .*: '`hostname`' is a command's output}],
	["for port in 1 2; do\n", q{1: .*: ';' is a second command}],
	["portfw -f 'x\n", q{1: portfw -f 'x: a ' is open at the end of the line}],
	["portfw -f \033[2Jx\n", q{1: portfw -f \?\[2Jx: a control character \(0x1b\)}],
	["portfw -f " . 'x' x 300 . "\n", q{1: portfw -f x{100,150}\.\.\.: unexpected argument "x+"}],
	["portfw -f\n/sbin/ipmasqadm portfw -a \\\n  -P tcp \\\r\n -L 198.51.100.1\\\n", '2: portfw -a   -P tcp  -L 198.51.100.1: -L takes LADDR LPORT: LPORT is missing'],
	["portfw -f\n" x 4710 . "portfw -k\n" . "portfw -f\n" x 100, '4711: portfw -k: unknown option -k'],
);

subtest 'a mistake anywhere: nothing is sent' => sub {
	my $k = kernel();
	for my $case (@wrong) {
		my ($text, $why) = @$case;
		file($text);
		for my $how ([], ['--check']) {
			my $r = $k->run('restore', @$how, $mine);
			is($r->{status}, 2, "@$how: $why");
			like($r->{err}, qr/\Aipmasqadm: restore: \Q$mine\E:$why[^\n]*\n\z/, 'the message');
			is($r->{out}, '', 'nothing is printed');
			is_deeply([grep { command_of($_) ne 'NONE' } @{$r->{sent}}], [], 'nothing is sent');
		}
	}
};

subtest 'what editors of other systems write' => sub {
	my $k = kernel();
	my $add = 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80';
	for (
		['a byte order mark', "\xef\xbb\xbf$add\n"],
		['... before a comment', "\xef\xbb\xbf# forwards\n$add\n"],
		['lines that end in CR', "portfw -f\r$add\rmfw -F"],
		['... with a continuation line', "portfw -f\r# x\r\r" . $add =~ s/ -R/ \\\r -R/r . "\r"],
	) {
		my ($name, $text) = @$_;
		$k->module('portfw');
		my $r = $k->run('restore', file($text));
		is("$r->{status}$r->{err}$r->{out}", '0', $name);
		is(() = $k->state('ip_masq/portfw') =~ /^TCP  C6336401    80 > 0A000002    80 /mg, 1, '... is restored');
	}
	for (
		["\xef\xbb\xbfportfw -x\n", '1: portfw -x'],
		["portfw -f\rmfw -x\rmfw -F\r", '2: mfw -x'],
		["portfw -f\n\xef\xbb\xbfmfw -F\n", "2: ???mfw -F: neither ipmasqadm nor"],
	) {
		my ($text, $why) = @$_;
		my $r = $k->run('restore', file($text));
		is($r->{status}, 2, $why);
		like($r->{err}, qr/\Aipmasqadm: restore: \Q$mine\E:\Q$why\E[^\n]*\n\z/, 'the message');
	}
};

subtest 'names are looked up once, and before the kernel is asked' => sub {
	my $k = kernel();
	my $record = "$k->{dir}/record";
	$k->{env}{LD_PRELOAD} = join ' ', grep { length } $ENV{PRELOAD} // '', map { "$Fake::build/tests/$_.so" } qw(fake resolver);
	$k->{env}{RESOLVER_NAMES} = 'mail=10.0.0.3,web=10.0.0.2';
	$k->{env}{RESOLVER_RECORD} = $record;
	my $did = sub { [map { /^lookup/ ? $_ : command_of($_) } @{$_[0]{sent}}] };

	file("portfw -a -P tcp -L 198.51.100.1 80 -R web 80\nmfw -A -m 1 -r mail\n");
	my $r = $k->run('restore', $mine);
	is("$r->{status}$r->{err}", '0', 'restored');
	is_deeply($did->($r), ['lookup web', 'lookup mail', 'NONE', 'ADD', 'ADD'], 'in this order');
	like($k->state('ip_masq/mfw'), qr/^0x1 > 0A000003 /m, 'the address');

	file("portfw -a -P tcp -L 198.51.100.1 81 -R web 80\nmfw -A -m 1 -r nobody\n");
	for my $how ([], ['--check']) {
		$r = $k->run('restore', @$how, $mine);
		is($r->{status}, 2, "@$how: a name that is unknown");
		like($r->{err}, qr/\Aipmasqadm: restore: \Q$mine\E:2: mfw -A -m 1 -r nobody: host nobody: [^\n]+\n\z/, 'the message');
		is_deeply($did->($r), ['lookup web', 'lookup nobody'], 'no kernel is asked');
	}
	file("portfw -a -P tcp -L 2001:db8::1 81 -R web 80\n");
	$r = $k->run('restore', $mine);
	is($r->{err}, "ipmasqadm: restore: $mine:1: portfw -a -P tcp -L 2001:db8::1 81 -R web 80: host web: it has no IPv6 address, as the other address is\n",
		'a name that has no address of the family');
	is_deeply($did->($r), ['lookup web'], '... is looked up once');
};

subtest 'what 0.4.2 took' => sub {
	my $k = kernel();
	my $r = $k->run('restore', file(<<'END'));
portfw -f -P tcp -p 0
mfw -F -p 0
mfw -F -r 0.0.0.0
autofw -F -u
portfw -n -a -n -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 3 -p 4
mfw -A -m 1 -m 2 -r 10.0.0.2
autofw -A -p tcp 8080 10.0.0.2:80 -h 10.0.0.3
autofw -A -h 10.0.0.3 -p tcp 8081 10.0.0.2:81
autofw -A -d udp 100 200 -h 10.0.0.9
END
	is("$r->{status}$r->{err}", '0', 'restored');
	is($k->run('save')->{out}, join('', @flushes, map { "ipmasqadm $_\n" } split /\n/, <<'END'), 'as it was meant');
portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 4
mfw -A -m 2 -r 10.0.0.2 -p 10
autofw -A -p tcp 8080 10.0.0.3:80
autofw -A -p tcp 8081 10.0.0.2:81
autofw -A -d udp 100 200 -h 10.0.0.9
END
	is($k->run('save', '-')->{out}, $k->run('save')->{out}, '- is standard output');
	ok(!-e '-', '... and no file');
	is($k->run(qw(portfw -lnn))->{status}, 0, 'portfw -lnn');
};

subtest '--check asks no kernel' => sub {
	my $k = kernel(FAKE_SOCKET => 'EPERM');
	file("portfw -f\nportfw -d -P tcp -L 198.51.100.1 80\n");
	my $r = $k->run(qw(restore --check), $mine);
	is("$r->{status}$r->{err}$r->{out}", '0', 'right without one');
	is_deeply($r->{sent}, [], 'nothing is sent');
	isnt($k->under([qw(env IPMASQADM_TRANSPORT=sockopt)], 'restore', $mine)->{status}, 0, 'there is none');
};

subtest 'one command at a time, and it says how far it got' => sub {
	my $k = kernel();
	file(<<'END');
portfw -f
portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80

portfw -d -P tcp -L 198.51.100.1 81
portfw -a -P tcp -L 198.51.100.1 82 -R 10.0.0.2 80
END
	my $r = $k->run('restore', $mine);
	is($r->{status}, 1, 'exit 1');
	like($r->{err}, qr/\Aipmasqadm: restore: \Q$mine\E:4: portfw -d -P tcp -L 198\.51\.100\.1 81: no forward on tcp 198\.51\.100\.1:81 \(.*the 2 before it are done, none after it\)\n\z/, 'the message');
	my $state = $k->state('ip_masq/portfw');
	like($state, qr/^TCP  C6336401    80 /m, 'what was before');
	unlike($state, qr/ 82 /, 'nothing after');
	$r = $k->run(qw(restore --dry-run), $mine);
	is($r->{status}, 1, 'no dry run there');
	like($r->{err}, qr/\Aipmasqadm: restore: [^\n]*dry run[^\n]*\n\z/, 'the message');
	my $cannot = 'the masquerading modules of this kernel cannot end running connections: leave --cut out';
	for (['restore', '--cut', $mine], [qw(portfw -f --cut)]) {
		$r = $k->run(@$_);
		is("$r->{status}$r->{err}", "1ipmasqadm: $_->[0]: $cannot\n", "$_->[0] --cut");
		is((grep { command_of($_) ne 'NONE' } @{ $r->{sent} }), 0, '... and nothing is sent');
	}
};

subtest 'options' => sub {
	my $k = kernel();
	for my $module (qw(save restore)) {
		for my $option (qw(-h --help)) {
			my $r = $k->run($module, $option);
			is("$r->{status}$r->{err}", '0', "$module $option");
			like($r->{out}, qr/^usage: ipmasqadm $module .*FILE/m, 'help');
		}
		for my $argv (['-x'], ['--bogus'], ['a', 'b'], ['']) {
			my $r = $k->run($module, @$argv);
			is($r->{status}, 2, "$module @$argv");
			like($r->{err}, qr/\Aipmasqadm: $module: [^\n]+\n\z/, 'one message');
		}
	}
	is($k->run(qw(restore --check --dry-run), $mine)->{status}, 2, 'one of --check and --dry-run');
};

subtest 'what cannot be read' => sub {
	my $k = kernel();
	for ([$dir, 'Is a directory'], ["$dir/none", 'No such file or directory']) {
		my ($path, $why) = @$_;
		my $r = $k->run('restore', "$path");
		is($r->{status}, 1, $path);
		is($r->{err}, "ipmasqadm: restore: $path: $why\n", $why);
	}
	my $r = $k->under(['sh', '-c', 'exec "$0" restore </dev/zero']);
	is($r->{err}, "ipmasqadm: restore: standard input: File too large\n", 'without an end');
	$r = $k->under(['sh', '-c', 'exec "$0" restore <&-']);
	is($r->{err}, "ipmasqadm: restore: standard input: Bad file descriptor\n", 'no standard input');
};

# Services in any order; in one of them, the order in which targets serve.
my $state = $header{portfw} . join '', map { sprintf "%-63s\n", $_ } (
	'UDP  C6336401    53 > 0A000003    53     3    10',
	'TCP  C6336401    80 > 0A000002  8080     1    20',
	'TCP  00000000    80 > 0A000002    80    10    10',
	'TCP  C6336401    80 > 0A000003  8080    10    10',
	'TCP  0A000001    80 > 0A000002  8080     5     5',
	'TCP  C6336401    22 > 0A000002    22    10    10',
	'TCP  C6336401    80 > 0A000001  8080     1     1',
);
my $mfw = $header{mfw} . join '', map { sprintf "%-63s\n", $_ } (
	'0x10 > 0A000002     0    10    10',
	'0x1 > 0A000003    80     7    10',
	'0x1 > 0A000002     0     0     0',
	'0x1 > 0A000003    80    10    10',
);
my $autofw = $header{autofw} . <<'END';
   1   11 1B3A-1C02/0000 0000 00000000 00000000 0006 1B9E      0    6
   1    6 1B3A-1C02/0000 0000 0A000005 CB007105 0006 1B9E    500    1
   1    6 0064-0064/0000 0000 0A000002 00000000 0000 0000      0    0
   2    6 0000-0000/1F90 0050 0A000002 00000000 0000 0000      0    2
   3   11 0064-00C8/0000 0000 00000000 00000000 0000 0000      0    2
END
my @saved = map { "ipmasqadm $_\n" } split /\n/, <<'END';
portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80 -p 10
portfw -a -P tcp -L 10.0.0.1 80 -R 10.0.0.2 8080 -p 5
portfw -a -P tcp -L 198.51.100.1 22 -R 10.0.0.2 22 -p 10
portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.1 8080 -p 1
portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 8080 -p 10
portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080 -p 20
portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.3 53 -p 10
mfw -A -m 1 -r 10.0.0.3 80 -p 10
mfw -A -m 1 -r 10.0.0.2 -p 0 # drained
mfw -A -m 1 -r 10.0.0.3 80 -p 10
mfw -A -m 16 -r 10.0.0.2 -p 10
autofw -A -d udp 100 200
autofw -A -p tcp 8080 10.0.0.2:80
autofw -A -r tcp 100 100 -h 10.0.0.2 -u
autofw -A -r tcp 6970 7170 -c tcp 7070 -i -u
autofw -A -r udp 6970 7170 -c tcp 7070
END

sub full { return kernel()->file('ip_masq/portfw', $state)->file('ip_masq/mfw', $mfw)->file('ip_masq/autofw', $autofw) }

subtest 'save' => sub {
	my $k = full();
	my $r = $k->run('save');
	is("$r->{status}$r->{err}", '0', 'saved');
	is($r->{out}, join('', @flushes, @saved), 'the lines');

	my $other = kernel();
	my $again = $other->run('restore', file($r->{out}));
	is("$again->{status}$again->{err}", '0', 'restored on another kernel');
	is($other->run('save')->{out}, $r->{out}, 'and saved there');
	my @targets = grep { /C6336401    80/ } split /\n/, $other->state('ip_masq/portfw');
	is_deeply([map { (split)[4] } @targets], [qw(0A000002 0A000003 0A000001)], 'targets serve in the same order');

	$again = $other->run(qw(restore --check), $mine);
	is("$again->{status}$again->{err}", '0', 'restored once more, it still is');

	$r = $k->run(qw(save --header));
	like($r->{out}, qr/\A# ipmasqadm \d+\.\d+\.\d+, \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n/, 'a header if asked for');
	is($r->{out} =~ s/\A.*\n//r, join('', @flushes, @saved), 'and the same lines');
	is($k->run('restore', file($r->{out}))->{status}, 0, 'which restore takes');

	$k->file('ip_masq/autofw', $header{autofw} . "   1    6 0064-0064/0000 0000 00000000 00000000 0000 0000      0    2\n");
	$r = $k->run('save');
	like($r->{out}, qr/^# leads nowhere: ipmasqadm autofw -A -r tcp 100 100/m, 'what cannot be restored is a comment');
	is($k->run(qw(restore --check), file($r->{out}))->{status}, 0, 'and restore takes it');

	$k->file('ip_masq/portfw', sprintf "%s%-63s\n%-63s\n", $header{portfw}, 'TCP  C6336401    80 > 0A000002  8080    -5    -5',
		'TCP  C6336401    81 > 00000000  8080    10    10');
	$r = $k->run('save');
	like($r->{out}, qr/^# leads nowhere: ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080 -p \d+\n/m, 'nor is a pref below zero a command');
	like($r->{out}, qr/^# leads nowhere: ipmasqadm portfw -a -P tcp -L 198.51.100.1 81 -R 0.0.0.0 8080 -p 10\n/m, 'nor no host');
};

subtest 'modules that are not there' => sub {
	my $k = full()->file('ip_masq/mfw', undef)->file('ip_masq/autofw', undef);
	my $r = $k->run('save');
	is("$r->{status}$r->{err}", '0', 'saved');
	is($r->{out}, join('', grep { / portfw / } @flushes, @saved), 'portfw alone');

	$k->file('ip_masq/portfw', undef);
	file("old\n");
	$r = $k->run('save', $mine);
	is($r->{status}, 1, 'no module at all');
	like($r->{err}, qr/\Aipmasqadm: save: [^\n]*none of portfw, mfw and autofw\n\z/, 'the message');
	is(read_file($mine), "old\n", 'the older save stays');

	$r = full()->file('ip_masq/mfw', "junk\n")->run('save', $mine);
	is($r->{status}, 1, 'a state file that makes no sense');
	like($r->{err}, qr/\Aipmasqadm: save: mfw: [^\n]+\n\z/, 'the message');
	is(read_file($mine), "old\n", 'the older save stays');
};

subtest 'into a file' => sub {
	my $k = full();
	my $want = join '', @flushes, @saved;
	umask 0022;

	unlink $mine;
	my $r = $k->run('save', $mine);
	is("$r->{status}$r->{err}$r->{out}", '0', 'a new file');
	is(read_file($mine), $want, 'the lines');
	is(mode($mine), '0600', 'nobody else reads it');

	file("old\n");
	chmod 0644, $mine;
	my $inode = (stat $mine)[1];
	is($k->run('save', $mine)->{status}, 0, 'an old file');
	is(read_file($mine), $want, 'is replaced');
	isnt((stat $mine)[1], $inode, 'as a whole');
	is(mode($mine), '0644', 'and keeps its mode');
	SKIP: {
		skip 'not root, or none but root here', 2 unless chown 65534, 65534, $mine;
		chmod 0640, $mine;
		$k->run('save', $mine);
		is(join(' ', (stat $mine)[4, 5]), '65534 65534', 'its owner');
		is(mode($mine), '0640', 'and mode');
		chown $>, $), $mine;
	}

	$r = $k->under(['sh', '-c', "{ echo before; \"\$0\" save /dev/stdout; echo after; } >$mine"]);
	is("$r->{status}$r->{err}", '0', 'standard output');
	is(read_file($mine), "before\n${want}after\n", 'is written to, not replaced');

	$r = $k->under(['sh', '-c', "cd $dir && exec \"\$0\" save forwards"]);
	is("$r->{status}$r->{err}", '0', 'a name without a directory');
	is(leftovers(), '', 'nothing else is left');
};

subtest 'behind symbolic links' => sub {
	my $k = full();
	my $want = join '', @flushes, @saved;
	mkdir "$dir/real";
	mkdir "$dir/links";
	my %link = (absolute => "$dir/real/file", relative => '../real/file', twice => 'relative');
	symlink $link{$_}, "$dir/links/$_" for keys %link;
	for my $name (sort keys %link) {
		spew("$dir/real/file", "old\n");
		chmod 0604, "$dir/real/file";
		my $r = $k->run('save', "$dir/links/$name");
		is("$r->{status}$r->{err}", '0', $name);
		is(readlink "$dir/links/$name", $link{$name}, 'the link stays');
		is(read_file("$dir/real/file"), $want, 'the file behind it is replaced');
		is(mode("$dir/real/file"), '0604', 'and keeps its mode');
	}
	unlink "$dir/real/file";
	is($k->run('save', "$dir/links/twice")->{status}, 0, 'nothing behind it');
	is(read_file("$dir/real/file"), $want, 'there is now');
	is(mode("$dir/real/file"), '0600', 'with a mode of its own');

	symlink 'loop', "$dir/links/loop";
	symlink '/nowhere/file', "$dir/links/dangling";
	my $r = $k->run('save', "$dir/links/loop");
	is($r->{err}, "ipmasqadm: save: $dir/links/loop: Too many levels of symbolic links\n", 'a loop');
	$r = $k->run('save', "$dir/links/dangling");
	is($r->{err}, "ipmasqadm: save: $dir/links/dangling: No such file or directory\n", 'no directory behind it');

	SKIP: {
		mkdir "$dir/open";
		chmod 01777, "$dir/open";
		symlink "$dir/real/file", "$dir/open/link";
		spew("$dir/real/file", "old\n");
		is($k->run('save', "$dir/open/link")->{status}, 0, 'my own link where everybody writes');
		my $theirs = system('chown', '-h', '65534', "$dir/open/link");
		skip 'not root, or none but root here', 7 if $theirs;
		spew("$dir/real/file", "old\n");
		$r = $k->run('save', "$dir/open/link");
		is($r->{status}, 1, "somebody else's there");
		like($r->{err}, qr/\Aipmasqadm: save: \Q$dir\E\/open\/link: .*(somebody else|Permission denied)[^\n]*\n\z/, 'is not followed');
		is(read_file("$dir/real/file"), "old\n", 'the file behind it stays');

		spew("$dir/open/file", "old\n");
		is($k->run('save', "$dir/open/file")->{status}, 0, 'my own file where everybody writes');
		spew("$dir/open/file", "old\n");
		chown 65534, 65534, "$dir/open/file" or die $!;
		$r = $k->run('save', "$dir/open/file");
		is($r->{status}, 1, "somebody else's there");
		is($r->{err}, "ipmasqadm: save: $dir/open/file: a file that somebody else put there: not replaced; remove it, or save elsewhere\n", 'is not replaced');
		is(read_file("$dir/open/file"), "old\n", '... and stays');
	}
	is(leftovers(), '', 'nothing else is left');
};

subtest 'what is no file' => sub {
	my $k = full();
	require POSIX;
	POSIX::mkfifo("$dir/fifo", 0600);
	symlink '/dev/null', "$dir/null";
	for (["$dir", 'Is a directory'], ["$dir/", 'Is a directory'], ["$dir/none/", 'No such file or directory'],
	     ["$dir/none/x", 'No such file or directory'], ["$dir/fifo", 'not a regular file'],
	     ["$dir/null", 'not a regular file'], ["$mine/x", 'Not a directory']) {
		my ($path, $why) = @$_;
		my $r = $k->run('save', $path);
		is($r->{status}, 1, $path);
		is($r->{err}, "ipmasqadm: save: $path: $why\n", $why);
	}
	ok(-l "$dir/null" && -c '/dev/null', '/dev/null is what it was');
	is(leftovers(), '', 'nothing is left');
};

subtest 'no room' => sub {
	my $k = full();
	my $r = $k->under(['sh', '-c', 'exec "$0" save >/dev/full']);
	is($r->{status}, 1, 'on standard output');
	is($r->{err}, "ipmasqadm: save: cannot write: No space left on device\n", 'the message');
	file("old\n");
	$r = $k->under(['sh', '-c', "ulimit -f 1; exec \"\$0\" save $mine"]);
	is($r->{status}, 1, 'in a file');
	is($r->{err}, "ipmasqadm: save: $mine: File too large\n", 'the message');
	is(read_file($mine), "old\n", 'the older save stays');
	is(leftovers(), '', 'nothing is left');
};

done_testing;
