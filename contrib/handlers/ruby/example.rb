#!/usr/bin/ruby
# frozen_string_literal: true

# What a handler can do, one of each: {"do": "add", "a": 1, "b": 2} and so on.
require_relative "pgcrew_handler"

Pgcrew.serve(name: "example 1.0", in_flight: 4) do |job|
  case job.payload
  in { do: "echo" } then job.payload
  in { do: "add", a: a, b: b } then { sum: a + b }
  in { do: "facts" } then job.facts
  in { do: "progress" }
    job.progress(50, "half")
    { told: 50 }
  in { do: "log" }
    job.log("a line of the log")
    puts "this is no result"
    { logged: true }
  in { do: "sleep", ms: ms }
    ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + ms / 1000.0
    while Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends
      raise Pgcrew::Failure, "stopped: #{job.cancelled}" if job.cancelled
      sleep 0.01
    end
    { slept: ms }
  in { do: "fail" } then raise Pgcrew::Failure, "not this time"
  in { do: "never" } then raise Pgcrew::Failure.new("it can not be done", again: "never")
  in { do: "snooze", ms: ms } then raise Pgcrew::Failure.new("not yet", again: "snooze", wait_ms: ms)
  in { do: "crash" } then 1 / 0
  else raise Pgcrew::Failure.new("nothing to do", again: "never")
  end
end
