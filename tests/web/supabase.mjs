// The real supabase-js, unchanged, against the gateway of tests/system/4200-supabase-js.sh.
//
// Two users have jobs; see that file for what they are.
import { createClient } from '@supabase/supabase-js'
import { SignJWT } from 'jose'
import ws from 'ws'
import { done, is, like, ok } from './tap.mjs'

const url = process.env.GATEWAY
const secret = new TextEncoder().encode(process.env.GATEWAY_SECRET)
const anonKey = 'sb_publishable_for_everybody'
const userA = process.env.USER_A
const userB = process.env.USER_B
const userC = process.env.USER_C // whose jobs are large
const origin = 'https://app.example.com'
const batch1 = '00000000-0000-4000-8000-000000000001'
const batch2 = '00000000-0000-4000-8000-000000000002'
const batchOfB = '00000000-0000-4000-8000-00000000000b'
const nowhere = '99999999-0000-4000-8000-000000000000'

const now = () => Math.floor(Date.now() / 1000)
const mint = (claims, key = secret) => new SignJWT({ role: 'authenticated', aud: 'authenticated', exp: now() + 3600, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key)

const realtime = { transport: ws } // Node 20 has no WebSocket of its own
// As apps with an own sign-in do it, and as those that pass a session on do.
const clientWith = (token) => createClient(url, anonKey, { accessToken: async () => token, realtime })
const clientWithHeader = (token) => createClient(url, anonKey, {
    global: { headers: { Authorization: `Bearer ${token}` } }, auth: { persistSession: false }, realtime })
const anonymous = () => createClient(url, anonKey, { auth: { persistSession: false }, realtime })

const a = clientWith(await mint({ sub: userA }))
const b = clientWithHeader(await mint({ sub: userB }))
const jobs = (columns = 'id', options) => a.from('jobs').select(columns, options)
const ids = (answer) => answer.data?.map((job) => job.id) ?? answer.error

async function selects(query, expected, what) {
    is(ids(await query), expected, what)
}

async function refuses(query, status, code, what) {
    const answer = await query
    is([answer.status, answer.error?.code], [status, code], what)
    return answer.error
}

async function rpc() {
    const put = await a.rpc('enqueue_jobs', { kind: 'mail', payloads: [{ to: 'x' }, { to: 'y' }, {}] })
    is([put.status, put.data?.total, put.data?.job_ids?.length], [200, 3, 3], 'rpc enqueue_jobs puts jobs in')
    const batch_id = put.data.batch_id
    const status = await a.rpc('batch_status', { batch_id })
    is([status.data?.total, status.data?.queued, status.data?.jobs?.length], [3, 3, 3], 'rpc batch_status by POST')
    const got = await a.rpc('batch_status', { batch_id, job_limit: 0 }, { get: true })
    is([got.data?.total, got.data?.jobs], [3, []], 'by GET, with a limit')
    const cancelled = await a.rpc('cancel_batch', { batch_id })
    is(cancelled.data, 3, 'rpc cancel_batch says how many')
    is((await a.rpc('batch_status', { batch_id })).data?.status, 'cancelled', 'and they are')
    const single = await a.rpc('batch_status', { batch_id }).single()
    is(single.data?.total, 3, 'single() of an rpc')

    const error = await refuses(a.rpc('batch_status', { batch_id: batchOfB }), 404, 'PT404', "somebody else's batch is not found")
    is(error?.message, 'Job not found', 'in these words')
    await refuses(a.rpc('batch_status', { batch_id: nowhere }), 404, 'PT404', 'nor is one that does not exist')
    await refuses(a.rpc('batch_status', { batch_id: 'x' }), 400, '22P02', 'an id that is none is 400')
    await refuses(a.rpc('enqueue_jobs', { kind: 'secret', payloads: [{}] }), 403, '42501', 'a kind that is not for users is 403')
    await refuses(a.rpc('cancel_batch', { batch_id }, { get: true }), 405, '25006', 'a GET writes nothing')
    await refuses(a.rpc('bogus', {}), 404, 'PGRST202', 'an unknown function is 404')
    await refuses(a.rpc('batch_status', { bogus: 1 }), 404, 'PGRST202', 'so is one with other arguments')
}

async function selecting() {
    const all = await a.from('jobs').select()
    is(all.data?.length, 15, 'select() has all jobs of the user')
    is(Object.keys(all.data?.[0] ?? {}), ['id', 'batch_id', 'user_id', 'queue', 'kind', 'payload', 'status', 'priority',
        'progress', 'progress_note', 'result', 'error', 'attempts', 'max_attempts', 'unique_key', 'run_at', 'created_at',
        'started_at', 'finished_at'], 'with all columns in their order')
    is(all.data?.every((job) => job.user_id === userA), true, "and nobody else's")
    const one = (await jobs('number:id, state:status, payload, "error"').eq('id', 5).single()).data
    is(one, { number: 5, state: 'failed', payload: { n: 5, name: 'a,b (c)' }, error: 'smtp, refused (550)' }, 'columns have other names when asked for')
    const nulls = await jobs('id, result, error').eq('id', 5).stripNulls()
    is(nulls.data, [{ id: 5, error: 'smtp, refused (550)' }], 'stripNulls() leaves nulls out')
    is((await jobs('created_at').eq('id', 1).single()).data?.created_at, '2026-01-01T00:00:01+00:00', 'times are ISO 8601')
}

const mine = (columns, options) => jobs(columns, options).in('batch_id', [batch1, batch2]).order('id')

async function filters() {
    await selects(mine().eq('kind', 'report'), [3, 6, 9, 12], 'eq')
    await selects(mine().neq('kind', 'report').lt('id', 5), [1, 2, 4], 'neq, lt')
    await selects(mine().gt('id', 10), [11, 12], 'gt')
    await selects(mine().gte('id', 10).lte('id', 11), [10, 11], 'gte, lte')
    await selects(mine().in('status', ['running', 'failed']), [5, 6], 'in')
    await selects(mine().in('error', ['smtp, refused (550)', 'other']), [5], 'in, with values that have commas and brackets')
    await selects(mine().in('id', []), [], 'in nothing')
    await selects(mine().in('id', [1, 2, 2]), [1, 2], 'in of numbers')
    await selects(mine().is('result', null).lt('id', 7), [5, 6], 'is null')
    await selects(mine().not('result', 'is', null), [1, 2, 3, 4], 'not is null')
    await selects(mine().not('id', 'in', '(1,2,3,4,5,6,7,8,9)'), [10, 11, 12], 'not in')
    await selects(mine().not('kind', 'eq', 'mail'), [3, 6, 9, 12], 'not eq')
    await selects(mine().like('unique_key', 'key-%'), [12], 'like')
    await selects(mine().ilike('unique_key', 'KEY%'), [12], 'ilike')
    await selects(mine().filter('kind', 'like', 'rep*'), [3, 6, 9, 12], 'like with *')
    await selects(mine().match({ kind: 'mail', status: 'failed' }), [5], 'match')
    await selects(mine().filter('progress', 'gte', 42.5).lt('progress', 100), [6], 'a number with a fraction')
    await selects(mine().gte('created_at', new Date('2026-01-01T00:00:11Z').toISOString()), [11, 12], 'times')
    await selects(mine().eq('batch_id', batch2).eq('user_id', userA).lt('id', 9), [7, 8], 'uuids')
    await selects(mine().eq('progress_note', '50 % of "all" & more = ü'), [6], 'characters that a URL must escape')
    await selects(mine().eq('kind', "mail' or 'a'='a"), [], 'a quote ends nothing')
    await selects(mine().isDistinct('unique_key', 'key-12').lt('id', 3), [1, 2], 'isDistinct')
    await selects(b.from('jobs').select('id').eq('user_id', userA), [], "nobody sees other users' jobs")
    is((await b.from('jobs').select('id', { count: 'exact', head: true })).count, 3, 'or counts them')
}

async function order() {
    await selects(jobs().in('batch_id', [batch1]).order('priority', { ascending: false }).order('id'), [3, 2, 6, 1, 5, 4], 'order by two columns')
    await selects(jobs().eq('batch_id', batch2).order('unique_key', { nullsFirst: false }).order('id', { ascending: false }).limit(2), [12, 11], 'nulls last')
    await selects(jobs().eq('batch_id', batch2).order('unique_key', { ascending: false, nullsFirst: true }).order('id').limit(1), [7], 'nulls first')
    await selects(mine().limit(3), [1, 2, 3], 'limit')
    await selects(mine().range(3, 5), [4, 5, 6], 'range')
    await selects(mine().limit(0), [], 'limit 0')
    const header = await fetch(`${url}/rest/v1/jobs?select=id&order=id`, { headers: { Range: '2-3', 'Range-Unit': 'items', Authorization: `Bearer ${await mint({ sub: userA })}` } })
    is([header.status, header.headers.get('content-range'), await header.json()], [200, '2-3/*', [{ id: 3 }, { id: 4 }]], 'the header Range')
}

async function counts() {
    const counted = await mine('id', { count: 'exact' }).limit(5)
    is([counted.status, counted.count, counted.data?.length], [206, 12, 5], 'an exact count with a part of the rows')
    const whole = await mine('id', { count: 'exact' })
    is([whole.status, whole.count, whole.data?.length], [200, 12, 12], 'and with all')
    const head = await mine('*', { count: 'exact', head: true })
    is([head.count, head.data, head.error], [12, null, null], 'a count without rows')
    is((await mine('id', { count: 'estimated' })).count, 12, 'an estimate is exact')
    is((await mine('id', { count: 'exact' }).eq('kind', 'none')).count, 0, 'nothing counts 0')
    await refuses(mine('id', { count: 'exact' }).range(13, 20), 416, 'PGRST103', 'a range after the end is 416')
}

async function singles() {
    is((await jobs().eq('id', 7).single()).data, { id: 7 }, 'single() is an object')
    await refuses(jobs().eq('id', 999999).single(), 406, 'PGRST116', 'single() of nothing is 406')
    const many = await refuses(jobs().in('id', [1, 2]).single(), 406, 'PGRST116', 'single() of two is 406')
    is(many?.details, 'The result contains 2 rows', 'and it is said how many')
    const none = await jobs().eq('id', 999999).maybeSingle()
    is([none.data, none.error], [null, null], 'maybeSingle() of nothing is null')
    is((await jobs().eq('id', 7).maybeSingle()).data, { id: 7 }, 'of one it is that')
    is((await jobs().in('id', [1, 2]).maybeSingle()).error?.code, 'PGRST116', 'of two an error')
}

async function refusals() {
    await refuses(jobs('bogus'), 400, '42703', 'an unknown column')
    await refuses(jobs().eq('bogus', 1), 400, '42703', 'filtered by, too')
    await refuses(jobs().order('bogus'), 400, '42703', 'or sorted by')
    await refuses(jobs().eq('id', 'abc'), 400, '22P02', 'a value that is no number')
    await refuses(jobs().eq('batch_id', 'abc'), 400, '22P02', 'or no UUID')
    await refuses(jobs().gte('created_at', 'yesterdays'), 400, '22007', 'or no time')
    await refuses(jobs().eq('id', '99999999999999999999'), 400, '22003', 'or a number that is too large')
    await refuses(jobs().or('id.eq.1,id.eq.2'), 400, 'PGRST100', 'or()')
    await refuses(jobs('id, batches(*)'), 400, 'PGRST100', 'other tables')
    await refuses(jobs('id::text'), 400, 'PGRST100', 'casts')
    await refuses(jobs('payload->n'), 400, 'PGRST100', 'paths into JSON')
    await refuses(jobs().textSearch('kind', 'x'), 400, 'PGRST100', 'text search')
    await refuses(jobs().likeAllOf('kind', ['a']), 400, 'PGRST100', 'like(all)')
    await refuses(jobs().contains('payload', { n: 1 }), 400, 'PGRST100', 'contains')
    await refuses(jobs().csv(), 406, 'PGRST107', 'csv()')
    await refuses(a.schema('pgcrew').from('workers').select(), 404, 'PGRST205', 'other tables of other schemas')
    await refuses(a.schema('pgcrew').from('jobs').select(), 406, 'PGRST106', 'another schema')
    await refuses(a.from('kinds').select(), 404, 'PGRST205', 'another table')
    const insert = await refuses(a.from('jobs').insert({ kind: 'mail' }), 405, 'PGRST117', 'insert')
    like(insert?.hint, /enqueue_jobs/, 'and it is said what to do instead')
    await refuses(a.from('jobs').delete().eq('id', 1), 405, 'PGRST117', 'delete')
    is((await a.from('jobs').update({ status: 'queued' }).eq('id', 1)).status, 405, 'update')
    is((await jobs('status').eq('id', 1).single()).data?.status, 'succeeded', 'and nothing has changed')
    const c = clientWith(await mint({ sub: userC }))
    await refuses(c.from('jobs').select(), 400, '54000', 'more than 8 MiB of rows')
    is((await c.from('jobs').select('*', { count: 'exact', head: true })).count, 3, 'which can be counted')
    is((await c.from('jobs').select().limit(1)).data?.[0]?.payload?.text?.length, 4000000, 'and had one by one')
}

async function tokens() {
    const all = (client) => client.from('jobs').select('id')
    await refuses(all(anonymous()), 401, 'PGRST302', 'signed out is 401')
    await refuses(all(clientWith(await mint({ sub: userA, exp: now() - 60 }))), 401, 'PGRST303', 'an expired token')
    is((await all(clientWith(await mint({ sub: userA, exp: now() - 10 })))).status, 200, 'clocks may differ a little')
    await refuses(all(clientWith(await mint({ sub: userA }, new TextEncoder().encode('another secret of 32 bytes or more')))), 401, 'PGRST301', 'a token of another secret')
    await refuses(all(clientWith('a.b.c')), 401, 'PGRST301', 'no token at all')
    await refuses(all(clientWith(await mint({ sub: userA, role: 'service_role' }))), 403, '42501', "a token of the service's role")
    await refuses(all(clientWith(await mint({ sub: userA, role: 'postgres' }))), 403, '42501', 'or of any other')
    await refuses(all(clientWith(process.env.SERVICE_KEY)), 403, '42501', 'the service key')
    await refuses(all(clientWith(await mint({ sub: 'me' }))), 401, 'PGRST303', 'a user without a UUID')
    await refuses(clientWith('a.b.c').rpc('bogus'), 401, 'PGRST301', 'who is not known is not told what there is')
}

async function crossOrigin() {
    const asked = 'authorization,apikey,content-type,x-client-info,accept-profile,prefer,range'
    const preflight = (from) => fetch(`${url}/rest/v1/jobs`, { method: 'OPTIONS', headers: {
        Origin: from, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': asked } })
    const good = await preflight(origin)
    is([good.status, good.headers.get('access-control-allow-origin')], [204, origin], 'a known origin may call')
    const allowed = (good.headers.get('access-control-allow-headers') ?? '').toLowerCase().split(/\s*,\s*/)
    is(asked.split(',').filter((name) => !allowed.includes(name)), [], 'with all headers of the client')
    is((await preflight('https://evil.example')).headers.get('access-control-allow-origin'), null, 'an unknown one may not')
    const answer = await fetch(`${url}/rest/v1/jobs?select=id`, { headers: { Origin: origin, Authorization: `Bearer ${await mint({ sub: userA })}` } })
    like(answer.headers.get('access-control-expose-headers'), /content-range/i, 'a page may read Content-Range')
}

// Many requests of many users at once: everybody sees their own, whatever came before.
async function interleaved() {
    const users = await Promise.all(Array.from({ length: 8 }, async (_, i) => {
        const sub = `aaaaaaaa-0000-4000-8000-00000000000${i}`
        const client = clientWith(await mint({ sub }))
        const put = await client.rpc('enqueue_jobs', { kind: 'mail', payloads: Array(i + 1).fill({ owner: sub }) })
        return { sub, client, batch: put.data?.batch_id, total: i + 1 }
    }))
    const mistakes = []
    const check = async (n) => {
        const u = users[n % 8]
        const other = users[(n * 5 + 3) % 8]
        const [own, count, theirs] = await Promise.all([
            u.client.from('jobs').select('user_id, payload').eq('batch_id', u.batch),
            u.client.from('jobs').select('id', { count: 'exact', head: true }),
            other === u ? { data: null } : u.client.rpc('batch_status', { batch_id: other.batch }),
        ])
        if (own.data?.length !== u.total || own.data.some((job) => job.user_id !== u.sub || job.payload.owner !== u.sub))
            mistakes.push(own)
        if (count.count !== u.total) mistakes.push(count)
        if (theirs.data) mistakes.push(theirs)
    }
    await Promise.all(Array.from({ length: 140 }, (_, n) => check(n * 7)))
    is(mistakes.slice(0, 2), [], '400 requests of 8 users at once: everybody sees their own')
}

for (const part of [rpc, selecting, filters, order, counts, singles, refusals, tokens, crossOrigin, interleaved])
    await part()
done()
