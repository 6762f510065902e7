#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Whose files root takes commands from, and whose files save leaves alone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fake;
use File::Temp ();
use Test::More;

my $user = 65534;
my @as_user = ('setpriv', "--reuid=$user", "--regid=$user", '--clear-groups');
plan skip_all => 'needs root, and a user beside it' if $> != 0 || system(@as_user, 'true');

my $dir = File::Temp->newdir;
chmod 0755, $dir;
umask 022;
my $line = "portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80\n";
my $k = Fake->new(FAKE_KERNEL => '2.2')->module('portfw');

# A file of this owner and mode.
sub file {
	my ($path, $owner, $mode) = @_;
	unlink $path;
	open my $f, '>', $path or die "$path: $!";
	print $f $line;
	close $f;
	chown $owner, $owner, $path or die;
	chmod $mode, $path or die;
	return $path;
}

sub user { system(@as_user, 'sh', '-c', shift) == 0 or die }
sub sent { return scalar grep { command_of($_) ne 'NONE' } @{$_[0]{sent}} }

subtest 'restore' => sub {
	for my $mode (0600, 0644, 0444, 0755) {
		my $r = $k->run('restore', file("$dir/f", 0, $mode));
		is("$r->{status}$r->{err}" . sent($r), '01', sprintf "root's, mode %04o", $mode);
	}
	my $his = qr/it belongs to uid $user/;
	my @bad = ([$user, 0600, $his], [$user, 0444, $his], [0, 0664, qr/it is group-writable \(mode 0664\)/],
		[0, 0620, qr/it is group-writable \(mode 0620\)/], [0, 0646, qr/it is world-writable \(mode 0646\)/],
		[0, 0602, qr/it is world-writable \(mode 0602\)/]);
	for (@bad) {
		my ($owner, $mode, $why) = @$_;
		my $name = sprintf 'uid %d, mode %04o', $owner, $mode;
		file("$dir/f", $owner, $mode);
		symlink "$dir/f", "$dir/link";
		for my $path ("$dir/f", "$dir/link") {
			for my $option ([], ['--check'], ['--dry-run']) {
				my $r = $k->run('restore', @$option, $path);
				is($r->{status} . sent($r), '10', "$name: @$option refused");
				like($r->{err}, qr/\Aipmasqadm: restore: \Q$path\E: refusing to read as root: $why; [^\n]*--force\n\z/, 'the message');
			}
		}
		unlink "$dir/link";
		my $r = $k->run(qw(restore --force), "$dir/f");
		is("$r->{status}$r->{err}" . sent($r), '01', "$name: --force");
		$r = $k->run(qw(restore --check --force), "$dir/f");
		is("$r->{status}$r->{err}", '0', "$name: --force --check");
		for my $how ("restore <$dir/f", "restore - <$dir/f", "cat $dir/f | \"\$0\" restore") {
			my $command = $how =~ /^restore/ ? "exec \"\$0\" $how" : $how;
			$r = $k->under(['sh', '-c', $command]);
			is("$r->{status}$r->{err}", '0', "$name: $how is the caller's business");
		}
	}
	require POSIX;
	POSIX::mkfifo("$dir/fifo", 0666);
	chown $user, $user, "$dir/fifo";
	my $r = $k->under(['sh', '-c', "cat $dir/f >$dir/fifo & exec \"\$0\" restore $dir/fifo"]);
	is("$r->{status}$r->{err}", '0', "so is a pipe");
	file("$dir/f", $user, 0666);
	# who may pass through folders, since the tree can be in one of root's alone
	$r = $k->under([@as_user, qw(--inh-caps=+dac_read_search --ambient-caps=+dac_read_search), 'env', 'FAKE_RECORD=/dev/null'],
		qw(restore --check), "$dir/f");
	is("$r->{status}$r->{err}", '0', 'a user reads what he likes');
};

subtest 'save' => sub {
	mkdir "$dir/open";
	for my $mode (01777, 01757, 01775) {
		chown 0, $mode & 020 ? $user : 0, "$dir/open";
		chmod $mode, "$dir/open";
		my $where = sprintf 'a directory of mode %04o', $mode;
		user("echo his >$dir/open/planted");
		my $r = $k->run('save', "$dir/open/planted");
		is($r->{status}, 1, "$where: somebody else's file");
		like($r->{err}, qr/\Aipmasqadm: save: \Q$dir\E\/open\/planted: [^\n]*somebody else[^\n]*remove it, or save elsewhere\n\z/, 'the message');
		is(Fake::slurp("$dir/open/planted"), "his\n", 'it stays');
		user("ln -s $dir/f $dir/open/link");
		file("$dir/f", 0, 0600);
		is($k->run('save', "$dir/open/link")->{status}, 1, "$where: somebody else's link");
		is(Fake::slurp("$dir/f"), $line, 'what it leads to stays');
		symlink 'planted', "$dir/open/mine";
		is($k->run('save', "$dir/open/mine")->{status}, 1, "$where: my link to his file");
		is($k->run('save', "$dir/open/new")->{status}, 0, "$where: a new file");
		is((stat "$dir/open/new")[4], 0, 'is mine');
		is($k->run('save', "$dir/open/new")->{status}, 0, "$where: my own file");
		is_deeply([glob "$dir/open/.ipmasqadm*"], [], 'nothing else is left');
		unlink glob "$dir/open/*";
	}
	# his own directory: what he has there he may change anyway
	chown $user, $user, "$dir/open";
	chmod 0755, "$dir/open";
	user("echo his >$dir/open/his");
	is($k->run('save', "$dir/open/his")->{status}, 0, 'his file in his own directory');
	is((stat "$dir/open/his")[4], $user, 'stays his');
	is($k->run('restore', "$dir/open/his")->{status}, 1, 'and root does not restore it');
};

done_testing;
