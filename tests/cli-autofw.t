#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# autofw on a kernel with masquerading modules: 2.2 had no listing, so nothing recorded says how its state
# file is shown.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use JSON::PP ();
use Test::More;

my $k = Fake->new(FAKE_KERNEL => '2.2', IPMASQADM_TRANSPORT => 'sockopt');

# The state file with these rows: type, protocol, low, high, visible, hidden, where, last contact, control
# protocol and port, timer in hundredths of a second, flags.
sub state {
	my (@rows) = @_;
	$k->file('ip_masq/autofw', join '', $header{autofw},
		map { sprintf "%4X %4X %04X-%04X/%04X %04X %08X %08X %04X %04X %6u %4X\n", @$_ } @rows);
}

sub run {
	my $r = $k->run('autofw', @_);
	is("$r->{status}$r->{err}", '0', "autofw @_");
	return $r->{out};
}

my ($hostA, $hostB, $server) = (0x0a000002, 0x0a000003, 0xcb007150);
my @fixed = (1, 6, 60000, 65535, 0, 0, $hostA, 0, 0, 0, 0, 2);
my @port = (2, 17, 0, 0, 8080, 80, $hostB, 0, 0, 0, 0, 2);
my @direct = (3, 17, 1024, 2048, 0, 0, 0, 0, 0, 0, 0, 2);
# RealAudio as it was added, and with a receiver that has 12.34 seconds left
my @idle = (1, 17, 6970, 7170, 0, 0, 0, 0, 6, 7070, 0, 6);
my @active = (1, 17, 6970, 7170, 0, 0, $hostA, $server, 6, 7070, 1234, 7);
# X, untimed and for anyone
my @anyone = (1, 6, 6000, 6100, 0, 0, $hostB, $server, 17, 177, 0, 1);

my $title = "kind     prot ports       rediraddr            rport control    flags          outside              seconds\n";

subtest 'listings' => sub {
	state();
	is(run(qw(-L -n)), $title, 'nothing but the title');
	state(\@idle, \@fixed);
	is(run(qw(-L -n)), $title . <<'	END' =~ s/^\t//mgr, 'without receivers, as the kernel has them');
	range    udp  6970-7170   -                        - tcp/7070   timed,secure   -                          -
	range    tcp  60000-65535 10.0.0.2                 - -          -              -                          -
	END
	state(\@direct, \@active, \@port, \@anyone, \@fixed);
	is(run(qw(-L -n)), $title . <<'	END' =~ s/^\t//mgr, 'every kind, and receivers');
	direct   udp  1024-2048   -                        - -          -              -                          -
	range    udp  6970-7170   -                        - tcp/7070   timed,secure   -                          -
	receiver udp  6970-7170   10.0.0.2                 - tcp/7070   -              203.0.113.80              13
	port     udp  8080        10.0.0.3                80 -          -              -                          -
	range    tcp  6000-6100   -                        - udp/177    untimed,anyone -                          -
	receiver tcp  6000-6100   10.0.0.3                 - udp/177    -              anyone                     -
	range    tcp  60000-65535 10.0.0.2                 - -          -              -                          -
	END
	# a control connection, and a port that is open to everyone all the same; a host, of no use
	state([2, 6, 0, 0, 8080, 80, $hostB, 0, 17, 177, 0, 6], [3, 17, 1024, 2048, 0, 0, $hostA, 0, 0, 0, 0, 2]);
	is(run(qw(-L -n)), $title . <<'	END' =~ s/^\t//mgr, 'what is recorded and changes nothing');
	port     tcp  8080        10.0.0.3                80 udp/177    -              -                          -
	direct   udp  1024-2048   10.0.0.2                 - -          -              -                          -
	END
	is($k->run('save')->{out}, <<'	END' =~ s/^\t//mgr, '... is saved');
	ipmasqadm autofw -F
	ipmasqadm autofw -A -d udp 1024 2048 -h 10.0.0.2
	ipmasqadm autofw -A -p tcp 8080 10.0.0.3:80 -c udp 177
	END
	state(\@direct, \@active, \@port, \@anyone, \@fixed);
	my @lines = split /\n/, run(qw(-L -n -v));
	like($lines[0], qr/ connections$/, '-v: another column');
	like($_, qr/ -$/, '... which this kernel does not tell') for @lines[1 .. $#lines];
	is($k->run(qw(autofw -L -n -v))->{err}, '', '... and nothing on stderr');
};

subtest 'names' => sub {
	my $domain = (getservbyname('domain', 'tcp'))[2] // 0;
	my $localhost = gethostbyaddr(pack('C4', 127, 0, 0, 1), 2) // '';
	plan skip_all => 'other names here' if $domain != 53 || $localhost ne 'localhost';
	state([1, 17, 6970, 7170, 0, 0, 0x7f000001, 0x7f000001, 6, 53, 1500, 7], [2, 6, 0, 0, 53, 53, 0x7f000001, 0, 0, 0, 0, 2]);
	is(run('-L'), $title . <<'	END' =~ s/^\t//mgr, 'of hosts and control ports; ranges and ports stay numbers');
	range    udp  6970-7170   -                        - tcp/domain timed,secure   -                          -
	receiver udp  6970-7170   localhost                - tcp/domain -              localhost                 15
	port     tcp  53          localhost               53 -          -              -                          -
	END
};

subtest 'JSON' => sub {
	my $r = $k->run(qw(autofw -L --json));
	plan skip_all => 'built without JSON' if $r->{status};
	state(\@active, \@port);
	my $all = JSON::PP->new->decode(run(qw(-L --json)));
	my %entry = (kind => 'range', family => 'ipv4', protocol => 'udp', lowport => 6970, highport => 7170, rediraddr => undef,
		redirport => undef, ctlprotocol => 'tcp', ctlport => 7070, timed => JSON::PP::true,
		secure => JSON::PP::true, outside => undef, seconds => undef, served => undef, transport => 'sockopt');
	is_deeply($all, [\%entry,
		{%entry, kind => 'receiver', rediraddr => '10.0.0.2', outside => '203.0.113.80', seconds => 13},
		{%entry, kind => 'port', lowport => 8080, highport => 8080, rediraddr => '10.0.0.3', redirport => 80,
			ctlprotocol => undef, ctlport => undef, secure => JSON::PP::false}], 'one flat object a line');
	state();
	is_deeply(JSON::PP->new->decode(run(qw(-L -j))), [], 'an empty array');
};

# One line of the file that makes no sense is named, and then nothing is listed.
subtest 'lines that do not parse' => sub {
	my $good = "   1   11 1B3A-1C02/0000 0000 00000000 00000000 0006 1B9E      0    6";
	my @bad = (
		['Type is none of 1, 2, 3', [0, '   0'], [0, '   4'], [0, '   x'], [0, 'FFFF']],
		['Prot is neither 6 nor 11', [5, '   0'], [5, '   1'], [5, '  -6']],
		['Low to Hid are not four ports', [10, '1B3A/1C02-0000'], [10, '1B3A-1C02-0000'], [10, '1B3A-1C0x/0000'],
			[25, '000x']],
		['Where is not eight hexadecimal digits', [30, '0000000x'], [30, '000000 0', 'too many fields']],
		['Last is not eight hexadecimal digits', [39, '0A00000G']],
		['CPto is none of 0, 6, 11', [48, '0001'], [48, 'tcp ']],
		['CPrt is not a port', [53, '1B9X']],
		['Timer is not a number', [58, '    0x'], [58, '    -1']],
		['Flags is not a number', [65, '   x']],
		['too few fields', [65, '    '], [0, ' ' x 69]],
		['too many fields', [65, '6  6']],
	);
	for (@bad) {
		my ($why, @cases) = @$_;
		for (@cases) {
			my ($at, $text, $other) = @$_;
			my $line = $good;
			substr($line, $at, length $text) = $text;
			$k->file('ip_masq/autofw', "$header{autofw}$good\n$line\n$good\n");
			my $r = $k->run(qw(autofw -L -n));
			my $shown = $line =~ s/ +$//r;
			is($r->{err}, "ipmasqadm: autofw: /proc/net/ip_masq/autofw, line 3: @{[$other // $why]}: \"$shown\"\n",
				"\"$text\" at $at");
			is("$r->{status}$r->{out}", '1', '... exit 1, and nothing on stdout');
		}
	}
	$k->file('ip_masq/autofw', undef);
	my $r = $k->run(qw(autofw -L -n));
	is("$r->{status}$r->{out}", '1', 'without the file');
	like($r->{err}, qr{\Aipmasqadm: autofw: [^\n]*ip_masq_autofw[^\n]*\n\z}, '... the module is named');
};

subtest 'queries' => sub {
	state(\@direct, \@active, \@port, \@anyone, \@fixed);
	my @there = ('-d udp 1024 2048', '-p udp 8080 10.0.0.3:80', '-r tcp 60000 65535 -h 10.0.0.2',
		'-r udp 6970 7170 -c tcp 7070', '-r udp 6970 7170 -c tcp 7070 -i -u', '-r tcp 6000 6100 -c udp 177');
	my @not = ('-d tcp 1024 2048', '-p udp 8080 10.0.0.3:81', '-r tcp 60000 65535 -h 10.0.0.3',
		'-r udp 6970 7170 -c udp 7070', '-r udp 6970 7171 -c tcp 7070', '-r tcp 60000 65535 -c tcp 7070');
	for ([0, @there], [1, @not]) {
		my ($status, @queries) = @$_;
		for (@queries) {
			my $r = $k->run(qw(autofw -q), split);
			is("$r->{status}$r->{out}$r->{err}", $status, "-q $_");
			is(scalar(grep { command_of($_) ne 'NONE' } @{$r->{sent}}), 0, '... changes nothing');
		}
	}
};

# What 2.2 would have taken, or stumbled over.
subtest 'nothing is sent of what is wrong' => sub {
	state();
	my @lines = ('-A', '-A -r', '-A -r udp', '-A -r udp 1', '-A -r udp 0 1 -h 10.0.0.2', '-A -r udp 2 1 -h 10.0.0.2',
		'-A -r udp 1 65536 -h 10.0.0.2', '-A -r udp 1 2', '-A -r udp 1 2 -h 0.0.0.0', '-A -r upd 1 2 -h 10.0.0.2',
		'-A -r udp 1 2 -h 10.0.0.2 -c tcp 3', '-A -r udp 1 2 -c tcp 0', '-A -r udp 1 2 -c tcp', '-A -r udp 1 2 -d udp 1 2',
		'-A -p udp 1 10.0.0.2', '-A -p udp 1 10.0.0.2:', '-A -p udp 1 :2', '-A -p udp 0 10.0.0.2:2', '-A -p udp 1 0.0.0.0:2',
		'-A -d udp 1 2 3', '-A -D -d udp 1 2', '-A -x', '-r udp 1 2 -h 10.0.0.2', '-D', 'word', '-');
	for (@lines) {
		my $r = $k->run('autofw', split);
		is($r->{status}, 2, "autofw $_");
		like($r->{err}, qr/\Aipmasqadm: autofw: [^\n]+\n\z/, '... says why');
		is(scalar(grep { command_of($_) ne 'NONE' } @{$r->{sent}}), 0, '... and sends nothing');
	}
};

done_testing;
