# SPDX-License-Identifier: GPL-2.0-or-later
#
# Networks of namespaces for tests with real packets.
#
#	use FindBin;
#	use lib "$FindBin::Bin/net";
#	use Net;
#
#	my $net    = Net->new(local => ['198.51.100.1']);
#	my $client = $net->host('client', '203.0.113.5');
#	my $server = $net->host('server', '10.0.0.2')->listen(8080);
#	ipmasqadm(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080));
#	$client->tcp('198.51.100.1', 80)->{name};	# "server"
#
# `use Net` starts the test anew in fresh network and mount namespaces, within a user namespace of its
# own where it is not root. The test itself then is the firewall: what it runs, it runs there, and the
# machine's own interfaces and rules are out of reach. Every host() is one more namespace, held by a
# process (traffic.c) that ends when the test does, however it ends, and the namespace with it.
package Net;
use strict;
use warnings;
use Cwd 'abs_path';
use Exporter 'import';
use File::Basename 'dirname';
use File::Spec ();
use File::Temp ();
use IO::Handle;
use IO::Select;
use POSIX ();
use Test::More ();
use Time::HiRes 'time';

our @EXPORT = qw($slow $family lacking run ipmasqadm must nft ruleset forget wait_for);
our @EXPORT_OK = qw(did start);

my $top = abs_path(dirname(__FILE__) . '/../..');
my $build = $ENV{O} // 'build';
$build = "$top/$build" if $build !~ m{^/};
our $traffic = "$build/tests/traffic";
our $program = $ENV{IPMASQADM} // "$build/ipmasqadm";
$ENV{IPMASQADM_MODDIR} //= "$build/modules";

# Where programs take many times as long, tests do less: with a sanitizer, or on an emulated machine.
our $slow = grep { ($ENV{$_} // '') eq 'yes' } qw(SANITIZE SLOW);

# The family that a test is run with: 4, or 6 if MASQ_TEST_FAMILY says so (tests/six). Tests name
# addresses of IPv4. With 6, what goes to a program is translated to the addresses of IPv6 that stand
# for them, with all that belongs to the family, and what comes back is translated to what the test
# has written. Those of the table have as many characters as what they stand for, since listings have
# columns.
our $family = $ENV{MASQ_TEST_FAMILY} // 4;

my %stands_for = ('198.51.100.' => '2001:db8::a', '203.0.113.' => '2001:d:b::', '192.0.2.' => 'fd12::2:',
	'10.0.0.' => 'fd00::a', '10.0.1.' => 'fd00::b', '10.0.2.' => 'fd00::c', '10.0.3.' => 'fd00::d',
	'10.1.0.' => 'fd01::a', '10.9.0.' => 'fd09::a', '192.168.1.' => 'fd16:8::1:', '192.168.2.' => 'fd16:8::2:',
	'100.64.0.' => 'fd64:aa::');
my %prefix_of = reverse %stands_for;
my ($four, $six) = map { join '|', map { quotemeta } sort { length $b <=> length $a || $a cmp $b } @$_ }
	[keys %stands_for], [keys %prefix_of];
my $kinds = 'tables?|chains?|rules?|maps?|sets?|element|ruleset|dnat';
my ($name_six) = $six =~ s/\\:/_/gr;

sub six {
	my ($prefix, $host, $len) = @_;
	# a network, of which all hosts are
	return $stands_for{$prefix} =~ s/[^:]*$//r =~ s/(?<!:):$/:0/r . '/112' if defined $len && $host eq '0' && $len < 32;
	return "$stands_for{$prefix}$host" . (defined $len ? '/' . ($len == 32 ? 128 : 112) : '');
}

sub to_six {
	my ($text) = @_;
	return $text if $family != 6 || !defined $text;
	for ($text) {
		# names of chains
		s{(?<=(?:tcp|udp)-|-to-)($four)(\d+)(?=-\d)}{six($1, $2) =~ tr/:/_/r}ge;
		s{(?<![\w.:])($four)(\d+):(?=[\w\$])}{'[' . six($1, $2) . ']:'}ge;
		s{(?<![\w.])($four)(\d+)(?:/(\d+))?(?![\d.])}{six($1, $2, $3)}ge;
		s{(?<![\w.])0\.0\.0\.0(?=:\d)}{[::]}g;
		s{(?<![\w.])0\.0\.0\.0(?![\w./])}{::}g;
		s{(?<![\w.])127\.0\.0\.1(?![\w.])}{::1}g;
		# the other family stays the other one
		s{\b($kinds) ip6 (?=\S)}{$1 IP4 }g;
		s{\b($kinds) ip (?=\S)}{$1 ip6 }g;
		s{\btable ip$}{table ip6}mg;
		s{\bip (?=[sd]addr)}{ip6 }g;
		s{\bipv4_addr\b}{ipv6_addr}g;
		s{\bIP4\b}{ip}g;
		s{\bIP4(?=v4_addr)}{ip}g;
		s{(?<![/\w])iptables(?=-|\s)}{ip6tables}g;
		s{\bip (?=(?:route|rule) )}{ip -6 }g;
	}
	return $text;
}

sub to_four {
	my ($text) = @_;
	return $text if $family != 6 || !defined $text;
	for ($text) {
		s{(?<=(?:tcp|udp)-|-to-)($name_six)(\d+)(?=-\d)}{$prefix_of{$1 =~ tr/_/:/r} . $2}ge;
		s{\[($six)(\d+)\](?=:)}{$prefix_of{$1}$2}g;
		s{(?<![\w:])($six)(\d+)(?!\w|:\w)}{$prefix_of{$1}$2}g;
		s{/128\b}{/32}g;
		# in a column as long as what it stands for
		s{(?<![\w:])::(?![\w:])(?: {5}(?= ))?}{0.0.0.0}g;
		s{(?<![\w:])::1(?![\w:])}{127.0.0.1}g;
		# what is IPv4 itself is told from what stands for it
		s{\b($kinds) ip (?=\S)}{$1 IP4 }g;
		s{\bip (?=[sd]addr)}{IP4 }g;
		s{\bipv4_addr\b}{IP4v4_addr}g;
		s{\b($kinds) ip6 (?=\S)}{$1 ip }g;
		s{\bip6 (?=[sd]addr)}{ip }g;
		s{\bip6tables(?=-|\s)}{iptables}g;
		s{\bip -6 (?=(?:route|rule) )}{ip }g;
		s{\bipv6_addr\b}{ipv4_addr}g;
		s{"family": "ipv6"}{"family": "ipv4"}g;
		s{\[([\d.]+)\](?=:)}{$1}g;
		s{'([\d.]+):(\w+)'}{$1:$2}g; # a save has brackets in quotes
	}
	return $text;
}

# The words of a command; an environment before it and the like are left alone.
sub translated {
	my @command = @_;
	return @command if $family != 6;
	my ($nft) = grep { $command[$_] =~ m{(?:^|/)nft$} } 0 .. $#command;
	if (defined $nft) {
		my %other = (ip => 'ip6', ip6 => 'ip');
		$_ = $other{$_} // $_ for @command[$nft + 1 .. $#command];
	}
	s/^iptables/ip6tables/ for @command;
	for my $i (reverse 0 .. $#command - 1) {
		splice @command, $i + 1, 0, '-6' if $command[$i] eq 'ip' && $command[$i + 1] =~ /^(?:route|rule|neighbour)$/;
	}
	return map { to_six($_) } @command;
}

# Files of the test that a program reads or writes: those in directories for temporary ones.
my $tmp = File::Spec->tmpdir;
my %translated;

# Says of a file that it is translated, once and for all: for what runs beside a test.
sub is_translated { $translated{$_[0]} = 1; return $_[0] }

sub translate_files {
	my ($translate, @command) = @_;
	return if $command[0] eq 'mount';
	for my $path (grep { !$translated{$_} && -f && -w _ && !-x _ } map { m{(\Q$tmp\E/[^\s"';]+)}g } @command) {
		CORE::open my $f, '+<', $path or next;
		local $/;
		my $text = <$f> // '';
		my $new = $text =~ /\0/ ? $text : $translate->($text);
		if ($new ne $text) {
			seek $f, 0, 0;
			truncate $f, 0;
			print $f $new;
		}
		CORE::close $f;
	}
}

# A test that can't run says so; where CI counts on it, it has failed.
sub unable {
	my ($why) = @_;
	if ($ENV{CI}) {
		print "1..1\nnot ok 1 - $why\n";
		exit 1;
	}
	print "1..0 # SKIP $why\n";
	print STDERR "# $0 skipped: $why\n";
	exit 0;
}

# The same for a part of a test: whether to go without something. Says why, for skip and skip_all.
sub lacking {
	my ($what, $is_there) = @_;
	return if $is_there;
	Test::More::fail("$what is here") if $ENV{CI};
	return "no $what";
}

sub namespace { readlink('/proc/self/ns/net') // '' }

# The mark carries our process number, which exec keeps, so it can't be a leftover of anything else.
sub enter {
	if (($ENV{NFT} // '') eq 'no') {
		print "1..0 # SKIP built without nf_tables\n";
		exit 0;
	}
	my ($pid, $outside) = split /,/, $ENV{MASQ_TEST_NET} // '';
	$ENV{PATH} .= ':/usr/sbin:/sbin';
	if (($pid // '') eq $$ && $outside ne namespace()) {
		delete $ENV{MASQ_TEST_NET};
		return;
	}
	# root may still lack the right to, in a container
	my ($how) = grep { system("unshare $_ true 2>/dev/null") == 0 } $> ? '-Urnm' : ('-nm', '-Urnm');
	unable('no right to make network namespaces (as root, or with user namespaces)') unless $how;
	-x $traffic or unable("$traffic is not built");
	$ENV{MASQ_TEST_NET} = "$$," . namespace();
	exec 'unshare', $how, $^X, $0, @ARGV or die "unshare: $!\n";
}

BEGIN { $SIG{$_} = sub { exit 1 } for qw(INT TERM HUP) }
$SIG{PIPE} = 'IGNORE';
enter();

# For scripts with -MSocket: $s, a socket of the family, and $at, the address and port.
sub endpoint {
	my ($type, $address, $port) = @_;
	$address = to_six($address);
	return "my (undef, \$to) = Socket::getaddrinfo('$address', $port, {socktype => $type}); my \$at = \$to->{addr}; socket(my \$s, \$to->{family}, $type, 0) or die;";
}

# Runs a command. Returns its exit status (128 + n for signal n), its stdout and its stderr.
sub run {
	my @command = translated(@_);
	translate_files(\&to_six, @_) if $family == 6;
	my ($out, $err) = map { File::Temp->new } 1, 2;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
		open STDIN, '<', '/dev/null';
		open STDOUT, '>&', $out;
		open STDERR, '>&', $err;
		exec { $command[0] } @command or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	translate_files(\&to_four, @_) if $family == 6;
	addresses_are_there(@_) if $family == 6 && !$status && "@_" =~ /\bip (?:-6 )?address add\b/;
	return $status unless wantarray;
	return ($status, map { local $/; seek $_, 0, 0; to_four(<$_> // '') } $out, $err);
}

sub must {
	my ($status, $out, $err) = run(@_);
	die "@_: exit $status\n$out$err" if $status;
	return $out;
}

# Even without looking for duplicates, the kernel takes an address of IPv6 into use a moment after the
# command that adds it (net/ipv6/addrconf.c, addrconf_dad_work). The command's own namespace is looked at.
sub addresses_are_there {
	my @in = $_[0] eq 'nsenter' ? @_[0 .. 4] : ();
	wait_for(5, sub { (run(@in, qw(ip -6 address show tentative)))[1] eq '' }) or die "@_: still tentative\n";
}

# nft 'rules', in the firewall or, given a host, there
sub nft {
	my ($rules, $host) = @_;
	my $file = File::Temp->new;
	print $file "$rules\n";
	close $file;
	return $host ? $host->must('nft', '-f', $file->filename) : must('nft', '-f', $file->filename);
}

sub ruleset { must('nft', '-s', 'list', 'ruleset') }

# Runs the program out of the build tree.
sub ipmasqadm { return run($program, @_) }

# Makes the firewall forget every connection, as a night would.
sub forget { must($traffic, 'forget') }

# A command that has to succeed, without a word on standard error; a test of its own.
sub did {
	my ($status, $out, $err) = ipmasqadm(@_);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	Test::More::is("$status$err", '0', "@_");
	return $out;
}

# These commands, where nothing was before.
sub start {
	run(qw(nft flush ruleset));
	forget();
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	did(split ' ') for @_;
}

# Waits at most so many seconds for something to become true; ten times as many on an emulated machine,
# where programs take seconds to begin.
sub wait_for {
	my ($seconds, $what) = @_;
	my $end = time + $seconds * (($ENV{SLOW} // '') eq 'yes' ? 10 : 1);
	until ($what->()) {
		return 0 if time > $end;
		select undef, undef, undef, 0.02;
	}
	return 1;
}

sub sysctl {
	my ($name, $value) = @_;
	(my $path = "/proc/sys/$name") =~ tr{.}{/};
	open my $f, '>', $path or die "$path: $!\n";
	print $f $value;
	close $f or die "$path: $!\n";
}

# Addresses of IPv6 are there at once.
sub no_dad { return map { "net.ipv6.conf.$_.accept_dad" } qw(all default) }

# The firewall. local => [addresses of its own]
sub new {
	my ($class, %args) = @_;
	my $net = bless {hosts => {}}, $class;
	eval {
		# private state for the tools that keep some there (the lock of iptables)
		must(qw(mount -t tmpfs none /run));
		must(qw(ip link set lo up));
		sysctl('net.ipv4.ip_forward', 1);
		sysctl('net.ipv4.conf.all.rp_filter', 0);
		sysctl('net.ipv6.conf.all.forwarding', 1) if $family == 6;
		sysctl($_, 0) for $family == 6 ? no_dad() : ();
		nft("add table ip probe\ndelete table ip probe\n");
		1;
	} or do {
		chomp(my $why = $@);
		unable("no network to test with: $why");
	};
	$net->local($_) for @{$args{local} // []};
	return $net;
}

sub local {
	my ($net, $address) = @_;
	must('ip', 'address', 'add', "$address/32", 'dev', 'lo');
}

sub not_local {
	my ($net, $address) = @_;
	must('ip', 'address', 'del', "$address/32", 'dev', 'lo');
}

# A host behind an interface of the firewall that has the host's name. Its way to everywhere is the
# firewall, address .254 of the host's first address.
sub host {
	my ($net, $name, @addresses) = @_;
	my $host = Net::Host::start($name, 'host');
	(my $gateway = $addresses[0]) =~ s/\d+$/254/;
	# Neighbours know each other: what waits for ARP on a busy machine can be dropped between our
	# chains and conntrack, and is then rightly counted again when it comes a second time.
	my ($ours, $theirs) = ('02:00:00:00:00:01', '02:00:00:00:00:02');
	$host->must('sysctl', '-qw', map { "$_=0" } no_dad()) if $family == 6;
	must(qw(ip link add name), $name, 'address', $ours,
		qw(type veth peer name eth0 address), $theirs, 'netns', $host->{pid});
	must(qw(ip address add), "$gateway/32", 'dev', $name);
	must(qw(ip link set dev), $name, 'up');
	$host->must(qw(ip link set eth0 up));
	for my $address (@addresses) {
		$host->must(qw(ip address add), "$address/32", qw(dev eth0));
		must(qw(ip route add), "$address/32", 'dev', $name);
		must(qw(ip neighbour add), $address, 'lladdr', $theirs, 'dev', $name, qw(nud permanent));
	}
	$host->must(qw(ip route add), "$gateway/32", qw(dev eth0));
	$host->must(qw(ip neighbour add), $gateway, 'lladdr', $ours, qw(dev eth0 nud permanent));
	$host->must(qw(ip route add default via), $gateway);
	$host->{address} = $addresses[0];
	return $net->{hosts}{$name} = $host;
}

# The firewall as a host that serves and connects.
sub firewall {
	my ($net) = @_;
	return $net->{firewall} //= Net::Host::start('firewall', 'agent');
}

package Net::Host;
use strict;
use warnings;

sub start {
	my ($name, $kind) = @_;
	pipe my $in, my $tell or die "pipe: $!\n";
	pipe my $hear, my $out or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open STDIN, '<&', $in;
		open STDOUT, '>&', $out;
		exec $Net::traffic, $kind or POSIX::_exit(127);
	}
	$tell->autoflush(1);
	my $host = bless {name => $name, pid => $pid, tell => $tell, hear => $hear}, 'Net::Host';
	close $in;
	close $out;
	$host->hear =~ /^ready $pid$/ or die "$name did not start\n";
	return $host;
}

# Two halves, so that several hosts can be told before the first one is heard.
sub tell {
	my $host = shift;
	print {$host->{tell}} Net::to_six("@_"), "\n";
}

sub hear {
	my ($host, $seconds) = @_;
	my $line = '';
	my $end = Time::HiRes::time() + ($seconds // 60);
	until ($line =~ /\n/) {
		my $left = $end - Time::HiRes::time();
		$left > 0 && IO::Select->new($host->{hear})->can_read($left) or die "$host->{name}: no answer\n";
		sysread $host->{hear}, $line, 1, length $line or die "$host->{name}: gone\n";
	}
	chomp $line;
	return Net::to_four($line);
}

sub ask {
	my $host = shift;
	$host->tell(@_);
	return $host->hear;
}

sub run {
	my $host = shift;
	return Net::run(qw(nsenter --net -t), $host->{pid}, '--', @_);
}

sub must {
	my $host = shift;
	return Net::must(qw(nsenter --net -t), $host->{pid}, '--', @_);
}

sub listen {
	my ($host, @ports) = @_;
	my $answer = $host->ask('listen', $host->{name}, @ports);
	die "$host->{name}: $answer\n" if $answer ne 'ok';
	return $host;
}

# What a server said of a connection: name, the peer it saw (peer_host: without the port), where it was
# reached (at), and how many connections it has had (count). Without a server, name says what happened instead: refused, timeout.
sub parse {
	my ($line) = @_;
	my ($name, $peer, $at, $count) = split / /, $line;
	my ($peer_host) = split /:/, $peer // '';
	return {name => $line} unless defined $count;
	return {name => $name, peer => $peer, at => $at, count => $count, peer_host => $peer_host};
}

sub tcp {
	my ($host, $address, $port, %how) = @_;
	return parse($host->ask('tcp', $how{from} // '-', $address, $port));
}

sub udp {
	my ($host, $address, $port, %how) = @_;
	return parse($host->ask('udp', $how{from} // '-', $address, $port));
}

sub open {
	my ($host, $id, $protocol, $address, $port, %how) = @_;
	return parse($host->ask('open', $id, $protocol, $how{from} // '-', $address, $port));
}

sub say   { my ($host, $id) = @_; return parse($host->ask('say', $id)) }
sub close { my ($host, $id) = @_; return $host->ask('close', $id) }

# {NAME => COUNT} of COUNT connections; tell_many and hear_many for several hosts at once
sub tell_many {
	my ($host, $protocol, $address, $port, $count, %how) = @_;
	$host->tell('many', $protocol, $how{from} // '-', $address, $port, $count);
}

sub hear_many { my ($host) = @_; return {split / /, $host->hear(120)} }
sub many { my $host = shift; $host->tell_many(@_); return $host->hear_many }

1;
