#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The program itself: names, plugin directory, entry points, what third parties are promised.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Build;
use File::Copy 'copy';
use File::Temp 'tempdir';
use Test::More;

my $built = $ENV{IPMASQADM} // die "IPMASQADM: run by make check\n";
my $cc = $ENV{CC} || 'cc';
my $tmp = tempdir(CLEANUP => 1);
my $dir = "$tmp/plugins";
my $program = "$tmp/ipmasqadm"; # root takes plugins from beside the program

chmod 0755, $tmp or die;
umask 022;
mkdir $dir or die;
copy($built, $program) or die;
chmod 0755, $program or die;

# Runs a program with its plugins in $dir; keys that begin with a capital go to the environment.
sub run {
	my ($argv, %opt) = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		$ENV{IPMASQADM_MODDIR} = $dir;
		$ENV{$_} = $opt{$_} for grep { /^[A-Z]/ } keys %opt;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', $opt{stdout} // "$tmp/out" or die;
		open STDERR, '>', "$tmp/err" or die;
		if (defined $opt{user}) {
			$) = "$opt{user} $opt{user}";
			($(, $<, $>) = ($opt{user}) x 3;
		}
		my @argv = ($opt{program} // $program, @$argv);
		exec { $argv[0] } @argv;
		exit 127;
	}
	waitpid $pid, 0;
	my %r = (status => $? & 127 ? "signal $?" : $? >> 8, out => slurp("$tmp/out"),
		err => slurp("$tmp/err"));
	unlink "$tmp/out", "$tmp/err";
	return \%r;
}

sub slurp {
	open my $f, '<', $_[0] or return '';
	local $/;
	return <$f> // '';
}

# Runs and compares; a pattern is matched, a text compared.
sub is_run {
	my ($name, $argv, $status, $out, $err, %opt) = @_;
	my $r = run($argv, %opt);
	my $good = is($r->{status}, $status, "$name: status");
	for ([$out, $r->{out}, 'stdout'], [$err, $r->{err}, 'stderr']) {
		my ($want, $got, $what) = @$_;
		$good &= ref $want ? like($got, $want, "$name: $what") : is($got, $want, "$name: $what");
	}
	diag $r->{out}, $r->{err} if !$good;
	return $r;
}

# Compiles tests/plugins/NAME.c to $dir/NAME.so.
sub plugin {
	my ($name, @flags) = @_;
	my $out = command($cc, '-shared', '-fPIC', '-Wall', '-Wextra', '-Werror', '-o', "$dir/$name.so",
		"tests/plugins/$name.c", @flags);
	return ok($? == 0, "plugin $name compiles") || diag $out;
}

# Every form of asking for nothing in particular.
is_run('no arguments', [], 1, '', qr/^usage: ipmasqadm MODULE OPTIONS\n/);
is_run('-V', ['-V'], 0, qr/^ipmasqadm \d+\.\d+\.\d+\n$/, '');
is_run('--version', ['--version'], 0, run(['-V'])->{out}, '');
is_run('full disk', ['-V'], 1, '', qr/^ipmasqadm: cannot write: No space left on device\n$/,
	stdout => '/dev/full') if -c '/dev/full';

# Names: nothing that could be a path, an option or too long gets any further.
for my $name ('', '.', '..', '../portfw', './portfw', '/etc/passwd', 'a/b', 'portfw.so', 'PORTFW', 'Portfw',
	'port fw', "portfw\n", '-x', '-', '--', '--help=x', 'a-b', 'h\xc3\xa9', "p\0", '%s%n', '~', 'a' x 32,
	'a' x 100_000) {
	next if $name =~ /\0/;
	my $shown = length $name > 40 ? length($name) . ' letters' : $name =~ s/\n/\\n/r;
	is_run("name \"$shown\"", [$name], 2, '', qr/^ipmasqadm: "\Q@{[$name =~ tr{\n}{?}r]}\E" is no module name/);
}
is_run('name of 31 letters', ['a' x 31], 1, '', qr/^ipmasqadm: unknown module a{31}\b/);
is_run('name with digits and _', ['_0z9'], 1, '', qr/^ipmasqadm: unknown module _0z9\b/);

if ($ENV{STATIC} eq 'yes') {
	is_run('no such module', ['nosuch'], 1, '', qr/^ipmasqadm: unknown module nosuch \(available: autofw (?:check )?mfw portfw\b/);
	is_run('help', ['-h'], 0, qr/\nmodules:\n  autofw +\S.*\n  (?:check +\S.*\n  )?mfw +\S.*\n  portfw +\S.*\n/, '');
	is_run('a module', ['portfw', '-h'], 0, qr/^ipmasqadm portfw: /, '');
	done_testing;
	exit;
}

# An empty directory, none, and one that cannot be read.
is_run('empty directory', ['nosuch'], 1, '', "ipmasqadm: unknown module nosuch: none is installed\n");
is_run('empty directory, help', ['-h'], 0, qr/\nmodules:\n$/, '');
is_run('a file for a directory', ['nosuch'], 1, '', qr/^ipmasqadm: \S+: Not a directory\n/,
	IPMASQADM_MODDIR => $program);
# What is not there is not beside the program either: trust.t has what root is told.
my @none = $> == 0 ? (qr/^ipmasqadm: IPMASQADM_MODDIR=\S+ is ignored: No such file or directory; using \S+\n/)
	: ("ipmasqadm: unknown module nosuch: cannot read $tmp/none: No such file or directory\n");
is_run('no directory', ['nosuch'], 1, '', @none, IPMASQADM_MODDIR => "$tmp/none");
if ($> == 0) {
	is_run('an endless directory name', ['nosuch'], 1, '',
		qr/^ipmasqadm: IPMASQADM_MODDIR=(?:\/x)+\/? is ignored: (?:File name too long|No such file or directory); using \S+\n/,
		IPMASQADM_MODDIR => '/x' x 4096);
} else {
	is_run('no directory, help', ['--help'], 0, qr/\n  none: cannot read \Q$tmp\E\/none: No such file/, '',
		IPMASQADM_MODDIR => "$tmp/none");
	is_run('an endless directory name', ['nosuch'], 1, '',
		qr/^ipmasqadm: unknown module nosuch: cannot read (?:\/x)+: File name too long\n$/,
		IPMASQADM_MODDIR => '/x' x 4096);
}

# Entry points.
plugin('old');
is_run('1998', [qw(old -x), '', 'a b'], 5, "0 old\n1 -x\n2 \n3 a b\n4 NULL\n", '');
plugin('older', '-Iinclude', '-fvisibility=hidden');
is_run('1998, by our header', [qw(older x)], 0, "2 words, the first is older\n", '');
plugin('both', '-Iinclude');
is_run('both entry points', ['both'], 0, "structure\n", '');
plugin('future');
is_run('another interface', ['future'], 1, '',
	qr/^ipmasqadm: module future \(\Q$dir\E\/future\.so\) was built for plugin interface 4711, this program has 1: rebuild it\n$/);
plugin('nothing');
is_run('no entry point', ['nothing'], 1, '',
	qr/^ipmasqadm: module nothing: .*undefined symbol: nothing_masqmod, nor masqmod_main\n$/);
plugin('dangling', '-Iinclude');
is_run('a symbol that nobody has', ['dangling'], 1, '',
	qr/^ipmasqadm: module dangling: .*undefined symbol: a_function_that_nobody_has\n$/);

# Broken files.
{
	my $whole = slurp("$dir/old.so");
	for ([empty => 0], [short => 20], [half => length($whole) / 2]) {
		my ($name, $size) = @$_;
		open my $f, '>', "$dir/$name.so" or die;
		print $f substr($whole, 0, $size);
		close $f;
	}
	is_run('an empty file', ['empty'], 1, '', qr/^ipmasqadm: module empty: .*file too short\n$/);
	is_run('a few bytes', ['short'], 1, '', qr/^ipmasqadm: module short: .*file too short\n$/);
	is_run('half a library', ['half'], 1, '', qr/^ipmasqadm: module half: \S/);
	mkdir "$dir/folder.so";
	is_run('a directory', ['folder'], 1, '', qr/^ipmasqadm: module folder: \S/);
	symlink "$dir/nowhere.so", "$dir/link.so";
	is_run('a dangling link', ['link'], 1, '', qr/^ipmasqadm: unknown module link\b/);
	symlink "$dir/loop.so", "$dir/loop.so";
	is_run('a loop', ['loop'], 1, '', qr/^ipmasqadm: \S+\/loop\.so: Too many levels of symbolic links\n/);
	unlink "$dir/$_.so" for qw(empty short half link loop);
	rmdir "$dir/folder.so";
}

# Help lists what is there, one line each, sorted, broken ones with the reason, strangers not at all.
for my $name (qw(a.b.so .so x.so.0 README UPPER.so), 'a' x 32 . '.so') {
	open my $f, '>', "$dir/$name" or die;
}
{
	my $r = is_run('help', ['-h'], 0, qr/^usage: .*\nmodules:\n/s, '');
	my ($list) = $r->{out} =~ /modules:\n(.*)/s;
	my @names = $list =~ /^  (\S+) +\S/mg;
	is("@names", 'both dangling future nothing old older', 'help: every module, a line each');
	is(scalar(my @lines = split /\n/, $list), @names, 'help: and no other line');
	like($list, qr/^  both +both$/m, 'help: the summary');
	like($list, qr/^  old +\(written for the interface of 1998\)$/m, 'help: none from 1998');
	like($list, qr/^  dangling +module dangling: .*nobody_has$/m, 'help: why one is broken');
	is_run('no such module', ['nosuch'], 1, '',
		"ipmasqadm: unknown module nosuch (available: both dangling future nothing old older)\n");
}

# What others can write, root does not load.
SKIP: {
	skip 'not root: nothing is refused', 1 if $> != 0;
	my $refused = qr/^ipmasqadm: refusing to load (\S+): group- or world-writable; chmod go-w \1\n$/;
	for my $mode (0775, 0757, 01777, 0720, 0702) {
		chmod $mode, $dir or die;
		is_run(sprintf('directory of mode %04o', $mode), ['old'], 1, '', $refused);
	}
	like(run(['-h'])->{out}, qr/^  old +refusing to load \S+: group- or world-writable/m, 'help says so, too');
	chmod 0755, $dir or die;
	for my $mode (0775, 0666, 0620, 0602) {
		chmod $mode, "$dir/old.so" or die;
		is_run(sprintf('file of mode %04o', $mode), ['old'], 1, '', $refused);
	}
	for my $mode (0700, 0644, 0400) {
		chmod $mode, "$dir/old.so" or die;
		is_run(sprintf('file of mode %04o', $mode), ['old'], 5, qr/^0 old\n/, '');
	}
	chmod 0755, "$dir/old.so" or die;

	# a link does not hide where the file lies
	mkdir "$tmp/open" or die;
	copy("$dir/old.so", "$tmp/open/stray.so") or die;
	chmod 0755, "$tmp/open/stray.so" or die;
	symlink "$tmp/open/stray.so", "$dir/old2.so" or die;
	rename "$tmp/open/stray.so", "$tmp/open/x" or die;
	copy("$dir/old.so", "$tmp/open/stray.so") or die;
	is_run('a link to a closed directory', ['old2'], 5, qr/^0 old2\n/, '');
	chmod 0777, "$tmp/open" or die;
	is_run('a link to an open directory', ['old2'], 1, '', $refused);
	unlink "$dir/old2.so";
	rename $dir, "$tmp/real" or die;
	symlink "$tmp/real", $dir or die;
	is_run('the directory is a link', ['old'], 5, qr/^0 old\n/, '');
	chmod 0777, "$tmp/real" or die;
	is_run('the directory is a link to an open one', ['old'], 1, '', $refused);
	chmod 0755, "$tmp/real" or die;
	unlink $dir;
	rename "$tmp/real", $dir or die;
}

# A third party: the installed headers, pkg-config, and nothing of this tree.
my $root = "$tmp/root";
my $prefix = "$root/opt/ipmasqadm";
my %installed = (program => "$prefix/lib/program", IPMASQADM_MODDIR => "$prefix/lib/ipmasqadm");
ok(build("O=$tmp/build", "CC=$cc", "NFT=$ENV{NFT}", 'PREFIX=/opt/ipmasqadm', "DESTDIR=$root", 'install'),
	'make install');
copy("$prefix/sbin/ipmasqadm", $installed{program}) or die;
chmod 0755, $installed{program} or die;
{
	local $ENV{PKG_CONFIG_PATH} = "$prefix/lib/pkgconfig";
	local $ENV{PKG_CONFIG_SYSROOT_DIR} = $root;
	my @cflags = split ' ', command(qw(pkg-config --cflags ipmasq));
	my @libs = split ' ', command(qw(pkg-config --libs ipmasq));
	like(command(qw(pkg-config --variable=moddir ipmasq)), qr{/opt/ipmasqadm/lib/ipmasqadm$},
		'pkg-config tells where plugins go');
	mkdir "$tmp/third" or die;
	copy("tests/plugins/hello.c", "$tmp/third/hello.c") or die;
	my $out = command($cc, qw(-shared -fPIC -Wall -Wextra -Werror), '-Wl,-z,defs', @cflags,
		'-o', "$prefix/lib/ipmasqadm/hello.so", "$tmp/third/hello.c", @libs, '-Wl,-rpath,$ORIGIN/..');
	is($?, 0, 'a plugin outside the tree compiles') or diag $out;
	SKIP: {
		skip 'no g++', 1 if !have('g++');
		open my $f, '>', "$tmp/third/c++.cc" or die;
		print $f "#include <masq.h>\n#include <masqmod.h>\n";
		close $f;
		$out = command(qw(g++ -Wall -Wextra -Werror -fsyntax-only), @cflags, "$tmp/third/c++.cc");
		is($?, 0, 'the headers are C++, too') or diag $out;
	}
}
is_run('a plugin outside the tree', [qw(hello 80)], 7,
	qr/^0 hello\n1 80\n2 NULL\nport 80, library \d+\.\d+\.\d+\n$/, '', %installed);
is_run('its own error', [qw(hello 65536)], 2, qr/^0 hello\n/, "ipmasqadm: hello: 65536 is no port\n", %installed);
is_run('no module without the directory', ['hello'], 1, '',
	"ipmasqadm: unknown module hello: cannot read /opt/ipmasqadm/lib/ipmasqadm: No such file or directory\n",
	program => $installed{program}, IPMASQADM_MODDIR => '');
is_run('installed help', ['-h'], 0,
	qr/\nmodules:\n  autofw +\S.*\n  (?:check +\S.*\n  )?hello +say hello\n  mfw +\S.*\n  portfw +\S.*\n/, '', %installed);
is_run('an installed module', [qw(portfw --help)], 0, qr/^ipmasqadm portfw: .*\n\nusage: /, '', %installed);
is_run('its help goes on below, between words', [qw(portfw --help)], 0,
	qr/^  -L LADDR LPORT {15}address .{1,60} any\n {31}address of this machine, \@ppp0 [^\n]+\n  -R /m, '', %installed);

SKIP: {
	skip 'needs root outside of a user namespace', 1
		if $> != 0 || slurp('/proc/self/uid_map') !~ /^\s*0\s+0\s+4294967295\s*$/;
	my @user = (program => $installed{program}, user => 65534);
	chmod 0777, $dir or die;
	is_run('an ordinary user may run what others wrote', ['old'], 5, qr/^0 old\n/, '', @user);
	chmod 0755, $dir or die;
	skip "$tmp is mounted nosuid", 1
		if command(qw(findmnt -no OPTIONS -T), $tmp) =~ /\bnosuid\b/;
	chmod 04755, $installed{program} or die;
	is_run('raised privileges: IPMASQADM_MODDIR is not looked at', ['old'], 1, '',
		"ipmasqadm: unknown module old: cannot read /opt/ipmasqadm/lib/ipmasqadm: No such file or directory\n",
		@user);
	chmod 0755, $installed{program} or die;
}
done_testing;
