#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# ../kernel-check-leaks.t with a hundred signals of each kind.
use FindBin;
$ENV{ROUNDS} = 100;
exec $^X, "$FindBin::Bin/../kernel-check-leaks.t" or die "$!\n";
