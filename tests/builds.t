#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Every way to build the tree, and what is built put to use: compilers, options, installation, the
# library's symbols, valgrind.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Build;
use Fake;
use File::Find;
use File::Temp 'tempdir';
use Test::More;

plan skip_all => 'other builds are not looked at with sanitizers' if ($ENV{SANITIZE} // '') eq 'yes';
plan skip_all => 'other builds are looked at from the usual one' if ($ENV{STATIC} // '') eq 'yes';
my $top = $Build::top;
my $nft = $ENV{NFT} // 'yes';
my @add = qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080);
my $title = "prot localaddr            rediraddr               lport    rport  pcnt  pref\n";
my $row = "TCP  198.51.100.1         10.0.0.2                   80     8080    10    10\n";

# A subtest of what the system may have no means for. CI is to have them all.
sub with {
	my ($have, $what, $name, $code) = @_;
	return subtest $name => $code if $have;
	return fail("$name: $what is missing") if $ENV{CI};
	print STDERR "# $0: no $what, so not tested: $name\n";
SKIP: { skip "$name: no $what", 1 }
}

# Libraries that an ELF file asks for.
sub needed {
	my ($file) = @_;
	return sort map { /\(NEEDED\).*\[(.*)\]/ ? $1 : () } split /\n/, command('readelf', '-d', $file);
}

# Within namespaces of its own, as root of them.
my @apart = ($> ? qw(unshare -Urn) : qw(unshare -n));

for my $cc (qw(gcc clang)) {
	with(have($cc), $cc, "$cc has nothing to warn of", sub {
		ok(build("O=build-$cc", "CC=$cc", 'WERROR=-Werror', "NFT=$nft", 'test-programs'), 'built');
	});
}

subtest 'without nf_tables' => sub {
	my $o = "$top/build-nft-no";
	ok(build('O=build-nft-no', 'NFT=no', 'WERROR=-Werror', 'test-programs'), 'built') or return;
	for my $file ("$o/ipmasqadm", "$o/libipmasq.so", glob "$o/modules/*.so") {
		is_deeply([grep { !/^lib(c|dl|ipmasq)\.so/ && !/^ld-linux/ } needed($file)], [],
			$file =~ s{.*/}{}r . ' needs libc and libdl and no more');
	}
	my $k = Fake->new(FAKE_KERNEL => '2.2')->of($o)->module('portfw');
	is_deeply([@{ $k->run(@add) }{qw(status err out)}], [0, '', ''], 'adds');
	is_deeply([@{ $k->run(qw(portfw -l -n)) }{qw(status err out)}], [0, '', "$title$row"], 'lists');

	my $without = "this ipmasqadm was built without nf_tables (NFT=no)\n";
	my $none = "this kernel has no masquerading modules, and $without";
	for (
		[{ FAKE_ANSWER => '*=ENOPROTOOPT' }, $none],
		[{ FAKE_SOCKET => 'EAFNOSUPPORT' }, $none],
		[{ FAKE_ANSWER => '*=EPERM' }, "the kernel wants CAP_NET_ADMIN: run this as root\n"],
		[{ FAKE_SOCKET => 'EPERM' }, "no raw socket without CAP_NET_RAW: run this as root\n"],
		[{ IPMASQADM_TRANSPORT => 'nft' }, $without],
	) {
		my ($env, $text) = @$_;
		$k->{env} = { %$env, FAKE_KERNEL => '2.2' };
		for my $argv (\@add, [qw(portfw -l)]) {
			my $r = $k->run(@$argv);
			is_deeply([@$r{qw(status err out)}], [1, "ipmasqadm: portfw: $text", ''],
				"refuses: @{[%$env]}: @$argv");
		}
	}
};

# The same program in one file, with one plugin more. There is no static libmnl in Debian.
sub static {
	my ($nft) = @_;
	my $tree = tempdir('ipmasqadm-static-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	command('cp', '-r', (map { "$top/$_" } qw(Makefile VERSION include lib cli modules ipmasqadm)), $tree);
	command('cp', "$top/tests/plugins/clash.c", "$tree/modules");
	ok(build('-C', $tree, 'STATIC=yes', "NFT=$nft", 'all'), 'built') or return;
	my $program = "$tree/build/ipmasqadm";
	is(command($program, 'clash'), "clash 15\n", "a plugin's functions may have names of ours");
	unlike(command('readelf', '-lW', $program), qr/INTERP/, 'asks for no loader');
	is_deeply([needed($program)], [], '... and no library');
	like(command($program, '-V'), qr/\d+\.\d+/, '-V');
	my $help = command($program, '-h');
	like($help, qr/^  $_ /m, "-h lists $_") for qw(portfw mfw autofw);
	is(command($program, qw(portfw -h)),
		command('env', "IPMASQADM_MODDIR=$Fake::build/modules", "$Fake::build/ipmasqadm", qw(portfw -h)),
		'portfw -h is the same');
	is(command($program, 'none') =~ /^ipmasqadm: .*none/ && $? >> 8, 1, 'no such module');
	is(command($program, qw(portfw -a)) =~ /^ipmasqadm: portfw: / && $? >> 8, 2, 'a wrong command line');
SKIP: {
		command(@apart, 'true');
		skip 'no namespaces of our own', 2 if $?;
		is(command(@apart, qw(env IPMASQADM_TRANSPORT=sockopt), $program, qw(portfw -l)) =~
			/^ipmasqadm: portfw: this kernel has no masquerading modules/ && $? >> 8, 1,
			'no masquerading modules')
			if !-e '/proc/net/ip_masq';
		my $out = command(@apart, 'sh', '-c', "\"\$0\" @add && exec \"\$0\" portfw -l -n", $program);
		$nft eq 'yes' ? is($out, "$title$row", 'adds and lists')
			: like($out, qr/built without nf_tables \(NFT=no\)/, 'no nf_tables');
	}
}

subtest 'static, without nf_tables' => sub { static('no') };
command('sh', '-c', 'echo "int main(void) { return 0; }" | cc -static -x c -o /dev/null - '
	. '$(pkg-config --static --libs libnftnl libmnl jansson)');
if ($? == 0) {
	subtest 'static' => sub { static('yes') };
} else {
	# not even CI can have what its system does not offer
	print STDERR "# $0: no static libmnl, libnftnl or jansson, so not tested: STATIC=yes with NFT=yes\n";
}

# All files below a directory, and directories that are ours alone.
sub left {
	my ($dir) = @_;
	my @found;
	find({ no_chdir => 1, wanted => sub {
		my $below = substr $_, length $dir;
		push @found, $below if -l || !-d _ || $below =~ /masq/;
	} }, $dir);
	return sort @found;
}

subtest 'install and uninstall' => sub {
	my @modules = grep { $_ ne 'check' } map { s{.*/|\.so$}{}gr } glob "$Fake::build/modules/*.so";
	my %to = (
		'the usual places' => ['/usr/sbin/ipmasqadm', '/usr/lib/ipmasqadm', '/usr/lib', '/usr/include'],
		'another prefix'   => ['/opt/it/sbin/ipmasqadm', '/opt/it/lib/ipmasqadm', '/opt/it/lib',
			'/opt/it/include', 'PREFIX=/opt/it'],
		'places one by one' => ['/s/ipmasqadm', '/l/mod', '/l', '/usr/include', qw(SBINDIR=/s LIBDIR=/l
			MODDIR=/l/mod MANDIR=/m)],
	);
	for my $name (sort keys %to) {
		my ($program, $moddir, $libdir, $incdir, @where) = @{ $to{$name} };
		my $dir = tempdir('ipmasqadm-dest-XXXXXX', TMPDIR => 1, CLEANUP => 1);
		my @make = ("DESTDIR=$dir", 'O=build-nft-no', 'NFT=no', @where);
		ok(build(@make, 'install'), "$name: install") or next;
		my %is = map { $_ => 1 } left($dir);
		ok($is{$_}, "... $_") for $program, "$libdir/libipmasq.so", "$libdir/libipmasq.so.1",
			"$libdir/pkgconfig/ipmasq.pc", "$incdir/ipmasqadm/masq.h",
			"$incdir/ipmasqadm/masqmod.h", "$incdir/ipmasqadm/linux/ip_masq.h",
			map { "$moddir/$_.so" } @modules;
		my $mandir = "@where" =~ /MANDIR=(\S+)/ ? $1 : $program =~ s{/sbin/.*}{/share/man}r;
		ok($is{"$mandir/$_"}, "... $mandir/$_") for
			map { s{.*/}{}r =~ s{.*\.(\d)$}{man$1/$&}r } glob "$top/man/*.[38]";
		# what is installed elsewhere root runs only beside its plugins
		command('cp', "$dir$program", "$dir$libdir/program");
		for my $module (@modules) {
			my $out = command('env', "IPMASQADM_MODDIR=$dir$moddir", "$dir$libdir/program", $module, '--help');
			is($?, 0, "... $module --help") or diag $out;
		}
		unlink "$dir$libdir/program";
		# what MODDIR was, the program knows
		like(command("$dir$program", 'portfw'), qr{\Q$moddir\E}, '... looks for its plugins there')
			if !-e $moddir;

		# a program of somebody else, against what is installed
		open my $f, '>', "$dir/user.c" or die $!;
		print $f "#include <masq.h>\n#include <masqmod.h>\n#include <linux/ip_masq.h>\n"
			. "int main(void) { return puts(masq_version()) < 0; }\n";
		close $f;
		my $flags = command('env', "PKG_CONFIG_LIBDIR=$dir$libdir/pkgconfig",
			"PKG_CONFIG_SYSROOT_DIR=$dir", qw(pkg-config --cflags --libs ipmasq));
		chomp $flags;
		for my $cc ('cc -std=c11', have('g++') ? 'g++ -x c++' : ()) {
			my $out = command('sh', '-c', "$cc -Wall -Wextra -Werror -o $dir/user $dir/user.c $flags "
				. "&& LD_LIBRARY_PATH=$dir$libdir $dir/user");
			open my $v, '<', "$top/VERSION" or die $!;
			is($out, <$v>, "... a program of somebody else, $cc");
		}
		unlink "$dir/user", "$dir/user.c";

		ok(build(@make, 'uninstall'), '... uninstall');
		is_deeply([left($dir)], [], '... leaves nothing');
	}
};

# Names that an object gives to others.
sub exported {
	my ($file) = @_;
	return sort grep { !/^LIBIPMASQ_/ } map { / [A-TV-Z] (\w+)/ ? $1 : () }
		split /\n/, command(qw(nm -D --defined-only), $file);
}

subtest 'symbols' => sub {
	open my $f, '<', "$top/include/masq.h" or die $!;
	my $header = do { local $/; <$f> };
	my @promised = sort $header =~ /^MASQ_API [^;(]*?(\w+)\(/mg;
	cmp_ok(@promised, '>', 10, 'masq.h promises functions');
	for my $o ($Fake::build, "$top/build-nft-no") {
		is_deeply([exported("$o/libipmasq.so")], \@promised, 'the library exports those and no more');
		for my $plugin (glob "$o/modules/*.so") {
			my $name = $plugin =~ s{.*/|\.so$}{}gr;
			my @exported = exported($plugin);
			is("@exported", "${name}_masqmod", "$name.so exports its object and no more");
		}
	}
};

with(have('valgrind'), 'valgrind', 'valgrind finds nothing', sub {
	# what a plugin's library still holds at exit is no leak
	my $kinds = 'definite,indirect,possible';
	my @valgrind = (qw(valgrind -q --error-exitcode=99 --leak-check=full),
		"--show-leak-kinds=$kinds", "--errors-for-leak-kinds=$kinds",
		"--suppressions=$top/tests/valgrind.supp");
	my $k = Fake->new(FAKE_KERNEL => '2.2')->module(qw(portfw mfw autofw));
	for (
		[0, @add],
		[0, qw(portfw -a -P udp -L localhost 53 -R 10.0.0.2 53 -p 3)],
		[0, qw(portfw -l)],
		[0, qw(portfw -l -n -v)],
		[0, qw(portfw -q -P tcp -L 198.51.100.1 80)],
		[0, qw(mfw -A -m 1 -r 10.0.0.2)],
		[0, qw(mfw -E -m 1 -p 3)],
		[0, qw(mfw -S -m 1)],
		[0, qw(mfw -L)],
		[0, qw(autofw -A -r udp 6970 7170 -c tcp 7070)],
		[0, qw(autofw -L)],
		[0, qw(autofw -D -r udp 6970 7170 -c tcp 7070)],
		[0, qw(save)],
		[0, qw(portfw -d -P tcp -L 198.51.100.1 80)],
		[1, qw(portfw -d -P tcp -L 198.51.100.1 80)],
		[1, qw(mfw -D -m 2)],
		[2, qw(portfw -a -P upd -L 198.51.100.1 80 -R 10.0.0.2 80)],
		[2, qw(mfw -m 1 -r 10.0.1.5)],
		[0, qw(portfw -f)],
		[0, qw(mfw -F)],
		[0, qw(autofw -F)],
		[0, '-h'],
	) {
		my ($status, @argv) = @$_;
		my $r = $k->under(\@valgrind, @argv);
		is($r->{status}, $status, "@argv") or diag $r->{err};
	}
	$k->file('ip_masq/portfw', "$header{portfw}junk\n");
	my $r = $k->under(\@valgrind, qw(portfw -l));
	is($r->{status}, 1, 'a damaged state file') or diag $r->{err};
	if ($nft eq 'yes') {
		command(@apart, 'true');
		skip 'no namespaces of our own', 1 if $?;
		my $script = join ' && ', map { "@valgrind $Fake::build/ipmasqadm $_" } (
			"@add", "@add -p 3", 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80',
			'portfw -l', 'mfw -A -m 1 -r 10.0.0.2', 'mfw -I -m 1 -r 10.0.0.3 80 -p 7', 'mfw -S -m 1',
			'mfw -L', 'autofw -A -r udp 6970 7170 -c tcp 7070', 'autofw -L', 'save',
			'portfw -d -P tcp -L 198.51.100.1 80', 'portfw -f', 'mfw -F', 'autofw -F');
		my $out = command('env', "IPMASQADM_MODDIR=$Fake::build/modules", @apart, 'sh', '-c', $script);
		is($?, 0, 'on nf_tables') or diag $out;
	}
});

done_testing;
