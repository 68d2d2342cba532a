import type { LayoutInput } from './layout'
import { describe, expect, it } from 'vitest'
import { makeTopology } from '../../tests/mock/topology'
import { concentric } from './concentric'
import { makeForce } from './force'
import { makeGraph } from './graph'
import { columnsOf, layered } from './layered'
import { AGENT, frameOf, HOP, layoutInput, TARGET } from './layout'
import { network } from './testing'
import { makeView } from './view'

const FRAME = frameOf(1000, 700)
const inputOf = (topology: Parameters<typeof makeGraph>[0], part: Parameters<typeof makeView>[1] = { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set() }) => layoutInput(makeView(makeGraph(topology), part), FRAME)
const LARGE = inputOf(makeTopology({ agents: 12, targets: 18, hops: 300, edges: 1200 }))

function crossings(input: LayoutInput, y: (node: number) => number): number {
  const column = columnsOf(input)
  const links = Array.from(input.source, (s, e) => ({ s, t: input.target[e] ?? 0 })).filter(({ s, t }) => (column[t] ?? 0) - (column[s] ?? 0) === 1)
  let n = 0
  for (let i = 0; i < links.length; i += 1) {
    for (let k = i + 1; k < links.length; k += 1) {
      const [a, b] = [links[i], links[k]]
      if (a && b && column[a.s] === column[b.s] && (y(a.s) - y(b.s)) * (y(a.t) - y(b.t)) < 0)
        n += 1
    }
  }
  return n
}

/** Chance with a memory. */
function lcg(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function randomInput(seed: number): LayoutInput {
  const random = lcg(seed)
  const count = 1 + Math.floor(random() * 60)
  const edges = Math.floor(random() * 120)
  const any = () => Math.floor(random() * count)
  return {
    count, frame: FRAME, side: Uint8Array.from({ length: count }, () => [AGENT, HOP, HOP, TARGET][Math.floor(random() * 4)] ?? HOP), rank: Float32Array.from({ length: count }, () => random() < 0.05 ? Number.NaN : random() * 9 - 1), band: Int32Array.from({ length: count }, () => random() < 0.5 ? -1 : Math.floor(random() * 4)), pill: Uint8Array.from({ length: count }, () => random() < 0.3 ? 1 : 0),
    source: Int32Array.from({ length: edges }, any), target: Int32Array.from({ length: edges }, any),
  }
}

describe('every layout', () => {
  it('has finite positions for whatever network, with loops, islands and nonsense in it', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const input = randomInput(seed)
      for (const placed of [layered(input), concentric(input, -1), concentric(input, seed % input.count)]) {
        expect(placed.positions.every(Number.isFinite), `seed ${seed}`).toBe(true)
        expect(placed.positions).toHaveLength(input.count * 2)
        expect(placed.gap).toBeGreaterThan(0)
      }
    }
  })
  it('of nothing is nothing', () => {
    const empty = { ...LARGE, count: 0, side: new Uint8Array(), rank: new Float32Array(), band: new Int32Array(), pill: new Uint8Array(), source: new Int32Array(), target: new Int32Array() }
    expect(layered(empty).positions).toHaveLength(0)
    expect(concentric(empty, -1).positions).toHaveLength(0)
  })
  it('is the same for the same network', () => {
    expect(layered(LARGE)).toEqual(layered(LARGE))
    expect(concentric(LARGE, 3)).toEqual(concentric(LARGE, 3))
  })
})

describe('layered', () => {
  const { positions } = layered(LARGE)
  const x = (i: number) => positions[i * 2] ?? Number.NaN
  const y = (i: number) => positions[i * 2 + 1] ?? Number.NaN
  it('has agents left, targets right and everything inside the frame', () => {
    const side = (which: number) => Array.from({ length: LARGE.count }, (_, i) => i).filter(i => LARGE.side[i] === which)
    const [left, right] = [Math.max(...side(AGENT).map(x)), Math.min(...side(TARGET).map(x))]
    for (const hop of side(HOP)) {
      expect(x(hop)).toBeGreaterThan(left)
      expect(x(hop)).toBeLessThan(right)
    }
    for (let i = 0; i < LARGE.count; i += 1) {
      expect(y(i)).toBeGreaterThanOrEqual(FRAME.top - 0.01)
      expect(y(i)).toBeLessThanOrEqual(FRAME.height - FRAME.bottom + 0.01)
    }
  })
  it('never puts two nodes on each other', () => {
    const seen = new Set(Array.from({ length: LARGE.count }, (_, i) => `${x(i).toFixed(2)} ${y(i).toFixed(2)}`))
    expect(seen.size).toBe(LARGE.count)
  })
  it('crosses links no more than chance does, and far less', () => {
    const random = lcg(7)
    const ours = crossings(LARGE, y)
    const byChance = Array.from({ length: 5 }, () => {
      const place = Float64Array.from({ length: LARGE.count }, random)
      return crossings(LARGE, i => place[i] ?? 0)
    })
    expect(ours).toBeLessThanOrEqual(Math.min(...byChance) * 0.6)
  })
  it('keeps an opened group together in every column', () => {
    const view = makeView(makeGraph(makeTopology({ agents: 8, targets: 6, hops: 200, edges: 700 })), { agents: 'site', hops: '24', targets: 'none', fold: false, open: new Set(['hops:24:198.19.8.0/24', 'hops:24:198.19.4.0/24', 'hops:24:198.19.0.0/24', 'hops:24:198.20.4.0/24']) })
    const input = layoutInput(view, FRAME)
    expect(new Set(input.band).size).toBeGreaterThan(2)
    const column = columnsOf(input)
    const placed = layered(input).positions
    for (const c of new Set(column)) {
      const inside = Array.from({ length: input.count }, (_, i) => i).filter(i => column[i] === c).sort((a, b) => (placed[a * 2 + 1] ?? 0) - (placed[b * 2 + 1] ?? 0))
      const runs = inside.map(i => input.band[i] ?? -1).filter((band, i, all) => band >= 0 && band !== all[i - 1])
      expect(runs).toHaveLength(new Set(runs).size)
    }
  })
  it('gives a group twice the room of a node', () => {
    const plain = inputOf(network(['a1 r1 r4 t1', 'a1 r2 r4 t1', 'a1 r3 r4 t1'].concat(Array.from({ length: 20 }, (_, i) => `a1 r${i + 10} r4 t1`))))
    const pills = { ...plain, pill: new Uint8Array(plain.count).fill(1) }
    expect(layered(pills).gap).toBeCloseTo(layered(plain).gap / 2, 0)
    expect(layered(pills).positions.every(Number.isFinite)).toBe(true)
  })
  it('is straight where nothing makes it bend', () => {
    const input = inputOf(network(['a1 r1 r2 r3 t1']))
    const heights = Array.from({ length: input.count }, (_, i) => layered(input).positions[i * 2 + 1])
    expect(new Set(heights).size).toBe(1)
  })
})

describe('concentric', () => {
  it('has rings by distance from the centre, and what cannot be reached outside', () => {
    const view = makeView(makeGraph(network(['a1 r1 r2 t1', 'a2 r9 t9'])), { agents: 'none', hops: 'none', targets: 'none', fold: false, open: new Set() })
    const placed = concentric(layoutInput(view, FRAME), view.index.get('r1') ?? -1)
    const ring = (key: string) => {
      const i = view.index.get(key) ?? -1
      const [dx, dy] = [(placed.positions[i * 2] ?? 0) - (placed.rings?.x ?? 0), (placed.positions[i * 2 + 1] ?? 0) - (placed.rings?.y ?? 0)]
      const [rx, ry] = placed.rings?.radii.at(-1) ?? [1, 1]
      return Math.round(Math.hypot(dx / rx, dy / ry) * (placed.rings?.radii.length ?? 0))
    }
    expect(['r1', 'a1', 'r2', 't1', 'a2', 'r9', 't9'].map(ring)).toEqual([0, 1, 1, 2, 3, 3, 3])
  })
})

describe('force', () => {
  const seed = layered(LARGE).positions
  const start = (fixed: number[] = []) => makeForce({ ...LARGE, seed, size: new Float32Array(LARGE.count).fill(8), width: 1000, height: 700, fixed: Float64Array.from(fixed), alpha: 1 })
  it('comes to rest with finite positions, the same every time', () => {
    const [one, two] = [start(), start()]
    expect(one.run(5)).toBe(true)
    expect(one.run(1000)).toBe(false)
    expect(two.run(1005)).toBe(false)
    expect(one.positions().every(Number.isFinite)).toBe(true)
    expect(two.positions()).toEqual(one.positions())
  })
  it('moves only what is near when it begins warm: one node more that is held fast', () => {
    const rested = start()
    rested.run(1000)
    const before = rested.positions()
    const far = (alpha: number) => {
      const force = makeForce({ ...LARGE, seed: before, size: new Float32Array(LARGE.count).fill(8), width: 1000, height: 700, fixed: Float64Array.of(0, before[0] ?? 0, before[1] ?? 0), alpha })
      force.run(1000)
      return force.positions().reduce((sum, value, i) => sum + Math.abs(value - (before[i] ?? 0)), 0)
    }
    expect(far(0.3)).toBeLessThan(far(1) / 2)
  })
  it('leaves what is fixed and what is connected with nothing where it is', () => {
    const force = makeForce({ count: 4, band: new Int32Array(4).fill(-1), source: Int32Array.of(0, 1), target: Int32Array.of(1, 2), seed: Float32Array.of(0, 0, 10, 0, 20, 0, 77, 88), size: new Float32Array(4).fill(8), width: 100, height: 100, fixed: Float64Array.of(0, 33, 44), alpha: 1 })
    force.run(1000)
    expect([...force.positions().subarray(0, 2)]).toEqual([33, 44])
    expect([...force.positions().subarray(6, 8)]).toEqual([77, 88])
    expect([...force.positions().subarray(2, 4)]).not.toEqual([10, 0])
  })
})
