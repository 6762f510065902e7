#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What the system may refuse: no privilege, no nf_tables, no libnftnl. One clear message, exit 1, nothing changed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use Test::More;

my $net = Net->new;
my $before = ruleset();
my @add = qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80);
my @commands = (\@add, [qw(portfw -d -P tcp -L 198.51.100.1 80)], [qw(portfw -f)], [qw(portfw -l -n)]);

sub refused {
	my ($like, $what, @prefix) = @_;
	for my $command (@commands) {
		my ($status, $out, $err) = run(@prefix, $Net::program, @$command);
		is($status, 1, "$what: @$command: exit 1");
		is($out, '', 'nothing on stdout');
		like($err, qr/\Aipmasqadm: portfw: [^\n]+\n\z/, 'one line on stderr');
		like($err, $like, 'that says why');
		if ("@$command" =~ /-d/) {
			my ($query) = run(@prefix, $Net::program, map { s/^-d$/-q/r } @$command);
			is($query, 2, 'a query does not say no');
		}
		is(ruleset(), $before, 'nothing has changed');
	}
}

my @drop = qw(setpriv --bounding-set=-all --inh-caps=-all);
SKIP: {
	my $lacking = lacking('setpriv', !run(@drop, 'true'));
	skip $lacking, 3 if $lacking;
	subtest 'no privilege' => sub { refused(qr/CAP_NET_ADMIN|root/, 'no capability', @drop) };
	subtest 'an ordinary user' => sub {
		my @user = qw(setpriv --reuid 65534 --regid 65534 --clear-groups);
		plan skip_all => 'no second user in this user namespace' if run(@user, 'test', '-x', $Net::program);
		refused(qr/CAP_NET_ADMIN|root/, 'an ordinary user', @user);
	};
	subtest 'CAP_NET_ADMIN alone is enough' => sub {
		my ($status, $out, $err) = run('setpriv', '--bounding-set=-all,+net_admin', '--inh-caps=-all',
			$Net::program, @add);
		is("$status$err", '0', 'an add without CAP_NET_RAW');
		is(ipmasqadm(qw(portfw -f)), 0, 'flush');
	};
}

my ($fake) = map { s{tests/traffic$}{tests/no-nf-tables.so}r } $Net::traffic;
SKIP: {
	skip 'a static program takes no preloaded library', 1 if ($ENV{STATIC} // '') eq 'yes';
	subtest 'no nf_tables' => sub {
		my $preload = join ' ', grep { length } $ENV{PRELOAD} // '', $fake;
		for my $mode (qw(nfnetlink subsystem)) {
			refused(qr/nf_tables.*CONFIG_NF_TABLES|CONFIG_NF_TABLES.*nf_tables/, $mode,
				'env', "LD_PRELOAD=$preload", "NO_NF_TABLES=$mode");
		}
	};
}

# Only chains, maps and rules need it: what stands is listed, changed and deleted without.
my $loader = `ldconfig -p`;
my @libraries = $loader =~ m{=> (/\S+/libnftnl\.so\.11)$}mg;
my ($another) = $loader =~ m{=> (/\S+/libmnl\.so\.0)$}m;
sub instead_of_libnftnl {
	my ($what) = @_;
	return ('unshare', '-m', 'sh', '-c',
		'what=$1; shift; while [ "$1" != -- ]; do mount --bind "$what" "$1" && shift || exit 99; done; shift; exec "$@"',
		'sh', $what, @libraries, '--');
}
my @hidden = instead_of_libnftnl('/dev/null');
my $cannot = qr/\Aipmasqadm: portfw: libnftnl, which writes rules, cannot be loaded: [^\n]*libnftnl\.so\.11: file too short\n\z/;
SKIP: {
	skip 'a static program has the library inside, or there is none', 2 if ($ENV{STATIC} // '') eq 'yes' || !@libraries;
	subtest 'no libnftnl' => sub {
		my ($status, $out, $err) = run(@hidden, $Net::program, @add);
		is("$status$out", '1', 'the first forward: exit 1');
		like($err, $cannot, 'and why');
		is(ruleset(), $before, 'nothing has changed');
		($status, $out, $err) = run(@hidden, $Net::program, qw(portfw -a -P udp -L 198.51.100.1 69 -R 10.0.0.2 69 -H tftp));
		is("$status$out", '1', 'one with a helper: exit 1');
		like($err, $cannot, 'and why');
		($status, $out, $err) = run(instead_of_libnftnl($another), $Net::program, @add);
		is("$status$out", '1', 'a library that lacks a function: exit 1');
		like($err, qr/\Aipmasqadm: portfw: libnftnl, which writes rules, cannot be loaded: [^\n]*undefined symbol: nftnl_\w+\n\z/, 'and which');
		is(ruleset(), $before, 'nothing has changed');
	};
	subtest 'no libnftnl, beside a forward' => sub {
		must($Net::program, qw(portfw -a -P tcp -L 198.51.100.1 443 -R 10.0.0.2 443));
		is_deeply([run(@hidden, $Net::program, @add)], [0, '', ''], 'one more');
		is_deeply([run(@hidden, $Net::program, map { s/^-a$/-q/r } @add)], [0, '', ''], 'it is there');
		my ($status, $out, $err) = run(@hidden, $Net::program, @add[0 .. 7], '10.0.0.3', 80);
		is("$status$out", '1', 'a second target, which needs rules: exit 1');
		like($err, $cannot, 'and why');
		is_deeply([run(@hidden, $Net::program, 'portfw', '-f')], [0, '', ''], 'flush');
		is(ruleset(), $before, 'nothing is left');
	};
}

done_testing;
