// What the network does is on the open page, and right: a real agent measures over an emulated link.
// How soon it is there is measured by bench/panel/live.test.ts.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { shot } from './browser.ts'
import { canFollow, draws, measured, newest, token, useFollowed, watchDraws } from './live.ts'

describe.skipIf(!canFollow())('live over an emulated link', () => {
  const shown = useFollowed('live')
  const patient = { timeout: 90_000, interval: 200 }

  it('draws the first results', async () => {
    await shown.openLossy()
    await expect.poll(async () => (await newest(shown.page)).text, patient).toBe('excellent')
  })

  it('shows injected loss on strip and grade, and its end', { timeout: 240_000 }, async () => {
    const { link, page } = shown
    const critical = await token(page, '--critical')
    link.set('delay=5 loss=60')
    await expect.poll(() => newest(page), patient).toMatchObject({ text: 'critical', colour: critical })
    await shot(page, 'live-loss')
    link.set('delay=5')
    await expect.poll(async () => {
      const now = await newest(page)
      return now.text === 'excellent' && now.colour !== '' && now.colour !== critical
    }, patient).toBe(true)
    await shot(page, 'live-loss-gone')
  })

  it('draws every run that the agent measures while the page is open', { timeout: 240_000 }, async () => {
    const { fast, page } = shown
    await shown.openFast()
    await watchDraws(page)
    const from = Date.now()
    await expect.poll(async () => [...(await draws(page)).values()].filter(chart => chart.size >= 10).length, patient).toBe(fast.length)
    const to = Date.now()
    for (const { id, name } of fast) {
      // What is still on its way to the controller belongs to them: the agent's later results come after it.
      await expect.poll(async () => (await measured(shown, id, to, to + 60_000)).length, patient).toBeGreaterThan(0)
      const runs = await measured(shown, id, from, to)
      expect(runs.length).toBeGreaterThan(3)
      const seconds = runs.map(at => Math.floor(at / 1000))
      await expect.poll(async () => Math.max(...(await draws(page)).get(name)?.keys() ?? []), patient).toBeGreaterThanOrEqual(seconds.at(-1) ?? Number.NaN)
      const shownRuns = await runsOf(name)
      for (const second of new Set(seconds))
        expect(shownRuns.get(second), `runs of ${name} at ${second}`).toBe(seconds.filter(other => other === second).length)
    }
  })

  /** Runs of every bucket of a chart, by its second; buckets are as wide as the interval. */
  async function runsOf(name: string): Promise<Map<number, number>> {
    const { page } = shown
    await page.getByRole('button', { name: `Actions for ${name}` }).click()
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Buckets as CSV' }).click()])
    const [head = '', ...lines] = readFileSync(await download.path()).toString().trim().split(/\r?\n/)
    expect(head).toMatch(/^start,start_us,runs,/)
    return new Map(lines.map(line => line.split(',')).map(([, startUs, runs]) => [Math.floor(Number(startUs) / 1e6), Number(runs)]))
  }

  it('notes something at the cursor, by keyboard, and finds it on the chart and in the log', async () => {
    const { page, faults, installation } = shown
    await shown.openLossy()
    const chart = page.getByRole('group', { name: /loss and outcome strips/ })
    await chart.focus()
    await page.keyboard.press('End')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('a')
    const dialog = page.getByRole('dialog', { name: 'New note' })
    await dialog.getByLabel('Note').fill('emulator: 60 % for a while')
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    const events = page.getByRole('region', { name: 'Events' })
    await events.getByText('emulator: 60 % for a while').waitFor()
    await events.getByText('agent connected').waitFor()
    await events.getByRole('button', { name: 'Actions for note' }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await events.getByText('emulator: 60 % for a while').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).click()
    await events.getByText('emulator: 60 % for a while').waitFor()
    await shot(page, 'live-note', true)
    await page.goto(`${installation.base}/w/${installation.workspace}/audit`)
    await page.getByText('annotation.restore').first().or(page.getByText(/restored? .*note|note.* restored?/i).first()).waitFor()
    expect(faults).toEqual([])
  })
})
