// Filter and order of the agents.
import type { Agent } from '@/api/types'
import { byNaturalKey as natural } from '@/lib/natural'

export interface AgentFilter {
  readonly q: string
  readonly status: string
  readonly label: string
  readonly version: string
}

const STATUS_ORDER = ['offline', 'stale', 'pending', 'online', 'disabled']

const COMPARE: Record<string, (a: Agent, b: Agent) => number> = {
  name: (a, b) => natural(a.name, b.name),
  site: (a, b) => natural(a.site, b.site),
  status: (a, b) => STATUS_ORDER.indexOf(a.status) - STATUS_ORDER.indexOf(b.status),
  version: (a, b) => natural(a.version, b.version),
  seen: (a, b) => (b.last_seen_us ?? 0) - (a.last_seen_us ?? 0),
  probes: (a, b) => b.probe_count - a.probe_count,
  cpu: (a, b) => (b.health?.cpu_permille ?? -1) - (a.health?.cpu_permille ?? -1),
  spool: (a, b) => (b.health?.spool_rows ?? -1) - (a.health?.spool_rows ?? -1),
}

export function arranged(agents: readonly Agent[], filter: AgentFilter, sort: string): Agent[] {
  const down = sort.startsWith('-')
  const compare = COMPARE[down ? sort.slice(1) : sort]
  const words = filter.q.toLowerCase().split(/\s+/).filter(word => word !== '')
  const found = agents.filter((agent) => {
    if (filter.status !== '' && agent.status !== filter.status)
      return false
    if (filter.label !== '' && !agent.labels.includes(filter.label))
      return false
    if (filter.version !== '' && agent.version !== filter.version)
      return false
    if (words.length === 0)
      return true
    const text = `${agent.name} ${agent.site} ${agent.hostname} ${agent.address} ${agent.labels.join(' ')}`.toLowerCase()
    return words.every(word => text.includes(word))
  })
  const sign = down ? -1 : 1
  return found.sort((a, b) => sign * (compare?.(a, b) ?? 0) || natural(a.name, b.name) || (a.id < b.id ? -1 : 1))
}

export function allLabels(agents: readonly Agent[]): string[] {
  return [...new Set(agents.flatMap(agent => agent.labels))].sort()
}

export function allVersions(agents: readonly Agent[]): string[] {
  return [...new Set(agents.map(agent => agent.version).filter(version => version !== ''))].sort(natural)
}

/** The labels that an agent has after `add` and `drop`; each once, in order. */
export function withLabels(labels: readonly string[], add: readonly string[], drop: readonly string[]): string[] {
  return [...new Set([...labels, ...add])].filter(label => !drop.includes(label)).sort()
}

/** "a, b" as labels; empty ones and repetitions go. */
export function parseLabels(text: string): string[] {
  return [...new Set(text.split(',').map(label => label.trim()).filter(label => label !== ''))]
}
