#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The completions of bash and zsh, which ask the program: what they offer is what its help shows, here
# compared with what the program takes.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use File::Temp ();
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/..');
my $program = $ENV{IPMASQADM} // "$top/build/ipmasqadm";
$ENV{IPMASQADM_MODDIR} //= dirname($program) . '/modules';
$ENV{PATH} = dirname($program) . ":$ENV{PATH}";
my $dir = File::Temp->newdir;

sub output {
	open my $f, '-|', @_ or die "$_[0]: $!";
	local $/;
	return <$f> // '';
}

# Calls the completion function as readline would: words, the last one under the cursor.
my $bash = <<'END';
source "$0" || exit
complete -p ipmasqadm >/dev/null || exit
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
_ipmasqadm ipmasqadm "${COMP_LINE##*[ :]}"
[[ ${#COMPREPLY[@]} -eq 0 ]] || printf '%s\n' "${COMPREPLY[@]}"
END
sub bash { return join ' ', sort split /\n/, output('bash', '-c', $bash, "$top/completion/ipmasqadm.bash", 'ipmasqadm', @_) }

# zsh's own helpers would talk to its line editor: these tell what they were asked for.
my $zsh = <<'END';
_describe() { print -rl -- ${${(P)2}%%:*} }
_values() { shift; print -rl -- $@ }
_hosts() { print -r HOSTS }
_ports() { print -r PORTS }
_files() { print -r FILES }
_it() { source $0 }
functions[_it]=$(<$1)
words=(${@[2,-1]})
CURRENT=$(( $# - 1 ))
[[ $argv[-1] == '' ]] && words+=('')
_it
END
sub zsh { return join ' ', sort split /\n/, output('zsh', '-fc', $zsh, 'zsh', "$top/completion/_ipmasqadm", 'ipmasqadm', @_) }
my $have_zsh = grep { -x "$_/zsh" } split /:/, $ENV{PATH};
diag('no zsh: its completion is not tested') unless $have_zsh;

sub both {
	my ($want, $what, @words) = @_;
	is(bash(@words), $want, "bash: $what");
	SKIP: {
		skip 'no zsh', 1 unless $have_zsh;
		is(zsh(@words), $want, "zsh: $what");
	}
}

# The options of a module, out of the program itself: an option is what it knows when it is given.
sub known {
	my ($module) = @_;
	my @known;
	for my $option ((map { "-$_" } 'a' .. 'z', 'A' .. 'Z'), qw(--dry-run --cut --json --help --check --force --header --verbose
		--from --live --no-probe)) {
		push @known, $option if output('sh', '-c', '"$@" 2>&1 </dev/null', 'sh', 'env', 'IPMASQADM_TRANSPORT=none',
			$program, $module, $option) !~ /unknown option \Q$option\E|old syntax/;
	}
	return join ' ', sort @known;
}

my @modules = (qw(autofw), ($ENV{NFT} // '') eq 'no' ? () : 'check', qw(mfw portfw reach restore save));
is(bash(''), join(' ', sort '-V', '-h', @modules), 'bash: modules');
is(bash('po'), 'portfw', 'bash: a module');
SKIP: {
	skip 'no zsh', 1 unless $have_zsh;
	is(zsh(''), "@modules", 'zsh: modules');
}
for my $module (@modules) {
	my $want = known($module);
	is(bash($module, '-'), $want, "bash: options of $module");
	SKIP: {
		skip 'no zsh', 1 unless $have_zsh;
		is(zsh($module, '-') =~ s/ ?FILES//r, $want, "zsh: options of $module");
	}
}
is(bash('portfw', '--j'), '--json', 'bash: an option half written');
both('tcp tcp,udp udp', 'a protocol', qw(portfw -a -P), '');
both('tcp udp', 'a protocol behind operands', qw(autofw -A -r tcp 1 2 -c), '');
both('ftp h323 irc pptp sip tftp', 'a helper', qw(portfw -a -H), '');
like(output('sh', '-c', '"$@" 2>&1', 'sh', $program, qw(portfw -a -P tcp -L 10.0.0.1 1 -R 10.0.0.2 1 -H none)), qr/give one of ftp, tftp, irc, sip, pptp, h323$/,
	'... those are all there are');
both('', 'a number', qw(portfw -a -p), '');
both('', 'an operand without suggestions', qw(autofw -A -p tcp 80), '');
like(bash(qw(portfw -a -L localhost 80 -R 10.0.0.1 80), '-'), qr/-P .*-a/, 'bash: after operands, options');
like(bash(qw(mfw -A -r 10.0.0.1), ''), qr/-A .*-m/, 'bash: options where a port may be left out');
like(bash(qw(portfw -a -P tcp -L localhost ss)), qr/\bssh\b/, 'bash: a service');
is(bash(qw(nonesuch -)), '', 'bash: an unknown module');
like(bash(qw(portfw -a -P tcp -L), '@l'), qr/^\@lo\b/, 'bash: an interface');
like(bash(qw(portfw -a -P tcp -L @lo ss)), qr/\bssh\b/, 'bash: a service behind it');
like(bash(qw(portfw -a -P tcp -L 2001:db8::1 ss)), qr/\bssh\b/, 'bash: a service behind an address of IPv6');
both('tcp tcp,udp udp', 'a protocol behind one', qw(portfw -a -L 2001:db8::1 80 -P), '');
like(bash(qw(portfw -a -L 2001:db8::1 80 -R fd00::2 80), '-'), qr/-P .*-a/, 'bash: options behind two');
SKIP: {
	skip 'no zsh', 4 unless $have_zsh;
	is(zsh(qw(portfw -a -P tcp -L), ''), 'HOSTS', 'zsh: a host');
	is(zsh(qw(portfw -a -P tcp -L localhost), ''), 'PORTS', 'zsh: a port');
	like(zsh(qw(mfw -A -r 10.0.0.1), ''), qr/-A .*-m/, 'zsh: options where a port may be left out');
	like(zsh(qw(restore), ''), qr/\bFILES\b/, 'zsh: a file');
}

open my $f, '>', "$dir/forwards.conf";
close $f;
is(bash('restore', "$dir/for"), "$dir/forwards.conf", 'bash: a file');
is(bash('save', "$dir/for"), "$dir/forwards.conf", 'bash: a file to save in');
is(bash('portfw', "$dir/for"), '', 'bash: no file elsewhere');

# a plugin of somebody else's
SKIP: {
	skip 'plugins are built in', 2 if ($ENV{STATIC} // '') eq 'yes';
	my $cc = $ENV{CC} // 'cc';
	open my $c, '>', "$dir/hello.c" or die $!;
	print $c <<'END';
#include <stdio.h>
#include <masqmod.h>
static int hello(int argc, char *argv[])
{
	(void)argc, (void)argv;
	puts("  -x           say it\n  -w ADDR      to whom");
	return 0;
}
MASQMOD(hello) = {.abi = MASQMOD_ABI, .name = "hello", .summary = "say hello", .main = hello};
END
	close $c;
	chmod 0755, $dir;
	skip "$cc does not work", 2 if system("$cc -shared -fPIC -I$top/include -o $dir/hello.so $dir/hello.c");
	# root takes plugins from beside the program
	skip "cannot copy $program", 2 if system('cp', $program, "$dir/ipmasqadm");
	local $ENV{PATH} = "$dir:$ENV{PATH}";
	local $ENV{IPMASQADM_MODDIR} = "$dir";
	is(bash(''), '-V -h hello', "bash: somebody else's plugin");
	is(bash(qw(hello -)), '-w -x', 'bash: its options');
}

done_testing;
