#!/usr/bin/env node
// What a handler can do, one of each: {"do": "add", "a": 1, "b": 2} and so on.
import { setTimeout } from 'node:timers/promises'
import { Failure, JsonText, serve } from './pgcrew-handler.mjs'

const ways = {
  __proto__: null,
  echo: job => new JsonText(job.text),
  add: ({ payload: { a, b } }) => ({ sum: a + b }),
  facts: job => job.facts,
  progress(job) {
    job.progress(50, 'half')
    return { told: 50 }
  },
  log(job) {
    job.log('a line of the log')
    console.log('this is no result')
    return { logged: true }
  },
  async sleep(job) {
    await setTimeout(job.payload.ms, null, { signal: job.signal })
    return { slept: job.payload.ms }
  },
  fail() { throw new Failure('not this time') },
  never() { throw new Failure('it can not be done', { again: 'never' }) },
  snooze(job) { throw new Failure('not yet', { again: 'snooze', waitMs: job.payload.ms }) },
  crash() { return undefined.length },
}

await serve(job => {
  const way = ways[job.payload?.do]
  if (!way) throw new Failure('nothing to do', { again: 'never' })
  return way(job)
}, { name: 'example 1.0', inFlight: 4 })
