// The operators' dashboard in a browser, on a real daemon.
//
//     dashboard.mjs ORIGIN TOKEN_FILE
//
// The database is that of the PG* variables.  Every text that somebody else can choose is
// HOSTILE: it must be seen as it is, and nothing of it may run.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { openBrowser, shoot } from './browser.mjs'
import { done, is, like, ok, say, until } from './tap.mjs'

const [origin, tokenFile] = process.argv.slice(2)
const token = readFileSync(tokenFile, 'utf8').trim()
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const HOSTILE = '<img src=x onerror="window.hit=1">'

const sql = (text) => execFileSync('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', text], { encoding: 'utf8' }).trim()
const literal = (text) => `'${text.replaceAll("'", "''")}'`

const browser = await openBrowser()
const page = await browser.open({ width: 1280, height: 900, origins: [origin] })

const goTo = async (place) => {
    await page.goto(`${origin}/#/${place}`)
    await page.waitForSelector('main h1')
}
const seen = (text) => until(10, async () => (await page.locator('main').innerText()).includes(text))
const row = (text) => page.locator('tbody tr', { hasText: text }).first()

// What a person who cannot see or point would stumble over.
async function audit(what, on = page) {
    await on.evaluate(axe)
    const found = await on.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
    is(found.violations.map((v) => `${v.id}: ${v.nodes[0].target}`), [], `${what}: accessible, as far as axe can tell`)
}

// --- login -------------------------------------------------------------------------------------

await page.goto(`${origin}/`)
await page.waitForSelector('#token')
await shoot(page, 'dashboard-login')
await audit('login')
await page.fill('#token', 'wrong')
await page.keyboard.press('Enter')
ok(await until(5, () => page.locator('.login .problem').isVisible()), 'a wrong token is refused, and it is said')
page.trouble = page.trouble.filter((t) => !/status of 401/.test(t)) // the browser's own line
await page.fill('#token', token)
await page.keyboard.press('Enter')
ok(await until(5, () => page.locator('h1', { hasText: 'Overview' }).isVisible()), 'the right one leads to the overview')
is(await page.evaluate(() => document.cookie), '', 'no script can read the session')

// --- live ----------------------------------------------------------------------------------------

ok(await until(10, async () => (await page.locator('#link').innerText()) === 'live'), 'the overview is live')
const slow = sql(`select pgcrew.enqueue('slow', '{}')`)
ok(await until(15, () => row(`#${slow}`).isVisible()), 'a job that starts is seen without a reload')
ok(await until(15, async () => (await row(`#${slow}`).innerText()).includes('half way')), 'and its progress, as it changes')
await page.locator(`a[href="#/jobs/${slow}"]`).focus()
const changed = (before) => until(10, async () => (await row(`#${slow}`).innerText()) !== before)
for (let picture = 0; picture < 2; picture++) await changed(await row(`#${slow}`).innerText())
is(await page.evaluate(() => document.activeElement?.getAttribute('href')), `#/jobs/${slow}`, 'what has the focus keeps it while the page changes')
await shoot(page, 'dashboard-overview')
await audit('overview')

// --- one job -------------------------------------------------------------------------------------

await page.keyboard.press('Enter')
ok(await until(5, () => page.locator('h1', { hasText: `Job ${slow}` }).isVisible()), 'a link works with the keyboard')
is(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'the focus is where the new page begins')
await page.getByRole('button', { name: 'Cancel' }).click()
ok(await until(15, () => sql(`select status from public.jobs where id = ${slow}`) === 'cancelled'), 'a running job is cancelled')
ok(await seen('cancelled'), 'and the page says so by itself')

const bad = sql(`select id from public.jobs where kind = 'bad' order by id limit 1`)
await goTo(`jobs/${bad}`)
ok(await seen('exit status 7') || await seen('7'), 'a failed job says why')
ok(await seen(HOSTILE), 'text with tags is shown as it is')
await page.locator('details summary', { hasText: 'End of its log' }).first().click()
ok(await seen('stderr says'), 'the end of its log can be read')
await shoot(page, 'dashboard-job')
await audit('a job')
const before = sql(`select count(*) from pgcrew.attempts where job_id = ${bad}`)
await page.getByRole('button', { name: 'Retry' }).click()
ok(await until(15, () => sql(`select count(*) from pgcrew.attempts where job_id = ${bad}`) > before), 'retry makes it run again')

// --- search and bulk -----------------------------------------------------------------------------

await goTo('jobs?state=failed&kind=bad')
ok(await until(5, () => row(`#${bad}`).isVisible()), 'jobs are found by state and kind')
is(await page.locator('tbody tr', { hasText: 'good' }).count(), 0, 'and no others')
await shoot(page, 'dashboard-jobs')
await audit('jobs')
await goTo('jobs')
await page.getByLabel('Kind').fill(HOSTILE)
await page.keyboard.press('Enter')
ok(await until(5, async () => decodeURIComponent(page.url()).includes('kind=')), 'a search has an address')
ok(await until(5, () => row(HOSTILE).isVisible()), 'a kind with tags in its name can be searched for')
await goTo(`jobs?text=${encodeURIComponent('no such text anywhere')}`)
ok(await seen('Nothing here'), 'a search that finds nothing says so')

await goTo('jobs?kind=waits')
const waiting = Number(sql(`select count(*) from public.jobs where kind = 'waits' and status = 'queued'`))
await page.getByRole('button', { name: 'Cancel…' }).click()
await page.waitForSelector('dialog')
like(await page.locator('dialog').innerText(), new RegExp(`Cancel ${waiting} jobs`), 'bulk: how many is said before it is done')
await audit('a question')
await page.keyboard.press('Escape')
is(sql(`select count(*) from public.jobs where kind = 'waits' and status = 'queued'`), String(waiting), 'Escape leaves them alone')
await page.getByRole('button', { name: 'Cancel…' }).click()
await page.locator('dialog').getByRole('button', { name: /^Cancel \d/ }).click()
ok(await until(15, () => sql(`select count(*) from public.jobs where kind = 'waits' and status = 'queued'`) === '0'), 'and then it is done')
await page.getByRole('button', { name: 'Delete…' }).click()
await page.waitForSelector('#confirm-word')
await page.locator('dialog').getByRole('button', { name: /^Delete/ }).click()
ok(await page.locator('dialog').isVisible(), 'delete wants the number typed')
await page.fill('#confirm-word', String(waiting))
await page.keyboard.press('Enter')
ok(await until(15, () => sql(`select count(*) from public.jobs where kind = 'waits'`) === '0'), 'then they are deleted')

// --- batches ---------------------------------------------------------------------------------------

const batch = sql(`select batch_id from public.jobs where batch_id is not null limit 1`)
await goTo('batches')
ok(await until(5, () => row(batch).isVisible()), 'batches are listed')
await audit('batches')
await page.locator(`a[href="#/batches/${batch}"]`).click()
ok(await until(5, () => page.locator('h1', { hasText: batch.slice(0, 8) }).isVisible()), 'one is shown with its jobs')
await shoot(page, 'dashboard-batch')
await audit('a batch')

// --- queues --------------------------------------------------------------------------------------

await goTo('queues')
await page.getByRole('button', { name: 'Pause queue default' }).click()
ok(await until(5, () => sql(`select paused_at is not null from pgcrew.queues where queue = 'default'`) === 't'), 'a queue is paused')
ok(await until(5, () => page.getByRole('button', { name: 'Resume queue default' }).isVisible()), 'the page says so')
const held = sql(`select pgcrew.enqueue('good', '{}')`)
await shoot(page, 'dashboard-queues')
await audit('queues')
is(sql(`select status from public.jobs where id = ${held}`), 'queued', 'nothing of it is started')
await page.getByRole('button', { name: 'Resume queue default' }).click()
ok(await until(15, () => sql(`select status from public.jobs where id = ${held}`) === 'succeeded'), 'resumed, it goes on')

// --- schedules ------------------------------------------------------------------------------------

await goTo('schedules')
ok(await seen(`every ${HOSTILE}`), 'schedules are listed')
await page.getByRole('button', { name: `Run now: every ${HOSTILE}` }).click()
ok(await until(15, () => sql(`select count(*) from public.jobs where kind = 'good' and payload ? 'scheduled'`) === '1'), 'one is run now')
await page.getByRole('button', { name: `Pause every ${HOSTILE}` }).click()
ok(await until(5, () => sql(`select paused_at is not null from pgcrew.schedules`) === 't'), 'it is paused')
await shoot(page, 'dashboard-schedules')
await audit('schedules')

// --- errors, hosts --------------------------------------------------------------------------------

await goTo('errors')
ok(await until(5, () => row('bad').isVisible()), 'errors are grouped')
await shoot(page, 'dashboard-errors')
await audit('errors')
await goTo('hosts')
ok(await seen('testhost'), 'hosts are listed')
ok(await until(5, async () => (await page.locator('table').count()) > 0), 'with their workers')
await shoot(page, 'dashboard-hosts')
await audit('hosts')

// --- how it looks elsewhere --------------------------------------------------------------------------

const cookies = await page.context().cookies()
for (const [name, options] of [['dark', { colorScheme: 'dark' }], ['phone', { width: 390, height: 844, isMobile: true, hasTouch: true }]]) {
    const other = await browser.open({ origins: [origin], ...options })
    await other.context().addCookies(cookies)
    for (const place of ['overview', 'jobs', `jobs/${bad}`, `batches/${batch}`, 'queues', 'schedules', 'errors', 'hosts']) {
        await other.goto(`${origin}/#/${place}`)
        await other.waitForSelector('main h1')
        await other.waitForLoadState('load')
        await until(5, async () => (await other.locator('main').innerText()).length > 40)
        await shoot(other, `dashboard-${name}-${place.split('/')[0]}${place.includes('/') ? '-one' : ''}`)
        if (name === 'phone')
            ok(await other.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `a phone shows ${place.split('/')[0]} without sideways scrolling`)
    }
    await audit(name, other)
    is(await other.evaluate(() => window.hit), undefined, `nothing hostile ran (${name})`)
    is(other.trouble, [], `no complaint in the console (${name})`)
}

// --- the daemon away, and the end ------------------------------------------------------------------

await goTo('overview')
await until(10, async () => (await page.locator('#link').innerText()) === 'live')
process.kill(Number(process.env.DASHBOARD_PID), 'SIGKILL')
ok(await until(10, async () => (await page.locator('#link').innerText()) !== 'live'), 'a dashboard that is gone is said to be')
ok(await until(30, async () => (await page.locator('#link').innerText()) === 'live'), 'and comes back by itself, with the same session')
page.trouble = page.trouble.filter((t) => !/ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(t))
is(await page.evaluate(() => window.hit), undefined, 'nothing hostile ran')
await page.getByRole('button', { name: 'Log out' }).click()
ok(await until(5, () => page.locator('#token').isVisible()), 'logged out')
await page.goto(`${origin}/#/jobs`)
await page.reload()
ok(await until(5, () => page.locator('#token').isVisible()), 'and without a session nothing is shown')
page.trouble = page.trouble.filter((t) => !/status of 401/.test(t))
is(page.trouble, [], 'no complaint in the console, no request elsewhere')
say(`screenshots: ${process.env.PGCREW_BUILD}/screenshots`)
await browser.close()
done()
