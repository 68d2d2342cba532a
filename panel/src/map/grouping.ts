// Which nodes stand together: agents by site or label, hops by network, targets by label; each by itself, and each group
// can be opened in its place.
import type { MapGraph } from './graph'
import type { Part } from './view'
import { prefixOf } from './prefix'

export type AgentGrouping = 'none' | 'site' | 'label'
export type HopGrouping = 'none' | '24' | '16'
export type TargetGrouping = 'none' | 'label'

export interface Grouping {
  readonly agents: AgentGrouping
  readonly hops: HopGrouping
  readonly targets: TargetGrouping
  /** Runs of hops that only hand on, and are well, are one. */
  readonly fold: boolean
  /** Keys of groups and runs that are shown one by one. */
  readonly open: ReadonlySet<string>
}

/** Prefix lengths of a choice, IPv4 and IPv6. */
export const HOP_BITS: Readonly<Record<Exclude<HopGrouping, 'none'>, readonly [number, number]>> = { 24: [24, 48], 16: [16, 32] }

const GROUPED_FROM = 400
const FOLDED_FROM = 60
const MANY_AGENTS = 40

type Asked = Partial<Omit<Grouping, 'open'>>

/** What nobody has chosen: a large network begins grouped, a small one shows every hop. */
export function chosenGrouping(graph: MapGraph, asked: Asked, open: ReadonlySet<string>): Grouping {
  const large = graph.nodes.length > GROUPED_FROM
  const agents = asked.agents ?? (large && graph.nodes.filter(node => node.kind === 'agent' && node.site).length > MANY_AGENTS ? 'site' : 'none')
  const targets = asked.targets ?? 'none'
  const fold = asked.fold ?? graph.nodes.length > FOLDED_FROM
  const hops = asked.hops ?? (large ? coarseEnough(graph, { agents, targets }) : 'none')
  return { agents, hops, targets, fold, open }
}

function coarseEnough(graph: MapGraph, rest: Pick<Grouping, 'agents' | 'targets'>): HopGrouping {
  const count = groupsOf(graph, { ...rest, hops: '24', fold: false, open: new Set() }).length
  return count > GROUPED_FROM ? '16' : '24'
}

export function groupsOf(graph: MapGraph, grouping: Grouping): Part[] {
  const keys = groupKeys(graph, grouping)
  const members = new Map<string, number[]>()
  keys.forEach((key, i) => {
    if (key === '')
      return
    const list = members.get(key) ?? []
    list.push(i)
    members.set(key, list)
  })
  const parts: Part[] = []
  for (const [key, list] of members) {
    if (list.length > 1 && !grouping.open.has(key))
      parts.push({ key, kind: 'group', label: groupLabel(key), members: list, band: '' })
  }
  graph.nodes.forEach((node, i) => {
    const key = keys[i] ?? ''
    const group = members.get(key)
    const opened = group !== undefined && group.length > 1
    if (opened && !grouping.open.has(key))
      return
    parts.push({ key: node.id, kind: node.kind, label: node.name || node.address || (node.kind === 'anonymous' ? '*' : node.id), members: [i], band: opened ? key : '' })
  })
  return parts
}

/** "hops:24:198.51.100.0/24" as people read it. */
export function groupLabel(key: string): string {
  return key.split(':').slice(2).join(':')
}

function groupKeys(graph: MapGraph, grouping: Grouping): string[] {
  const agentLabel = grouping.agents === 'label' ? commonLabels(graph, 'agent') : null
  const targetLabel = grouping.targets === 'label' ? commonLabels(graph, 'target') : null
  const keys = graph.nodes.map((node, i) => {
    if (node.kind === 'agent') {
      const value = grouping.agents === 'site' ? node.site ?? '' : agentLabel?.[i] ?? ''
      return value === '' ? '' : `agents:${grouping.agents}:${value}`
    }
    if (node.kind === 'target') {
      const value = targetLabel?.[i] ?? ''
      return value === '' ? '' : `targets:label:${value}`
    }
    if (node.kind !== 'router' || grouping.hops === 'none' || node.address === null)
      return ''
    const [v4, v6] = HOP_BITS[grouping.hops]
    const network = prefixOf(node.address, v4, v6)
    return network === null ? '' : `hops:${grouping.hops}:${network}`
  })
  return grouping.hops === 'none' ? keys : joined(graph, keys)
}

/** Of several labels the one that most others have too: groups are to be few. */
function commonLabels(graph: MapGraph, kind: 'agent' | 'target'): string[] {
  const counts = new Map<string, number>()
  for (const node of graph.nodes)
    if (node.kind === kind)
      node.labels?.forEach(label => counts.set(label, (counts.get(label) ?? 0) + 1))
  const rank = (label: string) => counts.get(label) ?? 0
  return graph.nodes.map(node => node.kind === kind ? [...node.labels ?? []].sort((a, b) => rank(b) - rank(a) || (a < b ? -1 : 1))[0] ?? '' : '')
}

const PASSES = 3

/** A hop that does not answer belongs to a network when all before it, or all behind it, do. */
function joined(graph: MapGraph, keys: readonly string[]): string[] {
  let now = [...keys]
  for (let pass = 0; pass < PASSES; pass += 1) {
    const before: (string | null)[] = Array.from({ length: keys.length }, () => null)
    const behind: (string | null)[] = Array.from({ length: keys.length }, () => null)
    const agree = (known: string | null, key: string) => known === null || known === key ? key : ''
    graph.edges.forEach((_, e) => {
      const [s, t] = [graph.source[e] ?? 0, graph.target[e] ?? 0]
      if (graph.nodes[t]?.kind === 'anonymous')
        before[t] = agree(before[t] ?? null, hopKey(graph, now, s))
      if (graph.nodes[s]?.kind === 'anonymous')
        behind[s] = agree(behind[s] ?? null, hopKey(graph, now, t))
    })
    now = now.map((key, i) => key === '' && graph.nodes[i]?.kind === 'anonymous' ? before[i] || behind[i] || '' : key)
  }
  return now
}

function hopKey(graph: MapGraph, keys: readonly string[], i: number): string {
  const kind = graph.nodes[i]?.kind
  return kind === 'agent' || kind === 'target' ? '' : keys[i] ?? ''
}
