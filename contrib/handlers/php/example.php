#!/usr/bin/php
<?php
// What a handler can do, one of each: {"do": "add", "a": 1, "b": 2} and so on.
require __DIR__ . '/pgcrew_handler.php';

use Pgcrew\{Failure, Job};

function snooze(Job $job): never
{
    throw new Failure('not yet', again: 'snooze', waitMs: $job->payload->ms);
}

function sleepy(Job $job): array
{
    $ends = hrtime(true) + $job->payload->ms * 1e6;
    while (hrtime(true) < $ends) {
        if ($job->cancelled()) {
            throw new Failure("stopped: {$job->cancelled()}");
        }
        usleep(10_000);
    }
    return ['slept' => $job->payload->ms];
}

function tell(Job $job): array
{
    $job->progress(50, 'half');
    return ['told' => 50];
}

function logLine(Job $job): array
{
    $job->log('a line of the log');
    echo "this is no result\n";
    return ['logged' => true];
}

Pgcrew\serve(fn (Job $job) => match ($job->payload->do ?? null) {
    'echo' => $job->payload,
    'add' => ['sum' => $job->payload->a + $job->payload->b],
    'facts' => $job->facts,
    'progress' => tell($job),
    'log' => logLine($job),
    'sleep' => sleepy($job),
    'fail' => throw new Failure('not this time'),
    'never' => throw new Failure('it can not be done', again: 'never'),
    'snooze' => snooze($job),
    'crash' => intdiv(1, 0),
    default => throw new Failure('nothing to do', again: 'never'),
}, name: 'example 1.0');
