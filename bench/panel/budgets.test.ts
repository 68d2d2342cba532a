// How quickly the built panel paints, changes its page, filters and redraws, and whether it grows while it is live.
import { describe, expect, it } from 'vitest'
import { makeAgent } from '../../panel/tests/mock/data.ts'
import { MockController } from '../../panel/tests/mock/server.ts'
import { open, settled } from '../../tests/e2e/browser.ts'
import { usePanel } from '../../tests/e2e/fixtures.ts'
import { servePanel } from '../../tests/e2e/static.ts'
import { load, median, p95 } from './figures.ts'

const panel = usePanel(() => new MockController().seed().withPath())

describe('budgets', () => {
  it('first paint of the overview, and a warm change of route', async () => {
    const lcps: number[] = []
    const changes: number[] = []
    // The best of three: other work on the machine only ever adds.
    for (let i = 0; i < 3; i += 1) {
      const { context, page } = await panel.open()
      await page.goto(`${panel.base}/w/default`)
      await settled(page)
      lcps.push(await page.evaluate(() => new Promise<number>(done => new PerformanceObserver(list => done(list.getEntries().at(-1)?.startTime ?? 0)).observe({ type: 'largest-contentful-paint', buffered: true }))))
      const visit = (title: string) => page.evaluate(async (wanted) => {
        const begin = performance.now()
        document.querySelector<HTMLElement>(`nav[aria-label="Workspace"] a[title="${wanted}"]`)?.click()
        while (!document.querySelector('h1')?.textContent?.includes(wanted))
          await new Promise(done => requestAnimationFrame(done))
        return performance.now() - begin
      }, title)
      await visit('Agents')
      await visit('Overview')
      changes.push(await visit('Agents'))
      await context.close()
    }
    const [lcp, change] = [Math.min(...lcps), Math.min(...changes)]
    console.log(`LCP ${lcp.toFixed(0)} ms, warm route change ${change.toFixed(0)} ms; ${load()}`)
    expect.soft(lcp).toBeLessThan(700)
    expect.soft(change).toBeLessThan(150)
  })
  it('ten thousand agents: painted and filtered', async () => {
    const mock = new MockController().seed()
    mock.agents = Array.from({ length: 10_000 }, (_, i) => makeAgent(`a${i}`, `agent-${i}`))
    const own = await servePanel(mock)
    const { context, page } = await open(panel.browser, own.base)
    await page.goto(`${own.base}/w/default/agents`)
    await settled(page)
    expect(await page.getByRole('row').count()).toBeLessThan(120)
    // First paint: the list is known, the page is not there yet.
    const arrive = async () => {
      await page.evaluate(() => document.querySelector<HTMLElement>('nav[aria-label="Workspace"] a[title="How to read"]')?.click())
      await page.getByRole('heading', { name: 'How to read this' }).waitFor()
      return page.evaluate(async () => {
        const begin = performance.now()
        document.querySelector<HTMLElement>('nav[aria-label="Workspace"] a[title="Agents"]')?.click()
        while (!document.querySelector('[role=rowgroup] a'))
          await new Promise(done => requestAnimationFrame(done))
        return performance.now() - begin
      })
    }
    const arrivals = [await arrive(), await arrive(), await arrive()]
    console.log(`10,000 agents: first paint in ${Math.min(...arrivals).toFixed(0)} ms, ${await page.getByRole('row').count()} rows`)
    expect.soft(Math.min(...arrivals)).toBeLessThan(200)
    const filter = (text: string) => page.evaluate(async (wanted) => {
      const input = document.querySelector<HTMLInputElement>('[data-filter]')
      const begin = performance.now()
      if (input) {
        input.value = wanted
        input.dispatchEvent(new Event('input'))
      }
      while (!document.querySelector('[role=rowgroup] a')?.textContent?.includes(wanted))
        await new Promise(done => requestAnimationFrame(done))
      return performance.now() - begin
    }, text)
    const times: number[] = []
    for (const text of ['999', '1234', '77', '4321', '888'])
      times.push(await filter(text))
    const painted = Math.min(...times)
    console.log(`10,000 agents: filtered and painted in ${painted.toFixed(0)} ms; ${load()}`)
    expect.soft(painted).toBeLessThan(200)
    await context.close()
    await own.close()
  })
  it('redraws a day quickly and does not grow while it is live', async () => {
    const { context, page } = await panel.open()
    await page.goto(`${panel.base}/w/default/probes/p1?from=now-24h&to=now`)
    await settled(page)
    const heap = async () => page.evaluate(async () => {
      const g = globalThis as unknown as { gc: () => void, performance: { memory: { usedJSHeapSize: number } } }
      g.gc()
      await new Promise(done => setTimeout(done, 200))
      g.gc()
      return g.performance.memory.usedJSHeapSize
    })
    await page.evaluate(() => {
      const draws: number[] = []
      Object.assign(globalThis, { draws })
      new PerformanceObserver(list => draws.push(...list.getEntriesByName('nw-chart-draw').map(entry => entry.duration))).observe({ entryTypes: ['measure'] })
    })
    const before = await heap()
    const drawn = () => page.evaluate(() => (globalThis as unknown as { draws: number[] }).draws.length)
    for (let i = 0; i < 40; i += 1) {
      const until = await drawn() + 1
      panel.mock.tick()
      await page.waitForFunction(n => (globalThis as unknown as { draws: number[] }).draws.length >= n, until)
    }
    const grown = (await heap() - before) / 1e6
    console.log(`heap after 40 live redraws of a day: ${grown.toFixed(2)} MB more`)
    expect.soft(grown).toBeLessThan(10)
    const draws = await page.evaluate(() => (globalThis as unknown as { draws: number[] }).draws)
    console.log(`redraw of a day: median ${median(draws).toFixed(1)} ms, p95 ${p95(draws).toFixed(1)} ms of ${draws.length}; ${load()}`)
    expect.soft(median(draws)).toBeLessThan(16)
    await context.close()
  })
})
