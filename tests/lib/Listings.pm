# SPDX-License-Identifier: GPL-2.0-or-later
# The recorded listings, and some that complete them.
package Listings;
use strict;
use warnings;
use Exporter 'import';
use Fake;
use Test::More;

our @EXPORT = qw(listings listing_tests);

my $portfw_title = "prot localaddr            rediraddr               lport    rport  pcnt  pref\n";
my $mfw_title = "fwmark   rediraddr               rport  pcnt  pref\n";

my @cases = (
	cases('listings.jsonl'),
	{
		id     => 'the largest values, beyond their columns',
		argv   => [qw(portfw -l -n)],
		proc   => { 'ip_masq/portfw' => $header{portfw}
			. sprintf("%-63s\n", 'TCP  FFFFFFFE 65535 > FFFFFFFF 65535 2147483647 2147483647') },
		stdout => $portfw_title
			. "TCP  255.255.255.254      255.255.255.255         65535    65535 2147483647 2147483647\n",
	},
	{
		id     => 'a mark above 2^31 is not negative',
		argv   => [qw(mfw -L -n)],
		proc   => { 'ip_masq/mfw' => $header{mfw}
			. sprintf("%-63s\n", '0xffffffff > 0A000001     0    10    10') },
		stdout => $mfw_title . "4294967295 10.0.0.1                    0    10    10\n",
	},
	{
		id     => 'rows without padding',
		argv   => [qw(mfw -L -n)],
		proc   => { 'ip_masq/mfw' => "FwMark > RAddr    RPort PrCnt  Pref\n"
			. "0xa > 0A000001 80 10 10\n" },
		stdout => $mfw_title . "10       10.0.0.1                   80    10    10\n",
	},
	{
		id     => 'ports by name, each of its own protocol',
		argv   => [qw(portfw -l)],
		proc   => { 'ip_masq/portfw' => $header{portfw}
			. "UDP  7F000001   514 > 7F000001   514    10    10\n"
			. "TCP  7F000001   514 > 7F000001    80    10    10\n" },
		stdout => $portfw_title
			. "UDP  localhost            localhost              syslog   syslog    10    10\n"
			. "TCP  localhost            localhost               shell     http    10    10\n",
		# where names are, the test can't choose
		needs  => sub { ((getservbyname('syslog', 'udp'))[2] // 0) == 514
			&& (gethostbyaddr(pack('C4', 127, 0, 0, 1), 2) // '') eq 'localhost' },
	},
);

sub listing_tests { 4 * @cases }

sub listings {
	my ($k) = @_;
	for my $case (@cases) {
		my $name = "$case->{id}: @{ $case->{argv} }";
	SKIP: {
		skip "$name: other names here", 4 if $case->{needs} && !$case->{needs}->();
		$k->file($_, $case->{proc}{$_}) for 'ip_masq/portfw', 'ip_portfw', 'ip_masq/mfw';
		my $r = $k->run(@{ $case->{argv} });
		is($r->{out}, $case->{stdout}, $name);
		is($r->{err}, '', '... and nothing on stderr');
		is($r->{status}, 0, '... exit status');
		ok(!(grep { command_of($_) ne 'NONE' } @{ $r->{sent} }) && @{ $r->{sent} },
			'... after a peek, and nothing else');
	}
	}
}

1;
