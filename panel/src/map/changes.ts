// A comparison on what is drawn: a group has changed when all of it came or went, and so has a link.
import type { Change, Comparison } from './compare'
import type { MapView } from './view'
import { SAME } from './compare'

export function changesOf(view: MapView, comparison: Comparison): { nodes: Uint8Array, edges: Uint8Array } {
  const { graph } = view
  const all = (kinds: readonly Change[]): Change => kinds.length > 0 && kinds.every(kind => kind === kinds[0]) ? kinds[0] ?? SAME : SAME
  return {
    nodes: Uint8Array.from(view.nodes, node => all(node.members.map(member => comparison.nodes.get(graph.nodes[member]?.id ?? '') ?? SAME))),
    edges: Uint8Array.from(view.edges, edge => all(edge.members.map(member => comparison.edges.get(graph.edges[member]?.id ?? '') ?? SAME))),
  }
}
