#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Root runs nobody's code. An unprivileged user tries each way to bring a library of his own into a
# program that root runs: if it is loaded, it leaves a file.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Build;
use File::Copy 'copy';
use File::Path 'remove_tree';
use File::Temp 'tempdir';
use Test::More;

plan skip_all => 'plugins are built in' if ($ENV{STATIC} // '') eq 'yes';
my $user = 65534;
my @as_user = ('setpriv', "--reuid=$user", "--regid=$user", '--clear-groups');
plan skip_all => 'needs root, and a user beside it' if $> != 0 || system(@as_user, 'true');

my $cc = $ENV{CC} || 'cc';
my $tmp = tempdir('ipmasqadm-trust-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $pwned = "$tmp/marks/pwned";
chmod 0755, $tmp or die;
umask 022;
mkdir "$tmp/marks" or die;
chmod 0777, "$tmp/marks" or die;

# What the user would have root run: as a plugin, and as the library of one.
open my $f, '>', "$tmp/evil.c" or die;
print $f <<"END";
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void enter(void) { close(creat("$pwned", 0600)); }
int masqmod_main(int argc, const char *argv[]);
int masqmod_main(int argc, const char *argv[]) { (void)argv; return argc < 0; }
END
close $f;
command($cc, qw(-shared -fPIC -o), "$tmp/evil.so", "$tmp/evil.c");
is($?, 0, 'the evil library compiles') or die;

# Installed below $root, where the program itself looks for its plugins.
my $root = "$tmp/root";
my ($program, $lib, $mods) = ("$root/sbin/ipmasqadm", "$root/lib", "$root/lib/ipmasqadm");
ok(build("O=$tmp/build", "CC=$cc", 'NFT=no', "PREFIX=$root", 'UNITDIR=', 'install'), 'make install') or die;
my ($library) = map { s{.*/}{}r } glob "$lib/libipmasq.so.[0-9]*";

sub slurp {
	open my $in, '<', $_[0] or return '';
	local $/;
	return <$in> // '';
}

# As root, with the environment in %opt.
sub run {
	my (%opt) = @_;
	my $argv = delete $opt{argv} // [qw(portfw --help)];
	my $what = delete $opt{program} // $program;
	my $by = delete $opt{by} // [];
	my $pid = fork // die;
	unlink $pwned;
	if (!$pid) {
		delete @ENV{grep { /^IPMASQADM/ } keys %ENV};
		$ENV{$_} = $opt{$_} for keys %opt;
		open STDOUT, '>', "$tmp/out" or die;
		open STDERR, '>', "$tmp/err" or die;
		exec @$by, $what, @$argv;
		exit 127;
	}
	waitpid $pid, 0;
	return { status => $? & 127 ? "signal $?" : $? >> 8, out => slurp("$tmp/out"),
		err => slurp("$tmp/err"), pwned => -e $pwned ? 1 : 0 };
}

# Whatever is tried, nothing of the user's is run, and the reason is given.
sub refused {
	my ($name, $reason, %opt) = @_;
	my $r = run(%opt);
	is($r->{pwned}, 0, "$name: nothing is run");
	is($r->{status}, 1, "$name: exit 1");
	like($r->{err}, qr/^ipmasqadm: refusing to load \S+: $reason/m, "$name: the message");
	is(run(%opt, argv => ['-h'])->{pwned}, 0, "$name: nor by -h");
}

sub works {
	my ($name, %opt) = @_;
	my $r = run(%opt);
	is("$r->{status}$r->{pwned}$r->{err}", '00', $name);
}

# As the user; what he cannot do is part of the case.
sub user {
	my ($script) = @_;
	system(@as_user, 'sh', '-c', $script) == 0 or die "$script\n";
}

# Runs code, then puts the tree back.
my $pristine = "$tmp/pristine";
system('cp', '-a', $root, $pristine) == 0 or die;
sub way_in {
	my ($name, $code) = @_;
	subtest $name => sub {
		$code->();
		remove_tree($root);
		system('cp', '-a', $pristine, $root) == 0 or die;
	};
}

my $owned = qr/owned by uid $user; chown/;
my $writable = qr/group- or world-writable; chmod go-w/;

works('as installed');

subtest 'IPMASQADM_MODDIR' => sub {
	mkdir "$tmp/his" or die;
	chown $user, $user, "$tmp/his";
	user("cp $tmp/evil.so $tmp/his/portfw.so");
	my $ignored = qr/^ipmasqadm: IPMASQADM_MODDIR=\S+ is ignored: root uses only a directory beside the running program; using \Q$mods\E$/m;
	my $r = run(IPMASQADM_MODDIR => "$tmp/his");
	is("$r->{status}$r->{pwned}", '00', 'an installed program ignores it');
	like($r->{err}, $ignored, 'and says so');
	like($r->{out}, qr/^ipmasqadm portfw:/, 'and takes what is installed');
	is(run(IPMASQADM_MODDIR => "$tmp/his", argv => ['-h'])->{pwned}, 0, 'also for -h');

	# also where all of it is root's: what root runs is not for the environment to choose
	mkdir "$tmp/roots" or die;
	copy("$tmp/evil.so", "$tmp/roots/portfw.so") or die;
	$r = run(IPMASQADM_MODDIR => "$tmp/roots");
	is("$r->{status}$r->{pwned}", '00', "root's own directory elsewhere");
	like($r->{err}, $ignored, 'is ignored as well');

	works('the directory that would be used anyway', IPMASQADM_MODDIR => "$mods/");
	$r = run(IPMASQADM_MODDIR => "$tmp/none");
	is($r->{status}, 0, 'a directory that is not there');
	like($r->{err}, qr/^ipmasqadm: IPMASQADM_MODDIR=\S+ is ignored: No such file/, 'is ignored, too');
	$r = run(IPMASQADM_MODDIR => "/\x1b[31m\xc2\x9b/x");
	like($r->{err}, qr{^ipmasqadm: IPMASQADM_MODDIR=/\?\[31m\?\?/x is ignored}, 'and shown as printable');

	user("ln -s $root/sbin $tmp/his/sbin; ln -s $tmp/his $tmp/his/plugins");
	$r = run(program => "$tmp/his/sbin/ipmasqadm", IPMASQADM_MODDIR => "$tmp/his/plugins");
	is("$r->{status}$r->{pwned}", '00', 'a link to the program does not put it elsewhere');
	$r = run(IPMASQADM_MODDIR => "$root/sbin/../../his");
	is("$r->{status}$r->{pwned}", '00', 'nor do dots move the directory');

	$r = run(by => \@as_user, IPMASQADM_MODDIR => "$tmp/his");
	is("$r->{status}$r->{pwned}$r->{err}", '01', 'the user himself may run what he likes');
};

# A tree that was built and not installed.
sub tree {
	my ($owner) = @_;
	remove_tree("$tmp/tree");
	mkdir "$tmp/tree" or die;
	mkdir "$tmp/tree/build" or die;
	mkdir "$tmp/tree/build/modules" or die;
	copy($program, "$tmp/tree/build/ipmasqadm") or die;
	chmod 0755, "$tmp/tree/build/ipmasqadm";
	copy("$mods/portfw.so", "$tmp/tree/build/modules/portfw.so") or die;
	copy("$lib/$library", "$tmp/tree/build/$library") or die;
	system('chown', '-R', "$owner:$owner", "$tmp/tree") == 0 or die;
	return (program => "$tmp/tree/build/ipmasqadm", IPMASQADM_MODDIR => "$tmp/tree/build/modules");
}

subtest 'a tree that was built' => sub {
	works("root's", tree(0));
	chmod 0777, "$tmp/tree" or die;
	works('wherever it lies: who runs the program has chosen it', program => "$tmp/tree/build/ipmasqadm",
		IPMASQADM_MODDIR => "$tmp/tree/build/modules");
	works("the user's, all of it", tree($user));
	my %tree = tree($user);
	chown 0, 0, glob "$tmp/tree/build/*" or die;
	works("the user's, of which root has made a part", %tree);

	%tree = tree(0);
	chown $user, $user, "$tmp/tree/build/modules";
	user("cp $tmp/evil.so $tmp/tree/build/modules/mfw.so");
	refused("root's program beside the user's plugins", $owned, %tree, argv => ['mfw']);
	%tree = tree(0);
	chown $user, $user, "$tmp/tree/build/$library";
	user("cat $tmp/evil.so >$tmp/tree/build/$library");
	refused("root's plugins beside the user's library", $owned, %tree);
	%tree = tree(0);
	chmod 0777, "$tmp/tree/build";
	user("mv $tmp/tree/build/$library $tmp/tree/build/old; cp $tmp/evil.so $tmp/tree/build/$library");
	refused('a directory where everybody writes', $writable, %tree);
	%tree = tree(0);
	chmod 01777, "$tmp/tree/build";
	unlink "$tmp/tree/build/$library";
	user("cp $tmp/evil.so $tmp/tree/build/$library");
	refused('the same, sticky, without a library', $writable, %tree);
	%tree = tree(0);
	unlink "$tmp/tree/build/modules/portfw.so";
	symlink "$tmp/his/portfw.so", "$tmp/tree/build/modules/portfw.so" or die;
	refused('a link out of it', $owned, %tree);
};

way_in 'the plugin is his' => sub {
	chown $user, $user, "$mods/portfw.so";
	user("cat $tmp/evil.so >$mods/portfw.so");
	refused('by owner', $owned);
};

way_in 'the plugin is writable' => sub {
	chmod 0666, "$mods/portfw.so";
	user("cat $tmp/evil.so >$mods/portfw.so");
	refused('by mode', $writable);
};

way_in 'the folder is his' => sub {
	chown $user, $user, $mods;
	user("rm -f $mods/portfw.so; cp $tmp/evil.so $mods/portfw.so");
	refused('by owner', $owned);
	chown 0, 0, "$mods/portfw.so";
	refused("by owner, with root's file in it", $owned);
};

way_in 'the folder is writable' => sub {
	unlink "$mods/portfw.so";
	for my $mode (0777, 01777, 0775) {
		chmod $mode, $mods;
		user("cp -f $tmp/evil.so $mods/portfw.so") if $mode != 0775;
		refused(sprintf('mode %04o', $mode), $writable);
		chown 0, 0, "$mods/portfw.so";
		refused(sprintf("mode %04o, root's file", $mode), $writable);
		unlink "$mods/portfw.so" if $mode != 01777;
	}
};

way_in 'the library beside the plugins is his' => sub {
	chown $user, $user, "$lib/$library";
	user("cat $tmp/evil.so >$lib/$library");
	refused('by owner', $owned);
};

way_in 'the library beside the plugins is writable' => sub {
	chmod 0664, "$lib/$library";
	refused('by group', $writable);
	chmod 0646, "$lib/$library";
	user("cat $tmp/evil.so >$lib/$library");
	refused('by all', $writable);
};

way_in 'the library beside the plugins is a link to his' => sub {
	unlink "$lib/$library";
	symlink "$tmp/his/portfw.so", "$lib/$library" or die;
	refused('by owner', $owned);
};

way_in 'the library for one kind of processor is his' => sub {
	mkdir "$lib/glibc-hwcaps" or die;
	for my $kind (qw(x86-64-v2 x86-64-v3 power9 z15)) {
		mkdir "$lib/glibc-hwcaps/$kind" or die;
		copy("$lib/$library", "$lib/glibc-hwcaps/$kind/$library") or die;
	}
	works("root's");
	chown $user, $user, glob "$lib/glibc-hwcaps/*/$library";
	refused('the file', $owned);
	chown 0, 0, glob "$lib/glibc-hwcaps/*/$library";
	chmod 01777, "$lib/glibc-hwcaps/power9";
	refused('the directory', $writable);
};

way_in 'another library of the name that a plugin needs' => sub {
	command($cc, qw(-shared -fPIC -o), "$tmp/liblow.so", '-Wl,-soname,liblow.so', '-x', 'c', '/dev/null');
	command($cc, qw(-shared -fPIC -o), "$mods/mine.so", "$tmp/evil.c",
		'-Wl,--no-as-needed', "$tmp/liblow.so", '-Wl,--disable-new-dtags', '-Wl,-rpath,/nowhere:${ORIGIN}/../low');
	mkdir "$lib/low" or die;
	copy("$tmp/evil.so", "$lib/low/liblow.so") or die;
	chown $user, $user, "$lib/low/liblow.so";
	refused('in a directory of its own', $owned, argv => ['mine']);
	chown 0, 0, "$lib/low/liblow.so";
	is(run(argv => ['mine'])->{pwned}, 1, "root's is loaded");
	rename "$lib/low/liblow.so", "$tmp/liblow.so";
	chmod 01777, "$lib/low";
	refused('a directory where it could appear', $writable, argv => ['mine']);
	for my $path ('.', 'low', '', '/nowhere::/nowhere') {
		command($cc, qw(-shared -fPIC -o), "$mods/mine.so", "$tmp/evil.c", "-Wl,-rpath,$path");
		refused("RUNPATH \"$path\"", qr/its RUNPATH \S+ is not absolute/, argv => ['mine'])
			if command('readelf', '-d', "$mods/mine.so") =~ /RUNPATH/;
	}
};

way_in 'mv mods gone; mkdir mods' => sub {
	chown $user, $user, $lib;
	user("cd $lib && mv ipmasqadm gone && mkdir ipmasqadm && cp $tmp/evil.so ipmasqadm/portfw.so");
	refused('his own folder', $owned);
	user("cd $lib && rm -r ipmasqadm && mv gone ipmasqadm");
	refused("root's old folder in his", $owned);
};

way_in 'the same further up' => sub {
	chmod 0777, $root;
	user("cd $root && mv lib gone && mkdir -p lib/ipmasqadm && cp $tmp/evil.so lib/ipmasqadm/portfw.so");
	refused('his own folders', $writable);
	user("cd $root && rm -r lib && mv gone lib");
	refused("root's folders in one where everybody writes", $writable);
	chmod 01777, $root;
	works("root's folders in one that is sticky");
};

way_in 'links on the way' => sub {
	rename $mods, "$tmp/moved" or die;
	rename "$lib/$library", "$tmp/$library" or die;
	symlink "$tmp/moved", $mods or die;
	works("root's link to a folder of root's");
	system('chown', '-h', $user, $mods);
	refused('his link', $owned);
	unlink $mods;
	mkdir "$tmp/between" or die;
	chown $user, $user, "$tmp/between";
	user("ln -s $tmp/moved $tmp/between/mods");
	symlink "$tmp/between/mods", $mods or die;
	refused("root's link through his folder", $owned);
	chown 0, 0, "$tmp/between";
	system('chown', '-h', 0, "$tmp/between/mods");
	works("root's links, one after the other");
	chmod 0757, "$tmp/moved";
	refused('a folder where everybody writes, behind links', $writable);
	remove_tree("$tmp/moved");
};

subtest 'in a user namespace' => sub {
	my @unshare = (@as_user, qw(unshare -Ur));
	plan skip_all => 'no user namespaces for users' if system("@unshare true 2>/dev/null");
	works("root's files are nobody's there, and good", by => \@unshare);
	works('so is a tree', by => \@unshare, tree(0));
	works("the user's own tree", by => \@unshare, tree($user));
};

done_testing;
