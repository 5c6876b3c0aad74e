// Test Anything Protocol for tests/web; tests/lib/web.sh reads it.
import { inspect, isDeepStrictEqual } from 'node:util'

let run = 0
let failed = 0

export function ok(good, what) {
    run++
    if (!good) failed++
    console.log(`${good ? 'ok' : 'not ok'} ${run} - ${what}`)
    return Boolean(good)
}

export function say(text) {
    for (const line of String(text).split('\n')) console.log(`# ${line}`)
}

export function is(got, expected, what) {
    if (!ok(isDeepStrictEqual(got, expected), what)) {
        say(`     got: ${inspect(got, { depth: 6 })}`)
        say(`expected: ${inspect(expected, { depth: 6 })}`)
    }
}

export function like(got, regex, what) {
    if (!ok(regex.test(String(got)), what)) {
        say(`     got: ${inspect(got)}`)
        say(`no match: ${regex}`)
    }
}

// Until condition() is true (or what it promises); an error counts as not yet.
export async function until(seconds, condition) {
    const end = performance.now() + seconds * 1000
    for (;;) {
        try {
            const value = await condition()
            if (value) return value
        } catch (error) {
            if (performance.now() >= end) say(error)
        }
        if (performance.now() >= end) return false
        await new Promise((resolve) => setTimeout(resolve, 50))
    }
}

export function done() {
    console.log(`1..${run}`)
    process.exitCode = failed === 0 ? 0 : 1
}
