#!/usr/bin/perl
# What a handler can do, one of each: {"do": "add", "a": 1, "b": 2} and so on.
use v5.32;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PgcrewHandler qw(failure serve);
use Time::HiRes qw(sleep time);

my %ways = (
    echo     => sub { $_[0]->payload },
    add      => sub { {sum => $_[0]->payload->{a} + $_[0]->payload->{b}} },
    facts    => sub { $_[0]->facts },
    progress => sub { $_[0]->progress(50, 'half'); {told => 50} },
    log      => sub {
        $_[0]->log('a line of the log');
        say 'this is no result';
        return {logged => 1};
    },
    sleep => sub {
        my $job  = shift;
        my $ms   = $job->payload->{ms};
        my $ends = time + $ms / 1000;
        while (time < $ends) {
            if (my $why = $job->cancelled) { failure("stopped: $why") }
            sleep 0.01;
        }
        return {slept => $ms};
    },
    fail   => sub { failure('not this time') },
    never  => sub { failure('it can not be done', again => 'never') },
    snooze => sub { failure('not yet', again => 'snooze', wait_ms => $_[0]->payload->{ms}) },
    crash  => sub { 1 / $_[0]->payload->{nothing} },
);

serve(sub {
    my $job = shift;
    my $way = ref $job->payload eq 'HASH' && $ways{$job->payload->{do} // ''};
    return $way ? $way->($job) : failure('nothing to do', again => 'never');
}, name => 'example 1.0');
