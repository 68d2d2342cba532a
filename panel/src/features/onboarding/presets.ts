// What is worth measuring first: where the agent's packets go anyway, and one place of one's own.
import type { Agent, Kind } from '@/api/types'

export interface Preset {
  readonly id: 'gateway' | 'resolver' | 'site' | 'agent'
  readonly label: string
  readonly text: string
  /** Filled in; the site's may be edited. */
  readonly target: string
}

/** The first kind that measures a target and needs nothing else. */
export function firstKind(kinds: readonly Kind[]): { kind: Kind, setting: string } | null {
  for (const kind of kinds) {
    const required = kind.settings.filter(setting => setting.required)
    if (required.length === 1 && required[0]?.type === 'target')
      return { kind, setting: required[0].name }
  }
  return null
}

/** The domain of one's own address is a site of one's own; those of the big mail services are not. */
export function siteGuess(email: string): string {
  const domain = email.split('@')[1]?.toLowerCase() ?? ''
  const common = /^(?:gmail|googlemail|outlook|hotmail|live|yahoo|icloud|me|proton|protonmail|gmx|web|aol|mail)\./
  return /^[\w-]+(?:\.[\w-]+)+$/.test(domain) && !common.test(domain) ? domain : ''
}

export function presetsFor(agent: Agent, agents: readonly Agent[], email: string): Preset[] {
  const presets: Preset[] = []
  if (agent.gateway !== '')
    presets.push({ id: 'gateway', label: 'Its gateway', text: 'the first hop of everything it sends', target: agent.gateway })
  if (agent.resolver !== '' && agent.resolver !== agent.gateway)
    presets.push({ id: 'resolver', label: 'Its name server', text: 'without it nothing is found', target: agent.resolver })
  presets.push({ id: 'site', label: 'A site of yours', text: 'what your people use', target: siteGuess(email) })
  const other = agents.find(entry => entry.id !== agent.id && entry.status === 'online' && entry.address !== '' && entry.address !== agent.address && !/^(?:127\.|::1$)/.test(entry.address))
  if (other)
    presets.push({ id: 'agent', label: `The agent ${other.name}`, text: 'the path between two of your places', target: other.address })
  return presets
}
