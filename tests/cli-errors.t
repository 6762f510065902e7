#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# On a kernel with masquerading modules: what worked says nothing, what did not is told, with its cause.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use Test::More;

my @add = qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080);
my @del = qw(portfw -d -P tcp -L 198.51.100.1 80);
my $forward = 'tcp 198.51.100.1:80 to 10.0.0.2:8080';
my $row = sprintf "%-63s\n", 'TCP  C6336401    80 > 0A000002  8080    10    10';
my @range = qw(autofw -A -r udp 6970 7170 -c tcp 7070);

# A fresh 2.2 with all modules loaded and empty tables, and the transport forced.
sub fresh {
	my (%env) = @_;
	return Fake->new(FAKE_KERNEL => '2.2', IPMASQADM_TRANSPORT => 'sockopt', %env)
		->module(qw(portfw mfw autofw));
}

# Says yes and does nothing.
sub deaf { fresh(FAKE_KERNEL => undef, @_) }

# Succeeds; nothing on stderr, and on stdout only what is expected.
sub good {
	my ($k, $argv, $out) = @_;
	my $r = $k->run(@$argv);
	is_deeply([@$r{qw(status err out)}], [0, '', $out // ''], "@$argv");
}

# Fails with that status, and those words after "ipmasqadm: MODULE: ", on one line.
sub bad {
	my ($k, $argv, $text, $status, $name) = @_;
	my $r = $k->run(@$argv);
	$text = "ipmasqadm: $argv->[0]: $text" if !ref $text;
	$name //= '';
	ref $text ? like($r->{err}, $text, "@$argv: $name")
	          : is($r->{err}, "$text\n", "@$argv: $name");
	is_deeply([@$r{qw(status out)}], [$status // 1, ''], '... its status, and no output');
	return $r;
}

sub sent {
	my ($r, @want) = @_;
	is_deeply([map { command_of($_) } @{ $r->{sent} }], \@want,
		'... sent: ' . (join(' ', @want) || 'nothing'));
}

my $portfw_title = "prot localaddr            rediraddr               lport    rport  pcnt  pref\n";
my $mfw_title = "fwmark   rediraddr               rport  pcnt  pref\n";

subtest 'portfw, from the first add to the last delete' => sub {
	my $k = fresh();
	my @l = qw(portfw -l -n);
	my $line = sub {
		return sprintf "%-4s %-20s %-20s %8s %8s %5d %5d\n", @_;
	};
	good($k, \@l, $portfw_title);
	# without a target it edits what is there; 2.2 would have added a forward to nowhere
	my @edit = qw(portfw -a -P tcp -L 198.51.100.1 80 -p 7);
	sent(bad($k, \@edit, 'no forward on tcp 198.51.100.1:80 to edit, and no target to add: '
		. 'give one with -R RADDR RPORT'));
	good($k, \@add);
	good($k, \@edit);
	good($k, \@l, $portfw_title . $line->('TCP', '198.51.100.1', '10.0.0.2', 80, 8080, 7, 7));
	good($k, \@add);
	is($k->state('ip_masq/portfw'), $header{portfw} . $row, 'as the kernel has it');
	good($k, \@l, $portfw_title . $line->('TCP', '198.51.100.1', '10.0.0.2', 80, 8080, 10, 10));
	good($k, \@add);
	good($k, [@add, '-p', 3]);
	good($k, \@l, $portfw_title . $line->('TCP', '198.51.100.1', '10.0.0.2', 80, 8080, 3, 3));
	good($k, [qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 8080)]);
	good($k, [qw(portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.4 53)]);
	good($k, \@l, $portfw_title
		. $line->('UDP', '198.51.100.1', '10.0.0.4', 53, 53, 10, 10)
		. $line->('TCP', '198.51.100.1', '10.0.0.3', 80, 8080, 10, 10)
		. $line->('TCP', '198.51.100.1', '10.0.0.2', 80, 8080, 3, 3));
	good($k, [qw(portfw -d -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080)]);
	good($k, \@del);
	bad($k, \@del, 'no forward on tcp 198.51.100.1:80');
	bad($k, [qw(portfw -d -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080)], "no forward on $forward");
	good($k, [qw(portfw -f)]);
	good($k, \@l, $portfw_title);
	good($k, [qw(portfw -f)]);
};

subtest 'mfw, from the first add to the last delete' => sub {
	my $k = fresh();
	my @l = qw(mfw -L -n);
	my $line = sub { sprintf "%-8u %-20s %8s %5d %5d\n", @_ };
	good($k, [qw(mfw -A -m 1 -r 10.0.0.2 80)]);
	good($k, [qw(mfw -A -m 1 -r 10.0.0.3 -p 20)]);
	good($k, [qw(mfw -I -m 1 -r 10.0.0.4 80)]);
	good($k, [qw(mfw -A -m 17 -r 10.0.0.5 80)]);
	good($k, [qw(mfw -A -m 2 -r 10.0.0.6 80 -p 0)]);
	good($k, \@l, $mfw_title
		. $line->(17, '10.0.0.5', 80, 10, 10)
		. $line->(1, '10.0.0.4', 80, 10, 10)
		. $line->(1, '10.0.0.2', 80, 10, 10)
		. $line->(1, '10.0.0.3', 0, 20, 20)
		. $line->(2, '10.0.0.6', 80, 0, 0));
	good($k, [qw(mfw -S -m 1)]);
	good($k, [qw(mfw -E -m 1 -r 10.0.0.2 -p 7)]);
	good($k, [qw(mfw -D -m 17)]);
	good($k, [qw(mfw -D -m 2 -r 10.0.0.6 80)]);
	good($k, \@l, $mfw_title
		. $line->(1, '10.0.0.2', 80, 7, 7)
		. $line->(1, '10.0.0.3', 0, 20, 20)
		. $line->(1, '10.0.0.4', 80, 10, 10));
	# twice the same is two
	good($k, [qw(mfw -A -m 1 -r 10.0.0.2 80 -p 7)]);
	bad($k, [qw(mfw -D -m 2)], 'no forward on mark 2');
	bad($k, [qw(mfw -D -m 1 -r 10.0.0.9)], 'no forward on mark 1 to 10.0.0.9');
	bad($k, [qw(mfw -E -m 2 -p 5)], 'no forward on mark 2', 1, 'EINVAL');
	bad($k, [qw(mfw -E -m 1 -r 10.0.0.2 81 -p 5)], 'no forward on mark 1 to 10.0.0.2:81', 1, 'ESRCH');
	bad($k, [qw(mfw -S -m 2)], 'no forward on mark 2');
	good($k, [qw(mfw -D -m 1)]);
	good($k, [qw(mfw -F)]);
	good($k, \@l, $mfw_title);
};

subtest 'autofw, from the first add to the last delete' => sub {
	my $k = fresh();
	good($k, \@range);
	good($k, \@range);
	good($k, [qw(autofw -A -p tcp 8080 10.0.0.2:80)]);
	good($k, [qw(autofw -A -d tcp 1024 2048)]);
	is($k->state('ip_masq/autofw'), $header{autofw}
		. "   3    6 0400-0800/0000 0000 00000000 00000000 0000 0000      0    2\n"
		. "   2    6 0000-0000/1F90 0050 0A000002 00000000 0000 0000      0    2\n"
		. "   1   11 1B3A-1C02/0000 0000 00000000 00000000 0006 1B9E      0    6\n" x 2,
		'as the kernel has it');
	my $r = $k->run(qw(autofw -L -n));
	is_deeply([@$r{qw(status err)}], [0, ''], 'listed');
	is(() = $r->{out} =~ /\n/g, 5, '... title and four rows');
	my @delete = @range;
	$delete[1] = '-D';
	good($k, \@delete);
	good($k, \@delete);
	bad($k, \@delete, 'no entry range udp 6970-7170 control tcp 7070');
	bad($k, [qw(autofw -D -p tcp 8080 10.0.0.3:80)], 'no entry port tcp 8080 to 10.0.0.3:80');
	good($k, [qw(autofw -D -d tcp 1024 2048)]);
	good($k, [qw(autofw -F)]);
	is($k->state('ip_masq/autofw'), $header{autofw}, 'empty');

	# the kernel compares an entry's receiver, too, and the message names none
	$k->file('ip_masq/autofw', $header{autofw}
		. "   1   11 1B3A-1C02/0000 0000 0A000002 C6336401 0006 1B9E   1500    7\n");
	bad($k, \@delete, 'the kernel reported no error but kept range udp 6970-7170 control tcp 7070, '
		. "because it has a receiver, 10.0.0.2: delete it when the receiver is gone, 15 seconds after the "
		. "control connection's last packet");
};

subtest 'a kernel that says yes and does nothing' => sub {
	my $k = deaf();
	my $nothing = ': it is not in /proc/net/ip_masq';
	sent(bad($k, \@add, "the kernel reported no error but did not add $forward$nothing/portfw"), 'ADD');
	sent(bad($k, \@del, 'no forward on tcp 198.51.100.1:80'), 'DEL');
	sent(bad($k, [qw(mfw -A -m 1 -r 10.0.0.2 80)],
		"the kernel reported no error but did not add mark 1 to 10.0.0.2:80$nothing/mfw"), 'ADD');
	sent(bad($k, [qw(mfw -I -m 1 -r 10.0.0.2)],
		"the kernel reported no error but did not add mark 1 to 10.0.0.2$nothing/mfw"), 'INSERT');
	sent(bad($k, [qw(mfw -E -m 1 -p 5)], 'no forward on mark 1'), 'SET');
	sent(bad($k, [qw(mfw -D -m 1)], 'no forward on mark 1'), 'DEL');
	sent(bad($k, \@range,
		"the kernel reported no error but did not add range udp 6970-7170 control tcp 7070$nothing/autofw"), 'ADD');
	sent(bad($k, [qw(autofw -D -d tcp 1 2)], 'no entry direct tcp 1-2'), 'DEL');

	$k->file('ip_masq/portfw', $header{portfw} . $row);
	good($k, \@add);
	bad($k, [@add, '-p', 7], "the kernel reported no error but kept the old pref of $forward");
	$k->file('ip_masq/portfw', $header{portfw} . $row
		. "TCP  C6336402    80 > 0A000002  8080     7     7\n");
	bad($k, [qw(portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 8080 -p 7)], 'the kernel reported no '
		. 'error but kept the old pref of tcp 0.0.0.0:80 to 10.0.0.2:8080', 1, 'of one of two');
	bad($k, \@del, 'the kernel reported no error but kept tcp 198.51.100.1:80: '
		. 'it is still in /proc/net/ip_masq/portfw');
	bad($k, [qw(portfw -f)], 'the kernel reported no error but kept everything: '
		. 'it is still in /proc/net/ip_masq/portfw');

	$k->file('ip_masq/mfw', $header{mfw} . "0x1 > 0A000002    80    10    10\n");
	bad($k, [qw(mfw -A -m 1 -r 10.0.0.2 80)],
		"the kernel reported no error but did not add mark 1 to 10.0.0.2:80$nothing/mfw", 1, 'one more of the same');
	bad($k, [qw(mfw -A -m 1 -r 10.0.0.2)],
		"the kernel reported no error but did not add mark 1 to 10.0.0.2$nothing/mfw", 1, 'not that port');
	bad($k, [qw(mfw -E -m 1 -p 7)], 'the kernel reported no error but kept the old pref of mark 1');
	bad($k, [qw(mfw -D -m 1)], 'the kernel reported no error but kept mark 1: '
		. 'it is still in /proc/net/ip_masq/mfw');
	bad($k, [qw(mfw -F)], 'the kernel reported no error but kept everything: '
		. 'it is still in /proc/net/ip_masq/mfw');

	$k->file('ip_masq/autofw', $header{autofw}
		. "   3    6 0400-0800/0000 0000 00000000 00000000 0000 0000      0    2\n");
	bad($k, [qw(autofw -A -d tcp 1024 2048)],
		"the kernel reported no error but did not add direct tcp 1024-2048$nothing/autofw", 1, 'one more of the same');
	bad($k, [qw(autofw -D -d tcp 1024 2048)], 'the kernel reported no error but kept '
		. 'direct tcp 1024-2048: it is still in /proc/net/ip_masq/autofw');
};

subtest 'ports from 61000 on are those of masquerading' => sub {
	my $k = fresh();
	good($k, [qw(portfw -a -P udp -L 198.51.100.1 60999 -R 10.0.0.2 60999)]);
	for my $port (61000, 65535) {
		bad($k, [qw(portfw -a -P udp -L 198.51.100.1), $port, qw(-R 10.0.0.2 80)],
			"the kernel did not add udp 198.51.100.1:$port to 10.0.0.2:80: it takes "
			. "local ports from 1 to 60999, not $port");
	}
	good($k, [qw(portfw -a -P udp -L 198.51.100.1 53 -R 10.0.0.2 65535)]);
};

subtest 'what the kernel answers' => sub {
	my $all = [\@add, \@del, [qw(portfw -f)], [qw(portfw -l)], [qw(mfw -A -m 1 -r 10.0.0.2)],
		[qw(mfw -E -m 1 -p 5)], [qw(mfw -L)], \@range, [qw(autofw -F)], [qw(autofw -L)]];
	my $k = deaf(FAKE_ANSWER => '*=EPERM');
	bad($k, $_, 'the kernel wants CAP_NET_ADMIN: run this as root', 1, 'EPERM') for @$all;
	$k = deaf(FAKE_ANSWER => '*=ENOPROTOOPT');
	bad($k, $_, 'this kernel has no masquerading modules; nf_tables is used when '
		. 'IPMASQADM_TRANSPORT is not set to sockopt', 1, 'ENOPROTOOPT') for @$all;

	$k = deaf(FAKE_ANSWER => 'ADD=ENOMEM,DEL=ESRCH,FLUSH=EIO');
	bad($k, \@add, "the kernel refused $forward: Cannot allocate memory");
	bad($k, \@del, 'no forward on tcp 198.51.100.1:80');
	bad($k, [qw(portfw -f)], 'the kernel refused everything: Input/output error');
	good($k, [qw(portfw -l -n)], $portfw_title);
	$k = deaf(FAKE_ANSWER => '*=EINVAL');
	bad($k, \@add, "the kernel refused $forward: Invalid argument");
	bad($k, [qw(mfw -A -m 1 -r 10.0.0.2)], 'the kernel refused mark 1 to 10.0.0.2: Invalid argument');
	bad($k, [qw(mfw -D -m 1)], 'no forward on mark 1');
	bad($k, [qw(mfw -E -m 1 -p 5)], 'no forward on mark 1');
	# a peek need not be understood for a file to be read
	good($k, [qw(portfw -l -n)], $portfw_title);
};

my $no_module = sub {
	"this kernel has no module ip_masq_$_[0], or has not loaded it: there is no "
		. "/proc/net/ip_masq/$_[0]; try modprobe ip_masq_$_[0]";
};

subtest 'modules that are not there' => sub {
	my $k = fresh();
	$k->file("ip_masq/$_", undef) for qw(portfw mfw autofw);
	sent(bad($k, \@add, $no_module->('portfw')), 'ADD');
	sent(bad($k, \@del, $no_module->('portfw')), 'DEL');
	sent(bad($k, [qw(portfw -f)], $no_module->('portfw')), 'FLUSH');
	sent(bad($k, [qw(portfw -l)], $no_module->('portfw')), 'NONE');
	bad($k, [qw(mfw -A -m 1 -r 10.0.0.2)], $no_module->('mfw'));
	bad($k, [qw(mfw -D -m 1)], $no_module->('mfw'));
	bad($k, [qw(mfw -S -m 1)], $no_module->('mfw'));
	bad($k, [qw(mfw -L)], $no_module->('mfw'));
	bad($k, \@range, $no_module->('autofw'));
	bad($k, [qw(autofw -F)], $no_module->('autofw'));
	bad($k, [qw(autofw -L)], $no_module->('autofw'));
	$k->{env}{FAKE_ANSWER} = '*=ENOENT';
	bad($k, \@add, $no_module->('portfw'), 1, 'ENOENT');

	# the kernel loads a module when it is spoken to
	$k = fresh(FAKE_LOADS => 'portfw');
	$k->file('ip_masq/portfw', undef);
	good($k, [qw(portfw -l -n)], $portfw_title);
	$k->file('ip_masq/portfw', undef);
	good($k, \@add);
	$k->file('ip_masq/portfw', undef);
	good($k, [qw(portfw -f)]);
	$k->file('ip_masq/portfw', undef);
	bad($k, \@del, 'no forward on tcp 198.51.100.1:80');
};

subtest 'where early kernels have the file' => sub {
	my $k = fresh();
	$k->file('ip_masq/portfw', undef)->file('ip_portfw', $header{portfw});
	good($k, \@add);
	is($k->state('ip_portfw'), $header{portfw} . $row, 'as the kernel has it');
	good($k, \@del);
	# no second look where the first file can be opened
	$k->module('portfw')->file('ip_portfw', $header{portfw} . $row);
	good($k, [qw(portfw -l -n)], $portfw_title);
	bad($k, \@del, 'no forward on tcp 198.51.100.1:80');
	$k->file('ip_portfw', "junk\n");
	good($k, [qw(portfw -l -n)], $portfw_title);
	$k->file('ip_masq/portfw', undef);
	bad($k, [qw(portfw -l)],
		'/proc/net/ip_portfw, line 1: neither the header nor a row of this file: "junk"');
};

subtest 'state files that are none' => sub {
	my $k = deaf();
	my %list = (portfw => '-l', mfw => '-L', autofw => '-L');
	for my $module (qw(portfw mfw autofw)) {
		my @list = ($module, $list{$module}, '-n');
		my $path = "/proc/net/ip_masq/$module";
		my $file = sub {
			my ($text, $error, $name) = @_;
			$k->file("ip_masq/$module", $text);
			bad($k, \@list, "$path, $error", 1, $name);
		};
		$file->('', 'line 1: empty: ""', 'empty');
		$file->("\n", 'line 1: neither the header nor a row of this file: ""', 'blank');
		$file->("\0" x 300 . "\n", 'line 1: too long: "' . '?' x 100 . '"', 'zeros');
		$file->($header{$module} =~ s/\n//r, 'line 1: truncated: "'
			. $header{$module} =~ s/ *\n//r . '"', 'cut off');
		$file->("$header{$module}junk\n", 'line 2: too few fields: "junk"', 'junk');
		$file->("$header{$module}\e]0;oops\a\n", 'line 2: too few fields: "?]0;oops?"',
			'a terminal');
		$file->($header{$module} . 'x' x 5000 . "\n", 'line 2: too long: "' . 'x' x 100 . '"',
			'a long line');
		$file->("$header{$module}$header{$module}", $module eq 'portfw'
			? 'line 2: Prot is neither TCP nor UDP: "Prot LAddr    LPort > RAddr    RPort PrCnt  Pref"'
			: $module eq 'mfw' ? 'line 2: FwMark is not a hexadecimal number: "FwMark > RAddr    RPort PrCnt  Pref"'
			: 'line 2: too many fields: "Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt Timer Flags"',
			'two headers');

		$k->file("ip_masq/$module", undef);
		mkdir $k->path("ip_masq/$module") or die $!;
		bad($k, \@list, "can't read $path: Is a directory");
		$k->file("ip_masq/$module", undef);
		# reading what begins at 0 of our own memory fails
		symlink '/proc/self/mem', $k->path("ip_masq/$module") or die $!;
		bad($k, \@list, "can't read $path: Input/output error");
		$k->file("ip_masq/$module", undef);
		symlink '/dev/zero', $k->path("ip_masq/$module") or die $!;
		bad($k, \@list, "can't read $path: File too large");
		$k->file("ip_masq/$module", undef);
		$k->module($module);
		$k->{env}{FAKE_OPEN} = "ip_masq/$module=EACCES";
		bad($k, \@list, "can't open $path: Permission denied");
		$k->{env}{FAKE_OPEN} = "ip_masq/$module=EMFILE";
		bad($k, \@list, "can't open $path: Too many open files");
		delete $k->{env}{FAKE_OPEN};
	}

	# one bad line, and nothing is listed
	$k->file('ip_masq/portfw', $header{portfw} . $row . substr($row, 0, 40) . "\n" . $row);
	bad($k, [qw(portfw -l -n)], '/proc/net/ip_masq/portfw, line 3: too few fields: '
		. '"' . substr($row, 0, 40) =~ s/ *$//r . '"');
	$k->file('ip_masq/portfw', $header{portfw} . $row . substr($row, 0, 40));
	bad($k, [qw(portfw -l -n)], '/proc/net/ip_masq/portfw, line 3: truncated: '
		. '"' . substr($row, 0, 40) =~ s/ *$//r . '"');
	# the command has been sent all the same, and nobody can say more
	for my $argv (\@add, \@del, [qw(portfw -f)]) {
		my $r = bad($k, $argv, 'sent, but the result could not be verified: '
			. '/proc/net/ip_masq/portfw, line 3: truncated: "' . substr($row, 0, 40) =~ s/ *$//r . '"');
		is(@{ $r->{sent} }, 1, '... sent once');
	}

	# what is damaged before need not be afterwards: this kernel writes its file anew
	$k->{env}{FAKE_KERNEL} = '2.2';
	good($k, \@del);
	is($k->state('ip_masq/portfw'), $header{portfw}, 'deleted');
};

subtest 'which transport' => sub {
	my $k = fresh();
	for my $junk ('junk', 'nft ', 'SOCKOPT', 'sockopt,nft', 'x' x 1000) {
		$k->{env}{IPMASQADM_TRANSPORT} = $junk;
		my $shown = substr $junk, 0, 64;
		sent(bad($k, \@add, "IPMASQADM_TRANSPORT=$shown is neither sockopt nor nft"));
	}
	$k->{env}{IPMASQADM_TRANSPORT} = '';
	sent($k->run(@add), qw(NONE ADD));
	delete $k->{env}{IPMASQADM_TRANSPORT};
	sent($k->run(@add), qw(NONE ADD));
	# it is the module at hand that is asked for
	my $r = $k->run(qw(mfw -A -m 1 -r 10.0.0.2));
	sent($r, qw(NONE ADD));
	like($r->{sent}[0], qr/^0200000000000000 6d6677 0{500}/x, 'mfw peeks for mfw');
	# an error that is not "no modules" is for the module's transport to tell
	$k->{env}{FAKE_ANSWER} = 'NONE=EINVAL';
	sent($k->run(@add), qw(NONE ADD));

	$k = fresh(FAKE_SOCKET => 'EPERM');
	sent(bad($k, \@add, 'no raw socket without CAP_NET_RAW: run this as root'));
	$k = fresh(FAKE_SOCKET => 'EAFNOSUPPORT');
	sent(bad($k, \@add, 'no raw socket: Address family not supported by protocol'));
	sent(bad($k, [qw(portfw -l)], 'no raw socket: Address family not supported by protocol'));
};

subtest 'nothing is sent for what is wrong on the command line' => sub {
	my $k = fresh();
	for my $argv (
		[qw(portfw -a -P upd -L 198.51.100.1 80 -R 10.0.0.2 80)],
		[qw(portfw -a -P tcp -L 198.51.100.1 65536 -R 10.0.0.2 80)],
		[qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80x)],
		[qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 -1)],
		[qw(portfw -a -P tcp -L 198.51.100.1 0 -R 10.0.0.2 80)],
		[qw(portfw -a -P tcp -L 198.51.100.0/24 80 -R 10.0.0.2 80)],
		[qw(portfw -a -d -P tcp -L 198.51.100.1 80)],
		[qw(portfw -x)],
		[qw(mfw -m 1 -r 10.0.1.5)],
		[qw(mfw -A -m 0 -r 10.0.1.5)],
		[qw(mfw -A -m 4294967296 -r 10.0.1.5)],
		[qw(mfw -A -r 10.0.1.5)],
		[qw(autofw -A -r udp 7170 6970 -h 10.0.0.2)],
		[qw(autofw -A -r udp 6970)],
		[qw(autofw -A -r udp 6970 7170)],
		[qw(autofw -A -r udp 6970 7170 -h 10.0.0.2 -c tcp 7070)],
		[qw(autofw -A -p udp 0 10.0.0.2:80)],
	) {
		my $r = $k->run(@$argv);
		is($r->{status}, 2, "@$argv: status 2");
		like($r->{err}, qr/^ipmasqadm: $argv->[0]: .+\n/, '... with a message');
		is($r->{out}, '', '... no output');
		ok(!(grep { command_of($_) ne 'NONE' } @{ $r->{sent} }), '... and nothing sent');
	}
};

subtest 'a forward on 0.0.0.0 never matches there' => sub {
	my $k = fresh();
	my @any = qw(portfw -a -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80);
	my $notice = "this kernel stores a forward on 0.0.0.0 and never matches it: give the address "
		. "that packets come to\n";
	good($k, \@any);
	like($k->state('ip_masq/portfw'), qr/^TCP  00000000    80 > 0A000002    80 /m, 'it is sent as ever');
	good($k, [@any, '-v'], $notice);
	good($k, [@add, '-v']);
	# without a target it edits what is there
	good($k, [qw(portfw -a -P tcp -L 0.0.0.0 80 -p 5 -v)]);
};

subtest 'a portfw target cannot be drained' => sub {
	my $k = fresh();
	my $why = 'pref 0: this kernel refuses it, it cannot drain a portfw target; give a pref of 1 or '
		. 'more, or delete the forward';
	sent(bad($k, [@add, '-p', 0], $why));
	good($k, \@add);
	sent(bad($k, [qw(portfw -a -P tcp -L 198.51.100.1 80 -p 0)], $why));
	good($k, [qw(mfw -A -m 1 -r 10.0.0.2 -p 0)]);
};

subtest 'what a message quotes moves no cursor' => sub {
	my $k = fresh();
	bad($k, ['portfw', '-a', '-P', "\e[2Jx\n\x7f", '-L', '198.51.100.1', '80'], 'protocol "?[2Jx??": give tcp or udp, nothing else is forwarded', 2);
	bad($k, ['save', "/nowhere/\e[2J"], '/nowhere/?[2J: No such file or directory', 1);
	bad($k, ['restore', "/nowhere/\r"], '/nowhere/?: No such file or directory', 1);
	# C1 control characters: as they are, as UTF-8, and in a form that is too long
	bad($k, ['save', "/nowhere/\x9b2J\xc2\x9b2J\xe0\x82\x9b2J\xf0\x80\x82\x9b"], '/nowhere/?2J??2J???2J????: No such file or directory', 1);
	bad($k, ['save', "/nowhere/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc3"], "/nowhere/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80?: No such file or directory", 1);
	is($k->run("\x9b2J")->{err}, qq(ipmasqadm: "?2J" is no module name (a-z, 0-9 and _, at most 31); "ipmasqadm -h" lists the modules\n), 'a module name');
	is($k->run("\e[2J")->{err}, qq(ipmasqadm: "?[2J" is no module name (a-z, 0-9 and _, at most 31); "ipmasqadm -h" lists the modules\n), 'a module name');
};

subtest 'many at once' => sub {
	my $k = fresh();
	my @pids;
	# each with a record and files of its own, all on one kernel
	for my $i (1 .. 8) {
		my $pid = fork // die $!;
		if (!$pid) {
			my %env = (%{ $k->{env} }, FAKE_PROC => "$k->{dir}/net");
			my $own = Fake->new(%env);
			my $ok = 1;
			for my $port (1 .. 5) {
				my $r = $own->run(qw(portfw -a -P tcp -L 198.51.100.1), $i * 100 + $port,
					qw(-R 10.0.0.2 80));
				$ok &&= $r->{status} == 0 && $r->{err} eq '';
			}
			undef $own;
			require POSIX;
			POSIX::_exit($ok ? 0 : 1);
		}
		push @pids, $pid;
	}
	my $failed = grep { waitpid $_, 0; $? } @pids;
	is($failed, 0, 'no process failed');
	is(() = $k->state('ip_masq/portfw') =~ /^TCP/mg, 40, 'none was lost');
};

done_testing();
