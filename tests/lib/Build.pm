# SPDX-License-Identifier: GPL-2.0-or-later
# Other builds of the same tree.
package Build;
use strict;
use warnings;
use Cwd 'abs_path';
use Exporter 'import';
use File::Basename 'dirname';

our @EXPORT = qw(build command have);

our $top = abs_path(dirname(__FILE__) . '/../..');

# Runs a program with nothing of this build in its environment. What it printed, stderr included; $? is
# its status.
sub command {
	my (@argv) = @_;
	my $pid = open(my $pipe, '-|') // die "fork: $!";
	if (!$pid) {
		delete @ENV{qw(O CC NFT STATIC SANITIZE MAKEFLAGS MAKELEVEL MFLAGS CFLAGS LDFLAGS
			IPMASQADM IPMASQADM_MODDIR PRELOAD LD_PRELOAD UBSAN_OPTIONS)};
		open STDIN, '<', '/dev/null';
		open STDERR, '>&', \*STDOUT;
		chdir $top;
		exec { $argv[0] } @argv or print "$argv[0]: $!\n";
		exit 127;
	}
	local $/;
	my $out = <$pipe> // '';
	close $pipe;
	return $out;
}

# make with these arguments; true if it did.
sub build {
	my (@argv) = @_;
	my $out = command('make', '-j2', '--no-print-directory', @argv);
	return 1 if $? == 0;
	print STDERR map { "# $_\n" } "make @argv:", split /\n/, $out;
	return 0;
}

# Whether a program is in PATH.
sub have {
	my ($name) = @_;
	return 0 < grep { -x "$_/$name" } split /:/, $ENV{PATH} // '';
}

1;
