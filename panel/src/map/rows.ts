// The rows of the side table: the same nodes and paths as in the picture, for those who read rather than look.
import type { MapGraph } from './graph'
import type { Matches } from './filter'
import type { Grade, NodeKind, TopologyNode } from './types'
import { natural } from '@/lib/natural'
import { urgency } from '@/lib/grade'
import { isGraded } from './types'
import { nodeAddress, nodeName } from './words'

export interface NodeRow {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly kind: NodeKind
  readonly grade: Grade
  readonly reason: string
  readonly loss: number | null
  readonly rtt: number | null
  readonly paths: number
}

export interface PathRow {
  readonly id: string
  readonly probe: string
  readonly agent: string
  readonly target: string
  readonly agentName: string
  readonly targetName: string
  readonly grade: Grade
  readonly loss: number | null
  readonly rtt: number | null
  readonly share: number
  readonly hops: number
}

export function nodeRows(graph: MapGraph, matches: Matches | null): NodeRow[] {
  return graph.nodes.flatMap((node, i) => matches && matches.nodes[i] !== 1
    ? []
    : [{ id: node.id, name: nodeName(node), address: nodeAddress(node), kind: node.kind, grade: node.grade, reason: node.reason, loss: node.forwarding_loss_ratio, rtt: node.rtt_mean_us, paths: node.paths }])
}

export function pathRows(graph: MapGraph, matches: Matches | null, only: ReadonlySet<number> | null): PathRow[] {
  const name = (id: string) => {
    const node: TopologyNode | undefined = graph.nodes[graph.index.get(id) ?? -1]
    return node ? nodeName(node) : id
  }
  return graph.paths.flatMap((path, p) => (matches && matches.paths[p] !== 1) || (only && !only.has(p))
    ? []
    : [{ id: String(p), probe: path.probe, agent: path.agent, target: path.target, agentName: name(path.agent), targetName: name(path.target), grade: path.grade, loss: path.loss_ratio, rtt: path.rtt_mean_us, share: path.share, hops: Math.max(0, path.nodes.length - 2) }])
}

type Key<T> = (row: T) => number | string | null

/** By a column, "-" in front for downwards; what is not known comes last either way. */
function sorted<T>(rows: readonly T[], keys: Readonly<Record<string, Key<T>>>, order: string): T[] {
  const down = order.startsWith('-')
  const key = keys[down ? order.slice(1) : order]
  if (!key)
    return [...rows]
  return rows.map((item, i) => ({ item, i, value: key(item) })).sort((a, b) => {
    if (a.value === null || b.value === null)
      return a.value === b.value ? a.i - b.i : a.value === null ? 1 : -1
    const by = typeof a.value === 'number' && typeof b.value === 'number' ? a.value - b.value : natural(String(a.value), String(b.value))
    return (down ? -by : by) || a.i - b.i
  }).map(entry => entry.item)
}

const NODE_KEYS: Readonly<Record<string, Key<NodeRow>>> = {
  name: row => row.kind === 'anonymous' ? null : row.name,
  // Best to worst; hops that are not graded come last.
  grade: row => isGraded(row) ? urgency(row.grade) : null,
  loss: row => row.loss, rtt: row => row.rtt, paths: row => row.paths, kind: row => row.kind,
}
const PATH_KEYS: Readonly<Record<string, Key<PathRow>>> = {
  agent: row => row.agentName, target: row => row.targetName, grade: row => urgency(row.grade), loss: row => row.loss, rtt: row => row.rtt, share: row => row.share, hops: row => row.hops,
}

export const sortedNodes = (rows: readonly NodeRow[], order: string): NodeRow[] => sorted(rows, NODE_KEYS, order)
export const sortedPaths = (rows: readonly PathRow[], order: string): PathRow[] => sorted(rows, PATH_KEYS, order)
