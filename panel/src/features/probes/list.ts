// Filter, sort and group the list of probes; pure, so that ten thousand rows can be tested in no time.
import type { Probe } from '@/api/types'
import { urgency } from '@/lib/grade'
import { natural } from '@/lib/natural'

export interface ProbeFilter {
  readonly q: string
  readonly kind: string
  readonly agent: string
  readonly state: string
}

function matches(probe: Probe, filter: ProbeFilter): boolean {
  if (filter.kind !== '' && probe.kind !== filter.kind)
    return false
  if (filter.agent !== '' && probe.agent.id !== filter.agent)
    return false
  const grade = probe.enabled ? probe.latest?.grade ?? 'unknown' : 'paused'
  if (filter.state === 'problem' ? !['fair', 'poor', 'critical'].includes(grade) : filter.state !== '' && grade !== filter.state)
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
export function arranged(probes: readonly Probe[], filter: ProbeFilter, sort: string): Probe[] {
  const down = sort.startsWith('-')
  const key = down ? sort.slice(1) : sort
  const metric = key.startsWith('m:') ? key.slice(2) : ''
  const byMetric = (a: Probe, b: Probe) => (b.latest?.metrics[metric] ?? -1) - (a.latest?.metrics[metric] ?? -1)
  const compare = metric === '' ? COMPARE[key] ?? COMPARE.name : byMetric
  const found = probes.filter(probe => matches(probe, filter))
  const sign = down ? -1 : 1
  return found.sort((a, b) => sign * (compare?.(a, b) ?? 0) || natural(a.name, b.name) || (a.id < b.id ? -1 : 1))
}
