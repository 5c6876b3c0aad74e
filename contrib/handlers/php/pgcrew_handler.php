<?php
// Work on many jobs of pgcrew in one program: pgcrew-handler(7) for PHP.
//
//     require __DIR__ . '/pgcrew_handler.php';
//
//     Pgcrew\serve(function (Pgcrew\Job $job) {
//         $path = $job->payload->path ?? throw new Pgcrew\Failure('no path', again: 'never');
//         $job->progress(10, 'reading');
//         return ['size' => filesize($path)];
//     }, name: 'sizes 1.0');
//
// One job at a time: let pgcrew start more programs to do more.  Needs PHP 8.1 and the
// Debian package php-msgpack (elsewhere: the extension msgpack).
namespace Pgcrew;

/** Ends an attempt: again is "retry", "never" or "snooze" (which is not counted). */
class Failure extends \Exception {
    public array $how;

    public function __construct(string $error, string $again = 'retry', ?int $waitMs = null) {
        parent::__construct($error);
        $this->how = ['error' => $error, 'again' => $again] + ($waitMs === null ? [] : ['wait_ms' => $waitMs]);
    }
}

class Job {
    public mixed $payload = null; // objects in it are stdClass

    /** facts: id, kind, queue, attempt, max_attempts, timeout_ms ... */
    public function __construct(private Program $program, private int $number, public array $facts) {}

    public function progress(?float $percent = null, ?string $note = null): void {
        $this->program->send('progress', $this->number, $percent, $note);
    }

    public function log(string $text): void {
        $this->program->send('log', $this->number, $text);
    }

    /** Why to stop: "cancelled", "timeout", "stopped"; ask now and then in a long job. */
    public function cancelled(): ?string {
        return $this->program->cancels()[$this->number] ?? null;
    }
}

class Program {
    private array $cancels = []; // number of a job => why
    public bool $draining = false;

    public function __construct(private mixed $stream, private \Closure $work) {}

    public function send(mixed ...$frame): void {
        $body = msgpack_pack($frame);
        fwrite($this->stream, pack('N', strlen($body)) . $body);
    }

    public function cancels(): array {
        for ($none = null; ($came = [$this->stream]) && stream_select($came, $none, $none, 0); ) $this->take();
        return $this->cancels;
    }

    public function take(): void {
        $head = stream_get_contents($this->stream, 4);
        if (strlen($head) < 4) exit; // pgcrew is gone
        $frame = msgpack_unpack(stream_get_contents($this->stream, unpack('N', $head)[1]));
        match ($frame[0]) {
            'job' => $this->run($frame[1], (array) $frame[2], $frame[3]),
            'cancel' => $this->cancels = [$frame[1] => $frame[2]],
            'drain' => $this->draining = true,
            'quit' => exit,
            default => null, // of a later version
        };
    }

    private function run(int $number, array $facts, string $text): void {
        $job = new Job($this, $number, $facts);
        try {
            $job->payload = json_decode($text, flags: JSON_THROW_ON_ERROR);
            $result = ($this->work)($job);
            $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION;
            $this->send('result', $number, $result === null ? null : json_encode($result, $flags));
        } catch (Failure $e) {
            $this->send('failure', $number, $e->how);
        } catch (\Throwable $e) {
            $job->log((string) $e);
            $this->send('failure', $number, ['error' => get_class($e) . ': ' . $e->getMessage()]);
        }
    }
}

/** Calls $work(Job) for each job; returns when pgcrew wants no more. */
function serve(callable $work, string $name = 'php'): void {
    $fd = getenv('PGCREW_HANDLER_FD');
    if ($fd === false) throw new \Exception("$name is to be started by pgcrew, see pgcrew-handler(7)");
    $program = new Program(fopen("php://fd/$fd", 'r+'), $work(...));
    $program->send('hello', ['version' => 1, 'name' => $name, 'in_flight' => 1]);
    while (!$program->draining) $program->take();
}
