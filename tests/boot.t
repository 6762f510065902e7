#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The systemd unit and the init script: what they run, and what becomes of a broken file. What a booted system makes
# of them is shown by tests/vm/system.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/net";
use Net;
use File::Temp ();
use IPC::Open2;
use Test::More;

my $net = Net->new(local => ['198.51.100.1']);
my $dir = File::Temp->newdir;
my $boot = "$FindBin::Bin/../boot";
my $conf = "$dir/ipmasqadm.conf";
my $script = "$boot/ipmasqadm-boot";
my $forward = 'portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80';

sub slurp { open my $f, '<', shift or return undef; local $/; return <$f> // '' }

sub conf {
	open my $f, '>', $conf or die "$conf: $!";
	print $f map { "$_\n" } @_;
	close $f or die "$conf: $!";
}

sub save { return must($Net::program, 'save') }
sub flush { must($Net::program, @$_) for [qw(portfw -f)], [qw(mfw -F)], [qw(autofw -F)] }

subtest 'the unit' => sub {
	local ($ENV{IPMASQADM}, $ENV{IPMASQADM_CONF}) = ($Net::program, $conf);
	(my $unit = slurp("$boot/ipmasqadm.service")) =~ s{/usr/libexec/ipmasqadm-boot}{$script}g;
	SKIP: {
		if (run(qw(systemd-analyze --version))) {
			$ENV{CI} ? fail('no systemd-analyze') : diag('no systemd-analyze: the unit is not verified');
			skip 'no systemd-analyze', 1;
		}
		open my $f, '>', "$dir/ipmasqadm.service" or die $!;
		print $f $unit;
		close $f;
		my ($status, $out, $err) = run(qw(systemd-analyze verify --man=no), "$dir/ipmasqadm.service");
		is("$status$out$err", '0', 'systemd has nothing to say against it');
	}
	SKIP: {
		my ($status, $out) = run(qw(systemd-analyze security --offline=true --no-pager), "$dir/ipmasqadm.service");
		skip 'no systemd-analyze security --offline', 1 if $status;
		my ($exposure) = $out =~ /exposure level.*: ([\d.]+)/;
		cmp_ok($exposure, '<=', 2.0, 'its exposure, as systemd-analyze security has it');
	}
	for (qr/^Wants=network-pre\.target$/m, qr/^StartLimitIntervalSec=0$/m,
	     qr/^Before=.*\bnetwork-pre\.target\b/m, qr/^DefaultDependencies=no$/m, qr/^RemainAfterExit=yes$/m,
	     qr/^After=.*\bnftables\.service\b/m, qr/^WantedBy=sysinit\.target nftables\.service$/m) {
		like($unit, $_, "$_");
	}

	my $do = sub {
		my ($what) = @_;
		my @commands = $unit =~ /^Exec$what=(.*)$/mg;
		ok(scalar @commands, "Exec$what");
		my ($failed, $said) = (0, '');
		for (@commands) {
			my $may_fail = s/^-//;
			my ($status, $out, $err) = run(split);
			$failed ||= $status unless $may_fail;
			$said .= $out . $err;
		}
		return ($failed, $said);
	};
	unlink $conf;
	is(join('', $do->('Start')), "0ipmasqadm: nothing to restore: there is no $conf\n", 'start without a file');
	conf('portfw -f', 'mfw -F', $forward, 'mfw -A -m 1 -r 10.0.0.2');
	is(join('', $do->('Start')), '0', 'start');
	like(save(), qr/portfw -a .*\n.*mfw -A /, 'has restored');
	conf('portfw -f', 'mfw -F', 'mfw -A -m 2 -r 10.0.0.2');
	is(join('', $do->('Reload')), '0', 'reload');
	like(save(), qr/mfw -A -m 2 /, 'has restored again');
	unlike(save(), qr/portfw -a/, 'and nothing of the old');
	my $before = ruleset();
	conf('portfw -f', 'mfw -F', $forward, 'portfw -a -P tcp');
	for my $what (qw(Start Reload)) {
		my ($status, $said) = $do->($what);
		isnt($status, 0, "\L$what\E with a broken file fails");
		is($said, "ipmasqadm: restore: $conf:4: portfw -a -P tcp: -a needs -L LADDR LPORT\n", 'and names the line');
		is(ruleset(), $before, 'nothing has changed');
	}
	is(join('', $do->('Stop')), '0', 'stop');
	unlike(ruleset(), qr/ipmasqadm/, 'everything is gone');
	is(join('', $do->('Stop')), '0', 'and again');
};

subtest 'the init script' => sub {
	local $ENV{IPMASQADM_BOOT} = $script;
	my $script = sub {
		local ($ENV{IPMASQADM}, $ENV{IPMASQADM_CONF}) = ($Net::program, $conf);
		return run('sh', "$boot/ipmasqadm.init", @_);
	};
	ok(-x "$boot/ipmasqadm.init", 'can be run');
	unlink $conf;
	flush();
	my ($status, $out, $err) = $script->('start');
	is("$status$err", '0', 'start without a file');
	is($out, "ipmasqadm: nothing to restore: there is no $conf\n", 'says so');
	($status, $out, $err) = $script->('status');
	is("$status$out$err", "3ipmasqadm: 0 forwards\n", 'status of nothing');

	must($Net::program, split / /, $forward);
	must($Net::program, qw(mfw -A -m 1 -r 10.0.0.2));
	is(join('', $script->('save')), '0', 'save');
	my $saved = slurp($conf);
	is($saved, save(), 'has saved');
	is(join('', $script->('status')), "0ipmasqadm: 2 forwards\n", 'status');
	is(join('', $script->('stop')), '0', 'stop');
	unlike(ruleset(), qr/ipmasqadm/, 'everything is gone');
	is(join('', $script->('stop')), '0', 'and again');
	for my $action (qw(start restart reload force-reload)) {
		must($Net::program, qw(mfw -A -m 7 -r 10.0.0.2));
		is(join('', $script->($action)), '0', $action);
		is(save(), $saved, 'what was saved is there');
	}

	my $before = ruleset();
	conf('portfw -f', '', 'portfw -a -P tcp -L $EXTIP 80 -R 10.0.0.2 80');
	($status, $out, $err) = $script->('reload');
	is($status, 2, 'reload with a broken file');
	like($err, qr/\Aipmasqadm: restore: \Q$conf\E:3: .*'\$EXTIP' is a variable/, 'names the line');
	is(ruleset(), $before, 'nothing has changed');

	($status, undef, $err) = $script->('bogus');
	is($status, 2, 'an unknown action');
	like($err, qr/^usage: .*start.*status/, 'shows those there are');
	is(($script->())[0], 2, 'none');
	local $ENV{IPMASQADM_TRANSPORT} = 'none';
	is(($script->('status'))[0], 4, 'status where it cannot be told');
	isnt(($script->('stop'))[0], 0, 'stop there');
	is(run(qw(env IPMASQADM_BOOT=/nonesuch sh), "$boot/ipmasqadm.init", 'start'), 0, 'removed, not purged');

	my $head = slurp("$boot/ipmasqadm.init");
	like($head, qr/^### BEGIN INIT INFO\n(?:# .*\n|#\t.*\n)+### END INIT INFO\n/m, 'an LSB header');
	like($head, qr/^# $_:/m, $_) for qw(Provides Required-Start Required-Stop Default-Start Default-Stop Short-Description);
};

subtest 'the drop-in' => sub {
	my $dropin = slurp("$boot/nftables.conf");
	for my $what (qw(StartPost StopPost Reload)) {
		like($dropin, qr{^Exec$what=-/usr/libexec/ipmasqadm-boot flushed$}m, "Exec$what, which may fail");
	}
	local ($ENV{IPMASQADM}, $ENV{IPMASQADM_CONF}) = ($Net::program, $conf);
	flush();
	conf($forward);
	is(join('', run($script, 'flushed')), '0', 'while the unit is not active');
	unlike(ruleset(), qr/ipmasqadm/, 'nothing is restored');
	is((run($script))[0], 2, 'the script without an action');
};

subtest 'stop, and a connection that is still running' => sub {
	my $client = $net->host('client', '203.0.113.5');
	$net->host('one', '10.0.0.2')->listen(80);
	local ($ENV{IPMASQADM}, $ENV{IPMASQADM_CONF}) = ($Net::program, $conf);
	conf('portfw -f', $forward);
	is(join('', run($script, 'start')), '0', 'start');
	is($client->open(1, 'tcp', '198.51.100.1', 80)->{name}, 'one', 'a connection');
	my ($status, $out, $err) = run($script, 'stop');
	is("$status$err", '0', 'stop');
	like($out, qr/\Aipmasqadm: forwarded connections are still running: the table [^\n]*next boot[^\n]*nft delete table ip ipmasqadm\n\z/,
		'says why the table stays, for how long, and what ends it');
	like(ruleset(), qr/table ip ipmasqadm/, 'it is there');
	is($client->say(1)->{name}, 'one', 'the connection goes on');
	$client->close(1);
	forget();
	is(join('', run($script, 'stop')), '0', 'without connections there is nothing to be said');
	unlike(ruleset(), qr/ipmasqadm/, 'and the table is gone');
};

subtest 'the same with IPv6' => sub {
	my ($client, $server) = map { $net->host(@$_) } ['client6', '203.0.113.6'], ['server6', '10.0.0.6'];
	for (['client6', $client, '2001:db8:1::'], ['server6', $server, 'fd00:1::']) {
		my ($interface, $host, $network) = @$_;
		must(qw(ip address add), "${network}1/64", 'dev', $interface, 'nodad');
		$host->must(qw(ip address add), "${network}2/64", qw(dev eth0 nodad));
		$host->must(qw(ip route add default via), "${network}1");
	}
	Net::sysctl('net.ipv6.conf.all.forwarding', 1);
	my $perl = sub {
		my ($host, $code) = @_;
		my $pid = open2(my $out, my $in, qw(nsenter --net -t), $host->{pid}, '--', $^X, '-MIO::Socket::IP', '-e', "alarm 60; \$| = 1; $code");
		return {pid => $pid, out => $out, in => $in};
	};
	my $echo = $perl->($server, 'my $s = IO::Socket::IP->new(LocalHost => "::", LocalPort => 80, Listen => 1) or die $@;
		print "ready\n"; my $c = $s->accept; while (<$c>) { $c->print("heard $_"); $c->flush }');
	is(readline $echo->{out}, "ready\n", 'a server');
	local ($ENV{IPMASQADM}, $ENV{IPMASQADM_CONF}) = ($Net::program, $conf);
	conf('portfw -f', 'portfw -a -P tcp -L 2001:db8:1::1 80 -R fd00:1::2 80');
	is(join('', run($script, 'start')), '0', 'start');
	my $asks = $perl->($client, 'my $c = IO::Socket::IP->new(PeerHost => "2001:db8:1::1", PeerPort => 80, Timeout => 20) or die $@;
		while (<STDIN>) { $c->print($_); $c->flush; print scalar <$c> }');
	my $ask = sub { $asks->{in}->print("$_[0]\n"); $asks->{in}->flush; return readline($asks->{out}) // 'nothing' };
	is($ask->('one'), "heard one\n", 'a connection');
	my ($status, $out, $err) = run($script, 'stop');
	is("$status$err", '0', 'stop');
	like($out, qr/\Aipmasqadm: forwarded connections are still running: the table "ip6 ipmasqadm" stays[^\n]*nft delete table ip6 ipmasqadm\n\z/,
		'says which table stays');
	is($ask->('two'), "heard two\n", 'the connection goes on');
	kill TERM => map { $_->{pid} } $asks, $echo;
	waitpid $_->{pid}, 0 for $asks, $echo;
	forget();
	ok(wait_for(10, sub { join('', run($script, 'stop')) eq '0' && ruleset() !~ /ipmasqadm/ }), 'without connections the table goes, and there is nothing to be said');
};

done_testing;
