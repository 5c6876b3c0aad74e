// contrib/supabase/upload-demo in a browser, from the choice of files to 100 %; run by
// tests/system/4300-upload-demo.sh, whose handler reports 40 % and waits for the file GO.
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { SignJWT } from 'jose'
import { openBrowser, shoot } from './browser.mjs'
import { done, is, like, ok, say, until } from './tap.mjs'

const { PAGE, PAGE_FILE, GATEWAY, GATEWAY_SECRET, USER_A, TOKEN, GO } = process.env
const origins = [new URL(PAGE).origin, new URL(GATEWAY).origin]
const evil = '<img src=x onerror="window.hacked=1">.txt'
const files = [
    { name: 'holiday.jpg', mimeType: 'image/jpeg', buffer: randomBytes(3_000_000) },
    { name: evil, mimeType: 'text/plain', buffer: Buffer.from('text') },
    { name: 'Grüße & "mehr".pdf', mimeType: 'application/pdf', buffer: randomBytes(70_000) },
    { name: 'empty', mimeType: 'application/octet-stream', buffer: Buffer.alloc(0) },
    { name: 'fails.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n') },
]
const some = files.slice(0, 2)

const sha256 = (data, form) => createHash('sha256').update(data).digest(form)
const text = (page, id) => page.locator(`#${id}`).textContent()
const has = (page, id, regex, seconds = 20) => until(seconds, async () => regex.test(await text(page, id)))
const rows = (page, list) => page.locator(`#${list} .name bdi`).allTextContents()
const states = (page) => page.locator('#jobs .state').allTextContents()

async function open(browser, options = {}) {
    const page = await browser.open({ origins, ...options })
    await page.goto(PAGE)
    return page
}

async function signIn(page, token = TOKEN) {
    await page.fill('#token', token)
    await page.click('#where summary')
    await page.fill('#gateway', GATEWAY)
    await page.click('#where summary')
    await page.click('text=Use this token')
}

async function begin(page, chosen = some) {
    rmSync(GO, { force: true })
    await page.setInputFiles('#chooser', chosen)
    await page.click('#start')
    return until(20, () => page.locator('#jobs li').count().then((n) => n === chosen.length))
}

const goOn = () => writeFileSync(GO, '')

function hashes() {
    const page = readFileSync(PAGE_FILE, 'utf8')
    for (const tag of ['script', 'style']) {
        const content = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(page)[1]
        like(page, new RegExp(`${tag}-src 'sha256-${sha256(content, 'base64').replace(/[+]/g, '\\+')}'`),
            `the policy has the hash of the ${tag}`)
    }
    ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/.test(page), 'nothing is read as HTML')
}

async function wholeWay(browser) {
    const page = await open(browser)
    await shoot(page, 'upload-demo-begin')
    await page.fill('#token', 'no token')
    await page.click('text=Use this token')
    like(await text(page, 'who'), /not an access token/, 'what is no token is told')
    await page.setInputFiles('#chooser', some)
    ok(await page.isDisabled('#start'), 'nothing starts without a token')
    await page.click('#clear')

    await signIn(page)
    like(await text(page, 'who'), /Signed in as 11111111-.*, until/, 'it is shown who is signed in')
    ok(await page.isDisabled('#start'), 'nothing starts without files')
    rmSync(GO, { force: true })
    await page.setInputFiles('#chooser', files)
    is(await rows(page, 'chosen'), files.map((file) => file.name), 'the names of the files are shown, as text')
    is(await text(page, 'start'), 'Start with 5 files', 'and how many they are')
    await shoot(page, 'upload-demo-chosen')

    await page.click('#start')
    ok(await has(page, 'percent', /^52 %$/), 'the batch is at 52 % when four of five are at 40, and one has ended')
    ok(await until(20, async () => (await states(page)).filter((s) => s === '40 %').length === 4), 'so are their files')
    is(await text(page, 'live'), 'live', 'events bring it')
    is(await rows(page, 'jobs'), files.map((file) => file.name), 'the files are listed with their names')
    ok((await page.locator('#jobs .note').allTextContents()).includes(`looks at ${evil}`), 'notes of handlers are text')
    is(await page.locator('#whole').evaluate((bar) => bar.value), 52, 'the bar is where it should be')
    await shoot(page, 'upload-demo-running')

    goOn()
    ok(await has(page, 'percent', /^100 %$/), 'it gets to 100 %')
    ok(await has(page, 'outcome', /^1 of 5 failed\.$/), 'it is said what failed')
    is((await states(page)).sort(), ['failed', 'succeeded', 'succeeded', 'succeeded', 'succeeded'], 'for each file, too')
    like(await page.locator('#jobs .note.failed').textContent(), /<b>no columns<\/b>/, 'with the error, as text')
    ok(await page.isHidden('#cancel'), 'there is nothing to cancel any more')
    await shoot(page, 'upload-demo-end')
    is(await page.evaluate(() => window.hacked), undefined, 'no name of a file was run')
    is(await page.locator('main img, main b').count(), 0, 'or became an element')
    is(page.trouble, [], 'the console has no errors, and no other origin was asked')

    const answer = await fetch(`${GATEWAY}/rest/v1/jobs?select=payload&order=id&kind=eq.upload`, { headers: { Authorization: `Bearer ${TOKEN}` } })
    const payloads = (await answer.json()).map((job) => job.payload)
    is(payloads, files.map((file) => ({ name: file.name, size: file.buffer.length, type: file.mimeType, sha256: sha256(file.buffer, 'hex') })),
        'the jobs know name, size, type and SHA-256')
    await page.close()
}

async function cancelled(browser) {
    const page = await open(browser)
    await signIn(page)
    ok(await begin(page), 'a second batch')
    await has(page, 'percent', /^40 %$/)
    await page.click('#cancel')
    ok(await has(page, 'outcome', /^Cancelled\.$/), 'can be cancelled')
    is(await states(page), ['cancelled', 'cancelled'], 'with all its jobs')
    ok(await begin(page, files.slice(0, 1)), 'then the next one begins')
    goOn()
    ok(await has(page, 'outcome', /All files are done/), 'and is done')
    is(await states(page), ['succeeded'], 'without what was shown before')
    is(page.trouble, [], 'nothing is complained about')
    await page.close()
}

// Without event streams (an old proxy), without the first token.
async function fallbacks(browser) {
    const page = await open(browser)
    await page.route('**/events?*', (route) => route.abort())
    await signIn(page)
    ok(await begin(page), 'a batch without event streams')
    ok(await has(page, 'live', /^every 2 s$/), 'is looked at every 2 s')
    ok(await has(page, 'percent', /^40 %$/), 'and is seen to move')
    goOn()
    ok(await has(page, 'outcome', /All files are done/), 'to its end')
    await page.close()

    const late = await open(browser)
    await late.route('**/events?*', (route) => route.abort())
    // Clocks may differ by 30 s.
    const soon = await new SignJWT({ sub: USER_A, role: 'authenticated', exp: Math.floor(Date.now() / 1000) - 22 })
        .setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(GATEWAY_SECRET))
    await signIn(late, soon)
    ok(await begin(late), 'a batch of a session that ends soon')
    ok(await has(late, 'trouble', /session has expired/, 40), 'is told when it has ended')
    await late.fill('#token', TOKEN)
    await late.click('text=Use this token')
    goOn()
    ok(await has(late, 'outcome', /All files are done/), 'a new token goes on watching')
    is(await text(late, 'trouble'), '', 'and the complaint is gone')
    await late.close()
}

async function refused(browser) {
    const page = await open(browser)
    await signIn(page)
    await page.click('#where summary')
    await page.fill('#kind', 'secret')
    await page.setInputFiles('#chooser', some)
    await page.click('#start')
    ok(await has(page, 'trouble', /did not start: .*secret/), 'a kind that is not for users is refused, and it is said why')
    ok(await page.isEnabled('#start'), 'it can be tried again')
    await page.close()
}

async function storage(browser) {
    const stored = []
    const server = createServer((request, response) => {
        const parts = []
        response.setHeader('Access-Control-Allow-Origin', '*')
        response.setHeader('Access-Control-Allow-Headers', 'authorization, apikey, content-type')
        request.on('data', (part) => parts.push(part))
        request.on('end', () => {
            if (request.method === 'POST')
                stored.push([request.url, request.headers.authorization, request.headers.apikey, Buffer.concat(parts)])
            response.end('{}')
        })
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const page = await open(browser, { origins: [...origins, `http://127.0.0.1:${server.address().port}`] })
    await signIn(page)
    await page.click('#where summary')
    await page.fill('#storage-url', `http://127.0.0.1:${server.address().port}/`)
    await page.fill('#storage-key', 'sb_publishable_x')
    await page.click('#where summary')
    like(await text(page, 'where-to'), /bucket "uploads"/, 'it is said where files go')
    ok(await begin(page, files.slice(0, 3)), 'with an address of Storage files are uploaded')
    goOn()
    ok(await has(page, 'outcome', /All files are done/), 'before their jobs')
    is(stored.map((one) => one[3].length), [3_000_000, 4, 70_000], 'whole')
    is([...new Set(stored.map((one) => `${one[1]} ${one[2]}`))], [`Bearer ${TOKEN} sb_publishable_x`], "as the user")
    ok(stored.every((one) => /^\/storage\/v1\/object\/uploads\/11111111-[\w-]+\/[\w-]+\/\d+-[\w.-]+$/.test(one[0])),
        'to a folder of the user, under names that Storage takes') || say(stored.map((one) => one[0]).join('\n'))
    is(page.trouble, [], 'nothing is complained about')
    await page.close()
    server.close()
}

// By keyboard alone, on a phone, in the dark, with a file dropped.
async function otherWays(browser) {
    const page = await open(browser, { width: 390, height: 844, colorScheme: 'dark', hasTouch: true })
    await signIn(page)
    await page.evaluate(() => {
        const dropped = new DataTransfer()
        dropped.items.add(new File(['dropped'], 'a very long name of a file that somebody took a picture with on holiday last year.jpeg'))
        document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true }))
    })
    is((await rows(page, 'chosen')).length, 1, 'a dropped file is taken')
    await page.setInputFiles('#chooser', files.slice(1, 4))
    rmSync(GO, { force: true })
    await page.focus('#start')
    await page.keyboard.press('Enter')
    ok(await until(20, async () => (await states(page)).filter((s) => s === '40 %').length === 4), 'Enter starts')
    is(await page.evaluate(() => document.activeElement.id), 'watch-title', 'the focus goes to the progress')
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    ok(await overflow() <= 0, 'nothing is wider than a phone')
    await shoot(page, 'upload-demo-phone-dark')
    await page.emulateMedia({ colorScheme: 'light' })
    await shoot(page, 'upload-demo-phone')
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.emulateMedia({ colorScheme: 'dark' })
    await shoot(page, 'upload-demo-running-dark')
    await page.setViewportSize({ width: 320, height: 640 })
    ok(await overflow() <= 0, 'nor than a small one')
    await page.keyboard.press('Tab')
    is(await page.evaluate(() => document.activeElement.id), 'cancel', 'the next Tab is Cancel')
    goOn()
    ok(await has(page, 'outcome', /All files are done/), 'it ends')
    const unnamed = await page.evaluate(() => Array.from(document.querySelectorAll('input, button, progress'))
        .filter((node) => !node.labels?.length && !node.textContent.trim() && !node.getAttribute('aria-label') && !node.getAttribute('aria-labelledby'))
        .map((node) => node.outerHTML))
    is(unnamed, [], 'everything has a name for screen readers')
    is(page.trouble, [], 'nothing is complained about')
    await page.close()
}

hashes()
const browser = await openBrowser()
for (const part of [wholeWay, cancelled, fallbacks, refused, storage, otherWays]) await part(browser)
await browser.close()
done()
