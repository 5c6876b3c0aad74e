# frozen_string_literal: true

# Work on many jobs of pgcrew in one program: pgcrew-handler(7) for Ruby.
#
#     require_relative "pgcrew_handler"
#
#     Pgcrew.serve(name: "sizes 1.0", in_flight: 4) do |job|
#       path = job.payload[:path] or raise Pgcrew::Failure.new("no path", again: "never")
#       job.progress(10, "reading")
#       { size: File.size(path) }
#     end
#
# Each job has a thread of its own; leave in_flight at 1 for code that is not made for that.
# Needs the Debian package ruby-msgpack (the gem msgpack).
require "json"
require "msgpack"
require "socket"

module Pgcrew
  # Ends an attempt: again is "retry", "never" or "snooze" (which is not counted).
  class Failure < StandardError
    attr_reader :how

    def initialize(error, again: "retry", wait_ms: nil)
      super(error)
      @how = { error: error, again: again, wait_ms: wait_ms }.compact
    end
  end

  class Job
    attr_reader :facts # :id, :kind, :queue, :attempt, :max_attempts, :timeout_ms ...
    attr_reader :payload # keys are symbols, too
    attr_accessor :cancelled # or why to stop: "cancelled", "timeout", "stopped"

    def initialize(program, number, facts, text)
      @program, @number, @facts, @text = program, number, facts, text
    end

    def progress(percent = nil, note = nil) = @program.send_frame("progress", @number, percent, note)

    def log(text) = @program.send_frame("log", @number, text.to_s)

    def run(work)
      @payload = JSON.parse(@text, symbolize_names: true)
      result = work.call(self)
      @program.send_frame("result", @number, result.nil? ? nil : JSON.generate(result))
    rescue Failure => e
      @program.send_frame("failure", @number, e.how)
    rescue Exception => e # even exit in one job must not end the others
      log(e.full_message(highlight: false))
      @program.send_frame("failure", @number, { error: "#{e.class}: #{e.message}" })
    end
  end

  class Program
    def initialize(stream)
      @stream, @lock, @jobs = stream, Mutex.new, {}
    end

    def send_frame(*frame)
      body = frame.to_msgpack
      @lock.synchronize { @stream.write([body.bytesize].pack("N"), body) }
    end

    def run(work)
      while (head = @stream.read(4))
        case MessagePack.unpack(@stream.read(head.unpack1("N")), symbolize_keys: true)
        in ["job", number, facts, text, *]
          @jobs[number] = Job.new(self, number, facts, text)
          Thread.new(number) { |own| run_job(own, work) }
        in ["cancel", number, why, *] then @jobs[number]&.cancelled = why
        in ["heartbeat", n, *] then send_frame("heartbeat", n)
        in ["drain", *]
          @draining = true
          break if @jobs.empty?
        in ["quit", *] then break
        else next # of a later version
        end
      end
    end

    private def run_job(number, work)
      @jobs[number].run(work)
      @jobs.delete(number)
      @stream.shutdown(Socket::SHUT_RD) if @draining && @jobs.empty?
    end
  end

  # Calls the block for each job, in threads; returns when pgcrew wants no more.
  def self.serve(name: "ruby", in_flight: 1, &work)
    fd = ENV["PGCREW_HANDLER_FD"] or abort "#{name} is to be started by pgcrew, see pgcrew-handler(7)"
    $stdout.sync = true # it is our log
    program = Program.new(UNIXSocket.for_fd(Integer(fd)))
    program.send_frame("hello", { version: 1, name: name, in_flight: in_flight, heartbeat: true })
    program.run(work)
  end
end
