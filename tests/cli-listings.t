#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Every recorded state file is listed exactly as recorded.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use Listings;
use Test::More;

my $k = Fake->new;
plan tests => listing_tests();
listings($k);
