# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program on a kernel with masquerading modules, which tests/fake.c plays.
#
#	use lib 'tests/lib';	# or through PERL5LIB, as make check does
#	use Fake;
#
#	my $k = Fake->new(FAKE_KERNEL => '2.2');	# what fake.c reads, beside FAKE_PROC
#	$k->module(qw(portfw mfw));			# loaded, with empty tables
#	$k->file('ip_masq/portfw', $text);		# or with this state
#	my $r = $k->run(qw(portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80));
#	# $r->{out}, {err}, {status}, {sent}: the messages, in hexadecimal
package Fake;
use strict;
use warnings;
use Cwd 'abs_path';
use Exporter 'import';
use File::Basename 'dirname';
use File::Path 'make_path';
use File::Temp ();
use JSON::PP ();
use Test::More ();

our @EXPORT = qw(unable cases command_of %header);

our $top = abs_path(dirname(__FILE__) . '/../..');
our $build = $ENV{O} // 'build';
$build = "$top/$build" if $build !~ m{^/};

our %header = (
	portfw => sprintf("%-63s\n", 'Prot LAddr    LPort > RAddr    RPort PrCnt  Pref'),
	mfw    => sprintf("%-63s\n", 'FwMark > RAddr    RPort PrCnt  Pref'),
	autofw => "Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt Timer Flags\n",
);

# A test that can't run says so, and where it should be able to, it has failed.
sub unable {
	my ($why) = @_;
	if ($ENV{CI}) {
		Test::More::plan(tests => 1);
		Test::More::fail($why);
		exit 1;
	}
	print STDERR "# $0 skipped: $why\n";
	Test::More::plan(skip_all => $why);
}

# The recorded cases of tests/data/NAME.
sub cases {
	my ($name) = @_;
	open my $f, '<', "$top/tests/data/$name" or die "tests/data/$name: $!";
	return map { JSON::PP::decode_json($_) } <$f>;
}

# "ADD" of a message in hexadecimal.
sub command_of {
	my ($message) = @_;
	my @names = qw(NONE INSERT ADD SET DEL GET FLUSH LIST ENABLE DISABLE);
	return $names[unpack 'l', pack 'H*', substr($message, 8, 8)];
}

sub new {
	my ($class, %env) = @_;
	my $self = bless {
		env     => \%env,
		dir     => File::Temp->newdir('ipmasqadm-fake-XXXXXX', TMPDIR => 1),
		build   => $build,
	}, $class;
	Test::More::plan(skip_all => 'nothing can be preloaded into a static program')
		if ($ENV{STATIC} // '') eq 'yes';
	make_path("$self->{dir}/net/ip_masq");
	return $self;
}

# Another build of the program than the one that the tests are run for.
sub of {
	my ($self, $dir) = @_;
	$self->{build} = $dir;
	return $self;
}

sub path {
	my ($self, $name) = @_;
	return "$self->{dir}/net/$name";
}

# Without text, the file is gone.
sub file {
	my ($self, $name, $text) = @_;
	my $path = $self->path($name);
	if (!defined $text) {
		-d $path ? rmdir $path : unlink $path;
		return $self;
	}
	open my $f, '>:raw', $path or die "$path: $!";
	print $f $text;
	close $f or die "$path: $!";
	return $self;
}

sub module {
	my ($self, @names) = @_;
	$self->file("ip_masq/$_", $header{$_}) for @names;
	return $self;
}

sub slurp {
	my ($path) = @_;
	open my $f, '<:raw', $path or return undef;
	local $/;
	return <$f> // '';
}

sub state {
	my ($self, $name) = @_;
	return slurp($self->path($name));
}

# What exec() is given; tests run it under other programs too.
sub environment {
	my ($self) = @_;
	my %env = map { $_ => $ENV{$_} } grep { !/^(FAKE_|IPMASQADM)/ } keys %ENV;
	return (
		%env,
		LC_ALL          => 'C',
		LD_PRELOAD      => join(' ', grep { length } $ENV{PRELOAD} // '',
			"$self->{build}/tests/fake.so"),
		IPMASQADM_MODDIR => "$self->{build}/modules",
		FAKE_PROC       => "$self->{dir}/net",
		FAKE_RECORD     => "$self->{dir}/record",
		%{ $self->{env} },
	);
}

sub run {
	my ($self, @argv) = @_;
	return $self->under([], @argv);
}

# As run(), as an argument of another program.
sub under {
	my ($self, $outer, @argv) = @_;
	my $dir = $self->{dir};
	my $program = $self->{build} eq $build ? $ENV{IPMASQADM} : undef;
	my @command = (@$outer, $program // "$self->{build}/ipmasqadm", @argv);
	my %env = $self->environment;

	unlink "$dir/record";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$dir/out" or die $!;
		open STDERR, '>', "$dir/err" or die $!;
		%ENV = map { $_ => $env{$_} } grep { defined $env{$_} } keys %env;
		alarm 60;	# outlives exec
		exec { $command[0] } @command or die "$command[0]: $!";
	}
	waitpid $pid, 0;
	return {
		status => $? & 127 ? 'signal ' . ($? & 127) : $? >> 8,
		out    => slurp("$dir/out"),
		err    => slurp("$dir/err"),
		sent   => [split /\n/, slurp("$dir/record") // ''],
	};
}

1;
