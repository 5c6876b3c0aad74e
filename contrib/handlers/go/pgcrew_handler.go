// Work on many jobs of pgcrew in one program: pgcrew-handler(7) for Go.  Put this file beside
// your own, which calls Serve, and install golang-github-vmihailenco-msgpack.v5-dev.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/vmihailenco/msgpack/v5"
)

// Failure ends an attempt; Again is "retry", "never" or "snooze" (which is not counted).
type Failure struct {
	Text   string `msgpack:"error"`
	Again  string `msgpack:"again,omitempty"`
	WaitMS int64  `msgpack:"wait_ms,omitempty"`
}

func (f *Failure) Error() string { return f.Text }

// Job is one attempt.  Its context is done when it is to stop.
type Job struct {
	context.Context
	Facts   map[string]any  // id, kind, queue, attempt, max_attempts, timeout_ms ...
	Payload json.RawMessage // for json.Unmarshal
	number  any
}

func (j *Job) Progress(percent float64, note string) { send("progress", j.number, percent, note) }
func (j *Job) Log(line string)                       { send("log", j.number, line) }

func (j *Job) run(work func(*Job) (any, error)) {
	defer func() {
		if e := recover(); e != nil {
			j.Log(fmt.Sprintf("panic: %v\n%s", e, debug.Stack()))
			send("failure", j.number, Failure{Text: fmt.Sprint("panic: ", e)})
		}
	}()
	result, err := work(j)
	failure := &Failure{Text: fmt.Sprint(err)}
	if errors.As(err, &failure) || err != nil {
		send("failure", j.number, failure)
	} else if text, err := json.Marshal(result); err != nil {
		panic(err)
	} else {
		send("result", j.number, string(text))
	}
}

var stream = os.NewFile(3, "pgcrew") // one call of Write keeps others waiting

func send(frame ...any) {
	body, _ := msgpack.Marshal(frame)
	stream.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
}

// Serve calls work for each job, in goroutines; it returns when pgcrew wants no more.
func Serve(name string, inFlight int, work func(*Job) (any, error)) {
	if os.Getenv("PGCREW_HANDLER_FD") != "3" {
		panic(name + " is to be started by pgcrew, see pgcrew-handler(7)")
	}
	syscall.CloseOnExec(3)
	send("hello", map[string]any{"version": 1, "name": name, "in_flight": inFlight, "heartbeat": true})
	frames := msgpack.NewDecoder(stream)
	frames.UseLooseInterfaceDecoding(true)
	var running sync.WaitGroup
	var stops sync.Map // by the number of a job
	for {
		frames.ReadFull(make([]byte, 4)) // the length: a frame is exactly one array
		frame, err := frames.DecodeSlice()
		if err != nil || frame[0] == "quit" {
			return
		}
		switch frame[0] {
		case "job":
			ctx, stop := context.WithCancel(context.Background())
			job := &Job{ctx, frame[2].(map[string]any), json.RawMessage(frame[3].(string)), frame[1]}
			stops.Store(frame[1], stop)
			running.Add(1)
			go func() { job.run(work); stop(); stops.Delete(frame[1]); running.Done() }()
		case "cancel":
			if stop, found := stops.Load(frame[1]); found {
				stop.(context.CancelFunc)()
			}
		case "heartbeat":
			send(frame...)
		case "drain":
			go func() { running.Wait(); syscall.Shutdown(3, syscall.SHUT_RD) }() // ends the loop
		}
	}
}
