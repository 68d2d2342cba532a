// Rings by distance from a centre: one node, or all agents together. Every node has the sector of what lies behind it, so
// the tree of shortest ways has no crossings.
import type { LayoutInput, Placed } from './layout'
import type { Rows } from './graph'
import { row, toRows } from './graph'
import { AGENT } from './layout'

const STRETCH_MAX = 1.6

/** `centre` -1: the agents. */
export function concentric(input: LayoutInput, centre: number): Placed {
  const { count, frame } = input
  const positions = new Float32Array(count * 2)
  const [cx, cy] = [frame.width / 2, frame.height / 2]
  const radiusY = Math.max(40, (frame.height - frame.top - frame.bottom) / 2)
  const radiusX = Math.max(40, Math.min(radiusY * STRETCH_MAX, frame.width / 2 - frame.left * 0.8))
  const tree = treeOf(input, centre)
  const rings = Math.max(1, tree.depth.reduce((most, value) => Math.max(most, value), 0))
  const angle = anglesOf(tree)
  for (let i = 0; i < count; i += 1) {
    const r = (tree.depth[i] ?? 0) / rings
    positions[i * 2] = cx + Math.cos(angle[i] ?? 0) * r * radiusX
    positions[i * 2 + 1] = cy + Math.sin(angle[i] ?? 0) * r * radiusY
  }
  const fullest = fullestRing(tree.depth, rings)
  const gap = Math.min(56, Math.min(radiusX, radiusY) / rings * 0.8, 2 * Math.PI * Math.min(radiusX, radiusY) * (fullest.ring / rings) / Math.max(1, fullest.nodes))
  return {
    positions, gap, room: null, columnGap: radiusX / rings,
    rings: { x: cx, y: cy, radii: Array.from({ length: rings }, (_, i) => [(i + 1) / rings * radiusX, (i + 1) / rings * radiusY] as const) },
  }
}

interface Tree {
  readonly depth: Int32Array
  readonly parent: Int32Array
  /** Nodes from the centre outwards. */
  readonly order: Int32Array
  readonly roots: readonly number[]
}

function neighboursOf(input: LayoutInput): Rows {
  const e = input.source.length
  return toRows(input.count, 2 * e, p => (p < e ? input.source[p] : input.target[p - e]) ?? 0, p => (p < e ? input.target[p] : input.source[p - e]) ?? 0)
}

function treeOf(input: LayoutInput, centre: number): Tree {
  const neighbours = neighboursOf(input)
  const depth = new Int32Array(input.count).fill(-1)
  const parent = new Int32Array(input.count).fill(-1)
  const order = new Int32Array(input.count)
  const one = centre >= 0 && centre < input.count
  const first = Array.from({ length: input.count }, (_, i) => i).filter(i => one ? i === centre : input.side[i] === AGENT)
  let n = 0
  for (const root of first) {
    depth[root] = one || first.length === 1 ? 0 : 1
    order[n++] = root
  }
  let head = 0
  const spread = () => {
    for (; head < n; head += 1) {
      const here = order[head] ?? 0
      for (const there of row(neighbours, here)) {
        if ((depth[there] ?? 0) >= 0)
          continue
        depth[there] = (depth[here] ?? 0) + 1
        parent[there] = here
        order[n++] = there
      }
    }
  }
  spread()
  // What cannot be reached from the centre stands outside of all rings.
  const outside = depth.reduce((most, value) => Math.max(most, value), 0) + 1
  const roots = [...first]
  for (let i = 0; i < input.count; i += 1) {
    if ((depth[i] ?? 0) >= 0)
      continue
    depth[i] = outside
    order[n++] = i
    roots.push(i)
  }
  return { depth, parent, order, roots }
}

function anglesOf(tree: Tree): Float64Array {
  const count = tree.order.length
  const leaves = new Float64Array(count)
  for (let i = count - 1; i >= 0; i -= 1) {
    const node = tree.order[i] ?? 0
    if (leaves[node] === 0)
      leaves[node] = 1
    const up = tree.parent[node] ?? -1
    if (up >= 0)
      leaves[up] = (leaves[up] ?? 0) + (leaves[node] ?? 0)
  }
  const total = tree.roots.reduce((sum, root) => sum + (leaves[root] ?? 0), 0)
  const from = new Float64Array(count)
  const angle = new Float64Array(count)
  const wide = (node: number) => (leaves[node] ?? 0) / Math.max(1, total) * 2 * Math.PI
  let at = -Math.PI / 2
  for (const root of tree.roots) {
    from[root] = at
    at += wide(root)
  }
  for (const node of tree.order) {
    const up = tree.parent[node] ?? -1
    if (up >= 0) {
      from[node] = from[up] ?? 0
      from[up] = (from[up] ?? 0) + wide(node)
    }
    angle[node] = (from[node] ?? 0) + wide(node) / 2
  }
  return angle
}

function fullestRing(depth: Int32Array, rings: number): { ring: number, nodes: number } {
  const nodes = new Int32Array(rings + 1)
  depth.forEach((ring) => { nodes[ring] = (nodes[ring] ?? 0) + 1 })
  let best = { ring: 1, nodes: 1 }
  nodes.forEach((n, ring) => { if (ring > 0 && n / ring > best.nodes / best.ring) best = { ring, nodes: n } })
  return best
}
