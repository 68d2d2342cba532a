// The path of a probe and traces on demand: a real agent, real routers in namespaces, and the panel that shows them.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axe, overflow, settled, shot } from './browser.ts'
import { isRoot } from './host.ts'
import { Installation } from './installation.ts'
import { built } from './programs.ts'
import { RoutedNetwork } from './network.ts'

describe.skipIf(!built() || !isRoot())('paths', () => {
  const network = new RoutedNetwork()
  const installation = new Installation('path', network.spaces)
  const INTERVAL_MS = 2000
  let page: Page
  let faults: string[]
  let close: (() => Promise<void>) | undefined
  let probe = ''
  let changing = ''

  beforeAll(async () => {
    network.up()
    await installation.up()
    probe = await installation.probe('the path', { target: network.target, interval: INTERVAL_MS, protocol: 'udp', flows: '16', cycles: 3, timeout: 500, hops_max: 12, mtu_discovery: false }, 'path')
    changing = await installation.probe('the route', { target: network.target, interval: 1000, protocol: 'udp', flows: '1', cycles: 1, timeout: 500, hops_max: 12, mtu_discovery: false }, 'path')
    ;({ page, faults, close } = await installation.signedIn({ permissions: ['clipboard-read', 'clipboard-write'] }))
  })
  afterAll(async () => {
    await close?.()
    await installation.down()
    await network.down()
  })

  const at = (query = 'from=now-15m&to=now&tz=utc', id = probe) => `${installation.base}/w/${installation.workspace}/probes/${id}?${query}`
  const table = () => page.getByRole('table', { name: 'Hops of the path' })
  const hosts = async () => (await table().locator('[data-hop]').allInnerTexts()).map(text => text.trim())

  it('shows every router, as soon as the first run has come', async () => {
    await page.goto(at())
    await expect.poll(hosts, { timeout: 60_000, interval: 300 }).toEqual([network.first, network.branch.a, network.third, network.target])
    await page.getByText(/The target answers all of \d+ packets/).waitFor()
    expect(await page.locator('[data-node]').count()).toBe(5)
    await shot(page, 'path-first', true)
    expect(await axe(page)).toEqual([])
    expect(await overflow(page)).toBeLessThanOrEqual(0)
  })

  it('a router that limits its replies is no fault', async () => {
    network.limit(true)
    const row = table().getByRole('row').filter({ hasText: network.third })
    await expect.poll(() => row.innerText(), { timeout: 60_000, interval: 500 }).toContain('Limits replies')
    const loss = row.locator('[data-loss]')
    expect(await loss.innerText()).toMatch(/^0 %/)
    expect(await loss.locator('svg').count()).toBe(0)
    await shot(page, 'path-limited', true)
    network.limit(false)
  })

  it('a change of the route is told apart from balancing, listed, and can be gone to and compared', async () => {
    // One flow and one cycle a run: each sees the one route or the other.
    await page.goto(at(undefined, changing))
    await expect.poll(hosts, { timeout: 60_000, interval: 300 }).toEqual([network.first, network.branch.a, network.third, network.target])
    await page.getByText(/\b[1-9]\d runs\b/).first().waitFor({ timeout: 60_000 })
    network.by('b')
    const changes = page.getByRole('list', { name: 'List of route changes' }).getByRole('listitem')
    await expect.poll(() => changes.first().innerText({ timeout: 1000 }).catch(() => ''), { timeout: 90_000, interval: 500 }).toMatch(new RegExp(`${network.branch.a.replaceAll('.', '\\.')}[\\s\\S]*${network.branch.b.replaceAll('.', '\\.')}`))
    expect(await changes.count()).toBe(1)
    await page.getByLabel('List of events').getByText('route change').first().waitFor()
    await page.locator('body').click({ position: { x: 5, y: 5 } })
    await page.keyboard.press('[')
    await page.waitForURL(/[?&]at=\d{13}/)
    await page.getByRole('button', { name: 'Compare' }).first().click()
    await page.waitForURL(/before=\d{13}/)
    const compared = page.getByRole('table', { name: 'Comparison of two moments' })
    await expect.poll(() => compared.locator('tr.added').allInnerTexts(), { timeout: 20_000 }).toEqual([expect.stringContaining(network.branch.b)])
    // The shortest focus still reaches back before so young a change: what has gone is not gone from it yet.
    expect(await axe(page)).toEqual([])
    await shot(page, 'path-compared', true)
    // What lies at a moment before the change is the old route.
    const before = Number(new URL(page.url()).searchParams.get('before'))
    await page.goto(at(`from=now-15m&to=now&tz=utc&focus=60&at=${before}`, changing))
    await expect.poll(hosts, { timeout: 20_000 }).toEqual([network.first, network.branch.a, network.third, network.target])
  })

  it('both branches at once are a diamond, and no further change', async () => {
    network.by('both')
    await page.goto(at('from=now-15m&to=now&tz=utc&focus=60'))
    await expect.poll(async () => new Set(await hosts()), { timeout: 90_000, interval: 500 }).toEqual(new Set([network.first, network.branch.a, network.branch.b, network.third, network.target]))
    await page.locator(`[data-node$="${network.branch.a}"]`).hover()
    await expect.poll(() => page.locator(`[data-node$="${network.branch.b}"]`).getAttribute('opacity')).toBe('0.34')
    await shot(page, 'path-diamond', true)
  })

  it('the evidence is plain text with times in UTC', async () => {
    await page.getByRole('button', { name: 'Copy evidence' }).click()
    await page.getByText('The path was copied as text').waitFor()
    const text = await page.evaluate(() => navigator.clipboard.readText())
    expect(text).toContain(`Path from here to ${network.target}, UDP`)
    expect(text).toMatch(/Measured (?:at|from) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/)
    expect(text).toContain(network.first)
  })

  it('the chart chooses the moment by a click and by the keyboard', async () => {
    await page.goto(at())
    await settled(page)
    const chart = page.getByRole('group', { name: /^RTT of the path/ })
    await chart.focus()
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await page.waitForURL(/[?&]at=\d{13}/)
    await page.getByRole('button', { name: 'Back to now' }).click()
    await page.waitForURL(url => !url.search.includes('at='))
    const box = await chart.boundingBox()
    await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) - 60, (box?.y ?? 0) + 100)
    await page.waitForURL(/[?&]at=\d{13}/)
  })

  it('a trace runs now, comes in live, and has a link of its own', async () => {
    network.by('a')
    await page.goto(at())
    await settled(page)
    await page.getByRole('button', { name: 'Actions of the probe' }).click()
    await page.getByRole('menuitem', { name: 'Trace now' }).click()
    const dialog = page.getByRole('dialog', { name: 'Trace now' })
    await dialog.getByLabel('Target').waitFor()
    expect(await dialog.getByLabel('Target').inputValue()).toBe(network.target)
    expect(await axe(page)).toEqual([])
    await dialog.getByLabel('Cycles').fill('5')
    await dialog.getByRole('button', { name: 'Trace now' }).click()
    await page.waitForURL(/\/traces\/[^/?]+$/)
    await page.getByRole('progressbar').or(page.getByText('Done')).first().waitFor()
    await expect.poll(hosts, { timeout: 30_000, interval: 200 }).toEqual([network.first, network.branch.a, network.third, network.target])
    await page.getByRole('link', { name: 'Trace again' }).waitFor({ timeout: 30_000 })
    await shot(page, 'trace-done', true)
    expect(await axe(page)).toEqual([])
    const link = page.url()
    await page.reload()
    await expect.poll(hosts, { timeout: 20_000 }).toHaveLength(4)
    await page.goto(`${installation.base}/w/${installation.workspace}/traces`)
    await page.locator(`a[href="${new URL(link).pathname}"]`).waitFor()
  })

  it('a trace that is cancelled says so', async () => {
    await page.goto(`${installation.base}/w/${installation.workspace}/traces?new=1&target=${network.target}&cycles=100&period=1000`)
    const dialog = page.getByRole('dialog', { name: 'Trace now' })
    await dialog.getByLabel('From').selectOption({ label: 'here' })
    await dialog.getByRole('button', { name: 'Trace now' }).click()
    await page.waitForURL(/\/traces\/[^/?]+$/)
    await page.getByRole('progressbar').waitFor({ timeout: 20_000 })
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('It was cancelled').waitFor()
  })

  it('without a fault on the way', () => expect(faults).toEqual([]))
})
