// The network map under test: when it rests, what is drawn where, and hands that take hold of it.
import type { BrowserContextOptions, Download, Page } from 'playwright-core'
import type { WithBrowser } from './fixtures.ts'
import { readFileSync } from 'node:fs'
import { MockController } from '../../panel/tests/mock/server.ts'
import { open, settled } from './browser.ts'
import { servePanel } from './static.ts'

export interface Point { readonly x: number, readonly y: number }
export interface Drawn extends Point { readonly key: string, readonly kind: string, readonly pinned?: boolean }

/** Opens the map of a mock's network; the picture rests. */
export function mapIn(chromium: WithBrowser) {
  return async (query: string, mock = new MockController().seed(), options: BrowserContextOptions = {}) => {
    const served = await servePanel(mock)
    const { context, page, faults } = await open(chromium.browser, served.base, options)
    await page.goto(`${served.base}/w/default/map?${query}`)
    await settled(page)
    await page.getByRole('application').waitFor()
    await rested(page)
    return {
      page, faults, mock,
      close: async () => {
        await context.close()
        await served.close()
      },
    }
  }
}
export const mockWith = (topology: NonNullable<ReturnType<MockController['topology']>>) => Object.assign(new MockController().seed(), { topology: () => topology })

/** The picture stands still and is crisp: twelve frames in a row are the same. */
export async function rested(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const g = globalThis as unknown as { mapSeen?: string[] }
    const canvas = document.querySelector<HTMLCanvasElement>('[role=application] canvas')
    const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data
    // A sum of all pixels by their places; to pack each frame as a picture takes longer than to draw it.
    let sum = 0
    for (const pixel of new Uint32Array(pixels?.buffer ?? new ArrayBuffer(0)))
      sum = Math.imul(sum, 31) + pixel | 0
    const frames = g.mapSeen ??= []
    frames.push(`${canvas?.width} ${canvas?.height} ${sum}`)
    return frames.length > 12 && new Set(frames.slice(-12)).size === 1
  }, undefined, { polling: 'raf', timeout: 20_000 })
  await page.evaluate(() => { (globalThis as unknown as { mapSeen?: string[] }).mapSeen = [] })
}
export const picture = (page: Page) => page.evaluate(() => [...document.querySelectorAll<HTMLCanvasElement>('[role=application] canvas')].map(canvas => canvas.toDataURL()).join())

/** Where a node is drawn, as the exported network says. */
export async function drawn(page: Page): Promise<Map<string, Drawn>> {
  const saved = JSON.parse((await save(page, 'Network as JSON')).toString()) as { drawn: Drawn[] }
  return new Map(saved.drawn.map(node => [node.key, node]))
}
export async function save(page: Page, item: string): Promise<Buffer> {
  await page.getByRole('button', { name: 'Export map' }).click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: item }).click()]) as [Download, void]
  return readFileSync(await download.path())
}
export async function onPage(page: Page, key: string): Promise<{ x: number, y: number }> {
  const node = (await drawn(page)).get(key)
  const box = await page.getByRole('application').boundingBox()
  if (!node || !box)
    throw new Error(`${key} is not drawn`)
  return { x: box.x + node.x, y: box.y + node.y }
}
/** Where it stands, rounded. */
export const at = async (page: Page, key: string) => {
  const node = (await drawn(page)).get(key)
  return [Math.round(node?.x ?? Number.NaN), Math.round(node?.y ?? Number.NaN)]
}
export async function drag(page: Page, key: string, dx: number, dy: number): Promise<void> {
  const { x, y } = await onPage(page, key)
  await page.mouse.move(x, y)
  await page.mouse.down()
  await page.mouse.move(x + dx, y + dy, { steps: 6 })
}
export async function pressNode(page: Page, key: string, modifiers: ('Shift')[] = []): Promise<void> {
  const node = (await drawn(page)).get(key)
  if (!node)
    throw new Error(`${key} is not drawn`)
  await page.getByRole('application').click({ position: { x: node.x, y: node.y }, modifiers })
}

/** The ground that is farthest from all nodes, not too far from the middle. */
export function freeGround(nodes: Iterable<Point>): Point {
  const taken = [...nodes]
  const spots = Array.from({ length: 400 }, (_, i) => ({ x: 250 + 15 * (i % 20), y: 150 + 15 * Math.floor(i / 20) }))
  const room = (spot: Point) => Math.min(...taken.map(node => Math.hypot(node.x - spot.x, node.y - spot.y)))
  return spots.reduce((best, spot) => room(spot) > room(best) ? spot : best)
}
