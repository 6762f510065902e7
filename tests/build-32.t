#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A 32-bit build sends 32-bit messages, and everything else is the same.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Build;
use Fake;
use File::Temp 'tempdir';
use Listings;
use Payloads;
use Test::More;

my $dir = tempdir('ipmasqadm-32-XXXXXX', TMPDIR => 1, CLEANUP => 1);
open my $f, '>', "$dir/a.c" or die $!;
print $f "#include <stdio.h>\nint main(void) { return sizeof(void *) != 4; }\n";
close $f;
command('sh', '-c', "gcc -m32 -o $dir/a $dir/a.c && $dir/a");
unable('gcc -m32 makes no programs that run here: gcc-multilib is missing') if $?;
# nothing in this has to do with the build that the other tests are for
delete @ENV{qw(PRELOAD STATIC)};

my $o = 'build-32';
ok(build("O=$o", 'CC=gcc -m32', 'NFT=no', 'test-programs'), 'built') or done_testing, exit 1;

for my $unit (glob "$Build::top/$o/tests/*.t") {
	my $out = command($unit);
	is($?, 0, 'unit test ' . $unit =~ s{.*/}{}r)
		or diag(grep { !/^ok/ } split /^/, $out);
}
my $k = Fake->new->of("$Build::top/$o");
cmp_ok(payload_tests(), '>', 0, 'there are recorded cases');
payloads($k, 4);
listings($k);
done_testing;
