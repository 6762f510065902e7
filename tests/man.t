#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Manual pages: their form, and the plugins in masqmod(3). What commands the other pages show is run by
# kernel-man.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Build;
use Fake;
use File::Temp ();
use Page;
use Test::More;

my $man = "$Build::top/man";

SKIP: {
	if (!have('mandoc')) {
		fail('mandoc is here') if $ENV{CI};
		skip 'no mandoc', 1;
	}
	is(command(qw(mandoc -Tlint -Wwarning), map { "$man/$_" } pages()), '', 'mandoc finds nothing');
}

subtest 'the plugins in masqmod(3)' => sub {
	my $k = Fake->new(FAKE_KERNEL => '2.2')->module('portfw');
	my ($web, $old) = grep { /^#include/ } literals('masqmod.3', 'EXAMPLES');
	my ($use) = grep { /^\$ cc/ } literals('masqmod.3', 'EXAMPLES');
	my ($listing) = map { $_->[1] } grep { $_->[0] =~ /portfw -l/ } commands($use);
	my $dir = File::Temp->newdir;
	my $cc = $ENV{CC} || 'cc';
	chmod 0755, $dir;
	umask 022;
	mkdir "$dir/modules";
	# root takes plugins from beside the program, and these their library
	command('cp', '-P', "$Fake::build/ipmasqadm", glob("$Fake::build/libipmasq.so*"), $dir);
	for ([web => $web], [old => $old]) {
		my ($name, $source) = @$_;
		open my $f, '>', "$dir/$name.c" or die "$dir/$name.c: $!\n";
		print $f $source;
		close $f;
		is(command($cc, qw(-Wall -Wextra -Werror -shared -fPIC -Iinclude -o), "$dir/modules/$name.so", "$dir/$name.c",
			"-L$Fake::build", '-lipmasq', '-Wl,-rpath,$ORIGIN/..'), '', "$name compiles without a warning");
	}
	my $run = sub {
		local $k->{env}{IPMASQADM_MODDIR} = "$dir/modules";
		local $ENV{IPMASQADM} = "$dir/ipmasqadm";
		return $k->run(@_);
	};
	my $r = $run->('web', '10.0.0.2');
	is("$r->{status}$r->{out}$r->{err}", '0', 'web 10.0.0.2');
	is_deeply([grep { $_ ne 'NONE' } map { command_of($_) } @{$r->{sent}}], [qw(ADD ADD)], 'sends two messages');
	is($k->run(qw(portfw -l -n))->{out}, $listing, 'and the listing is the one in the page');
	$r = $run->('web');
	is("$r->{status}$r->{err}", "2ipmasqadm: web: give one host\n", 'web without a host');
	$r = $run->(qw(web --help));
	is("$r->{status}$r->{out}", "0usage: ipmasqadm web HOST\n", 'web --help');
	$r = $run->(qw(old a b));
	is("$r->{status}$r->{out}", "0old has 2 arguments\n", 'the one of 1998');
	like($run->('-h')->{out}, qr/^  web +forward the web to a host$/m, 'listed with its summary');
};

done_testing;
