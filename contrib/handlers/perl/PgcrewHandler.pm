# Work on many jobs of pgcrew in one program: pgcrew-handler(7) for Perl.
#
#     use PgcrewHandler qw(failure serve);
#
#     serve(sub {
#         my $job = shift;
#         my $path = $job->payload->{path} // failure('no path', again => 'never');
#         $job->progress(10, 'reading');
#         return {size => -s $path};
#     }, name => 'sizes 1.0');
#
# One job at a time: more programs do more.  Needs libdata-messagepack-perl of Debian.
package PgcrewHandler;
use v5.32;
use warnings;
use Data::MessagePack;
use Encode qw(encode_utf8);
use Exporter qw(import);
use IO::Select;
use JSON::PP;
our @EXPORT_OK = qw(failure serve);

my $packer = Data::MessagePack->new->utf8;    # packs bytes as text
my $json   = JSON::PP->new->allow_nonref;
my ($in, $out, $work, $draining);
my %cancels;    # number of the job in hand => why

# Ends an attempt; again is 'retry', 'never' or 'snooze' (which is not counted).
sub failure {
    my ($error, %how) = @_;    # again => ..., wait_ms => ...
    die bless {error => $error, %how}, 'PgcrewHandler::Failure';
}

sub payload { $_[0]{payload} }
sub facts   { $_[0]{facts} }      # id, kind, queue, attempt, max_attempts, timeout_ms ...

sub progress {
    my ($job, $percent, $note) = @_;
    answer($job, 'progress', defined $percent ? 0 + $percent : undef, $note && encode_utf8($note));
}

sub log {
    my ($job, $text) = @_;
    answer($job, 'log', encode_utf8($text));
}

# Why to stop: 'cancelled', 'timeout', 'stopped', or undef; ask now and then in a long job.
sub cancelled {
    take() while IO::Select->new($in)->can_read(0);
    return $cancels{$_[0]{number}};
}

# Calls $work->($job) for each job; returns when pgcrew wants no more.
sub serve {
    ($work, my %about) = @_;
    my $fd = $ENV{PGCREW_HANDLER_FD} // die "to be started by pgcrew, see pgcrew-handler(7)\n";
    open $in,  '<&=', $fd or die "descriptor $fd: $!";
    open $out, '>&=', $fd or die "descriptor $fd: $!";
    STDOUT->autoflush;
    put('hello', {version => 1, name => $about{name} // 'perl', in_flight => 1});
    take() until $draining;
}

sub run {
    my ($number, $facts, $text) = @_;
    my $job    = bless {number => $number, facts => $facts}, __PACKAGE__;
    my $result = eval {
        $job->{payload} = $json->decode($text);
        encode_utf8($json->encode($work->($job)));
    };
    return answer($job, 'result', $result) if defined $result;
    my %how = ref $@ eq 'PgcrewHandler::Failure' ? %{$@} : (error => $@ =~ s/\n\z//r);
    $how{error} = encode_utf8("$how{error}");
    $how{wait_ms} += 0 if defined $how{wait_ms};
    answer($job, 'failure', \%how);
}

# Acts on the next frame.
sub take {
    my ($what, @rest) = @{$packer->unpack(receive(unpack 'N', receive(4)))};
    if    ($what eq 'job')    { run(@rest) }
    elsif ($what eq 'cancel') { %cancels = ($rest[0] => $rest[1]) }
    elsif ($what eq 'drain')  { $draining = 1 }
    elsif ($what eq 'quit')   { exit }
}

sub receive {
    my ($size, $data) = (shift, '');
    while (length $data < $size) {
        $! = 0;
        sysread $in, $data, $size - length $data, length $data or $!{EINTR} or exit;
    }
    return $data;
}

sub answer { my ($job, $what, @more) = @_; put($what, 0 + $job->{number}, @more) }
sub put    { $out->printflush(pack 'N/a*', $packer->pack(\@_)) }

1;
