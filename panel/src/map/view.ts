// What is drawn: nodes of the graph one by one, or together as groups and folded runs. Nothing is lost on the way: every
// node is in exactly one drawn node, every edge in a drawn edge or inside a group, and weights are sums.
import type { MapGraph } from './graph'
import type { Grouping } from './grouping'
import type { Grade, NodeKind } from './types'
import { severity } from '@/lib/grade'
import { row } from './graph'
import { groupsOf } from './grouping'
import { runsOf } from './runs'

export type { AgentGrouping, Grouping, HopGrouping, TargetGrouping } from './grouping'
export type ViewKind = NodeKind | 'group' | 'run'

export interface ViewNode {
  /** The node's id; of a group or a run a key that stays the same between refreshes. */
  readonly key: string
  readonly kind: ViewKind
  /** What its members are: agents left, targets right. */
  readonly of: 'agent' | 'hop' | 'target'
  readonly label: string
  readonly members: readonly number[]
  /** The worst of its members; hops that do not answer have none. */
  readonly grade: Grade
  readonly rank: number
  readonly mpls: boolean
  readonly fanout: number
  readonly paths: number
  /** Members that are fair or worse. */
  readonly trouble: number
  /** The opened group that it belongs to. */
  readonly band: string
}

export interface ViewEdge {
  readonly source: number
  readonly target: number
  readonly members: readonly number[]
  readonly paths: number
  /** Of its paths those over links that are fair or worse. */
  readonly trouble: number
  /** Of the source's probes; of several edges together it means nothing. */
  readonly share: number
  readonly bundled: boolean
  readonly grade: Grade
  readonly delay_us: number | null
  readonly loss_ratio: number | null
}

export interface MapView {
  readonly graph: MapGraph
  readonly nodes: readonly ViewNode[]
  readonly edges: readonly ViewEdge[]
  readonly index: ReadonlyMap<string, number>
  /** The drawn node of every node of the graph. */
  readonly of: Int32Array
}

export const isTrouble = (grade: Grade): boolean => grade === 'fair' || grade === 'poor' || grade === 'critical'
const UNKNOWN = severity('unknown')
/** Of several grades the worst that is known. */
export function worse(a: Grade, b: Grade): Grade {
  const [x, y] = [severity(a), severity(b)]
  return x === UNKNOWN ? b : y === UNKNOWN ? a : x >= y ? a : b
}

export interface Part { readonly key: string, readonly kind: ViewKind, readonly label: string, readonly members: readonly number[], readonly band: string }

export function makeView(graph: MapGraph, grouping: Grouping): MapView {
  const parts = groupsOf(graph, grouping)
  const plain = assemble(graph, parts)
  const runs = grouping.fold ? runsOf(plain, grouping.open) : []
  return runs.length === 0 ? plain : assemble(graph, folded(plain, runs))
}

function folded(view: MapView, runs: readonly (readonly number[])[]): Part[] {
  const inRun = new Set(runs.flat())
  const kept = view.nodes.filter((_, i) => !inRun.has(i))
  const made = runs.map((run): Part => {
    const members = run.flatMap(i => view.nodes[i]?.members ?? [])
    const silent = members.every(i => view.graph.nodes[i]?.kind === 'anonymous')
    const first = view.nodes[run[0] ?? 0]
    return { key: `run:${first?.key ?? ''}`, kind: 'run', label: silent ? `* ×${members.length}` : `··${members.length}··`, members, band: first?.band ?? '' }
  })
  return [...kept, ...made]
}

function assemble(graph: MapGraph, parts: readonly Part[]): MapView {
  const sorted = [...parts].sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  const of = new Int32Array(graph.nodes.length).fill(-1)
  sorted.forEach((part, i) => part.members.forEach((member) => { of[member] = i }))
  return {
    graph, of,
    nodes: sorted.map(part => viewNode(graph, part)),
    edges: viewEdges(graph, of),
    index: new Map(sorted.map((part, i) => [part.key, i])),
  }
}

function viewNode(graph: MapGraph, part: Part): ViewNode {
  const nodes = part.members.flatMap(i => graph.nodes[i] ?? [])
  const ranks = nodes.map(node => Number.isFinite(node.rank) ? node.rank : 0).sort((a, b) => a - b)
  const answering = nodes.filter(node => node.kind !== 'anonymous')
  const kind = nodes[0]?.kind ?? 'router'
  return {
    ...part,
    of: kind === 'agent' || kind === 'target' ? kind : 'hop',
    grade: answering.reduce<Grade>((worst, node) => worse(worst, node.grade), 'unknown'),
    rank: ranks[ranks.length >> 1] ?? 0,
    mpls: nodes.some(node => node.mpls),
    fanout: part.members.reduce((most, i) => Math.max(most, graph.fanout[i] ?? 1), 1),
    paths: part.members.length === 1 ? row(graph.through, part.members[0] ?? 0).length : pathsThrough(graph, part.members).length,
    trouble: answering.filter(node => isTrouble(node.grade)).length,
  }
}

/** Paths that go through any of the nodes, each once, ascending. */
export function pathsThrough(graph: MapGraph, nodes: readonly number[]): number[] {
  const seen = new Set<number>()
  for (const node of nodes)
    for (const path of row(graph.through, node))
      seen.add(path)
  return [...seen].sort((a, b) => a - b)
}

const most = (a: number | null, b: number | null): number | null => a === null ? b : b === null ? a : Math.max(a, b)

function viewEdges(graph: MapGraph, of: Int32Array): ViewEdge[] {
  const made = new Map<number, ViewEdge & { members: number[] }>()
  graph.edges.forEach((edge, e) => {
    const [s, t] = [of[graph.source[e] ?? 0] ?? -1, of[graph.target[e] ?? 0] ?? -1]
    if (s < 0 || t < 0 || s === t)
      return
    const key = s * graph.nodes.length + t
    const known = made.get(key)
    const bundled = graph.bundled[e] === 1
    const trouble = isTrouble(edge.grade) ? edge.paths : 0
    if (!known) {
      made.set(key, { source: s, target: t, members: [e], paths: edge.paths, trouble, share: edge.share, bundled, grade: edge.grade, delay_us: edge.delay_us, loss_ratio: edge.loss_ratio })
      return
    }
    made.set(key, { ...known, members: [...known.members, e], paths: known.paths + edge.paths, trouble: known.trouble + trouble, share: 1, bundled: false, grade: worse(known.grade, edge.grade), delay_us: most(known.delay_us, edge.delay_us), loss_ratio: most(known.loss_ratio, edge.loss_ratio) })
  })
  return [...made.values()]
}
