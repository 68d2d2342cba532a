// The paths through what is pointed at or selected: what is drawn on top, and what the side panel says about it.
import type { MapView } from './view'
import { row } from './graph'
import { pathsThrough } from './view'

/** Something pointed at: the drawn node, and what of it is meant. */
export interface Chosen { readonly node: number, readonly members: readonly number[] }

export interface Focus {
  readonly chosen: readonly Chosen[]
  /** Drawn nodes that were asked for. */
  readonly of: readonly number[]
  readonly paths: readonly number[]
  /** Drawn nodes on those paths. */
  readonly nodes: ReadonlySet<number>
  /** Drawn links on those paths: source, target and how many paths. */
  readonly source: Int32Array
  readonly target: Int32Array
  readonly count: Int32Array
  readonly agents: readonly Hit[]
  readonly targets: readonly Hit[]
}

/** An agent or a target, and how many of the paths are its. */
export interface Hit { readonly node: number, readonly paths: number }

/** By the id of a node, also of one inside a group, or by the key of a group; null when it is not there. */
export function chosenByKey(view: MapView, key: string): Chosen | null {
  const drawn = view.index.get(key)
  if (drawn !== undefined)
    return { node: drawn, members: view.nodes[drawn]?.members ?? [] }
  const member = view.graph.index.get(key)
  const inside = member === undefined ? -1 : view.of[member] ?? -1
  return member === undefined || inside < 0 ? null : { node: inside, members: [member] }
}

/** `pair`: only paths that go through all of them; otherwise through any. */
export function focusOf(view: MapView, chosen: readonly Chosen[], pair: boolean): Focus {
  const { graph } = view
  const of = [...new Set(chosen.map(entry => entry.node))]
  const each = chosen.map(entry => pathsThrough(graph, entry.members))
  const paths = pair && each.length > 1 ? common(each) : union(each)
  const nodes = new Set<number>(of)
  const links = new Map<number, number>()
  const size = view.nodes.length
  for (const p of paths) {
    let before = -1
    for (const member of row(graph.route, p)) {
      const here = view.of[member] ?? -1
      if (here === before || here < 0)
        continue
      nodes.add(here)
      if (before >= 0)
        links.set(before * size + here, (links.get(before * size + here) ?? 0) + 1)
      before = here
    }
  }
  return {
    chosen, of, paths, nodes,
    source: Int32Array.from(links.keys(), key => Math.floor(key / size)),
    target: Int32Array.from(links.keys(), key => key % size),
    count: Int32Array.from(links.values()),
    agents: hits(view, paths, path => path.agent),
    targets: hits(view, paths, path => path.target),
  }
}

function hits(view: MapView, paths: readonly number[], end: (path: { agent: string, target: string }) => string): Hit[] {
  const counts = new Map<number, number>()
  for (const p of paths) {
    const path = view.graph.paths[p]
    const node = path ? view.graph.index.get(end(path)) : undefined
    if (node !== undefined)
      counts.set(node, (counts.get(node) ?? 0) + 1)
  }
  return [...counts].map(([node, n]) => ({ node, paths: n })).sort((a, b) => b.paths - a.paths || a.node - b.node)
}

function union(lists: readonly (readonly number[])[]): number[] {
  return lists.length === 1 ? [...lists[0] ?? []] : [...new Set(lists.flat())].sort((a, b) => a - b)
}

function common(lists: readonly (readonly number[])[]): number[] {
  const [first = [], ...others] = lists
  const sets = others.map(list => new Set(list))
  return first.filter(path => sets.every(set => set.has(path)))
}
