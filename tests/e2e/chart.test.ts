// What a hand can do with a chart and with the list, on the built panel with the mock behind it.
import type { Download, Page } from 'playwright-core'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MockController } from '../../panel/tests/mock/server.ts'
import { axe, open, settled, shot } from './browser.ts'
import { usePanel } from './fixtures.ts'
import { servePanel } from './static.ts'

const panel = usePanel()

async function probePage(query: string): Promise<{ page: Page, faults: string[], close: () => Promise<void> }> {
  const { context, page, faults } = await panel.open()
  await page.goto(`${panel.base}/w/default/probes/p1?${query}`)
  await settled(page)
  return { page, faults, close: () => context.close() }
}
const rangeOf = (page: Page) => new URL(page.url()).searchParams.get('from') ?? ''
async function plot(page: Page) {
  const box = await page.locator('.u-over').first().boundingBox()
  if (!box)
    throw new Error('no plot')
  return box
}
async function drag(page: Page, from: number, to: number, shift = false): Promise<void> {
  const box = await plot(page)
  if (shift)
    await page.keyboard.down('Shift')
  await page.mouse.move(box.x + box.width * from, box.y + 70)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * to, box.y + 70, { steps: 5 })
  await page.mouse.up()
  if (shift)
    await page.keyboard.up('Shift')
}
const saved = async (download: Download) => readFileSync(await download.path())

describe('a chart under the hand', () => {
  const DAY = Date.UTC(2026, 0, 24)
  const fixed = `from=${DAY}&to=${DAY + 86_400_000}`
  it('moves through time with Shift and drag, and Escape does not leave the page', async () => {
    const { page, faults, close } = await probePage(fixed)
    await drag(page, 0.2, 0.45, true)
    await page.waitForURL(url => Number(url.searchParams.get('from')) < DAY - 5 * 3_600_000)
    const [from, to] = ['from', 'to'].map(name => Number(new URL(page.url()).searchParams.get(name)))
    expect((to ?? 0) - (from ?? 0)).toBe(86_400_000)
    await page.getByRole('group', { name: /loss and outcome strips/ }).focus()
    await page.keyboard.press('Escape')
    await page.waitForURL(new RegExp(`from=${DAY}`))
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    expect(page.url()).toContain('/probes/p1')
    expect(faults).toEqual([])
    await close()
  })
  it('zooms at the pointer with Ctrl and wheel', async () => {
    const { page, close } = await probePage(fixed)
    const box = await plot(page)
    await page.mouse.move(box.x + box.width / 4, box.y + 50)
    await page.keyboard.down('Control')
    await page.mouse.wheel(0, -100)
    await page.keyboard.up('Control')
    await page.waitForURL(url => Number(url.searchParams.get('to')) - Number(url.searchParams.get('from')) === 86_400_000 * 0.8)
    // A quarter of the way in, a quarter of what is cut off goes on the left.
    expect(Math.abs(Number(rangeOf(page)) - (DAY + 86_400_000 * 0.2 / 4))).toBeLessThan(120_000)
    await close()
  })
  it('zooms by itself when it is told to, while the page stays', async () => {
    const { page, faults, close } = await probePage(fixed)
    const card = page.getByRole('region', { name: 'RTT' })
    await card.getByText('one bucket = 2 min').waitFor()
    await card.getByRole('button', { name: 'Export' }).click()
    await page.getByRole('menuitem', { name: 'Zoom this card only' }).click()
    await drag(page, 0.5, 0.6)
    await card.getByText('one bucket = 60 s').waitFor()
    expect(rangeOf(page)).toBe(String(DAY))
    await shot(page, 'zoomed-by-itself')
    expect(await axe(page)).toEqual([])
    await card.getByRole('button', { name: /Back to the page/ }).click()
    await card.getByText('one bucket = 2 min').waitFor()
    expect(faults).toEqual([])
    await close()
  })
  it('has one crosshair for its strips and for the outcomes', async () => {
    const { page, close } = await probePage(fixed)
    const box = await plot(page)
    await page.mouse.move(box.x + box.width / 2, box.y + 50)
    const line = page.locator('[data-crosshair]')
    await line.waitFor({ state: 'attached' })
    expect(Math.abs(Number(await line.getAttribute('x1')) - 500)).toBeLessThan(5)
    // The cursor's line reaches below the plot, through both strips.
    expect((await page.locator('.u-cursor-x').first().boundingBox())?.height).toBeGreaterThan(box.height + 15)
    await close()
  })
  it('shows single packets when there is room, and says so', async () => {
    const { page, close } = await probePage(`from=${DAY + 6 * 3_600_000}&to=${DAY + 8 * 3_600_000}`)
    await page.getByText('dots are packets').waitFor()
    await page.getByRole('list', { name: 'Legend' }).getByText('one packet').waitFor()
    await page.getByRole('region', { name: 'Raw results' }).getByRole('button', { name: 'Show' }).click()
    await page.getByRole('columnheader', { name: 'RTT of each packet' }).waitFor()
    await page.getByText(/^21\.\d\d, .* ms$/).first().waitFor()
    await shot(page, 'packets', true)
    expect(await axe(page)).toEqual([])
    await close()
  })
  it('is saved as numbers and as pictures', async () => {
    const { page, faults, close } = await probePage(fixed)
    const save = async (menu: string, item: string) => {
      await page.getByRole('button', { name: menu, exact: true }).click()
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: item }).click()])
      return saved(download)
    }
    expect((await save('Export', 'Buckets as CSV')).toString()).toMatch(/^start,start_us,runs,grade,grade_reason,usual_mean \(rtt\),usual_sigma,deviation_sigma,loss_ratio/)
    expect((await save('Export distribution', 'Histogram as CSV')).toString()).toMatch(/^lower,upper,count\r\n20000,20500,\d+\r\n/)
    expect((await save('Export outcomes', 'Outcomes as CSV')).toString()).toMatch(/,not measured,/)
    for (const [menu, item] of [['Export', 'Picture as PNG'], ['Export distribution', 'Picture as PNG']] as const) {
      const picture = await save(menu, item)
      expect(picture.subarray(1, 4).toString()).toBe('PNG')
      expect(picture.length).toBeGreaterThan(2000)
    }
    expect(faults).toEqual([])
    await close()
  })
  it('compares with the period before, in line and in numbers', async () => {
    const { page, close } = await probePage(`${fixed}&compare=1`)
    await page.getByRole('list', { name: 'Legend' }).getByText('period before').waitFor()
    await page.getByText(/^before: /).first().waitFor()
    await close()
  })
})

describe('the list of probes', () => {
  it('groups, folds, picks a group and copies it to another agent', async () => {
    const own = await servePanel()
    const { context, page, faults } = await open(panel.browser, own.base)
    await page.goto(`${own.base}/w/default/probes?q=london`)
    await settled(page)
    await page.getByLabel('Grouping').selectOption('target')
    await page.waitForURL(/group=target/)
    await page.getByRole('button', { name: /dns\.example/, expanded: true }).click()
    await page.getByRole('button', { name: /dns\.example/, expanded: false }).waitFor()
    await page.getByRole('checkbox', { name: 'Select all of dns.example' }).check()
    await page.getByText('1 selected').waitFor()
    await shot(page, 'probes-grouped')
    expect(await axe(page)).toEqual([])
    // An agent that measures nothing yet.
    own.mock.probes = own.mock.probes.filter(probe => probe.agent.id !== 'a4')
    await page.reload()
    await settled(page)
    await page.getByRole('checkbox', { name: 'Select all of dns.example' }).check()
    await page.getByRole('button', { name: 'Copy', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('checkbox', { name: /sao-paulo-2/ }).check()
    await dialog.getByText('Makes 1 probe').waitFor()
    expect(await axe(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Copy' }).click()
    await page.getByText('1 probe created').waitFor()
    expect(own.mock.probes.filter(probe => probe.agent.id === 'a4').map(probe => probe.target?.address)).toEqual(['dns.example'])
    expect(faults).toEqual([])
    await context.close()
    await own.close()
  })
  it('offers an operator what an operator may do', async () => {
    const own = await servePanel(Object.assign(new MockController().seed(), { role: 'operator' as const }))
    const { context, page } = await open(panel.browser, own.base)
    await page.goto(`${own.base}/w/default/probes`)
    await settled(page)
    await page.getByRole('button', { name: /^Actions for/ }).first().click()
    await page.getByRole('menuitem', { name: 'Pause' }).waitFor()
    expect(await page.getByRole('menuitem').allInnerTexts()).toEqual(['Edit', 'Copy to other agents', 'Pause'])
    await context.close()
    await own.close()
  })
})
