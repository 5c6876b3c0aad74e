// What a handler can do, one of each: {"do": "add", "a": 1, "b": 2} and so on.
package main

import (
	"encoding/json"
	"fmt"
	"time"
)

func work(job *Job) (any, error) {
	var in struct {
		Do   string
		A, B int64
		MS   int64
	}
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return nil, &Failure{Text: err.Error(), Again: "never"}
	}
	switch in.Do {
	case "echo":
		return job.Payload, nil
	case "add":
		return map[string]int64{"sum": in.A + in.B}, nil
	case "facts":
		return job.Facts, nil
	case "progress":
		job.Progress(50, "half")
		return map[string]int{"told": 50}, nil
	case "log":
		job.Log("a line of the log")
		fmt.Println("this is no result")
		return map[string]bool{"logged": true}, nil
	case "sleep":
		select {
		case <-time.After(time.Duration(in.MS) * time.Millisecond):
			return map[string]int64{"slept": in.MS}, nil
		case <-job.Done():
			return nil, fmt.Errorf("stopped: %w", job.Err())
		}
	case "fail":
		return nil, &Failure{Text: "not this time"}
	case "never":
		return nil, &Failure{Text: "it can not be done", Again: "never"}
	case "snooze":
		return nil, &Failure{Text: "not yet", Again: "snooze", WaitMS: in.MS}
	case "crash":
		return in.A / in.B, nil
	}
	return nil, &Failure{Text: "nothing to do", Again: "never"}
}

func main() {
	Serve("example 1.0", 4, work)
}
