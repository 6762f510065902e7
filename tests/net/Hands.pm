# SPDX-License-Identifier: GPL-2.0-or-later
#
# Others' hands in our table: tables that commands made are mutated at random, as an administrator with
# an editor and nft(8) could, and then everything has to go on: save, the listings, delete, flush and
# restore. Of tests/kernel-hands.t, a few tables, and tests/long/hands.t, many.
#
#	my $bad = hands($net, 40, $seed);	# what went wrong, a text each; nothing: []
package Hands;
use strict;
use warnings;
use Exporter 'import';
use File::Temp ();
use Net;

our @EXPORT = qw(hands);
my $dir = File::Temp->newdir;

# xorshift, as the tests in C: the same everywhere
my $state;
sub any {
	my ($below) = @_;
	$state ^= $state << 13 & 0xffffffff;
	$state ^= $state >> 17;
	$state ^= $state << 5 & 0xffffffff;
	return ($state >> 4) % $below;
}
sub one { return $_[any(scalar @_)] }

sub spew { my ($name, $text) = @_; open my $f, '>', "$dir/$name" or die; print $f $text; close $f; return "$dir/$name" }
sub slurp { my ($path) = @_; open my $f, '<', $path or return ''; local $/; return <$f> // '' }
sub table { my ($status, $out) = run(qw(nft -s list table ip ipmasqadm)); return $status ? '' : $out }

# Commands of which a table is made.
sub commands {
	my @lines;
	for (1 .. 2 + any(10)) {
		my ($host, $port) = (2 + any(4), 80 + any(3));
		my $pref = any(3) ? '' : ' -p ' . any(20);
		my $p = one('tcp', 'udp');
		push @lines, one(
			"portfw -a -P $p -L @{[one('198.51.100.1', '198.51.100.2', '0.0.0.0')]} $port -R 10.0.0.$host $port$pref",
			"portfw -a -P $p -L 198.51.100.1 $port -R 10.0.0.$host $port$pref",
			"mfw -A -m @{[1 + any(3)]} -r 10.0.0.$host@{[one('', ' 80')]}$pref",
			"autofw -A -r $p @{[6970 + any(2)]} 7170 " . one("-c tcp 707$host", "-h 10.0.0.$host", '-c udp 7071 -i'),
			"autofw -A -p $p 808$host 10.0.0.$host:80", "autofw -A -d $p 100 20$host");
	}
	return join '', map { "$_\n" } @lines;
}

my @hooks = ('type filter hook forward priority 0;', 'type nat hook prerouting priority 0;', '');

# One edit of the text of a table.
sub edit {
	my ($text) = @_;
	my @lines = split /^/, $text;
	my $any = sub { my ($like) = @_; my @at = grep { $lines[$_] =~ $like } 0 .. $#lines; return @at ? one(@at) : undef };
	my @rule = (qr/^\t\t[a-z@].*(?:goto|jump|dnat|return|map|vmap)/);
	my $kind = any(13);
	my ($at, $to);
	if ($kind == 0) {			# a rule goes
		splice @lines, $at, 1 if defined($at = $any->(@rule));
	} elsif ($kind == 1) {			# or comes twice
		splice @lines, $at, 0, $lines[$at] if defined($at = $any->(@rule));
	} elsif ($kind == 2) {			# or is another one's
		$lines[$at] = "\t\tcounter @{[one('drop', 'accept', '')]} comment \"o_r" . any(1000) . "\"\n" if defined($at = $any->(@rule));
	} elsif ($kind == 3) {			# or stands elsewhere
		if (defined($at = $any->(@rule)) && defined($to = $any->(qr/^\tchain/))) {
			my $line = $lines[$at];
			splice @lines, $to + 1 + ($lines[$to + 1] =~ /hook/ ? 1 : 0), 0, $line;
		}
	} elsif ($kind == 4) {			# one of others
		splice @lines, $at + ($lines[$at + 1] =~ /hook/ ? 2 : 1), 0, "\t\tcounter comment \"o_r" . any(1000) . "\"\n"
			if defined($at = $any->(qr/^\tchain (?:lookup|autofw|prerouting)/));
	} elsif ($kind == 5) {			# a comment
		if (defined($at = $any->(qr/comment "-|comment "target|comment "pref|comment "seq/))) {
			my $edit = one(sub { s/\d+(?=[^0-9]*")/one(0, 1, 65536, 4294967295, 99999999999)/e }, sub { s/comment "[^"]*"/comment "junk"/ },
				sub { s/comment "\S+ /comment "/ }, sub { s/(comment "[^"]*)"/$1 left 3"/ }, sub { s/ comment "[^"]*"// },
				sub { s/10\.0\.0\.\d+(?=[^"]*"$)/0.0.0.0/ }, sub { s/(\d+) (\d+)(?=[^"]*")/$2 $1/ });
			$edit->() for $lines[$at];
		}
	} elsif ($kind == 6) {			# a map is of another size, type, flag
		if (defined($at = $any->(qr/^\tmap/))) {
			my $k = $at;
			$k++ until $lines[$k] =~ /^\t\}/;
			my $edit = one(sub { s/size \d+/size 4/ }, sub { s/^\t\tsize \d+\n//m }, sub { s/^\t\tcounter\n//m },
				sub { s/type (.*?) : /type ipv4_addr : / }, sub { s/ : verdict/ : ipv4_addr/ }, sub { s/inet_proto \. // },
				sub { s/^(\t\ttype.*\n)/$1\t\ttimeout 1h\n/m }, sub { s/^(\t\ttype.*\n)/$1\t\tflags interval\n/m }, sub { s/\tmap/\tset/; s/ : .*// });
			my $map = join '', @lines[$at .. $k];
			$edit->() for $map;
			$map =~ s/elements = \{[^}]*\}// if $map !~ /type inet_proto . (?:ipv4_addr . )?inet_service : |type mark : /;
			splice @lines, $at, $k - $at + 1, $map;
		}
	} elsif ($kind == 7) {			# a chain hangs elsewhere, is empty, or is gone
		if (defined($at = $any->(qr/^\tchain/))) {
			my $k = $at;
			$k++ until $lines[$k] =~ /^\t\}/;
			my $choice = any(3);
			if ($choice == 0) {
				splice @lines, $at + 1, $lines[$at + 1] =~ /hook/, map { $_ ? "\t\t$_\n" : () } one(@hooks);
			} elsif ($choice == 1) {
				splice @lines, $at + 1, $k - $at - 1;
			} else {
				splice @lines, $at, $k - $at + 1;
			}
		}
	} elsif ($kind == 8) {			# an element is edited, or goes
		if (defined($at = $any->(qr/elements = \{|^\t+ +(?:tcp|udp|0x)/))) {
			my $edit = one(sub { s/goto \S+?(?=[,} ]|$)/one('drop', 'accept', 'goto o_chain', 'jump o_chain', 'goto lookup_mfw')/e }, sub { s/ \. \d+ :/ . 0 :/ },
				sub { s/(?:tcp|udp) \. /icmp . / }, sub { s/: 10\.0\.0\.\d+/: 0.0.0.0/ }, sub { s/0x\w+/0x00000000/ });
			$edit->() for $lines[$at];
		}
	} elsif ($kind == 9) {			# a map, a chain has another name
		if (defined($at = $any->(qr/^\t(?:chain|map)/)) && $lines[$at] =~ /(?:chain|map) (\S+)/) {
			my $name = $1;
			my @which = any(2) ? 0 .. $#lines : $at;
			s/(?<![\w.-])\Q$name\E(?![\w.-])/o_$name/ for @lines[@which];
		}
	} elsif ($kind == 10) {			# flags of the table
		splice @lines, 1, 0, "\tflags dormant;\n";
	} elsif ($kind == 11) {			# any line
		splice @lines, 1 + any(@lines - 2), 1;
	} else {				# things of others, some of which refer to ours
		my $n = any(1000);
		my ($chain) = map { /chain (\S+)/ } grep { /^\tchain/ } $lines[$any->(qr/^\tchain/) // 0];
		$chain //= 'o_chain';
		splice @lines, $#lines, 0, one(
			"\tchain o_c$n {\n\t\t@{[one(@hooks)]}\n\t\tcounter @{[one('drop', 'return')]}\n\t}\n", "\tset o_s$n {\n\t\ttype ipv4_addr\n\t}\n",
			"\tchain o_c$n {\n\t\tgoto $chain\n\t}\n", "\tchain o_c$n {\n\t\tip saddr vmap { 192.0.2.1 : goto $chain }\n\t}\n",
			"\tmap o_m$n {\n\t\ttype ipv4_addr : verdict\n\t\telements = { 192.0.2.1 : goto $chain }\n\t}\n",
			"\tcounter o_n$n {\n\t}\n",
			"\tchain o_c$n {\n\t\tmeta mark vmap \@mfw_pools\n\t}\n", "\tchain mark-77 {\n\t\tcounter drop\n\t}\n",
			"\tchain tcp-1-2-by-tcp-3 {\n\t\tcounter\n\t}\n");
	}
	return join '', @lines;
}

# What is surely not ours, by its name or comment; a rule in the chain of a service goes with the service.
sub others {
	my ($text) = @_;
	my ($chain, @names) = '';
	for (split /\n/, $text) {
		$chain = /chain (\S+)/ ? $1 : '' if /^\t(?:chain|map|set)/;
		push @names, "$1 $2" if /^\t(\w+) (o_\S+)/;
		my ($rule) = /"(o_r\d+)"/;
		push @names, "rule $rule in $chain" if $rule && $chain =~ /^(?:o_|lookup|autofw|prerouting)/;
	}
	return sort @names;
}

# A refusal names what is in the way, and what to do about it.
my $named = qr/\b(?:map|chain|table) \S+/;
my $way_out = qr/\bwith: nft |no forward on|no entry|try again/;

sub try {
	my ($bad, @argv) = @_;
	my ($status, $out, $err) = run('timeout', 20, $Net::program, @argv);
	if ($status > 1) {
		push @$bad, "@argv: exit $status: $err";
	} elsif ($status && $err !~ /\Aipmasqadm: [^\n]+\n\z/) {
		push @$bad, "@argv: exit 1 with: $err";
	} elsif ($status && $err !~ /$named.*$way_out|no forward on|no entry/) {
		push @$bad, "@argv: no way out: $err";
	} elsif (!$status && $err ne '') {
		push @$bad, "@argv: $err";
	}
	return ($status, $out);
}

# Others' things that went; said once.
sub missing {
	my ($bad, $what, $before) = @_;
	my %there = map { $_ => 1 } others(table());
	push @$bad, "$what: gone: $_" for grep { !$there{$_} } @$before;
	@$before = grep { $there{$_} } @$before;
}

sub one_table {
	my ($empty, $round) = @_;
	my (@bad, $text);
	for (1 .. 20) {
		run(qw(nft delete table ip ipmasqadm));
		must($Net::program, 'restore', spew('make', commands()));
		$text = table();
		$text = edit($text) for 0 .. any(4);
		$text =~ s/^\}/\tchain o_chain {\n\t}\n}/m if $text =~ /o_chain/ && $text !~ /chain o_chain \{/;
		last if $text =~ /\S/ && !run('nft', '-f', spew('mutant', "delete table ip ipmasqadm\n$text"));
	}
	$text = table();
	my $keep = spew('table', $text);
	my @others = others($text);
	my ($failed) = try(\@bad, 'save', "$dir/saved");
	if (!$failed) {
		my ($status, undef, $err) = $empty->run($Net::program, 'restore', "$dir/saved");
		push @bad, "a save that cannot be restored: $err\n" . slurp("$dir/saved") if $status;
		my (undef, $again) = $empty->run($Net::program, 'save');
		# what no command makes is a comment there; turns begin anew
		push @bad, "restored, it is:\n${again}but was:\n" . slurp("$dir/saved")
			if !$status && lines_of($again) ne lines_of(slurp("$dir/saved"));
	}
	my %listed;
	for ([qw(portfw -l -n)], [qw(mfw -L -n)], [qw(autofw -L -n)]) {
		(undef, $listed{$$_[0]}) = try(\@bad, @$_);
	}
	is_there(\@bad, $text);
	try(\@bad, qw(portfw -d -P), lc $1, '-L', $2, $3) if ($listed{portfw} // '') =~ /^(TCP|UDP) +(\S+) +\S+ +(\d+)/m;
	try(\@bad, qw(mfw -D -m), $1) if ($listed{mfw} // '') =~ /^(\d+) /m;
	missing(\@bad, 'delete', \@others);
	try(\@bad, qw(mfw -A -m 9 -r 10.0.0.9));
	missing(\@bad, 'add', \@others);
	if (!$failed && !(try(\@bad, 'restore', "$dir/saved"))[0]) {
		my (undef, $again) = run($Net::program, 'save');
		my %mine = map { $_ => 1 } split /^/, slurp("$dir/saved");
		my $more = join '', grep { !$mine{$_} } split /^/, $again; # left of what was not saved: nothing
		push @bad, "restored over it, it is:\n${again}but was:\n" . slurp("$dir/saved") if $more ne '' || lines_of($again) ne lines_of(slurp("$dir/saved"));
	}
	missing(\@bad, 'restore', \@others);
	my $refused = 0;
	$refused += (try(\@bad, @$_))[0] for [qw(portfw -f)], [qw(mfw -F)], [qw(autofw -F)];
	missing(\@bad, 'flush', \@others);
	my (undef, $left) = run($Net::program, 'save');
	push @bad, "flushed, but there is\n$left" if !$refused && $left =~ /^ipmasqadm \w+ -[aA]/m;
	return map { "table $round: $_" } @bad, @bad ? (slurp($keep)) : ();
}

# What a save says; entries of several forms have no order among each other, and what has a # is a comment.
sub lines_of {
	my @lines = grep { !/^#/ } split /^/, shift;
	return join '', (grep { !/ autofw / } @lines), map { my $form = $_; grep { / autofw -A $form/ } @lines } '-r', '-p', '-d';
}

# Looking changes nothing.
sub is_there {
	my ($bad, $text) = @_;
	push @$bad, 'looking has changed something' if table() ne $text;
}

sub hands {
	my ($net, $n, $seed, $from) = @_;
	my $empty = $net->host('empty', '192.0.2.77');
	my @bad;
	for my $round (($from // 1) .. ($from // 1) + $n - 1) {
		# each from a seed of its own, so that one can be looked at alone
		$state = ($seed * 7919 + $round) * 2654435761 % 2**32 || 1;
		any(2) for 1 .. 8;
		push @bad, one_table($empty, $round);
		run(qw(nft delete table ip ipmasqadm));
	}
	return \@bad;
}

1;
