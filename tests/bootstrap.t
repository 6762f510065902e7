#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# bootstrap's way with a package manager that fails, as mirrors and locks make it fail.
use strict;
use warnings;
use FindBin;
use File::Temp ();
use Test::More;

my $top = "$FindBin::Bin/..";
my $dir = File::Temp->newdir;
my $bin = "$dir/bin";

sub slurp { open my $f, '<', shift or return ''; local $/; return <$f> // '' }

sub script {
	my ($name, $text) = @_;
	open my $f, '>', $name or die "$name: $!";
	print $f $text;
	close $f;
	chmod 0755, $name;
}

# Four things that it looks for instead of those of the real table, a manager that follows a plan, and
# as much of the system as bootstrap itself needs.
my $table = join "\n", 'demo|have aa  |a-package', 'check|have bb|b-package', 'may|have cc  |c-package', 'may|have dd|d-package';
(my $text = slurp("$top/bootstrap")) =~ s/^(needs\(\) \{\n\tcat <<'END'\n).*?^(END\n)/$1$table\n$2/ms or die;
script("$dir/bootstrap", $text);
mkdir $bin;
for my $tool (qw(sh cat chmod cut dirname env grep mktemp nproc rm sed tail timeout touch)) {
	my ($path) = grep { -x } map { "$_/$tool" } qw(/usr/bin /bin) or die "no $tool";
	symlink $path, "$bin/$tool";
}
script("$bin/$_", "#!/bin/sh\necho $_ \"\$@\" >>$dir/ran\n") for qw(make sleep);
# each line of the plan: what the next call says; it fails unless that is "ok"
script("$bin/apt-get", <<"END");
#!/bin/sh
while [ "\$1" != install ] && [ "\$1" != update ]; do shift; done
echo apt-get "\$@" >>$dir/ran
{ IFS= read -r line; cat; } <$dir/plan >$dir/rest; sed -n 1p $dir/plan >$dir/line; cat $dir/rest >$dir/plan
read -r line <$dir/line
case "\$line" in
ok | '') ;;
*) echo "\$line" >&2; exit 100 ;;
esac
for word; do
	case \$word in
	*-package) name=\${word%-package}; touch $bin/\$name\$name; chmod +x $bin/\$name\$name ;;
	esac
done
END

sub bootstrap {
	my ($goal, @plan) = @_;
	unlink map { "$bin/$_" } qw(aa bb cc dd);
	unlink "$dir/ran";
	open my $f, '>', "$dir/plan" or die;
	print $f map { "$_\n" } @plan;
	close $f;
	local $ENV{PATH} = $bin;
	# "as root": what it asks for is nobody's but ours
	my $out = qx(/bin/sh $dir/bootstrap $goal 2>&1);
	my @ran = grep { !/^make/ } split /\n/, slurp("$dir/ran");
	return ($? >> 8, $out, join '; ', map { s/ --no-install-recommends//r } @ran);
}

script("$bin/id", "#!/bin/sh\necho 0\n");
my $all = 'apt-get update; apt-get install a-package b-package c-package d-package';

my ($status, $out, $ran) = bootstrap('check');
is("$status $ran", "0 $all", 'everything in one transaction');
unlike($out, qr/going on|fail/, 'and nothing to be said');

($status, $out, $ran) = bootstrap('demo');
is("$status $ran", '0 apt-get update; apt-get install a-package', 'the demo asks for its own only');

($status, $out, $ran) = bootstrap('check', 'ok', 'E: Could not get lock /var/lib/dpkg/lock-frontend.', 'E: Failed to fetch x', 'ok');
is("$status $ran", "0 $all; sleep 15; " . substr($all, 16) . '; sleep 15; ' . substr($all, 16), 'a lock and a mirror: tried again after a pause');
like($out, qr/^bootstrap: apt-get: E: Could not get lock .*^bootstrap: apt-get: E: Failed to fetch x/ms, 'what apt said is shown');

($status, $out, $ran) = bootstrap('check', 'W: Temporary failure resolving', 'ok', 'ok');
is("$status $ran", '0 apt-get update; sleep 15; apt-get update; ' . substr($all, 16), 'the lists as well');

my $unable = 'E: Unable to locate package d-package';
my @single = map { "apt-get install $_-package" } qw(a b c d);
($status, $out, $ran) = bootstrap('check', 'ok', $unable, 'ok', 'ok', 'ok', $unable);
is("$status $ran", "0 $all; " . join('; ', @single), 'one that is unknown: one by one, without a pause');
like($out, qr/^bootstrap: going on without: have dd$/m, 'and on without it, as it only may be had');

($status, $out, $ran) = bootstrap('check', 'ok', 'E: x', 'ok', 'E: Unable to locate package b-package');
is("$status $ran", "1 $all; " . join('; ', @single), 'one that is needed');
like($out, qr/^bootstrap: still missing after the installation\nbootstrap: missing: have bb\n/m, 'is named');

($status, $out, $ran) = bootstrap('check', ('E: Failed to fetch x') x 20);
is($status, 1, 'a dead mirror');
is(() = $ran =~ /sleep/g, 4, 'is not tried without end');
is(() = $ran =~ /install/g, 2, 'nor for each package');

like(slurp("$top/bootstrap"), qr/^may\|debian_has build-essential *\|build-essential /m, 'what dpkg-buildpackage insists on is installed');

done_testing;
