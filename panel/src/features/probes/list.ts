// Filter, sort and group the list of probes; pure, so that ten thousand rows can be tested in no time.
import type { Probe } from '@/api/types'
import type { Grade } from '@/lib/grade'
import { urgency } from '@/lib/grade'
import { natural } from '@/lib/natural'

export interface ProbeFilter {
  readonly q: string
  readonly kind: string
  readonly agent: string
  readonly state: string
  readonly target?: string
  /** Of the agent. */
  readonly label?: string
}

function matches(probe: Probe, filter: ProbeFilter, labels: ReadonlyMap<string, readonly string[]>): boolean {
  if (filter.kind !== '' && probe.kind !== filter.kind)
    return false
  if (filter.agent !== '' && probe.agent.id !== filter.agent)
    return false
  if (filter.target && probe.target?.address !== filter.target)
    return false
  const grade = probe.enabled ? probe.latest?.grade ?? 'unknown' : 'paused'
  if (filter.state === 'problem' ? !['fair', 'poor', 'critical'].includes(grade) : filter.state !== '' && grade !== filter.state)
    return false
  if (filter.label && !labels.get(probe.agent.id)?.includes(filter.label))
    return false
  const text = `${probe.name} ${probe.agent.name} ${probe.target?.address ?? ''} ${probe.target?.name ?? ''}`.toLowerCase()
  return filter.q.toLowerCase().split(/\s+/).every(word => text.includes(word))
}

const gradeOrder = (probe: Probe) => probe.enabled ? urgency(probe.latest?.grade ?? 'unknown') : 9

const COMPARE: Record<string, (a: Probe, b: Probe) => number> = {
  name: (a, b) => natural(a.name, b.name),
  agent: (a, b) => natural(a.agent.name, b.agent.name),
  target: (a, b) => natural((a.target?.address ?? ''), b.target?.address ?? ''),
  grade: (a, b) => gradeOrder(a) - gradeOrder(b),
  at: (a, b) => (b.latest?.at_us ?? 0) - (a.latest?.at_us ?? 0),
}

/** `sort` is a key of a column, with a leading minus for the other way round, or `m:<metric>`. */
export function arranged(probes: readonly Probe[], filter: ProbeFilter, sort: string, labels: ReadonlyMap<string, readonly string[]> = new Map()): Probe[] {
  const down = sort.startsWith('-')
  const key = down ? sort.slice(1) : sort
  const metric = key.startsWith('m:') ? key.slice(2) : ''
  const byMetric = (a: Probe, b: Probe) => (b.latest?.metrics[metric] ?? -1) - (a.latest?.metrics[metric] ?? -1)
  const compare = metric === '' ? COMPARE[key] ?? COMPARE.name : byMetric
  const found = probes.filter(probe => matches(probe, filter, labels))
  const sign = down ? -1 : 1
  return found.sort((a, b) => sign * (compare?.(a, b) ?? 0) || natural(a.name, b.name) || (a.id < b.id ? -1 : 1))
}

export type Grouping = '' | 'target' | 'agent'

/** The heading of a group; in the list before its probes. */
export interface GroupRow {
  readonly id: string
  readonly title: string
  readonly probes: readonly Probe[]
  /** What is most urgent among those that run; nothing when all are paused. */
  readonly worst: Grade | null
  readonly problems: number
  readonly open: boolean
}

export type ListRow = Probe | GroupRow
export const isGroup = (row: ListRow): row is GroupRow => 'probes' in row

function groupOf(probe: Probe, by: Grouping): { key: string, title: string } {
  return by === 'agent' ? { key: probe.agent.id, title: probe.agent.name } : { key: probe.target?.address ?? '', title: probe.target?.name || probe.target?.address || 'Without a target' }
}

function worstOf(probes: readonly Probe[]): Grade | null {
  const running = probes.filter(probe => probe.enabled).map(probe => probe.latest?.grade ?? 'unknown')
  return running.reduce<Grade | null>((worst, grade) => worst === null || urgency(grade) < urgency(worst) ? grade : worst, null)
}

/** Rows with a heading before each group; probes keep their order, groups stand where their first probe stands. */
export function grouped(probes: readonly Probe[], by: Grouping, closed: ReadonlySet<string>): ListRow[] {
  if (by === '')
    return [...probes]
  const groups = new Map<string, { title: string, probes: Probe[] }>()
  for (const probe of probes) {
    const { key, title } = groupOf(probe, by)
    const group = groups.get(key)
    if (group)
      group.probes.push(probe)
    else
      groups.set(key, { title, probes: [probe] })
  }
  return [...groups].flatMap(([key, { title, probes: inside }]) => {
    const id = `group:${key}`
    const open = !closed.has(id)
    const problems = inside.filter(probe => probe.enabled && ['fair', 'poor', 'critical'].includes(probe.latest?.grade ?? 'unknown')).length
    return [{ id, title, probes: inside, worst: worstOf(inside), problems, open }, ...(open ? inside : [])]
  })
}
