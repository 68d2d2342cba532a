// The form of a trace: what its fields mean, checked with the server's rules as one types.
import type { LocationQuery } from 'vue-router'
import type { TraceSettings, TraceStart } from './types'
import { isHost } from '@/lib/host'

export interface TraceDraft {
  agent: string
  target: string
  protocol: string
  port: string
  flows: string
  cycles: string
  period: string
  maxHops: string
  size: string
  dscp: string
  family: string
  interface: string
}

export const EMPTY: Readonly<TraceDraft> = { agent: '', target: '', protocol: 'icmp', port: '', flows: 'mda', cycles: '10', period: '500', maxHops: '30', size: '64', dscp: '0', family: 'auto', interface: '' }

export const PROTOCOLS = [['icmp', 'ICMP echo'], ['udp', 'UDP'], ['tcp', 'TCP SYN']] as const
export const FLOWS = [['mda', 'Find all paths (multipath detection)'], ['1', 'One flow'], ['2', '2 flows'], ['4', '4 flows'], ['8', '8 flows'], ['16', '16 flows']] as const
export const FAMILIES = [['auto', 'Automatic'], ['v4', 'IPv4 only'], ['v6', 'IPv6 only']] as const

const LIMITS = { port: [1, 65_535], cycles: [1, 100], period: [100, 10_000], maxHops: [1, 64], size: [28, 9000], dscp: [0, 63] } as const
type Numeric = keyof typeof LIMITS
const OPTIONAL: ReadonlySet<Numeric> = new Set(['port'])

export type TraceProblems = Partial<Record<keyof TraceDraft, string>>

export function traceProblems(draft: TraceDraft): TraceProblems {
  const problems: TraceProblems = {}
  if (draft.agent === '')
    problems.agent = 'Choose an agent'
  if (draft.target.trim() === '')
    problems.target = 'Is required'
  else if (!isHost(draft.target.trim()))
    problems.target = 'Must be a host name or an address'
  for (const name of Object.keys(LIMITS) as Numeric[]) {
    const text = draft[name].trim()
    const [min, max] = LIMITS[name]
    if ((text === '' && OPTIONAL.has(name)) || (name === 'port' && draft.protocol === 'icmp'))
      continue
    if (!/^\d+$/.test(text) || Number(text) < min || Number(text) > max)
      problems[name] = `Must be a whole number from ${min} to ${max}`
  }
  if (/[/\s]/.test(draft.interface))
    problems.interface = 'Must be a network device\'s name'
  return problems
}

/** Only what is not as usual is sent; the rest is the controller's to choose. */
export function traceBody(draft: TraceDraft): TraceStart {
  const number = (text: string) => text.trim() === '' ? undefined : Number(text)
  const port = draft.protocol === 'icmp' ? undefined : number(draft.port)
  return {
    agent: draft.agent, target: draft.target.trim(), protocol: draft.protocol as NonNullable<TraceStart['protocol']>, flows: draft.flows as NonNullable<TraceStart['flows']>,
    cycles: Number(draft.cycles), period_ms: Number(draft.period),
    ...(port === undefined ? {} : { port }), ...(draft.size.trim() === EMPTY.size ? {} : { size: Number(draft.size) }),
    ...(draft.maxHops.trim() === EMPTY.maxHops ? {} : { max_hops: Number(draft.maxHops) }), ...(draft.dscp.trim() === EMPTY.dscp ? {} : { dscp: Number(draft.dscp) }),
    ...(draft.family === EMPTY.family ? {} : { family: draft.family as NonNullable<TraceStart['family']> }), ...(draft.interface.trim() === '' ? {} : { interface: draft.interface.trim() }),
  }
}

/** A link can fill the form in: `?new=1&agent=…&target=…`. */
export function draftFromQuery(query: LocationQuery): TraceDraft {
  const known = Object.fromEntries(Object.keys(EMPTY).flatMap((name) => {
    const value = query[name]
    return typeof value === 'string' ? [[name, value]] : []
  }))
  return { ...EMPTY, ...known }
}

/** The same trace once more. */
export function againQuery(agent: string, target: string, settings: Partial<TraceSettings>): Record<string, string> {
  const value: Partial<Record<keyof TraceDraft, unknown>> = {
    agent, target, protocol: settings.protocol, port: settings.port || undefined, flows: settings.flows, cycles: settings.cycles, period: settings.period_ms, maxHops: settings.max_hops, size: settings.size, dscp: settings.dscp, family: settings.family, interface: settings.interface,
  }
  return { new: '1', ...Object.fromEntries(Object.entries(value).flatMap(([name, entry]) => entry === undefined || entry === '' || String(entry) === EMPTY[name as keyof TraceDraft] ? [] : [[name, String(entry)]])) }
}

const SERVER_FIELDS: Readonly<Record<string, keyof TraceDraft>> = { period_ms: 'period', max_hops: 'maxHops', agent_id: 'agent' }

export function problemsFromServer(fields: Readonly<Record<string, string>>): TraceProblems {
  return Object.fromEntries(Object.entries(fields).map(([field, message]) => [SERVER_FIELDS[field] ?? field, message]))
}
