// The first sentence of the overview.
import type { Overview } from '@/api/types'
import type { Look } from '@/lib/grade'
import { plural } from '@/lib/format'
import { GRADE_LOOK } from '@/lib/grade'

export interface Verdict {
  readonly look: Look
  readonly text: string
  readonly detail: string
}

export function verdict(overview: Pick<Overview, 'probes' | 'grades' | 'agents' | 'worst'>): Verdict {
  const { grades, agents, worst } = overview
  const bad = grades.critical + grades.poor + grades.fair
  const active = overview.probes - grades.paused
  const first = worst[0]
  const offline = agents.offline + agents.stale
  const silent = offline > 0 ? `${plural(offline, 'agent')} not online.` : ''
  if (bad > 0) {
    const look = GRADE_LOOK[grades.critical > 0 ? 'critical' : grades.poor > 0 ? 'poor' : 'fair']
    const detail = first ? `Worst: ${first.probe.name}${first.grade_reason === '' ? '' : `, ${first.grade_reason}`}.` : ''
    return { look, text: `${bad} of ${plural(active, 'probe')} degraded.`, detail: [detail, silent].filter(Boolean).join(' ') }
  }
  if (active === 0)
    return { look: GRADE_LOOK.unknown, text: 'All probes are paused.', detail: silent }
  if (grades.unknown >= active)
    return { look: GRADE_LOOK.unknown, text: 'No data yet.', detail: silent || 'The first results are on their way.' }
  const measured = active - grades.unknown
  const unknown = grades.unknown > 0 ? `${plural(grades.unknown, 'probe')} without data.` : ''
  return { look: GRADE_LOOK[grades.good > 0 ? 'good' : 'excellent'], text: measured === 1 ? 'The one measured probe is well.' : `All ${measured} measured probes are well.`, detail: [unknown, silent].filter(Boolean).join(' ') }
}
