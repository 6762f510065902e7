#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Others' hands in our table, at random: net/Hands.pm says how, kernel-hands.t has a few of them.
#
#	HANDS_SEED=7 HANDS_TABLES=1 HANDS_FROM=33 tests/long/hands.t
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../net";
use Net;
use Hands;
use Test::More;

my $bad = hands(Net->new, $ENV{HANDS_TABLES} // 600, $ENV{HANDS_SEED} // 1998, $ENV{HANDS_FROM});
is(scalar @$bad, 0, 'everything goes on') or diag(join "\n", splice @$bad, 0, 30);

done_testing;
