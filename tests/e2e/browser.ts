// Chromium as the tests want it, and what every page is held against.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const require = createRequire(import.meta.url)
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const BUILD = resolve(ROOT, process.env.NW_BUILD ?? 'build/fast')
export const ARTEFACTS = resolve(ROOT, process.env.NW_ARTEFACTS ?? 'build/e2e')
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
// Outside of WCAG, and wrong here: the waiting and toast regions need no landmark.
const LEFT_OUT = ['region']

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.NW_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--enable-precise-memory-info', '--js-flags=--expose-gc', ...(process.env.NW_PANEL_DIST ? ['--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets'] : [])],
  })
}

export interface Watched {
  readonly context: BrowserContext
  readonly page: Page
  /** What must not happen: script errors, console errors, requests to elsewhere. */
  readonly faults: string[]
}

/** A fresh profile whose faults are collected. Refusals that a test provokes are named by `expected`. */
export async function open(browser: Browser, base: string, options: BrowserContextOptions = {}, expected: RegExp = /(?!)/): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', locale: 'en-GB', ...options })
  if (process.env.NW_PANEL_DIST)
    await servePanelFrom(context, resolve(ROOT, process.env.NW_PANEL_DIST))
  const page = await context.newPage()
  const faults: string[] = []
  // An interface that comes or goes anywhere on the machine makes Chromium drop what it is loading: no fault of the page.
  let dropped = false
  const note = (text: string) => {
    dropped ||= text.includes('ERR_NETWORK_CHANGED')
    if (!expected.test(text) && !text.includes('ERR_NETWORK_CHANGED') && !(dropped && /Unable to preload|dynamically imported module/.test(text)))
      faults.push(text)
  }
  page.on('pageerror', error => note(`script: ${error.message}`))
  page.on('console', (message) => { if (message.type() === 'error') note(`console: ${message.text()} ${message.location().url}`) })
  page.on('request', (request) => { if (!request.url().startsWith(base) && !/^(?:data|blob|ws):/.test(request.url())) note(`request left the origin: ${request.url()}`) })
  return { context, page, faults }
}

/** For work on the panel: its files come from a folder instead of from the controller's binary. */
async function servePanelFrom(context: BrowserContext, folder: string): Promise<void> {
  await context.route(url => !url.pathname.startsWith('/api/'), async (route) => {
    const file = join(folder, new URL(route.request().url()).pathname)
    await route.fulfill({ path: existsSync(file) && statSync(file).isFile() ? file : join(folder, 'index.html') })
  })
}

export interface Violation { id: string, nodes: string[] }

export async function axe(page: Page): Promise<Violation[]> {
  await page.evaluate(axeSource)
  return page.evaluate(async ({ rules, leftOut }) => {
    const run = (globalThis as unknown as { axe: { run: (root: Document, options: object) => Promise<{ violations: { id: string, nodes: { target: unknown, html: string }[] }[] }> } }).axe.run
    const { violations } = await run(document, { runOnly: rules, resultTypes: ['violations'], rules: Object.fromEntries(leftOut.map(rule => [rule, { enabled: false }])) })
    return violations.map(violation => ({ id: violation.id, nodes: violation.nodes.slice(0, 4).map(node => `${String(node.target)}: ${node.html.slice(0, 160)}`) }))
  }, { rules: RULES, leftOut: LEFT_OUT })
}

export async function shot(page: Page, name: string, fullPage = false): Promise<void> {
  mkdirSync(ARTEFACTS, { recursive: true })
  await page.screenshot({ path: join(ARTEFACTS, `${name}.png`), fullPage })
}

/** Pixels that the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
}

/** Everything asked for has come, fonts are there, no skeleton is left. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('h1') !== null && document.querySelector('.skeleton') === null && document.fonts.status === 'loaded', undefined, { timeout: 20_000 })
  await page.evaluate(() => new Promise<void>(done => requestAnimationFrame(() => requestAnimationFrame(() => done()))))
}
