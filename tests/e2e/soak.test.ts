// Twenty live charts in simulated time: the heap does not grow, nothing is left behind. NW_LONG=1 takes all eight hours.
import type { AddressInfo } from 'node:net'
import { createReadStream, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { build } from 'vite'
import { expect, it } from 'vitest'
import { ARTEFACTS, launch, shot } from './browser.ts'

const LONG = process.env.NW_LONG === '1'
/** One a second: eight hours, or a tenth of them with a tenth of the room. */
const TICKS = LONG ? 28_800 : 2_880
const WARM_UP = 600
const CHUNK = 300
const GROWN_MAX_MB = LONG ? 10 : 1
const OUT = join(ARTEFACTS, 'soak')
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

interface State { reads: number, draws: number, timers: number, nodes: number, subscriptions: number }

it(`${TICKS / 3600} h of 20 live charts leave the heap as it was`, { timeout: LONG ? 1_500_000 : 300_000 }, async () => {
  const panel = fileURLToPath(new URL('../../panel', import.meta.url))
  await build({ root: fileURLToPath(new URL('soak', import.meta.url)), base: './', logLevel: 'error', configFile: false, plugins: [vue(), tailwindcss()], resolve: { alias: { '@': join(panel, 'src') } }, build: { outDir: OUT, emptyOutDir: true } })
  const server = createServer((request, response) => {
    const file = join(OUT, new URL(request.url ?? '/', 'http://x').pathname.replace(/\/$/, '/index.html'))
    response.writeHead(existsSync(file) ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    if (existsSync(file))
      createReadStream(file).pipe(response)
    else
      response.end()
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const browser = await launch()
  const page = await browser.newPage({ viewport: { width: 1200, height: 500 } })
  const faults: string[] = []
  page.on('pageerror', error => faults.push(error.message))
  const heap = () => page.evaluate(async () => {
    const g = globalThis as unknown as { gc: () => void, performance: { memory: { usedJSHeapSize: number } } }
    for (let i = 0; i < 3; i += 1) {
      g.gc()
      await new Promise<void>(done => requestAnimationFrame(() => done()))
    }
    return g.performance.memory.usedJSHeapSize
  })
  const run = async (ticks: number) => {
    for (let done = 0; done < ticks; done += CHUNK)
      await page.evaluate(`soak.run(${Math.min(CHUNK, ticks - done)})`)
  }
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  expect(await page.evaluate('soak.begin()')).toBe(20)
  await run(WARM_UP)
  const [before, was] = [await heap(), await page.evaluate('soak.state()') as State]
  const began = Date.now()
  await run(TICKS)
  const took = (Date.now() - began) / 1000
  const [after, is] = [await heap(), await page.evaluate('soak.state()') as State]
  await shot(page, 'soak')
  const grown = (after - before) / 1e6
  console.log(`${TICKS} ticks x 20 charts in ${took.toFixed(0)} s: ${is.draws - was.draws} draws, ${is.reads - was.reads} reads, heap ${(before / 1e6).toFixed(1)} -> ${(after / 1e6).toFixed(1)} MB`)
  expect(faults).toEqual([])
  // Every tick was read and drawn: a heap that does not grow because nothing happens proves nothing.
  expect(is.reads - was.reads).toBeGreaterThanOrEqual(TICKS * 20 * 0.9)
  expect(is.draws - was.draws).toBeGreaterThanOrEqual(TICKS * 20 * 0.9)
  expect(grown).toBeLessThan(GROWN_MAX_MB)
  expect({ nodes: is.nodes, timers: is.timers, subscriptions: is.subscriptions }).toEqual({ nodes: was.nodes, timers: was.timers, subscriptions: was.subscriptions })
  await browser.close()
  server.close()
})
