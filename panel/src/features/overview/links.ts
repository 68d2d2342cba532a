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

const FOCUS_MS = 600_000

/** A change of a route: the path of the probe just after it, beside the one just before. */
export function routeChangeLink(change: { readonly probe: string, readonly change: { readonly at_us: number } }, slug: string, kept: LocationQueryRaw, nowMs: number): RouteLocationRaw {
  const ms = change.change.at_us / 1000
  return { name: 'probe', params: { slug, probe: change.probe }, query: { ...kept, at: String(Math.min(nowMs, Math.floor(ms) + FOCUS_MS - 1)), before: String(Math.ceil(ms) - 1) } }
}

/** The list of probes in a state; `paused` and every grade is one. */
export function stateLink(state: string, slug: string): RouteLocationRaw {
  return { name: 'probes', params: { slug }, query: { state } }
}
