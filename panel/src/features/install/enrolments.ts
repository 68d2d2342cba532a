// A token is shown once by the controller. For as long as it lives it is kept in this tab, so that loading the page
// again shows the same command and does not make the one in somebody's terminal worthless.
import type { Enrolment } from '@/api/types'

const key = (agent: string) => `nw-enrolment-${agent}`

export function keepEnrolment(agent: string, enrolment: Enrolment): void {
  sessionStorage.setItem(key(agent), JSON.stringify(enrolment))
}

export function forgetEnrolment(agent: string): void {
  sessionStorage.removeItem(key(agent))
}

/** The kept one, unless it has expired or is none. */
export function keptEnrolment(agent: string, nowMs: number): Enrolment | null {
  const text = sessionStorage.getItem(key(agent))
  if (text === null)
    return null
  try {
    const kept = JSON.parse(text) as Partial<Enrolment>
    if (typeof kept.token === 'string' && typeof kept.command === 'string' && typeof kept.enrol_command === 'string' && typeof kept.expires_us === 'number' && kept.expires_us / 1000 > nowMs)
      return kept as Enrolment
  }
  catch {
    // What somebody else wrote there is no enrolment.
  }
  forgetEnrolment(agent)
  return null
}
