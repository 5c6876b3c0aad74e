// Work on many jobs of pgcrew in one program: pgcrew-handler(7) for Node.js.
//
//     import { Failure, serve } from './pgcrew-handler.mjs'
//
//     await serve(async job => {
//       if (!job.payload.path) throw new Failure('no path', { again: 'never' })
//       job.progress(10, 'reading')
//       return { size: (await stat(job.payload.path)).size }
//     }, { name: 'sizes 1.0', inFlight: 4 })
//
// Jobs share one thread: while one of them computes, the others and heartbeats wait.
// Needs Node.js 18 and the npm package @msgpack/msgpack.
import { decode, encode } from '@msgpack/msgpack'
import { Socket } from 'node:net'
import { inspect } from 'node:util'

/** Ends an attempt: again is 'retry', 'never' or 'snooze' (which is not counted). */
export class Failure extends Error {
  constructor(message, { again = 'retry', waitMs } = {}) {
    super(message)
    this.how = { error: this.message, again }
    if (waitMs !== undefined) this.how.wait_ms = waitMs
  }
}

/** A result that is JSON already: new JsonText(job.text) keeps numbers no double can hold. */
export class JsonText {
  constructor(text) { this.toString = () => text }
}

class Job {
  #send

  constructor(send, signal, facts, text) {
    this.#send = send
    this.signal = signal // for what can be aborted, such as fetch()
    this.facts = facts // id, kind, queue, attempt, max_attempts, timeout_ms ...
    this.text = text // the payload as it came; decoded, it is .payload
  }

  /** Why to stop: 'cancelled', 'timeout' or 'stopped'; undefined while there is no reason. */
  get cancelled() { return this.signal.reason }

  progress(percent = null, note = null) { this.#send('progress', percent, note) }

  log(text) { this.#send('log', String(text)) }

  async run(work) {
    try {
      this.payload = JSON.parse(this.text)
      const result = await work(this)
      const text = result instanceof JsonText ? String(result) : JSON.stringify(result)
      this.#send('result', text ?? null)
    } catch (e) {
      if (!(e instanceof Failure)) this.log(inspect(e))
      this.#send('failure', e instanceof Failure ? e.how : { error: String(e) })
    }
  }
}

/** Calls work(job) for each job; fulfilled when pgcrew wants no more and all is done. */
export function serve(work, { name = 'node', inFlight = 1 } = {}) {
  const fd = process.env.PGCREW_HANDLER_FD
  if (!fd) throw new Error(`${name} is to be started by pgcrew, see pgcrew-handler(7)`)
  const stream = new Socket({ fd: Number(fd), readable: true, writable: true })
  const stops = new Map() // of the jobs in hand
  let draining = false
  const send = (...frame) => {
    const body = encode(frame)
    const head = Buffer.alloc(4)
    head.writeUInt32BE(body.length)
    stream.write(Buffer.concat([head, body]))
  }
  const endIfDone = () => { if (draining && stops.size === 0) stream.end(() => stream.destroy()) }
  const on = {
    async job(number, facts, text) {
      const stop = new AbortController()
      stops.set(number, stop)
      await new Job((what, ...rest) => send(what, number, ...rest), stop.signal, facts, text).run(work)
      stops.delete(number)
      endIfDone()
    },
    cancel: (number, why) => stops.get(number)?.abort(why),
    heartbeat: n => send('heartbeat', n),
    drain() { draining = true; endIfDone() },
    quit: () => process.exit(),
  }
  let size = 0 // of the frame whose head has been read
  stream.on('readable', () => {
    for (let data; (data = stream.read(size || 4)) !== null;) {
      if (size === 0) { size = data.readUInt32BE(); continue }
      size = 0
      const [what, ...rest] = decode(data)
      on[what]?.(...rest)
    }
  }).on('end', on.quit).on('error', on.quit)
  send('hello', { version: 1, name, in_flight: inFlight, heartbeat: true })
  return new Promise(resolve => stream.on('close', resolve))
}
