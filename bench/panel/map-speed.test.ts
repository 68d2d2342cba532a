// How quickly the map moves: 1,000 nodes and 3,000 links, every hop by itself, in Chromium that paints in software.
import type { Page } from 'playwright-core'
import type { Point } from '../../tests/e2e/map-page.ts'
import { expect, it } from 'vitest'
import { MockController } from '../../panel/tests/mock/server.ts'
import { makeTopology } from '../../panel/tests/mock/topology.ts'
import { settled, shot } from '../../tests/e2e/browser.ts'
import { usePanel } from '../../tests/e2e/fixtures.ts'
import { drawn, freeGround } from '../../tests/e2e/map-page.ts'
import { load, median, p95 } from './figures.ts'

const FPS = 50
/** What the browser's clock tells apart. */
const CLOCK_MS = 0.1
const HOVER_MS = 8
const LAYOUT_MS = 40
const CRISP_MS = 300
const HUGE_MS = 1500

const topology = makeTopology()
const huge = makeTopology({ agents: 120, targets: 150, hops: 6600, edges: 15_000 })
const panel = usePanel(() => Object.assign(new MockController().seed(), { topology: (atUs: number | null) => atUs === null ? topology : huge }))

const one = (values: readonly number[]) => `${median(values).toFixed(1)} / ${p95(values).toFixed(1)}`

interface Entry { name: string, start: number, ms: number }

/** Measures of the page, kept as they are made. */
async function watched(query: string): Promise<{ page: Page, faults: string[], close: () => Promise<void> }> {
  const { context, page, faults } = await panel.open()
  await page.addInitScript(() => {
    const entries: Entry[] = []
    Object.assign(globalThis, { entries })
    new PerformanceObserver(list => entries.push(...list.getEntries().map(entry => ({ name: entry.name, start: entry.startTime, ms: entry.duration })))).observe({ entryTypes: ['measure', 'resource'] })
  })
  await page.goto(`${panel.base}/w/default/map?${query}`)
  await page.getByRole('application').waitFor()
  await settled(page)
  await page.waitForFunction(() => (globalThis as unknown as { entries: Entry[] }).entries.some(entry => entry.name === 'nw-map-crisp'))
  await page.evaluate(() => new Promise(done => setTimeout(done, 600)))
  return { page, faults, close: () => context.close() }
}
const entries = (page: Page) => page.evaluate(() => (globalThis as unknown as { entries: Entry[] }).entries)
const pins = (page: Page) => page.evaluate(() => localStorage.getItem('nw-map-pins'))
const named = (all: readonly Entry[], name: string) => all.filter(entry => entry.name === name).map(entry => entry.ms)

function firstCrisp(all: readonly Entry[]): number {
  const data = all.find(entry => /\/topology(?:\?|$)/.test(entry.name))
  const crisp = all.find(entry => entry.name === 'nw-map-crisp')
  return data && crisp ? crisp.start + crisp.ms - data.start - data.ms : Number.NaN
}

/** Frames of three seconds in each of which the pointer (or the wheel) has gone on; it is pressed at `from`. */
function frames(page: Page, how: 'drag' | 'zoom', from: Point): Promise<number[]> {
  return page.evaluate(async ([kind, at]) => {
    const stage = document.querySelector('[role=application]')
    const box = stage?.getBoundingClientRect()
    if (!stage || !box)
      return []
    const fire = (type: string, x: number, y: number) => stage.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 1, button: 0, buttons: 1, clientX: box.left + x, clientY: box.top + y }))
    if (kind === 'drag')
      fire('pointerdown', at.x, at.y)
    const times: number[] = []
    let last = await new Promise<number>(requestAnimationFrame)
    const end = last + 3000
    for (let i = 1; last < end; i += 1) {
      const t = i / 40
      if (kind === 'drag')
        fire('pointermove', at.x + 180 * Math.sin(t), at.y + 90 * Math.sin(2 * t))
      else
        stage.dispatchEvent(new WheelEvent('wheel', { bubbles: true, cancelable: true, deltaY: 60 * Math.cos(t), clientX: box.left + 400, clientY: box.top + 300 }))
      const now = await new Promise<number>(requestAnimationFrame)
      times.push(now - last)
      last = now
    }
    if (kind === 'drag')
      fire('pointerup', at.x, at.y)
    return times
  }, [how, from] as const)
}

/** Work of the page for each of 60 nodes that the pointer comes to: handler, what follows from it, and the overlay. */
function hovers(page: Page): Promise<number[]> {
  return page.evaluate(async () => {
    const stage = document.querySelector('[role=application]')
    const box = stage?.getBoundingClientRect()
    const { entries } = globalThis as unknown as { entries: Entry[] }
    if (!stage || !box)
      return []
    const turn = () => new Promise<void>((done) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => done()
      port2.postMessage(null)
    })
    const taken: number[] = []
    for (let i = 0; i < 240 && taken.length < 60; i += 1) {
      const before = entries.filter(entry => entry.name === 'nw-map-overlay').length
      const begun = performance.now()
      stage.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, pointerId: 1, clientX: box.left + box.width * (0.15 + 0.7 * ((i * 0.618) % 1)), clientY: box.top + box.height * (0.1 + 0.75 * ((i * 0.381) % 1)) }))
      // A picture that falls in between is painted after the page's work; the overlay in it is counted by itself.
      let picture = Number.POSITIVE_INFINITY
      const painted = new Promise<void>(done => requestAnimationFrame(() => {
        picture = performance.now() - begun
        done()
      }))
      await Promise.resolve()
      await turn()
      const work = Math.min(performance.now() - begun, picture)
      await painted
      await new Promise(done => setTimeout(done, 40))
      const drawn = entries.filter(entry => entry.name === 'nw-map-overlay')
      // Between nodes nothing is drawn.
      if (drawn.length > before)
        taken.push(work + (drawn.at(-1)?.ms ?? 0))
    }
    return taken
  })
}

it('1,000 nodes and 3,000 links: first picture, layout, panning, zooming, hovering, a node in the hand', async () => {
  expect(topology.nodes.length).toBeGreaterThanOrEqual(1000)
  expect(topology.edges.length).toBeGreaterThanOrEqual(3000)
  const { page, faults, close } = await watched('hops=none&agents=none&fold=0')
  const first = firstCrisp(await entries(page))
  const nodes = [...(await drawn(page)).values()]
  const pan = await frames(page, 'drag', freeGround(nodes))
  expect(await pins(page)).toBeNull()
  const zoom = await frames(page, 'zoom', { x: 400, y: 300 })
  await page.keyboard.press('0')
  await page.evaluate(() => new Promise(done => setTimeout(done, 300)))
  const hover = await hovers(page)
  const [node] = nodes
  const carry = await frames(page, 'drag', node ?? { x: 0, y: 0 })
  expect(await pins(page)).not.toBeNull()
  for (let i = 0; i < 5; i += 1) {
    for (const key of ['3', '1'])
      await page.keyboard.press(key)
    await page.evaluate(() => new Promise(done => setTimeout(done, 400)))
  }
  await shot(page, 'map-speed')
  const all = await entries(page)
  const [layout, crisp] = [named(all, 'nw-map-layered'), named(all, 'nw-map-crisp')]
  console.log([
    `${load()}; ${topology.nodes.length} nodes, ${topology.edges.length} links, ${topology.paths.length} paths`,
    `first crisp picture ${first.toFixed(0)} ms after the data`, `layered layout ${one(layout)} ms of ${layout.length} (median / p95)`, `crisp redraw ${one(crisp)} ms of ${crisp.length}`,
    `pan ${(1000 / median(pan)).toFixed(0)} fps median, p95 frame ${p95(pan).toFixed(1)} ms`, `zoom ${(1000 / median(zoom)).toFixed(0)} fps median, p95 frame ${p95(zoom).toFixed(1)} ms`,
    `a node in the hand ${(1000 / median(carry)).toFixed(0)} fps median, p95 frame ${p95(carry).toFixed(1)} ms`, `hover ${one(hover)} ms of ${hover.length}`,
  ].join('\n'))
  expect.soft(1000 / median(pan)).toBeGreaterThanOrEqual(FPS)
  expect.soft(1000 / median(zoom)).toBeGreaterThanOrEqual(FPS)
  expect.soft(1000 / median(carry)).toBeGreaterThanOrEqual(FPS)
  expect(hover.length).toBeGreaterThan(20)
  expect.soft(median(hover)).toBeLessThan(HOVER_MS + CLOCK_MS)
  expect.soft(median(layout)).toBeLessThanOrEqual(LAYOUT_MS)
  expect.soft(first).toBeLessThanOrEqual(CRISP_MS)
  expect(faults).toEqual([])
  await close()
})

it('5,000 nodes and 15,000 links open grouped', async () => {
  expect(huge.nodes.length).toBeGreaterThanOrEqual(4000)
  const { page, faults, close } = await watched('at=1763990000000')
  const first = firstCrisp(await entries(page))
  await shot(page, 'map-huge')
  console.log(`${load()}; ${huge.nodes.length} nodes, ${huge.edges.length} links: first picture ${first.toFixed(0)} ms after the data`)
  expect.soft(first).toBeLessThanOrEqual(HUGE_MS)
  expect(faults).toEqual([])
  await close()
})
