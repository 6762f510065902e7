# SPDX-License-Identifier: GPL-2.0-or-later
# The recorded messages, for either word size.
package Payloads;
use strict;
use warnings;
use Exporter 'import';
use Fake;
use Socket 'inet_aton';
use Test::More;

our @EXPORT = qw(payloads payload_tests);

my @cases = cases('payloads.jsonl');

# A message that carries nothing but its command.
sub bare {
	my ($module, $command) = @_;
	return unpack 'H*', pack 'l l a32 x256', 2, $command, $module;
}

# What an autofw message looks like where pointers have 4 bytes, from its recorded members.
sub narrow {
	my ($wire64, $f) = @_;
	my $user = pack 'L S S S S S S L a4 S S S x2',
		@$f{qw(next type low hidden high visible protocol lastcontact)},
		inet_aton($f->{where}), @$f{qw(ctlproto ctlport flags)};
	return substr($wire64, 0, 80) . unpack('H*', $user) . '00' x (256 - length $user);
}

# The bytes of a case where words have that many.
sub wire {
	my ($case, $word) = @_;
	my ($module) = @{ $case->{argv} };
	# of a flush nothing else was recorded, as nothing else means anything
	return bare($module, 6) if $case->{command} eq 'FLUSH';
	my $wire = $case->{wire64};
	if ($word == 4) {
		$wire = $case->{wire32} if $case->{wire32};
		$wire = narrow($wire, $case->{fields}) if !$case->{wire32} && $module eq 'autofw';
	}
	return $wire =~ s/xx/00/gr;
}

sub payload_tests { 2 * @cases }

sub payloads {
	my ($k, $word) = @_;
	for my $case (@cases) {
		my ($module) = @{ $case->{argv} };
		my $wire = wire($case, $word);

		# the message goes out whatever is there, so every table is empty and loaded
		$k->{env} = { FAKE_KERNEL => '2.2', IPMASQADM_TRANSPORT => 'sockopt' };
		$k->module($module);
		my $r = $k->run(@{ $case->{argv} });
		is_deeply($r->{sent}, [$wire],
			"$case->{id}: @{ $case->{argv} }")
			or diag $r->{err};

		# without being told which transport, it peeks first
		delete $k->{env}{IPMASQADM_TRANSPORT};
		$k->module($module);
		$r = $k->run(@{ $case->{argv} });
		is("@{ $r->{sent} }", bare($module, 0) . " $wire", "$case->{id}: after a peek");
	}
}

1;
