// Debian's Chromium without a head, for tests/web.
//
//     const browser = await openBrowser()
//     const page = await browser.open({ width: 390, height: 844, colorScheme: 'dark' })
//     await shoot(page, 'jobs-phone-dark')
//     await browser.close()
//
// Each page has a profile of its own.  page.trouble lists what its console complained about
// (errors, breaches of the Content-Security-Policy) and what it asked of other origins.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--disable-dev-shm-usage', '--force-prefers-reduced-motion']

function watch(page, origins) {
    page.trouble = []
    page.on('console', (message) => {
        if (message.type() === 'error') page.trouble.push(`console: ${message.text()}`)
    })
    page.on('pageerror', (error) => page.trouble.push(`error: ${error.message}`))
    page.on('request', (request) => {
        const url = new URL(request.url())
        if (url.protocol.startsWith('http') && origins.length > 0 && !origins.includes(url.origin))
            page.trouble.push(`request to another origin: ${url.origin}`)
    })
}

export async function openBrowser() {
    const browser = await chromium.launch({ executablePath, headless: true, args })
    return {
        // origins: those it may ask; none given: not looked at
        async open({ width = 1280, height = 800, colorScheme = 'light', origins = [], ...more } = {}) {
            const context = await browser.newContext({
                viewport: { width, height }, colorScheme, reducedMotion: 'reduce', ...more })
            const page = await context.newPage()
            watch(page, origins)
            return page
        },
        close: () => browser.close(),
    }
}

// Keeps $PGCREW_BUILD/screenshots/NAME.png.
export async function shoot(page, name, options = {}) {
    const folder = join(process.env.PGCREW_BUILD, 'screenshots')
    mkdirSync(folder, { recursive: true })
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, ...options })
}
