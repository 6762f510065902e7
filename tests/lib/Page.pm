# SPDX-License-Identifier: GPL-2.0-or-later
# Manual pages, as far as tests try out what they say.
package Page;
use strict;
use warnings;
use Cwd 'abs_path';
use Exporter 'import';
use File::Basename 'dirname';

our @EXPORT = qw(pages literals commands);

my $man = abs_path(dirname(__FILE__) . '/../../man');

sub pages { return sort map { s{.*/}{}r } glob "$man/*.[38]" }

# The literal texts (.Bd -literal) of a section, as a reader sees them.
sub literals {
	my ($page, $section) = @_;
	my ($in_section, $text, @found);
	open my $f, '<', "$man/$page" or die "$man/$page: $!\n";
	while (<$f>) {
		if (/^\.Sh (.*)/) {
			$in_section = $1 eq $section;
		} elsif ($in_section && /^\.Bd -literal/) {
			$text = '';
		} elsif ($in_section && /^\.Ed/) {
			push @found, $text;
			undef $text;
		} elsif (defined $text && !/^\./) {
			$text .= s/\\-/-/gr =~ s/\\e/\\/gr;
		}
	}
	return @found;
}

# The commands in a literal text, which stand behind a prompt, and what they print: [COMMAND, OUTPUT].
sub commands {
	my @found;
	for (split /^/, shift) {
		my $continued = @found && $found[-1][1] eq '' && ($found[-1][0] =~ /\\\n\z/ || /^> /);
		if ($continued) {
			$found[-1][0] .= s/^> //r;
		} elsif (/^[#\$] (.*)/s) {
			push @found, [$1, ''];
		} elsif (@found && /\S/) {
			$found[-1][1] .= $_;
		}
	}
	return @found;
}

1;
