#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What 2.2 did with mfw, again, with real packets through nf_tables.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Replay;

replay("$FindBin::Bin/data/scheduling-mfw.jsonl", $Net::slow ? 35 : 0);
