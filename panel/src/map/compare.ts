// Two moments beside each other: one graph of both, and what is only in one of them.
import type { Topology, TopologyNode } from './types'

export const SAME = 0
export const ADDED = 1
export const REMOVED = 2
export type Change = typeof SAME | typeof ADDED | typeof REMOVED

export interface Comparison {
  /** Everything of the later moment, and what only the earlier had. */
  readonly both: Topology
  readonly nodes: ReadonlyMap<string, Change>
  readonly edges: ReadonlyMap<string, Change>
  readonly addedNodes: readonly TopologyNode[]
  readonly removedNodes: readonly TopologyNode[]
  readonly addedEdges: readonly EdgeChange[]
  readonly removedEdges: readonly EdgeChange[]
  /** Probes whose set of paths is another. */
  readonly rerouted: readonly string[]
}

export interface EdgeChange { readonly id: string, readonly source: TopologyNode | undefined, readonly target: TopologyNode | undefined }

const linkOf = (edge: { readonly source: string, readonly target: string }): string => `${edge.source} ${edge.target}`

export function compare(before: Topology, after: Topology): Comparison {
  const nodesBefore = new Map(before.nodes.map(node => [node.id, node]))
  const nodesAfter = new Map(after.nodes.map(node => [node.id, node]))
  const linksBefore = new Set(before.edges.map(linkOf))
  const linksAfter = new Set(after.edges.map(linkOf))
  // Ids of links may differ between moments; what a link joins does not.
  const taken = new Set(after.edges.map(edge => edge.id))
  const goneEdges = before.edges.filter(edge => !linksAfter.has(linkOf(edge))).map(edge => taken.has(edge.id) ? { ...edge, id: `${edge.id}~` } : edge)
  const goneNodes = before.nodes.filter(node => !nodesAfter.has(node.id))
  const newEdges = after.edges.filter(edge => !linksBefore.has(linkOf(edge)))
  const newNodes = after.nodes.filter(node => !nodesBefore.has(node.id))
  const routes = routesOf(before)
  const change = (items: readonly { readonly id: string }[], kind: Change) => items.map(item => [item.id, kind] as const)
  const link = (edge: { readonly id: string, readonly source: string, readonly target: string }): EdgeChange => ({ id: edge.id, source: nodesAfter.get(edge.source) ?? nodesBefore.get(edge.source), target: nodesAfter.get(edge.target) ?? nodesBefore.get(edge.target) })
  return {
    both: { ...after, live: false, truncated: before.truncated || after.truncated, nodes: [...after.nodes, ...goneNodes], edges: [...after.edges, ...goneEdges] },
    nodes: new Map([...change(newNodes, ADDED), ...change(goneNodes, REMOVED)]),
    edges: new Map([...change(newEdges, ADDED), ...change(goneEdges, REMOVED)]),
    addedNodes: newNodes, removedNodes: goneNodes,
    addedEdges: newEdges.map(link), removedEdges: goneEdges.map(link),
    rerouted: [...routesOf(after)].filter(([probe, route]) => routes.has(probe) && routes.get(probe) !== route).map(([probe]) => probe).sort(),
  }
}

/** Each probe's set of ways as one text. */
function routesOf(topology: Topology): Map<string, string> {
  const ways = new Map<string, string[]>()
  for (const path of topology.paths)
    ways.set(path.probe, [...ways.get(path.probe) ?? [], path.nodes.join(' ')])
  return new Map([...ways].map(([probe, list]) => [probe, list.sort().join('\n')]))
}
