# SPDX-License-Identifier: GPL-2.0-or-later
#
# Replays recorded traces (tests/data/scheduling-*.jsonl) with real packets: every command is run, every
# connection is opened, every listing is compared.
package Replay;
use strict;
use warnings;
use Exporter 'import';
use JSON::PP;
use List::Util 'uniq';
use Net;
use Test::More;

our @EXPORT = qw(replay);

sub traces {
	my ($file) = @_;
	open my $f, '<', $file or die "$file: $!\n";
	return map { decode_json($_) } <$f>;
}

# Rows of a listing in the shape of a trace's state: service => [[address, port, count, pref], ...]
my %rows = (
	portfw => sub {
		my ($protocol, $laddr, $raddr, $lport, $rport, $count, $pref) = @_;
		return lc("$protocol $laddr $lport"), [$raddr, $rport + 0, $count + 0, $pref + 0];
	},
	mfw => sub {
		my ($mark, $raddr, $rport, $count, $pref) = @_;
		return "mark $mark", [$raddr, $rport + 0, $count + 0, $pref + 0];
	},
);

my %list = (portfw => ['portfw', '-l', '-n'], mfw => ['mfw', '-L', '-n']);

sub state {
	my ($module) = @_;
	my ($status, $out, $err) = ipmasqadm(@{$list{$module}});
	die "@{$list{$module}}: exit $status: $err\n" if $status || $err;
	my (undef, @lines) = split /\n/, $out;
	my %state;
	for my $line (@lines) {
		my ($service, $target) = $rows{$module}->(split ' ', $line);
		push @{$state{$service}}, $target;
	}
	return \%state;
}

my $json = JSON::PP->new->canonical;

# What is wrong with one step, or nothing.
sub step {
	my ($step, $client, $source) = @_;
	if ($step->{do} eq 'command') {
		my ($status, $out, $err) = ipmasqadm(@{$step->{argv}});
		my $wanted = $step->{ok} ? 0 : 1;
		return "@{$step->{argv}}: exit $status instead of $wanted: $err" if $status != $wanted;
		return "@{$step->{argv}}: succeeds and says: $err" if $step->{ok} && $err;
		return "@{$step->{argv}}: fails without a word" if !$step->{ok} && !$err;
	} elsif ($step->{do} eq 'list') {
		my ($is, $wanted) = map { $json->encode($_) } state($step->{module}), $step->{state};
		return "lists $is instead of $wanted" if $is ne $wanted;
	} else {
		my $protocol = $step->{proto};
		my $from = $source->{$step->{mark}};
		my $got = $client->$protocol($step->{dst}, $step->{dport}, from => $from);
		my $to = $got->{name} eq 'firewall' ? 'null' : $got->{at} || $got->{name};
		my $wanted = $step->{to} // 'null';
		return "$protocol $step->{dst}:$step->{dport} mark $step->{mark}: to $to instead of $wanted"
			if $to ne $wanted;
		return "$to saw $got->{peer}" if $got->{peer_host} ne $from;
	}
	return;
}

# One test a trace. The firewall owns every address the traces connect to and serves there itself, which
# is what "not forwarded" looks like. One client address a mark, and the firewall marks by it.
sub replay {
	my ($file, $count) = @_;
	my @traces = traces($file);
	splice @traces, $count if $count && $count < @traces;
	my @connects = grep { $_->{do} eq 'connect' } map { @{$_->{steps}} } @traces;
	my @local = uniq map { $_->{dst} } @connects;
	my @ports = uniq map { $_->{dport} } @connects;
	my @targets = grep { defined } map { $_->{to} } @connects;
	my @marks = sort { $a <=> $b } uniq map { $_->{mark} } @connects;
	my %source = map { $marks[$_] => '203.0.113.' . ($_ + 1) } 0 .. $#marks;

	my $net = Net->new(local => \@local);
	# The kernel follows connections from the start, and not only once there are forwards: what a
	# connection from before that still has to say would be taken for a new one, and counted.
	nft("table ip follow {\nchain first {\ntype filter hook prerouting priority raw\nct state new\n}\n}");
	my $client = $net->host('client', map { $source{$_} } @marks);
	for my $address (uniq map { (split /:/)[0] } @targets) {
		my @served = uniq map { (split /:/)[1] } @targets;
		$net->host("server$1", $address)->listen(@served) if $address =~ /(\d+)$/;
	}
	$net->firewall->listen(@ports);
	if (my @map = map { "$source{$_} : $_" } grep { $_ } @marks) {
		local $" = ', ';
		nft(<<"		END");
		table ip marks {
			chain prerouting {
				type filter hook prerouting priority mangle
				meta mark set ip saddr map { @map }
			}
		}
		END
	}

	for my $trace (@traces) {
		my ($n, $wrong) = (0);
		my %module = map { $_->{argv}[0] => 1 } grep { $_->{argv} } @{$trace->{steps}};
		for my $step (@{$trace->{steps}}) {
			$n++;
			$wrong = eval { step($step, $client, \%source) } // $@;
			last if $wrong;
		}
		ok(!$wrong, "$trace->{trace}, $n steps") or diag("step $n: $wrong");
		ipmasqadm('portfw', '-f') if $module{portfw};
		ipmasqadm('mfw', '-F') if $module{mfw};
	}
	forget();
	ipmasqadm('portfw', '-f');
	unlike(ruleset(), qr/ipmasqadm/, 'nothing of ours is left');
	done_testing;
}

1;
