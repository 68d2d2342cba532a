// The one dictionary of states: word, shape and colour for every value the API can send. The panel never grades.
import type { components } from '@/api/schema'

export type Grade = components['schemas']['Grade']
export type AgentStatus = components['schemas']['AgentStatus']
export type Outcome = components['schemas']['Outcome']

export type Shape = 'disc' | 'half' | 'triangle' | 'octagon' | 'ring' | 'bars' | 'clock'

export interface Look {
  readonly word: string
  readonly shape: Shape
  /** Name of the colour's custom property. */
  readonly colour: string
}

export const GRADES: readonly Grade[] = ['excellent', 'good', 'fair', 'poor', 'critical', 'unknown']

export const GRADE_LOOK: Readonly<Record<Grade, Look>> = {
  excellent: { word: 'Excellent', shape: 'disc', colour: '--excellent' },
  good: { word: 'Good', shape: 'disc', colour: '--good' },
  fair: { word: 'Fair', shape: 'half', colour: '--fair' },
  poor: { word: 'Poor', shape: 'triangle', colour: '--poor' },
  critical: { word: 'Critical', shape: 'octagon', colour: '--critical' },
  unknown: { word: 'No data', shape: 'ring', colour: '--unknown' },
}

export const PAUSED_LOOK: Look = { word: 'Paused', shape: 'bars', colour: '--unknown' }

export const AGENT_LOOK: Readonly<Record<AgentStatus, Look>> = {
  online: { word: 'Online', shape: 'disc', colour: '--excellent' },
  stale: { word: 'Stale', shape: 'half', colour: '--fair' },
  offline: { word: 'Offline', shape: 'octagon', colour: '--critical' },
  pending: { word: 'Pending', shape: 'clock', colour: '--unknown' },
  disabled: { word: 'Disabled', shape: 'bars', colour: '--unknown' },
}

/** Position in GRADES; the worse the higher, and "no data" last. */
export function severity(grade: Grade): number {
  return GRADES.indexOf(grade)
}

/** For sorting worst first: "no data" comes after what is known to be bad, before what is known to be good. */
export function urgency(grade: Grade): number {
  return { critical: 0, poor: 1, fair: 2, unknown: 3, good: 4, excellent: 5 }[grade]
}

export const OUTCOME_WORD: Readonly<Record<Outcome, string>> = {
  ok: 'ok',
  lost: 'lost',
  unreachable: 'unreachable',
  refused: 'refused',
  dns_error: 'name not resolved',
  tls_error: 'TLS error',
  protocol_error: 'protocol error',
  assertion_failed: 'unexpected answer',
  bind_error: 'interface not usable',
  permission_error: 'not permitted on the agent',
  config_error: 'configuration error',
  not_measured: 'not measured',
}

/** Outcomes that speak of the agent's own trouble: neither up nor down. */
const OWN_SIDE: ReadonlySet<string> = new Set<Outcome>(['bind_error', 'permission_error', 'config_error', 'not_measured'])

export function isAboutTarget(outcome: string): boolean {
  return !OWN_SIDE.has(outcome)
}
