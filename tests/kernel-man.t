#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of the manual pages on nf_tables: every command works, and prints what the page says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net", "$FindBin::Bin/lib";
use Net;
use File::Basename 'dirname';
use File::Temp ();
use Page;
use Test::More;

my $net = Net->new(local => ['198.51.100.1']);
$ENV{PATH} = dirname($Net::program) . ":$ENV{PATH}";
my $dir = File::Temp->newdir;
chdir $dir or die "$dir: $!\n";

# what the pages call hosts
my $hosts = File::Temp->new;
print $hosts "198.51.100.1 yours.com\n203.0.113.5 clientA\n10.0.0.2 hostA\n10.0.0.3 hostB\n";
close $hosts;
must('mount', '--bind', $hosts->filename, '/etc/hosts');

# Not other machines, other programs, and files that aren't ours.
sub runs { return $_[0] =~ /^(?:ipmasqadm|nft|for) / && $_[0] !~ m{\bssh\b|/etc/} }

# Who is receiving, and how many ruleset changes there were, is not the page's to say.
sub plain { return shift =~ s/^receiver .*\n//mgr =~ s/\bseq \d+\.\d+/seq/gr }

my %before = (
	'ipmasqadm-restore.8' => sub {
		my ($file) = literals('ipmasqadm-restore.8', 'EXAMPLES');
		open my $f, '>', 'forwards' or die;
		print $f $file;
		close $f;
	},
	# what is there is what the page says is saved
	'ipmasqadm-save.8' => sub {
		my ($save) = map { commands($_) } literals('ipmasqadm-save.8', 'EXAMPLES');
		open my $f, '>', 'saved' or die;
		print $f $save->[1];
		close $f;
		must('ipmasqadm', 'restore', 'saved');
	},
);

# what check prints depends on a network: kernel-check.t has one
for my $page (grep { /8$/ && !/check/ } pages()) {
	subtest $page => sub {
		my @all = map { commands($_) } literals($page, 'EXAMPLES');
		ok(scalar @all, 'has examples');
		must(qw(nft flush ruleset));
		$before{$page}->() if $before{$page};
		for (grep { runs($_->[0]) } @all) {
			my ($command, $output) = @$_;
			my ($status, $out, $err) = run('sh', '-c', $command);
			is("$status$err", '0', $command =~ s/\n\z//r);
			is(plain($out), plain($output), 'prints what the page says') if $command !~ /^nft list/;
		}
	};
}

subtest 'the table in ipmasqadm(8)' => sub {
	must(qw(nft flush ruleset));
	my ($excerpt) = literals('ipmasqadm.8', 'THE NF_TABLES TABLE');
	must('ipmasqadm', qw(portfw -a -P tcp -L 198.51.100.1), @$_)
		for [qw(80 -R 10.0.0.2 8080)], [qw(25 -R 10.0.0.3 25 -p 20)], [qw(25 -R 10.0.0.2 25)];
	my $table = plain(must(qw(nft list table ip ipmasqadm)));
	my @parts = plain($excerpt) =~ /^(?:map|chain) \S+|comment ".*?"|goto \S+|priority \S+ - \d|\@\S+/mg;
	cmp_ok(scalar @parts, '>', 10, 'there is something to compare');
	like($table, qr/(?<!\S)\Q$_\E(?![\w-])/, $_) for @parts;
};

chdir '/';
done_testing;
