// The network map with thousands of nodes, in the built panel before the mock. How quickly it moves is measured by
// bench/panel/map-speed.test.ts.
import { describe, expect, it } from 'vitest'
import { makeTopology } from '../../panel/tests/mock/topology.ts'
import { shot } from './browser.ts'
import { useBrowser } from './fixtures.ts'
import { at, drag, drawn, freeGround, mapIn, mockWith, onPage, picture, rested } from './map-page.ts'

const map = mapIn(useBrowser())

describe('a thousand nodes, every hop by itself', () => {
  const alone = async () => {
    const topology = makeTopology()
    expect(topology.nodes.length).toBeGreaterThanOrEqual(1000)
    expect(topology.edges.length).toBeGreaterThanOrEqual(3000)
    const shown = await map('hops=none&agents=none&fold=0', mockWith(topology))
    return { ...shown, nodes: await drawn(shown.page), pins: () => shown.page.evaluate(() => localStorage.getItem('nw-map-pins')) }
  }
  it('free ground takes the whole picture along, and pins nothing', async () => {
    const { page, faults, nodes, pins, close } = await alone()
    expect(nodes.size).toBeGreaterThanOrEqual(1000)
    const [ground, box] = [freeGround(nodes.values()), await page.getByRole('application').boundingBox()]
    const [x, y] = [(box?.x ?? 0) + ground.x, (box?.y ?? 0) + ground.y]
    await page.mouse.move(0, 0)
    await rested(page)
    const home = await picture(page)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x - 60, y + 30, { steps: 6 })
    await page.mouse.up()
    await rested(page)
    expect(await picture(page)).not.toBe(home)
    expect(await pins()).toBeNull()
    // The picture has moved, and no node within it.
    expect(await drawn(page)).toEqual(nodes)
    const far = nodes.get('t1')
    await page.mouse.move((box?.x ?? 0) + (far?.x ?? 0) - 60, (box?.y ?? 0) + (far?.y ?? 0) + 30)
    await page.getByRole('region', { name: 'Under the pointer' }).getByRole('heading', { name: 'svc-1.example' }).waitFor()
    await page.mouse.move(0, 0)
    await page.keyboard.press('0')
    await rested(page)
    expect(await picture(page)).toBe(home)
    expect(page.url()).not.toContain('sel=')
    expect(faults).toEqual([])
    await close()
  })
  it('a node stands out under the pointer, and stays where it is dragged to; the others stay where they were', async () => {
    const { page, faults, nodes, pins, close } = await alone()
    await page.mouse.move(0, 0)
    await rested(page)
    const plain = await picture(page)
    const { x, y } = await onPage(page, 't1')
    await page.mouse.move(x, y)
    await page.getByRole('region', { name: 'Under the pointer' }).getByRole('heading', { name: 'svc-1.example' }).waitFor()
    await expect.poll(() => picture(page)).not.toBe(plain)
    expect(await pins()).toBeNull()
    await drag(page, 't1', -90, 40)
    await page.mouse.up()
    await page.getByRole('group', { name: 'Pinned nodes' }).getByText('1 node pinned').waitFor()
    expect(await pins()).not.toBeNull()
    const after = await drawn(page)
    const moved = [...after.values()].filter(({ key, x: now, y: high }) => Math.hypot(now - (nodes.get(key)?.x ?? 0), high - (nodes.get(key)?.y ?? 0)) > 1)
    expect(moved.map(node => node.key)).toEqual(['t1'])
    expect(await at(page, 't1')).toEqual([Math.round((nodes.get('t1')?.x ?? 0) - 90), Math.round((nodes.get('t1')?.y ?? 0) + 40)])
    expect(faults).toEqual([])
    await close()
  })
})

it('opens grouped where there are 5,000 nodes and 15,000 links', async () => {
  const topology = makeTopology({ agents: 120, targets: 150, hops: 6600, edges: 15_000 })
  expect(topology.nodes.length).toBeGreaterThanOrEqual(4000)
  expect(topology.edges.length).toBeGreaterThanOrEqual(15_000)
  const { page, faults, close } = await map('', mockWith(topology))
  const shown = [...(await drawn(page)).values()]
  expect(shown.length).toBeGreaterThan(1)
  expect(shown.length).toBeLessThan(400)
  expect(shown.filter(node => node.key.startsWith('hops:')).length).toBeGreaterThan(0)
  await shot(page, 'map-huge')
  expect(faults).toEqual([])
  await close()
})
