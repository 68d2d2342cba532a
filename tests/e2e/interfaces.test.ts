// The interfaces of a real agent, what happens to them, the choice of one for a probe, and uplinks side by side.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axe, overflow, settled, shot } from './browser.ts'
import { isRoot } from './host.ts'
import { Installation } from './installation.ts'
import { built } from './programs.ts'
import { RoutedNetwork } from './network.ts'

describe.skipIf(!built() || !isRoot())('interfaces', () => {
  const network = new RoutedNetwork()
  const installation = new Installation('interfaces', network.spaces)
  const [one, two] = network.uplinks
  let page: Page
  let faults: string[]
  let close: (() => Promise<void>) | undefined

  beforeAll(async () => {
    network.up()
    await installation.up()
    ;({ page, faults, close } = await installation.signedIn())
  })
  afterAll(async () => {
    await close?.()
    await installation.down()
    await network.down()
  })
  const card = (name: string) => page.getByRole('listitem', { name, exact: true })

  it('are shown as they are, with the routes of the host', async () => {
    await page.goto(`${installation.base}/w/${installation.workspace}/agents/${installation.agent}`)
    await settled(page)
    await page.keyboard.press('2')
    await page.waitForURL(/\/interfaces/)
    await card(one).waitFor({ timeout: 30_000 })
    expect(await card(one).innerText()).toMatch(/Up[\s\S]*10\.\d+\.1\.1\/30/)
    await page.getByLabel('Filter routes').fill(network.beyond)
    await expect.poll(() => page.getByRole('table', { name: 'Routes' }).getByRole('row').count()).toBe(3)
    await shot(page, 'interfaces-real', true)
    expect(await axe(page)).toEqual([])
    expect(await overflow(page)).toBeLessThanOrEqual(0)
  })

  it('that go down and come back are seen at once, and kept in the history', async () => {
    network.uplink(1, false)
    await expect.poll(() => card(two).innerText(), { timeout: 20_000, interval: 200 }).toMatch(/Switched off|No carrier/)
    network.uplink(1, true)
    await expect.poll(() => card(two).innerText(), { timeout: 20_000, interval: 200 }).toContain('Up')
    const history = page.getByRole('list', { name: 'History of the interfaces' })
    await expect.poll(() => history.innerText().catch(() => ''), { timeout: 30_000, interval: 500 }).toContain(two)
  })

  it('are offered to a probe, and one that is not there is refused', async () => {
    await page.goto(`${installation.base}/w/${installation.workspace}/probes/new?agent=${installation.agent}`)
    await settled(page)
    await page.getByText(/^More settings/).click()
    const choice = page.getByLabel('Interface', { exact: true })
    await expect.poll(() => choice.evaluate(element => element.tagName), { timeout: 10_000 }).toBe('SELECT')
    expect(await choice.locator('option').allInnerTexts()).toEqual(expect.arrayContaining(['As routed', expect.stringContaining(one), expect.stringContaining(two)]))
    await choice.selectOption(two)
    await page.getByLabel('Target').fill(network.beyond)
    await page.getByLabel('Interval', { exact: true }).fill('1 s')
    await page.getByRole('button', { name: 'Create probe' }).click()
    await page.waitForURL(/\/probes\/(?!new)[^/?]+$/)
    const refused = await installation.call('POST', `/workspaces/${installation.workspace}/probes`, { kind: 'ping', name: 'x', agent_id: installation.agent, settings: { target: network.beyond, interface: 'nosuch0' } }).then(() => '', error => String(error))
    expect(refused).toContain('422')
    expect(refused).toContain(one)
  })

  it('side by side are a comparison that opens in compare', async () => {
    await installation.probe('by the first', { target: network.beyond, interval: 1000, packets: 5, timeout: 300, interface: one })
    await page.goto(`${installation.base}/w/${installation.workspace}/uplinks?from=now-15m&to=now`)
    const table = page.getByRole('table', { name: new RegExp(`here → ${network.beyond.replaceAll('.', '\\.')}`) })
    await table.waitFor({ timeout: 30_000 })
    await expect.poll(() => table.getByRole('row').allInnerTexts(), { timeout: 60_000, interval: 500 }).toEqual([expect.anything(), expect.stringMatching(new RegExp(`${one}[\\s\\S]*Up[\\s\\S]*(?:Excellent|Good)[\\s\\S]*[µm]s`)), expect.stringMatching(new RegExp(`${two}[\\s\\S]*Up`))])
    await shot(page, 'uplinks-real', true)
    expect(await axe(page)).toEqual([])
    await page.getByRole('link', { name: 'Open in compare' }).click()
    await page.waitForURL(/compare\?/)
    await page.getByRole('link', { name: 'by the first' }).waitFor()
  })

  it('without a fault on the way', () => expect(faults).toEqual([]))
})
