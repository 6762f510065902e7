#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What reaches a terminal: messages that quote what anybody has written, names from a resolver and from
# /etc/services (tests/names.c). tests/unit/printable.c has the characters one by one.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use File::Temp ();
use JSON::PP ();
use Test::More;

my $dir = File::Temp->newdir;
my $state = $header{portfw} . sprintf("%-63s\n", 'TCP  C6336401    80 > 0A000002  8080    10    10');

sub kernel {
	my (%env) = @_;
	my $k = Fake->new(FAKE_KERNEL => '2.2', %env)->file('ip_masq/portfw', $state);
	$k->{env}{LD_PRELOAD} = join ' ', grep { length } $ENV{PRELOAD} // '',
		map { "$Fake::build/tests/$_.so" } qw(fake names);
	return $k;
}

# No control character, as byte or as UTF-8; line ends are the program's own.
sub is_printable {
	my ($text, $name) = @_;
	my $copy = $text;
	my $good = utf8::decode($copy) && $copy !~ /[^\n\x20-\x7e\xa0-\x{10ffff}]|[\x{200b}-\x{200f}\x{2028}-\x{202e}]/;
	ok($good, $name) or diag join ' ', map { sprintf '%02x', ord } split //, $text;
}

my %hostile = (
	'C0'           => "a\x1b[31mb",
	'DEL'          => "a\x7fb",
	'C1 as a byte' => "a\x9b31mb",
	'C1 as UTF-8'  => "a\xc2\x9b31mb",
	'Latin-1'      => "a\xe9b",
	'a direction'  => "a\xe2\x80\xaeb",
);

subtest 'messages' => sub {
	my $k = kernel();
	for my $what (sort keys %hostile) {
		my $text = $hostile{$what};
		open my $f, '>:raw', "$dir/file" or die;
		print $f "portfw -a -P $text -L 198.51.100.1 80 -R 10.0.0.2 80\n";
		close $f;
		for (["-$text"], [$text], ['portfw', $text], ['portfw', "-$text"], ['portfw', '-a', '-P', $text],
		     ['portfw', '-a', '-P', 'tcp', '-L', $text, 80], ['mfw', '-A', '-m', $text], ['autofw', '-A', '-r', $text],
		     ['save', "$dir/none/$text"], ['save', "-$text"], ['restore', "$dir/$text"], ['restore', "$dir/file"]) {
			my $r = $k->run(@$_);
			isnt($r->{status}, 0, "$what: refused: $_->[0]");
			like($r->{err}, qr/\Aipmasqadm: [^\n]+\n\z/, 'one line');
			is_printable($r->{err}, 'which is printable');
		}
		$k->{env}{IPMASQADM_MODDIR} = "$dir/$text";
		is_printable(join('', @{$k->run('portfw')}{qw(out err)}), "$what: IPMASQADM_MODDIR");
		is_printable(join('', @{$k->run('-h')}{qw(out err)}), "$what: IPMASQADM_MODDIR with -h");
		delete $k->{env}{IPMASQADM_MODDIR};
	}
	my $r = $k->run('save', "$dir/none/gr\xc3\xbc\xc3\x9fe");
	is($r->{err}, "ipmasqadm: save: $dir/none/gr\xc3\xbc\xc3\x9fe: No such file or directory\n", 'letters are shown');
};

# prot localaddr rediraddr lport rport pcnt pref
sub listed { return [split ' ', (split /\n/, kernel(@_)->run(qw(portfw -l))->{out})[1] // ''] }

subtest 'host names' => sub {
	for my $name ('web1', 'web1.example.com', '9web.example', 'a_b', '0x9.example', '10.0.0.9.example') {
		is(listed(NAMES_HOST => $name)->[2], $name, $name);
	}
	# a name that is an address is shown as the address it stands for
	for my $name ('10.0.0.9', '203.0.113.5', '10.0.0.9.', '10.0.9', '10.9', '167772169', '012.0.0.9', '0xa000009',
		      '0Xa.0x0.0.0x9', '10.0.0.256', '9', '0x', '::9', '-', '.', '', 'a b', "a\n", values %hostile) {
		is(listed(NAMES_HOST => $name)->[2], '10.0.0.2', '"' . ($name =~ s/[^ -~]/?/gr) . '"');
	}
};

subtest 'service names' => sub {
	for my $name (qw(http www-http 914c/g z39.50 whois++ 9pfs a_b cl/1)) {
		is(listed(NAMES_SERVICE => $name)->[3], $name, $name);
	}
	# and a name that is a port as the port
	for my $name (qw(22 022 0x16 0X16 65536 1-9 - -22 + * 22/80 22/tcp), '1,2', '#80', '', 'a b', "a\n", values %hostile) {
		is(listed(NAMES_SERVICE => $name)->[3], '80', '"' . ($name =~ s/[^ -~]/?/gr) . '"');
	}
};

subtest 'the other listings' => sub {
	my $k = kernel(NAMES_HOST => "\xc2\x9b203.0.113.5", NAMES_SERVICE => "\x9b22");
	$k->file('ip_masq/mfw', $header{mfw} . sprintf("%-63s\n", '0x1 > 0A000003    80    10    10'));
	$k->file('ip_masq/autofw', $header{autofw} . "   1    6 0064-00C8/0000 0000 0A000002 00000000 0000 0000      0    0\n");
	for my $argv ([qw(portfw -l)], [qw(mfw -L)], [qw(autofw -L)], [qw(save)]) {
		my $r = $k->run(@$argv);
		is("$r->{status}$r->{err}", '0', "@$argv");
		is_printable($r->{out}, 'is printable');
		unlike($r->{out}, qr/203\.0\.113\.5/, 'without the name');
		next if $argv->[0] eq 'save' || ($ENV{NFT} // '') eq 'no';
		$r = $k->run(@$argv, '--json');
		is("$r->{status}$r->{err}", '0', "@$argv --json");
		like($r->{out}, qr/\A[\n\x20-\x7e]+\z/, 'is ASCII');
		ok(eval { JSON::PP::decode_json($r->{out}) }, 'and JSON');
	}
};

done_testing;
