#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Every way to name a file, for save and restore on a kernel of 2.2's time (tests/old-kernel.c): no
# openat() and the like, O_NOFOLLOW without O_PATH. old-kernel.t has what is not about files.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use File::Temp ();
use Test::More;

my $dir = File::Temp->newdir;

sub spew {
	my ($path, $text) = @_;
	open my $f, '>:raw', $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
	return $path;
}

sub mode { return sprintf '%04o', (stat shift)[2] & 07777 }
sub leftovers { return join ' ', map { s{.*/}{}r } glob "$dir/.ipmasqadm* $dir/*/.ipmasqadm*" }

my $state = $header{portfw} . sprintf("%-63s\n", 'TCP  C6336401    80 > 0A000002  8080    10    10');
my $line = "ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080 -p 10\n";
my $want = "ipmasqadm portfw -f\n$line";
my $k = Fake->new(FAKE_KERNEL => '2.2')->file('ip_masq/portfw', $state);
$k->{env}{LD_PRELOAD} = join ' ', grep { length } $ENV{PRELOAD} // '',
	map { "$Fake::build/tests/$_.so" } qw(old-kernel fake);

# Saves to $path, seen from $cwd, and what is then in $file.
sub saves {
	my ($name, $path, $file, $cwd) = @_;
	my $r = $k->under(['sh', '-c', 'cd "$0" && exec "$@"', $cwd // '/'], 'save', $path);
	is("$r->{status}$r->{err}$r->{out}", '0', $name);
	is(Fake::slurp($file), $want, "$name: the lines");
	is(leftovers(), '', "$name: nothing else is left");
}

mkdir "$dir/$_" for qw(real links sub);
saves('a new file', "$dir/new", "$dir/new");
is(mode("$dir/new"), '0600', 'nobody else reads it');
spew("$dir/old", "old\n");
chmod 0604, "$dir/old";
saves('an old one', "$dir/old", "$dir/old");
is(mode("$dir/old"), '0604', 'keeps its mode');
saves('a name without a directory', 'here', "$dir/sub/here", "$dir/sub");
saves('a relative name', 'sub/../sub/there', "$dir/sub/there", $dir);

my %link = (absolute => "$dir/real/file", relative => '../real/file', twice => 'relative');
symlink $link{$_}, "$dir/links/$_" for keys %link;
for my $name (sort keys %link) {
	spew("$dir/real/file", "old\n");
	saves("a link, $name", "$dir/links/$name", "$dir/real/file");
	is(readlink "$dir/links/$name", $link{$name}, 'it stays');
	spew("$dir/real/file", "old\n");
	saves("a link, $name, from its directory", $name, "$dir/real/file", "$dir/links");
}
unlink "$dir/real/file";
saves('a link to nothing yet', "$dir/links/twice", "$dir/real/file");

symlink 'loop', "$dir/links/loop";
symlink '/nowhere/file', "$dir/links/dangling";
for (["$dir/links/loop", 'Too many levels of symbolic links'], ["$dir/links/dangling", 'No such file or directory'],
     ["$dir/none/x", 'No such file or directory'], ["$dir/real/", 'Is a directory'], ["$dir/new/x", 'Not a directory']) {
	my ($path, $why) = @$_;
	is($k->run('save', $path)->{err}, "ipmasqadm: save: $path: $why\n", $why);
}

SKIP: {
	mkdir "$dir/open";
	chmod 01777, "$dir/open";
	symlink "$dir/real/file", "$dir/open/link";
	spew("$dir/open/file", "old\n");
	saves('my own link where everybody writes', "$dir/open/link", "$dir/real/file");
	saves('my own file there', "$dir/open/file", "$dir/open/file");
	skip 'not root, or none but root here', 2 if $> != 0 || system('chown', '-h', 65534, "$dir/open/link", "$dir/open/file");
	is($k->run('save', "$dir/open/$_")->{status}, 1, "somebody else's $_ there") for qw(link file);
}

spew("$dir/old", "old\n");
$k->file('ip_masq/portfw', $header{portfw} . join '', map { sprintf "%-63s\n", sprintf
	'TCP  C6336401 %5d > 0A000002  8080    10    10', $_ } 1 .. 99);
my $r = $k->under(['sh', '-c', "ulimit -f 1; exec \"\$0\" save $dir/old"]);
is($r->{err}, "ipmasqadm: save: $dir/old: File too large\n", 'no room');
is(Fake::slurp("$dir/old"), "old\n", 'the older save stays');
is(leftovers(), '', 'nothing else is left');

$k->file('ip_masq/portfw', $header{portfw});
$r = $k->run('restore', spew("$dir/forwards", $want));
is("$r->{status}$r->{err}$r->{out}", '0', 'restore');
like($k->state('ip_masq/portfw'), qr/^TCP  C6336401    80 > 0A000002  8080 /m, 'is done');

done_testing;
