#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Every fuzz target: its corpus cut off and changed at every byte, then some seconds of libFuzzer.
use strict;
use warnings;
use FindBin;
use Test::More;

my $seconds = $ENV{FUZZ_SECONDS} // 5;
my @targets = map { m{([^/]+)$} } glob "$FindBin::Bin/fuzz/corpus/*";
plan skip_all => 'a sanitizer is in each of them anyway' if ($ENV{SANITIZE} // '') eq 'yes';
plan skip_all => 'the same as in the shared build' if ($ENV{STATIC} // '') eq 'yes';
@targets = grep { $_ ne 'replies' } @targets if ($ENV{NFT} // '') eq 'no';
cmp_ok(scalar @targets, '>=', 3, 'targets');

# the program's own environment is none of a fuzzer's
delete @ENV{grep { /^(IPMASQADM|MAKE|MFLAGS|FAKE_)/ } keys %ENV};
for my $target (@targets) {
	# compiling has a limit of its own, and is not what is measured
	my $built = `exec 2>&1; timeout 600 "$FindBin::Bin/fuzz/run" -b $target`;
	is($?, 0, "$target is built") or diag($built), next;
	my $output = `exec 2>&1; timeout 100 "$FindBin::Bin/fuzz/run" $target $seconds`;
	my $status = $?;
	is($status, 0, $target) or diag join '', grep { defined } (split /^/, $output)[-40 .. -1];
	if ($output =~ /no clang with libFuzzer/) {
		$ENV{CI} ? fail('no clang with libFuzzer') : diag('no clang with libFuzzer: only the corpus was tried');
	} else {
		like($output, qr/^stat::number_of_executed_units:\s+\d{3}/m, "$target was fuzzed");
	}
}

done_testing;
