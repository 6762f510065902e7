#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages: built, looked at by lintian, installed over this machine's own system as an overlay
# that goes with the test, used there, removed and purged. And the tarball.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use Cwd 'abs_path';
use File::Temp ();
use Test::More;

my $top = abs_path("$FindBin::Bin/..");
for my $tool (qw(dpkg-buildpackage dh lintian)) {
	Net::unable("no $tool") if run('sh', '-c', "command -v $tool");
}
Net::unable('the build dependencies are not installed') if run('sh', '-c', "cd $top && dpkg-checkbuilddeps");

my $net = Net->new(local => ['198.51.100.1']);
my $dir = File::Temp->newdir;
my $root = "$dir/root";

sub slurp { open my $f, '<', shift or return ''; local $/; return <$f> // '' }
sub sh { return run('sh', '-c', @_) }
sub end_of { return join '', grep { defined } (split /^/, join '', @_)[-30 .. -1] }

chomp(my $version = slurp("$top/VERSION"));

# what is there, committed or not, but for what was built
must('sh', '-ec', 'mkdir "$0/src" && cd "$1" && tar c --exclude=.git --exclude="./build*" --exclude="./*.tar.gz" . | tar x -C "$0/src"', "$dir", $top);
delete @ENV{grep { /^(O|CC|NFT|STATIC|SANITIZE|IPMASQADM.*|MAKE.*)$/ } keys %ENV};
$ENV{DEB_BUILD_OPTIONS} = 'nocheck parallel=2';
$ENV{LC_ALL} = 'C.UTF-8';

my ($status, $out, $err) = sh("cd $dir/src && dpkg-buildpackage -us -uc -b");
is($status, 0, 'dpkg-buildpackage') or BAIL_OUT(end_of($out, $err));
unlike($out . $err, qr/dpkg-gensymbols: warning|[^ ]:\d+: warning/, 'without warnings, with every symbol in debian/libipmasq1.symbols')
	or diag end_of($out, $err);
my @packages = qw(ipmasqadm libipmasq1 libipmasq-dev);
my ($arch) = split ' ', must(qw(dpkg --print-architecture));
my %deb = map { $_ => "$dir/${_}_${version}_$arch.deb" } @packages;
ok(-s $deb{$_}, "$_ $version") for @packages;

($status, $out, $err) = sh("cd $dir && lintian --allow-root --fail-on error,warning ./*.changes");
is($status, 0, 'lintian') or diag "$out$err";

my %content = map { $_ => must('dpkg-deb', '-c', $deb{$_}) } @packages;
my ($multiarch) = split ' ', must(qw(dpkg-architecture -qDEB_HOST_MULTIARCH));
for (['ipmasqadm', '/usr/sbin/ipmasqadm'], (map { ['ipmasqadm', "/usr/lib/ipmasqadm/$_.so"] } qw(portfw mfw autofw save restore)),
     ['ipmasqadm', '/usr/share/man/man8/ipmasqadm.8.gz'], ['ipmasqadm', '/etc/init.d/ipmasqadm'],
     ['ipmasqadm', '/lib/systemd/system/ipmasqadm.service'], ['ipmasqadm', '/usr/libexec/ipmasqadm-boot'],
     ['ipmasqadm', '/usr/lib/systemd/system/nftables.service.d/ipmasqadm.conf'],
     ['ipmasqadm', '/usr/share/bash-completion/completions/ipmasqadm'],
     ['libipmasq1', "/usr/lib/$multiarch/libipmasq.so.1"], ['libipmasq-dev', '/usr/include/ipmasqadm/masqmod.h'],
     ['libipmasq-dev', "/usr/lib/$multiarch/pkgconfig/ipmasq.pc"]) {
	my ($package, $file) = @$_;
	like($content{$package}, qr/ \.\Q$file\E$/m, "$package has $file");
}

must('sh', '-ec', 'cd "$0"; for deb; do dpkg-deb -x "$deb" unpacked; done', "$dir", values %deb);
my @elf = split /\n/, must('find', "$dir/unpacked/usr", '-name', '*.so*', '-type', 'f', '-o', '-path', "$dir/unpacked/usr/sbin/*", '-type', 'f');
cmp_ok(scalar @elf, '>=', 7, 'programs and libraries');
unlike(must('readelf', '-d', @elf), qr/R(UN)?PATH/, 'none looks for libraries in places of its own');

SKIP: {
	my $all = slurp('/proc/self/uid_map') =~ /^\s*0\s+0\s+4294967295$/;
	mkdir "$dir/overlay";
	mkdir $root;
	my $overlay = $all && !run(qw(mount -t tmpfs none), "$dir/overlay") && mkdir("$dir/overlay/upper") && mkdir("$dir/overlay/work")
		&& !run(qw(mount -t overlay none -o), "lowerdir=/,upperdir=$dir/overlay/upper,workdir=$dir/overlay/work", $root);
	if (!$overlay) {
		$ENV{CI} ? fail('no overlay') : diag('no overlay of / for want of root: the packages are not installed');
		skip 'no overlay of /', 1;
	}
	must(qw(mount --rbind), "/$_", "$root/$_") for qw(proc sys dev);
	must('mount', '-t', 'tmpfs', 'none', "$root/$_") for qw(run tmp);
	my $in = sub { return run('chroot', $root, @_) };
	must('cp', values %deb, "$root/tmp");
	# as in many a container and chroot: packages may neither start nor stop anything
	open my $policy, '>', "$root/usr/sbin/policy-rc.d" or die $!;
	print $policy "#!/bin/sh\nexit 101\n";
	close $policy;
	chmod 0755, "$root/usr/sbin/policy-rc.d";

	subtest 'installed, used, removed and purged' => sub {
		must('chroot', $root, 'sh', '-c', 'dpkg -P ipmasqadm libipmasq1 libipmasq-dev >/dev/null 2>&1; rm -rf /usr/lib/ipmasqadm /usr/sbin/ipmasqadm');
		# what is changed now is not ours
		my $changes = sub {
			return grep { !m{^/(var/(lib|log|cache)/|tmp|run|root|etc/ld\.so\.cache)} } split /\n/,
				must('sh', '-c', 'cd "$0" && find . \! -type d -printf "/%P\n"', "$dir/overlay/upper");
		};
		my @before = $changes->();
		my ($status, $out, $err) = $in->('sh', '-c', 'dpkg -i /tmp/*.deb');
		is($status, 0, 'dpkg -i') or diag "$out$err";
		unlike(ruleset(), qr/ipmasqadm/, 'nothing happens yet');

		delete local $ENV{IPMASQADM_MODDIR};
		($status, $out) = $in->(qw(ipmasqadm -V));
		is("$status$out", "0ipmasqadm $version\n", 'ipmasqadm -V');
		for ([qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80)], [qw(mfw -A -m 1 -r 10.0.0.2)],
		     [qw(autofw -A -r udp 6970 7170 -c tcp 7070)], [qw(save /etc/ipmasqadm.conf)]) {
			is(join('', $in->('ipmasqadm', @$_)), '0', "ipmasqadm @$_");
		}
		my $saved = slurp("$root/etc/ipmasqadm.conf");
		like($saved, qr/^ipmasqadm portfw -a .*\nipmasqadm mfw -A .*\nipmasqadm autofw -A /m, 'saved');
		is(join('', $in->(qw(ipmasqadm portfw -f))), '0', 'flushed');
		($status, $out, $err) = $in->(qw(sh /etc/init.d/ipmasqadm start));
		is($status, 0, 'the init script') or diag "$out$err";
		is(($in->(qw(ipmasqadm save)))[1], $saved, 'has restored');

		SKIP: {
			skip 'no compiler', 2 if run(qw(gcc --version));
			open my $c, '>', "$root/tmp/t.c" or die $!;
			print $c "#include <masq.h>\n#include <masqmod.h>\nint main(void) { puts(masq_version()); return 0; }\n";
			close $c;
			($status, $out, $err) = $in->('sh', '-ec', 'cd /tmp; gcc -Wall -Werror -o t t.c $(pkg-config --cflags --libs ipmasq); ./t');
			is("$status$out$err", "0$version\n", 'a program is built with libipmasq-dev');
			is(($in->(qw(man -w 3 masqmod)))[0], 0, 'masqmod(3)');
		}

		# once more, as an upgrade does it
		must('chroot', $root, qw(ipmasqadm mfw -A -m 2 -r 10.0.0.2));
		is(($in->('sh', '-c', 'dpkg -i /tmp/ipmasqadm_*.deb'))[0], 0, 'installed over itself');
		like(($in->(qw(ipmasqadm save)))[1], qr/mfw -A -m 2 /, 'what nobody has saved is still there');

		my $client = $net->host('client', '203.0.113.5');
		$net->host('one', '10.0.0.2')->listen(80);
		is($client->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'one', 'a connection');
		($status, $out, $err) = $in->(qw(dpkg -r ipmasqadm));
		is($status, 0, 'removed while it runs') or diag "$out$err";
		is((() = $out =~ /still running/g), 1, 'says once');
		like($out, qr/^ipmasqadm: forwarded connections are still running: the table .* stays/m, 'says that the table stays');
		is($client->say(1)->{name}, 'one', 'the connection goes on');
		is($client->tcp('198.51.100.1', 80)->{name}, 'refused', 'and the forwards have gone');
		$client->close(1);
		forget();

		must('chroot', $root, 'sh', '-c', 'dpkg -i /tmp/ipmasqadm_*.deb >/dev/null 2>&1 && ipmasqadm restore /etc/ipmasqadm.conf');
		must('cp', "$top/debian/tests/forward", "$root/tmp/forward");
		($status, $out, $err) = $in->('/tmp/forward');
		is("$status", 0, 'the autopkgtest') or diag "$out$err";
		($status, $out, $err) = $in->(qw(dpkg -r ipmasqadm));
		is($status, 0, 'removed') or diag "$out$err";
		unlike(ruleset(), qr/ipmasqadm/, 'and the forwards with it');
		is(slurp("$root/etc/ipmasqadm.conf"), $saved, 'but not what was saved');
		is(($in->(qw(sh /etc/init.d/ipmasqadm start)))[0], 0, 'the init script does nothing');
		must('touch', "$root/etc/.ipmasqadm.123.0"); # as of a save that was killed
		($status, $out, $err) = $in->(qw(dpkg -P), @packages);
		is($status, 0, 'purged') or diag "$out$err";
		my %before = map { $_ => 1 } @before;
		is_deeply([grep { !$before{$_} && -e "$root$_" } $changes->()], [], 'nothing is left');
	};
	run('umount', '-R', $root);
	run('umount', "$dir/overlay");
}

SKIP: {
	$ENV{GIT_CONFIG_COUNT} = 1;
	@ENV{qw(GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0)} = ('safe.directory', '*');
	skip 'no git repository: no make dist', 1 if run('git', '-C', $top, qw(rev-parse -q --verify HEAD));
	subtest 'make dist' => sub {
		must('git', 'clone', '-q', $top, "$dir/clone");
		is(run('make', '-sC', "$dir/clone", 'dist'), 0, 'make dist');
		chomp(my $there = slurp("$dir/clone/VERSION"));
		my @want = map { "ipmasqadm-$there/$_" } split /\n/, must('git', '-C', "$dir/clone", 'ls-files');
		my @got = grep { !m{/$} } split /\n/, must('tar', 'tzf', "$dir/clone/ipmasqadm-$there.tar.gz");
		is_deeply([sort @got], [sort @want], 'the tarball has every file');
		like(slurp("$dir/clone/debian/changelog"), qr/\Aipmasqadm \(\Q$there\E\) /, 'debian/changelog tells the same version');
	};
}

done_testing;
