import { describe, expect, it } from 'vitest'
import { concentric } from './concentric'
import { makeGraph } from './graph'
import { layered } from './layered'
import { frameOf, layoutInput } from './layout'
import { fixedBy, placeOf, positionOf, withPins } from './pins'
import { network } from './testing'
import { makeView } from './view'

const viewOf = (texts: readonly string[]) => makeView(makeGraph(network(texts)), { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set() })
const SIZE = { width: 1000, height: 600 }

describe('a place', () => {
  it('is where it was in the picture of another size, and from the middle in the force layout', () => {
    expect(positionOf('layered', { width: 500, height: 300 }, placeOf('layered', SIZE, 250, 450))).toEqual([125, 225])
    expect(positionOf('force', { width: 500, height: 300 }, placeOf('force', SIZE, 250, 450))).toEqual([0, 300])
  })
})

describe('a pinned node', () => {
  it('stays while the layout arranges the others anew; nodes that are not there are left out', () => {
    const pins = new Map([['r1', { x: 0.9, y: 0.1 }], ['gone', { x: 0, y: 0 }]])
    for (const layout of [layered, (given: Parameters<typeof layered>[0]) => concentric(given, -1)]) {
      for (const texts of [['a1 r1 t1'], ['a1 r1 t1', 'a0 r0 t1', 'a2 r2 t2']]) {
        const view = viewOf(texts)
        const placed = layout(layoutInput(view, frameOf(SIZE.width, SIZE.height)))
        const before = placed.positions.slice()
        const made = withPins(placed, view, 'layered', SIZE, pins)
        const i = view.index.get('r1') ?? -1
        expect([...made.placed.positions.subarray(i * 2, i * 2 + 2)].map(Math.round)).toEqual([900, 60])
        expect([...made.pinned ?? []].map((pinned, n) => pinned ? view.nodes[n]?.key : '').filter(Boolean)).toEqual(['r1'])
        // What the layout said is not written over, and the others are where it says.
        expect(placed.positions).toEqual(before)
        expect(made.placed.positions.filter((_, n) => n >> 1 !== i)).toEqual(before.filter((_, n) => n >> 1 !== i))
      }
    }
  })
  it('is nothing new where there is none', () => {
    const view = viewOf(['a1 r1 t1'])
    const placed = layered(layoutInput(view, frameOf(SIZE.width, SIZE.height)))
    expect(withPins(placed, view, 'layered', SIZE, new Map([['gone', { x: 0, y: 0 }]]))).toEqual({ placed, pinned: null })
  })
  it('is told to the force layout as fixed', () => {
    const view = viewOf(['a1 r1 t1'])
    expect(fixedBy(view, SIZE, new Map([['r1', { x: -100, y: 20 }], ['gone', { x: 0, y: 0 }]]))).toEqual([view.index.get('r1'), 400, 320])
  })
})
