// How soon the open page shows what happens on the network: a real agent measures over an emulated link.
import { describe, expect, it } from 'vitest'
import { settled } from '../../tests/e2e/browser.ts'
import { canFollow, draws, INTERVAL_S, measured, newest, token, useFollowed, watchDraws } from '../../tests/e2e/live.ts'
import { load, median, quantile } from './figures.ts'

const FIRST_RESULT_MS = 10_000
/** From the end of a run at the agent to the drawn picture. */
const WAY_MS = 1000
const LOOKED_EVERY_MS = 200
const DEADLINE = { timeout: 90_000, interval: LOOKED_EVERY_MS }

describe.skipIf(!canFollow())('live over an emulated link', () => {
  const shown = useFollowed('bench-live')

  it('loss is on strip and grade within two intervals, and gone as soon', async () => {
    const { link, page } = shown
    await shown.openLossy()
    await expect.poll(async () => (await newest(page)).text, DEADLINE).toBe('excellent')
    const critical = await token(page, '--critical')
    link.set('delay=5 loss=60')
    const began = Date.now()
    await expect.poll(() => newest(page), DEADLINE).toMatchObject({ text: 'critical', colour: critical })
    const appeared = (Date.now() - began) / 1000
    link.set('delay=5')
    const ended = Date.now()
    await expect.poll(async () => {
      const now = await newest(page)
      return now.text === 'excellent' && now.colour !== '' && now.colour !== critical
    }, DEADLINE).toBe(true)
    const gone = (Date.now() - ended) / 1000
    console.log(`loss on the strip after ${appeared.toFixed(1)} s, gone after ${gone.toFixed(1)} s; interval ${INTERVAL_S} s; ${load()}`)
    // Two intervals, and what the way from the agent to the page may take.
    expect.soft(appeared).toBeLessThan(2 * INTERVAL_S + WAY_MS / 1000)
    expect.soft(gone).toBeLessThan(2 * INTERVAL_S + WAY_MS / 1000)
  })

  it('a probe has its first result on its page within ten seconds of its creation', async () => {
    const { installation, link, page } = shown
    await page.goto(`${installation.base}/w/${installation.workspace}/probes/new?agent=${installation.agent}`)
    await settled(page)
    await page.getByLabel('Target').fill(link.target)
    await page.getByRole('button', { name: 'Create probe' }).click()
    const created = Date.now()
    await page.getByText(/^Latest .*: ok$/).waitFor({ timeout: 90_000 })
    const took = Date.now() - created
    console.log(`created to first result: ${(took / 1000).toFixed(1)} s; ${load()}`)
    expect.soft(took).toBeLessThanOrEqual(FIRST_RESULT_MS)
  })

  it('a run is drawn within a second beyond its interval, p99', async () => {
    const { fast, page } = shown
    await shown.openFast()
    await watchDraws(page)
    const from = Date.now() + 2000
    const count = async () => [...(await draws(page)).values()].reduce((sum, chart) => sum + chart.size, 0)
    await expect.poll(count, { timeout: 90_000, interval: 1000 }).toBeGreaterThan(140)
    const drawn = await draws(page)
    const lags: number[] = []
    for (const { id, name } of fast) {
      const chart = drawn.get(name) ?? new Map<number, number>()
      for (const at of await measured(shown, id, from, Date.now() - 3000)) {
        // A run that was never the newest on its chart was drawn together with the one after it: that is when it was seen.
        const seen = chart.get(Math.floor(at / 1000)) ?? Math.min(...[...chart].flatMap(([second, when]) => second > at / 1000 ? [when] : []))
        lags.push(seen - at - 1000)
      }
    }
    console.log(`measured to drawn, beyond the interval, ${lags.length} runs on ${fast.length} charts: median ${median(lags).toFixed(0)} ms, p99 ${quantile(lags, 0.99).toFixed(0)} ms, worst ${quantile(lags, 1).toFixed(0)} ms; ${load()}`)
    expect(lags.length).toBeGreaterThan(80)
    expect.soft(quantile(lags, 0.99)).toBeLessThan(WAY_MS)
  })
})
