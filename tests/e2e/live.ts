// An agent that measures over one emulated link, and an open page on which it is followed: how loss on the link looks there,
// and which results were drawn when.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { settled } from './browser.ts'
import { canEmulate, EmulatedLink } from './emulated.ts'
import { there } from './fixtures.ts'
import { Installation } from './installation.ts'
import { built } from './programs.ts'

/** Of the probe whose loss is looked at. */
export const INTERVAL_S = 5
export const canFollow = () => built() && canEmulate()

export interface Followed {
  readonly link: EmulatedLink
  readonly installation: Installation
  readonly page: Page
  readonly faults: readonly string[]
  /** The probe `lossy`, on a page of its own. */
  readonly openLossy: () => Promise<void>
  /** Six probes at one run a second, on one page. */
  readonly fast: readonly { readonly id: string, readonly name: string }[]
  readonly openFast: () => Promise<void>
}

export function useFollowed(name: string): Followed {
  const link = new EmulatedLink('delay=5')
  const installation = new Installation(name, link.spaces)
  let opened: Awaited<ReturnType<Installation['signedIn']>> | undefined
  let lossy = ''
  const fast: { id: string, name: string }[] = []
  const visit = async (path: string) => {
    await there(opened).page.goto(`${installation.base}/w/${installation.workspace}/probes/${path}`)
    await settled(there(opened).page)
  }
  beforeAll(async () => {
    await link.up()
    await installation.up()
    lossy = await installation.probe('lossy', { target: link.target, interval: INTERVAL_S * 1000, packets: 20, timeout: 500 })
    for (const n of [1, 2, 3, 4, 5, 6])
      fast.push({ name: `fast-${n}`, id: await installation.probe(`fast-${n}`, { target: link.target, interval: 1000, packets: 5, timeout: 300 }) })
    opened = await installation.signedIn()
  })
  afterAll(async () => {
    await opened?.close()
    await installation.down()
    await link.down()
  })
  return {
    link, installation, fast,
    get page() { return there(opened).page },
    get faults() { return there(opened).faults },
    openLossy: () => visit(`${lossy}?from=now-15m&to=now`),
    openFast: async () => {
      await visit(`compare?probes=${fast.map(entry => entry.id).join(',')}&from=now-5m&to=now`)
      // A chart stands still while the pointer is on it.
      await there(opened).page.mouse.move(5, 500)
    },
  }
}

export interface Bucket {
  readonly start: number
  readonly text: string
  readonly colour: string
}

/** The newest bucket of `lossy` that has a run: its grade of loss in words, and the colour that the loss strip has there. */
export function newest(page: Page): Promise<Bucket> {
  return page.evaluate(async (intervalS) => {
    const chart = document.querySelector<HTMLElement>('[aria-roledescription=chart][aria-label*="lossy"]')
    const over = chart?.querySelector<HTMLElement>('.u-over')
    const canvas = chart?.querySelector('canvas')
    if (!chart || !over || !canvas)
      return { start: 0, text: '', colour: '' }
    const [, workspace, id] = /\/w\/([^/]+)\/probes\/([^/?]+)/.exec(location.pathname) ?? []
    const to = Date.now() * 1000
    const answer = await fetch(`/api/v1/workspaces/${workspace}/probes/${id}/series?from=${to - 900_000_000}&to=${to}&step_us=${intervalS * 1_000_000}`)
    const series = await answer.json() as { start_us: number[], runs: number[], loss_grade: string[] }
    const last = series.runs.findLastIndex(runs => runs > 0)
    const start = (series.start_us[last] ?? 0) / 1e6
    const range = { to: Date.now() / 1000, from: Date.now() / 1000 - 900 }
    const x = over.offsetLeft + (start + intervalS * 0.5 - range.from) / (range.to - range.from) * over.clientWidth
    const y = over.offsetTop + over.clientHeight + 3 + 5
    const pixel = canvas.getContext('2d')?.getImageData(Math.round(x * devicePixelRatio), Math.round(y * devicePixelRatio), 1, 1).data
    return { start, text: series.loss_grade[last] ?? '', colour: pixel ? `#${[...pixel.slice(0, 3)].map(n => n.toString(16).padStart(2, '0')).join('')}` : '' }
  }, INTERVAL_S)
}

export const token = (page: Page, name: string) => page.evaluate(property => getComputedStyle(document.documentElement).getPropertyValue(property).trim(), name)

/** Notes from now on when each of the charts first showed which newest run. */
export async function watchDraws(page: Page): Promise<void> {
  await page.evaluate(() => {
    const draws: Record<string, Record<number, number>> = {}
    Object.assign(globalThis, { draws })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntriesByName('nw-chart-draw') as PerformanceMeasure[]) {
        const { label, newest: second } = entry.detail as { label: string, newest: number }
        const chart = draws[/fast-\d/.exec(label)?.[0] ?? label] ??= {}
        chart[second] ??= performance.timeOrigin + entry.startTime + entry.duration
      }
    }).observe({ entryTypes: ['measure'] })
  })
}

/** By chart: the second of its newest run, and when (in ms of the epoch) it was drawn first. */
export async function draws(page: Page): Promise<Map<string, Map<number, number>>> {
  const noted = await page.evaluate(() => (globalThis as unknown as { draws: Record<string, Record<number, number>> }).draws)
  return new Map(Object.entries(noted).map(([chart, seen]) => [chart, new Map(Object.entries(seen).map(([second, at]) => [Number(second), at]))]))
}

/** When the agent began the runs of a probe that the controller has of that time, in ms of the epoch. */
export async function measured({ installation }: Followed, id: string, fromMs: number, toMs: number): Promise<number[]> {
  const answer = await installation.call('GET', `/workspaces/${installation.workspace}/probes/${id}/samples?from=${fromMs * 1000}&to=${toMs * 1000}&limit=1000`)
  return (answer.rows as { at_us: number[] }).at_us.map(us => us / 1000)
}
