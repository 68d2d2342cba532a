// Where the parts of the overview lead: to what they speak of, with the time range kept.
import type { LocationQueryRaw, RouteLocationRaw } from 'vue-router'
import type { AuditEntry } from '@/api/types'

/** The subject of a change; a deleted one has no page, its entry in the audit log does. */
export function changeLink(entry: Pick<AuditEntry, 'action' | 'subject_type' | 'subject'>, slug: string, kept: LocationQueryRaw): RouteLocationRaw {
  const [area = ''] = entry.action.split('.')
  const params = { slug }
  if (!entry.action.endsWith('.delete')) {
    if (entry.subject_type === 'probe')
      return { name: 'probe', params: { ...params, probe: entry.subject }, query: kept }
    if (entry.subject_type === 'agent')
      return { name: 'agent', params: { ...params, agent: entry.subject }, query: kept }
    if (area === 'member' || area === 'invite')
      return { name: 'members', params }
    if (area === 'workspace')
      return { name: 'settings', params }
  }
  return { name: 'audit', params, query: { action: entry.action } }
}

/** The list of probes in a state; `paused` and every grade is one. */
export function stateLink(state: string, slug: string): RouteLocationRaw {
  return { name: 'probes', params: { slug }, query: { state } }
}

/** When the bad time that lasts until now began, from the grades of equal buckets; null when all of them are bad. */
export function badSince(grades: readonly string[], fromUs: number, toUs: number): number | null {
  const bad = (grade: string | undefined) => grade === 'fair' || grade === 'poor' || grade === 'critical'
  let first = grades.length
  // A bucket that is still filling says nothing yet.
  while (first > 0 && (bad(grades[first - 1]) || grades[first - 1] === 'unknown'))
    first -= 1
  while (first < grades.length && !bad(grades[first]))
    first += 1
  if (first === 0 || first === grades.length)
    return null
  return fromUs + (toUs - fromUs) * first / grades.length
}
