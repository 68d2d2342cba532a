// The topology with indices instead of ids: nodes in the order of their ids, so that the same network is always the same
// graph, and compressed rows for "which paths go through this node".
import type { Topology, TopologyEdge, TopologyNode, TopologyPath } from './types'

/** Rows of different lengths behind one another: row i is items[start[i] .. start[i + 1]). */
export interface Rows {
  readonly start: Int32Array
  readonly items: Int32Array
}

export interface MapGraph {
  readonly topology: Topology
  readonly nodes: readonly TopologyNode[]
  readonly index: ReadonlyMap<string, number>
  readonly edges: readonly TopologyEdge[]
  readonly source: Int32Array
  readonly target: Int32Array
  readonly paths: readonly TopologyPath[]
  /** Nodes of each path, in order. */
  readonly route: Rows
  /** Paths through each node, each once. */
  readonly through: Rows
  /** The most next hops that the paths of one probe have behind a node: 1 where nothing is balanced. */
  readonly fanout: Uint16Array
  /** Edges that are one of several next hops of one probe. */
  readonly bundled: Uint8Array
}

export function row(rows: Rows, i: number): Int32Array {
  return rows.items.subarray(rows.start[i] ?? 0, rows.start[i + 1] ?? 0)
}

/** Rows from pairs (row, item), in the order in which they come. */
export function toRows(count: number, pairs: number, rowOf: (pair: number) => number, itemOf: (pair: number) => number): Rows {
  const start = new Int32Array(count + 1)
  for (let p = 0; p < pairs; p += 1) {
    const at = rowOf(p) + 1
    start[at] = (start[at] ?? 0) + 1
  }
  for (let i = 0; i < count; i += 1)
    start[i + 1] = (start[i + 1] ?? 0) + (start[i] ?? 0)
  const next = start.slice()
  const items = new Int32Array(pairs)
  for (let p = 0; p < pairs; p += 1) {
    const at = rowOf(p)
    items[next[at] ?? 0] = itemOf(p)
    next[at] = (next[at] ?? 0) + 1
  }
  return { start, items }
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => a.id < b.id ? -1 : a.id > b.id ? 1 : 0

export function makeGraph(topology: Topology): MapGraph {
  const nodes = [...topology.nodes].sort(byId)
  const index = new Map(nodes.map((node, i) => [node.id, i]))
  // An edge or a step of a path to a node that is not there (a truncated answer) has nowhere to be drawn.
  const edges = topology.edges.filter(edge => index.has(edge.source) && index.has(edge.target)).sort(byId)
  const at = (id: string): number => index.get(id) ?? -1
  const source = Int32Array.from(edges, edge => at(edge.source))
  const target = Int32Array.from(edges, edge => at(edge.target))
  const paths = [...topology.paths].sort((a, b) => a.probe < b.probe ? -1 : a.probe > b.probe ? 1 : b.share - a.share)
  const route = routes(paths, at)
  const { fanout, bundled } = balanced(nodes.length, paths, route, source, target)
  return { topology, nodes, index, edges, source, target, paths, route, through: throughOf(nodes.length, paths.length, route), fanout, bundled }
}

function routes(paths: readonly TopologyPath[], at: (id: string) => number): Rows {
  const start = new Int32Array(paths.length + 1)
  const items: number[] = []
  paths.forEach((path, i) => {
    for (const id of path.nodes) {
      const node = at(id)
      if (node >= 0)
        items.push(node)
    }
    start[i + 1] = items.length
  })
  return { start, items: Int32Array.from(items) }
}

function throughOf(nodes: number, paths: number, route: Rows): Rows {
  // A loop brings a path through a node twice; it is one path nevertheless.
  const seen = new Int32Array(nodes).fill(-1)
  const node: number[] = []
  const path: number[] = []
  for (let p = 0; p < paths; p += 1) {
    for (const n of row(route, p)) {
      if (seen[n] === p)
        continue
      seen[n] = p
      node.push(n)
      path.push(p)
    }
  }
  return toRows(nodes, node.length, pair => node[pair] ?? 0, pair => path[pair] ?? 0)
}

/** Where one probe's paths part. Paths lie sorted by probe, so one probe's are beside one another. */
function balanced(count: number, paths: readonly TopologyPath[], route: Rows, source: Int32Array, target: Int32Array): { fanout: Uint16Array, bundled: Uint8Array } {
  const fanout = new Uint16Array(count).fill(1)
  const bundled = new Uint8Array(source.length)
  const edgeAt = new Map<number, number>()
  source.forEach((s, e) => edgeAt.set(s * count + (target[e] ?? 0), e))
  for (let from = 0, until = 0; from < paths.length; from = until) {
    while (until < paths.length && paths[until]?.probe === paths[from]?.probe)
      until += 1
    if (until - from < 2)
      continue
    const next = new Map<number, Set<number>>()
    for (let p = from; p < until; p += 1) {
      const nodes = row(route, p)
      for (let i = 0; i + 1 < nodes.length; i += 1) {
        const here = nodes[i] ?? 0
        const set = next.get(here) ?? new Set()
        next.set(here, set.add(nodes[i + 1] ?? 0))
      }
    }
    for (const [here, set] of next) {
      if (set.size < 2)
        continue
      fanout[here] = Math.max(fanout[here] ?? 1, set.size)
      for (const there of set) {
        const edge = edgeAt.get(here * count + there)
        if (edge !== undefined)
          bundled[edge] = 1
      }
    }
  }
  return { fanout, bundled }
}
