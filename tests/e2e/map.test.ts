// The network map by hand and by keyboard, in the built panel before the mock.
import type { Download, Page } from 'playwright-core'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MockController } from '../../panel/tests/mock/server.ts'
import { deltaBetween, makeSmallTopology, makeTopology } from '../../panel/tests/mock/topology.ts'
import { axe, open, settled, shot } from './browser.ts'
import { useBrowser } from './fixtures.ts'
import { servePanel } from './static.ts'

const chromium = useBrowser()

async function map(query: string, mock = new MockController().seed(), options = {}) {
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
const large = () => {
  const topology = makeTopology()
  return Object.assign(new MockController().seed(), { topology: () => topology })
}

/** The picture stands still and is crisp: twelve frames in a row are the same. */
async function rested(page: Page): Promise<void> {
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
const picture = (page: Page) => page.evaluate(() => [...document.querySelectorAll<HTMLCanvasElement>('[role=application] canvas')].map(canvas => canvas.toDataURL()).join())

/** Where a node is drawn, as the exported network says. */
async function drawn(page: Page): Promise<Map<string, { kind: string, x: number, y: number }>> {
  const saved = JSON.parse((await save(page, 'Network as JSON')).toString()) as { drawn: { key: string, kind: string, x: number, y: number }[] }
  return new Map(saved.drawn.map(node => [node.key, node]))
}
async function save(page: Page, item: string): Promise<Buffer> {
  await page.getByRole('button', { name: 'Export map' }).click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: item }).click()]) as [Download, void]
  return readFileSync(await download.path())
}
async function onPage(page: Page, key: string): Promise<{ x: number, y: number }> {
  const node = (await drawn(page)).get(key)
  const box = await page.getByRole('application').boundingBox()
  if (!node || !box)
    throw new Error(`${key} is not drawn`)
  return { x: box.x + node.x, y: box.y + node.y }
}
/** Where it stands, rounded. */
const at = async (page: Page, key: string) => {
  const node = (await drawn(page)).get(key)
  return [Math.round(node?.x ?? Number.NaN), Math.round(node?.y ?? Number.NaN)]
}
async function drag(page: Page, key: string, dx: number, dy: number): Promise<void> {
  const { x, y } = await onPage(page, key)
  await page.mouse.move(x, y)
  await page.mouse.down()
  await page.mouse.move(x + dx, y + dy, { steps: 6 })
}
async function pressNode(page: Page, key: string, modifiers: ('Shift')[] = []): Promise<void> {
  const node = (await drawn(page)).get(key)
  if (!node)
    throw new Error(`${key} is not drawn`)
  await page.getByRole('application').click({ position: { x: node.x, y: node.y }, modifiers })
}

describe('by hand', () => {
  it('shows whom a hop concerns under the pointer, keeps it when pressed, adds with Shift', async () => {
    const { page, faults, close } = await map('hops=none&fold=0')
    const node = (await drawn(page)).get('t1')
    const box = await page.getByRole('application').boundingBox()
    const before = await picture(page)
    await page.mouse.move((box?.x ?? 0) + (node?.x ?? 0), (box?.y ?? 0) + (node?.y ?? 0))
    await page.getByRole('region', { name: 'Under the pointer' }).getByRole('heading', { name: 'svc-1.example' }).waitFor()
    expect(await picture(page)).not.toBe(before)
    expect(page.url()).not.toContain('sel=')
    await page.mouse.down()
    await page.mouse.up()
    await page.waitForURL(/sel=t1/)
    await page.getByText(/Shared by: \d+ of \d+ paths/).waitFor()
    await page.getByRole('group', { name: 'Over time' }).getByRole('img', { name: 'Forwarding loss over time, at most 7 %' }).waitFor()
    expect(await axe(page)).toEqual([])
    await pressNode(page, 'aa0', ['Shift'])
    await page.waitForURL(/sel=t1&sel=aa0/)
    await page.getByRole('button', { name: 'Paths through all of them' }).click()
    await page.waitForURL(/pair=1/)
    await shot(page, 'map-pair')
    expect(await axe(page)).toEqual([])
    await page.goBack()
    await page.waitForURL(url => !url.searchParams.has('pair'))
    expect(faults).toEqual([])
    await close()
  })
  it('begins grouped where the network is large; a group opens in its place and closes again', async () => {
    const { page, faults, close } = await map('', large())
    const bad = 'hops:24:198.19.8.0/24'
    expect((await drawn(page)).size).toBeLessThan(150)
    await pressNode(page, bad)
    await page.waitForURL(/open=/)
    await rested(page)
    const opened = await drawn(page)
    expect(opened.has(bad)).toBe(false)
    expect([...opened.keys()].filter(key => key.startsWith('r198.19.8.')).length).toBeGreaterThan(60)
    await shot(page, 'map-opened')
    await page.getByRole('button', { name: 'Close the opened group' }).click()
    await rested(page)
    expect((await drawn(page)).has(bad)).toBe(true)
    expect(faults).toEqual([])
    await close()
  })
  it('is moved and zoomed, and shows everything again', async () => {
    const { page, faults, close } = await map('fold=0')
    const home = await picture(page)
    const box = await page.getByRole('application').boundingBox()
    const [x, y] = [(box?.x ?? 0) + 300, (box?.y ?? 0) + 40]
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 80, y + 60, { steps: 5 })
    await page.mouse.up()
    await rested(page)
    expect(await picture(page)).not.toBe(home)
    expect(page.url()).not.toContain('sel=')
    await page.mouse.wheel(0, -400)
    await rested(page)
    await page.mouse.move(0, 0)
    await page.getByRole('button', { name: 'Show everything' }).click()
    await rested(page)
    expect(await picture(page)).toBe(home)
    expect(faults).toEqual([])
    await close()
  })
  it('stands out by name, prefix, loss and delay', async () => {
    const { page, close } = await map('fold=0')
    await page.getByLabel('Highlight by name, address or prefix').fill('198.19.8.0/24')
    await page.waitForURL(/q=198\.19\.8\.0%2F24|q=198\.19\.8\.0\/24/)
    const rows = page.getByRole('table', { name: 'Nodes of the map' })
    await expect.poll(() => rows.getAttribute('aria-rowcount')).not.toBe('80')
    await page.getByRole('button', { name: 'Clear', exact: true }).click()
    await page.getByRole('slider', { name: /Link delay/ }).fill('5')
    await page.waitForURL(/delay=20000/)
    await page.getByRole('search').getByText(/^\d+ nodes, [1-9]\d* links?, \d+ paths?$/).waitFor()
    await page.getByLabel('Only problems').check()
    await page.waitForURL(/problems=1/)
    await shot(page, 'map-problems')
    expect(await axe(page)).toEqual([])
    await close()
  })
  it('arranges itself by force beside the page, and comes to rest', async () => {
    const { page, faults, close } = await map('layout=force&fold=0')
    await page.getByText('Arranging').waitFor({ state: 'detached', timeout: 30_000 })
    const placed = [...(await drawn(page)).values()]
    expect(placed.every(node => Number.isFinite(node.x) && Number.isFinite(node.y))).toBe(true)
    expect(new Set(placed.map(node => `${node.x} ${node.y}`)).size).toBe(placed.length)
    await page.getByRole('button', { name: 'Concentric' }).click()
    await page.getByText('Centre: all agents').waitFor()
    await rested(page)
    await pressNode(page, 't1')
    await page.getByRole('button', { name: 'To the centre' }).click()
    await page.waitForURL(/centre=t1/)
    await page.getByText('Centre: svc-1.example').waitFor()
    expect(faults).toEqual([])
    await close()
  })
  it('goes to any moment and compares two', async () => {
    const { page, faults, close } = await map('fold=0&from=now-24h&to=now')
    const mark = page.getByRole('slider', { name: 'Moment shown' })
    const strip = await mark.locator('..').boundingBox()
    await page.mouse.click((strip?.x ?? 0) + (strip?.width ?? 0) * 0.4, (strip?.y ?? 0) + 25)
    await page.waitForURL(/at=\d{13}/)
    await page.mouse.move(0, 0)
    await page.getByText('As it was at').waitFor()
    const at = new URL(page.url()).searchParams.get('at')
    await page.getByRole('button', { name: 'Compare' }).click()
    await page.waitForURL(/vs=\d{13}/)
    await page.getByRole('region', { name: 'Differences' }).waitFor()
    await mark.focus()
    await page.keyboard.press('End')
    await page.waitForURL(url => !url.searchParams.has('at'))
    await page.getByText(/\d+ probes took other ways/).waitFor()
    await rested(page)
    await shot(page, 'map-compare')
    expect(await axe(page)).toEqual([])
    await page.getByRole('region', { name: 'Differences' }).getByRole('button').first().click()
    await page.waitForURL(/sel=/)
    await page.keyboard.press('Escape')
    await page.waitForURL(url => !url.searchParams.has('sel'))
    await page.getByRole('button', { name: 'Stop comparing' }).click()
    await page.getByRole('button', { name: 'Next route change' }).waitFor()
    await page.getByRole('button', { name: 'Previous route change' }).click()
    await page.waitForURL(url => url.searchParams.has('at') && url.searchParams.get('at') !== at)
    await page.getByRole('button', { name: 'Back to now' }).click()
    expect(faults).toEqual([])
    await close()
  })
  it('has two marks that both can be taken when they come together', async () => {
    const moment = Date.now() - 6 * 3_600_000
    const { page, faults, close } = await map(`fold=0&from=now-24h&to=now&at=${moment}&vs=${moment - 60_000}`)
    await page.getByRole('region', { name: 'Differences' }).waitFor()
    await rested(page)
    expect(await axe(page)).toEqual([])
    const pull = async (name: string, by: number) => {
      const box = await page.getByRole('slider', { name }).boundingBox()
      const [x, y] = [(box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2]
      await page.mouse.move(x, y)
      await page.mouse.down()
      await page.mouse.move(x + by, y)
      await page.mouse.up()
    }
    const param = (name: string) => Number(new URL(page.url()).searchParams.get(name))
    await pull('Compared with', -100)
    await page.waitForURL(() => param('vs') < moment - 600_000)
    expect(param('at')).toBe(moment)
    await page.goto(page.url().replace(/vs=\d+/, `vs=${moment - 60_000}`))
    await settled(page)
    await pull('Moment shown', 60)
    await page.waitForURL(() => param('at') > moment + 600_000)
    expect(param('vs')).toBe(moment - 60_000)
    expect(faults).toEqual([])
    await close()
  })
  it('is saved as pictures and as data', async () => {
    const { page, faults, close } = await map('fold=0')
    const png = await save(page, 'Picture as PNG')
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect(png.length).toBeGreaterThan(8000)
    const svg = (await save(page, 'Picture as SVG')).toString()
    expect(svg).toContain('svc-1.example')
    expect(svg).not.toMatch(/NaN|undefined|var\(/)
    const parsed = await page.evaluate(text => new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror')?.textContent ?? '', svg)
    expect(parsed).toBe('')
    expect(faults).toEqual([])
    await close()
  })
})

describe('a node that is put somewhere', () => {
  it('stays there while others come and go, in its layout, and after the page is opened again', async () => {
    const now = Date.now() * 1000
    const steps = [makeSmallTopology(now), { ...makeSmallTopology(now, true), generation: 'm6.2' }]
    const mock = new MockController().seed()
    let shown = 0
    mock.topology = () => steps[shown] ?? makeSmallTopology(now)
    const { page, faults, close } = await map('fold=0', mock)
    const before = await drawn(page)
    await drag(page, 't1', -120, 60)
    await page.mouse.up()
    await page.getByRole('group', { name: 'Pinned nodes' }).getByText('1 node pinned').waitFor()
    expect(page.url()).not.toContain('sel=')
    const put = await at(page, 't1')
    expect(put).toEqual([Math.round((before.get('t1')?.x ?? 0) - 120), Math.round((before.get('t1')?.y ?? 0) + 60)])
    expect(await at(page, 't0')).toEqual([Math.round(before.get('t0')?.x ?? 0), Math.round(before.get('t0')?.y ?? 0)])
    shown = 1
    const [from, to] = steps
    if (from && to)
      mock.publish('topology' as never, [{ type: 'topology', ...deltaBetween(from, to) } as never])
    await expect.poll(async () => [...(await drawn(page)).keys()].join()).not.toBe([...before.keys()].join())
    await rested(page)
    expect(await at(page, 't1')).toEqual(put)
    await shot(page, 'map-pinned')
    expect(await axe(page)).toEqual([])
    await page.keyboard.press('3')
    await page.waitForURL(/layout=concentric/)
    await rested(page)
    expect(await page.getByRole('group', { name: 'Pinned nodes' }).count()).toBe(0)
    await page.goto(page.url().replace('layout=concentric', ''))
    await page.getByRole('application').waitFor()
    await rested(page)
    expect(await at(page, 't1')).toEqual(put)
    expect((JSON.parse((await save(page, 'Network as JSON')).toString()) as { drawn: { key: string, pinned?: boolean }[] }).drawn.filter(node => node.pinned).map(node => node.key)).toEqual(['t1'])
    await page.getByRole('button', { name: 'Release all' }).click()
    await rested(page)
    expect(await at(page, 't1')).not.toEqual(put)
    await page.getByRole('status').filter({ hasText: '1 node released' }).getByRole('button', { name: 'Undo' }).click()
    await rested(page)
    expect(await at(page, 't1')).toEqual(put)
    expect(faults).toEqual([])
    await close()
  })
  it('goes back by Escape while it is dragged, and by Ctrl Z afterwards', async () => {
    const { page, faults, close } = await map('fold=0')
    const before = await at(page, 't1')
    await drag(page, 't1', -90, 40)
    await page.keyboard.press('Escape')
    await page.mouse.move(200, 300)
    await page.mouse.up()
    await rested(page)
    expect(await at(page, 't1')).toEqual(before)
    expect(page.url()).not.toContain('sel=')
    await drag(page, 't1', -90, 40)
    await page.mouse.up()
    expect(await at(page, 't1')).not.toEqual(before)
    await page.keyboard.press('Control+z')
    await rested(page)
    expect(await at(page, 't1')).toEqual(before)
    expect(await page.evaluate(() => localStorage.getItem('nw-map-pins'))).toBeNull()
    expect(faults).toEqual([])
    await close()
  })
  it('is moved by keyboard, and by a press where it is to be', async () => {
    const { page, faults, close } = await map('fold=0&sel=t1')
    const before = await at(page, 't1')
    await page.getByRole('application').focus()
    for (const key of ['Shift+ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowDown'])
      await page.keyboard.press(key)
    await rested(page)
    expect(await at(page, 't1')).toEqual([(before[0] ?? 0) - 20, (before[1] ?? 0) + 10])
    await page.getByText('pinned where it was put').waitFor()
    await page.getByRole('button', { name: 'Move …' }).click()
    await page.getByText('Press where the node is to be').waitFor()
    await page.keyboard.press('Escape')
    expect(await page.getByText('Press where the node is to be').count()).toBe(0)
    await page.getByRole('button', { name: 'Move …' }).click()
    await page.getByRole('application').click({ position: { x: 300, y: 60 } })
    await rested(page)
    expect(await at(page, 't1')).toEqual([300, 60])
    expect(page.url()).toContain('sel=t1')
    await page.getByRole('button', { name: 'Release', exact: true }).click()
    await rested(page)
    expect(await at(page, 't1')).toEqual(before)
    expect(faults).toEqual([])
    await close()
  })
  it('is held fast by the force layout; its neighbours follow', async () => {
    const { page, faults, close } = await map('layout=force&fold=0&sel=t1')
    const arranged = async () => {
      await page.getByText('Arranging').waitFor({ state: 'detached', timeout: 30_000 })
      await rested(page)
    }
    await arranged()
    const before = await drawn(page)
    await page.getByRole('application').focus()
    for (let i = 0; i < 6; i += 1)
      await page.keyboard.press('Shift+ArrowLeft')
    await page.getByText('1 node pinned').waitFor()
    await arranged()
    const after = await drawn(page)
    const put = await at(page, 't1')
    expect(put[0]).toBeLessThan((before.get('t1')?.x ?? 0) - 20)
    expect([...after].filter(([key, { x, y }]) => key !== 't1' && Math.hypot(x - (before.get(key)?.x ?? 0), y - (before.get(key)?.y ?? 0)) > 1).length).toBeGreaterThan(0)
    await page.reload()
    await page.getByRole('application').waitFor()
    await arranged()
    expect(await at(page, 't1')).toEqual(put)
    expect(faults).toEqual([])
    await close()
  })
})

it('leads from an empty map to the first path probe', async () => {
  const mock = new MockController().seed()
  mock.probes = []
  const served = await servePanel(mock)
  const { context, page, faults } = await open(chromium.browser, served.base)
  await page.goto(`${served.base}/w/default/map`)
  await page.getByText('No paths yet').waitFor()
  expect(await axe(page)).toEqual([])
  await shot(page, 'map-empty')
  await page.getByRole('link', { name: 'Create a path probe' }).click()
  await settled(page)
  expect(await page.getByLabel('Kind').inputValue()).toBe('path')
  expect(faults).toEqual([])
  await context.close()
  await served.close()
})

describe('by keyboard only', () => {
  it('goes from problem to problem, through the table, and to other layouts', async () => {
    const { page, faults, close } = await map('fold=0')
    await page.keyboard.press('n')
    await page.waitForURL(/sel=/)
    await page.getByRole('status').filter({ hasText: /poor, forwarding loss/ }).waitFor({ state: 'attached' })
    const first = new URL(page.url()).searchParams.get('sel')
    await page.keyboard.press('n')
    await expect.poll(() => new URL(page.url()).searchParams.get('sel')).not.toBe(first)
    await page.keyboard.press('Shift+N')
    await expect.poll(() => new URL(page.url()).searchParams.get('sel')).toBe(first)
    await page.keyboard.press('Escape')
    await page.waitForURL(url => !url.searchParams.has('sel'))
    await page.keyboard.press('3')
    await page.waitForURL(/layout=concentric/)
    await page.keyboard.press('1')
    await page.waitForURL(url => !url.searchParams.has('layout'))
    await rested(page)
    const home = await picture(page)
    await page.getByRole('application').focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('+')
    await rested(page)
    expect(await picture(page)).not.toBe(home)
    // The range of the page is not what was zoomed.
    expect(page.url()).not.toContain('from=')
    await page.keyboard.press('0')
    await rested(page)
    expect(await picture(page)).toBe(home)
    await page.getByRole('table', { name: 'Nodes of the map' }).focus()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(/sel=/)
    await page.keyboard.press('g')
    await page.keyboard.press('p')
    await page.waitForURL(/\/probes$/)
    await page.keyboard.press('g')
    await page.keyboard.press('m')
    await page.waitForURL(/\/map$/)
    expect(faults).toEqual([])
    await close()
  })
  it('moves nothing by itself for who wants that', async () => {
    const { page, close } = await map('fold=0', undefined, { reducedMotion: 'reduce' })
    const frames = await page.evaluate(async () => {
      const seen = new Set<string>()
      const canvas = document.querySelector<HTMLCanvasElement>('[role=application] canvas')
      document.querySelectorAll<HTMLButtonElement>('[aria-label=Layout] button')[2]?.click()
      for (let i = 0; i < 40; i += 1) {
        await new Promise(requestAnimationFrame)
        seen.add(canvas?.toDataURL() ?? '')
      }
      return seen.size
    })
    expect(frames).toBeLessThanOrEqual(2)
    await close()
  })
})

describe('live', () => {
  it('takes changes as they come, and reads again when one was missed', async () => {
    const now = Date.now() * 1000
    const steps = [makeSmallTopology(now), { ...makeSmallTopology(now, true), generation: 'm6.2' }, { ...makeSmallTopology(now), generation: 'm6.4' }]
    const mock = new MockController().seed()
    let reads = 0
    let shown = 0
    mock.topology = () => {
      reads += 1
      return steps[shown] ?? makeSmallTopology(now)
    }
    const { page, faults, close } = await map('fold=0', mock)
    const label = () => page.getByRole('application').getAttribute('aria-label')
    const count = (step: number) => new RegExp(`^Network map: ${steps[step]?.nodes.length ?? 0} nodes, ${steps[step]?.edges.length ?? 0} links`)
    await expect.poll(label).toMatch(count(0))
    const tell = (from: number, to: number, generations = {}) => {
      const [before, after] = [steps[from], steps[to]]
      if (before && after)
        mock.publish('topology' as never, [{ type: 'topology', ...deltaBetween(before, after), ...generations } as never])
    }
    await expect.poll(() => reads).toBeGreaterThan(1)
    const [before, home] = [reads, await picture(page)]
    tell(0, 1)
    await expect.poll(label).toMatch(count(1))
    await rested(page)
    expect(await picture(page)).not.toBe(home)
    expect(reads).toBe(before)
    shown = 2
    // "m6.3" was lost on the way.
    tell(1, 2, { previous: 'm6.3' })
    await expect.poll(label, { timeout: 6000 }).toMatch(count(2))
    expect(reads).toBe(before + 1)
    expect(faults).toEqual([])
    await close()
  })
})
