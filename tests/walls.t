#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The walls between folders hold: in a copy of the tree, a source that crosses one does not compile, or
# tests/lint-walls refuses it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Build;
use File::Path 'make_path';
use File::Temp ();
use Test::More;

plan skip_all => 'built without nf_tables' if ($ENV{NFT} // '') eq 'no';

my $tree = File::Temp->newdir('ipmasqadm-walls-XXXXXX', TMPDIR => 1);
my $cc = $ENV{CC} // 'gcc';
make_path("$tree/tests");
command('cp', '-R', (map { "$Build::top/$_" } qw(Makefile VERSION include lib cli modules ipmasqadm)), "$tree");
die "cp: $?\n" if $?;
command('cp', "$Build::top/tests/lint-walls", "$tree/tests");

sub write_file {
	my ($path, $text) = @_;
	open my $f, '>', "$tree/$path" or die "$tree/$path: $!\n";
	print $f $text;
	close $f or die "$tree/$path: $!\n";
}

# Whether make builds the object of a source, and why not.
sub compiles {
	my ($source) = @_;
	my $object = $source =~ s/\.c$/.o/r;
	my $out = command('make', '-C', "$tree", '--no-print-directory', "O=$tree/o", "CC=$cc", "$tree/o/$object");
	return ($? == 0, $out);
}

sub lint {
	my $out = command("$tree/tests/lint-walls", "$tree");
	return ($? == 0, $out);
}

# By which wall a source is stopped, which says why. Files that it needs come after.
sub stopped {
	my ($what, $by, $why, $source, $text, %others) = @_;
	write_file($_, $others{$_}) for sort keys %others;
	write_file($source, $text);
	my ($good, $out) = $by eq 'make' ? compiles($source) : lint();
	ok(!$good, "$what: $by stops it");
	like($out, $why, '... and says why');
	if ($by eq 'lint' && $source =~ /\.c$/) {
		($good, $out) = compiles($source);
		ok($good, '... which the compiler does not') or diag($out);
	}
	unlink map { "$tree/$_" } $source, keys %others;
}

my ($good, $out) = lint();
ok($good, 'the tree as it is') or diag($out);

# A file that crosses nothing: the cases below fail for what they include.
my %innocent = (
	'lib/core' => 'service.h', 'lib/sockopt' => 'wire.h', 'lib/nft' => 'plan.h', 'cli' => 'cli.h',
	'modules' => 'cli.h', 'lib' => 'wire.h',
);
for my $folder (sort keys %innocent) {
	write_file("$folder/crossing.c", "#include \"$innocent{$folder}\"\n");
	($good, $out) = compiles("$folder/crossing.c");
	ok($good, "$folder sees $innocent{$folder}") or diag($out);
}
($good, $out) = lint();
ok($good, 'and may') or diag($out);
unlink map { "$tree/$_/crossing.c" } keys %innocent;

# Folders have include paths of their own.
for (
	['modules', 'rule.h',      'a plugin that sees the engine'],
	['modules', 'service.h',   'a plugin that sees the model'],
	['modules', 'wire.h',      'a plugin that sees the old messages'],
	['cli',     'schema.h',    'what plugins share, and the engine'],
	['cli',     'wire.h',      'what plugins share, and the old messages'],
	['lib/core', 'state.h',    'a model that knows the engine'],
	['lib/core', 'wire.h',     'a model that knows the old messages'],
	['lib/core', 'cli.h',      'a model that knows command lines'],
	['lib/sockopt', 'batch.h', 'one transport that knows the other'],
	['lib/nft', 'wire.h',      'the other way round'],
	['lib/nft', 'cli.h',       'an engine that knows command lines'],
	['lib',     'plan.h',      'the library, but for its transports'],
) {
	my ($folder, $header, $what) = @$_;
	stopped($what, 'make', qr/\Q$header\E/, "$folder/crossing.c", "#include \"$header\"\n");
}

# What is in the system's folders, every compiler finds.
for (
	['lib/core', 'libmnl/libmnl.h',              'a model that speaks netlink'],
	['lib/core', 'libnftnl/rule.h',              'a model that speaks nf_tables'],
	['lib/core', 'linux/netfilter/nf_tables.h',  'a model that knows the kernel'],
	['lib/core', 'linux/ip_masq.h',              'a model that knows the kernel of 2.2'],
	['lib/sockopt', 'linux/netfilter.h',         'an old kernel with nf_tables'],
	['cli', 'libmnl/libmnl.h',                   'command lines that speak netlink'],
	['modules', 'linux/ip_masq.h',               'a plugin that knows the kernel of 2.2'],
	['lib', 'libmnl/libmnl.h',                   'the library, past its transports'],
) {
	my ($folder, $header, $what) = @$_;
	stopped($what, 'lint', qr{\Q$folder\E/crossing\.c.*<?\Q$header\E}, "$folder/crossing.c",
		"#include <stdio.h>\n#include <$header>\n");
}

# Ways around.
stopped('the way through the parent folder', 'lint', qr{lib/core/crossing\.c.*names a folder}, 'lib/core/crossing.c',
	"#include \"../nft/schema.h\"\n");
stopped('the same for a plugin', 'lint', qr{modules/crossing\.c sees lib/core/address\.h}, 'modules/crossing.c',
	"#include \"../cli/../lib/core/address.h\"\n");
stopped('the same from sockopt', 'lint', qr{lib/sockopt/crossing\.c sees lib/nft/schema\.h}, 'lib/sockopt/crossing.c',
	"#include \"../nft/schema.h\"\n");
stopped('brackets', 'lint', qr{names a folder}, 'cli/crossing.c', "#include <../lib/nft/schema.h>\n");
stopped('an include by macro', 'lint', qr{not plain}, 'lib/core/crossing.c',
	"#define HEADER <stdio.h>\n#include HEADER\n");
stopped('through a header of its own', 'lint', qr{lib/core/crossing\.h:1 sees <libmnl}, 'lib/core/crossing.c',
	"#include \"crossing.h\"\n", 'lib/core/crossing.h' => "#include <libmnl/libmnl.h>\n");

# Headers.
stopped('a header without a source', 'lint', qr{cli/crossing\.h has no source}, 'cli/crossing.h', "\n");
stopped('a plugin with a header', 'lint', qr{modules/crossing\.h is a header}, 'modules/crossing.h', "\n");
stopped('a circle', 'lint', qr{a circle: .*crossing\.h > }, 'lib/core/crossing.c', "#include \"crossing.h\"\n",
	'lib/core/crossing.h' => "#ifndef A\n#define A\n#include \"circle.h\"\n#endif\n",
	'lib/core/circle.h' => "#ifndef B\n#define B\n#include \"crossing.h\"\n#endif\n",
	'lib/core/circle.c' => "#include \"circle.h\"\n");

($good, $out) = lint();
ok($good, 'and the tree is as it was') or diag($out);

done_testing;
