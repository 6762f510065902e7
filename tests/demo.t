#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo: that it runs, and what it says where it can't.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use File::Temp ();
use Test::More;

my ($status, $out, $err) = run('sh', "$FindBin::Bin/demo.sh");
is("$status$err", '0', 'the demo');
like($out, qr/^All as it should be\.\n\z/m, '... to its end');

my $dir = File::Temp->newdir;
open my $f, '>', "$dir/unshare" or die $!;
print $f "#!/bin/sh\necho unshare: unshare failed: No space left on device >&2\nexit 1\n";
close $f;
chmod 0755, "$dir/unshare";
local $ENV{PATH} = "$dir:$ENV{PATH}";
($status, $out, $err) = run('sh', "$FindBin::Bin/demo.sh");
is("$status$out", '1', 'where no namespace can be made');
like($err, qr/^demo: [^\n]* unshare $_: unshare: unshare failed: No space left on device$/m, "unshare's own reason for $_") for qw(-nm -Urnm);

done_testing;
