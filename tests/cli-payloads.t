#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Every recorded command line sends exactly the recorded bytes to a kernel with masquerading modules.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use Payloads;
use Test::More;

my $k = Fake->new;
plan tests => 1 + payload_tests();
cmp_ok(payload_tests(), '>', 0, 'there are recorded cases');
payloads($k, 8);
